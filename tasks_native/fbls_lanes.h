/* fbls_lanes.h: boxes of all widths at a block of starts, in registers. A template: included by fbls__scan.c once for each
 * width of vectors, with LANES (floats of a vector), LANES_NAME(x) and LANES_TARGET defined.
 *
 * A width's sum is the sum of the width before it plus parts: sums of 1, 2, 4 .. bins behind it. So each box takes one
 * load and one addition, mostly. best[i] becomes the lowest score of all widths at start i. */
typedef float LANES_NAME(lanes) __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t LANES_NAME(bits) __attribute__((vector_size(4 * LANES), aligned(4)));

LANES_TARGET EAS_INLINE LANES_NAME(lanes)
    LANES_NAME(pick)(LANES_NAME(bits) which, LANES_NAME(lanes) a, LANES_NAME(lanes) b)
{
  return (LANES_NAME(lanes))(((LANES_NAME(bits))a & which) | ((LANES_NAME(bits))b & ~which));
}

/* b where a is not a number. */
LANES_TARGET EAS_INLINE LANES_NAME(lanes) LANES_NAME(lower)(LANES_NAME(lanes) a, LANES_NAME(lanes) b)
{
  return LANES_NAME(pick)(a < b, a, b);
}

LANES_TARGET EAS_INLINE LANES_NAME(lanes) LANES_NAME(below_zero)(LANES_NAME(lanes) a, int both)
{
  return both ? (LANES_NAME(lanes))((LANES_NAME(bits))a | INT32_MIN) : a;
}

LANES_TARGET EAS_INLINE LANES_NAME(lanes) LANES_NAME(load)(const float *from)
{
  return *(const LANES_NAME(lanes) *)(const void *)from;
}

LANES_TARGET EAS_INLINE void LANES_NAME(store)(float *to, LANES_NAME(lanes) a)
{
  *(LANES_NAME(lanes) *)(void *)to = a;
}

/* Scores are sums times factors: edge NULL: scale[k]; else edge[k * stride + i - i0]. */
LANES_TARGET EAS_INLINE void LANES_NAME(plain)(const fbls_row *r, size_t i0, size_t i1, const float *scale,
                                               const float *edge, int both)
{
  for (size_t i = i0; i < i1; i += 4 * LANES) {
    LANES_NAME(lanes)
    a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, low_a = { 0 }, low_b = { 0 }, low_c = { 0 }, low_d = { 0 };
    size_t part = 0;
    for (size_t k = 0; k < r->n_width; k++) {
      for (; part < r->part_end[k]; part++) {
        const float *from = r->v_part[part] + i;
        a += LANES_NAME(load)(from);
        b += LANES_NAME(load)(from + LANES);
        c += LANES_NAME(load)(from + 2 * LANES);
        d += LANES_NAME(load)(from + 3 * LANES);
      }
      LANES_NAME(lanes) x = a, y = b, z = c, t = d;
      if (edge == NULL) {
        x *= scale[k], y *= scale[k], z *= scale[k], t *= scale[k];
      } else {
        const float *each = edge + k * r->stride + (i - i0);
        x *= LANES_NAME(load)(each), y *= LANES_NAME(load)(each + LANES);
        z *= LANES_NAME(load)(each + 2 * LANES), t *= LANES_NAME(load)(each + 3 * LANES);
      }
      low_a = LANES_NAME(lower)(LANES_NAME(below_zero)(x, both), low_a);
      low_b = LANES_NAME(lower)(LANES_NAME(below_zero)(y, both), low_b);
      low_c = LANES_NAME(lower)(LANES_NAME(below_zero)(z, both), low_c);
      low_d = LANES_NAME(lower)(LANES_NAME(below_zero)(t, both), low_d);
    }
    LANES_NAME(store)(r->best + i, low_a);
    LANES_NAME(store)(r->best + i + LANES, low_b);
    LANES_NAME(store)(r->best + i + 2 * LANES, low_c);
    LANES_NAME(store)(r->best + i + 3 * LANES, low_d);
  }
}

/* With weights: scores are quotients, and only the lowest of a start is divided. Keeps a and b of the lowest a / b. */
typedef struct {
  LANES_NAME(lanes) above, below;
} LANES_NAME(quotient);

LANES_TARGET EAS_INLINE void LANES_NAME(lower_score)(const fbls_row *r, LANES_NAME(lanes) v, LANES_NAME(lanes) w,
                                                     int both, LANES_NAME(quotient) * low)
{
  LANES_NAME(lanes) out = r->total - w, below = w * out, above = LANES_NAME(below_zero)(v, both), none = { 0 };
  if (r->likelihood) below *= out;
  above *= LANES_NAME(below_zero)(v, 1); /* v^2, negative for what does not count */
  LANES_NAME(bits) better = (above * low->below > low->above * below) & (out > r->least) & (w > none);
  low->above = LANES_NAME(pick)(better, above, low->above);
  low->below = LANES_NAME(pick)(better, below, low->below);
}

LANES_TARGET EAS_INLINE void LANES_NAME(weighted)(const fbls_row *r, size_t i1, int both)
{
  for (size_t i = 0; i < i1; i += 2 * LANES) {
    LANES_NAME(lanes) a = { 0 }, b = { 0 }, wa = { 0 }, wb = { 0 };
    LANES_NAME(quotient) low_a = { a, a + 1 }, low_b = { a, a + 1 };
    size_t part = 0;
    for (size_t k = 0; k < r->n_width; k++) {
      for (; part < r->part_end[k]; part++) {
        const float *v = r->v_part[part] + i, *w = r->w_part[part] + i;
        a += LANES_NAME(load)(v);
        b += LANES_NAME(load)(v + LANES);
        wa += LANES_NAME(load)(w);
        wb += LANES_NAME(load)(w + LANES);
      }
      LANES_NAME(lower_score)(r, a, wa, both, &low_a);
      LANES_NAME(lower_score)(r, b, wb, both, &low_b);
    }
    LANES_NAME(store)(r->best + i, low_a.above * -r->factor / low_a.below);
    LANES_NAME(store)(r->best + i + LANES, low_b.above * -r->factor / low_b.below);
  }
}

/* All starts of a row: flat parts, and those where boxes reach over an end of the last row. */
LANES_TARGET static void LANES_NAME(scan_row)(const fbls_row *r)
{
  if (r->w_part[0] != NULL) {
    if (r->both)
      LANES_NAME(weighted)(r, r->zone[4], 1);
    else
      LANES_NAME(weighted)(r, r->zone[4], 0);
    return;
  }
  for (int z = 0; z < 4; z++) {
    const float *scale = z == 0 ? r->scale_full : r->scale_rest;
    if (z % 2 == 0 && !r->both)
      LANES_NAME(plain)(r, r->zone[z], r->zone[z + 1], scale, NULL, 0);
    else if (z % 2 == 0)
      LANES_NAME(plain)(r, r->zone[z], r->zone[z + 1], scale, NULL, 1);
    else
      LANES_NAME(plain)(r, r->zone[z], r->zone[z + 1], NULL, r->edge[z / 2], r->both);
  }
}

#undef LANES
#undef LANES_NAME
#undef LANES_TARGET
