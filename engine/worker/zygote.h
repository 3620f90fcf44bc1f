/* zygote.h: the executed helper process that children are cloned from.
 *
 * Started as `eas --zygote FD` (clean environment, no inherited descriptors but its socket FD), told its policy by one JSON
 * message, it loads the runner, enters the zygote sandbox and answers "ready" with the layers it has. Each
 * request (JSON + descriptors) is answered by a child cloned with CLONE_PARENT: the supervisor is its parent. Includes: sandbox, base. */
#ifndef EAS_WORKER_ZYGOTE_H
#define EAS_WORKER_ZYGOTE_H
#include <sys/types.h>
#include "base/err.h"
#include "sandbox/sandbox.h"
#include "worker/runner.h"

/* --- supervisor side --- */
typedef struct eas_zygote eas_zygote;
typedef struct {
  const eas_probe *probe;
  unsigned use;
  const char *const *packs;     /* folders, core first */
  const char *data_dir, *scratch_root, *store_root;
  const char *const *exec_path; /* for task:exec */
  int require;                  /* bits; EAS_EREFUSED if one of them cannot be put on */
} eas_zygote_options;

int  eas_zygote_start(eas_zygote **out, const eas_zygote_options *o, eas_err *err); /* waits until ready, 5 s */
void eas_zygote_stop(eas_zygote *z); /* it ends with its last child */
int  eas_zygote_fd(const eas_zygote *z);   /* readable: answers, or it died */
int  eas_zygote_pidfd(const eas_zygote *z);
unsigned eas_zygote_layers(const eas_zygote *z);

typedef struct {
  int slot;
  const char *scratch;             /* absolute, exists */
  const char *const *readable;     /* input objects */
  eas_limits limits;
  const char *request;             /* runner.h, JSON text */
  size_t request_len;
} eas_spawn;

typedef struct {
  pid_t pid;                       /* ours to waitid */
  int pidfd;
  int events;                      /* read end, non-blocking */
  int output;                      /* read end of the child's stdout, non-blocking */
  int errors;                      /* read end of its stderr */
  eas_shared_page *page;           /* mapped; eas_child_done unmaps */
} eas_child;

/* Clones a child; blocks for the zygote's answer (about 0.1 ms). EAS_ECONNECT: the zygote is gone; start a new one. */
int  eas_zygote_spawn(eas_zygote *z, const eas_spawn *s, eas_child *out, eas_err *err);
void eas_child_done(eas_child *c);

/* --- the zygote process itself; called by main when argv[1] is "--zygote" --- */
int eas_zygote_main(int fd, const eas_runner *runner);

#endif
