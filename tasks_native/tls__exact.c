/* tls__exact.c: one window: a bound by its whole sum in single precision, and the definition in doubles, its sums in a
 * fixed order. */
#include <immintrin.h>
#include "tls_parts.h"

enum { LANES = 8, WIDE = 16 };

EAS_INLINE float thin_sum(const int32_t *sum, const float *s, size_t width)
{
  float lane[WIDE] = { 0 }, all = 0;
  size_t j = 0;
  for (; j + WIDE <= width; j += WIDE)
    for (size_t l = j; l < j + WIDE; l++) lane[l - j] += (float)(sum[l + 1] - sum[l]) * s[l];
  for (; j < width; j++) all += (float)(sum[j + 1] - sum[j]) * s[j];
  for (int l = 0; l < WIDE; l++) all += lane[l];
  return all;
}

EAS_TARGET_AVX512 static inline __m512 thin_512(const int32_t *sum, const float *s, __m512 c)
{
  __m512i v = _mm512_sub_epi32(_mm512_loadu_si512(sum + 1), _mm512_loadu_si512(sum));
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(v), _mm512_loadu_ps(s), c);
}

EAS_TARGET_AVX512 static float thin_sum_512(const int32_t *sum, const float *s, size_t width)
{
  __m512 c = _mm512_setzero_ps(), d = c;
  size_t j = 0;
  for (; j + 2 * WIDE <= width; j += 2 * WIDE) {
    c = thin_512(sum + j, s + j, c);
    d = thin_512(sum + j + WIDE, s + j + WIDE, d);
  }
  c = _mm512_add_ps(c, d);
  for (; j < width; j += WIDE) {
    __mmask16 mask = (__mmask16)(width - j < WIDE ? (1u << (width - j)) - 1 : 0xffffu);
    __m512i v = _mm512_sub_epi32(_mm512_maskz_loadu_epi32(mask, sum + j + 1), _mm512_maskz_loadu_epi32(mask, sum + j));
    c = _mm512_fmadd_ps(_mm512_cvtepi32_ps(v), _mm512_maskz_loadu_ps(mask, s + j), c);
  }
  return _mm512_reduce_add_ps(c);
}

EAS_TARGET_AVX2 static float thin_sum_avx2(const int32_t *sum, const float *s, size_t width)
{
  return thin_sum(sum, s, width);
}

/* At most what a window of weighted samples gains, its sum with the shape being c at most. */
static float weighted_gain(const tls_folded *f, const tls_bound *b, size_t width, size_t start, float c)
{
  const int32_t *mass = f->mass + start, *end = mass + width, *plain = f->plain + start;
  float m = (float)(plain[width] - plain[0]), high = b->depth * (m + b->slack), q = b->light;
  if (!(m + b->slack > b->least) || !(c > 0)) return -1;
  for (int k = 0; k < TLS_FINE; k++) q += (float)(end[-b->fine.edge[k]] - mass[b->fine.edge[k]]) * b->fine_square[k];
  float low = fmaxf(b->depth * (m - b->slack), 0);
  return 2 * high * c - low * low * q;
}

float tls_gain(const tls_plan *plan, const tls_folded *f, size_t k, size_t start)
{
  const tls_row *row = &plan->row[k];
  const tls_bound *b = &plan->bound[k];
  const int32_t *sum = f->sum + start;
  const float *s = plan->thin + row->at;
  float c = plan->level == EAS_SIMD_AVX512 ? thin_sum_512(sum, s, row->width)
            : plan->level == EAS_SIMD_AVX2 ? thin_sum_avx2(sum, s, row->width)
                                           : thin_sum(sum, s, row->width);
  size_t from = start / TLS_BLOCK, to = (start + row->width - 1) / TLS_BLOCK + 1;
  float energy = (float)(f->squares[to] - f->squares[from]) * plan->square, width = (float)row->width;
  c += b->slack + (width / WIDE + 2 * WIDE) * 6e-8F * 0.5F * sqrtf(width * energy); /* each sum rounds so much */
  float m = (float)(sum[row->width] - sum[0]), high = m + b->slack, low = b->depth * (m - b->slack);
  if (plan->w != NULL) return weighted_gain(f, b, row->width, start, c);
  return high > b->least ? b->depth * high * 2 * c - low * low * b->squares : -1;
}

typedef struct {
  double m, c, q;
} window_sums;

