/* transit_model__orbit.c: where the planet is. */
#include "transit_model_parts.h"

double eas_transit_model_kepler(double mean_anomaly, double eccentricity)
{
  double m = fabs(mean_anomaly), e = eccentricity;
  double lo = m, hi = m + e; /* E - e sin E grows with E, and sin is in [0, 1] here */
  double x = m + e * sin(m) / (1 - sin(m + e) + sin(m));
  if (!(x >= lo && x <= hi)) x = 0.5 * (lo + hi);
  for (int i = 0; i < 60; i++) {
    double es = e * sin(x), slope = 1 - e * cos(x);
    double miss = x - es - m;
    if (miss > 0)
      hi = x;
    else
      lo = x;
    double step = miss / slope;
    step = miss / (slope - 0.5 * step * es); /* Halley */
    double next = x - step;
    if (!(next >= lo && next <= hi)) next = 0.5 * (lo + hi);
    if (fabs(next - x) <= 2e-16 * fabs(next)) {
      x = next;
      break;
    }
    x = next;
  }
  return mean_anomaly < 0 ? -x : x;
}

/* Mean anomaly of true anomaly f in [-2 pi, 2 pi], on the same turn. */
static double mean_anomaly(double f, double e)
{
  double turns = rint(f / (2 * transit_pi)) * 2 * transit_pi, g = f - turns;
  double x = 2 * atan2(sqrt(1 - e) * sin(0.5 * g), sqrt(1 + e) * cos(0.5 * g));
  return x - e * sin(x) + turns;
}

void transit_orbit_of(transit_orbit *orbit, const eas_transit_model_settings *set, double p)
{
  double radian = transit_pi / 180, e = set->eccentricity;
  double f0 = 0.5 * transit_pi - fmod(set->omega, 360) * radian;
  if (f0 > transit_pi) f0 -= 2 * transit_pi;
  if (f0 < -transit_pi) f0 += 2 * transit_pi;
  *orbit = (transit_orbit){ .t0 = set->t0,
                            .period = set->period,
                            .axis = set->axis,
                            .e = e,
                            .cos_inc = cos(set->inclination * radian),
                            .sin_f0 = sin(f0),
                            .cos_f0 = cos(f0),
                            .m0 = mean_anomaly(f0, e) };

  /* The discs are apart where r |cos| of the angle along the orbit is above 1 + p, whatever the inclination. */
  double reach = (1 + p) / (set->axis * (1 - e));
  double angle = reach < 1 ? asin(reach) : 0.5 * transit_pi;
  double day = set->period / (2 * transit_pi);
  orbit->before = (orbit->m0 - mean_anomaly(f0 - angle, e)) * day * (1 + 1e-6);
  orbit->after = (mean_anomaly(f0 + angle, e) - orbit->m0) * day * (1 + 1e-6);
}

double transit_phase(const transit_orbit *orbit, double t)
{
  double x = t - orbit->t0;
  return x - orbit->period * floor((x + orbit->before) / orbit->period);
}

/* Distance from the star, and the angle along the orbit from conjunction. */
static double place(const transit_orbit *orbit, double x, double *sine, double *cosine)
{
  double e = orbit->e, m = 2 * transit_pi * (x / orbit->period);
  if (e == 0) {
    *sine = sin(m);
    *cosine = cos(m);
    return orbit->axis;
  }
  m += orbit->m0;
  m -= 2 * transit_pi * rint(m / (2 * transit_pi));
  double big_e = eas_transit_model_kepler(m, e), c = cos(big_e), s = sin(big_e);
  double shrink = 1 - e * c, cos_f = (c - e) / shrink, sin_f = sqrt((1 - e) * (1 + e)) * s / shrink;
  *sine = sin_f * orbit->cos_f0 - cos_f * orbit->sin_f0;
  *cosine = cos_f * orbit->cos_f0 + sin_f * orbit->sin_f0;
  return orbit->axis * shrink;
}

double transit_distance(const transit_orbit *orbit, double x)
{
  double sine, cosine, r = place(orbit, x, &sine, &cosine);
  if (!(cosine > 0)) return 100;
  return r * hypot(sine, cosine * orbit->cos_inc);
}

double transit_square(const transit_orbit *orbit, double x)
{
  double sine, cosine, r = place(orbit, x, &sine, &cosine), c = cosine * orbit->cos_inc;
  return r * r * (sine * sine + c * c);
}

double eas_transit_model_impact(const eas_transit_model_settings *set)
{
  double radian = transit_pi / 180, e = set->eccentricity;
  return set->axis * fabs(cos(set->inclination * radian)) * (1 - e) * (1 + e) / (1 + e * sin(set->omega * radian));
}
