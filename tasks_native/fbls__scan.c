/* fbls__scan.c: the best box of each folded trial, by vectors of single precision.
 *
 * Where every bin has the same weight, the weight in a box depends only on how many of its bins the last, partial row
 * fills. A trial s has that row shifted by s bins; its sums are turned so that the row begins at 0, and then the factors
 * that make a score of a sum are the same for all trials of a block. */
#include "fbls_parts.h"

enum { TWOS = 12, GROUP = 64, PARTS = 768 };

typedef uint32_t float_bits __attribute__((may_alias));

typedef struct {
  size_t n_width, part_end[FBLS_WIDTHS];
  const float *v_part[PARTS], *w_part[PARTS]; /* w_part[0] NULL: every bin has the same weight */
  float scale_full[FBLS_WIDTHS], scale_rest[FBLS_WIDTHS];
  size_t zone[5], stride; /* flat, edge, flat, edge */
  const float *edge[2];
  float *best; /* [zone[4]] */
  float total, least, factor;
  int both, likelihood;
} fbls_row;

#define LANES 16
#define LANES_NAME(x) x##_avx512
#define LANES_TARGET EAS_TARGET_AVX512
#include "fbls_lanes.h"
#define LANES 8
#define LANES_NAME(x) x##_avx2
#define LANES_TARGET EAS_TARGET_AVX2
#include "fbls_lanes.h"
#define LANES 4
#define LANES_NAME(x) x##_sse2
#define LANES_TARGET
#include "fbls_lanes.h"

static size_t overlap(const fbls_block *b, size_t start, size_t width)
{
  size_t end = start + width, n = start < b->full ? (end < b->full ? end : b->full) - start : 0;
  if (end > b->p) n += end - b->p < b->full ? end - b->p : b->full;
  return n;
}

static double weight_of(const fbls_block *b, size_t width, size_t filled)
{
  return (double)b->stage->each * ((double)width * (double)(b->m - 1) + (double)filled);
}

/* What the last bin lacks if it holds data for a part of its width alone. */
static double missing(const fbls_block *b, size_t start, size_t width)
{
  size_t last = b->full - 1 < start ? b->full - 1 + b->p : b->full - 1;
  return last < start + width ? (double)b->stage->each - (double)b->stage->w[b->stage->n - 1] : 0;
}

static size_t widest_of(const fbls_block *b)
{
  return b->stage->width[b->n_width - 1];
}

/* Starts whose boxes may reach over an end of the last row, in whole groups. */
static void find_zones(const fbls_block *b, fbls_row *r)
{
  size_t widest = widest_of(b), end = (b->p + GROUP - 1) / GROUP * GROUP;
  size_t z[5] = { 0, b->full + 1 > widest ? (b->full + 1 - widest) / GROUP * GROUP : 0,
                  (b->full + GROUP - 1) / GROUP * GROUP, (b->p + 1 - widest) / GROUP * GROUP, end };
  if (z[3] < z[2]) z[3] = z[2];
  memcpy(r->zone, z, sizeof z);
}

/* Factors at the starts i0 .. i1 of a zone, for a width: those of a flat part, but over the ends of the last row. */
static void fill_edge(const fbls_block *b, size_t width, const float *scale, size_t i0, size_t i1, float *edge)
{
  size_t low = b->full + 1 > width ? b->full + 1 - width : 0, high = b->p + 1 - width;
  for (size_t i = i0; i < i1; i++) edge[i - i0] = i < b->full ? scale[width] : scale[0];
  for (size_t i = low > i0 ? low : i0; i < b->full && i < i1; i++) edge[i - i0] = scale[overlap(b, i, width)];
  for (size_t i = high > i0 ? high : i0; i < b->p && i < i1; i++) edge[i - i0] = scale[overlap(b, i, width)];
}

