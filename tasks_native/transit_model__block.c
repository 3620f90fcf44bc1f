/* transit_model__block.c: a block of samples through the plan's tables.
 *
 * Every step is one rounded operation per sample, whatever the width of the vectors: samples have the same bits
 * wherever a block begins, and at any SIMD level. */
#include <string.h>
#include "simd.h"
#include "transit_model_parts.h"

static const double far_away = 1e4; /* square of a distance at which no disc touches */

EAS_INLINE void phase(const transit_orbit *o, transit_block *b, size_t n, double shift)
{
  double t0 = o->t0, before = o->before, period = o->period, per_day = 1 / period;
  for (size_t i = 0; i < n; i++) {
    double x = b->t[i] + shift - t0;
    b->x[i] = x - period * floor((x + before) * per_day);
  }
}

EAS_INLINE void circular(const transit_plan *plan, transit_block *b, size_t n)
{
  double rate = 2 * transit_pi / plan->orbit.period, after = plan->orbit.after;
  for (size_t i = 0; i < n; i++) {
    double m = rate * b->x[i];
    b->tau[i] = m * m;
    b->z[i] = plan->sine[plan->terms - 1];
  }
  for (int k = plan->terms - 2; k >= 0; k--) {
    double c = plan->sine[k];
    for (size_t i = 0; i < n; i++) b->z[i] = b->z[i] * b->tau[i] + c;
  }
  for (size_t i = 0; i < n; i++) b->z[i] = b->x[i] <= after ? b->z[i] : far_away;
}

/* out[i] = polynomial piece[i] at tau[i]; rows of coefficients, one row for each power. */
EAS_INLINE void polynomials(const double *restrict coef, size_t row, const int64_t *restrict piece,
                            const double *restrict tau, size_t n, double *restrict out)
{
  for (size_t i = 0; i < n; i++) {
    double at = tau[i], y = coef[(TRANSIT_TERMS - 1) * row + (size_t)piece[i]];
#define STEP(k) y = y * at + coef[(k)*row + (size_t)piece[i]]
    STEP(9);
    STEP(8);
    STEP(7);
    STEP(6);
    STEP(5);
    STEP(4);
    STEP(3);
    STEP(2);
    STEP(1);
    STEP(0);
#undef STEP
    out[i] = y;
  }
}

EAS_INLINE void eccentric(const transit_plan *plan, transit_block *restrict b, size_t n)
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
  polynomials(plan->path[0], TRANSIT_ORBIT_PIECES, b->piece, b->tau, n, b->z);
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

EAS_INLINE void add(const transit_plan *plan, transit_block *restrict b, size_t n)
{
  const transit_table *table = &plan->table;
  double high = table->high;
  if (plan->orbit.e == 0)
    circular(plan, b, n);
  else
    eccentric(plan, b, n);
  locate(table, n, b->z, b->piece, b->tau);
  polynomials(table->coef[0], TRANSIT_ROW, b->piece, b->tau, n, b->value);
  for (size_t i = 0; i < n; i++) b->sum[i] += b->z[i] < high ? b->value[i] : 0;
}

EAS_TARGET_AVX512 static void phase_avx512(const transit_orbit *o, transit_block *b, size_t n, double shift)
{
  phase(o, b, n, shift);
}

EAS_TARGET_AVX2 static void phase_avx2(const transit_orbit *o, transit_block *b, size_t n, double shift)
{
  phase(o, b, n, shift);
}

void transit_block_phase(const transit_plan *plan, transit_block *b, size_t n, double shift)
{
  if (plan->simd == EAS_SIMD_AVX512)
    phase_avx512(&plan->orbit, b, n, shift);
  else if (plan->simd == EAS_SIMD_AVX2)
    phase_avx2(&plan->orbit, b, n, shift);
  else
    phase(&plan->orbit, b, n, shift);
}

EAS_TARGET_AVX512 static void add_avx512(const transit_plan *plan, transit_block *b, size_t n)
{
  add(plan, b, n);
}

EAS_TARGET_AVX2 static void add_avx2(const transit_plan *plan, transit_block *b, size_t n)
{
  add(plan, b, n);
}

void transit_block_add(const transit_plan *plan, transit_block *b, size_t n)
{
  if (plan->simd == EAS_SIMD_AVX512)
    add_avx512(plan, b, n);
  else if (plan->simd == EAS_SIMD_AVX2)
    add_avx2(plan, b, n);
  else
    add(plan, b, n);
}
