/* tls__order.c: samples by phase at any cadence: buckets by the first bits of a phase, then neighbours compared.
 *
 * The order is that of the definition: the same quotient and floor, ties in order of time. What is sorted are keys of 64
 * bits: a phase to 32 bits, which grows with it, and the sample. Where two of those are alike, the phases decide. */
#include <immintrin.h>
#include <string.h>
#include "tls_parts.h"

enum { LANES = 8, SPARE = 64 };

static size_t rounded(size_t bytes)
{
  return (bytes + 63) / 64 * 64;
}

/* A power of two, one and a half to three a sample. */
static unsigned bucket_bits(size_t n)
{
  unsigned bits = 4;
  while (((size_t)1 << bits) < n + n / 2) bits++;
  return bits;
}

typedef struct {
  const double *x; /* [n] phases, or times of this period */
  double period;   /* 0: x are phases */
  size_t n;
  int level;
  uint32_t *phase; /* [n] a phase to 32 bits */
  uint64_t *key;   /* [n + SPARE] that and the sample */
  uint32_t *count; /* [buckets] */
} sorter;

static sorter lay_out(const double *x, size_t n, double period, int level, void *work)
{
  sorter s = { .x = x, .n = n, .period = period, .level = level };
  char *base = work;
  s.key = (uint64_t *)(void *)base;
  base += rounded((n + SPARE) * sizeof *s.key);
  s.phase = (uint32_t *)(void *)base;
  s.count = (uint32_t *)(void *)(base + rounded((n + SPARE) * sizeof *s.phase));
  return s;
}

size_t tls_sort_size(size_t n)
{
  size_t buckets = (size_t)1 << bucket_bits(n);
  return rounded((n + SPARE) * sizeof(uint64_t)) + rounded((n + SPARE) * sizeof(uint32_t)) +
         rounded((buckets + SPARE) * sizeof(uint32_t));
}

static double phase_of(const sorter *s, size_t i)
{
  return s->period > 0 ? tls_phase(s->x[i], s->period) : s->x[i];
}

EAS_INLINE uint32_t to_32_bits(double phase)
{
  double x = phase * 0x1p32 - 0x1p31;
  x = x < 0x7fffffff ? x : 0x7fffffff;
  return (uint32_t)(int32_t)x ^ 0x80000000u;
}

EAS_INLINE void fill_phases(const sorter *s)
{
  const double *x = s->x, period = s->period;
  uint32_t *restrict phase = s->phase;
  for (size_t i = 0; i < s->n && period > 0; i++) {
    double cycles = x[i] / period;
    phase[i] = to_32_bits(cycles - __builtin_floor(cycles));
  }
  for (size_t i = 0; i < s->n && !(period > 0); i++) phase[i] = to_32_bits(x[i]);
}

EAS_TARGET_AVX512 static void fill_avx512(const sorter *s)
{
  fill_phases(s);
}

EAS_TARGET_AVX2 static void fill_avx2(const sorter *s)
{
  fill_phases(s);
}

