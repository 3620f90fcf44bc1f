/* session.h: everything that runs work in this process: loop, database, store, worker, control.
 *
 * `run` and `task` use both roles, `worker` and `control` one. The same code paths as a cluster. */
#ifndef EAS_CLI_SESSION_H
#define EAS_CLI_SESSION_H
#include <sys/types.h>
#include "base/loop.h"
#include "cli/cli.h"
#include "control/control.h"
#include "queue/queue.h"
#include "worker/worker.h"

typedef struct eas_session eas_session;
struct eas_session {
  eas_cli *c;
  eas_loop *loop;
  eas_queue *queue;
  struct eas_bells *bells;
  struct eas_metrics *metrics;
  eas_worker *worker;
  eas_control *control;
  const char **types; /* what the worker runs */
  int lock_fd;
  int interrupts; /* SIGINT, SIGTERM so far */
  int stopping;
  int64_t idle_us, idle_since; /* a worker with --idle: how long it waits for work; since when it has none, 0: it has */
  pid_t scaler;                /* scale_command, while it runs */
  struct eas_notify *notify;   /* hooks, if there are any */
  void (*on_change)(void *arg); /* tasks ended or became ready */
  void (*on_stop)(void *arg, int n_running);
  void *arg;
};

enum { EAS_ROLE_WORKER = 1, EAS_ROLE_CONTROL = 2 };

/* Opens registry, database, store and the roles. SQLite: takes the lock of the data folder (EAS_EBUSY says who has it). */
int eas_session_open(eas_session *s, eas_cli *c, int roles, eas_err *err);
int eas_session_lock(eas_session *s, eas_err *err);
void eas_session_tidy(eas_session *s); /* holding the lock: sweeps scratch */
void eas_session_close(eas_session *s);

#endif
