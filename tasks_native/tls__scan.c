/* tls__scan.c: the windows of a trial that may beat the best: bounds by blocks of starts, then of each start. A bound holds whatever was found before, so the winner is the same in any order of trying. */
#include <immintrin.h>
#include "tls_parts.h"

enum {
  HEAP = 256,
  NARROW = 128, /* rows up to this are tried at once */
  ROWS = 64,    /* scanned together */
  TILE = 128    /* blocks */
};

/* What a row must gain, in squares of quanta, to be worth the exact sums. */
static float wanted(const tls_plan *plan, const tls_best *best)
{
  double gain = plan->flat - best->chi2;
  gain -= 1e-5 * fabs(gain) + 1e-9 * fabs(plan->flat);
  return (float)(gain / (plan->weight * plan->quantum * plan->quantum));
}

typedef struct {
  const tls_plan *plan;
  const tls_folded *f;
  const tls_bound *bound;
  const eas_tls_job *job;
  size_t k, width, stride, last;                     /* row, of which starts are 0, stride, .. <= last */
  const int32_t *high[TLS_COARSE], *low[TLS_COARSE]; /* extremes where the coarse boxes end and begin */
  size_t reach;                                      /* blocks that windows of a block of starts touch */
  /* What the coarse boxes miss is at most base + miss E: sqrt(E) <= (E + u) / (2 sqrt(u)), u the usual E. */
  float base, miss;
} scan;

/* Bit l is set where windows l may gain what is wanted: sums at most m and at least low, their shape's sums at most c. */
EAS_INLINE uint32_t gains_worth(const tls_bound *b, int weighted, const float *m, const float *low, const float *c,
                                float want)
{
  uint32_t worth = 0;
  for (int l = 0; l < TLS_BLOCK; l++) {
    float r = b->depth * low[l];
    int gains = b->depth * m[l] * 2 * c[l] - r * r * b->squares >= want && m[l] > b->least;
    if (weighted) gains = c[l] * c[l] >= want * b->squares && c[l] > 0;
    worth |= (uint32_t)gains << l;
  }
  return worth;
}

/* The same of 16 at once. */
EAS_TARGET_AVX512 static inline uint32_t gains_worth_512(const tls_bound *b, int weighted, __m512 m, __m512 low,
                                                         __m512 c, float want)
{
  __m512 squares = _mm512_set1_ps(b->squares), depth = _mm512_set1_ps(b->depth);
  if (weighted) {
    __mmask16 gains = _mm512_cmp_ps_mask(_mm512_mul_ps(c, c), _mm512_set1_ps(want * b->squares), _CMP_GE_OQ);
    return _mm512_mask_cmp_ps_mask(gains, c, _mm512_setzero_ps(), _CMP_GT_OQ);
  }
  __m512 r = _mm512_mul_ps(depth, low), twice = _mm512_add_ps(c, c);
  __m512 gain = _mm512_fmsub_ps(_mm512_mul_ps(depth, m), twice, _mm512_mul_ps(_mm512_mul_ps(r, r), squares));
  __mmask16 gains = _mm512_cmp_ps_mask(gain, _mm512_set1_ps(want), _CMP_GE_OQ);
  return _mm512_mask_cmp_ps_mask(gains, m, _mm512_set1_ps(b->least), _CMP_GT_OQ);
}

/* Of TLS_BLOCK blocks of starts from block k0: bits of those where one may win. */
EAS_INLINE uint32_t blocks_worth(const scan *s, int weighted, size_t k0, float want)
{
  const tls_bound *b = s->bound;
  const int32_t *from = s->f->squares + k0, *to = from + s->reach;
  float m[TLS_BLOCK] = { 0 }, c[TLS_BLOCK];
  for (int l = 0; l < TLS_BLOCK; l++) c[l] = s->base + s->miss * (float)(to[l] - from[l]);
  for (int k = TLS_COARSE - 1; k >= 0; k--) {
    const int32_t *high = s->high[k] + k0, *low = s->low[k] + k0;
    for (int l = 0; l < TLS_BLOCK; l++) {
      m[l] = (float)(high[l] - low[l]);
      c[l] += b->coarse.step[k] * m[l];
    }
  }
  for (int l = 0; l < TLS_BLOCK; l++) m[l] += b->slack;
  return gains_worth(b, weighted, m, m, c, want);
}

EAS_TARGET_AVX512 static inline __m512 difference_512(const int32_t *to, const int32_t *from)
{
  return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(to), _mm512_loadu_si512(from)));
}

