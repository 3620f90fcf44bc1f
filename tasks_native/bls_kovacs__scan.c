/* bls_kovacs__scan.c: the fold by samples and the scan of all boxes, by vectors. */
#include <immintrin.h>
#include "bls_kovacs_parts.h"

enum { BLOCK = 64, TILE = 16, LANES = 8 };

EAS_INLINE void fold_samples(const kovacs_plan *plan, double frequency, double *y, double *c)
{
  size_t n = plan->setup.job->n;
  double bins = (double)plan->setup.bins;
  int32_t last = (int32_t)plan->setup.bins - 1, index[BLOCK];
  for (size_t i = 0; i < n; i += BLOCK) {
    size_t m = n - i < BLOCK ? n - i : BLOCK;
    const double *x = plan->x + i, *v = plan->v + i;
    for (size_t j = 0; j < m; j++) {
      double phase = x[j] * frequency;
      phase -= (double)(int32_t)phase;
      int32_t k = (int32_t)(bins * phase);
      index[j] = k < last ? k : last;
    }
    for (size_t j = 0; j < m; j++) {
      y[index[j]] += v[j];
      c[index[j]] += 1;
    }
  }
}

EAS_TARGET_AVX512 static void fold_avx512(const kovacs_plan *plan, double frequency, double *y, double *c)
{
  fold_samples(plan, frequency, y, c);
}

EAS_TARGET_AVX2 static void fold_avx2(const kovacs_plan *plan, double frequency, double *y, double *c)
{
  fold_samples(plan, frequency, y, c);
}

void kovacs_fold(const kovacs_plan *plan, double frequency, double *y, double *c)
{
  memset(y, 0, plan->setup.bins * sizeof *y);
  memset(c, 0, plan->setup.bins * sizeof *c);
  if (plan->level == EAS_SIMD_AVX512)
    fold_avx512(plan, frequency, y, c);
  else if (plan->level == EAS_SIMD_AVX2)
    fold_avx2(plan, frequency, y, c);
  else
    fold_samples(plan, frequency, y, c);
}

/* A box is worth dividing for if s^2 >= least r (n - r). */
typedef struct {
  double n, samples_min, least;
  double s_most; /* of a sum that counts: 0 where only dips do */
} scan_test;

EAS_INLINE int64_t can_beat(const scan_test *t, double s, double r)
{
  return (s * s >= t->least * (r * (t->n - r))) & (r >= t->samples_min) & (r < t->n) & (s <= t->s_most);
}

/* The best box of the trial before is a good one here too: what is worse need not be looked at. The result does not
 * depend on it, since every box as good as the best still is. */
static void raise_by_hint(const kovacs_setup *setup, const kovacs_best *hint, const double *y, const double *c,
                          scan_test *t)
{
  kovacs_best found = { .power = -1 };
  double s = 0, r = 0;
  if (hint->power < 0) return;
  for (size_t i = hint->start; i <= hint->start + hint->more; i++) {
    s += y[i];
    r += c[i];
  }
  if (can_beat(t, s, r)) kovacs_try(setup, s, r, hint->start, hint->more, &found);
  t->least = found.power * (1 - 1e-12);
}

/* The boxes from first bins `at` on: sums of TILE of them grow by a bin, in the order of the definition. */
EAS_INLINE void scan_tile(const kovacs_setup *setup, const double *y, const double *c, size_t at, scan_test *t,
                          kovacs_best *best)
{
  double s[TILE], r[TILE];
  for (size_t j = 0; j < TILE; j++) {
    s[j] = 0;
    r[j] = at + j < setup->bins ? 0 : -INFINITY; /* lanes behind the last bin never count */
  }
  for (size_t more = 0; more <= setup->wide; more++) {
    const double *restrict next_y = y + at + more, *restrict next_c = c + at + more;
    int64_t found = 0;
    for (size_t j = 0; j < TILE; j++) {
      s[j] += next_y[j];
      r[j] += next_c[j];
      found |= can_beat(t, s[j], r[j]);
    }
    if (found == 0 || more + 1 < setup->narrow) continue;
    for (size_t j = 0; j < TILE; j++) {
      if (!can_beat(t, s[j], r[j])) continue;
      kovacs_try(setup, s[j], r[j], at + j, more, best);
      t->least = fmax(t->least, best->power * (1 - 1e-12));
    }
  }
}

