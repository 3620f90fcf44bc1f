/* bls__fold.c: folding by vectors, one sample after the other into the same bins as the reference.
 *
 * Bins come from products with reciprocals; where that could round to another bin than
 * the divisions of the definition, a block is done again by the definition. */
#include "bls_parts.h"
#include <string.h>

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

static void bins_exactly(const fold_constants *c, const double *x, size_t n, int32_t *index)
{
  for (size_t i = 0; i < n; i++) index[i] = (int32_t)bls_bin_of(x[i], c->period, c->bin, (size_t)c->bins);
}

EAS_INLINE void add_each(const int32_t *index, const pair *yw, size_t m, pair *sums)
{
  for (size_t j = 0; j < m; j++) sums[index[j]] += yw[j];
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

EAS_INLINE void fold_samples(const bls_plan *plan, const fold_constants *c, pair *sums)
{
  const double *x = plan->x;
  const pair *yw = (const pair *)(const void *)plan->yw;
  size_t n = plan->setup.job->n, i = 0;
  int32_t index[BLOCK];
  for (; i < n; i += BLOCK) {
    size_t m = n - i < BLOCK ? n - i : BLOCK;
    if (m < BLOCK || c->many_cycles || bins_of_block(c, x + i, index) != 0) bins_exactly(c, x + i, m, index);
    if (c->dense)
      add_runs(index, yw + i, m, sums);
    else
      add_each(index, yw + i, m, sums);
  }
}

EAS_TARGET_AVX512 static void fold_avx512(const bls_plan *plan, const fold_constants *c, pair *sums)
{
  fold_samples(plan, c, sums);
}

EAS_TARGET_AVX2 static void fold_avx2(const bls_plan *plan, const fold_constants *c, pair *sums)
{
  fold_samples(plan, c, sums);
}

static void fold_sse2(const bls_plan *plan, const fold_constants *c, pair *sums)
{
  fold_samples(plan, c, sums);
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
