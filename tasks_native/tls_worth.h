/* tls_worth.h: whether blocks of starts, and starts, of a row may gain what is wanted: bounds from differences of prefix
 * sums (tls__bounds.c). Inline: the stages of tls__scan.c are compiled for each instruction set. */
#ifndef EAS_NATIVE_TLS_WORTH_H
#define EAS_NATIVE_TLS_WORTH_H
#include <immintrin.h>
#include "tls_parts.h"

typedef struct {
  const tls_plan *plan;
  const tls_folded *f;
  const tls_bound *bound;
  const eas_tls_job *job;
  size_t k, width, stride, last;                     /* row, of which starts are 0, stride, .. <= last */
  const int32_t *high[TLS_COARSE], *low[TLS_COARSE]; /* extremes where the coarse boxes end and begin */
  size_t reach;                                      /* blocks that windows of a block of starts touch */
  uint32_t every;                                    /* bits 0, stride, .. below 16 */
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

/* Windows of weighted samples: sums without weights m at most and low at least, with weights and shape c at most; of weights and
 * the shape's squares q at least. */
EAS_INLINE uint32_t weighted_worth(const scan *s, const tls_boxes *box, const float *square, int boxes, size_t i,
                                   const float *c, float want)
{
  const tls_bound *b = s->bound;
  const int32_t *plain = s->f->plain + i, *mass = s->f->mass + i;
  float q[TLS_BLOCK];
  uint32_t worth = 0;
  for (int l = 0; l < TLS_BLOCK; l++) q[l] = b->light;
  for (int k = 0; k < boxes; k++) {
    const int32_t *from = mass + box->edge[k], *to = mass + s->width - (size_t)box->edge[k];
    for (int l = 0; l < TLS_BLOCK; l++) q[l] += square[k] * (float)(to[l] - from[l]);
  }
  for (int l = 0; l < TLS_BLOCK; l++) {
    float m = (float)(plain[s->width + (size_t)l] - plain[l]), high = m + b->slack, low = b->depth * (m - b->slack);
    low = low > 0 ? low : 0;
    int gains = b->depth * high * 2 * c[l] - low * low * q[l] >= want && high > b->least && c[l] > 0;
    worth |= (uint32_t)gains << l;
  }
  return worth;
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
  if (weighted)
    return box == &b->coarse ? weighted_worth(s, box, b->coarse_square, TLS_COARSE, i, c, want)
                             : weighted_worth(s, &b->fine, b->fine_square, TLS_FINE, i, c, want);
  for (int l = 0; l < TLS_BLOCK; l++) {
    low[l] = m[l] - b->slack;
    m[l] += b->slack;
  }
  return gains_worth(b, weighted, m, low, c, want);
}

EAS_TARGET_AVX512 EAS_INLINE uint32_t weighted_worth_512(const scan *s, const tls_boxes *box, const float *square,
                                                         int boxes, size_t i, __m512 c, float want)
{
  const tls_bound *b = s->bound;
  const int32_t *plain = s->f->plain + i, *mass = s->f->mass + i, *end = mass + s->width;
  __m512 q = _mm512_set1_ps(b->light), depth = _mm512_set1_ps(b->depth), slack = _mm512_set1_ps(b->slack);
#pragma GCC unroll 16
  for (int k = 0; k < boxes; k++)
    q = _mm512_fmadd_ps(difference_512(end - box->edge[k], mass + box->edge[k]), _mm512_set1_ps(square[k]), q);
  __m512 m = difference_512(plain + s->width, plain), high = _mm512_add_ps(m, slack);
  __m512 low = _mm512_max_ps(_mm512_mul_ps(depth, _mm512_sub_ps(m, slack)), _mm512_setzero_ps());
  __m512 gain =
      _mm512_fmsub_ps(_mm512_mul_ps(depth, high), _mm512_add_ps(c, c), _mm512_mul_ps(_mm512_mul_ps(low, low), q));
  __mmask16 worth = _mm512_cmp_ps_mask(gain, _mm512_set1_ps(want), _CMP_GE_OQ);
  worth = _mm512_mask_cmp_ps_mask(worth, high, _mm512_set1_ps(b->least), _CMP_GT_OQ);
  return _mm512_mask_cmp_ps_mask(worth, c, _mm512_setzero_ps(), _CMP_GT_OQ);
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
  if (weighted)
    return box == &b->coarse ? weighted_worth_512(s, box, b->coarse_square, TLS_COARSE, i, c, want)
                             : weighted_worth_512(s, &b->fine, b->fine_square, TLS_FINE, i, c, want);
  return gains_worth_512(b, weighted, _mm512_add_ps(m, slack), _mm512_sub_ps(m, slack), c, want);
}

EAS_TARGET_AVX512 static inline uint32_t coarse_worth_512(const scan *s, int weighted, size_t i, float root, float want)
{
  return starts_worth_512(s, weighted, &s->bound->coarse, TLS_COARSE, i, root, want);
}

EAS_TARGET_AVX512 static inline uint32_t fine_worth_512(const scan *s, int weighted, size_t i, float root, float want)
{
  return starts_worth_512(s, weighted, &s->bound->fine, TLS_FINE, i, root, want);
}

EAS_TARGET_AVX512 static inline uint32_t finest_worth_512(const scan *s, int weighted, size_t i, float root, float want)
{
  return starts_worth_512(s, weighted, &s->bound->finest, s->bound->finest.n, i, root, want);
}

#endif
