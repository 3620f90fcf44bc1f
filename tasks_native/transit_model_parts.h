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

#endif
