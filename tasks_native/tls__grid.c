/* tls__grid.c: trial periods (Ofir 2014, equations 5 to 7) and durations. */
#include "tls_parts.h"

static const double pi = 3.14159265358979323846;
static const double gravity = 6.673e-11, sun_radius = 695508000.0, sun_mass = 1.989e30; /* SI, the peer's */
static const double jupiter_radius = 69911000.0, day = 86400.0;
static const double longest_fraction = 0.12, widest_orbit = 3; /* of the period; stellar radii of the shortest period */

double eas_tls_fraction(double r, double m, double period, int small)
{
  double seconds = period * day, size = r * sun_radius;
  if (!small) size += 2 * jupiter_radius;
  double longest = size * pow((4 * seconds) / (pi * gravity * (m * sun_mass)), 1.0 / 3);
  double fraction = longest / seconds;
  return fraction > longest_fraction ? longest_fraction : fraction;
}

typedef struct {
  double a, c;
  size_t n; /* frequencies */
} frequencies;

static int frequencies_of(const eas_tls_grid_settings *set, frequencies *f)
{
  double span = set->span * day, r = set->r < 0.01 ? 0.1 : fmin(set->r, 10000), m = fmin(fmax(set->m, 0.01), 1000);
  if (!(span > 0) || !(set->oversampling > 0) || !(set->n_transits_min > 0) || !isfinite(set->r) || !isfinite(set->m))
    return 0;
  r *= sun_radius;
  m *= sun_mass;
  double f_min = set->n_transits_min / span;
  double f_max = sqrt(gravity * m / pow(widest_orbit * r, 3)) / (2 * pi);
  f->a = (pow(2 * pi, 2.0 / 3) / pi * r) / pow(gravity * m, 1.0 / 3) / (span * set->oversampling);
  f->c = pow(f_min, 1.0 / 3) - f->a / 3;
  double n = ceil((pow(f_max, 1.0 / 3) - pow(f_min, 1.0 / 3) + f->a / 3) * 3 / f->a);
  if (!(n >= 1) || !(n < 1e9)) return 0;
  f->n = (size_t)n;
  return 1;
}

size_t eas_tls_grid(const eas_tls_grid_settings *set, double *out)
{
  frequencies f;
  size_t count = 0;
  if (!frequencies_of(set, &f)) return 0;
  for (size_t x = f.n; x >= 1; x--) {
    double root = f.a / 3 * (double)x + f.c;
    double period = 1 / (root * root * root) / day;
    if (!(period > set->period_min) || !(period <= set->period_max)) continue;
    if (out != NULL) out[count] = period;
    count++;
  }
  return count;
}

size_t eas_tls_durations(double period_min, double period_max, double step, double *out)
{
  if (!(step > 1) || !(period_min > 0) || !(period_max >= period_min)) return 0;
  double longest = eas_tls_fraction(3.5, 1, period_min, 0), d = eas_tls_fraction(0.13, 0.1, period_max, 1);
  size_t n = 0;
  for (; d < longest; d *= step) {
    if (n + 1 >= EAS_TLS_DURATIONS_MAX) return 0;
    out[n++] = d;
  }
  out[n++] = longest;
  return n;
}
