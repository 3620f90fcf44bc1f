/* worker.h: the supervisor: claims, children, QC, products, commits, in one event loop. It alone holds credentials. */
#ifndef EAS_WORKER_WORKER_H
#define EAS_WORKER_WORKER_H
#include <stdint.h>
#include "base/conf.h"
#include "base/err.h"
#include "base/loop.h"
#include "db/db.h"
#include "queue/queue.h"
#include "registry/registry.h"
#include "sandbox/sandbox.h"
#include "store/store.h"
#include "worker/tally.h"

typedef struct eas_worker eas_worker;
typedef struct {
  eas_loop *loop;
  eas_db *db;
  eas_queue *queue;
  eas_store *store;
  const eas_registry *registry;
  const eas_conf *conf;
  const char *const *packs;
  int slots;
  const char *const *types; /* NULL-terminated: what this worker can run */
  const char *container;    /* or NULL */
  void (*on_commit)(void *arg, int n_ended, int n_ready,
                    int n_other); /* after each group; n_other: > 0: control has something to do */
  void *arg;
} eas_worker_options;

typedef struct {
  int busy, claimed, slots;
  int64_t ended;
  int64_t zygotes;
  int draining;
  int children;           /* processes of attempts that live */
  int uncommitted;        /* ended, but not in the database yet */
  int64_t lease_us;       /* how long one lasts */
  const eas_tally *tally; /* borrowed */
} eas_worker_status;

int eas_worker_open(eas_worker **out, const eas_worker_options *o, eas_err *err); /* registers, starts the zygote */
void eas_worker_look(eas_worker *w);                    /* something may be queued: claim at the end of this turn */
void eas_worker_drain(eas_worker *w, int64_t grace_us); /* finish or hand back; then idle for good */
void eas_worker_kill(eas_worker *w);         /* children at once, results dropped, attempts handed back as lost */
void eas_worker_reload(eas_worker *w);       /* scripts and kernels as they are now, for the next attempts */
void eas_worker_cancel_check(eas_worker *w); /* stop attempts of cancelled jobs */
int eas_worker_idle(const eas_worker *w);    /* 1: it runs and finishes nothing */
int64_t eas_worker_id(const eas_worker *w);  /* row of the table worker */
void eas_worker_status_get(const eas_worker *w, eas_worker_status *out); /* as it is now */
void eas_worker_close(eas_worker *w); /* ends what runs, gives back what is held; NULL is fine */

#endif
