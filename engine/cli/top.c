/* top.c: see top.h. */
#include "cli/top.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/pages.h"

enum { JOBS = 12, RUNNING = 20, BAR = 20, WIDE = 110, FULL = 77, SMALL = 60, LEAST = 50, CELL = 7 };

typedef struct {
  const eas_cli *c;
  eas_buf *out;
  int columns, left; /* lines that still fit */
} canvas;

static int is_wide(const canvas *v)
{
  return !v->columns || v->columns >= WIDE;
}

static int name_columns(const canvas *v)
{
  return is_wide(v) ? 30 : 20;
}

/* Under a width some columns go, others never: names have what is left of it. */
static int fits(const canvas *v, int columns)
{
  return !v->columns || v->columns >= columns;
}

static int names_beside(const canvas *v, int others)
{
  int left = v->columns - 1 - others;
  return fits(v, FULL) || left > name_columns(v) ? name_columns(v) : left > 4 ? left : 4;
}

static const char *const STATES[] = { "passed",  "reused", "running", "queued",
                                      "waiting", "failed", "skipped", "cancelled" };

/* States that are shown at this width: *n of them. */
static const int *shown_states(const canvas *v, int *n)
{
  static const int all[] = { 0, 1, 2, 3, 4, 5, 6, 7 }, small[] = { 0, 2, 3, 4, 5 }, least[] = { 0, 2, 3, 5 };
  *n = fits(v, FULL) ? 8 : fits(v, LEAST) ? 5 : 4;
  return fits(v, FULL) ? all : fits(v, LEAST) ? small : least;
}

void eas_top_done(eas_top *t)
{
  json_decref(t->jobs);
  json_decref(t->job);
  json_decref(t->workers);
  json_decref(t->running);
  json_decref(t->failures);
  *t = (eas_top){ .per_second = -1 };
}

static int64_t id_of(const json_t *row, const char *key)
{
  const char *s = eas_json_str(row, key);
  return s ? strtoll(s + 1, NULL, 10) : 0;
}

int eas_top_look(eas_top *t, eas_db *db, int at, eas_err *err)
{
  eas_top_done(t);
  int rc = eas_page_jobs(db, 0, JOBS, &t->jobs, err);
  if (rc >= 0) rc = eas_view_workers(db, &t->workers, err);
  if (rc >= 0) rc = eas_page_running(db, 0, RUNNING, &t->running, err);
  const json_t *items = json_object_get(t->jobs, "items"), *row = json_array_get(items, (size_t)at);
  if (!row) row = json_array_get(items, 0);
  if (rc >= 0 && row) rc = eas_page_job(db, id_of(row, "job"), &t->job, err);
  if (rc >= 0 && row && eas_json_int(row, "failed", 0)) rc = eas_page_errors(db, id_of(row, "job"), &t->failures, err);
  return rc < 0 ? rc : 0;
}

/* One line, cut to the width; ink over all of it. */
static void line(canvas *v, int ink, const char *text)
{
  char cut[1024];
  if (v->left == 0) return;
  v->left--;
  if (v->columns)
    eas_text_fit(text, v->columns, cut, sizeof cut);
  else
    snprintf(cut, sizeof cut, "%s", text);
  eas_buf_printf(v->out, "%s%s%s\n", eas_ink(v->c, ink), cut, ink ? eas_ink_off(v->c) : "");
}

static void pad(eas_buf *b, const char *text, int columns, int right)
{
  char cut[256];
  eas_text_fit(text, columns, cut, sizeof cut);
  int blanks = columns - eas_text_columns(cut);
  if (right) eas_buf_printf(b, "%*s", blanks, "");
  eas_buf_str(b, cut);
  if (!right) eas_buf_printf(b, "%*s", blanks, "");
}

