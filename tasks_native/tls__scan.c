/* tls__scan.c: the windows of a trial that may beat the best: bounds by blocks of starts, then of each start.
 *
 * A bound holds whatever was found before, so the winner is the same in any order of trying. */
#include "tls_worth.h"

enum {
  HEAP = 256,
  SEEDS = 3,
  ROWS = 64, /* scanned together */
  TILE_BITS = 7,
  TILE = 1 << TILE_BITS /* blocks */
};

/* What a row must gain, in squares of quanta, to be worth the exact sums. */
static float wanted(const tls_plan *plan, const tls_best *best)
{
  double gain = plan->flat - best->chi2;
  gain -= 1e-5 * fabs(gain) + 1e-9 * fabs(plan->flat);
  return (float)(gain / (plan->weight * plan->quantum * plan->quantum));
}

/* What is left of a tile, in stages: blocks of starts, then starts, each stage a loop without branches over all rows at once. */
typedef struct {
  size_t n_row, n;
  scan row[ROWS];
  uint32_t left[ROWS * TILE + TLS_BLOCK]; /* row and block of the tile (entry_of), then a bit for each start */
  size_t n_window;                        /* windows to be tried exactly, and what they may gain */
  float gain[HEAP];
  int32_t window_row[HEAP], start[HEAP];
} search;

EAS_INLINE uint32_t entry_of(size_t row, size_t block)
{
  return (uint32_t)(row * TILE + block) << 16;
}

/* The most promising one first. */
static void try_windows(const eas_tls_job *job, const tls_folded *f, search *all, tls_best *best)
{
  const tls_plan *plan = job->plan;
  size_t first = 0;
  for (size_t k = 1; k < all->n_window; k++)
    if (all->gain[k] > all->gain[first]) first = k;
  for (size_t k = 0; k < all->n_window; k++) {
    size_t at = k == 0 ? first : k == first ? 0 : k, row = (size_t)all->window_row[at], start = (size_t)all->start[at];
    float want = wanted(plan, best);
    if (!(all->gain[at] >= want)) continue;
    tls_try(plan, job->set.depth_min, f->order, row, start, best);
  }
  all->n_window = 0;
}

/* Bits of the starts i .. i + TLS_BLOCK - 1 that a row has. */
EAS_INLINE uint32_t starts_of(const scan *s, size_t i)
{
  uint32_t bits = 0xffff;
  if (s->stride > 1) {
    uint32_t past = (uint32_t)i % (uint32_t)s->stride, next = past > 0 ? (uint32_t)s->stride - past : 0;
    bits = next < TLS_BLOCK ? s->every << next & 0xffff : 0;
  }
  if (i + TLS_BLOCK - 1 > s->last) bits &= ((uint32_t)1 << (s->last - i + 1)) - 1;
  return bits;
}

EAS_TARGET_AVX512 static inline size_t append_512(uint32_t *left, uint32_t entry, uint32_t bits)
{
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i entries = _mm512_add_epi32(_mm512_set1_epi32((int32_t)entry), _mm512_slli_epi32(lane, 16));
  _mm512_storeu_si512(left, _mm512_maskz_compress_epi32((__mmask16)bits, entries));
  return (size_t)__builtin_popcount(bits);
}

EAS_INLINE size_t append(uint32_t *left, uint32_t entry, uint32_t bits)
{
  size_t n = 0;
  for (; bits != 0; bits &= bits - 1) left[n++] = entry + ((uint32_t)__builtin_ctz(bits) << 16);
  return n;
}

/* Blocks of a tile where a window may gain what is wanted. */
EAS_INLINE void keep_blocks(search *all, int level, int weighted, size_t from, float want)
{
  all->n = 0;
  for (size_t r = 0; r < all->n_row; r++) {
    const scan *s = &all->row[r];
    size_t blocks = s->last / TLS_BLOCK + 1, to = from + TILE < blocks ? from + TILE : blocks;
    for (size_t k = from; k < to; k += TLS_BLOCK) {
      uint32_t worth, entry = entry_of(r, k - from), *left = all->left + all->n;
      worth = level == EAS_SIMD_AVX512 ? blocks_worth_512(s, weighted, k, want) : blocks_worth(s, weighted, k, want);
      if (k + TLS_BLOCK > to) worth &= ((uint32_t)1 << (to - k)) - 1;
      all->n += level == EAS_SIMD_AVX512 ? append_512(left, entry, worth) : append(left, entry, worth);
    }
  }
}

