/* psls__star.c: from a star's mass, radius and temperature to its modes and its noise. */
#include <string.h>
#include "psls_parts.h"

static const double numax_sun = 3104, delta_nu_sun = 135, teff_sun = 5777;

int eas_psls_template(int kind, eas_psls_star *star)
{
  const int all = EAS_PSLS_OSCILLATION | EAS_PSLS_GRANULATION | EAS_PSLS_ACTIVITY;
  if (kind == EAS_PSLS_MAIN_SEQUENCE)
    *star = (eas_psls_star){ .pattern = kind,
                             .parts = all,
                             .magnitude = 10,
                             .teff = 5750,
                             .logg = 4.353,
                             .mass = 1.032,
                             .radius = 1.12,
                             .activity_sigma = 40,
                             .activity_tau = 0.2 };
  else if (kind == EAS_PSLS_RED_GIANT)
    *star = (eas_psls_star){ .pattern = kind,
                             .parts = all & ~EAS_PSLS_ACTIVITY,
                             .magnitude = 12.5,
                             .teff = 5400,
                             .numax = 181.77120898,
                             .delta_nu = 13.70885191,
                             .dpi = 80.30739925,
                             .coupling = 0.15611347,
                             .activity_sigma = 1000,
                             .activity_tau = 30 };
  else
    return EAS_EARG;
  return EAS_OK;
}

/* Noise to signal of 24 cameras in an hour by PLATO magnitude (Marchiori et al. 2019, table). */
static double noise_by_magnitude(double v, double teff)
{
  static const double p[] = { 7.76,  8.16,  8.66,  9.16,  9.66,  10.16, 10.66, 11.16, 11.66,
                              12.16, 12.56, 12.76, 13.16, 13.66, 14.16, 14.66, 15.16, 15.56 };
  static const double nsr[] = { 10.6,  12.9,  16.4,  20.8,  26.7,  34.5,  44.8,  59.2,   79.1,
                                106.8, 138.5, 156.8, 205.8, 298.6, 442.9, 668.8, 1018.9, 1444.4 };
  enum { N = sizeof p / sizeof *p };
  double dv = ((-1.238e-12 * teff + 4.698e-8) * teff - 5.982e-4) * teff + 2.506, m = v - dv;
  int i = 0;
  if (!(m > p[0])) return nsr[0] * sqrt(24);
  if (m >= p[N - 1]) return nsr[N - 1] * sqrt(24);
  while (m >= p[i + 1]) i++;
  return (nsr[i] + (m - p[i]) / (p[i + 1] - p[i]) * (nsr[i + 1] - nsr[i])) * sqrt(24);
}

static void describe_granulation(const eas_psls_star *star, eas_psls_numbers *out)
{
  double numax = out->numax, xi = 2 * sqrt(2) / psls_pi;
  if (numax >= 2 && numax <= 3500) {
    out->granulation_a[0] = 3382 * pow(numax, -0.609);
    out->granulation_a[1] = 3710 * pow(numax, -0.613) * pow(out->mass, -0.26);
    out->granulation_b[0] = 0.317 * pow(numax, 0.970);
    out->granulation_b[1] = 0.948 * pow(numax, 0.992);
    for (int i = 0; i < 2; i++)
      out->granulation_h[i] = xi * out->granulation_a[i] * out->granulation_a[i] / out->granulation_b[i];
    return;
  }
  /* Samadi et al. 2013: one Lorentzian, its width in b[0]; the Mach number decides */
  double hot = star->teff / teff_sun, gravity = pow(10, star->logg - 4.438);
  double mach = 0.258 * pow(hot, 2.35) * pow(gravity, -0.152), r = mach / 0.258;
  double tau = 172 * (numax_sun / numax) / r, f = -0.67 + 2.3 * r - 0.59 * r * r;
  double sigma2 = 38.6 * 38.6 * pow(hot, 1.5) / out->mass * (numax_sun / numax) * pow(f, 4);
  out->granulation_h[0] = 4e-6 * sigma2 * tau / pow(hot, 1.6);
  out->granulation_b[0] = 1e6 / (2 * psls_pi * tau);
}

static void describe_asymptotic(const eas_psls_star *star, eas_psls_numbers *out)
{
  double hot = star->teff / teff_sun, numax = out->numax;
  double s = 0.748, r = 3.47, t = 1.27, lnb = 0.321;
  if (numax <= 150) {
    s = 0.602;
    r = 5.87;
    t = 1.32;
    lnb = 0.45;
  }
  if (numax >= 2 && numax <= 4000)
    out->amplitude_max = 2.53 * exp((2 * s - 3 * t) * log(numax / 3100) + (4 * t - 4 * s) * log(out->delta_nu / 135) +
                                    (5 * s - 1.5 * t - r + 0.2) * log(hot) + lnb);
  else
    out->amplitude_max = 2.53 * pow(hot, 3.5) * 3100 / numax;
  out->gamma_max = star->teff >= 5300 && star->teff <= 6700
                       ? 0.20 + 0.97 * pow(hot, 13)
                       : 0.19 * pow(star->teff / 4800, 10.65) * pow(numax / 909.25, -0.3);
  out->height_max = 2 * out->amplitude_max * out->amplitude_max / (psls_pi * out->gamma_max);
}

