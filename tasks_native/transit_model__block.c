/* transit_model__block.c: a block of samples through the plan's tables.
 *
 * Every step is the same operation for each sample, in vectors and beside them: samples have the same bits wherever
 * a block begins. */
#include <string.h>
#include "simd.h"
#include "transit_model_parts.h"

static const double far_away = 1e4; /* square of a distance at which no disc touches */

EAS_INLINE size_t phase(const transit_orbit *o, transit_block *restrict b, size_t n, double shift, double blur)
{
  double t0 = o->t0, before = o->before, period = o->period, per_day = 1 / period;
  for (size_t i = 0; i < n; i++) {
    double x = b->t[i] + shift - t0;
    b->x[i] = x - period * floor((x + before) * per_day);
  }
  double late = o->after + blur, early = period - before - blur;
  int64_t out = 0;
  for (size_t i = 0; i < n; i++) out += (b->x[i] > late) & (b->x[i] < early);
  return n - (size_t)out;
}

/* a b + c; fused where the instructions are there. */
EAS_INLINE double madd(double a, double b, double c, int fused)
{
  return fused ? __builtin_fma(a, b, c) : a * b + c;
}

EAS_INLINE void circular(const transit_plan *plan, transit_block *restrict b, size_t n, int fused)
{
  double rate = 2 * transit_pi / plan->orbit.period, after = plan->orbit.after;
  for (size_t i = 0; i < n; i++) {
    double m = rate * b->x[i];
    b->tau[i] = m * m;
    b->z[i] = plan->sine[TRANSIT_SINE_TERMS - 1];
  }
  int top = plan->terms <= 8 ? 8 : TRANSIT_SINE_TERMS;
  for (int k = top - 4; k >= 0; k -= 4) { /* by fours; terms that are not there are 0 */
    double c0 = plan->sine[k], c1 = plan->sine[k + 1], c2 = plan->sine[k + 2], c3 = plan->sine[k + 3];
    for (size_t i = 0; i < n; i++) {
      double y = b->tau[i], z = k + 4 == top ? c3 : madd(b->z[i], y, c3, fused);
      z = madd(z, y, c2, fused);
      z = madd(z, y, c1, fused);
      b->z[i] = madd(z, y, c0, fused);
    }
  }
  for (size_t i = 0; i < n; i++) b->z[i] = b->x[i] <= after ? b->z[i] : far_away;
}

enum { GROUP = 8 };

/* One step of Horner's rule for a group, each sample with its own piece. */
EAS_INLINE void step_apart(const double *restrict coef, const int64_t *restrict piece, const double *restrict tau,
                           double *restrict y, int fused)
{
  for (size_t i = 0; i < GROUP; i++) y[i] = madd(y[i], tau[i], coef[piece[i]], fused);
}

/* out[i] = polynomial piece[i] at tau[i]; rows of coefficients, one row for each power. Samples that follow each
 * other mostly share a piece, and then its coefficients are read once; the arithmetic is the same. */
EAS_INLINE void polynomials(const double *restrict coef, size_t row, const int64_t *restrict piece,
                            const double *restrict tau, size_t n, double *restrict out, int fused)
{
  size_t i = 0;
  for (; i + GROUP <= n; i += GROUP) {
    int64_t first = piece[i], other = 0;
    double y[GROUP];
    for (size_t j = 0; j < GROUP; j++) other |= piece[i + j] ^ first;
    if (other == 0) {
      const double *own = coef + first;
      for (size_t j = 0; j < GROUP; j++) y[j] = own[(TRANSIT_TERMS - 1) * row];
#pragma GCC unroll 16
      for (int k = TRANSIT_TERMS - 2; k >= 0; k--)
        for (size_t j = 0; j < GROUP; j++) y[j] = madd(y[j], tau[i + j], own[(size_t)k * row], fused);
    } else {
      for (size_t j = 0; j < GROUP; j++) y[j] = coef[(TRANSIT_TERMS - 1) * row + (size_t)piece[i + j]];
#pragma GCC unroll 16
      for (int k = TRANSIT_TERMS - 2; k >= 0; k--) step_apart(coef + (size_t)k * row, piece + i, tau + i, y, fused);
    }
    memcpy(out + i, y, sizeof y);
  }
  for (; i < n; i++) {
    double y = coef[(TRANSIT_TERMS - 1) * row + (size_t)piece[i]];
    for (int k = TRANSIT_TERMS - 2; k >= 0; k--) y = madd(y, tau[i], coef[(size_t)k * row + (size_t)piece[i]], fused);
    out[i] = y;
  }
}

