/* bls__edges.c: samples much denser than bins, at any cadence: the fold as running sums over time, looked up where bins begin.
 *
 * With S(x) the sum of all samples before x, the prefix sum of a cycle at an edge is S(edge) - S(begin of the cycle): as many
 * look-ups as the light curve has bins, and no sample is touched. Sums are kept in 64-bit fixed point: differences are exact
 * however long the light curve. Where an edge is so near to a sample that rounding decides, the trial is folded by samples. */
#include <immintrin.h>
#include <string.h>
#include "bls_parts.h"

enum { CELLS_MOST = 8 /* per sample */, PAY = 2 /* samples of a bin from which this is faster */, LANES = 8 };

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
  return ((CELLS_MOST + 2) * s->job->n + LANES) * sizeof(int64_t);
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
  if (!(cells < (double)(CELLS_MOST * n - LANES))) return 0;

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

/* Adds the sums before the edges first .. n - 1 of a cycle that begins at a cell; how many are doubtful. */
EAS_INLINE int64_t add_edges(const bls_edges *e, double begin, double step, size_t first, size_t n, int64_t *restrict y,
                             int64_t *restrict w)
{
  int64_t doubtful = 0;
  for (size_t j = first; j < n; j++) {
    double z = begin + (double)j * step;
    z = z < e->last ? z : e->last;
    int32_t k = (int32_t)z;
    double part = z - (double)k;
    int64_t c = e->cell[k], place = c >> 31;
    double off = (double)(c & 0x7fffffff) * 0x1p-30 - part;
    doubtful += (part < e->doubt) | (part > 1 - e->doubt) | (fabs(off) < e->doubt);
    place += off < 0;
    y[j] += e->sum[place];
    w[j] += e->weight != NULL ? e->weight[place] : place;
  }
  return doubtful;
}

EAS_TARGET_AVX512 static int64_t add_avx512(const bls_edges *e, double begin, double step, size_t first, size_t n,
                                            int64_t *y, int64_t *w)
{
  const __m512d one_less = _mm512_set1_pd(1 - e->doubt), doubt = _mm512_set1_pd(e->doubt);
  const __m512i low = _mm512_set1_epi64(0x7fffffff), one = _mm512_set1_epi64(1);
  const __m512d lane = _mm512_setr_pd(0, 1, 2, 3, 4, 5, 6, 7), last = _mm512_set1_pd(e->last);
  __mmask8 doubtful = 0;
  for (size_t j = first; j < n; j += LANES) {
    __mmask8 take = (__mmask8)(n - j < LANES ? (1u << (n - j)) - 1 : 0xffu);
    __m512d at = _mm512_add_pd(_mm512_set1_pd((double)j), lane);
    __m512d z = _mm512_min_pd(_mm512_add_pd(_mm512_set1_pd(begin), _mm512_mul_pd(at, _mm512_set1_pd(step))), last);
    __m256i k = _mm512_cvttpd_epi32(z);
    __m512d part = _mm512_sub_pd(z, _mm512_cvtepi32_pd(k));
    __m512i c = _mm512_i32gather_epi64(k, e->cell, 8), place = _mm512_srai_epi64(c, 31);
    __m512d own = _mm512_mul_pd(_mm512_cvtepi64_pd(_mm512_and_si512(c, low)), _mm512_set1_pd(0x1p-30));
    __m512d off = _mm512_sub_pd(own, part);
    doubtful |= take & (_mm512_cmp_pd_mask(part, doubt, _CMP_LT_OQ) | _mm512_cmp_pd_mask(part, one_less, _CMP_GT_OQ) |
                        _mm512_cmp_pd_mask(_mm512_abs_pd(off), doubt, _CMP_LT_OQ));
    place = _mm512_mask_add_epi64(place, _mm512_cmp_pd_mask(off, _mm512_setzero_pd(), _CMP_LT_OQ), place, one);
    __m512i sum = _mm512_i64gather_epi64(place, e->sum, 8), weight = place;
    if (e->weight != NULL) weight = _mm512_i64gather_epi64(place, e->weight, 8);
    _mm512_mask_storeu_epi64(y + j, take, _mm512_add_epi64(_mm512_maskz_loadu_epi64(take, y + j), sum));
    _mm512_mask_storeu_epi64(w + j, take, _mm512_add_epi64(_mm512_maskz_loadu_epi64(take, w + j), weight));
  }
  return doubtful;
}

EAS_TARGET_AVX2 static int64_t add_avx2(const bls_edges *e, double begin, double step, size_t first, size_t n,
                                        int64_t *y, int64_t *w)
{
  return add_edges(e, begin, step, first, n, y, w);
}

static int64_t add_sse2(const bls_edges *e, double begin, double step, size_t first, size_t n, int64_t *y, int64_t *w)
{
  return add_edges(e, begin, step, first, n, y, w);
}

/* From sums over cycles of what is before each edge to prefix sums over bins; all: of all samples. */
static void finish(const int64_t *before, size_t bins, int64_t all, double unscale, double *out)
{
  for (size_t j = 0; j < bins; j++) out[j] = (double)(int64_t)((uint64_t)before[j] - (uint64_t)before[0]) * unscale;
  out[bins] = (double)all * unscale;
}

int bls_edges_fold(const bls_plan *plan, double period, size_t bins, double *y, double *w, double *work)
{
  const bls_edges *e = &plan->edges;
  const bls_setup *s = &plan->setup;
  size_t n = s->job->n;
  double step = s->bin / e->unit, cycle = period / e->unit, cycles = floor(plan->x[n - 1] / period) + 1;
  if (e->cell == NULL || !((double)bins * cycles * PAY <= (double)n)) return 0;
  uint64_t *sums = (uint64_t *)(void *)work,
           *weights = sums + plan->cells; /* they may wrap: their differences do not */
  int64_t *sum = (int64_t *)(void *)sums, *weight = (int64_t *)(void *)weights;
  memset(sums, 0, bins * sizeof *sums);
  memset(weights, 0, bins * sizeof *weights);
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
