/* progress.c: see progress.h. Everything goes to stderr; log lines pass above the block. */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { DRAW_US = 100 * 1000, LINE_US = 10 * 1000 * 1000, BAR = 22 };

struct eas_progress {
  eas_session *s;
  int64_t job, started_us, timer;
  int64_t first_done; /* done when this command started: the rate counts from there */
  int lines;          /* of the block on the screen */
  int live, changed, known;
  eas_job_counts counts;
};

static void erase(eas_progress *p)
{
  if (p->lines > 0) fprintf(stderr, "\033[%dA\033[J", p->lines);
  p->lines = 0;
}

static int width(void)
{
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static double rate(const eas_progress *p)
{
  double s = (double)(eas_tick_us() - p->started_us) / 1e6;
  return s > 0.2 ? (double)(p->counts.work_done - p->first_done) / s : 0;
}

static void eta_text(const eas_progress *p, char out[32])
{
  double r = rate(p);
  int64_t left = p->counts.work_total - p->counts.work_done;
  if (r <= 0) {
    snprintf(out, 32, "-");
    return;
  }
  int64_t s = (int64_t)((double)left / r + 0.5);
  if (s >= 3600)
    snprintf(out, 32, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
  else
    snprintf(out, 32, "%" PRId64 ":%02d", s / 60, (int)(s % 60));
}

static void bar(const eas_progress *p, eas_buf *b)
{
  const eas_cli *c = p->s->c;
  double part = p->counts.work_total ? (double)p->counts.work_done / (double)p->counts.work_total : 0;
  int halves = (int)(part * BAR * 2 + 0.5);
  eas_buf_str(b, eas_ink(c, EAS_CYAN));
  for (int i = 0; i < BAR; i++) {
    if (2 * i + 1 < halves)
      eas_buf_str(b, c->utf8 ? "━" : "=");
    else if (2 * i < halves)
      eas_buf_str(b, c->utf8 ? "╸" : "-");
    else
      eas_buf_char(b, ' ');
  }
  eas_buf_str(b, eas_ink_off(c));
  eas_buf_printf(b, " %3d %%", (int)(part * 100));
}

static void state_part(const eas_cli *c, eas_buf *b, const char *state, int64_t n)
{
  if (n > 0)
    eas_buf_printf(b, "  %s%5" PRId64 " %s%s", eas_ink(c, eas_state_ink(state)), n, eas_state_symbol(c, state),
                   eas_ink_off(c));
}

static void type_line(const eas_progress *p, int i, eas_buf *b)
{
  const eas_cli *c = p->s->c;
  eas_buf_printf(b, "  %-30s", p->counts.types[i].type);
  state_part(c, b, "passed", p->counts.types[i].passed);
  state_part(c, b, "reused", p->counts.types[i].reused);
  state_part(c, b, "running", p->counts.types[i].running);
  state_part(c, b, "queued", p->counts.types[i].queued);
  state_part(c, b, "waiting", p->counts.types[i].waiting);
  state_part(c, b, "failed", p->counts.types[i].failed);
  state_part(c, b, "skipped", p->counts.types[i].skipped);
  state_part(c, b, "cancelled", p->counts.types[i].cancelled);
  eas_buf_char(b, '\n');
}

/* The head line loses its right end, never its id, when the terminal is narrow. */
static void head_line(const eas_progress *p, eas_buf *b)
{
  char eta[32];
  eas_worker_status st = { 0 };
  if (p->s->worker) eas_worker_status_get(p->s->worker, &st);
  eta_text(p, eta);
  eas_buf_printf(b, "j%" PRId64 " %.30s  ", p->job, p->counts.name);
  bar(p, b);
  eas_buf tail;
  eas_buf_init(&tail);
  eas_buf_printf(&tail, "   %" PRId64 "/%" PRId64 " tasks   %.1f/s   %s left   %d of %d slots", p->counts.work_done,
                 p->counts.work_total, rate(p), eta, st.busy, st.slots);
  int room = width() - 1 - (int)strlen(p->counts.name) - BAR - 14;
  if (room < (int)tail.len && room > 0) tail.data[room] = 0;
  if (room > 0) eas_buf_str(b, tail.data);
  eas_buf_done(&tail);
  eas_buf_char(b, '\n');
}

static void draw(eas_progress *p)
{
  eas_buf b;
  eas_buf_init(&b);
  head_line(p, &b);
  int lines = 1;
  for (int i = 0; i < p->counts.n_types; i++) {
    if (p->counts.types[i].flow) continue;
    type_line(p, i, &b);
    lines++;
  }
  erase(p);
  fwrite(b.data, 1, b.len, stderr);
  fflush(stderr);
  p->lines = lines;
  eas_buf_done(&b);
}

static void line(eas_progress *p)
{
  char eta[32];
  eta_text(p, eta);
  fprintf(stderr, "j%" PRId64 " %" PRId64 "/%" PRId64 " passed %" PRId64 " failed eta=%s\n", p->job,
          p->counts.work_done - p->counts.work_failed, p->counts.work_total, p->counts.work_failed, eta);
}

static int refresh(eas_progress *p)
{
  if (eas_view_counts(p->s->c->db, p->job, &p->counts, NULL) < 0) return 0;
  if (!p->known) p->first_done = p->counts.work_done;
  p->known = 1;
  return 1;
}

static void on_timer(void *arg)
{
  eas_progress *p = arg;
  if ((p->changed || !p->live) && refresh(p)) {
    if (p->live)
      draw(p);
    else if (!p->s->c->quiet)
      line(p);
    p->changed = 0;
  }
  p->timer = eas_loop_after(p->s->loop, p->live ? DRAW_US : LINE_US, on_timer, p);
}

static void before_log(void *arg)
{
  erase(arg);
}

static void after_log(void *arg)
{
  eas_progress *p = arg;
  p->changed = 1;
}

eas_progress *eas_progress_new(eas_session *s, int64_t job)
{
  eas_progress *p = eas_alloc(sizeof *p);
  *p = (eas_progress){ .s = s, .job = job, .started_us = eas_tick_us(), .live = s->c->progress, .changed = 1 };
  if (p->live) eas_log_hooks(before_log, after_log, p);
  refresh(p);
  p->timer = eas_loop_after(s->loop, p->live ? DRAW_US : LINE_US, on_timer, p);
  return p;
}

void eas_progress_changed(eas_progress *p)
{
  p->changed = 1;
}

void eas_progress_note(eas_progress *p, const char *text)
{
  erase(p);
  fprintf(stderr, "%s\n", text);
  p->changed = 1;
}

void eas_progress_end(eas_progress *p, int keep)
{
  if (p->live && keep && refresh(p))
    draw(p);
  else
    erase(p);
  eas_log_hooks(NULL, NULL, NULL);
  eas_loop_cancel(p->s->loop, p->timer);
  free(p);
}
