/* queue_sql.c: the attempt rows are the queue; only the bell is separate, and it is the database's. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "queue/queue_ops.h"

typedef struct {
  eas_queue queue;
  eas_db *db;
  int fd;
  int published; /* since the last flush */
} sql_queue;

static sql_queue *of(eas_queue *q)
{
  return (sql_queue *)(void *)q;
}

static void close_queue(eas_queue *q)
{
  free(q);
} /* the descriptor is the database's */

static int subscribe(eas_queue *q, const char *const *types, int prefetch, eas_err *err)
{
  (void)types; /* one bell for all types */
  (void)prefetch;
  (void)q;
  (void)err;
  return 0;
}

static int publish(eas_queue *q, const char *type, int64_t attempt, eas_err *err)
{
  (void)type;
  (void)attempt;
  (void)err;
  of(q)->published = 1;
  return 0;
}

/* One ring for all that was published. */
static int flush(eas_queue *q, eas_err *err)
{
  if (!of(q)->published) return 0;
  of(q)->published = 0;
  return eas_db_ring(of(q)->db, err);
}

static int fd_of(const eas_queue *q)
{
  return ((const sql_queue *)(const void *)q)->fd;
}

static int take(eas_queue *q, eas_message *out, eas_err *err)
{
  struct pollfd p = { .fd = of(q)->fd, .events = POLLIN };
  int n = poll(&p, 1, 0);
  if (n < 0 && errno != EINTR) return eas_fail(err, EAS_EIO, "queue: %s", strerror(errno));
  if (n <= 0) return 0;
  eas_db_bell_clear(of(q)->db);
  *out = (eas_message){ 0 };
  return 1;
}

static int ack(eas_queue *q, uint64_t receipt, eas_err *err)
{
  (void)q;
  (void)receipt;
  (void)err;
  return 0;
}

static int wait_flushed(eas_queue *q, int64_t timeout_us, eas_err *err)
{
  (void)timeout_us;
  return flush(q, err);
}

static int pause_queue(eas_queue *q, int paused, eas_err *err)
{
  (void)q;
  (void)paused;
  (void)err;
  return 0;
}

static int depth(eas_queue *q, const char *type, int64_t *out, eas_err *err)
{
  (void)q;
  (void)type;
  (void)err;
  *out = -1;
  return 0;
}

static const eas_queue_ops ops = { .close = close_queue,
                                   .subscribe = subscribe,
                                   .publish = publish,
                                   .flush = flush,
                                   .wait = wait_flushed,
                                   .fd = fd_of,
                                   .take = take,
                                   .ack = ack,
                                   .pause = pause_queue,
                                   .depth = depth };

int eas_queue_open_sql(eas_queue **out, eas_db *db, eas_err *err)
{
  int fd = eas_db_bell_fd(db, err);
  if (fd < 0) return fd;
  sql_queue *s = eas_alloc(sizeof *s);
  *s = (sql_queue){ .queue = { &ops }, .db = db, .fd = fd };
  *out = &s->queue;
  return 0;
}
