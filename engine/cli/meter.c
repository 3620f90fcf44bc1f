/* meter.c: see meter.h. */
#include "cli/meter.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/view.h"

enum { QUIET_US = 500 * 1000, AGAIN_US = 100 * 1000 };

int64_t eas_meter_tasks(const eas_cli *c, int64_t job)
{
  eas_job_counts k;
  return eas_view_counts(c->db, job, &k, NULL) < 0 ? 0 : k.work_total;
}

eas_meter eas_meter_new(const eas_cli *c, const char *what, int64_t total)
{
  return (eas_meter){ .c = c, .what = what, .total = total, .started_us = eas_tick_us() };
}

void eas_meter_at(eas_meter *m, int64_t n)
{
  int64_t now = eas_tick_us(), run = now - m->started_us;
  if (!m->c->progress || run < QUIET_US || (m->drawn_us && now - m->drawn_us < AGAIN_US)) return;
  char at[32], total[32] = "", left[48] = "", line[160];
  eas_count_text(m->c, n, at);
  if (m->total) {
    char text[32];
    eas_count_text(m->c, m->total, text);
    snprintf(total, sizeof total, " of %.20s", text);
    if (n > 0 && n < m->total && !m->steps) {
      eas_duration_text((int64_t)((double)run * (double)(m->total - n) / (double)n), text);
      snprintf(left, sizeof left, "   %.30s left", text);
    }
  }
  snprintf(line, sizeof line, "%s%s %s%s", at, total, m->what, left);
  fprintf(stderr, "\r%.*s\033[K", m->c->width > 1 ? m->c->width - 1 : 79, line);
  fflush(stderr);
  m->drawn_us = now;
}

void eas_meter_now(eas_meter *m, int64_t n, int64_t total)
{
  m->started_us = eas_tick_us() - QUIET_US;
  m->total = total;
  m->drawn_us = 0;
  m->steps = 1;
  eas_meter_at(m, n);
}

void eas_meter_seen(void *meter, int64_t n)
{
  eas_meter *m = meter;
  eas_meter_at(m, m->total && n > m->total ? m->total : n);
}

void eas_meter_end(eas_meter *m)
{
  if (m->drawn_us) fputs("\r\033[K", stderr);
  m->drawn_us = 0;
}
