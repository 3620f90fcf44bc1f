/* queue_amqp.c: RabbitMQ. One durable queue per type, named PREFIX + TYPE; one connection with one channel.
 *
 * Nothing here waits for the broker but what queue.h says: frames are taken while there are some, and what is to be sent
 * goes only while the socket has room. The queue's descriptor is an epoll over socket, timer and login, so that it stays
 * the same when the connection does not. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "queue/amqp.h"

enum { LEAVE_US = 1000 * 1000 };

static amqp_queue *of(eas_queue *q)
{
  return (amqp_queue *)(void *)q;
}

static void close_queue(eas_queue *queue)
{
  amqp_queue *q = of(queue);
  if (q->conn) eas_queue_wait(queue, LEAVE_US, NULL);
  eas_amqp_join(q);
  if (q->found) amqp_destroy_connection(q->found);
  if (q->conn) {
    eas_amqp_link_limit(q->conn, LEAVE_US);
    amqp_connection_close(q->conn, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(q->conn);
  }
  int fds[] = { q->tick, q->dialled, q->epoll };
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0) close(fds[i]);
  for (int i = 0; q->wish.types && q->wish.types[i]; i++) free(q->wish.types[i]);
  free(q->wish.types);
  eas_amqp_post_done(q);
  free(q->inbox);
  eas_amqp_place_done(&q->place);
  free(q);
}

static int subscribe(eas_queue *queue, const char *const *types, int prefetch, eas_err *err)
{
  amqp_queue *q = of(queue);
  int n = 0;
  if (q->wish.types) return eas_fail(err, EAS_EINVAL, "queue %s: subscribed already", q->place.shown);
  while (types[n]) n++;
  char **copy = eas_alloc((size_t)(n + 1) * sizeof *copy);
  for (int i = 0; i < n; i++) copy[i] = eas_strdup(types[i]);
  eas_amqp_join(q); /* it reads what is changed here */
  q->wish.types = copy;
  q->wish.prefetch = prefetch < 1 ? 1 : prefetch > UINT16_MAX ? UINT16_MAX : prefetch;
  if (!q->conn) return eas_fail(err, EAS_ECONNECT, "queue %s: the broker is away", q->place.shown);
  int rc = eas_amqp_link_subscribe(&q->wish, q->conn, eas_tick_us() + EAS_AMQP_LOGIN_US, err);
  eas_amqp_link_limit(q->conn, EAS_AMQP_RPC_US);
  eas_amqp_arm(q);
  return rc;
}

static int publish(eas_queue *queue, const char *type, int64_t attempt, eas_err *err)
{
  if (attempt <= 0) return eas_fail(err, EAS_EINVAL, "queue: %lld is no attempt", (long long)attempt);
  eas_amqp_post_add(of(queue), type, attempt);
  return 0;
}

static int flush(eas_queue *queue, eas_err *err)
{
  amqp_queue *q = of(queue);
  (void)err;
  eas_amqp_post_send(q);
  eas_amqp_arm(q);
  return 0;
}

static int wait_confirmed(eas_queue *queue, int64_t timeout_us, eas_err *err)
{
  amqp_queue *q = of(queue);
  int64_t until = eas_tick_us() + timeout_us;
  for (;;) {
    eas_amqp_post_send(q);
    eas_amqp_hear(q);
    if (q->n_posts == 0) break;
    if (!q->conn) return eas_fail(err, EAS_ECONNECT, "queue %s: the broker is away", q->place.shown);
    int64_t left = until - eas_tick_us();
    if (left <= 0)
      return eas_fail(err, EAS_ELIMIT, "queue %s: %d messages are not confirmed", q->place.shown, q->n_posts);
    struct pollfd p = { .fd = q->sock, .events = POLLIN };
    poll(&p, 1, (int)(left / 1000) + 1 < 50 ? (int)(left / 1000) + 1 : 50);
  }
  eas_amqp_arm(q);
  return 0;
}

static int fd_of(const eas_queue *queue)
{
  return ((const amqp_queue *)(const void *)queue)->epoll;
}

