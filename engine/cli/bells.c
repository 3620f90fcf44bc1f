/* bells.c: see bells.h. */
#include "cli/bells.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/born.h"

enum {
  HEARD_MAX = 256,
  SECOND_US = 1000 * 1000,
  AGAIN_US = 2500 * 1000, /* how often control looks for what nobody heard of */
  OVERDUE_US = 5000 * 1000,
  AGAIN_MOST = 32, /* attempts of a job that ring again at a time */
  ONCE_US = 2000 * 1000
};

struct eas_bells {
  eas_session *s;
  eas_queue *bell; /* the database's, beside a broker: only control and people hear it */
  uint64_t receipt;
  int64_t heard_at; /* claims of the worker when the last message came */
  int64_t full_since;
  int paused;
  int64_t second, again, publish; /* timers */
};

static void look(eas_session *s)
{
  if (s->worker) eas_worker_look(s->worker);
  if (s->control) eas_control_look(s->control);
}

static void on_bell(void *arg, int fd, uint32_t events)
{
  struct eas_bells *b = arg;
  eas_session *s = b->s;
  eas_message m;
  (void)fd;
  (void)events;
  for (int i = 0; i < HEARD_MAX && eas_queue_take(b->bell ? b->bell : s->queue, &m, NULL) == 1; i++)
    ;
  look(s);
  if (s->worker) eas_worker_cancel_check(s->worker);
  if (s->on_change) s->on_change(s->arg);
}

/* --- a broker's messages --- */

/* A claim since the message came: its attempt is taken, or somebody else's, or this worker will look again when it can. */
static void acknowledge(struct eas_bells *b)
{
  eas_worker_status st;
  if (!b->receipt) return;
  eas_worker_status_get(b->s->worker, &st);
  if (st.tally->claims == b->heard_at) return;
  eas_queue_ack(b->s->queue, b->receipt, NULL);
  b->receipt = 0;
}

static void on_claimed(void *arg)
{
  acknowledge(arg);
}

static void on_message(void *arg, int fd, uint32_t events)
{
  struct eas_bells *b = arg;
  eas_session *s = b->s;
  eas_message m;
  eas_err err = { 0 };
  int n = 0, rc = 0;
  (void)fd;
  (void)events;
  while (n < HEARD_MAX && (rc = eas_queue_take(s->queue, &m, &err)) == 1) {
    if (m.receipt) b->receipt = m.receipt;
    n++;
  }
  if (rc < 0) eas_log(EAS_WARN, "%s", err.text);
  if (n == 0 || !s->worker) return;
  eas_worker_status st;
  eas_worker_status_get(s->worker, &st);
  b->heard_at = st.tally->claims;
  eas_worker_look(s->worker);
  eas_loop_defer(s->loop, on_claimed, b); /* after the claim, which the look has deferred before */
}

/* A worker whose slots are taken for long leaves the messages to others: long tasks never hold one. */
static void on_second(void *arg)
{
  struct eas_bells *b = arg;
  eas_worker_status st;
  eas_worker_status_get(b->s->worker, &st);
  acknowledge(b);
  int full = st.busy >= st.slots || st.draining;
  if (!full) b->full_since = 0;
  if (full && !b->full_since) b->full_since = eas_tick_us();
  if (full && !b->paused && (st.draining || eas_tick_us() - b->full_since >= SECOND_US)) {
    b->paused = 1;
    b->receipt = 0;
    eas_queue_pause(b->s->queue, 1, NULL);
  } else if (!full && b->paused) {
    b->paused = 0;
    eas_queue_pause(b->s->queue, 0, NULL);
  }
  eas_bells_published(b->s);
  b->second = eas_loop_after(b->s->loop, SECOND_US, on_second, b);
}

/* --- publishing --- */

static int publish(eas_queue *q, const eas_born *list, int n, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < n && rc >= 0; i++) rc = eas_queue_publish(q, list[i].type, list[i].attempt, err);
  return rc < 0 ? rc : eas_queue_flush(q, err);
}

static void on_publish(void *arg)
{
  struct eas_bells *b = arg;
  eas_born *list = NULL;
  eas_err err = { 0 };
  b->publish = 0;
  int rc = eas_born_take(b->s->c->db, &list, &err);
  if (rc > 0) rc = publish(b->s->queue, list, rc, &err);
  if (rc < 0)
    eas_log(EAS_DEBUG, "publish: %s", err.text); /* the database is away: others say so; control rings again */
  free(list);
}

/* The claim of this turn comes first: what this process takes itself rings nobody. */
void eas_bells_published(eas_session *s)
{
  struct eas_bells *b = s->bells;
  if (b && s->worker) acknowledge(b);
  if (!b || b->publish || !eas_queue_is_broker(s->queue) || !eas_born_any(s->c->db)) return;
  b->publish = eas_loop_after(s->loop, 0, on_publish, b);
}

