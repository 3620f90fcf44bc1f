/* tls__uniform.c: order of phase at a uniform cadence, without sorting samples.
 *
 * Each cycle is a run of samples one step apart, and begins less than a step after phase 0. So the order of the
 * beginnings is the order of the first samples of all runs, and of their second ones, and so on. Samples may be
 * missing: then runs are of slots, and empty ones are left out in the end. */
#include <string.h>
#include "tls_parts.h"

enum { PATTERN = 64 };                  /* entries of rows written at once */
static const double slots_end = 0x1p52; /* beyond, a slot has no fraction */

static size_t rounded(size_t bytes)
{
  return (bytes + 63) / 64 * 64;
}

size_t tls_slots_most(size_t n)
{
  return 2 * n; /* with more gaps sorting is as fast */
}

void tls_find_cadence(tls_plan *plan, int32_t *index)
{
  const double *t = plan->time;
  size_t n = plan->n;
  double step = INFINITY, jitter = 0;
  for (size_t i = 1; i < n; i++) step = fmin(step, t[i] - t[i - 1]);
  double slots = floor(plan->span / step + 0.5);
  if (!(slots + 1 <= (double)tls_slots_most(n))) return;
  /* The shortest difference is rounded; that of many steps less so. */
  for (size_t i = 1; i < n; i *= 2) step = (t[i] - t[0]) / floor((t[i] - t[0]) / step + 0.5);
  slots = floor(plan->span / step + 0.5);
  if (!(slots + 1 <= (double)tls_slots_most(n))) return;
  step = plan->span / slots;

  plan->slots = (size_t)slots + 1;
  for (size_t k = 0; k < plan->slots; k++) index[k] = -1;
  for (size_t i = 0; i < n; i++) {
    double k = floor((t[i] - t[0]) / step + 0.5);
    jitter = fmax(jitter, fabs(t[i] - (t[0] + k * step)));
    if (!(k < slots + 1) || index[(size_t)k] >= 0) return;
    index[(size_t)k] = (int32_t)i;
  }
  double size = fabs(t[0]) + fabs(t[n - 1]);
  plan->doubt = 2 * jitter + 16 * DBL_EPSILON * size;
  if (!(plan->doubt < 1e-4 * step)) return;
  plan->step = step;
  plan->index = plan->slots == n ? NULL : index;
  plan->path = EAS_TLS_PATH_UNIFORM;
}

typedef struct {
  size_t n;       /* cycles */
  int64_t *first; /* slot of the first sample at or after the beginning of each; the last: of the one behind */
  double *offset; /* steps from there to it */
  int32_t *order; /* cycles by offset */
  int32_t *run;   /* slots of the first row, of the cycles that take part */
  void *sort;     /* scratch of the sort */
} cycles;

static size_t cycles_most(const tls_plan *plan)
{
  return plan->slots / 2 + 4;
}

size_t tls_rows_size(const tls_plan *plan)
{
  size_t most = cycles_most(plan);
  return rounded((most + 1) * sizeof(int64_t)) + rounded(most * sizeof(double)) +
         2 * rounded((most + 1 + PATTERN) * sizeof(int32_t)) + rounded(tls_sort_size(most)) +
         rounded((plan->slots + 2 * PATTERN) * sizeof(int32_t));
}

static void lay_out(const tls_plan *plan, char *work, cycles *c, int32_t **slot)
{
  size_t most = cycles_most(plan), words = rounded((most + 1 + PATTERN) * sizeof(int32_t));
  c->first = (int64_t *)(void *)work;
  c->offset = (double *)(void *)(work + rounded((most + 1) * sizeof(int64_t)));
  char *rest = (char *)(c->offset + rounded(most * sizeof(double)) / sizeof(double));
  c->order = (int32_t *)(void *)rest;
  c->run = (int32_t *)(void *)(rest + words);
  c->sort = rest + 2 * words;
  *slot = (int32_t *)(void *)(rest + 2 * words + rounded(tls_sort_size(most)));
}

