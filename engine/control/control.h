/* control.h: expansion, rescue, skipping, retry: what no worker's commit does. Driven by an event loop. */
#ifndef EAS_CONTROL_CONTROL_H
#define EAS_CONTROL_CONTROL_H
#include "base/conf.h"
#include "base/err.h"
#include "base/loop.h"
#include "db/db.h"
#include "queue/queue.h"
#include "registry/registry.h"
#include "store/store.h"

typedef struct eas_control eas_control;
typedef struct {
  eas_loop *loop;
  eas_db *db;
  eas_queue *queue;
  const eas_registry *registry;
  const eas_conf *conf;
  eas_store *store; /* kept clean (gc.h); NULL: not by this one */
  int once;         /* 1: a sweep of the store is not spread over the day */
  int64_t worker;   /* under whose name flow control is recorded; 0: registers its own */
  int embedded;     /* 1: the database is one folder's, and locked: every other worker is lost already */
  void (*on_ready)(void *arg, int n_ready); /* 0: nothing became ready, but tasks were skipped or cancelled */
  void *arg;
} eas_control_options;

int eas_control_open(eas_control **out, const eas_control_options *o, eas_err *err); /* *out: eas_control_close */
void eas_control_look(eas_control *c);                /* something changed: work at the end of this turn, in slices */
int eas_control_once(eas_control *c, eas_err *err);   /* until nothing is left to do */
int eas_control_idle(const eas_control *c);           /* 1: nothing is left to do */
int64_t eas_control_renewed_us(const eas_control *c); /* eas_tick_us of its last lease; a worker's name: 0 */
void eas_control_close(eas_control *c);               /* gives up its lease; NULL is fine */

#endif