static void fill_sse2(const sorter *s)
{
  fill_phases(s);
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

static void fill_buckets(const sorter *s)
{
  unsigned bits = bucket_bits(s->n), shift = 32 - bits;
  size_t buckets = (size_t)1 << bits, n = s->n;
  const uint32_t *restrict phase = s->phase;
  uint32_t *restrict count = s->count;
  memset(count, 0, buckets * sizeof *count);
  for (size_t i = 0; i < n; i++) count[phase[i] >> shift]++;
  if (s->level == EAS_SIMD_AVX512)
    begin_buckets_512(count, buckets);
  else
    begin_buckets(count, buckets);
  uint64_t *restrict key = s->key;
  for (size_t i = 0; i < n; i++) key[count[phase[i] >> shift]++] = (uint64_t)phase[i] << 32 | i;
}

/* Moves key k down to where it belongs among those before it. */
EAS_INLINE void insert(uint64_t *key, size_t k)
{
  uint64_t x = key[k];
  for (; k > 0 && x < key[k - 1]; k--) key[k] = key[k - 1];
  key[k] = x;
}

static void sort_neighbours(uint64_t *key, size_t n)
{
  for (size_t i = 1; i < n; i++)
    if (key[i] < key[i - 1]) insert(key, i);
}

/* Pairs i and i + 1, i + 2 and i + 3, ..: the lower first. */
EAS_TARGET_AVX512 static void order_pairs_512(uint64_t *key, size_t i, size_t n)
{
  for (; i < n; i += LANES) {
    __m512i v = _mm512_loadu_si512(key + i), other = _mm512_permutex_epi64(v, 0xb1);
    __m512i low = _mm512_min_epu64(v, other), high = _mm512_max_epu64(v, other);
    _mm512_storeu_si512(key + i, _mm512_mask_blend_epi64(0xaa, low, high));
  }
}

/* Three turns of pairs put the keys of a bucket in order where they are three or fewer; insertion the others. */
EAS_TARGET_AVX512 static void sort_neighbours_512(uint64_t *key, size_t n)
{
  for (size_t i = n; i < n + SPARE; i++) key[i] = UINT64_MAX;
  order_pairs_512(key, 0, n);
  order_pairs_512(key, 1, n);
  order_pairs_512(key, 0, n);
  for (size_t i = 0; i + 1 < n; i += LANES) {
    __m512i v = _mm512_loadu_si512(key + i), next = _mm512_loadu_si512(key + i + 1);
    if (_mm512_cmpgt_epu64_mask(v, next) == 0) continue;
    for (size_t k = i + 1; k < n && k <= i + LANES; k++)
      if (key[k] < key[k - 1]) insert(key, k);
  }
}

/* Keys first .. of one 32-bit phase into the order of the phases themselves; returns where they end. */
static size_t order_alike(const sorter *s, int32_t *order, size_t first)
{
  size_t end = first + 1;
  for (; end < s->n && s->key[end] >> 32 == s->key[first] >> 32; end++) {
    int32_t sample = order[end];
    double x = phase_of(s, (size_t)sample);
    size_t at = end;
    for (; at > first && x < phase_of(s, (size_t)order[at - 1]); at--) order[at] = order[at - 1];
    order[at] = sample;
  }
  return end;
}

EAS_INLINE void fill_order(const sorter *s, int32_t *restrict order)
{
  const uint64_t *restrict key = s->key;
  uint64_t alike = 0;
  for (size_t i = 0; i + 1 < s->n; i++) alike |= (uint64_t)(key[i] >> 32 == key[i + 1] >> 32);
  for (size_t i = 0; i < s->n; i++) order[i] = (int32_t)(uint32_t)key[i];
  for (size_t i = 0; alike && i < s->n; i = order_alike(s, order, i)) continue;
}

EAS_TARGET_AVX512 static void order_avx512(const sorter *s, int32_t *order)
{
  sort_neighbours_512(s->key, s->n);
  fill_order(s, order);
}

EAS_TARGET_AVX2 static void order_avx2(const sorter *s, int32_t *order)
{
  sort_neighbours(s->key, s->n);
  fill_order(s, order);
}

static void order_sse2(const sorter *s, int32_t *order)
{
  sort_neighbours(s->key, s->n);
  fill_order(s, order);
}

static void sort(const sorter *s, int32_t *order)
{
  if (s->level == EAS_SIMD_AVX512)
    fill_avx512(s);
  else if (s->level == EAS_SIMD_AVX2)
    fill_avx2(s);
  else
    fill_sse2(s);
  fill_buckets(s);
  if (s->level == EAS_SIMD_AVX512)
    order_avx512(s, order);
  else if (s->level == EAS_SIMD_AVX2)
    order_avx2(s, order);
  else
    order_sse2(s, order);
}

void tls_sort_phases(const double *phase, size_t n, int level, int32_t *order, void *work)
{
  sorter s = lay_out(phase, n, 0, level, work);
  sort(&s, order);
}

size_t tls_order_size(const tls_plan *plan)
{
  return tls_sort_size(plan->n);
}

void tls_order(const tls_plan *plan, double period, int32_t *order, void *work)
{
  sorter s = lay_out(plan->time, plan->n, period, plan->level, work);
  sort(&s, order);
}