EAS_TARGET_AVX512 static inline uint32_t blocks_worth_512(const scan *s, int weighted, size_t k0, float want)
{
  const tls_bound *b = s->bound;
  const int32_t *from = s->f->squares + k0;
  __m512 slack = _mm512_set1_ps(b->slack), m = slack;
  __m512 c = _mm512_fmadd_ps(difference_512(from + s->reach, from), _mm512_set1_ps(s->miss), _mm512_set1_ps(s->base));
  for (int k = TLS_COARSE - 1; k >= 0; k--) {
    m = difference_512(s->high[k] + k0, s->low[k] + k0);
    c = _mm512_fmadd_ps(m, _mm512_set1_ps(b->coarse.step[k]), c);
  }
  m = _mm512_add_ps(m, slack);
  return gains_worth_512(b, weighted, m, m, c, want);
}

/* Of the TLS_BLOCK starts from i on: bits of those that may win, by the boxes; root: of a window's sum of squares. */
EAS_INLINE uint32_t starts_worth(const scan *s, int weighted, const tls_boxes *box, int boxes, size_t i, float root,
                                 float want)
{
  const tls_bound *b = s->bound;
  float m[TLS_BLOCK] = { 0 }, low[TLS_BLOCK], c[TLS_BLOCK];
  for (int l = 0; l < TLS_BLOCK; l++) c[l] = b->slack + box->rest * root;
  for (int k = boxes - 1; k >= 0; k--) {
    const int32_t *from = s->f->sum + i + box->edge[k], *to = s->f->sum + i + s->width - (size_t)box->edge[k];
    float step = box->step[k];
    for (int l = 0; l < TLS_BLOCK; l++) {
      m[l] = (float)(to[l] - from[l]);
      c[l] += step * m[l];
    }
  }
  for (int l = 0; l < TLS_BLOCK; l++) {
    low[l] = m[l] - b->slack;
    m[l] += b->slack;
  }
  return gains_worth(b, weighted, m, low, c, want);
}

EAS_TARGET_AVX512 EAS_INLINE uint32_t starts_worth_512(const scan *s, int weighted, const tls_boxes *box, int boxes,
                                                       size_t i, float root, float want)
{
  const tls_bound *b = s->bound;
  const int32_t *begin = s->f->sum + i, *end = begin + s->width;
  __m512 slack = _mm512_set1_ps(b->slack), c = _mm512_set1_ps(b->slack + box->rest * root), m = slack;
#pragma GCC unroll 16
  for (int k = boxes - 1; k >= 0; k--) {
    m = difference_512(end - box->edge[k], begin + box->edge[k]);
    c = _mm512_fmadd_ps(m, _mm512_set1_ps(box->step[k]), c);
  }
  return gains_worth_512(b, weighted, _mm512_add_ps(m, slack), _mm512_sub_ps(m, slack), c, want);
}

/* Most that one window gains by the finest boxes, which add up to c. */
EAS_INLINE float gain_most(const scan *s, int weighted, size_t i, float c, float root)
{
  const tls_bound *b = s->bound;
  float m = (float)(s->f->sum[i + s->width] - s->f->sum[i]), high = m + b->slack, low = b->depth * (m - b->slack);
  c += b->slack + b->finest.rest * root;
  if (weighted) return c > 0 ? c * c / b->squares : -1;
  return high > b->least ? b->depth * high * 2 * c - low * low * b->squares : -1;
}

EAS_INLINE float finest_at(const scan *s, size_t i)
{
  const tls_boxes *box = &s->bound->finest;
  const int32_t *begin = s->f->sum + i, *end = begin + s->width;
  float c = 0;
  for (int k = box->n - 1; k >= 0; k--) c += box->step[k] * (float)(end[-box->edge[k]] - begin[box->edge[k]]);
  return c;
}

EAS_TARGET_AVX512 static inline float finest_at_512(const scan *s, size_t i)
{
  const tls_boxes *box = &s->bound->finest;
  const int32_t *begin = s->f->sum + i, *end = begin + s->width;
  __m512 c = _mm512_setzero_ps();
  for (int k = 0; k < TLS_FINEST; k += 16) {
    __m512i edge = _mm512_loadu_si512(box->edge + k), back = _mm512_sub_epi32(_mm512_setzero_si512(), edge);
    __m512i inside = _mm512_sub_epi32(_mm512_i32gather_epi32(back, end, 4), _mm512_i32gather_epi32(edge, begin, 4));
    c = _mm512_fmadd_ps(_mm512_cvtepi32_ps(inside), _mm512_loadu_ps(box->step + k), c);
  }
  return _mm512_reduce_add_ps(c);
}

