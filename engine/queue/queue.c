/* queue.c: which implementation a URL means. */
#include <stdlib.h>
#include <string.h>

#include "queue/queue_ops.h"

int eas_queue_open(eas_queue **out, const char *url, eas_db *db, eas_err *err)
{
  if (strcmp(url, "sql:") == 0) return eas_queue_open_sql(out, db, err);
  if (strncmp(url, "amqp://", 7) == 0 || strncmp(url, "amqps://", 8) == 0) return eas_queue_open_amqp(out, url, err);
  eas_fail(err, EAS_EURL, "queue '%.200s': not a queue address", url);
  return eas_hint(err, "use sql: or amqp://USER@HOST/VHOST");
}

void eas_queue_close(eas_queue *q)
{
  if (q) q->ops->close(q);
}

int eas_queue_is_broker(const eas_queue *q)
{
  return q->ops->is_broker;
}
int eas_queue_subscribe(eas_queue *q, const char *const *types, int prefetch, eas_err *err)
{
  return q->ops->subscribe(q, types, prefetch, err);
}
int eas_queue_publish(eas_queue *q, const char *type, int64_t attempt, eas_err *err)
{
  return q->ops->publish(q, type, attempt, err);
}
int eas_queue_flush(eas_queue *q, eas_err *err)
{
  return q->ops->flush(q, err);
}
int eas_queue_wait(eas_queue *q, int64_t timeout_us, eas_err *err)
{
  return q->ops->wait(q, timeout_us, err);
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
int eas_queue_pause(eas_queue *q, int paused, eas_err *err)
{
  return q->ops->pause(q, paused, err);
}
int eas_queue_depth(eas_queue *q, const char *type, int64_t *out, eas_err *err)
{
  return q->ops->depth(q, type, out, err);
}
