/* lanes.c: an object store is far: inputs are fetched before an attempt starts, products brought away before it is
 * committed, each by a thread beside the loop. While the server is away, both wait and are tried again: a lease is renewed
 * all the same, and nothing is lost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/inner.h"

enum { AGAIN_US = 1000 * 1000 };

typedef struct {
  struct eas_lanes *all;
  pthread_t thread;
  int on;
  eas_running *first, **tail;
} lane;

struct eas_lanes {
  eas_worker *w;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  lane fetch, bring;
  eas_running *done; /* back from the threads */
  int stop, fd;
  eas_running *held; /* the loop's: to be given again */
  int64_t timer;
  eas_run_list fetching; /* the loop's: claimed, their inputs not at hand; held ones too */
};

static void give(struct eas_lanes *l, lane *to, eas_running *r)
{
  pthread_mutex_lock(&l->lock);
  r->next = NULL;
  *to->tail = r;
  to->tail = &r->next;
  pthread_cond_broadcast(&l->wake);
  pthread_mutex_unlock(&l->lock);
}

static void keep_pins(eas_running *r, const int *pins, int n)
{
  r->pins = eas_realloc(r->pins, (size_t)(r->n_pins + n + 1) * sizeof *r->pins);
  memcpy(r->pins + r->n_pins, pins, (size_t)n * sizeof *pins);
  r->n_pins += n;
}

void eas_running_pin(eas_running *r, const eas_digest *d)
{
  int pin;
  if (eas_store_fetch(r->w->o.store, d, 1, &pin, NULL) == 0 && pin >= 0) keep_pins(r, &pin, 1);
}

/* All inputs of some attempts at once. */
static int fetch_all(eas_running *const *list, int n, eas_err *err)
{
  int k = 0, at = 0;
  for (int i = 0; i < n; i++) k += list[i]->claim.n_inputs;
  eas_digest *digests = eas_alloc(((size_t)k + 1) * sizeof *digests);
  int *pins = eas_alloc(((size_t)k + 1) * sizeof *pins);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < list[i]->claim.n_inputs; j++) digests[at++] = list[i]->claim.inputs[j].digest;
  int rc = eas_store_fetch(list[0]->w->o.store, digests, k, pins, err);
  at = 0;
  for (int i = 0; i < n && rc == 0; at += list[i++]->claim.n_inputs)
    keep_pins(list[i], pins + at, list[i]->claim.n_inputs);
  free(digests);
  free(pins);
  return rc;
}

static void note(eas_running *r, int rc, const eas_err *err)
{
  r->transfer_rc = rc;
  free(r->transfer_error);
  r->transfer_error = rc < 0 ? eas_strdup(err->text) : NULL;
}

static void fetch_group(eas_running *group)
{
  eas_run_list l = { 0 };
  eas_err err = { 0 };
  for (eas_running *r = group; r; r = r->next) eas_list_add(&l, r);
  int rc = fetch_all(l.list, l.n, &err);
  for (int i = 0; i < l.n; i++) {
    int own = rc;
    if (rc < 0 && rc != EAS_ECONNECT && rc != EAS_EINTR && l.n > 1)
      own = fetch_all(&l.list[i], 1, &err); /* whose is it? */
    note(l.list[i], own, &err);
  }
  free(l.list);
}

static void bring_group(eas_running *group)
{
  eas_err err = { 0 };
  int rc = eas_store_flush(group->w->o.store, &err);
  for (eas_running *r = group; r; r = r->next) note(r, rc, &err);
}

