/* qats.c: checks, sizes, grids, and the paths in double precision. */
#include "qats_parts.h"
#include <string.h>

static const double operations_most = 4294967296.0;
static const size_t steps_most = (size_t)1 << 31;

static int check_trial(const eas_qats_job *job, size_t i)
{
  const eas_qats_trial *t = &job->trial[i];
  if (t->width >= job->n_width || t->step_min < job->width[t->width]) return EAS_EARG;
  if (t->step_max < t->step_min || t->step_max >= steps_most) return EAS_EARG;
  qats_span s = qats_span_of(job, i);
  return (double)s.rows_most * (double)qats_row_most(&s) <= operations_most ? EAS_OK : EAS_EARG;
}

int eas_qats_check(const eas_qats_job *job)
{
  if (job->n < 3) return EAS_EFEW;
  if (job->n_trial == 0 || job->n_width == 0) return EAS_EGRID;
  if (job->n >= steps_most || job->n_width > 1000) return EAS_EARG;
  if (job->y == NULL || job->width == NULL || job->trial == NULL || job->out == NULL) return EAS_EARG;
  if (job->path < EAS_QATS_PATH_FAST || job->path > EAS_QATS_PATH_REFERENCE) return EAS_EARG;
  for (size_t k = 0; k < job->n_width; k++)
    if (job->width[k] < 1 || job->width[k] > job->n) return EAS_EARG;
  for (size_t i = 0; i < job->n_trial; i++)
    if (check_trial(job, i) != EAS_OK) return EAS_EARG;
  for (size_t i = 0; i < job->n; i++)
    if (!(fabs(job->y[i]) <= 1e12)) return EAS_EDATA;
  return EAS_OK;
}

static const size_t head_size = (sizeof(qats_plan) + 63) / 64 * 64;

static size_t plan_cells(const eas_qats_job *job)
{
  return (job->n + 2 * QATS_PAD) / QATS_PAD * QATS_PAD;
}

size_t eas_qats_plan_size(const eas_qats_job *job)
{
  return head_size + job->n_width * plan_cells(job) * sizeof(float);
}

int eas_qats_prepare(const eas_qats_job *job)
{
  qats_plan *plan = job->plan;
  float *d = (float *)(void *)((char *)job->plan + head_size);
  *plan = (qats_plan){ .level = eas_simd_level(), .cells = plan_cells(job), .d = d };
  for (size_t k = 0; k < job->n_width; k++, d += plan->cells) {
    size_t width = job->width[k], boxes = job->n - width + 1;
    double sum = 0;
    for (size_t j = 0; j + 1 < width; j++) sum -= job->y[j];
    for (size_t i = 0; i < boxes; i++) {
      if (i % 1024 == 0) { /* anew, so that rounding does not pile up */
        sum = 0;
        for (size_t j = 0; j + 1 < width; j++) sum -= job->y[i + j];
      }
      sum -= job->y[i + width - 1];
      d[i] = (float)sum;
      sum += job->y[i];
    }
    for (size_t i = boxes; i < plan->cells; i++) d[i] = -INFINITY;
  }
  return EAS_OK;
}

static int fast(const eas_qats_job *job)
{
  return job->plan != NULL && job->path == EAS_QATS_PATH_FAST;
}

/* The double paths: D, two rows, and the sliding maximum's queue. */
static size_t exact_size(size_t n, size_t row)
{
  return (n + 2 * (row + 1)) * sizeof(double) + (row + 1) * sizeof(uint32_t);
}

size_t eas_qats_work_size(const eas_qats_job *job)
{
  size_t cells = 0, row_most = 0;
  for (size_t i = 0; i < job->n_trial; i++) {
    qats_span s = qats_span_of(job, i);
    size_t row = qats_row_most(&s), need = qats_cells(row, s.spread < job->n ? s.spread : job->n);
    if (need > cells) cells = need;
    if (row > row_most) row_most = row;
  }
  return fast(job) ? 4 * cells * sizeof(float) : exact_size(job->n, row_most);
}