/* Types whose oldest attempts wait too long although nothing rings for them. */
static int ring_again(struct eas_bells *b, eas_err *err)
{
  eas_born *list = NULL;
  int n = eas_born_overdue(b->s->c->db, OVERDUE_US, AGAIN_MOST, &list, err), rc = n, rung = 0;
  for (int i = 0; i < n && rc >= 0;) {
    int end = i;
    int64_t there = 0;
    while (end < n && strcmp(list[end].type, list[i].type) == 0) end++;
    rc = eas_queue_depth(b->s->queue, list[i].type, &there, err);
    if (rc >= 0 && there == 0) {
      rc = publish(b->s->queue, list + i, end - i, err);
      rung += end - i;
    }
    i = end;
  }
  if (rung) eas_log(EAS_DEBUG, "rang again for %d attempts that nobody heard of", rung);
  free(list);
  return rc;
}

static void on_again(void *arg)
{
  struct eas_bells *b = arg;
  eas_err err = { 0 };
  if (ring_again(b, &err) < 0) eas_log(EAS_DEBUG, "ring again: %s", err.text);
  b->again = eas_loop_after(b->s->loop, AGAIN_US, on_again, b);
}

/* --- opening --- */

static int open_broker(struct eas_bells *b, int roles, eas_err *err)
{
  eas_session *s = b->s;
  int rc = 0;
  eas_born_watch(s->c->db);
  if (roles & EAS_ROLE_WORKER) {
    rc = eas_queue_subscribe(s->queue, s->types, 2 * (int)eas_conf_int(s->c->conf, "slots"), err);
    b->second = eas_loop_after(s->loop, SECOND_US, on_second, b);
  }
  if (rc >= 0) rc = eas_loop_watch(s->loop, eas_queue_fd(s->queue), EPOLLIN, on_message, b, err);
  if (rc >= 0 && (roles & EAS_ROLE_CONTROL)) {
    rc = eas_queue_open(&b->bell, "sql:", s->c->db, err);
    b->again = eas_loop_after(s->loop, AGAIN_US, on_again, b);
  }
  return rc;
}

int eas_bells_open(eas_session *s, int roles, eas_err *err)
{
  struct eas_bells *b = s->bells = eas_alloc(sizeof *b);
  b->s = s;
  /* who holds the data folder is alone, and rings for nobody */
  const char *url = s->lock_fd >= 0 ? "sql:" : eas_conf_str(s->c->conf, "queue");
  int rc = eas_queue_open(&s->queue, url, s->c->db, err);
  if (rc < 0) return rc;
  const eas_queue *bell = s->queue;
  if (eas_queue_is_broker(s->queue)) {
    rc = open_broker(b, roles, err);
    bell = b->bell;
  }
  if (rc >= 0 && bell && eas_queue_fd(bell) >= 0)
    rc = eas_loop_watch(s->loop, eas_queue_fd(bell), EPOLLIN, on_bell, b, err);
  return rc;
}

void eas_bells_close(eas_session *s)
{
  struct eas_bells *b = s->bells;
  if (!b) return;
  int64_t timers[] = { b->second, b->again, b->publish };
  for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) eas_loop_cancel(s->loop, timers[i]);
  if (s->queue && eas_queue_is_broker(s->queue) && eas_born_any(s->c->db)) on_publish(b); /* what was handed back */
  const eas_queue *queues[] = { b->bell, s->queue };
  for (int i = 0; i < 2; i++)
    if (queues[i] && eas_queue_fd(queues[i]) >= 0) eas_loop_unwatch(s->loop, eas_queue_fd(queues[i]));
  eas_queue_close(b->bell);
  eas_queue_close(s->queue);
  free(b);
  s->queue = NULL;
  s->bells = NULL;
}

void eas_bells_once(eas_cli *c)
{
  eas_queue *q = NULL;
  eas_born *list = NULL;
  eas_err err = { 0 };
  if (!eas_born_any(c->db)) return;
  int n = eas_born_take(c->db, &list, &err), rc = n;
  if (n > 0) rc = eas_queue_open(&q, eas_conf_str(c->conf, "queue"), c->db, &err);
  if (rc > 0 || (rc == 0 && q)) rc = publish(q, list, n, &err);
  if (rc >= 0 && q) rc = eas_queue_wait(q, ONCE_US, &err);
  if (rc < 0) eas_log(EAS_WARN, "%s; control rings within some seconds", err.text);
  eas_queue_close(q);
  free(list);
}
