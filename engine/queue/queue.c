/* queue.c: which implementation a URL means. */
#include <stdlib.h>
#include <string.h>

#include "queue/queue_ops.h"

int eas_queue_open(eas_queue **out, const char *url, eas_db *db, eas_err *err)
{
  if (strcmp(url, "sql:") == 0) return eas_queue_open_sql(out, db, err);
  eas_fail(err, EAS_EURL, "queue '%.200s': not a queue address", url);
  return eas_hint(err, "use sql:");
}

void eas_queue_close(eas_queue *q)
{
  if (q) q->ops->close(q);
}

int eas_queue_subscribe(eas_queue *q, const char *const *types, eas_err *err)
{
  return q->ops->subscribe(q, types, err);
}
int eas_queue_publish(eas_queue *q, const char *type, int64_t attempt, eas_err *err)
{
  return q->ops->publish(q, type, attempt, err);
}
int eas_queue_flush(eas_queue *q, eas_err *err)
{
  return q->ops->flush(q, err);
}
int eas_queue_fd(const eas_queue *q)
{
  return q->ops->fd(q);
}
int eas_queue_take(eas_queue *q, eas_message *out, eas_err *err)
{
  return q->ops->take(q, out, err);
}
int eas_queue_ack(eas_queue *q, uint64_t receipt, eas_err *err)
{
  return q->ops->ack(q, receipt, err);
}