typedef struct {
  const double *d;
  double *row, *next;
  uint32_t *queue;
} exact_work;

static exact_work exact_work_of(const eas_qats_job *job, size_t row, void *work)
{
  double *d = work;
  return (exact_work){ d, d + job->n, d + job->n + row + 1, (uint32_t *)(void *)(d + job->n + 2 * (row + 1)) };
}

/* Row m from row m - 1 by the definition: S(m, n) = D(n) + the largest S(m - 1, n') with n - n' in the span. */
static void row_by_scan(const qats_span *s, size_t m, const double *d, const double *before, double *row)
{
  size_t length = qats_row(s, m), last = qats_row(s, m - 1) - 1;
  for (size_t i = 0; i < length; i++) {
    double most = -INFINITY;
    for (size_t j = i > s->spread ? i - s->spread : 0; j <= i && j <= last; j++)
      if (before[j] > most) most = before[j];
    row[i] = d[(m - 1) * s->step_min + i] + most;
  }
}

/* The same; queue holds the states that may still be the largest of a window, falling. */
static void row_by_queue(const qats_span *s, size_t m, const double *d, const double *before, double *row,
                         uint32_t *queue)
{
  size_t length = qats_row(s, m), last = qats_row(s, m - 1) - 1, head = 0, tail = 0;
  for (size_t i = 0; i < length; i++) {
    if (i <= last) {
      while (tail > head && !(before[queue[tail - 1]] > before[i])) tail--;
      queue[tail++] = (uint32_t)i;
    }
    while (tail > head && queue[head] + s->spread < i) head++;
    row[i] = d[(m - 1) * s->step_min + i] + (tail > head ? before[queue[head]] : -INFINITY);
  }
}

static void first_row(const qats_span *s, const double *d, double *row)
{
  memcpy(row, d, qats_row(s, 1) * sizeof *row);
}

static void judge_row(const qats_span *s, size_t m, const double *row, eas_qats_peak *peak)
{
  size_t lo, hi;
  if (m < s->rows_least || !qats_ends(s, m, &lo, &hi)) return;
  size_t at = lo;
  for (size_t i = lo; i <= hi; i++)
    if (row[i] > row[at]) at = i;
  double score = row[at] / sqrt((double)(m * s->width));
  if (score > peak->s) *peak = (eas_qats_peak){ score, (uint32_t)m, (uint32_t)((m - 1) * s->step_min + at) };
}

static void exact_trial(const qats_span *s, int path, exact_work *w, eas_qats_peak *out)
{
  *out = (eas_qats_peak){ 0, 0, 0 };
  first_row(s, w->d, w->row);
  judge_row(s, 1, w->row, out);
  for (size_t m = 2; m <= s->rows_most; m++) {
    if (path == EAS_QATS_PATH_REFERENCE)
      row_by_scan(s, m, w->d, w->row, w->next);
    else
      row_by_queue(s, m, w->d, w->row, w->next, w->queue);
    double *swap = w->row;
    w->row = w->next;
    w->next = swap;
    judge_row(s, m, w->row, out);
  }
}

static void run_exact(const eas_qats_job *job, size_t i0, size_t i1, void *work)
{
  size_t row = 0, width = 0;
  for (size_t i = i0; i < i1; i++) {
    qats_span s = qats_span_of(job, i);
    if (qats_row_most(&s) > row) row = qats_row_most(&s);
  }
  exact_work w = exact_work_of(job, row, work);
  for (size_t i = i0; i < i1; i++) {
    qats_span s = qats_span_of(job, i);
    if (s.width != width) qats_dips(job, s.width, work);
    width = s.width;
    exact_trial(&s, job->path, &w, &job->out[i]);
  }
}