static void describe_universal(const eas_psls_star *star, eas_psls_numbers *out)
{
  double dnu = out->delta_nu, m = out->mass, x = 10.8, factor = 0.19;
  if (m >= 1 && m < 1.8) {
    factor = 0.1;
    x = m < 1.2 ? 4.55 : m < 1.4 ? 5.29 : m < 1.6 ? 4.54 : 4.65;
  }
  out->gamma = factor * pow(star->teff / 4800, x);
  out->height_max = 2.01e7 * pow(out->numax, -1.9);
  out->epsilon = 0.6 + 0.52 * log10(dnu) + 0.005 * dnu;
  out->d01 = 0.0553 - 0.036 * log10(dnu);
  out->d02 = 0.167 - 0.039 * log10(dnu);
  out->d03 = (0.282 * dnu + 0.16) / dnu;
  out->curvature = 0.015 * pow(dnu, -0.32);
  out->orders = floor(5300 * (out->numax / numax_sun) / dnu);
}

static int in_range(double x, double low, double high)
{
  return x >= low && x <= high;
}

int eas_psls_describe(const eas_psls_star *star, eas_psls_numbers *out)
{
  if (star->pattern != EAS_PSLS_MAIN_SEQUENCE && star->pattern != EAS_PSLS_RED_GIANT) return EAS_EARG;
  if (star->parts & ~7 || !in_range(star->teff, 1000, 50000) || !in_range(star->magnitude, -5, 40)) return EAS_EARG;
  if (!in_range(star->activity_sigma, 0, 1e6) || !in_range(star->activity_tau, 1e-4, 1e6)) return EAS_EARG;
  for (size_t i = 0; i < sizeof *out / sizeof(double); i++) ((double *)out)[i] = NAN;
  out->numax = star->numax;
  out->delta_nu = star->delta_nu;
  if (star->pattern == EAS_PSLS_MAIN_SEQUENCE) {
    if (!in_range(star->mass, 0.01, 100) || !in_range(star->radius, 0.01, 1000)) return EAS_EARG;
    double m = star->mass, r = star->radius;
    if (!in_range(star->logg, -2, 7)) return EAS_EARG;
    if (star->numax == 0) out->numax = 3050 * m / (r * r) * sqrt(teff_sun / star->teff);
    if (star->delta_nu == 0) out->delta_nu = delta_nu_sun * sqrt(m / (r * r * r));
    out->mass = m;
    out->radius = r;
  } else {
    if (!(star->delta_nu >= 0) || !in_range(star->dpi, 0, 1e4) || !in_range(star->coupling, 0, 1)) return EAS_EARG;
    if (star->dpi > 0 && !(star->dpi >= 10 && star->coupling > 0)) return EAS_EARG;
    if (star->delta_nu == 0) out->delta_nu = 0.274 * pow(star->numax, 0.757);
  }
  if (!in_range(out->numax, 0.5, 1e5) || !in_range(out->delta_nu, 0.05, 1e4)) return EAS_EARG;
  if (star->pattern == EAS_PSLS_RED_GIANT) {
    double a = out->numax / numax_sun, b = out->delta_nu / delta_nu_sun, hot = star->teff / teff_sun;
    out->mass = a * a * a / (b * b * b * b) * pow(hot, 1.5);
    out->radius = a / (b * b) * sqrt(hot);
    describe_universal(star, out);
  } else {
    describe_asymptotic(star, out);
  }
  out->bolometric = pow(star->teff / 5934, -0.8);
  out->width = 0.66 * pow(out->numax, 0.88);
  out->nsr = noise_by_magnitude(star->magnitude, star->teff);
  describe_granulation(star, out);
  return EAS_OK;
}

typedef struct {
  const eas_psls_star *star;
  eas_psls_numbers is;
  double resolution;
  eas_psls_mode *mode;
  int n;
} choir;

static double envelope(const choir *c, double nu, double width)
{
  double x = (nu - c->is.numax) / width;
  return exp(-4 * log(2) * x * x);
}

static void add_mode(choir *c, int n, int l, double nu, double width, double height)
{
  if (c->n < EAS_PSLS_MODES_MAX) c->mode[c->n] = (eas_psls_mode){ nu, width, height, n, l };
  c->n++;
}

