/* bls__fold.c: folding by vectors, one sample after the other into the same bins as the reference.
 *
 * Bins come from products with reciprocals; where that could round to another bin than
 * the divisions of the definition, a block is done again by the definition. */
#include <immintrin.h>
#include <string.h>

#include "bls_parts.h"

enum { BLOCK = 64 };
typedef double pair __attribute__((vector_size(16), aligned(8)));

typedef struct {
  double period, inv_period, bin, inv_bin;
  double period_edge; /* a phase above this may belong to the next cycle */
  int32_t bins;
  int many_cycles, dense;
} fold_constants;

static const double cycles_most = 1e9; /* what 32 bits count; beyond, the definition alone */
static const double edge = 1e-7;       /* bins; rounding moves a sample by 1e-8 at most */

EAS_INLINE int64_t bins_of_block(const fold_constants *c, const double *x, int32_t *index)
{
  int64_t doubtful = 0;
  for (int i = 0; i < BLOCK; i++) {
    double cycle = (double)(int32_t)(x[i] * c->inv_period);
    double phase = x[i] - c->period * cycle;
    double u = phase * c->inv_bin;
    int32_t k = (int32_t)u;
    double f = u - (double)k;
    doubtful += (f < edge) | (f > 1 - edge) | (phase > c->period_edge);
    index[i] = k + 1;
  }
  return doubtful;
}

/* The same by masks: a compiler counts in vectors instead. */
EAS_TARGET_AVX512 static inline int64_t bins_of_block_512(const fold_constants *c, const double *x, int32_t *index)
{
  enum { DOWN = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC };
  __m512d inv_period = _mm512_set1_pd(c->inv_period), period = _mm512_set1_pd(c->period);
  __m512d inv_bin = _mm512_set1_pd(c->inv_bin), period_edge = _mm512_set1_pd(c->period_edge);
  __m512d half = _mm512_set1_pd(0.5), sure = _mm512_set1_pd(0.5 - edge);
  __m256i one = _mm256_set1_epi32(1);
  __mmask8 doubtful = 0;
  for (int i = 0; i < BLOCK; i += 8) {
    __m512d at = _mm512_loadu_pd(x + i);
    __m512d cycle = _mm512_roundscale_pd(_mm512_mul_pd(at, inv_period), DOWN);
    __m512d phase = _mm512_sub_pd(at, _mm512_mul_pd(period, cycle)), u = _mm512_mul_pd(phase, inv_bin);
    __m512d off = _mm512_sub_pd(_mm512_sub_pd(u, _mm512_roundscale_pd(u, DOWN)), half);
    doubtful |= _mm512_cmp_pd_mask(_mm512_abs_pd(off), sure, _CMP_GT_OQ);
    doubtful |= _mm512_cmp_pd_mask(phase, period_edge, _CMP_GT_OQ);
    _mm256_storeu_si256((__m256i *)(void *)(index + i), _mm256_add_epi32(_mm512_cvttpd_epi32(u), one));
  }
  return doubtful;
}

static void bins_exactly(const fold_constants *c, const double *x, size_t n, int32_t *index)
{
  for (size_t i = 0; i < n; i++) index[i] = (int32_t)bls_bin_of(x[i], c->period, c->bin, (size_t)c->bins);
}

/* By fours: the compiler does not unroll a loop whose additions may meet. */
EAS_INLINE void add_each(const int32_t *index, const pair *yw, size_t m, pair *sums)
{
  size_t j = 0;
  for (; j + 4 <= m; j += 4) {
    sums[index[j]] += yw[j];
    sums[index[j + 1]] += yw[j + 1];
    sums[index[j + 2]] += yw[j + 2];
    sums[index[j + 3]] += yw[j + 3];
  }
  for (; j < m; j++) sums[index[j]] += yw[j];
}

/* Many samples in a row fall into one bin: a sum that stays in a register need not wait for its own store. */
EAS_INLINE void add_runs(const int32_t *index, const pair *yw, size_t m, pair *sums)
{
  int32_t at = index[0];
  pair sum = sums[at];
  for (size_t j = 0; j < m; j++) {
    if (index[j] != at) {
      sums[at] = sum;
      at = index[j];
      sum = sums[at];
    }
    sum += yw[j];
  }
  sums[at] = sum;
}

EAS_INLINE void fold_samples(const bls_plan *plan, int level, const fold_constants *c, pair *sums)
{
  const double *x = plan->x;
  const pair *yw = (const pair *)(const void *)plan->yw;
  size_t n = plan->setup.job->n, i = 0;
  int32_t index[BLOCK];
  for (; i < n; i += BLOCK) {
    size_t m = n - i < BLOCK ? n - i : BLOCK;
    int sure = m == BLOCK && !c->many_cycles;
    if (sure) sure = (level == EAS_SIMD_AVX512 ? bins_of_block_512 : bins_of_block)(c, x + i, index) == 0;
    if (!sure) bins_exactly(c, x + i, m, index);
    if (c->dense)
      add_runs(index, yw + i, m, sums);
    else
      add_each(index, yw + i, m, sums);
  }
}

EAS_TARGET_AVX512 static void fold_avx512(const bls_plan *plan, const fold_constants *c, pair *sums)
{
  fold_samples(plan, EAS_SIMD_AVX512, c, sums);
}

EAS_TARGET_AVX2 static void fold_avx2(const bls_plan *plan, const fold_constants *c, pair *sums)
{
  fold_samples(plan, EAS_SIMD_AVX2, c, sums);
}

static void fold_sse2(const bls_plan *plan, const fold_constants *c, pair *sums)
{
  fold_samples(plan, EAS_SIMD_SSE2, c, sums);
}

void bls_fold_fast(const bls_plan *plan, double period, size_t bins, double *y, double *w, double *pairs)
{
  const bls_setup *s = &plan->setup;
  pair *sums = (pair *)(void *)pairs;
  fold_constants c = { .period = period,
                       .inv_period = 1.0 / period,
                       .bin = s->bin,
                       .inv_bin = 1.0 / s->bin,
                       .period_edge = period - edge * s->bin,
                       .bins = (int32_t)bins,
                       .dense = plan->x[s->job->n - 1] < 0.4 * s->bin * (double)s->job->n,
                       .many_cycles = !(plan->x[s->job->n - 1] / period < cycles_most) };
  memset(pairs, 0, 2 * (bins + s->pad + 1) * sizeof *pairs);
  if (plan->level == EAS_SIMD_AVX512)
    fold_avx512(plan, &c, sums);
  else if (plan->level == EAS_SIMD_AVX2)
    fold_avx2(plan, &c, sums);
  else
    fold_sse2(plan, &c, sums);

  size_t to = s->job->set.wrap == EAS_BLS_WRAP_FULL ? bins : bins - 1;
  for (size_t k = 1; k <= s->pad; k++) sums[to + k] = sums[k];
  pair sum = sums[0];
  for (size_t k = 0; k <= bins + s->pad; k++) {
    if (k > 0) sum += sums[k];
    y[k] = sum[0];
    w[k] = sum[1];
  }
}