static int64_t sum(const json_t *row, int64_t *done)
{
  int64_t total = 0;
  *done = 0;
  for (int i = 0; i < 8; i++) {
    int64_t n = eas_json_int(row, STATES[i], 0);
    total += n;
    if (i != 2 && i != 3 && i != 4) *done += n;
  }
  return total;
}

static const char *state_of(const json_t *j)
{
  const char *gate = eas_json_str(j, "state");
  if (!eas_json_int(j, "done_at", 0))
    return strcmp(gate, "active") != 0                                    ? gate
           : eas_json_int(j, "running", 0) + eas_json_int(j, "queued", 0) ? "running"
                                                                          : "waiting";
  if (eas_json_int(j, "failed", 0) + eas_json_int(j, "skipped", 0)) return "failed";
  return eas_json_int(j, "cancelled", 0) ? "cancelled" : "passed";
}

static void bar(const eas_cli *c, eas_buf *b, int64_t done, int64_t total)
{
  int full = total > 0 ? (int)(done * BAR / total) : 0;
  for (int i = 0; i < BAR; i++) eas_buf_str(b, i < full ? (c->utf8 ? "\u2501" : "=") : (c->utf8 ? "\u2500" : "-"));
}

static void job_line(canvas *v, const json_t *j, int chosen, int64_t now)
{
  eas_buf b;
  char text[96], n[32], all[32], took[32] = "-";
  const char *state = state_of(j);
  int64_t done = 0, total = sum(j, &done), begun = eas_json_int(j, "created_at", 0),
          ended = eas_json_int(j, "done_at", 0);
  if (v->left == 0) return;
  v->left--;
  eas_buf_init(&b);
  snprintf(text, sizeof text, "%s%s %s", chosen ? "> " : "  ", eas_json_str(j, "job"), eas_json_str(j, "name"));
  pad(&b, text, names_beside(v, fits(v, SMALL) ? 38 : fits(v, LEAST) ? 30 : 21), 0);
  eas_buf_printf(&b, " %s%s ", eas_ink(v->c, eas_state_ink(state)), eas_state_symbol(v->c, state));
  if (fits(v, LEAST)) pad(&b, state, 9, 0);
  eas_buf_str(&b, eas_ink_off(v->c));
  if (is_wide(v)) {
    eas_buf_char(&b, ' ');
    bar(v->c, &b, done, total);
  }
  eas_count_text(v->c, done, n);
  eas_count_text(v->c, total, all);
  snprintf(text, sizeof text, "%s of %s", n, all);
  pad(&b, text, is_wide(v) ? 20 : 18, 1);
  int64_t bad = eas_json_int(j, "failed", 0) + eas_json_int(j, "skipped", 0);
  snprintf(text, sizeof text, "%" PRId64, bad);
  eas_buf_str(&b, bad ? eas_ink(v->c, EAS_RED) : "");
  if (fits(v, SMALL)) pad(&b, text, 8, 1);
  eas_buf_str(&b, bad ? eas_ink_off(v->c) : "");
  if (ended)
    eas_duration_text(ended - begun, took);
  else if (done > 0)
    eas_duration_text((int64_t)((double)(now - begun) / (double)done * (double)(total - done)), took);
  snprintf(text, sizeof text, ended ? "%s" : "%s left", took);
  if (fits(v, FULL)) pad(&b, text, 15, 1);
  eas_buf_printf(v->out, "%s\n", b.data);
  eas_buf_done(&b);
}