/* nu = delta_nu (n + l/2 + eps + (alpha/2)(n - n_max)^2) - d_l: a stand-in for a table of frequencies. */
static void asymptotic(choir *c)
{
  static const double visibility[] = { 1, 1.5, 0.5, 0.05 }, lower[] = { 0, 3, 6.5, 11 };
  double reach = 3 * c->is.width, n_max = c->is.numax / c->is.delta_nu;
  for (int n = 0; n <= n_max + reach / c->is.delta_nu + 1 && c->n <= EAS_PSLS_MODES_MAX; n++)
    for (int l = 0; l <= 3; l++) {
      double nu = c->is.delta_nu * (n + 0.5 * l + 1.45 + 0.0015 * (n - n_max) * (n - n_max)) - lower[l];
      if (!(fabs(nu - c->is.numax) < reach && nu > 0)) continue;
      double slope = (nu > c->is.numax ? 2 : 6) * (1 - envelope(c, nu, 2 * c->is.width));
      add_mode(c, n, l, nu, c->is.gamma_max * (1 + slope),
               c->is.height_max * envelope(c, nu, c->is.width) * visibility[l]);
    }
}

static double pressure(const choir *c, int n, int l)
{
  const double shift[] = { 0, c->is.d01, c->is.d02, c->is.d03 };
  double away = n - c->is.numax / c->is.delta_nu;
  return c->is.delta_nu * (n + 0.5 * l + c->is.epsilon - shift[l] + 0.5 * c->is.curvature * away * away);
}

static void add_giant(choir *c, int n, int l, double nu, double width)
{
  static const double visibility[] = { 1, 1.54, 0.64, 0.071 };
  double height = c->is.height_max * envelope(c, nu, c->is.width) * visibility[l];
  double seen = width > 2 * c->resolution ? height : height * psls_pi * width / (2 * c->resolution);
  if (nu > 0 && width > 0 && seen >= 0.01 * c->is.height_max) add_mode(c, n, l, nu, width, height);
}

static const double gravity_phase = 0.25;

/* How far nu is above the mixed mode of its branch. */
static double above(const choir *c, double p, double nu)
{
  double x = 1e6 / (nu * c->star->dpi) - gravity_phase, phase = psls_pi * (x - rint(x));
  return nu - p - c->is.delta_nu / psls_pi * atan(c->star->coupling * tan(phase));
}

/* The root between two poles of the tangent: there is one. */
static double mixed_root(const choir *c, double p, double low, double high)
{
  for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
    double middle = 0.5 * (low + high);
    if (above(c, p, middle) > 0)
      high = middle;
    else
      low = middle;
  }
  return 0.5 * (low + high);
}

static void add_mixed(choir *c, int n)
{
  double p = pressure(c, n, 1), q = c->star->coupling, dpi = c->star->dpi, dnu = c->is.delta_nu;
  double low = fmax(p - 0.5 * dnu, 0.05 * c->is.numax), high = p + 0.5 * dnu;
  if (!(high > low)) return;
  /* branch k: 1e6 / (nu DPI) - phase in (k - 1/2, k + 1/2) */
  double first = rint(1e6 / (high * dpi) - gravity_phase), last = rint(1e6 / (low * dpi) - gravity_phase);
  for (double k = first; k <= last && c->n <= EAS_PSLS_MODES_MAX; k++) {
    double left = fmax(low, 1e6 / (dpi * (k + 0.5 + gravity_phase)));
    double right = k - 0.5 + gravity_phase > 0 ? fmin(high, 1e6 / (dpi * (k - 0.5 + gravity_phase))) : high;
    if (!(right > left)) continue;
    double inset = 1e-9 * (right - left), nu = mixed_root(c, p, left + inset, right - inset);
    double th = psls_pi * (nu - p) / dnu, s = sin(th) / q, co = cos(th);
    double zeta = 1 / (1 + nu * nu * dpi * 1e-6 / (q * dnu) / (s * s + co * co));
    add_giant(c, n, 1, nu, c->is.gamma * (1 - zeta));
  }
}

static void universal(choir *c)
{
  for (int n = 0; n <= (int)c->is.orders + 1; n++)
    for (int l = 0; l <= 3; l++) {
      int first = l == 2 ? 0 : 1;
      if (n < first || n > (int)c->is.orders + first) continue;
      if (l == 1 && c->star->dpi > 0)
        add_mixed(c, n);
      else
        add_giant(c, n, l, pressure(c, n, l), c->is.gamma);
    }
}

int eas_psls_modes(const eas_psls_star *star, double resolution, eas_psls_mode *mode)
{
  choir c = { .star = star, .resolution = resolution, .mode = mode };
  int rc = eas_psls_describe(star, &c.is);
  if (rc != EAS_OK) return rc;
  if (!(resolution > 0) || !isfinite(resolution)) return EAS_EARG;
  if (star->pattern == EAS_PSLS_RED_GIANT)
    universal(&c);
  else
    asymptotic(&c);
  return c.n <= EAS_PSLS_MODES_MAX ? c.n : EAS_EARG;
}
