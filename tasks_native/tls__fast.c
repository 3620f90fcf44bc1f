/* tls__fast.c: one trial: samples in order of phase, prefix sums in whole quanta, and the scan over them. */
#include <immintrin.h>
#include <string.h>
#include "tls_parts.h"

static size_t rounded(size_t bytes)
{
  return (bytes + 63) / 64 * 64;
}

enum { NEAR = 3 };                 /* starts at each side of a hint */
enum { PADDING = 64 * TLS_BLOCK }; /* what whole vectors may read behind the end */

static size_t cells_of(const tls_plan *plan)
{
  return plan->n + plan->wrap + 1 + PADDING;
}

static size_t blocks_of(const tls_plan *plan)
{
  return cells_of(plan) / TLS_BLOCK + 1;
}

size_t tls_fast_size(const tls_plan *plan)
{
  size_t arrays = plan->w != NULL ? 4 : 2;
  return arrays * rounded(cells_of(plan) * sizeof(int32_t)) + 5 * rounded(blocks_of(plan) * sizeof(int32_t)) +
         tls_order_size(plan) + (plan->path == EAS_TLS_PATH_UNIFORM ? tls_rows_size(plan) : 0);
}

static size_t whole_blocks(size_t n)
{
  return (n + TLS_BLOCK - 1) / TLS_BLOCK + 2;
}

static void fill_behind(size_t blocks, int32_t total, int32_t energy, int32_t *high, int32_t *low, int32_t *squares)
{
  for (size_t k = blocks; k < blocks + 4 * TLS_BLOCK - 4; k++) {
    high[k] = low[k] = total;
    squares[k] = energy;
  }
}

/* Prefix sums of q in order, by whole blocks; what stands behind the last sample in order is 0. */
EAS_INLINE void sum_blocks(const tls_plan *plan, const int32_t *order, size_t n, int32_t *sum, int32_t *high,
                           int32_t *low, int32_t *squares)
{
  const int32_t *q = plan->q;
  const float unit = 1.00001F / plan->square;
  int32_t total = 0, energy = 0;
  size_t blocks = whole_blocks(n);
  for (size_t k = 0; k < blocks; k++) {
    int32_t v[TLS_BLOCK], s[TLS_BLOCK];
    const int32_t *from = order + k * TLS_BLOCK;
    for (int l = 0; l < TLS_BLOCK; l++) v[l] = q[from[l]];
    for (int l = 0; l < TLS_BLOCK; l++) {
      s[l] = total;
      total += v[l];
    }
    int32_t most = s[0], least = s[0];
    float all = 0;
    for (int l = 0; l < TLS_BLOCK; l++) {
      sum[k * TLS_BLOCK + (size_t)l] = s[l];
      most = s[l] > most ? s[l] : most;
      least = s[l] < least ? s[l] : least;
      float top = __builtin_fabsf((float)v[l]) + 1;
      all += top * top;
    }
    high[k] = most;
    low[k] = least;
    squares[k] = energy;
    energy += (int32_t)(all * unit) + 1;
  }
  fill_behind(blocks, total, energy, high, low, squares);
}

/* v[l] + v[l - 1] + .. + v[0] */
EAS_TARGET_AVX512 EAS_INLINE __m512i running_512(__m512i v)
{
  __m512i zero = _mm512_setzero_si512();
  v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
  v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
  v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
  return _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
}

EAS_TARGET_AVX512 static void sum_avx512(const tls_plan *plan, const int32_t *order, size_t n, int32_t *sum,
                                         int32_t *high, int32_t *low, int32_t *squares)
{
  const float unit = 1.00001F / plan->square;
  const __m512 one = _mm512_set1_ps(1);
  const __m512i last = _mm512_set1_epi32(15);
  __m512i total = _mm512_setzero_si512();
  int32_t energy = 0;
  size_t blocks = whole_blocks(n);
  for (size_t k = 0; k < blocks; k++) {
    __m512i v = _mm512_i32gather_epi32(_mm512_loadu_si512(order + k * TLS_BLOCK), plan->q, 4), upto = running_512(v);
    __m512i s = _mm512_add_epi32(total, _mm512_sub_epi32(upto, v));
    _mm512_storeu_si512(sum + k * TLS_BLOCK, s);
    total = _mm512_add_epi32(total, _mm512_permutexvar_epi32(last, upto));
    high[k] = _mm512_reduce_max_epi32(s);
    low[k] = _mm512_reduce_min_epi32(s);
    __m512 top = _mm512_add_ps(_mm512_abs_ps(_mm512_cvtepi32_ps(v)), one);
    squares[k] = energy;
    energy += (int32_t)(_mm512_reduce_add_ps(_mm512_mul_ps(top, top)) * unit) + 1;
  }
  fill_behind(blocks, _mm512_cvtsi512_si32(total), energy, high, low, squares);
}

EAS_TARGET_AVX2 static void sum_avx2(const tls_plan *plan, const int32_t *order, size_t n, int32_t *sum, int32_t *high,
                                     int32_t *low, int32_t *squares)
{
  sum_blocks(plan, order, n, sum, high, low, squares);
}

