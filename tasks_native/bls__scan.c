/* bls__scan.c: all boxes over prefix sums; a vector test in single precision, without divisions, finds the few that can
 * be the best, and only those are evaluated by the definition. */
#include <immintrin.h>

#include "bls_parts.h"

enum { BLOCK = 32 };

/* With shares f = w_in / w_total, z = (f y_total - y_in) / y_size, depth = z y_size / (w_total f (1 - f)): a box beats the best
 * if z^2 > least f (1 - f)^2 (likelihood) or z^2 > least f (1 - f) (snr). NaN: nothing is known, and every box can. */
typedef struct {
  double of_y, of_w, of_total; /* z = of_total w_in - of_y y_in, f = of_w w_in */
  double y_size, w_total, least;
  int snr;
} scan_test;

/* The same in single precision, its sides rounded towards "can". */
typedef struct {
  const float *z, *f; /* [bins + pad + 1] prefix sums */
  float slack, least;
  int snr;
} rough_test;

static const double z_slack = 1e-13;          /* of z */
static const double least_objective = 1e-280; /* below, numbers lose digits */
static const float rough_share = 3e-7f;       /* rounding of f, which is at most 2 in prefix sums */
static const double rough_guard = 1 - 4e-6;

static void raise_least(scan_test *t, const bls_best *best)
{
  double o = best->objective / t->y_size, guard = 1 - 1e-12;
  if (!(best->objective > least_objective)) return;
  double least = (t->snr ? o * t->w_total * o : 2 * o * (t->w_total / t->y_size)) * guard;
  if (least < 1e30) t->least = fmax(t->least, least); /* else far from what the terms should be: they did overflow */
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

EAS_INLINE int can_beat(const scan_test *t, double y_in, double w_in)
{
  double z = t->of_total * w_in - t->of_y * y_in + z_slack;
  double in = t->of_w * w_in,
         out = t->of_w * (t->w_total - w_in); /* not 1 - in: that of almost all would lose digits */
  double scale = t->snr ? in * out : in * out * out;
  return !((z < 0) | (z * z < t->least * scale));
}

/* Prefix sums of z and of shares; returns the largest |z|. */
EAS_INLINE float make_rough(const scan_test *t, const double *restrict y, const double *restrict w, size_t n,
                            float *restrict z, float *restrict share)
{
  double of_y = t->of_y, of_w = t->of_w, of_total = t->of_total;
  int32_t most = 0; /* floats above 0 are in the order of their bits */
  for (size_t j = 0; j < n; j++) {
    union {
      float value;
      int32_t bits;
    } here = { .value = (float)(w[j] * of_total - y[j] * of_y) };
    z[j] = here.value;
    share[j] = (float)(w[j] * of_w);
    here.bits &= 0x7fffffff;
    most = here.bits > most ? here.bits : most;
  }
  union {
    int32_t bits;
    float value;
  } largest = { .bits = most };
  return largest.value;
}

static void raise_rough(rough_test *r, const scan_test *t)
{
  r->least = (float)(t->least * rough_guard);
}

/* Is there a box in a block that can be the best? What is no number can. */
EAS_INLINE int able(const rough_test *r, const float *z0, const float *z1, const float *f0, const float *f1)
{
  int32_t hits = 0;
  for (int j = 0; j < BLOCK; j++) {
    float z = z1[j] - z0[j] + r->slack, in = f1[j] - f0[j] - rough_share, out = 1 - 2 * rough_share - in;
    out = out > 0 ? out : 0;
    float scale = r->snr ? in * out : in * out * out;
    hits += !(z * fabsf(z) < r->least * scale);
  }
  return hits > 0;
}

/* The first block with a box that can be the best, at i or behind it by whole blocks and before end. */
EAS_INLINE size_t next_block(const rough_test *r, size_t width, size_t i, size_t end)
{
  for (; i < end; i += BLOCK)
    if (able(r, r->z + i, r->z + i + width, r->f + i, r->f + i + width)) return i;
  return end;
}

/* The same, operation by operation: a compiler counts in vectors where masks do. */
EAS_TARGET_AVX512 static size_t next_block_512(const rough_test *r, size_t width, size_t i, size_t end)
{
  const __m512 slack = _mm512_set1_ps(r->slack), least = _mm512_set1_ps(r->least), none = _mm512_setzero_ps();
  const __m512 rounding = _mm512_set1_ps(rough_share), all = _mm512_set1_ps(1 - 2 * rough_share);
  const float *z0 = r->z, *z1 = z0 + width, *f0 = r->f, *f1 = f0 + width;
  const int snr = r->snr;
  for (; i < end; i += BLOCK) {
    __mmask16 able = 0;
    for (size_t j = i; j < i + BLOCK; j += 16) {
      __m512 z = _mm512_add_ps(_mm512_sub_ps(_mm512_loadu_ps(z1 + j), _mm512_loadu_ps(z0 + j)), slack);
      __m512 in = _mm512_sub_ps(_mm512_sub_ps(_mm512_loadu_ps(f1 + j), _mm512_loadu_ps(f0 + j)), rounding);
      __m512 out = _mm512_max_ps(_mm512_sub_ps(all, in), none), scale = _mm512_mul_ps(in, out);
      if (!snr) scale = _mm512_mul_ps(scale, out);
      __m512 square = _mm512_mul_ps(z, _mm512_abs_ps(z));
      able |= _mm512_cmp_ps_mask(square, _mm512_mul_ps(least, scale), _CMP_NLT_UQ);
    }
    if (able) return i;
  }
  return end;
}

EAS_INLINE void try_boxes(const bls_setup *s, scan_test *t, rough_test *r, size_t width, size_t i, size_t end,
                          const double *y, const double *w, bls_best *best)
{
  for (; i < end; i++) {
    double y_in = y[i + width] - y[i], w_in = w[i + width] - w[i];
    if (!can_beat(t, y_in, w_in)) continue;
    bls_try(s, y_in, w_in, i, width, best);
    raise_least(t, best);
    raise_rough(r, t);
  }
}

EAS_INLINE void scan_blocks(const bls_setup *s, scan_test *t, rough_test *r, int level, size_t width, size_t i,
                            size_t end, const double *y, const double *w, bls_best *best)
{
  for (; i < end; i += BLOCK) {
    if (t->least >= 0) i = level == EAS_SIMD_AVX512 ? next_block_512(r, width, i, end) : next_block(r, width, i, end);
    if (i < end) try_boxes(s, t, r, width, i, i + BLOCK, y, w, best);
  }
}

EAS_INLINE void scan_width(const bls_setup *s, scan_test *t, rough_test *r, int level, size_t width, size_t starts,
                           const double *y, const double *w, bls_best *best)
{
  size_t end = starts / BLOCK * BLOCK;
  if (end == 0) {
    try_boxes(s, t, r, width, 0, starts, y, w, best);
    return;
  }
  scan_blocks(s, t, r, level, width, 0, end, y, w, best);
  if (end < starts) scan_blocks(s, t, r, level, width, starts - BLOCK, starts, y, w, best); /* some again: no harm */
}

EAS_INLINE void scan_all(const bls_setup *s, int level, size_t bins, const double *y, const double *w,
                         const bls_best *hint, float *work, bls_best *best)
{
  size_t n = bins + s->pad + 1;
  scan_test t = { .of_y = 1 / s->y_size,
                  .of_w = 1 / s->w_total,
                  .of_total = s->y_total / s->y_size / s->w_total,
                  .y_size = s->y_size,
                  .w_total = s->w_total,
                  .least = NAN,
                  .snr = s->job->set.objective == EAS_BLS_SNR };
  raise_by_hint(s, &t, hint, bins, y, w);

  float *z = work, *share = work + (n + 15) / 16 * 16;
  float largest = make_rough(&t, y, w, n, z, share);
  rough_test r = { .z = z, .f = share, .slack = 3e-7f * largest + (float)z_slack, .snr = t.snr };
  raise_rough(&r, &t);
  for (size_t k = 0; k < s->job->set.n_duration; k++) {
    size_t width = bls_width(s, k);
    scan_width(s, &t, &r, level, width, bls_starts(s, bins, width), y, w, best);
  }
}

EAS_TARGET_AVX512 static void scan_avx512(const bls_setup *s, size_t bins, const double *y, const double *w,
                                          const bls_best *hint, float *work, bls_best *best)
{
  scan_all(s, EAS_SIMD_AVX512, bins, y, w, hint, work, best);
}

EAS_TARGET_AVX2 static void scan_avx2(const bls_setup *s, size_t bins, const double *y, const double *w,
                                      const bls_best *hint, float *work, bls_best *best)
{
  scan_all(s, EAS_SIMD_AVX2, bins, y, w, hint, work, best);
}

void bls_scan_fast(const bls_plan *plan, size_t bins, const double *y, const double *w, const bls_best *hint,
                   double *work, bls_best *best)
{
  const bls_setup *s = &plan->setup;
  float *rough = (float *)(void *)work;
  if (plan->level == EAS_SIMD_AVX512)
    scan_avx512(s, bins, y, w, hint, rough, best);
  else if (plan->level == EAS_SIMD_AVX2)
    scan_avx2(s, bins, y, w, hint, rough, best);
  else
    scan_all(s, EAS_SIMD_SSE2, bins, y, w, hint, rough, best);
}
