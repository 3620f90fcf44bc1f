/* queue_ops.h: what queue.c asks of an implementation. Inside engine/queue only. */
#ifndef EAS_QUEUE_QUEUE_OPS_H
#define EAS_QUEUE_QUEUE_OPS_H
#include "queue/queue.h"

typedef struct {
  int is_broker;
  void (*close)(eas_queue *q);
  int (*subscribe)(eas_queue *q, const char *const *types, int prefetch, eas_err *err);
  int (*publish)(eas_queue *q, const char *type, int64_t attempt, eas_err *err);
  int (*flush)(eas_queue *q, eas_err *err);
  int (*wait)(eas_queue *q, int64_t timeout_us, eas_err *err);
  int (*fd)(const eas_queue *q);
  int (*take)(eas_queue *q, eas_message *out, eas_err *err);
  int (*ack)(eas_queue *q, uint64_t receipt, eas_err *err);
  int (*pause)(eas_queue *q, int paused, eas_err *err);
  int (*depth)(eas_queue *q, const char *type, int64_t *out, eas_err *err);
} eas_queue_ops;

struct eas_queue {
  const eas_queue_ops *ops;
}; /* the first member of each implementation's own struct */

int eas_queue_open_sql(eas_queue **out, eas_db *db, eas_err *err);
int eas_queue_open_amqp(eas_queue **out, const char *url, eas_err *err);

#endif
