/* bls__scan.c: all boxes over prefix sums; a vector test without divisions finds the few that can
 * be the best, and only those are evaluated by the definition. */
#include "bls_parts.h"

enum { BLOCK = 32 };

/* With z = y_total w_in - w_total y_in, depth = z / (w_in w_out): a box beats the best if
 * z^2 > least w_in w_out^2 (likelihood) or z^2 > least w_in w_out (snr). */
typedef struct {
  double y_total, w_total, slack, w_least, least;
  int snr;
} scan_test;

static void set_least(scan_test *t, const bls_best *best)
{
  double o = best->objective, guard = 1 - 1e-12;
  if (!(o > -INFINITY)) t->least = -INFINITY;
  else t->least = t->snr ? o * o * t->w_total * guard : 2 * o * guard;
}

EAS_INLINE int64_t can_beat(const scan_test *t, double y_in, double w_in)
{
  double z = t->y_total * w_in - t->w_total * y_in + t->slack;
  double w_out = t->w_total - w_in;
  double scale = t->snr ? w_in * w_out : w_in * w_out * w_out;
  return (z >= 0) & (z * z >= t->least * scale) & (w_in >= t->w_least);
}

EAS_INLINE int64_t count_block(const scan_test *t, const double *y0, const double *y1, const double *w0, const double *w1)
{
  int64_t hits = 0;
  for (int j = 0; j < BLOCK; j++) hits += can_beat(t, y1[j] - y0[j], w1[j] - w0[j]);
  return hits;
}

EAS_INLINE void scan_width(const bls_setup *s, scan_test *t, size_t width, size_t starts, const double *y,
                           const double *w, bls_best *best)
{
  for (size_t i = 0; i < starts; i += BLOCK) {
    size_t m = starts - i < BLOCK ? starts - i : BLOCK;
    if (m == BLOCK && count_block(t, y + i, y + i + width, w + i, w + i + width) == 0) continue;
    for (size_t j = i; j < i + m; j++) {
      double y_in = y[j + width] - y[j], w_in = w[j + width] - w[j];
      if (!can_beat(t, y_in, w_in)) continue;
      bls_try(s, y_in, w_in, j, width, best);
      set_least(t, best);
    }
  }
}

EAS_INLINE void scan_all(const bls_setup *s, size_t bins, const double *y, const double *w, bls_best *best)
{
  scan_test t = {.y_total = s->y_total, .w_total = s->w_total, .w_least = s->w_least,
                 .slack = 1e-13 * s->y_size * s->w_total, .snr = s->job->set.objective == EAS_BLS_SNR};
  set_least(&t, best);
  for (size_t k = 0; k < s->job->set.n_duration; k++) {
    size_t width = bls_width(s, k);
    scan_width(s, &t, width, bls_starts(s, bins, width), y, w, best);
  }
}

EAS_TARGET_AVX512 static void scan_avx512(const bls_setup *s, size_t bins, const double *y, const double *w, bls_best *best)
{
  scan_all(s, bins, y, w, best);
}

EAS_TARGET_AVX2 static void scan_avx2(const bls_setup *s, size_t bins, const double *y, const double *w, bls_best *best)
{
  scan_all(s, bins, y, w, best);
}

void bls_scan_fast(const bls_plan *plan, size_t bins, const double *y, const double *w, bls_best *best)
{
  if (plan->level == EAS_SIMD_AVX512) scan_avx512(&plan->setup, bins, y, w, best);
  else if (plan->level == EAS_SIMD_AVX2) scan_avx2(&plan->setup, bins, y, w, best);
  else scan_all(&plan->setup, bins, y, w, best);
}