EAS_INLINE float root_of(const scan *s, size_t block)
{
  return __builtin_sqrtf((float)(s->f->squares[block + s->reach] - s->f->squares[block]) * s->plan->square);
}

enum { COARSE, FINE, FINEST };

/* Starts of the blocks left that may gain what is wanted, by a row's boxes. */
EAS_INLINE void keep_starts(search *all, int level, int weighted, int boxes, size_t from, float want)
{
  size_t kept = 0;
  for (size_t e = 0; e < all->n; e++) {
    uint32_t entry = all->left[e];
    const scan *s = &all->row[entry >> 16 >> TILE_BITS];
    size_t block = from + (entry >> 16) % TILE, i = block * TLS_BLOCK;
    uint32_t worth = boxes == COARSE ? starts_of(s, i) : entry & 0xffff;
    if (worth == 0) continue;
    float root = root_of(s, block);
    if (level == EAS_SIMD_AVX512)
      worth &= boxes == COARSE ? coarse_worth_512(s, weighted, i, root, want)
               : boxes == FINE ? fine_worth_512(s, weighted, i, root, want)
                               : finest_worth_512(s, weighted, i, root, want);
    else
      worth &= boxes == COARSE ? starts_worth(s, weighted, &s->bound->coarse, TLS_COARSE, i, root, want)
               : boxes == FINE ? starts_worth(s, weighted, &s->bound->fine, TLS_FINE, i, root, want)
                               : starts_worth(s, weighted, &s->bound->finest, s->bound->finest.n, i, root, want);
    all->left[kept] = (entry & 0xffff0000) | worth;
    kept += worth != 0;
  }
  all->n = kept;
}

/* Bounds of each window that is left, then the exact sums. */
static void try_left(const eas_tls_job *job, const tls_folded *f, search *all, size_t from, tls_best *best)
{
  const tls_plan *plan = job->plan;
  float want = wanted(plan, best);
  for (size_t e = 0; e < all->n; e++) {
    uint32_t entry = all->left[e];
    const scan *s = &all->row[entry >> 16 >> TILE_BITS];
    size_t block = from + (entry >> 16) % TILE;
    for (uint32_t bits = entry & 0xffff; bits != 0; bits &= bits - 1) {
      size_t at = block * TLS_BLOCK + (size_t)__builtin_ctz(bits);
      float gain = tls_gain(plan, f, s->k, at);
      if (!(gain >= want)) continue;
      all->gain[all->n_window] = gain;
      all->window_row[all->n_window] = (int32_t)s->k;
      all->start[all->n_window++] = (int32_t)at;
      if (all->n_window < HEAP) continue;
      try_windows(job, f, all, best);
      want = wanted(plan, best);
    }
  }
}

typedef struct {
  const scan *row;
  size_t block;
  float gain;
} seed;

/* Where high - low is largest, the first of equals. */
EAS_INLINE size_t widest(const int32_t *high, const int32_t *low, size_t blocks)
{
  int32_t most = INT32_MIN;
  size_t k = 0;
  for (; k < blocks; k++) most = high[k] - low[k] > most ? high[k] - low[k] : most;
  for (k = 0; high[k] - low[k] != most;) k++;
  return k;
}

