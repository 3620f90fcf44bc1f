/* zygote.h: the executed helper process that children are cloned from.
 *
 * Started as `eas --zygote FD` (clean environment, no inherited descriptors but its socket FD), told its policy by one JSON
 * message, it loads the runner, enters the zygote sandbox and answers "ready" with the layers it has. Each
 * request (JSON + descriptors) is answered by a child cloned with CLONE_PARENT: the supervisor is its parent, and nothing a child
 * needs dies with the zygote. All calls of the supervisor's side come from the one thread that started the zygote: with that
 * thread, children die too (parent-death signal).
 *
 * How a child ends, besides what runner->run sends: exit 0 or 1 (run returned < 0), EAS_EXIT_SANDBOX with an EAS_EV_ERROR when a
 * layer could not be put on, EAS_EXIT_TIMEOUT after SIGUSR2, 128 + signal after a fatal signal, SIGXCPU (cpu) or SIGXFSZ (disk);
 * each of these writes an EAS_EV_ERROR {ending, message, trace} first, if it can. SIGUSR1 asks runner->interrupt for a Lua error.
 * Includes: sandbox, base. */
#ifndef EAS_WORKER_ZYGOTE_H
#define EAS_WORKER_ZYGOTE_H
#ifndef EAS_CDEF
#include <sys/types.h>
#endif
#include "base/err.h"
#include "sandbox/sandbox.h"
#include "worker/runner.h"

enum { EAS_EXIT_SANDBOX = 120, EAS_EXIT_TIMEOUT = 124 };

/* --- supervisor side --- */
typedef struct eas_zygote eas_zygote;
typedef struct {
  const eas_probe *probe;
  unsigned use;
  const char *const *packs; /* folders, core first */
  const char *data_dir, *scratch_root, *store_root;
  const char *input_root;       /* people's files, of which attempts read what is in `readable`; NULL: none */
  const char *const *exec_path; /* for task:exec */
  int require;                  /* bits; EAS_EREFUSED if one of them cannot be put on */
  const char *exe;              /* program to execute as zygote; NULL: libexec/eas-zygote, else this one */
} eas_zygote_options;

int eas_zygote_start(eas_zygote **out, const eas_zygote_options *o,
                     eas_err *err);                          /* waits until ready, 5 s (60 s under ASan) */
void eas_zygote_stop(eas_zygote *z);                         /* ends and reaps it; its children run on */
int eas_zygote_fd(const eas_zygote *z);                      /* readable: answers, or it died */
int eas_zygote_pidfd(const eas_zygote *z);                   /* readable: it died */
unsigned eas_zygote_layers(const eas_zygote *z);             /* of its children too */
const char *eas_zygote_reason(const eas_zygote *z, int bit); /* why a layer of `use` is not on; "" */

/* Three pipes for one child after the other: events, standard output, standard error. */
typedef struct {
  int read[3], write[3]; /* read ends are non-blocking */
} eas_pipes;
int eas_pipes_open(eas_pipes *p); /* 0 or -errno; nothing is left open then */
void eas_pipes_close(eas_pipes *p);

typedef struct {
  int slot;
  const char *scratch;         /* absolute, exists, as eas_scratch_fresh makes it */
  const char *const *readable; /* input objects */
  eas_limits limits;
  const char *request; /* runner.h */
  size_t request_len;
  const eas_slot_group *group; /* the child enters it by itself before anything else; NULL: none */
  const eas_pipes *pipes;      /* empty, and nobody else's; the child only borrows them. NULL: it gets its own */
} eas_spawn;

typedef struct {
  pid_t pid; /* ours to waitid */
  int pidfd;
  int64_t started_us;    /* eas_tick_us of its clone */
  int events;            /* read end, non-blocking */
  int output;            /* read end of the child's stdout, non-blocking */
  int errors;            /* read end of its stderr */
  int borrowed;          /* these three are eas_spawn.pipes' */
  eas_shared_page *page; /* mapped; eas_child_done takes it back */
  int page_fd;           /* eas_child_done's own */
} eas_child;

/* Clones a child; blocks for the zygote's answer (about 0.1 ms). EAS_ECONNECT: the zygote is gone; start a new one. */
int eas_zygote_spawn(eas_zygote *z, const eas_spawn *s, eas_child *out, eas_err *err);
/* The same in two steps, so that nobody waits for the clone: ask, and when eas_zygote_fd is readable take the answer, in the
 * order of asking. Until then the child has no pid; a failed answer closes all of it. */
int eas_zygote_ask(eas_zygote *z, const eas_spawn *s, eas_child *out, eas_err *err);
int eas_zygote_answer(eas_zygote *z, eas_child *child, eas_err *err);
/* After the child was waited for: closes, unmaps. Without a pid namespace it also kills what the child left behind, so
 * that nobody writes into scratch any more. */
void eas_child_done(eas_child *c);

/* --- the zygote process itself; called by main when argv[1] is "--zygote" --- */
int eas_zygote_main(int fd, const eas_runner *runner);

#endif
