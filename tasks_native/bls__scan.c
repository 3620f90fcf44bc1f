/* bls__scan.c: all boxes over prefix sums; a vector test without divisions finds the few that can
 * be the best, and only those are evaluated by the definition. */
#include <immintrin.h>

#include "bls_parts.h"

enum { BLOCK = 32 };

/* With z = y_total w_in - w_total y_in, depth = z / (w_in w_out): a box beats the best if
 * z^2 > least w_in w_out^2 (likelihood) or z^2 > least w_in w_out (snr). */
typedef struct {
  double y_total, w_total, slack, w_least, least;
  int snr;
} scan_test;

static void raise_least(scan_test *t, const bls_best *best)
{
  double o = best->objective, guard = 1 - 1e-12;
  if (o > -INFINITY) t->least = fmax(t->least, t->snr ? o * o * t->w_total * guard : 2 * o * guard);
}

/* The best box of the trial before is a good one here too: what is below it need not be looked at. The
 * result does not depend on it, since every box as good as the best still is. */
static void raise_by_hint(const bls_setup *s, scan_test *t, const bls_best *hint, size_t bins, const double *y,
                          const double *w)
{
  bls_best found = { .objective = -INFINITY };
  if (!(hint->objective > -INFINITY)) return;
  size_t starts = bls_starts(s, bins, hint->width), from = hint->start > 2 ? hint->start - 2 : 0;
  for (size_t i = from; i < starts && i <= hint->start + 2; i++)
    bls_try(s, y[i + hint->width] - y[i], w[i + hint->width] - w[i], i, hint->width, &found);
  raise_least(t, &found);
}

EAS_INLINE int64_t can_beat(const scan_test *t, double y_in, double w_in)
{
  double z = t->y_total * w_in - t->w_total * y_in + t->slack;
  double w_out = t->w_total - w_in;
  double scale = t->snr ? w_in * w_out : w_in * w_out * w_out;
  return (z >= 0) & (z * z >= t->least * scale) & (w_in >= t->w_least);
}

/* A bit for each box of a block; all of them if one can beat the best, unless the level tells them apart. */
EAS_INLINE uint32_t able(const scan_test *t, const double *y0, const double *y1, const double *w0, const double *w1)
{
  int64_t hits = 0;
  for (int j = 0; j < BLOCK; j++) hits += can_beat(t, y1[j] - y0[j], w1[j] - w0[j]);
  return hits > 0 ? UINT32_MAX : 0;
}

/* can_beat, operation by operation, into a mask: a compiler counts in vectors instead. */
EAS_TARGET_AVX512 static uint32_t able_512(const scan_test *t, const double *y0, const double *y1, const double *w0,
                                           const double *w1)
{
  __m512d y_total = _mm512_set1_pd(t->y_total), w_total = _mm512_set1_pd(t->w_total);
  __m512d slack = _mm512_set1_pd(t->slack), least = _mm512_set1_pd(t->least), w_least = _mm512_set1_pd(t->w_least);
  uint32_t bits = 0;
  for (int j = 0; j < BLOCK; j += 8) {
    __m512d y_in = _mm512_sub_pd(_mm512_loadu_pd(y1 + j), _mm512_loadu_pd(y0 + j));
    __m512d w_in = _mm512_sub_pd(_mm512_loadu_pd(w1 + j), _mm512_loadu_pd(w0 + j));
    __m512d z = _mm512_sub_pd(_mm512_mul_pd(y_total, w_in), _mm512_mul_pd(w_total, y_in));
    __m512d w_out = _mm512_sub_pd(w_total, w_in), scale = _mm512_mul_pd(w_in, w_out);
    z = _mm512_add_pd(z, slack);
    if (!t->snr) scale = _mm512_mul_pd(scale, w_out);
    __mmask8 yes = _mm512_cmp_pd_mask(z, _mm512_setzero_pd(), _CMP_GE_OQ);
    yes = _mm512_mask_cmp_pd_mask(yes, _mm512_mul_pd(z, z), _mm512_mul_pd(least, scale), _CMP_GE_OQ);
    yes = _mm512_mask_cmp_pd_mask(yes, w_in, w_least, _CMP_GE_OQ);
    bits |= (uint32_t)yes << j;
  }
  return bits;
}

/* With equal weights and no gaps the samples in a box are nearly as many everywhere: least and most of them bound its
 * sum, so that most blocks are passed over by one comparison of sums. */