static void make_scales(const fbls_block *b, fbls_scratch *s, fbls_row *r)
{
  const eas_fbls_settings *set = &b->plan->job->set;
  const fbls_block *of = &s->scale_of;
  int known = of->stage == b->stage && of->m == b->m && of->n_width == b->n_width;
  size_t stride = b->plan->w_most + 1, second;
  s->scale_of = *b;
  find_zones(b, r);
  r->stride = (r->zone[2] - r->zone[1]) + (r->zone[4] - r->zone[3]);
  second = r->zone[2] - r->zone[1];
  r->edge[0] = s->edge;
  r->edge[1] = s->edge + second;
  for (size_t k = 0; k < b->n_width; k++) {
    size_t width = b->stage->width[k];
    float *scale = s->scale + k * stride;
    for (size_t o = 0; !known && o <= width; o++)
      scale[o] = (float)sqrt(fbls_score(set, -1, weight_of(b, width, o), b->stage->total));
    r->scale_full[k] = scale[width];
    r->scale_rest[k] = scale[0];
    fill_edge(b, width, scale, r->zone[1], r->zone[2], s->edge + k * r->stride);
    fill_edge(b, width, scale, r->zone[3], r->zone[4], s->edge + k * r->stride + second);
  }
}

/* Largest sum of 1, 2, 4 .. bins that widths are made of. */
static size_t top_of(const fbls_block *b)
{
  size_t widest = 0, before = 0, top = 0;
  for (size_t k = 0; k < b->n_width; k++) {
    if (b->stage->width[k] - before > widest) widest = b->stage->width[k] - before;
    before = b->stage->width[k];
  }
  while (top + 1 < TWOS && (size_t)2 << top <= widest) top++;
  return top;
}

static void list_parts(const fbls_block *b, const fbls_scratch *s, size_t top, int weighted, fbls_row *r)
{
  size_t known = 0, part = 0;
  for (size_t k = 0; k < b->n_width; k++) {
    while (known < b->stage->width[k]) {
      size_t bit = top;
      while ((size_t)1 << bit > b->stage->width[k] - known) bit--;
      r->v_part[part] = s->twos[0][bit] + known;
      r->w_part[part++] = weighted ? s->twos[1][bit] + known : NULL;
      known += (size_t)1 << bit;
    }
    r->part_end[k] = part;
  }
}

EAS_INLINE void make_twos(float *const *twos, size_t top, size_t n)
{
  for (size_t j = 1; j <= top; j++) {
    const float *restrict a = twos[j - 1], *restrict b = a + ((size_t)1 << (j - 1));
    float *restrict to = twos[j];
    for (size_t i = 0; i < n - ((size_t)1 << j); i++) to[i] = a[i] + b[i];
  }
}

/* Where best[n] is lowest, if it is below 0. Of negative floats the lowest has the largest bits. */
EAS_INLINE size_t lowest(const float *best, size_t n, float *least)
{
  const float_bits *bits = (const float_bits *)(const void *)best;
  uint32_t most = 0;
  for (size_t i = 0; i < n; i++) most = bits[i] > most ? bits[i] : most;
  memcpy(least, &most, sizeof *least);
  for (size_t i = 0; i < n; i += GROUP) {
    size_t m = n - i < GROUP ? n - i : GROUP;
    int32_t hits = 0;
    for (size_t j = i; j < i + m; j++) hits += bits[j] == most;
    if (hits == 0) continue;
    while (bits[i] != most) i++;
    return i;
  }
  return 0;
}

/* Which width it was, and the sums in double. */
static void store_best(const fbls_block *b, const fbls_scratch *s, const fbls_row *r, size_t trial, size_t turned,
                       size_t at, eas_fbls_peak *out)
{
  int plain = r->w_part[0] == NULL;
  double v = 0, w = 0, best = 0, best_v = 0, best_w = 0;
  size_t best_width = 0, j = 0;
  for (size_t k = 0; k < b->n_width; k++) {
    size_t width = b->stage->width[k];
    for (; j < width; j++) {
      v += (double)s->twos[0][0][at + j];
      w += plain ? 0 : (double)s->twos[1][0][at + j];
    }
    if (plain) w = weight_of(b, width, overlap(b, at, width)) - missing(b, at, width);
    double score = fbls_score(&b->plan->job->set, v, w, b->stage->total);
    if (!(score > best)) continue;
    best = score;
    best_width = width;
    best_v = v;
    best_w = w;
  }
  fbls_store(b, trial, (at + turned) % b->p, best_width, best_v, best_w, out);
}