static void type_lines(canvas *v, const json_t *job)
{
  size_t i;
  json_t *t;
  eas_buf b;
  eas_buf_init(&b);
  int n_shown, cell = is_wide(v) ? 10 : CELL;
  const int *shown = shown_states(v, &n_shown);
  int names = names_beside(v, cell * n_shown);
  pad(&b, eas_json_str(job, "name"), names, 0);
  for (int k = 0; k < n_shown; k++)
    pad(&b, is_wide(v) ? STATES[shown[k]] : eas_state_symbol(v->c, STATES[shown[k]]), cell, 1);
  line(v, EAS_DIM, b.data);
  json_array_foreach(json_object_get(job, "types"), i, t)
  {
    if (json_is_true(json_object_get(t, "flow")) || v->left == 0) continue;
    eas_buf_clear(&b);
    char n[32];
    eas_buf_str(&b, "  ");
    pad(&b, eas_json_str(t, "type"), names - 2, 0);
    for (int k = 0; k < n_shown; k++) {
      const char *state = STATES[shown[k]];
      int64_t count = eas_json_int(t, state, 0);
      eas_count_text(v->c, count, n);
      eas_buf_str(&b, eas_ink(v->c, count ? eas_state_ink(state) : EAS_DIM));
      pad(&b, n, cell, 1);
      eas_buf_str(&b, eas_ink_off(v->c));
    }
    v->left--;
    eas_buf_printf(v->out, "%s\n", b.data);
  }
  eas_buf_done(&b);
}

static void running_lines(canvas *v, const json_t *list, int64_t now)
{
  size_t i;
  json_t *a;
  char text[512], ran[32], part[32];
  line(v, EAS_DIM, json_array_size(list) ? "running" : "running: nothing");
  json_array_foreach(list, i, a)
  {
    int64_t total = eas_json_int(a, "total", 0);
    eas_duration_text(now - eas_json_int(a, "started_at", now), ran);
    part[0] = 0;
    if (total > 0) snprintf(part, sizeof part, "%d %%", (int)(100 * eas_json_int(a, "done", 0) / total));
    snprintf(text, sizeof text, "  %-8s %-8s %-28s %-14s %9s  %s", eas_json_str(a, "attempt"), eas_json_str(a, "task"),
             eas_json_str(a, "type"), eas_json_str(a, "host") ? eas_json_str(a, "host") : "-", ran, part);
    line(v, EAS_CYAN, text);
  }
}

static void failure_lines(canvas *v, const json_t *list)
{
  size_t i;
  json_t *e;
  char text[1024];
  if (!json_array_size(list)) return;
  line(v, EAS_PLAIN, "");
  line(v, EAS_DIM, "failures");
  json_array_foreach(list, i, e)
  {
    snprintf(text, sizeof text, "  %5" PRId64 " %-9s %-24s %s", eas_json_int(e, "n", 0), eas_json_str(e, "kind"),
             eas_json_str(e, "type"), eas_json_str(e, "message"));
    line(v, EAS_RED, text);
  }
}

void eas_top_draw(const eas_top *t, const eas_cli *c, int at, int columns, int lines, eas_buf *out)
{
  canvas v = { .c = c, .out = out, .columns = columns, .left = lines ? lines : -1 };
  char text[256], clock[40], rate[40] = "";
  size_t i;
  json_t *j;
  int64_t now = eas_now_us();
  eas_time_format(now, 0, clock);
  if (t->per_second >= 0) snprintf(rate, sizeof rate, "   %.3g ended/s", t->per_second);
  snprintf(text, sizeof text, "eas top  %s   %" PRId64 " workers, %" PRId64 " of %" PRId64 " slots busy%s", clock,
           eas_json_int(t->workers, "active", 0), eas_json_int(t->workers, "busy", 0),
           eas_json_int(t->workers, "slots", 0), rate);
  line(&v, EAS_BOLD, text);
  line(&v, EAS_PLAIN, "");
  const json_t *items = json_object_get(t->jobs, "items");
  if (!json_array_size(items)) line(&v, EAS_PLAIN, "no jobs: eas submit FILE, or eas run FILE");
  json_array_foreach(items, i, j) job_line(&v, j, (int)i == at && lines, now);
  if (!t->job) return;
  line(&v, EAS_PLAIN, "");
  type_lines(&v, t->job);
  line(&v, EAS_PLAIN, "");
  running_lines(&v, t->running, now);
  failure_lines(&v, t->failures);
}