static double sum_limit(const bls_plan *plan, const scan_test *t, size_t width, double period)
{
  double step = plan->rows.step, bin = plan->setup.bin, wide = (double)width * bin;
  if (plan->path != EAS_BLS_PATH_ROWS || !plan->rows.plain || !(t->least > 0)) return INFINITY;
  double cycles = floor(t->w_total * step / period);
  double few = fmax(0, (cycles - 1) * (floor((wide - 2 * bin) / step) - 2));
  double many = (cycles + 2) * (ceil(wide / step) + 2), out = t->w_total - many;
  if (!(out > 0)) return INFINITY;
  double spread = sqrt(t->least * few) * (t->snr ? sqrt(out) : out) * (1 - 1e-12);
  return (fmax(t->y_total * few, t->y_total * many) - spread + t->slack) / t->w_total;
}

EAS_INLINE int64_t count_low(double limit, const double *y0, const double *y1)
{
  int64_t hits = 0;
  for (int j = 0; j < BLOCK; j++) hits += y1[j] - y0[j] <= limit;
  return hits;
}

EAS_INLINE void scan_width(const bls_plan *plan, scan_test *t, int level, size_t width, size_t starts, double period,
                           const double *y, const double *w, bls_best *best)
{
  const bls_setup *s = &plan->setup;
  double limit = sum_limit(plan, t, width, period);
  for (size_t i = 0; i < starts; i += BLOCK) {
    if (starts - i < BLOCK && starts >= BLOCK) i = starts - BLOCK; /* boxes seen twice change nothing */
    size_t m = starts - i < BLOCK ? starts - i : BLOCK;
    if (m == BLOCK && limit < INFINITY && count_low(limit, y + i, y + i + width) == 0) continue;
    uint32_t bits = UINT32_MAX;
    if (m == BLOCK && level == EAS_SIMD_AVX512)
      bits = able_512(t, y + i, y + i + width, w + i, w + i + width);
    else if (m == BLOCK)
      bits = able(t, y + i, y + i + width, w + i, w + i + width);
    if (bits == 0) continue;
    for (size_t j = i; j < i + m; j++) {
      if (!(bits >> (j - i) & 1)) continue;
      double y_in = y[j + width] - y[j], w_in = w[j + width] - w[j];
      if (!can_beat(t, y_in, w_in)) continue;
      bls_try(s, y_in, w_in, j, width, best);
      raise_least(t, best);
      limit = sum_limit(plan, t, width, period);
    }
  }
}

EAS_INLINE void scan_all(const bls_plan *plan, int level, double period, size_t bins, const double *y, const double *w,
                         const bls_best *hint, bls_best *best)
{
  const bls_setup *s = &plan->setup;
  scan_test t = { .y_total = s->y_total,
                  .w_total = s->w_total,
                  .w_least = s->w_least,
                  .slack = 1e-13 * s->y_size * s->w_total,
                  .least = -INFINITY,
                  .snr = s->job->set.objective == EAS_BLS_SNR };
  raise_by_hint(s, &t, hint, bins, y, w);
  for (size_t k = 0; k < s->job->set.n_duration; k++) {
    size_t width = bls_width(s, k);
    scan_width(plan, &t, level, width, bls_starts(s, bins, width), period, y, w, best);
  }
}

EAS_TARGET_AVX512 static void scan_avx512(const bls_plan *plan, double period, size_t bins, const double *y,
                                          const double *w, const bls_best *hint, bls_best *best)
{
  scan_all(plan, EAS_SIMD_AVX512, period, bins, y, w, hint, best);
}

EAS_TARGET_AVX2 static void scan_avx2(const bls_plan *plan, double period, size_t bins, const double *y,
                                      const double *w, const bls_best *hint, bls_best *best)
{
  scan_all(plan, EAS_SIMD_AVX2, period, bins, y, w, hint, best);
}

void bls_scan_fast(const bls_plan *plan, double period, size_t bins, const double *y, const double *w,
                   const bls_best *hint, bls_best *best)
{
  if (plan->level == EAS_SIMD_AVX512)
    scan_avx512(plan, period, bins, y, w, hint, best);
  else if (plan->level == EAS_SIMD_AVX2)
    scan_avx2(plan, period, bins, y, w, hint, best);
  else
    scan_all(plan, EAS_SIMD_SSE2, period, bins, y, w, hint, best);
}
