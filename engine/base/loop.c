/* loop.c: epoll with a heap of timers as its time-out, one signalfd. */
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

typedef struct {
  eas_loop_fd_fn *fn; /* NULL: not watched */
  void *arg;
  uint32_t serial; /* an event of an earlier watch of the same number is dropped */
  int resting;     /* the kernel still watches it */
} watch;

typedef struct {
  int64_t due; /* eas_tick_us */
  int64_t id;
  eas_loop_fn *fn;
  void *arg;
} timer;

typedef struct {
  eas_loop_fn *fn;
  void *arg;
} deferred;

struct eas_loop {
  int epoll, signals, stopped;
  watch *watches;
  size_t n_watches;
  uint32_t serial;
  timer *heap; /* smallest (due, id) first, so that equal times keep their order */
  size_t n_timers, cap_timers;
  int64_t last_id;
  deferred *later;
  size_t n_later, cap_later;
  eas_loop_signal_fn *signal_fn;
  void *signal_arg;
};

static void take_signals(void *arg, int fd, uint32_t events);

int eas_loop_new(eas_loop **out, eas_err *err)
{
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return eas_fail(err, EAS_EIO, "event loop: %s", strerror(errno));
  eas_loop *l = eas_alloc(sizeof *l);
  l->epoll = fd;
  l->signals = -1;
  *out = l;
  return 0;
}

void eas_loop_free(eas_loop *l)
{
  if (!l) return;
  if (l->signals >= 0) close(l->signals);
  close(l->epoll);
  free(l->watches);
  free(l->heap);
  free(l->later);
  free(l);
}

int eas_loop_watch(eas_loop *l, int fd, uint32_t events, eas_loop_fd_fn *fn, void *arg, eas_err *err)
{
  if (fd < 0) return eas_fail(err, EAS_EINVAL, "event loop: watch of descriptor %d", fd);
  size_t at = (size_t)fd;
  if (at >= l->n_watches) {
    size_t n = (at + 16) * 2;
    l->watches = eas_realloc(l->watches, n * sizeof *l->watches);
    memset(l->watches + l->n_watches, 0, (n - l->n_watches) * sizeof *l->watches);
    l->n_watches = n;
  }
  if (l->watches[at].resting) {
    l->watches[at] = (watch){ fn, arg, l->watches[at].serial, 0 };
    return 0;
  }
  uint32_t serial = ++l->serial;
  struct epoll_event e = { .events = events, .data.u64 = (uint64_t)serial << 32 | (uint32_t)fd };
  if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
    return eas_fail(err, EAS_EIO, "event loop: watch of descriptor %d: %s", fd, strerror(errno));
  l->watches[at] = (watch){ fn, arg, serial, 0 };
  return 0;
}

static watch *find_watch(eas_loop *l, int fd)
{
  if (fd < 0 || (size_t)fd >= l->n_watches || !l->watches[fd].fn) return NULL;
  return &l->watches[fd];
}

int eas_loop_change(eas_loop *l, int fd, uint32_t events)
{
  watch *w = find_watch(l, fd);
  if (!w) return EAS_ENOENT;
  struct epoll_event e = { .events = events, .data.u64 = (uint64_t)w->serial << 32 | (uint32_t)fd };
  return epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &e) < 0 ? EAS_EIO : 0;
}

void eas_loop_unwatch(eas_loop *l, int fd)
{
  if (fd < 0 || (size_t)fd >= l->n_watches) return;
  watch *w = &l->watches[fd];
  if (w->fn || w->resting) epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
  w->fn = NULL;
  w->resting = 0;
}

void eas_loop_rest(eas_loop *l, int fd)
{
  watch *w = find_watch(l, fd);
  if (!w) return;
  w->fn = NULL;
  w->resting = 1;
}

static int earlier(const timer *a, const timer *b)
{
  return a->due != b->due ? a->due < b->due : a->id < b->id;
}