static scan_test test_of(const kovacs_setup *setup, const double *y, const double *c, const kovacs_best *hint)
{
  scan_test t = { .n = (double)setup->job->n, .samples_min = setup->samples_min, .least = -1 };
  t.s_most = setup->job->set.sign == EAS_BLS_KOVACS_DIPS ? -5e-324 : INFINITY;
  raise_by_hint(setup, hint, y, c, &t);
  return t;
}

EAS_INLINE void scan_all(const kovacs_setup *setup, const double *y, const double *c, const kovacs_best *hint,
                         kovacs_best *best)
{
  scan_test t = test_of(setup, y, c, hint);
  for (size_t at = 0; at < setup->bins; at += TILE) scan_tile(setup, y, c, at, &t, best);
}

/* can_beat of 8 boxes, a bit each. */
EAS_TARGET_AVX512 static inline __mmask8 can_beat_avx512(const scan_test *t, __mmask8 among, __m512d s, __m512d r)
{
  __m512d n = _mm512_set1_pd(t->n);
  __m512d least = _mm512_mul_pd(_mm512_set1_pd(t->least), _mm512_mul_pd(r, _mm512_sub_pd(n, r)));
  among = _mm512_mask_cmp_pd_mask(among, r, _mm512_set1_pd(t->samples_min), _CMP_GE_OQ);
  among = _mm512_mask_cmp_pd_mask(among, r, n, _CMP_LT_OQ);
  among = _mm512_mask_cmp_pd_mask(among, s, _mm512_set1_pd(t->s_most), _CMP_LE_OQ);
  return _mm512_mask_cmp_pd_mask(among, _mm512_mul_pd(s, s), least, _CMP_GE_OQ);
}

EAS_TARGET_AVX512 static void scan_avx512(const kovacs_setup *setup, const double *y, const double *c,
                                          const kovacs_best *hint, kovacs_best *best)
{
  scan_test t = test_of(setup, y, c, hint);
  for (size_t at = 0; at < setup->bins; at += LANES) {
    __m512d s = _mm512_setzero_pd(), r = s;
    __mmask8 inside = (__mmask8)(setup->bins - at < LANES ? (1u << (setup->bins - at)) - 1 : 0xffu);
    for (size_t more = 0; more <= setup->wide; more++) {
      s = _mm512_add_pd(s, _mm512_loadu_pd(y + at + more));
      r = _mm512_add_pd(r, _mm512_loadu_pd(c + at + more));
      unsigned found = more + 1 < setup->narrow ? 0 : can_beat_avx512(&t, inside, s, r);
      if (found == 0) continue;
      double sums[LANES], counts[LANES];
      _mm512_storeu_pd(sums, s);
      _mm512_storeu_pd(counts, r);
      for (; found != 0; found &= found - 1) {
        unsigned j = (unsigned)__builtin_ctz(found);
        kovacs_try(setup, sums[j], counts[j], at + j, more, best);
      }
      t.least = fmax(t.least, best->power * (1 - 1e-12));
    }
  }
}

EAS_TARGET_AVX2 static void scan_avx2(const kovacs_setup *setup, const double *y, const double *c,
                                      const kovacs_best *hint, kovacs_best *best)
{
  scan_all(setup, y, c, hint, best);
}

void kovacs_scan(const kovacs_plan *plan, const double *y, const double *c, const kovacs_best *hint, kovacs_best *best)
{
  if (plan->level == EAS_SIMD_AVX512)
    scan_avx512(&plan->setup, y, c, hint, best);
  else if (plan->level == EAS_SIMD_AVX2)
    scan_avx2(&plan->setup, y, c, hint, best);
  else
    scan_all(&plan->setup, y, c, hint, best);
}