static void sum_sse2(const tls_plan *plan, const int32_t *order, size_t n, int32_t *sum, int32_t *high, int32_t *low,
                     int32_t *squares)
{
  sum_blocks(plan, order, n, sum, high, low, squares);
}

/* Sums of q before each, in order; n whole blocks. */
EAS_INLINE void sum_plainly(const int32_t *q, const int32_t *order, size_t n, int32_t *sum)
{
  int32_t total = 0;
  for (size_t i = 0; i < n; i++) {
    sum[i] = total;
    total += q[order[i]];
  }
}

EAS_TARGET_AVX512 static void sum_one_512(const int32_t *q, const int32_t *order, size_t n, int32_t *sum)
{
  const __m512i last = _mm512_set1_epi32(15);
  __m512i total = _mm512_setzero_si512();
  for (size_t i = 0; i < n; i += TLS_BLOCK) {
    __m512i v = _mm512_i32gather_epi32(_mm512_loadu_si512(order + i), q, 4), upto = running_512(v);
    _mm512_storeu_si512(sum + i, _mm512_add_epi32(total, _mm512_sub_epi32(upto, v)));
    total = _mm512_add_epi32(total, _mm512_permutexvar_epi32(last, upto));
  }
}

static void sum_one(const tls_plan *plan, const int32_t *q, const int32_t *order, int32_t *sum)
{
  size_t n = whole_blocks(plan->n + plan->wrap + 1) * TLS_BLOCK;
  if (plan->level == EAS_SIMD_AVX512)
    sum_one_512(q, order, n, sum);
  else
    sum_plainly(q, order, n, sum);
}

/* The best window near the hint: it keeps the scan short. */
static void try_hint(const eas_tls_job *job, const tls_folded *f, double period, const tls_best *hint, tls_best *best)
{
  const tls_plan *plan = job->plan;
  size_t first, last, row = (size_t)hint->row;
  tls_rows_at(plan, &job->set.star, period, &first, &last);
  if (hint->row < 0 || row < first || row >= last) return;
  size_t stride = plan->row[row].stride, start = (size_t)hint->start / stride * stride;
  size_t from = start >= NEAR * stride ? start - NEAR * stride : start, best_at = from;
  float most = -INFINITY;
  for (size_t at = from; at <= start + NEAR * stride && at <= tls_last_start(plan, &plan->row[row]); at += stride) {
    float gain = tls_gain(plan, f, row, at);
    if (!(gain > most)) continue;
    most = gain;
    best_at = at;
  }
  if (most > -INFINITY) tls_try(plan, job->set.depth_min, f->order, row, best_at, best);
}

void tls_fast(const eas_tls_job *job, double period, void *work, const tls_best *hint, tls_best *best)
{
  const tls_plan *plan = job->plan;
  char *base = work;
  size_t cells = rounded(cells_of(plan) * sizeof(int32_t)), blocks = rounded(blocks_of(plan) * sizeof(int32_t));
  int32_t *order = (int32_t *)(void *)base, *sum = (int32_t *)(void *)(base + cells);
  int32_t *high = (int32_t *)(void *)(base + 2 * cells), *low = high + blocks / sizeof *high;
  int32_t *squares = low + blocks / sizeof *low;
  size_t all = plan->n + plan->wrap;
  int32_t *plain = (int32_t *)(void *)(base + 2 * cells + 5 * blocks), *mass = plain + cells / sizeof *plain;
  char *rest = base + (plan->w != NULL ? 4 : 2) * cells + 5 * blocks;
  if (plan->path != EAS_TLS_PATH_UNIFORM || !tls_order_rows(plan, period, order, rest + tls_order_size(plan)))
    tls_order(plan, period, order, rest);
  memcpy(order + plan->n, order, plan->wrap * sizeof *order);
  for (size_t i = all; i < all + PADDING; i++) order[i] = (int32_t)plan->n;
  if (plan->level == EAS_SIMD_AVX512)
    sum_avx512(plan, order, all + 1, sum, high, low, squares);
  else if (plan->level == EAS_SIMD_AVX2)
    sum_avx2(plan, order, all + 1, sum, high, low, squares);
  else
    sum_sse2(plan, order, all + 1, sum, high, low, squares);
  int32_t *high2 = squares + blocks / sizeof *high, *low2 = high2 + blocks / sizeof *high;
  for (size_t k = 0; k + 1 < blocks_of(plan); k++) {
    high2[k] = high[k] > high[k + 1] ? high[k] : high[k + 1];
    low2[k] = low[k] < low[k + 1] ? low[k] : low[k + 1];
  }
  tls_folded f = { .order = order,
                   .sum = sum,
                   .high = high,
                   .low = low,
                   .squares = squares,
                   .high2 = high2,
                   .low2 = low2,
                   .plain = plain,
                   .mass = mass };
  if (plan->w != NULL) {
    sum_one(plan, plan->plain, order, plain);
    sum_one(plan, plan->mass, order, mass);
  }
  try_hint(job, &f, period, hint, best);
  tls_scan(job, period, &f, best);
}