static void sift_up(timer *heap, size_t i)
{
  timer t = heap[i];
  for (; i > 0 && earlier(&t, &heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
  heap[i] = t;
}

static void sift_down(timer *heap, size_t n, size_t i)
{
  timer t = heap[i];
  for (size_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && earlier(&heap[child + 1], &heap[child])) child++;
    if (!earlier(&heap[child], &t)) break;
    heap[i] = heap[child];
  }
  heap[i] = t;
}

static void remove_timer(eas_loop *l, size_t i)
{
  l->n_timers--;
  if (i == l->n_timers) return;
  l->heap[i] = l->heap[l->n_timers];
  sift_up(l->heap, i);
  sift_down(l->heap, l->n_timers, i);
}

int64_t eas_loop_after(eas_loop *l, int64_t delay_us, eas_loop_fn *fn, void *arg)
{
  if (l->n_timers == l->cap_timers) {
    l->cap_timers = l->cap_timers ? l->cap_timers * 2 : 32;
    l->heap = eas_realloc(l->heap, l->cap_timers * sizeof *l->heap);
  }
  int64_t now = eas_tick_us();
  int64_t due = delay_us <= 0 ? now : delay_us > INT64_MAX - now ? INT64_MAX : now + delay_us;
  l->heap[l->n_timers] = (timer){ due, ++l->last_id, fn, arg };
  sift_up(l->heap, l->n_timers++);
  return l->last_id;
}

void eas_loop_cancel(eas_loop *l, int64_t id)
{
  if (id <= 0) return;
  for (size_t i = 0; i < l->n_timers; i++)
    if (l->heap[i].id == id) {
      remove_timer(l, i);
      return;
    }
}

void eas_loop_defer(eas_loop *l, eas_loop_fn *fn, void *arg)
{
  if (l->n_later == l->cap_later) {
    l->cap_later = l->cap_later ? l->cap_later * 2 : 16;
    l->later = eas_realloc(l->later, l->cap_later * sizeof *l->later);
  }
  l->later[l->n_later++] = (deferred){ fn, arg };
}

int eas_loop_signals(eas_loop *l, const int *signos, int n, eas_loop_signal_fn *fn, void *arg, eas_err *err)
{
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < n; i++) sigaddset(&set, signos[i]);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return eas_fail(err, EAS_EIO, "block signals: %s", strerror(errno));
  int fd = signalfd(l->signals, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return eas_fail(err, EAS_EIO, "signalfd: %s", strerror(errno));
  l->signal_fn = fn;
  l->signal_arg = arg;
  if (l->signals >= 0) return 0; /* the same descriptor with a new set */
  l->signals = fd;
  return eas_loop_watch(l, fd, EPOLLIN, take_signals, l, err);
}

static void take_signals(void *arg, int fd, uint32_t events)
{
  (void)events;
  eas_loop *l = arg;
  struct signalfd_siginfo info;
  while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) l->signal_fn(l->signal_arg, (int)info.ssi_signo);
}

/* Only timers that were set before this turn: one that sets itself anew at 0 starves nobody. */
static void fire_timers(eas_loop *l)
{
  int64_t now = eas_tick_us(), newest = l->last_id;
  while (l->n_timers > 0 && l->heap[0].due <= now && l->heap[0].id <= newest) {
    timer t = l->heap[0];
    remove_timer(l, 0);
    t.fn(t.arg);
  }
}

static void run_deferred(eas_loop *l)
{
  for (size_t i = 0; i < l->n_later; i++) { /* handlers may add more: they run too */
    deferred d = l->later[i];
    d.fn(d.arg);
  }
  l->n_later = 0;
}

/* How long this turn may sleep; -1: until something happens. */
static int64_t wait_us(const eas_loop *l, int64_t timeout_us)
{
  if (l->n_later > 0) return 0;
  int64_t wait = timeout_us;
  if (l->n_timers > 0) {
    int64_t left = l->heap[0].due - eas_tick_us();
    if (left < 0) left = 0;
    if (wait < 0 || left < wait) wait = left;
  }
  return wait;
}

/* Microseconds where the kernel has epoll_pwait2 (5.11), else rounded up to milliseconds. */
static int wait_events(int fd, struct epoll_event *events, int max, int64_t wait)
{
  static int coarse;
  if (wait > 3600000000) wait = 3600000000;
  if (!coarse) {
    struct timespec ts = { .tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000 };
    int n = epoll_pwait2(fd, events, max, wait < 0 ? NULL : &ts, NULL);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
    coarse = 1;
  }
  return epoll_wait(fd, events, max, wait < 0 ? -1 : (int)((wait + 999) / 1000));
}

int eas_loop_turn(eas_loop *l, int64_t timeout_us, eas_err *err)
{
  struct epoll_event events[64];
  int n = wait_events(l->epoll, events, 64, wait_us(l, timeout_us));
  if (n < 0 && errno != EINTR) return eas_fail(err, EAS_EIO, "event loop: wait: %s", strerror(errno));
  for (int i = 0; i < n; i++) {
    int fd = (int)(uint32_t)events[i].data.u64;
    watch *w = find_watch(l, fd);
    if (w && w->serial == (uint32_t)(events[i].data.u64 >> 32)) w->fn(w->arg, fd, events[i].events);
  }
  fire_timers(l);
  run_deferred(l);
  return 0;
}

int eas_loop_run(eas_loop *l, eas_err *err)
{
  int rc = 0;
  while (!l->stopped && rc == 0) rc = eas_loop_turn(l, -1, err);
  l->stopped = 0;
  return rc;
}

void eas_loop_stop(eas_loop *l)
{
  l->stopped = 1;
}
