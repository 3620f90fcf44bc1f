/* qats_parts.h: what the parts of the qats kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_QATS_PARTS_H
#define EAS_NATIVE_QATS_PARTS_H
#include <math.h>
#include "qats.h"
#include "simd.h"

enum {
  QATS_PAD = 64, /* numbers of -infinity behind D, and at both ends of a row beside its window */
  QATS_PASS = 4  /* rows that stay in registers at once */
};

/* One trial: rows m = 1 .. rows_most; row m holds the states n = (m - 1) step_min + i, 0 <= i < qats_row. */
typedef struct {
  size_t n, width, step_min, step_max;
  size_t spread;                /* step_max - step_min */
  size_t rows_least, rows_most; /* numbers of transits that are tried */
} qats_span;

static inline qats_span qats_span_of(const eas_qats_job *job, size_t trial)
{
  const eas_qats_trial *t = &job->trial[trial];
  qats_span s = { .n = job->n, .width = job->width[t->width], .step_min = t->step_min, .step_max = t->step_max };
  s.spread = s.step_max - s.step_min;
  s.rows_least = (uint32_t)(s.n + s.width - 1) / t->step_max; /* 32 bits: divisions of 64 are slow */
  if (s.rows_least < 1) s.rows_least = 1;
  s.rows_most = (uint32_t)(s.n - s.width) / t->step_min + 1;
  return s;
}

/* States of row m: the first box starts at step_max - width at the latest, the last one inside of the data. */
static inline size_t qats_row(const qats_span *s, size_t m)
{
  size_t last = m * s->step_max - s->width, end = s->n - s->width;
  return (last < end ? last : end) - (m - 1) * s->step_min + 1;
}

/* Where a train of m boxes may end, as states lo .. hi of row m; 0 if nowhere. */
static inline int qats_ends(const qats_span *s, size_t m, size_t *lo, size_t *hi)
{
  size_t first = s->n > s->step_max ? s->n - s->step_max : 0, base = (m - 1) * s->step_min;
  *lo = first > base ? first - base : 0;
  *hi = qats_row(s, m) - 1;
  return *lo <= *hi;
}

/* No row of a trial is longer. */
static inline size_t qats_row_most(const qats_span *s)
{
  size_t most = s->step_max + (s->rows_most - 1) * s->spread;
  return most < s->n ? most : s->n;
}

typedef struct {
  int level;
  size_t cells;   /* numbers of one width in d */
  const float *d; /* [n_width * cells] D, -infinity behind its end */
} qats_plan;

/* Numbers of one of the four rows that qats_fast_* work on, with both ends. */
static inline size_t qats_cells(size_t row, size_t spread)
{
  return (row + 2 * (spread + QATS_PAD) + QATS_PAD) / QATS_PAD * QATS_PAD;
}

void qats_fast_sse2(const qats_span *s, const float *d, float *work, eas_qats_peak *out);
void qats_fast_avx2(const qats_span *s, const float *d, float *work, eas_qats_peak *out);
void qats_fast_avx512(const qats_span *s, const float *d, float *work, eas_qats_peak *out);

/* D in double precision: the sums box by box, so that nothing depends on what was before. */
static inline void qats_dips(const eas_qats_job *job, size_t width, double *d)
{
  for (size_t i = 0; i + width <= job->n; i++) {
    double sum = 0;
    for (size_t j = 0; j < width; j++) sum -= job->y[i + j];
    d[i] = sum;
  }
}

#endif