static void copy_row(const float *from, size_t p, size_t turned, size_t more, float *to)
{
  memcpy(to, from + turned, (p - turned) * sizeof *to);
  memcpy(to + p - turned, from, turned * sizeof *to);
  memcpy(to + p, to, more * sizeof *to);
}

EAS_INLINE void scan_block(const fbls_block *b, fbls_scratch *s, const float *v, const float *w, fbls_row *r,
                           void (*scan_row)(const fbls_row *), eas_fbls_peak *peaks)
{
  size_t p = b->p, widest = widest_of(b), top = top_of(b);
  list_parts(b, s, top, w != NULL, r);
  for (size_t trial = 0; trial < b->rows; trial++) {
    size_t turned = w == NULL ? (p - trial * b->stride % p) % p : 0;
    float least;
    copy_row(v + trial * p, p, turned, widest, s->twos[0][0]);
    make_twos(s->twos[0], top, p + widest);
    if (w != NULL) {
      copy_row(w + trial * p, p, turned, widest, s->twos[1][0]);
      make_twos(s->twos[1], top, p + widest);
    }
    scan_row(r);
    size_t at = lowest(s->best, p, &least);
    if (least < 0)
      store_best(b, s, r, trial, turned, at, peaks + trial);
    else
      fbls_store(b, trial, 0, 0, 0, 0, peaks + trial);
  }
}

EAS_TARGET_AVX512 static void scan_avx512(const fbls_block *b, fbls_scratch *s, const float *v, const float *w,
                                          fbls_row *r, eas_fbls_peak *peaks)
{
  scan_block(b, s, v, w, r, scan_row_avx512, peaks);
}

EAS_TARGET_AVX2 static void scan_avx2(const fbls_block *b, fbls_scratch *s, const float *v, const float *w, fbls_row *r,
                                      eas_fbls_peak *peaks)
{
  scan_block(b, s, v, w, r, scan_row_avx2, peaks);
}

void fbls_scan(const fbls_block *b, fbls_scratch *s, eas_fbls_peak *peaks)
{
  const fbls_stage *t = b->stage;
  const eas_fbls_settings *set = &b->plan->job->set;
  int level = b->plan->level;
  if (b->n_width == 0) {
    for (size_t trial = 0; trial < b->rows; trial++) fbls_store(b, trial, 0, 0, 0, 0, peaks + trial);
    return;
  }
  fbls_row r = { .n_width = b->n_width, .best = s->best, .total = (float)t->total, .both = set->sign == EAS_FBLS_BOTH };
  r.likelihood = set->objective == EAS_FBLS_LIKELIHOOD;
  r.factor = r.likelihood ? 0.5f * r.total * r.total : r.total;
  r.least = 1e-5f * r.total;
  const float *v = fbls_fold(level, t->v, b->m, b->p, b->rows, b->stride, s->fold[0], s->fold[1]), *w = NULL;
  if (t->each > 0)
    make_scales(b, s, &r);
  else
    w = fbls_fold(level, t->w, b->m, b->p, b->rows, b->stride, s->fold[2], s->fold[3]);
  r.zone[4] = (b->p + GROUP - 1) / GROUP * GROUP;
  if (level == EAS_SIMD_AVX512)
    scan_avx512(b, s, v, w, &r, peaks);
  else if (level == EAS_SIMD_AVX2)
    scan_avx2(b, s, v, w, &r, peaks);
  else
    scan_block(b, s, v, w, &r, scan_row_sse2, peaks);
}