static double total(const double *lane)
{
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

EAS_INLINE window_sums sums_plain(const double *e, const int32_t *order, const double *s, size_t width)
{
  double m[LANES] = { 0 }, c[LANES] = { 0 };
  size_t j = 0;
  for (; j + LANES <= width; j += LANES) {
    for (int l = 0; l < LANES; l++) {
      double x = e[order[j + (size_t)l]];
      m[l] += x;
      c[l] += x * s[j + (size_t)l];
    }
  }
  for (int l = 0; j < width; j++, l++) {
    m[l] += e[order[j]];
    c[l] += e[order[j]] * s[j];
  }
  return (window_sums){ .m = total(m), .c = total(c) };
}

EAS_TARGET_AVX512 static window_sums sums_avx512(const double *e, const int32_t *order, const double *s, size_t width)
{
  __m512d m = _mm512_setzero_pd(), c = m;
  size_t j = 0;
  for (; j + LANES <= width; j += LANES) {
    __m512d x = _mm512_i32gather_pd(_mm256_loadu_si256((const __m256i *)(const void *)(order + j)), e, 8);
    m = _mm512_add_pd(m, x);
    c = _mm512_fmadd_pd(x, _mm512_loadu_pd(s + j), c);
  }
  double ms[LANES], cs[LANES];
  _mm512_storeu_pd(ms, m);
  _mm512_storeu_pd(cs, c);
  for (int l = 0; j < width; j++, l++) {
    ms[l] += e[order[j]];
    cs[l] += e[order[j]] * s[j];
  }
  return (window_sums){ .m = total(ms), .c = total(cs) };
}

EAS_TARGET_AVX2 static window_sums sums_avx2(const double *e, const int32_t *order, const double *s, size_t width)
{
  return sums_plain(e, order, s, width);
}

EAS_INLINE window_sums weighted_plain(const tls_plan *plan, const int32_t *order, const double *s, size_t width)
{
  const double *e = plan->e, *w = plan->w;
  double m[LANES] = { 0 }, c[LANES] = { 0 }, q[LANES] = { 0 };
  size_t j = 0;
  for (; j + LANES <= width; j += LANES) {
    for (size_t l = 0; l < LANES; l++) {
      double x = e[order[j + l]], ws = w[order[j + l]] * s[j + l];
      m[l] += x;
      c[l] += ws * x;
      q[l] += ws * s[j + l];
    }
  }
  for (int l = 0; j < width; j++, l++) {
    double x = e[order[j]], ws = w[order[j]] * s[j];
    m[l] += x;
    c[l] += ws * x;
    q[l] += ws * s[j];
  }
  return (window_sums){ .m = total(m), .c = total(c), .q = total(q) };
}

EAS_TARGET_AVX512 static window_sums weighted_avx512(const tls_plan *plan, const int32_t *order, const double *s,
                                                     size_t width)
{
  return weighted_plain(plan, order, s, width);
}

static window_sums sums_weighted(const tls_plan *plan, const int32_t *order, const double *s, size_t width)
{
  return plan->level == EAS_SIMD_AVX512 ? weighted_avx512(plan, order, s, width)
                                        : weighted_plain(plan, order, s, width);
}

void tls_try(const tls_plan *plan, double depth_min, const int32_t *order, size_t k, size_t start, tls_best *best)
{
  const tls_row *row = &plan->row[k];
  const double *s = plan->shape + row->at;
  window_sums sum;
  if (plan->w != NULL)
    sum = sums_weighted(plan, order + start, s, row->width);
  else if (plan->level == EAS_SIMD_AVX512)
    sum = sums_avx512(plan->e, order + start, s, row->width);
  else if (plan->level == EAS_SIMD_AVX2)
    sum = sums_avx2(plan->e, order + start, s, row->width);
  else
    sum = sums_plain(plan->e, order + start, s, row->width);
  if (plan->w == NULL) {
    sum.c *= plan->weight;
    sum.q = plan->weight * row->squares;
  }
  double mean = sum.m / (double)row->width;
  if (!(mean > depth_min)) return;
  double depth = row->overshoot * mean, r = 2 * depth;
  double chi2 = plan->flat - 2 * r * sum.c + r * r * sum.q;
  if (!tls_better(chi2, (int32_t)k, (int32_t)start, best)) return;
  *best = (tls_best){ .chi2 = chi2, .depth = depth, .row = (int32_t)k, .start = (int32_t)start };
}
