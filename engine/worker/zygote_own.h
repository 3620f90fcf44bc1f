/* zygote_own.h: what the files zygote*.c, child.c and signals.c share; nobody else includes it. */
#ifndef EAS_WORKER_ZYGOTE_OWN_H
#define EAS_WORKER_ZYGOTE_OWN_H
#include "worker/zygote.h"
#include "worker/zygote_wire.h"

struct eas_zygote { /* the supervisor's side */
  pid_t pid;
  int pidfd, socket;
  unsigned layers;
  char reason[EAS_LAYER_COUNT][160];
};

/* orphans.c: what children without a pid namespace leave behind. */
void eas_orphans_known(pid_t pid); /* a living zygote or child: not to be touched */
void eas_orphans_forget(pid_t pid);
/* pid has ended, in order and without children of its own, or not: kills and reaps what it left. Nothing to do if it was not known. */
void eas_orphans_kill(pid_t pid, int is_childless);

/* One request as the zygote received it. strings is borrowed, or NULL when they are in fds[n_fds - 1]. */
typedef struct {
  const eas_wire_spawn *head;
  const char *strings;
  int fds[EAS_WIRE_FDS], n_fds;
} eas_wanted;

/* What the zygote is, set before the first child. */
typedef struct {
  const eas_runner *runner;
  eas_zygote_policy policy;
  unsigned layers;
} eas_zygote_self;

/* child.c: the whole life of a child; called in it, right after the clone. In the zygote, once, before: eas_child_prepare. */
void eas_child_prepare(void);
/* zygote_memory.c: first of all, and before the first clone, when all is loaded. proc_self: descriptor of /proc/self; -1. */
void eas_memory_begin(void);
void eas_memory_settle(int proc_self);
_Noreturn void eas_child_main(const eas_zygote_self *self, const eas_wanted *wanted);

/* signals.c. In the zygote, once; children inherit the handlers, which serve only after eas_signals_child. */
void eas_signals_zygote(const eas_runner *runner);
void eas_signals_child(int event_fd, const eas_limits *limits);

#endif