static void *lane_thread(void *arg)
{
  lane *own = arg;
  struct eas_lanes *l = own->all;
  pthread_mutex_lock(&l->lock);
  for (;;) {
    while (!own->first && !l->stop) pthread_cond_wait(&l->wake, &l->lock);
    if (l->stop) break;
    eas_running *group = own->first;
    own->first = NULL;
    own->tail = &own->first;
    pthread_mutex_unlock(&l->lock);
    if (own == &l->fetch)
      fetch_group(group);
    else
      bring_group(group);
    pthread_mutex_lock(&l->lock);
    eas_running **end = &group;
    while (*end) end = &(*end)->next;
    *end = l->done;
    l->done = group;
    uint64_t one = 1;
    if (write(l->fd, &one, sizeof one) < 0) continue; /* full counter: the loop is awake anyway */
  }
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

static int passes_by(int rc)
{
  return rc == EAS_ECONNECT || rc == EAS_EINTR || rc == EAS_ENOSPC || rc == EAS_ENOMEM || rc == EAS_EIO;
}

static void on_again(void *arg)
{
  struct eas_lanes *l = arg;
  eas_running *list = l->held;
  l->timer = 0;
  l->held = NULL;
  while (list) {
    eas_running *r = list;
    list = r->next;
    give(l, r->is_fetching ? &l->fetch : &l->bring, r);
  }
}

static void hold(struct eas_lanes *l, eas_running *r)
{
  eas_err err = { 0 };
  snprintf(err.text, sizeof err.text, "%s", r->transfer_error);
  eas_worker_warn(l->w, r->is_fetching ? "fetch inputs" : "store products", &err, "; kept and tried again");
  r->next = l->held;
  l->held = r;
  if (!l->timer) l->timer = eas_loop_after(l->w->o.loop, AGAIN_US, on_again, l);
}

static void fetched(struct eas_lanes *l, eas_running *r)
{
  if (!r->dropped && r->transfer_rc < 0 && passes_by(r->transfer_rc)) {
    hold(l, r);
    return;
  }
  eas_list_remove(&l->fetching, r);
  r->is_fetching = 0;
  if (r->dropped) {
    eas_running_free(r);
    return;
  }
  r->fetched = 1;
  eas_worker_wait(l->w, r);
}

static void brought(struct eas_lanes *l, eas_running *r)
{
  if (!r->dropped && !l->w->killed && r->transfer_rc < 0) {
    hold(l, r);
    return;
  }
  r->brought = 1;
  eas_worker_finished(r);
}

static void on_done(void *arg, int fd, uint32_t events)
{
  struct eas_lanes *l = arg;
  uint64_t count;
  (void)events;
  if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN) return;
  pthread_mutex_lock(&l->lock);
  eas_running *list = l->done;
  l->done = NULL;
  pthread_mutex_unlock(&l->lock);
  while (list) {
    eas_running *r = list;
    list = r->next;
    r->next = NULL;
    if (r->is_fetching)
      fetched(l, r);
    else
      brought(l, r);
  }
  eas_worker_look(l->w);
}

int eas_lanes_fetch(eas_running *r)
{
  struct eas_lanes *l = r->w->lanes;
  if (!l || r->fetched || r->claim.n_inputs == 0) return 0;
  r->is_fetching = 1;
  eas_list_add(&l->fetching, r);
  give(l, &l->fetch, r);
  return 1;
}

int eas_lanes_bring(eas_running *r)
{
  struct eas_lanes *l = r->w->lanes;
  int n = r->log_sealed;
  if (!l || r->brought || r->dropped || r->reused) return 0;
  for (int i = 0; i < r->n_made; i++) n += r->made[i].stored;
  if (n == 0) return 0;
  give(l, &l->bring, r);
  return 1;
}

const eas_run_list *eas_lanes_fetching(const eas_worker *w)
{
  static const eas_run_list none;
  return w->lanes ? &w->lanes->fetching : &none;
}

static int start(struct eas_lanes *l, lane *one, eas_err *err)
{
  one->all = l;
  one->tail = &one->first;
  if (pthread_create(&one->thread, NULL, lane_thread, one) != 0)
    return eas_fail(err, EAS_ENOMEM, "start a thread for the object store: %s", strerror(errno));
  one->on = 1;
  return 0;
}

int eas_lanes_open(eas_worker *w, eas_err *err)
{
  if (!eas_store_is_remote(w->o.store)) return 0;
  struct eas_lanes *l = w->lanes = eas_alloc(sizeof *l);
  l->w = w;
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->wake, NULL);
  l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (l->fd < 0) return eas_fail(err, EAS_EIO, "eventfd: %s", strerror(errno));
  int rc = start(l, &l->fetch, err);
  if (rc == 0) rc = start(l, &l->bring, err);
  return rc < 0 ? rc : eas_loop_watch(w->o.loop, l->fd, EPOLLIN, on_done, l, err);
}

void eas_lanes_close(eas_worker *w)
{
  struct eas_lanes *l = w->lanes;
  if (!l) return;
  eas_store_stop(w->o.store);
  pthread_mutex_lock(&l->lock);
  l->stop = 1;
  pthread_cond_broadcast(&l->wake);
  pthread_mutex_unlock(&l->lock);
  if (l->fetch.on) pthread_join(l->fetch.thread, NULL);
  if (l->bring.on) pthread_join(l->bring.thread, NULL);
  if (l->fd >= 0) {
    eas_loop_unwatch(w->o.loop, l->fd);
    close(l->fd);
  }
  eas_loop_cancel(w->o.loop, l->timer);
  pthread_mutex_destroy(&l->lock);
  pthread_cond_destroy(&l->wake);
  free(l->fetching.list);
  free(l);
  w->lanes = NULL;
}
