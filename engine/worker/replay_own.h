/* replay_own.h: what replay.c and replay_tell.c share; nobody else includes it. */
#ifndef EAS_WORKER_REPLAY_OWN_H
#define EAS_WORKER_REPLAY_OWN_H
#include "worker/inner.h"
#include "worker/replay.h"

struct eas_replay {
  eas_worker *w;
  eas_running *r;
  eas_task_type type; /* a copy: scripts may be edited ones */
  eas_limits limits;
  int cpus;
  char *folder, *task_script, *qc_script;
  int running, over, debug_fd, stops;
  int64_t disk_us;
};

/* An attempt as it is before its first process; what it was told stays. */
void eas_replay_begin(eas_replay *p);
/* From another store into ours; EAS_EFORMAT: its bytes are not what their name says. */
int eas_replay_copy(eas_replay *p, const eas_store *from, const eas_digest *wanted, eas_err *err);

#endif
