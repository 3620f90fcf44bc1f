/* loop.h: a single-threaded event loop over epoll: descriptors, timers, signals, deferred calls.
 *
 * Handlers may add and remove watches and timers, their own included. Nothing here blocks
 * but eas_loop_run and eas_loop_turn. No handler may run over 5 s. */
#ifndef EAS_BASE_LOOP_H
#define EAS_BASE_LOOP_H
#ifndef EAS_CDEF
#include <stdint.h>
#include "base/err.h"
#endif

typedef struct eas_loop eas_loop;
typedef void eas_loop_fd_fn(void *arg, int fd, uint32_t events); /* EPOLLIN ... */
typedef void eas_loop_fn(void *arg);                             /* of a timer, or put off */
typedef void eas_loop_signal_fn(void *arg, int signo);           /* called within a turn, not within the signal */

int eas_loop_new(eas_loop **out, eas_err *err); /* 0 or EAS_EIO */
void eas_loop_free(eas_loop *l);                /* closes no watched fd; NULL is fine */

/* Calls fn when one of events is there; EAS_EINVAL or EAS_EIO when fd cannot be watched. fd stays the caller's. */
int eas_loop_watch(eas_loop *l, int fd, uint32_t events, eas_loop_fd_fn *fn, void *arg, eas_err *err);
int eas_loop_change(eas_loop *l, int fd, uint32_t events); /* of a watched fd */
void eas_loop_unwatch(eas_loop *l, int fd);                /* before it is closed */
/* Unwatched, but soon watched again for the same events, which costs no system call then. To be unwatched before it is closed. */
void eas_loop_rest(eas_loop *l, int fd);

/* Calls fn once, delay_us from now. Returns an id > 0 for eas_loop_cancel. */
int64_t eas_loop_after(eas_loop *l, int64_t delay_us, eas_loop_fn *fn, void *arg);
void eas_loop_cancel(eas_loop *l, int64_t id); /* 0 or fired: no effect */
/* Calls fn at the end of this turn, before sleeping. */
void eas_loop_defer(eas_loop *l, eas_loop_fn *fn, void *arg);
/* Blocks the signals (call before threads start) and delivers them here by a signalfd. */
int eas_loop_signals(eas_loop *l, const int *signos, int n, eas_loop_signal_fn *fn, void *arg, eas_err *err);

int eas_loop_turn(eas_loop *l, int64_t timeout_us, eas_err *err); /* one wait; -1: until something happens */
int eas_loop_run(eas_loop *l, eas_err *err);                      /* until eas_loop_stop */
void eas_loop_stop(eas_loop *l);                                  /* eas_loop_run returns after this turn */

#endif