/* Windows that are left, to be tried exactly: the most promising one first. */
typedef struct {
  size_t n;
  float gain[HEAP];
  int32_t row[HEAP], start[HEAP];
} candidates;

static void try_candidates(const scan *s, candidates *list, tls_best *best)
{
  double depth_min = s->job->set.depth_min;
  size_t first = 0;
  for (size_t k = 1; k < list->n; k++)
    if (list->gain[k] > list->gain[first]) first = k;
  for (size_t k = 0; k < list->n; k++) {
    size_t at = k == 0 ? first : k == first ? 0 : k;
    float want = wanted(s->plan, best);
    if (!(list->gain[at] >= want)) continue;
    if (!(tls_gain(s->plan, s->f, (size_t)list->row[at], (size_t)list->start[at]) >= want)) continue;
    tls_try(s->plan, depth_min, s->f->order, (size_t)list->row[at], (size_t)list->start[at], best);
  }
  list->n = 0;
}

EAS_TARGET_AVX512 static inline uint32_t coarse_worth_512(const scan *s, int weighted, size_t i, float root, float want)
{
  return starts_worth_512(s, weighted, &s->bound->coarse, TLS_COARSE, i, root, want);
}

EAS_TARGET_AVX512 static inline uint32_t fine_worth_512(const scan *s, int weighted, size_t i, float root, float want)
{
  return starts_worth_512(s, weighted, &s->bound->fine, TLS_FINE, i, root, want);
}

/* Bits of the starts i .. i + TLS_BLOCK - 1 that a row has. */
EAS_INLINE uint32_t starts_of(const scan *s, size_t i)
{
  uint32_t bits = 0xffff;
  if (s->stride > 1) {
    uint32_t stride = (uint32_t)s->stride, before = ((uint32_t)i + stride - 1) / stride;
    bits = 0;
    for (size_t at = (size_t)before * stride; at < i + TLS_BLOCK; at += stride) bits |= (uint32_t)1 << (at - i);
  }
  if (i + TLS_BLOCK - 1 > s->last) bits &= ((uint32_t)1 << (s->last - i + 1)) - 1;
  return bits;
}

/* Starts i .. i + TLS_BLOCK - 1. */
EAS_INLINE float try_starts(const scan *s, int level, int weighted, size_t i, float root, float want, candidates *list,
                            tls_best *best)
{
  const tls_bound *b = s->bound;
  uint32_t worth = starts_of(s, i);
  if (worth != 0 && level == EAS_SIMD_AVX512) {
    worth &= coarse_worth_512(s, weighted, i, root, want);
    if (worth != 0) worth &= fine_worth_512(s, weighted, i, root, want);
  } else if (worth != 0) {
    worth &= starts_worth(s, weighted, &b->coarse, TLS_COARSE, i, root, want);
    if (worth != 0) worth &= starts_worth(s, weighted, &b->fine, TLS_FINE, i, root, want);
  }
  for (; worth != 0; worth &= worth - 1) {
    size_t at = i + (size_t)__builtin_ctz(worth);
    if (s->width <= NARROW) {
      tls_try(s->plan, s->job->set.depth_min, s->f->order, s->k, at, best);
      want = wanted(s->plan, best);
      continue;
    }
    float sum = level == EAS_SIMD_AVX512 ? finest_at_512(s, at) : finest_at(s, at);
    float gain = gain_most(s, weighted, at, sum, root);
    if (!(gain >= want)) continue;
    list->gain[list->n] = gain;
    list->row[list->n] = (int32_t)s->k;
    list->start[list->n++] = (int32_t)at;
    if (list->n < HEAP) continue;
    try_candidates(s, list, best);
    want = wanted(s->plan, best);
  }
  return want;
}

