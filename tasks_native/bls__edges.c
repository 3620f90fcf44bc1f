/* bls__edges.c: samples much denser than bins, at any cadence: the fold as running sums over time, looked up where bins begin.
 *
 * With S(x) the sum of all samples before x, the prefix sum of a cycle at an edge is S(edge) - S(begin of the cycle): as many
 * look-ups as the light curve has bins, and no sample is touched. Sums are kept in 64-bit fixed point: differences are exact
 * however long the light curve. Where an edge is so near to a sample that rounding decides, the trial is folded by samples. */
#include <string.h>
#include "bls_parts.h"

enum {
  CELLS_MOST = 8 /* per sample */,
  PAY = 2 /* samples of a bin from which this is faster */,
  BLOCK = 64,
  SPARE = 8
};

static const size_t samples_most = (size_t)1 << 30;
static const double beyond = 1.5; /* the place in a cell without sample: behind its end */

int bls_edges_pay(const bls_setup *s)
{
  const eas_bls_job *job = s->job;
  double edges = (job->time[job->n - 1] - job->time[0]) / s->bin;
  return job->n < samples_most && PAY * edges <= (double)job->n;
}

size_t bls_edges_plan_size(const bls_setup *s)
{
  if (!bls_edges_pay(s)) return 0;
  return ((CELLS_MOST + 2) * s->job->n + SPARE) * sizeof(int64_t);
}

/* A cell: samples before it, and the place in it of its own, in 30 bits behind the point. */
static int64_t cell_of(size_t before, double place)
{
  return (int64_t)before << 31 | (int64_t)(place * 0x1p30);
}

/* A power of two that makes sums of this size fit 61 bits. */
static double scale_of(double size)
{
  int exponent = 0;
  frexp(size, &exponent);
  return size > 0 ? ldexp(1, 60 - exponent < 1000 ? 60 - exponent : 1000) : 1;
}

int bls_edges_prepare(bls_plan *plan, void *memory)
{
  bls_edges *e = &plan->edges;
  const bls_setup *s = &plan->setup;
  const double *x = plan->x;
  size_t n = s->job->n, at = 0;
  double least = INFINITY;
  if (!bls_edges_pay(s) || !isfinite(s->y_size) || !isfinite(s->w_total)) return 0;
  for (size_t i = 1; i < n; i++) least = fmin(least, x[i] - x[i - 1]);
  double unit = 0.999 * least, cells = x[n - 1] / unit;
  if (!(cells < (double)(CELLS_MOST * n - SPARE))) return 0;

  int64_t *sum = memory, *weight = sum + n + 1, *cell = weight + n + 1;
  *e = (bls_edges){ .unit = unit, .last = floor(cells) + 1.5, .doubt = 4e-15 * cells + 4e-9 };
  e->scale = scale_of(s->y_size);
  e->weight_scale = s->job->ivar != NULL ? scale_of(s->w_total) : 1;
  sum[0] = weight[0] = 0;
  for (size_t i = 0; i < n; i++) {
    double z = x[i] / unit;
    size_t k = (size_t)z;
    if (k < at) return 0;
    while (at < k) cell[at++] = cell_of(i, beyond);
    cell[at++] = cell_of(i, z - (double)k);
    sum[i + 1] = sum[i] + llrint(plan->yw[2 * i] * e->scale);
    weight[i + 1] = weight[i] + llrint(plan->yw[2 * i + 1] * e->weight_scale);
  }
  cell[at] = cell_of(n, beyond);
  e->sum = sum;
  e->weight = s->job->ivar != NULL ? weight : NULL;
  e->cell = cell;
  return 1;
}

/* Adds the sums before the edges first .. n - 1 of a cycle that begins at a cell; how many are doubtful. Block by block, in
 * loops of vectors and loops of look-ups: the gathers of vector instructions are slower than those. */
