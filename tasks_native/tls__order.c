/* tls__order.c: samples by phase at any cadence: twice as many buckets as samples, then insertion within.
 *
 * The order is that of the definition: the same quotient and floor, ties in order of time. */
#include <immintrin.h>
#include <string.h>
#include "tls_parts.h"

enum { SPREAD = 2 }; /* buckets per sample */

static size_t rounded(size_t bytes)
{
  return (bytes + 63) / 64 * 64;
}

size_t tls_order_size(const tls_plan *plan)
{
  return 2 * rounded(plan->n * sizeof(double)) + rounded((plan->n + 64) * sizeof(uint32_t)) +
         rounded((SPREAD * plan->n + 64) * sizeof(uint32_t));
}

EAS_INLINE void phases_of(const double *time, size_t n, double period, double scale, double *phase, uint32_t *bucket)
{
  for (size_t i = 0; i < n; i++) {
    double cycles = time[i] / period;
    double f = cycles - __builtin_floor(cycles);
    phase[i] = f;
    bucket[i] = (uint32_t)(int32_t)(f * scale);
  }
}

EAS_TARGET_AVX512 static void phases_avx512(const double *time, size_t n, double period, double scale, double *phase,
                                            uint32_t *bucket)
{
  phases_of(time, n, period, scale, phase, bucket);
}

EAS_TARGET_AVX2 static void phases_avx2(const double *time, size_t n, double period, double scale, double *phase,
                                        uint32_t *bucket)
{
  phases_of(time, n, period, scale, phase, bucket);
}

static void phases_sse2(const double *time, size_t n, double period, double scale, double *phase, uint32_t *bucket)
{
  phases_of(time, n, period, scale, phase, bucket);
}

static void phases(const tls_plan *plan, double period, double *phase, uint32_t *bucket)
{
  double scale = SPREAD * (double)plan->n; /* a phase that rounds to 1 goes to one bucket more */
  if (plan->level == EAS_SIMD_AVX512)
    phases_avx512(plan->time, plan->n, period, scale, phase, bucket);
  else if (plan->level == EAS_SIMD_AVX2)
    phases_avx2(plan->time, plan->n, period, scale, phase, bucket);
  else
    phases_sse2(plan->time, plan->n, period, scale, phase, bucket);
}

/* Turns counts into where each bucket begins. n is a multiple of 16. */
static void begin_buckets(uint32_t *count, size_t n)
{
  uint32_t before = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t here = count[i];
    count[i] = before;
    before += here;
  }
}

EAS_TARGET_AVX512 static void begin_buckets_512(uint32_t *count, size_t n)
{
  __m512i before = _mm512_setzero_si512(), zero = before, last = _mm512_set1_epi32(15);
  for (size_t i = 0; i < n; i += 16) {
    __m512i here = _mm512_loadu_si512(count + i), v = here;
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
    _mm512_storeu_si512(count + i, _mm512_add_epi32(before, _mm512_sub_epi32(v, here)));
    before = _mm512_add_epi32(before, _mm512_permutexvar_epi32(last, v));
  }
}

static void sort_buckets(const double *phase, const uint32_t *bucket, size_t n, size_t buckets, int level,
                         int32_t *order, double *sorted, uint32_t *count)
{
  size_t all = (buckets + 1 + 15) / 16 * 16;
  memset(count, 0, all * sizeof *count);
  for (size_t i = 0; i < n; i++) count[bucket[i]]++;
  if (level == EAS_SIMD_AVX512)
    begin_buckets_512(count, all);
  else
    begin_buckets(count, all);
  for (size_t i = 0; i < n; i++) {
    uint32_t to = count[bucket[i]]++;
    sorted[to] = phase[i];
    order[to] = (int32_t)i;
  }
  for (size_t i = 1; i < n; i++) {
    double x = sorted[i];
    if (!(x < sorted[i - 1])) continue;
    int32_t sample = order[i];
    size_t j = i;
    for (; j > 0 && x < sorted[j - 1]; j--) {
      sorted[j] = sorted[j - 1];
      order[j] = order[j - 1];
    }
    sorted[j] = x;
    order[j] = sample;
  }
}

void tls_sort_phases(const double *phase, size_t n, int32_t *order, double *sorted, uint32_t *bucket, uint32_t *count)
{
  for (size_t i = 0; i < n; i++) bucket[i] = (uint32_t)(phase[i] * (double)n);
  sort_buckets(phase, bucket, n, n, EAS_SIMD_SSE2, order, sorted, count);
}

void tls_order(const tls_plan *plan, double period, int32_t *order, void *work)
{
  size_t n = plan->n, doubles = rounded(n * sizeof(double)), words = rounded((n + 64) * sizeof(uint32_t));
  char *base = work;
  double *phase = (double *)(void *)base, *sorted = (double *)(void *)(base + doubles);
  uint32_t *bucket = (uint32_t *)(void *)(base + 2 * doubles);
  phases(plan, period, phase, bucket);
  sort_buckets(phase, bucket, n, SPREAD * n, plan->level, order, sorted,
               (uint32_t *)(void *)(base + 2 * doubles + words));
}