static int take(eas_queue *queue, eas_message *out, eas_err *err)
{
  amqp_queue *q = of(queue);
  uint64_t ticks;
  (void)err;
  if (q->n_inbox == 0) {
    int was_up = q->conn != NULL, look = 0;
    if (read(q->tick, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
      return eas_fail(err, EAS_EIO, "queue: timer: %s", strerror(errno));
    if (!was_up) look = eas_amqp_look_after(q);
    eas_amqp_hear(q);
    eas_amqp_post_send(q);
    eas_amqp_arm(q);
    if (q->n_inbox == 0) {
      if (!look && !(was_up && !q->conn)) return 0;
      *out = (eas_message){ 0 }; /* what was rung while it was away is heard by nobody */
      return 1;
    }
  }
  *out = q->inbox[0];
  memmove(q->inbox, q->inbox + 1, (size_t)--q->n_inbox * sizeof *q->inbox);
  return 1;
}

static int ack(eas_queue *queue, uint64_t receipt, eas_err *err)
{
  amqp_queue *q = of(queue);
  uint64_t tag = receipt & ((UINT64_C(1) << EAS_AMQP_AGE_SHIFT) - 1);
  (void)err;
  if (!q->conn || receipt >> EAS_AMQP_AGE_SHIFT != q->age || tag <= q->acked)
    return 0; /* the broker gave it to others */
  q->acked = tag;
  int status = amqp_basic_ack(q->conn, EAS_AMQP_CHANNEL, tag, 1);
  if (status != AMQP_STATUS_OK) eas_amqp_lost(q, amqp_error_string2(status));
  eas_amqp_arm(q);
  return 0;
}

static int pause_queue(eas_queue *queue, int paused, eas_err *err)
{
  amqp_queue *q = of(queue);
  (void)err;
  if (paused == q->paused || !q->wish.types) return 0;
  q->paused = paused;
  int status = AMQP_STATUS_OK;
  for (int i = 0; q->conn && q->wish.types[i] && status == AMQP_STATUS_OK; i++)
    status = paused ? eas_amqp_cancel(q->conn, q->wish.types[i])
                    : eas_amqp_consume(q->conn, q->place.prefix, q->wish.types[i]);
  if (q->conn && paused && status == AMQP_STATUS_OK) {
    amqp_basic_nack_t all = { .delivery_tag = 0, .multiple = 1, .requeue = 1 };
    status = amqp_send_method(q->conn, EAS_AMQP_CHANNEL, AMQP_BASIC_NACK_METHOD, &all);
  }
  if (paused) {
    q->age++;
    q->n_inbox = 0;
  }
  if (q->conn && status != AMQP_STATUS_OK) eas_amqp_lost(q, amqp_error_string2(status));
  eas_amqp_arm(q);
  return 0;
}

static int depth(eas_queue *queue, const char *type, int64_t *out, eas_err *err)
{
  amqp_queue *q = of(queue);
  if (q->conn) {
    int64_t n = eas_amqp_depth(q->conn, q->place.prefix, type);
    if (n >= 0) {
      *out = n;
      return 0;
    }
    eas_amqp_lost(q, amqp_error_string2(amqp_get_rpc_reply(q->conn).library_error));
    eas_amqp_arm(q);
  }
  return eas_fail(err, EAS_ECONNECT, "queue %s: the broker is away", q->place.shown);
}

static const eas_queue_ops ops = { .is_broker = 1,
                                   .close = close_queue,
                                   .subscribe = subscribe,
                                   .publish = publish,
                                   .flush = flush,
                                   .wait = wait_confirmed,
                                   .fd = fd_of,
                                   .take = take,
                                   .ack = ack,
                                   .pause = pause_queue,
                                   .depth = depth };

static int open_fds(amqp_queue *q, eas_err *err)
{
  q->epoll = epoll_create1(EPOLL_CLOEXEC);
  q->tick = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  q->dialled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event e = { .events = EPOLLIN };
  if (q->epoll < 0 || q->tick < 0 || q->dialled < 0 || epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->tick, &e) < 0 ||
      epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->dialled, &e) < 0)
    return eas_fail(err, EAS_EIO, "queue: %s", strerror(errno));
  return 0;
}

int eas_queue_open_amqp(eas_queue **out, const char *url, eas_err *err)
{
  amqp_queue *q = eas_alloc(sizeof *q);
  *q = (amqp_queue){ .queue = { &ops }, .sock = -1, .epoll = -1, .tick = -1, .dialled = -1, .first_tag = 1 };
  q->wish.place = &q->place;
  int rc = eas_amqp_place_parse(&q->place, url, err);
  amqp_connection_state_t conn = NULL;
  if (rc == 0) rc = open_fds(q, err);
  if (rc == 0) rc = eas_amqp_link_open(&q->wish, &conn, err);
  if (rc < 0) {
    close_queue(&q->queue);
    return rc;
  }
  eas_amqp_adopt(q, conn);
  eas_amqp_arm(q);
  *out = &q->queue;
  return 0;
}