/* The starts of a row in blocks from .. to. */
EAS_INLINE void scan_row(const scan *s, int level, int weighted, size_t from, size_t to, candidates *list,
                         tls_best *best)
{
  size_t blocks = s->last / TLS_BLOCK + 1;
  float want = wanted(s->plan, best);
  if (to > blocks) to = blocks;
  for (size_t k0 = from; k0 < to; k0 += TLS_BLOCK) {
    uint32_t worth =
        level == EAS_SIMD_AVX512 ? blocks_worth_512(s, weighted, k0, want) : blocks_worth(s, weighted, k0, want);
    if (k0 + TLS_BLOCK > blocks) worth &= ((uint32_t)1 << (blocks - k0)) - 1;
    for (; worth != 0; worth &= worth - 1) {
      size_t k = k0 + (size_t)__builtin_ctz(worth);
      float root = __builtin_sqrtf((float)(s->f->squares[k + s->reach] - s->f->squares[k]) * s->plan->square);
      want = try_starts(s, level, weighted, k * TLS_BLOCK, root, want, list, best);
    }
  }
}

/* Extremes of the sums that stand so many samples behind the starts of a block. */
EAS_INLINE const int32_t *extremes(const int32_t *one, const int32_t *two, size_t samples)
{
  return (samples % TLS_BLOCK == 0 ? one : two) + samples / TLS_BLOCK;
}

EAS_INLINE scan scan_of(const eas_tls_job *job, const tls_folded *f, size_t k)
{
  const tls_plan *plan = job->plan;
  const tls_row *row = &plan->row[k];
  const tls_boxes *box = &plan->bound[k].coarse;
  scan s = { .plan = plan, .f = f, .bound = &plan->bound[k], .job = job, .k = k };
  s.width = row->width;
  s.stride = row->stride;
  s.last = tls_last_start(plan, row);
  if (row->stride == 1 && s.last >= plan->n) s.last = plan->n - 1; /* later ones are the first again */
  s.reach = (row->width + TLS_BLOCK - 2) / TLS_BLOCK + 1;
  float usual = (float)s.reach * TLS_BLOCK / (float)plan->n * 0x1p28F, rest = box->rest * __builtin_sqrtf(plan->square);
  s.miss = 0.5F * rest / __builtin_sqrtf(usual);
  s.base = s.bound->slack + 0.5F * rest * __builtin_sqrtf(usual);
  for (int b = 0; b < TLS_COARSE; b++) {
    s.high[b] = extremes(f->high, f->high2, row->width - (size_t)box->edge[b]);
    s.low[b] = extremes(f->low, f->low2, (size_t)box->edge[b]);
  }
  return s;
}

EAS_INLINE void scan_all(const eas_tls_job *job, double period, const tls_folded *f, int level, int weighted,
                         tls_best *best)
{
  const tls_plan *plan = job->plan;
  size_t first, last, blocks = (plan->n + plan->wrap) / TLS_BLOCK + 1;
  scan rows[ROWS];
  candidates list;
  list.n = 0;
  tls_rows_at(plan, &job->set.star, period, &first, &last);
  for (; first < last; first += ROWS) {
    size_t n = last - first < ROWS ? last - first : ROWS;
    for (size_t r = 0; r < n; r++) rows[r] = scan_of(job, f, first + r);
    for (size_t from = 0; from < blocks; from += TILE) /* all rows of a tile: its sums stay in the nearest cache */
      for (size_t r = 0; r < n; r++) scan_row(&rows[r], level, weighted, from, from + TILE, &list, best);
    try_candidates(&rows[0], &list, best);
  }
}

EAS_TARGET_AVX512 static void scan_avx512(const eas_tls_job *job, double period, const tls_folded *f, tls_best *best)
{
  if (((const tls_plan *)job->plan)->w != NULL)
    scan_all(job, period, f, EAS_SIMD_AVX512, 1, best);
  else
    scan_all(job, period, f, EAS_SIMD_AVX512, 0, best);
}

EAS_TARGET_AVX2 static void scan_avx2(const eas_tls_job *job, double period, const tls_folded *f, tls_best *best)
{
  if (((const tls_plan *)job->plan)->w != NULL)
    scan_all(job, period, f, EAS_SIMD_AVX2, 1, best);
  else
    scan_all(job, period, f, EAS_SIMD_AVX2, 0, best);
}

static void scan_sse2(const eas_tls_job *job, double period, const tls_folded *f, tls_best *best)
{
  scan_all(job, period, f, EAS_SIMD_SSE2, ((const tls_plan *)job->plan)->w != NULL, best);
}

void tls_scan(const eas_tls_job *job, double period, const tls_folded *f, tls_best *best)
{
  const tls_plan *plan = job->plan;
  if (plan->level == EAS_SIMD_AVX512)
    scan_avx512(job, period, f, best);
  else if (plan->level == EAS_SIMD_AVX2)
    scan_avx2(job, period, f, best);
  else
    scan_sse2(job, period, f, best);
}