int eas_qats_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_qats_job *job = argument;
  if (!fast(job)) {
    run_exact(job, i0, i1, work);
    return EAS_OK;
  }
  const qats_plan *plan = job->plan;
  for (size_t i = i0; i < i1; i++) {
    qats_span s = qats_span_of(job, i);
    const float *d = plan->d + job->trial[i].width * plan->cells;
    if (plan->level == EAS_SIMD_AVX512)
      qats_fast_avx512(&s, d, work, &job->out[i]);
    else if (plan->level == EAS_SIMD_AVX2)
      qats_fast_avx2(&s, d, work, &job->out[i]);
    else
      qats_fast_sse2(&s, d, work, &job->out[i]);
  }
  return EAS_OK;
}

/* Rows that a search for the train's boxes keeps at once: all where intervals vary little, as is usual. */
static size_t kept_cells(const qats_span *s)
{
  return 4 * s->n + 2 * (qats_row_most(s) + 1);
}

size_t eas_qats_train_work_size(const eas_qats_job *job, size_t trial)
{
  qats_span s = qats_span_of(job, trial);
  return kept_cells(&s) * sizeof(double) + exact_size(job->n, qats_row_most(&s));
}

/* Rows from .. to of the trial, one behind the other in kept. */
static void keep_rows(const qats_span *s, size_t from, size_t to, const exact_work *w, double *kept)
{
  const double *before = NULL;
  double *spare[2] = { w->row, w->next };
  for (size_t m = 1; m <= to; m++) {
    double *row = m >= from ? kept : spare[m % 2];
    if (m == 1)
      first_row(s, w->d, row);
    else
      row_by_queue(s, m, w->d, before, row, w->queue);
    if (m >= from) kept += qats_row(s, m);
    before = row;
  }
}

/* The first of the largest states of row m that a box at state i of row m + 1 may follow. */
static size_t box_before(const qats_span *s, size_t m, const double *row, size_t i)
{
  size_t last = qats_row(s, m) - 1, at = i > s->spread ? i - s->spread : 0;
  for (size_t j = at; j <= i && j <= last; j++)
    if (row[j] > row[at]) at = j;
  return at;
}

int eas_qats_train(const eas_qats_job *job, size_t trial, eas_qats_peak *peak, uint32_t *start, size_t max_start,
                   void *work)
{
  qats_span s = qats_span_of(job, trial);
  double *kept = work;
  exact_work w = exact_work_of(job, qats_row_most(&s), kept + kept_cells(&s));
  qats_dips(job, s.width, kept + kept_cells(&s));
  exact_trial(&s, EAS_QATS_PATH_EXACT, &w, peak);
  if (peak->transits == 0) return EAS_NONE;
  if (peak->transits > max_start) return EAS_EARG;

  size_t m = peak->transits, i = peak->last - (m - 1) * s.step_min;
  start[m - 1] = peak->last;
  while (m > 1) {
    size_t from = m, cells = 0; /* rows from .. m - 1 fit */
    while (from > 1 && cells + qats_row(&s, from - 1) <= kept_cells(&s)) cells += qats_row(&s, --from);
    keep_rows(&s, from, m - 1, &w, kept);
    for (const double *row = kept + cells; m > from;) {
      row -= qats_row(&s, --m);
      i = box_before(&s, m, row, i);
      start[m - 1] = (uint32_t)((m - 1) * s.step_min + i);
    }
  }
  return EAS_OK;
}

size_t eas_qats_grid(double base, double ratio, size_t count, uint32_t *step_min, uint32_t *step_max)
{
  size_t found = 0;
  if (!(base >= 1) || !(ratio > 1) || !(base * pow(ratio, (double)count) < (double)steps_most)) return 0;
  double from = floor(base);
  for (size_t k = 1; k <= count; k++) {
    double to = floor(base * pow(ratio, (double)k));
    if (to > from) {
      if (step_min != NULL) step_min[found] = (uint32_t)from;
      if (step_max != NULL) step_max[found] = (uint32_t)to;
      found++;
    }
    from = to;
  }
  return found;
}
