/* queue.h: bells that ring when an attempt is queued, one per task type.
 *
 * A message is an attempt id and nothing else. It may be lost, doubled or late: whoever hears one claims from the
 * database, perhaps another attempt. One eas_queue serves one thread; nothing here blocks but eas_queue_open,
 * eas_queue_wait and, for a second at most, eas_queue_depth and eas_queue_close.
 * Implementations: queue_sql.c (the database's bell), queue_amqp.c (RabbitMQ). Includes: db, base. */
#ifndef EAS_QUEUE_QUEUE_H
#define EAS_QUEUE_QUEUE_H
#ifndef EAS_CDEF
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"
#endif

typedef struct eas_queue eas_queue;
typedef struct {
  int64_t attempt;  /* 0: look by yourself (sql: always; a broker: it went, or is back) */
  uint64_t receipt; /* for eas_queue_ack; means nothing on another eas_queue */
} eas_message;

/* "sql:" uses db's bell. A broker: amqp://USER@HOST:PORT/VHOST or amqps://, and after '?', divided by '&': prefix (of queue
 * names, "eas."), heartbeat (seconds, 10); TLS: cacertfile (of the machine's if left out), certfile, keyfile,
 * verify=verify_none. Within 5 s. EAS_EURL, EAS_ECONNECT. A broker that goes later is looked for again, later and later up to 5 s. */
int eas_queue_open(eas_queue **out, const char *url, eas_db *db, eas_err *err);
void eas_queue_close(eas_queue *q);
/* 1: a broker: whoever makes attempts queued publishes them after the commit. 0: the commit rang already. */
int eas_queue_is_broker(const eas_queue *q);

/* Hears these types (NULL-terminated) from now on; at most `prefetch` messages are held unacknowledged. Once. */
int eas_queue_subscribe(eas_queue *q, const char *const *types, int prefetch, eas_err *err);
/* After the commit. Kept until flush; the broker has to confirm, and what it does not is published again. When too much
 * waits (a broker that is gone), it is dropped: control rings again. */
int eas_queue_publish(eas_queue *q, const char *type, int64_t attempt, eas_err *err);
int eas_queue_flush(eas_queue *q, eas_err *err); /* sends; waits for nothing */
/* Until all that was published is confirmed. EAS_ELIMIT: not within timeout_us. */
int eas_queue_wait(eas_queue *q, int64_t timeout_us, eas_err *err);

/* Descriptor that the event loop watches (-1: none); call eas_queue_take until it gives 0. */
int eas_queue_fd(const eas_queue *q);
int eas_queue_take(eas_queue *q, eas_message *out, eas_err *err); /* 1 with *out, 0, or an error */
/* Acknowledges this message and all taken before it: after the claim. */
int eas_queue_ack(eas_queue *q, uint64_t receipt, eas_err *err);
/* 1: no more messages, and those not acknowledged go to others (all slots are taken for long); 0: again. */
int eas_queue_pause(eas_queue *q, int paused, eas_err *err);
/* Messages that wait for a type; -1: this queue keeps none. EAS_ECONNECT: the broker is away. */
int eas_queue_depth(eas_queue *q, const char *type, int64_t *out, eas_err *err);

#endif
