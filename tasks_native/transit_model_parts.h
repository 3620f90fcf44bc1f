/* transit_model_parts.h: what the parts of the transit_model kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_TRANSIT_MODEL_PARTS_H
#define EAS_NATIVE_TRANSIT_MODEL_PARTS_H
#include <math.h>
#include "transit_model.h"

static const double transit_pi = 3.14159265358979323846264338327950;

/* Stellar disc: limb darkening with its unused coefficients zeroed, and planet size. */
typedef struct {
  double p, u1, u2;
  double omega; /* mean intensity over I(1) */
  double sign;  /* -1: the planet brightens */
} transit_disc;

/* EAS_OK or EAS_EARG. */
int transit_disc_of(transit_disc *disc, double radius_ratio, int law, double u1, double u2);

/* 1 - flux at distance d >= 0. */
double transit_deficit(const transit_disc *disc, double d);

/* Orbit seen from us, and the time around t0 when the discs may touch. */
typedef struct {
  double t0, period, axis, e;
  double cos_inc;
  double sin_f0, cos_f0; /* true anomaly at conjunction */
  double m0;             /* mean anomaly at conjunction */
  double before, after;  /* day, both > 0, together <= period */
} transit_orbit;

void transit_orbit_of(transit_orbit *orbit, const eas_transit_model_settings *set, double p);

/* Time since the conjunction it may belong to: in [-before, period - before). */
double transit_phase(const transit_orbit *orbit, double t);

/* Separation on the sky at transit_phase x; 100 if the planet is behind. */
double transit_distance(const transit_orbit *orbit, double x);

/* Square of the separation at transit_phase x, wherever the planet is: smooth in x. */
double transit_square(const transit_orbit *orbit, double x);

/* Chebyshev interpolation on [-1, 1], as powers. */
enum { TRANSIT_TERMS = 11 };
typedef struct {
  double node[TRANSIT_TERMS];
  /* [j][k]: what the value at node j adds to the coefficient of x^k; behind them the two last Chebyshev coefficients */
  double power[TRANSIT_TERMS][TRANSIT_TERMS + 2];
} transit_basis;

void transit_basis_of(transit_basis *basis);

/* Coefficients of powers from the values at the nodes, into out[k * stride]; returns the larger of the
 * last two Chebyshev coefficients: about the error. */
double transit_fit(const transit_basis *basis, const double *value, double *out, size_t stride);

/* The deficit as a function of z, the square of the distance. It is not smooth where the discs touch, so regions end
 * there, and each has a variable v = sqrt(|z - contact|) / its largest, with pieces that halve towards v = 0: three
 * to an octave would do, two are taken, and one for what is below all octaves. */
enum { TRANSIT_REGIONS = 3, TRANSIT_OCTAVES = 6, TRANSIT_PIECES = 2 * TRANSIT_OCTAVES + 1, TRANSIT_ROW = 48 };
typedef struct {
  double low, middle, high; /* contacts (1 - p)^2 and (1 + p)^2, and where regions 1 and 2 meet */
  double scale[TRANSIT_REGIONS];
  double coef[TRANSIT_TERMS][TRANSIT_ROW]; /* of powers of the place in a piece, -1 .. 1 */
} transit_table;

/* 1 when the table is good to 1e-10 of the depth, else 0. */
int transit_table_of(transit_table *table, const transit_disc *disc, const transit_basis *basis);

/* Deficits at squared distances low (1 - below) [inside: the contact is above] and so on: what a table is made of.
 * For each of n: z, and its exact distances from both contacts, both >= 0. Disc light as complete elliptic integrals
 * (Mandel & Agol 2002, table 1) by Bulirsch's cel: within 1e-14 of the star's flux. */
enum { TRANSIT_NODES = TRANSIT_PIECES * TRANSIT_TERMS };
void transit_nodes(const transit_disc *disc, size_t n, const double *z, const double *from_low, const double *to_high,
                   int inside, double *deficit);

enum { TRANSIT_ORBIT_PIECES = 32, TRANSIT_SINE_TERMS = 16 };
typedef struct {
  int simd, tabulated;
  transit_disc disc;
  transit_orbit orbit;
  transit_table table;
  int terms, pieces;               /* circular: terms of sin^2; else pieces of z(x) */
  double sine[TRANSIT_SINE_TERMS]; /* z = sum sine[k] y^k, y the angle from conjunction squared */
  double path[TRANSIT_TERMS][TRANSIT_ORBIT_PIECES];
} transit_plan;

enum { TRANSIT_BLOCK = 256 };
typedef struct {
  double t[TRANSIT_BLOCK], x[TRANSIT_BLOCK], z[TRANSIT_BLOCK], sum[TRANSIT_BLOCK], tau[TRANSIT_BLOCK];
  double value[TRANSIT_BLOCK];
  int64_t piece[TRANSIT_BLOCK];
  uint32_t index[TRANSIT_BLOCK];
} transit_block;

/* x of n samples from t (day) + shift: the transit_phase. Returns how many can be in transit, exposures of 2 blur. */
size_t transit_block_phase(const transit_plan *plan, transit_block *b, size_t n, double shift, double blur);

/* b->sum += deficits at b->x of n samples. */
void transit_block_add(const transit_plan *plan, transit_block *b, size_t n);

#endif
