/* fbls_parts.h: what the parts of the fbls kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_FBLS_PARTS_H
#define EAS_NATIVE_FBLS_PARTS_H
#include <math.h>
#include <string.h>
#include "fbls.h"
#include "simd.h"

enum { FBLS_WIDTHS = 64, FBLS_LANES = 32, FBLS_STAGES = 200 };

/* One bin width: the light curve in bins of tau, zero where and behind where there is no sample. */
typedef struct {
  double tau;
  size_t n;           /* bins */
  size_t p0, p1;      /* base periods p0 <= p < p1, bins */
  double period_end;  /* bins; trials are shorter */
  size_t block;       /* number of its first block */
  const float *v, *w; /* [n + p1] flux less its mean, times weight; weight */
  float each;         /* weight of every bin, if all have the same; else 0 */
  double total;       /* weight of all bins */
  size_t n_width;
  uint32_t width[FBLS_WIDTHS]; /* bins, rising */
} fbls_stage;

typedef struct {
  int level;
  const eas_fbls_job *job;
  double unit_flux, unit_weight; /* of sums and weights */
  size_t n_stage, p_most, n_most, w_most;
  fbls_stage stage[FBLS_STAGES];
  const size_t *first; /* [n_block] number of a block's first trial */
} fbls_plan;

/* One block while it is searched. */
typedef struct {
  const fbls_plan *plan;
  const fbls_stage *stage;
  size_t p, m, rows; /* bins, rows folded, trials looked at: 0, stride, 2 stride .. */
  size_t stride;
  size_t full;    /* bins of the last row that have samples */
  size_t n_width; /* of stage->width, those short enough */
} fbls_block;

typedef struct {
  float *twos[2][12]; /* [p + w_most ..] a trial's sums, continued across the fold; sums of 2, 4, .. of them; weights */
  float *best;        /* [p] lowest score of a start */
  float *scale;       /* [n_width][w_most + 1] by how many bins of a box the last row fills */
  float *edge;        /* [n_width][stride] the same, start after start, where boxes reach over its ends */
  float *fold[4];     /* [n_most + p_most] */
  fbls_block scale_of; /* the block that scale was made for */
} fbls_scratch;

static inline size_t fbls_round(size_t n)
{
  return (n + FBLS_LANES - 1) / FBLS_LANES * FBLS_LANES;
}

static inline size_t fbls_rows(size_t n, size_t p)
{
  return n > p ? (n + p - 1) / p : 1;
}

/* Trials of a base period: those whose period is shorter than the next base period, and than the end. */
static inline size_t fbls_trials(size_t m, size_t p, double period_end, int stride)
{
  double end = fmin((double)p + 1, period_end), base = (double)p;
  if (m == 1) return 1;
  double n = ceil(base * (double)(m - 1) * (1 - base / end) - 1e-9);
  n = fmin(n, (double)m);
  return n < 1 ? 1 : ((size_t)n + (size_t)stride - 1) / (size_t)stride;
}

static inline double fbls_period(const fbls_stage *stage, size_t p, size_t m, double s)
{
  double base = (double)p;
  return stage->tau * (m > 1 ? base * base / (base - s / (double)(m - 1)) : base);
}

/* Larger is better; 0 where the box or its complement is empty. */
static inline double fbls_score(const eas_fbls_settings *set, double v, double w, double total)
{
  double out = total - w;
  if (!(w > 0) || !(out > 1e-5 * total)) return 0;
  if (set->sign == EAS_FBLS_DIPS && v >= 0) return 0;
  double gain = v * v * total / (w * out);
  return set->objective == EAS_FBLS_LIKELIHOOD ? 0.5 * gain * total / out : gain;
}

/* Rows m of p bins folded by levels: n_out of the m sums, each stride-th; the result stands in the memory returned. */
const float *fbls_fold(int level, const float *in, size_t m, size_t p, size_t n_out, size_t stride, float *out,
                       float *tmp);

/* Best box of each trial of a block, into peaks. */
void fbls_scan(const fbls_block *b, fbls_scratch *s, eas_fbls_peak *peaks);

void fbls_reference(const fbls_block *b, fbls_scratch *s, eas_fbls_peak *peaks);

/* Peak of trial s from the place of its box (width 0: none). */
void fbls_store(const fbls_block *b, size_t trial, size_t start, size_t width, double v, double w, eas_fbls_peak *out);

#endif