/* Where cycles begin, in order: 1; 0 where that is no gain; -1 where rounding decides. */
static int begin_cycles(const tls_plan *plan, double period, cycles *c)
{
  double first = floor(plan->time[0] / period), last = floor(plan->time[plan->n - 1] / period);
  double doubt = plan->doubt / plan->step;
  if (!(period > 3 * plan->step) || !(last - first + 2 < (double)cycles_most(plan))) return 0;
  c->n = (size_t)(last - first) + 1;
  for (size_t k = 0; k < c->n; k++) {
    double at = ((first + (double)k) * period - plan->time[0]) / plan->step, slot = ceil(at);
    if (!(fabs(at) < slots_end)) return -1; /* of periods without end */
    c->first[k] = (int64_t)slot;
    c->offset[k] = slot - at;
    /* The first cycle begins at or before the first sample: on which side of a slot does not matter. */
    if (k > 0 && (c->offset[k] < doubt || c->offset[k] > 1 - doubt)) return -1;
  }
  c->first[c->n] = (int64_t)fmin(ceil(((last + 1) * period - plan->time[0]) / plan->step), slots_end);
  if (c->first[c->n] < (int64_t)plan->slots) c->first[c->n] = (int64_t)plan->slots;
  tls_sort_phases(c->offset, c->n, plan->level, c->order, c->sort);
  for (size_t k = 1; k < c->n; k++)
    if (c->offset[c->order[k]] - c->offset[c->order[k - 1]] < doubt) return -1;
  return 1;
}

/* Rows from .. to of the runs that take part: so many slots each, written at `out`; returns its end. */
static int32_t *write_rows(const int32_t *run, size_t n, int64_t from, int64_t to, int32_t *out)
{
  int32_t pattern[2 * PATTERN];
  int64_t row = from, rows = 1;
  if (n == 0) return out;
  if (n <= PATTERN) {
    rows = (int64_t)(2 * PATTERN / n);
    for (int64_t r = 0; r < rows; r++)
      for (size_t m = 0; m < n; m++) pattern[(size_t)r * n + m] = run[m] + (int32_t)r;
    size_t all = (size_t)rows * n;
    for (; row + rows <= to; row += rows, out += all)
      for (size_t x = 0; x < all; x++) out[x] = pattern[x] + (int32_t)row;
  }
  for (; row < to; row++, out += n)
    for (size_t m = 0; m < n; m++) out[m] = run[m] + (int32_t)row;
  return out;
}

/* Rows by the cycles that have them: the first begins late, the last ends early, some are a sample longer. */
static int32_t *write_cycles(const tls_plan *plan, const cycles *c, int32_t *out)
{
  int64_t edge[8], most = 0;
  size_t edges = 0;
  for (size_t k = 0; k < c->n; k++) most = most > c->first[k + 1] - c->first[k] ? most : c->first[k + 1] - c->first[k];
  int64_t late = -c->first[0], early = (int64_t)plan->slots - c->first[c->n - 1];
  int64_t marks[] = { 0, late, early, most - 1, most };
  for (int64_t last = -1; last < most;) { /* in order, each once */
    int64_t next = most;
    for (int i = 0; i < 5; i++)
      if (marks[i] > last && marks[i] < next) next = marks[i];
    edge[edges++] = last = next;
  }
  for (size_t s = 0; s + 1 < edges; s++) {
    size_t n = 0;
    for (size_t m = 0; m < c->n; m++) {
      size_t k = (size_t)c->order[m];
      int64_t from = k == 0 ? late : 0, to = c->first[k + 1] - c->first[k];
      if (k + 1 == c->n && early < to) to = early;
      if (edge[s] >= from && edge[s] < to) c->run[n++] = (int32_t)c->first[k];
    }
    out = write_rows(c->run, n, edge[s], edge[s + 1], out);
  }
  return out;
}

int tls_order_rows(const tls_plan *plan, double period, int32_t *order, void *work)
{
  cycles c;
  int32_t *slot;
  lay_out(plan, work, &c, &slot);
  if (begin_cycles(plan, period, &c) <= 0) return 0;
  int32_t *out = plan->index != NULL ? slot : order;
  if ((size_t)(write_cycles(plan, &c, out) - out) != plan->slots) return 0;
  if (plan->index == NULL) return 1;
  size_t n = 0;
  for (size_t k = 0; k < plan->slots; k++) {
    int32_t sample = plan->index[slot[k]];
    order[n] = sample;
    n += sample >= 0;
  }
  return n == plan->n;
}

size_t eas_tls_ties(const eas_tls_job *job, void *work)
{
  const tls_plan *plan = job->plan;
  size_t ties = 0;
  cycles c;
  int32_t *slot;
  if (plan->path != EAS_TLS_PATH_UNIFORM) return 0;
  lay_out(plan, work, &c, &slot);
  for (size_t i = 0; i < job->n_period; i++) ties += begin_cycles(plan, job->period[i], &c) < 0;
  return ties;
}
