/* amqp_line.c: losing the broker and finding it again. The login is done by a thread, so that the loop waits for no name server,
 * no handshake; what it finds is taken over here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/amqp.h"

enum { BACKOFF_US = 100 * 1000, MOST_BACKOFF_US = 5000 * 1000, UNSENT_US = 20 * 1000 };

void eas_amqp_arm(amqp_queue *q)
{
  int64_t us = (int64_t)q->place.heartbeat_s * 1000000 / 4;
  if (q->conn && q->n_sent < q->n_posts && us > UNSENT_US) us = UNSENT_US;
  /* frames that came while an answer was waited for make no descriptor readable */
  if (q->conn && (q->n_inbox || amqp_frames_enqueued(q->conn) || amqp_data_in_buffer(q->conn))) us = 0;
  if (!q->conn) us = q->dialling ? MOST_BACKOFF_US : q->next_dial - eas_tick_us();
  if (us < 1000) us = 1000;
  struct itimerspec t = { .it_value = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 } };
  timerfd_settime(q->tick, 0, &t, NULL);
}

/* What the broker knew of this connection is gone; what it confirmed is not. */
static void forget(amqp_queue *q)
{
  q->age++;
  q->acked = 0;
  q->stage = 0;
  q->n_inbox = 0;
  for (int i = 0; i < q->n_known; i++) q->declared[i] = 0;
  eas_amqp_post_again(q);
}

void eas_amqp_adopt(amqp_queue *q, amqp_connection_state_t conn)
{
  q->conn = conn;
  q->sock = amqp_get_sockfd(conn);
  struct epoll_event e = { .events = EPOLLIN };
  epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->sock, &e);
  q->backoff_us = q->said = 0;
  if (q->paused && q->wish.types) { /* the login subscribed */
    q->paused = 0;
    eas_queue_pause(&q->queue, 1, NULL);
  }
}

void eas_amqp_lost(amqp_queue *q, const char *why)
{
  if (!q->conn) return;
  if (!q->said) eas_log(EAS_WARN, "queue %s: %s; looking for it, work goes on without it", q->place.shown, why);
  q->said = 1;
  epoll_ctl(q->epoll, EPOLL_CTL_DEL, q->sock, NULL);
  amqp_destroy_connection(q->conn);
  q->conn = NULL;
  q->sock = -1;
  forget(q);
  q->backoff_us = BACKOFF_US;
  q->next_dial = eas_tick_us() + q->backoff_us;
}

static void *dial(void *arg)
{
  amqp_queue *q = arg;
  uint64_t one = 1;
  if (eas_amqp_link_open(&q->wish, &q->found, &q->found_err) < 0) q->found = NULL;
  if (write(q->dialled, &one, sizeof one) < 0) eas_log(EAS_ERROR, "queue: eventfd: %s", strerror(errno));
  return NULL;
}

void eas_amqp_join(amqp_queue *q)
{
  if (!q->dialling) return;
  pthread_join(q->thread, NULL);
  q->dialling = 0;
}

static int dial_over(amqp_queue *q)
{
  uint64_t n;
  if (read(q->dialled, &n, sizeof n) != (ssize_t)sizeof n) return 0;
  eas_amqp_join(q);
  if (q->found) {
    eas_log(EAS_INFO, "queue %s: connected again", q->place.shown);
    eas_amqp_adopt(q, q->found);
    q->found = NULL;
    return 1;
  }
  eas_log(EAS_DEBUG, "%s", q->found_err.text);
  q->backoff_us = q->backoff_us * 2 > MOST_BACKOFF_US ? MOST_BACKOFF_US : q->backoff_us * 2;
  uint32_t noise; /* many workers lose the same broker at once */
  eas_random_bytes(&noise, sizeof noise);
  q->next_dial = eas_tick_us() + q->backoff_us / 2 + (int64_t)(noise % 1024) * (q->backoff_us / 2) / 1024;
  return 1;
}

int eas_amqp_look_after(amqp_queue *q)
{
  if (q->dialling) return dial_over(q);
  if (eas_tick_us() < q->next_dial) return 0;
  q->found = NULL;
  q->found_err = (eas_err){ 0 };
  int rc = pthread_create(&q->thread, NULL, dial, q);
  q->dialling = rc == 0;
  if (rc != 0) q->next_dial = eas_tick_us() + MOST_BACKOFF_US;
  return 0;
}
