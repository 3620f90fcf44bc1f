/* queue.h: bells that ring when an attempt is queued, one per task type.
 *
 * A message is an attempt id and nothing else. It may be lost, doubled or late: whoever hears one claims from the
 * database, perhaps another attempt. One eas_queue serves one thread; nothing here blocks but eas_queue_open.
 * Implementations: queue_sql.c (the database's bell); RabbitMQ joins beside it. Includes: db, base. */
#ifndef EAS_QUEUE_QUEUE_H
#define EAS_QUEUE_QUEUE_H
#ifndef EAS_CDEF
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"
#endif

typedef struct eas_queue eas_queue;
typedef struct {
  int64_t attempt;
  uint64_t receipt;
} eas_message;

/* "sql:" uses db's bell. Within 5 s. EAS_EURL, EAS_ECONNECT. */
int eas_queue_open(eas_queue **out, const char *url, eas_db *db, eas_err *err);
void eas_queue_close(eas_queue *q);
int eas_queue_subscribe(eas_queue *q, const char *const *types, eas_err *err);        /* NULL-terminated */
int eas_queue_publish(eas_queue *q, const char *type, int64_t attempt, eas_err *err); /* after the commit */
int eas_queue_flush(eas_queue *q, eas_err *err);
/* Descriptor that the event loop watches (-1: none); call eas_queue_take until it gives 0. */
int eas_queue_fd(const eas_queue *q);
int eas_queue_take(eas_queue *q, eas_message *out, eas_err *err); /* 1, 0, or an error; sql: attempt 0 means "look" */
int eas_queue_ack(eas_queue *q, uint64_t receipt, eas_err *err);

#endif
