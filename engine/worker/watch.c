/* watch.c: one process of an attempt: its pipes, its pidfd, its deadlines. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/inner.h"

enum { SOFT_TO_HARD_US = 500 * 1000, HARD_TO_KILL_US = 350 * 1000, READS_A_TURN = 16 };

static void on_timer(void *arg);

static void signal_child(const eas_running *r, int signo)
{
  if (r->p.alive) syscall(SYS_pidfd_send_signal, r->p.child.pidfd, signo, NULL, 0);
}

static void arm(eas_running *r, int64_t us)
{
  eas_loop_cancel(r->w->o.loop, r->p.timer);
  r->p.timer = eas_loop_after(r->w->o.loop, us, on_timer, r);
}

/* Soft: the Lua traceback is asked for. Hard: a handler walks the stack. Then SIGKILL. */
static void on_timer(void *arg)
{
  eas_running *r = arg;
  r->p.timer = 0;
  if (!r->p.alive) return;
  if (!r->p.stop_cause) r->p.stop_cause = "timeout";
  if (r->p.child.page) r->p.child.page->cancel = 1;
  r->p.asked++;
  if (r->p.asked == 1) {
    signal_child(r, SIGUSR1);
    arm(r, SOFT_TO_HARD_US);
  } else if (r->p.asked == 2) {
    signal_child(r, SIGUSR2);
    arm(r, HARD_TO_KILL_US);
  } else {
    signal_child(r, SIGKILL);
  }
}

void eas_process_stop(eas_running *r, const char *cause)
{
  if (!r->p.alive || r->p.asked) return;
  r->p.stop_cause = cause;
  on_timer(r);
}

void eas_process_kill(eas_running *r, const char *cause)
{
  if (!r->p.alive) return;
  if (!r->p.stop_cause) r->p.stop_cause = cause;
  r->p.asked = 3;
  signal_child(r, SIGKILL);
}

static void log_lines(eas_running *r, eas_buf *b, int level, int all)
{
  size_t from = 0;
  for (size_t i = 0; i < b->len; i++) {
    if (b->data[i] != '\n' && i - from < EAS_LOG_LINE_MAX) continue;
    eas_logbuf_add(&r->log, level, b->data + from, i - from);
    from = b->data[i] == '\n' ? i + 1 : i;
  }
  if (all && from < b->len) {
    eas_logbuf_add(&r->log, level, b->data + from, b->len - from);
    from = b->len;
  }
  if (from == 0) return;
  memmove(b->data, b->data + from, b->len - from);
  b->len -= from;
}

static void take_frames(eas_running *r)
{
  eas_event_head head;
  const char *payload = NULL;
  while (eas_event_next(&r->p.events, &head, &payload) == 1) eas_running_event(r, &head, payload);
}

/* Reads what is there, a bounded amount a turn. 1: more may come; 0: the end. */
static int drain(eas_running *r, int fd, int turns)
{
  static char bytes[65536];
  while (turns-- > 0) {
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return 0;
    if (fd == r->p.child.events) {
      eas_event_feed(&r->p.events, bytes, (size_t)n);
      take_frames(r);
    } else {
      int is_err = fd == r->p.child.errors;
      eas_buf *b = is_err ? &r->p.err : &r->p.out;
      eas_buf_add(b, bytes, (size_t)n);
      log_lines(r, b, is_err ? EAS_WARN : EAS_INFO, 0);
    }
    if (n < (ssize_t)sizeof bytes) return 1;
  }
  return 1;
}

static void on_pipe(void *arg, int fd, uint32_t events)
{
  eas_running *r = arg;
  (void)events;
  if (!drain(r, fd, READS_A_TURN))
    eas_loop_unwatch(r->w->o.loop, fd); /* closed by the child: that alone says nothing */
}

static void process_over(eas_running *r)
{
  eas_loop *loop = r->w->o.loop;
  eas_child *c = &r->p.child;
  const int fds[] = { c->events, c->output, c->errors };
  for (int i = 0; i < 3; i++) {
    drain(r, fds[i], 1024);
    if (!c->borrowed) eas_loop_unwatch(loop, fds[i]);
  }
  if (c->borrowed) eas_pipes_return(r->w, r->slot);
  log_lines(r, &r->p.out, EAS_INFO, 1);
  log_lines(r, &r->p.err, EAS_WARN, 1);
  eas_loop_unwatch(loop, c->pidfd);
  eas_loop_cancel(loop, r->p.timer);
  r->p.timer = 0;
  r->cpu_us += (int64_t)r->p.usage.ru_utime.tv_sec * 1000000 + r->p.usage.ru_utime.tv_usec +
               (int64_t)r->p.usage.ru_stime.tv_sec * 1000000 + r->p.usage.ru_stime.tv_usec;
  if (!r->is_qc) {
    r->peak_kb = r->p.usage.ru_maxrss;
    r->layers = c->page ? c->page->layers : 0;
    r->task_wall_us = eas_tick_us() - r->p.started_us;
  }
  if (r->group && !r->pid_ns)
    eas_slot_group_kill(r->group); /* with a pid namespace all of it died with its first process */
  if (r->is_qc)
    eas_running_qc_over(r);
  else
    eas_running_task_over(r);
}

static void on_exit_fd(void *arg, int fd, uint32_t events)
{
  eas_running *r = arg;
  (void)events;
  memset(&r->p.info, 0, sizeof r->p.info);
  /* The system call gives resource usage too, which the C library's waitid leaves out. */
  if (syscall(SYS_waitid, P_PIDFD, fd, &r->p.info, WEXITED | WNOHANG | __WALL, &r->p.usage) != 0 ||
      r->p.info.si_pid == 0) {
    if (errno != ECHILD) return;
    eas_running_log(r, EAS_WARN, "its process was waited for by somebody else");
  }
  r->p.alive = 0;
  r->p.exited = 1;
  process_over(r);
}

int eas_process_watch(eas_running *r, eas_err *err)
{
  eas_loop *loop = r->w->o.loop;
  eas_child *c = &r->p.child;
  eas_event_reader_done(&r->p.events);
  eas_event_reader_init(&r->p.events);
  r->p.alive = 1;
  r->p.exited = r->p.ended = r->p.asked = 0;
  r->p.stop_cause = NULL;
  r->p.started_us = c->started_us; /* not now: on a busy machine it may be over by now */
  memset(&r->p.usage, 0, sizeof r->p.usage);
  int rc = eas_loop_watch(loop, c->events, EPOLLIN, on_pipe, r, err);
  if (rc >= 0) rc = eas_loop_watch(loop, c->output, EPOLLIN, on_pipe, r, err);
  if (rc >= 0) rc = eas_loop_watch(loop, c->errors, EPOLLIN, on_pipe, r, err);
  if (rc >= 0) rc = eas_loop_watch(loop, c->pidfd, EPOLLIN, on_exit_fd, r, err);
  if (rc < 0) {
    eas_process_kill(r, "error");
    return rc;
  }
  arm(r, r->limits.wall_ms * 1000);
  eas_worker_tick(r->w);
  return 0;
}