EAS_INLINE void eccentric(const transit_plan *plan, transit_block *restrict b, size_t n, int fused)
{
  double before = plan->orbit.before, after = plan->orbit.after, most = plan->pieces - 1;
  double scale = plan->pieces / (before + after);
  for (size_t i = 0; i < n; i++) {
    double u = (b->x[i] + before) * scale, k = floor(u);
    k = k < most ? k : most;
    k = k > 0 ? k : 0;
    b->tau[i] = 2 * (u - k) - 1;
    b->piece[i] = (int64_t)k;
  }
  polynomials(plan->path[0], TRANSIT_ORBIT_PIECES, b->piece, b->tau, n, b->z, fused);
  for (size_t i = 0; i < n; i++) b->z[i] = b->x[i] <= after ? b->z[i] : far_away;
}

/* Region, piece and place in it. The bits of v hold them: its exponent the octave, its first digit the half. */
EAS_INLINE void locate(const transit_table *table, size_t n, const double *restrict zs, int64_t *restrict piece,
                       double *restrict tau)
{
  const double least = 1.0 / (1 << TRANSIT_OCTAVES), most = 1 - 0x1p-53;
  const double low = table->low, middle = table->middle, high = table->high;
  const double scale0 = table->scale[0], scale1 = table->scale[1], scale2 = table->scale[2];
  const int64_t first = (int64_t)(1023 - TRANSIT_OCTAVES) * 2 - 1; /* bits >> 51 of the first octave, less one */
  for (size_t i = 0; i < n; i++) {
    double z = zs[i], inner = low - z, next = z - low, outer = high - z;
    double away = z < middle ? next : outer, scale = z < middle ? scale1 : scale2;
    int64_t region = z < middle ? TRANSIT_PIECES : 2 * TRANSIT_PIECES;
    away = z < low ? inner : away;
    scale = z < low ? scale0 : scale;
    region = z < low ? 0 : region;
    away = away > 0 ? away : 0;
    double v = sqrt(away) * scale, place;
    v = v < most ? v : most;
    int64_t bits;
    memcpy(&bits, &v, sizeof bits);
    int64_t rest = (bits & INT64_C(0x7ffffffffffff)) << 1 | INT64_C(0x3ff0000000000000);
    memcpy(&place, &rest, sizeof place);
    int64_t octave = (bits >> 51) - first;
    octave = v >= least ? octave : 0;
    place = 2 * place - 3;
    double below = 2 * v * (1 << TRANSIT_OCTAVES) - 1;
    piece[i] = region + octave;
    tau[i] = v >= least ? place : below;
  }
}

EAS_INLINE void add(const transit_plan *plan, transit_block *restrict b, size_t n, int fused)
{
  const transit_table *table = &plan->table;
  double high = table->high;
  if (plan->orbit.e == 0)
    circular(plan, b, n, fused);
  else
    eccentric(plan, b, n, fused);
  locate(table, n, b->z, b->piece, b->tau);
  polynomials(table->coef[0], TRANSIT_ROW, b->piece, b->tau, n, b->value, fused);
  for (size_t i = 0; i < n; i++) b->sum[i] += b->z[i] < high ? b->value[i] : 0;
}

EAS_TARGET_AVX512 static size_t phase_avx512(const transit_orbit *o, transit_block *b, size_t n, double shift,
                                             double blur)
{
  return phase(o, b, n, shift, blur);
}

EAS_TARGET_AVX2 static size_t phase_avx2(const transit_orbit *o, transit_block *b, size_t n, double shift, double blur)
{
  return phase(o, b, n, shift, blur);
}

size_t transit_block_phase(const transit_plan *plan, transit_block *b, size_t n, double shift, double blur)
{
  if (plan->simd == EAS_SIMD_AVX512) return phase_avx512(&plan->orbit, b, n, shift, blur);
  if (plan->simd == EAS_SIMD_AVX2) return phase_avx2(&plan->orbit, b, n, shift, blur);
  return phase(&plan->orbit, b, n, shift, blur);
}

EAS_TARGET_AVX512 static void add_avx512(const transit_plan *plan, transit_block *b, size_t n)
{
  add(plan, b, n, 1);
}

EAS_TARGET_AVX2 static void add_avx2(const transit_plan *plan, transit_block *b, size_t n)
{
  add(plan, b, n, 1);
}

void transit_block_add(const transit_plan *plan, transit_block *b, size_t n)
{
  if (plan->simd == EAS_SIMD_AVX512)
    add_avx512(plan, b, n);
  else if (plan->simd == EAS_SIMD_AVX2)
    add_avx2(plan, b, n);
  else
    add(plan, b, n, 0);
}
