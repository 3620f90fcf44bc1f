/* cmd_top.c: eas top: the dashboard's overview in a terminal, drawn anew each second. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/top.h"

enum { EACH_US = 1000 * 1000, RATE_US = 10 * 1000 * 1000 };

typedef struct {
  eas_cli *c;
  eas_loop *loop;
  eas_top top;
  int at, frozen;
  int64_t ended_before, at_us; /* for the rate */
  double per_second;
  struct termios kept;
} terminal;

/* Attempts that ended, over the jobs shown, against those of some seconds ago. */
static void measure(terminal *t)
{
  size_t i;
  json_t *j;
  int64_t ended = 0, now = eas_tick_us();
  static const char *const done[] = { "passed", "reused", "failed", "skipped", "cancelled" };
  json_array_foreach(json_object_get(t->top.jobs, "items"), i, j) for (int k = 0; k < 5; k++) ended +=
      eas_json_int(j, done[k], 0);
  if (!t->at_us || ended < t->ended_before) {
    t->ended_before = ended;
    t->at_us = now;
  } else if (now - t->at_us >= EACH_US / 2) {
    t->per_second = (double)(ended - t->ended_before) / ((double)(now - t->at_us) / 1e6);
    if (now - t->at_us >= RATE_US) {
      t->ended_before = ended;
      t->at_us = now;
    }
  }
}

static void draw(terminal *t)
{
  struct winsize size = { .ws_row = 24, .ws_col = 80 };
  eas_buf b, rows;
  eas_err err = { 0 };
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  eas_buf_init(&b);
  eas_buf_init(&rows);
  int rc = t->frozen ? 0 : eas_top_look(&t->top, t->c->db, t->at, &err);
  measure(t);
  t->top.per_second = t->at_us ? t->per_second : -1;
  if (rc >= 0) eas_top_draw(&t->top, t->c, t->at, size.ws_col, size.ws_row - 2, &rows);
  eas_buf_str(&b, "\033[H");
  for (const char *p = rows.data ? rows.data : ""; *p;) { /* each line is cleared behind its end: nothing flickers */
    size_t n = strcspn(p, "\n");
    eas_buf_add(&b, p, n);
    eas_buf_str(&b, "\033[K\r\n");
    p += n + (p[n] == '\n');
  }
  if (rc < 0) eas_buf_printf(&b, "%s\033[K\r\n", err.text);
  eas_buf_printf(&b, "\033[J\033[%d;1H%s%s%s\033[K", size.ws_row, eas_ink(t->c, EAS_DIM),
                 t->frozen ? "frozen   space goes on   q quits" : "up and down choose a job   space freezes   q quits",
                 eas_ink_off(t->c));
  for (size_t at = 0; at < b.len;) {
    ssize_t n = write(STDOUT_FILENO, b.data + at, b.len - at);
    if (n <= 0) break;
    at += (size_t)n;
  }
  eas_buf_done(&rows);
  eas_buf_done(&b);
}

static void on_tick(void *arg)
{
  terminal *t = arg;
  draw(t);
  eas_loop_after(t->loop, EACH_US, on_tick, t);
}

static void move(terminal *t, int by)
{
  int n = (int)json_array_size(json_object_get(t->top.jobs, "items"));
  t->at += by;
  if (t->at >= n) t->at = n - 1;
  if (t->at < 0) t->at = 0;
}

static void on_key(void *arg, int fd, uint32_t events)
{
  terminal *t = arg;
  char keys[32];
  (void)events;
  ssize_t n = read(fd, keys, sizeof keys - 1);
  if (n <= 0) {
    eas_loop_stop(t->loop);
    return;
  }
  keys[n] = 0;
  if (strchr(keys, 'q') || strchr(keys, 3)) eas_loop_stop(t->loop);
  if (strchr(keys, ' ')) t->frozen = !t->frozen;
  if (strstr(keys, "\033[A") || strchr(keys, 'k')) move(t, -1);
  if (strstr(keys, "\033[B") || strchr(keys, 'j')) move(t, 1);
  draw(t);
}

static void on_signal(void *arg, int signo)
{
  terminal *t = arg;
  if (signo == SIGWINCH)
    draw(t);
  else
    eas_loop_stop(t->loop);
}

static int watch(terminal *t, eas_err *err)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
  int rc = eas_loop_new(&t->loop, err);
  if (rc >= 0) rc = eas_loop_signals(t->loop, signals, 4, on_signal, t, err);
  if (rc >= 0) rc = eas_loop_watch(t->loop, STDIN_FILENO, EPOLLIN, on_key, t, err);
  if (rc < 0) return rc;
  struct termios raw = t->kept;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  if (write(STDOUT_FILENO, "\033[?1049h\033[?25l", 14) < 0) return eas_fail(err, EAS_EIO, "the terminal takes nothing");
  on_tick(t);
  rc = eas_loop_run(t->loop, err);
  ssize_t n = write(STDOUT_FILENO, "\033[?25h\033[?1049l", 14);
  (void)n; /* a terminal that is gone needs nothing put back */
  tcsetattr(STDIN_FILENO, TCSANOW, &t->kept);
  return rc;
}

static int once(terminal *t, eas_err *err)
{
  eas_buf b;
  int rc = eas_top_look(&t->top, t->c->db, 0, err);
  if (rc < 0) return rc;
  if (t->c->json) {
    json_t *v = json_pack("{s:O,s:O?,s:O,s:O,s:O?}", "jobs", json_object_get(t->top.jobs, "items"), "job", t->top.job,
                          "workers", t->top.workers, "running", t->top.running, "failures", t->top.failures);
    return eas_print_json(v);
  }
  eas_buf_init(&b);
  t->top.per_second = -1;
  eas_top_draw(&t->top, t->c, 0, t->c->width, 0, &b);
  fputs(b.data, stdout);
  eas_buf_done(&b);
  return 0;
}

static int cmd_top(eas_cli *c)
{
  terminal t = { .c = c, .per_second = -1 };
  eas_err err = { 0 };
  int rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  int live = !c->json && !eas_cli_has(c, "--once") && c->tty && tcgetattr(STDIN_FILENO, &t.kept) == 0;
  if (rc >= 0) rc = live ? watch(&t, &err) : once(&t, &err);
  eas_top_done(&t.top);
  eas_loop_free(t.loop);
  return rc < 0 ? eas_cli_fail(c, &err) : EAS_EXIT_OK;
}

static const eas_option TOP[] = { { "--once", NULL, NULL, "print what is there now, and end" }, { 0 } };

const eas_command eas_cmd_top = {
  .name = "top",
  .args = "",
  .summary = "jobs, workers, what runs and what failed, live in a terminal",
  .detail = "Up and down choose a job, space freezes, q quits. Where stdout is no terminal it prints one picture.",
  .examples = "  eas top\n  eas top --once",
  .groups = EAS_O_DATA | EAS_O_JSON,
  .options = TOP,
  .max_args = 0,
  .run = cmd_top
};