EAS_TARGET_AVX512 static inline size_t widest_512(const int32_t *high, const int32_t *low, size_t blocks)
{
  __m512i most = _mm512_set1_epi32(INT32_MIN);
  size_t k = 0;
  for (; k < blocks; k += TLS_BLOCK) {
    __mmask16 some = (__mmask16)(blocks - k < TLS_BLOCK ? (1u << (blocks - k)) - 1 : 0xffffu);
    __m512i here = _mm512_sub_epi32(_mm512_loadu_si512(high + k), _mm512_loadu_si512(low + k));
    most = _mm512_mask_max_epi32(most, some, most, here);
  }
  __m512i all = _mm512_set1_epi32(_mm512_reduce_max_epi32(most));
  for (k = 0;; k += TLS_BLOCK) {
    __m512i here = _mm512_sub_epi32(_mm512_loadu_si512(high + k), _mm512_loadu_si512(low + k));
    __mmask16 equal = _mm512_cmpeq_epi32_mask(here, all);
    if (equal) return k + (size_t)__builtin_ctz(equal);
  }
}

/* The block of a row whose sum may be the largest, by the window amid it. */
EAS_INLINE seed seed_of(const scan *s, int level, const tls_folded *f)
{
  const int32_t *high = f->high + s->width / TLS_BLOCK, *low = f->low;
  size_t blocks = s->last / TLS_BLOCK + 1;
  size_t block = level == EAS_SIMD_AVX512 ? widest_512(high, low, blocks) : widest(high, low, blocks);
  uint32_t bits = starts_of(s, block * TLS_BLOCK), late = bits & 0xff00;
  if (bits == 0) return (seed){ .row = s, .gain = -INFINITY };
  size_t at = block * TLS_BLOCK + (size_t)__builtin_ctz(late != 0 ? late : bits);
  return (seed){ .row = s, .block = block, .gain = tls_gain(s->plan, f, s->k, at) };
}

/* A window that gains much, lest the bounds be held against a poor one: of the most promising block of some rows. */
EAS_INLINE void try_seeds(const eas_tls_job *job, const tls_folded *f, int level, const search *all, tls_best *best)
{
  const tls_plan *plan = job->plan;
  seed top[SEEDS] = { { .gain = -INFINITY }, { .gain = -INFINITY }, { .gain = -INFINITY } };
  const scan *row = NULL;
  size_t start = 0;
  float most = wanted(plan, best);
  for (size_t r = 0; r < all->n_row; r++) {
    seed here = seed_of(&all->row[r], level, f);
    for (int k = 0; k < SEEDS; k++) {
      if (!(here.gain > top[k].gain)) continue;
      seed less = top[k];
      top[k] = here;
      here = less;
    }
  }
  for (int k = 0; k < SEEDS && top[k].gain > -INFINITY; k++) {
    for (uint32_t bits = starts_of(top[k].row, top[k].block * TLS_BLOCK); bits != 0; bits &= bits - 1) {
      size_t at = top[k].block * TLS_BLOCK + (size_t)__builtin_ctz(bits);
      float gain = tls_gain(plan, f, top[k].row->k, at);
      if (!(gain > most)) continue;
      most = gain;
      row = top[k].row;
      start = at;
    }
  }
  if (row != NULL) tls_try(plan, job->set.depth_min, f->order, row->k, start, best);
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
  for (size_t at = 0; at < TLS_BLOCK; at += row->stride) s.every |= (uint32_t)1 << at;
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
  search all;
  all.n_window = 0;
  tls_rows_at(plan, &job->set.star, period, &first, &last);
  for (; first < last; first += ROWS) {
    all.n_row = last - first < ROWS ? last - first : ROWS;
    for (size_t r = 0; r < all.n_row; r++) all.row[r] = scan_of(job, f, first + r);
    try_seeds(job, f, level, &all, best);
    for (size_t from = 0; from < blocks; from += TILE) { /* all rows of a tile: its sums stay in the nearest cache */
      float want = wanted(plan, best);
      keep_blocks(&all, level, weighted, from, want);
      keep_starts(&all, level, weighted, COARSE, from, want);
      keep_starts(&all, level, weighted, FINE, from, want);
      keep_starts(&all, level, weighted, FINEST, from, want);
      try_left(job, f, &all, from, best);
      try_windows(job, f, &all, best);
    }
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
