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
  if (p->lines > 0) fprintf(stderr, "\r\033[%dA\033[J", p->lines);
  p->lines = 0;
}

static void screen(int *columns, int *rows)
{
  struct winsize size;
  int known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  *columns = known ? size.ws_col : 80;
  *rows = known ? size.ws_row : 24;
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

static void bar(const eas_progress *p, int cells, eas_buf *b)
{
  const eas_cli *c = p->s->c;
  double part = p->counts.work_total ? (double)p->counts.work_done / (double)p->counts.work_total : 0;
  int halves = (int)(part * cells * 2 + 0.5);
  eas_buf_str(b, eas_ink(c, EAS_CYAN));
  for (int i = 0; i < cells; i++) {
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

static void type_line(const eas_progress *p, int i, int columns, eas_buf *b)
{
  static const char *const states[] = { "passed",  "reused", "running", "queued",
                                        "waiting", "failed", "skipped", "cancelled" };
  const eas_cli *c = p->s->c;
  const int64_t n[] = { p->counts.types[i].passed,  p->counts.types[i].reused,   p->counts.types[i].running,
                        p->counts.types[i].queued,  p->counts.types[i].waiting,  p->counts.types[i].failed,
                        p->counts.types[i].skipped, p->counts.types[i].cancelled };
  char name[128];
  int parts = 0, wide = columns - 30;
  for (int k = 0; k < 8; k++) parts += n[k] > 0;
  if (wide < 12) wide = 12;
  if (wide > 30) wide = 30;
  eas_text_fit(p->counts.types[i].type, wide, name, sizeof name);
  eas_buf_printf(b, "  %-*s", wide, name);
  int room = (columns - 3 - wide) / 9;
  for (int k = 0; k < 8; k++) {
    int bad = k >= 5; /* what went wrong is shown, whatever else is not */
    if (n[k] == 0 || (parts > room && !bad && k != 2)) continue;
    eas_buf_printf(b, "  %s%5" PRId64 " %s%s", eas_ink(c, eas_state_ink(states[k])), n[k],
                   eas_state_symbol(c, states[k]), eas_ink_off(c));
  }
  eas_buf_char(b, '\n');
}

/* The line loses its right end, part by part, then its bar and the middle of the name, never its id and counts. */
static void head_line(const eas_progress *p, int columns, eas_buf *b)
{
  char eta[32], id[24], name[128], parts[4][48];
  eas_worker_status st = { 0 };
  if (p->s->worker) eas_worker_status_get(p->s->worker, &st);
  eta_text(p, eta);
  snprintf(id, sizeof id, "j%" PRId64, p->job);
  snprintf(parts[0], sizeof parts[0], "   %" PRId64 "/%" PRId64 " tasks", p->counts.work_done, p->counts.work_total);
  snprintf(parts[1], sizeof parts[1], "   %.1f/s", rate(p));
  snprintf(parts[2], sizeof parts[2], "   %s left", eta);
  snprintf(parts[3], sizeof parts[3], "   %d of %d slots", st.busy, st.slots);
  int cells = columns >= 80 ? BAR : columns >= 60 ? BAR / 2 : 0;
  int left = columns - 1 - (int)strlen(id) - 3 - cells - 6 - (int)strlen(parts[0]);
  eas_text_fit(p->counts.name, left < 6 ? 6 : left > columns / 4 ? columns / 4 : left, name, sizeof name);
  if (left < 6) *name = 0;
  left -= (int)strlen(name);
  eas_buf_printf(b, "%s %s  ", id, name);
  bar(p, cells, b);
  eas_buf_str(b, parts[0]);
  for (int i = 1; i < 4 && (left -= (int)strlen(parts[i])) >= 0; i++) eas_buf_str(b, parts[i]);
  eas_buf_char(b, '\n');
}

/* A block that does not fit on the screen could not be drawn over: then only types that do something are shown. */
static void draw(eas_progress *p)
{
  eas_buf b;
  int columns, rows, lines = 1, n = 0;
  screen(&columns, &rows);
  eas_buf_init(&b);
  head_line(p, columns, &b);
  for (int i = 0; i < p->counts.n_types; i++) n += !p->counts.types[i].flow;
  for (int i = 0; i < p->counts.n_types; i++) {
    int busy = p->counts.types[i].running + p->counts.types[i].queued > 0;
    if (p->counts.types[i].flow || lines >= rows - 1 || (n > rows - 2 && !busy)) continue;
    type_line(p, i, columns, &b);
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