EAS_INLINE int64_t add_edges(const bls_edges *e, double begin, double step, size_t first, size_t n,
                             uint64_t *restrict y, uint64_t *restrict w)
{
  int32_t k[BLOCK];
  int64_t c[BLOCK], place[BLOCK], doubtful = 0;
  double part[BLOCK];
  const int64_t *cell = e->cell, *sum = e->sum, *weight = e->weight;
  const double last = e->last, low = e->doubt, high = 1 - e->doubt;
  for (size_t j = first; j < n; j += BLOCK) {
    int m = n - j < BLOCK ? (int)(n - j) : BLOCK;
    for (int l = 0; l < BLOCK; l++) {
      double z = begin + (double)((int32_t)j + l) * step;
      z = z < last ? z : last;
      k[l] = (int32_t)z;
      part[l] = z - (double)k[l];
    }
    for (int l = 0; l < BLOCK; l++) c[l] = cell[k[l]];
    int64_t off_edge = 0;
    for (int l = 0; l < BLOCK; l++) {
      double off = (double)(c[l] & 0x7fffffff) * 0x1p-30 - part[l];
      off_edge += ((part[l] < low) | (part[l] > high) | (fabs(off) < low)) & (l < m);
      place[l] = (c[l] >> 31) + (off < 0);
    }
    doubtful += off_edge;
    for (int l = 0; l < m; l++) y[j + (size_t)l] += (uint64_t)sum[place[l]];
    if (weight != NULL)
      for (int l = 0; l < m; l++) w[j + (size_t)l] += (uint64_t)weight[place[l]];
    else
      for (int l = 0; l < m; l++) w[j + (size_t)l] += (uint64_t)place[l];
  }
  return doubtful;
}

EAS_TARGET_AVX512 static int64_t add_avx512(const bls_edges *e, double begin, double step, size_t first, size_t n,
                                            uint64_t *y, uint64_t *w)
{
  return add_edges(e, begin, step, first, n, y, w);
}

EAS_TARGET_AVX2 static int64_t add_avx2(const bls_edges *e, double begin, double step, size_t first, size_t n,
                                        uint64_t *y, uint64_t *w)
{
  return add_edges(e, begin, step, first, n, y, w);
}

static int64_t add_sse2(const bls_edges *e, double begin, double step, size_t first, size_t n, uint64_t *y, uint64_t *w)
{
  return add_edges(e, begin, step, first, n, y, w);
}

/* From sums over cycles of what is before each edge to prefix sums over bins; all: of all samples. */
static void finish(const uint64_t *before, size_t bins, int64_t all, double unscale, double *out)
{
  for (size_t j = 0; j < bins; j++) out[j] = (double)(int64_t)(before[j] - before[0]) * unscale;
  out[bins] = (double)all * unscale;
}

int bls_edges_fold(const bls_plan *plan, double period, size_t bins, double *y, double *w, double *work)
{
  const bls_edges *e = &plan->edges;
  const bls_setup *s = &plan->setup;
  size_t n = s->job->n;
  double step = s->bin / e->unit, cycle = period / e->unit, cycles = floor(plan->x[n - 1] / period) + 1;
  if (e->cell == NULL || !((double)bins * cycles * PAY <= (double)n)) return 0;
  uint64_t *sum = (uint64_t *)(void *)work, *weight = sum + plan->cells; /* they may wrap: their differences do not */
  memset(sum, 0, bins * sizeof *sum);
  memset(weight, 0, bins * sizeof *weight);
  for (double c = 0; c < cycles; c++) {
    size_t first = c == 0; /* nothing is before the first sample, which is at 0 */
    int64_t doubtful = plan->level == EAS_SIMD_AVX512 ? add_avx512(e, c * cycle, step, first, bins, sum, weight)
                       : plan->level == EAS_SIMD_AVX2 ? add_avx2(e, c * cycle, step, first, bins, sum, weight)
                                                      : add_sse2(e, c * cycle, step, first, bins, sum, weight);
    if (doubtful != 0) return 0;
  }
  finish(sum, bins, e->sum[n], 1 / e->scale, y);
  finish(weight, bins, e->weight != NULL ? e->weight[n] : (int64_t)n, 1 / e->weight_scale, w);
  bls_wrap_sums(s, bins, y, w);
  return 1;
}
