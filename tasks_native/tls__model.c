/* tls__model.c: the peer's transit model: Mandel & Agol 2002 (ApJ 580, L171), quadratic limb darkening, with the
 * elliptic integrals K and E by the polynomials of Abramowitz & Stegun 17.3.34 and 17.3.36. */
#include "tls_parts.h"

static const double pi = 3.14159265358979323846;

static double polynomial(const double *c, int n, double x)
{
  double sum = 0;
  for (int i = n - 1; i >= 0; i--) sum = sum * x + c[i];
  return sum;
}

/* m1: complementary parameter, in (0, 1]. */
static double elliptic_k(double m1)
{
  static const double a[] = { 1.38629436112, 0.09666344259, 0.03590092383, 0.03742563713, 0.01451196212 };
  static const double b[] = { 0.5, 0.12498593597, 0.06880248576, 0.03328355346, 0.00441787012 };
  return polynomial(a, 5, m1) - log(m1) * polynomial(b, 5, m1);
}

static double elliptic_e(double m1)
{
  static const double c[] = { 1, 0.44325141463, 0.06260601220, 0.04757383546, 0.01736506451 };
  static const double d[] = { 0, 0.24998368310, 0.09200180037, 0.04069697526, 0.00526449639 };
  return polynomial(c, 5, m1) - log(m1) * polynomial(d, 5, m1);
}

/* Integral of 1 / ((1 + n sin^2) sqrt(1 - k^2 sin^2)) over a quarter turn, 1 + n > 0: Bulirsch 1965. */
static double elliptic_pi(double n, double m1)
{
  double kc = sqrt(m1), p = sqrt(1 + n), c = 1, s = 1 / p, e = kc, em = 1;
  for (int i = 0; i < 60; i++) {
    double f = c;
    c = c + s / p;
    double g = e / p;
    s = 2 * (s + f * g);
    p = g + p;
    g = em;
    em = kc + em;
    if (fabs(g - kc) <= 1e-9 * g) break;
    kc = 2 * sqrt(e);
    e = kc * em;
  }
  return 0.5 * pi * (s + c * em) / (em * (em + p));
}

typedef struct {
  double p, u1, u2, omega;
} disc;

static double clamp_cosine(double x)
{
  return fmin(1, fmax(-1, x));
}

/* The terms of the paper: uniform disc, linear and quadratic part. */
static void crossing(double d, double p, double *le, double *ld, double *ed)
{
  double a = (d - p) * (d - p), b = (d + p) * (d + p), q = p * p - d * d;
  double k0 = acos(clamp_cosine((p * p + d * d - 1) / (2 * p * d)));
  double k1 = acos(clamp_cosine((1 - p * p + d * d) / (2 * d)));
  double root = 4 * d * d - (1 + d * d - p * p) * (1 + d * d - p * p);
  *le = (p * p * k0 + k1 - 0.5 * sqrt(fmax(root, 0))) / pi;
  *ed = (k1 + p * p * (p * p + 2 * d * d) * k0 - 0.25 * (1 + 5 * p * p + d * d) * sqrt(fmax((1 - a) * (b - 1), 0))) /
        (2 * pi);
  double m1 = (b - 1) / (4 * p * d), n = 1 / a - 1;
  *ld = 1 / (9 * pi * sqrt(p * d)) *
        (((1 - b) * (2 * b + a - 3) - 3 * q * (b - 2)) * elliptic_k(m1) +
         4 * p * d * (d * d + 7 * p * p - 4) * elliptic_e(m1) - 3 * q / a * elliptic_pi(n, m1));
}

static void inside(double d, double p, double *le, double *ld, double *ed)
{
  double a = (d - p) * (d - p), b = (d + p) * (d + p), q = p * p - d * d;
  *le = p * p;
  *ed = p * p * (p * p + 2 * d * d) / 2;
  double m1 = (1 - b) / (1 - a), n = (b - a) / a;
  *ld = 2 / (9 * pi * sqrt(1 - a)) *
        ((1 - 5 * d * d + p * p + q * q) * elliptic_k(m1) + (1 - a) * (d * d + 7 * p * p - 4) * elliptic_e(m1) -
         3 * q / a * elliptic_pi(n, m1));
}

static double flux(const disc *star, double d)
{
  double p = star->p, le, ld, ed;
  if (d >= 1 + p) return 1;
  if (fabs(d - p) < 1e-9) d = p * (1 + 1e-7); /* the formulas are singular there */
  if (fabs(d - (1 - p)) < 1e-9) d = (1 - p) * (1 - 1e-8);
  if (d <= 1 - p)
    inside(d, p, &le, &ld, &ed);
  else
    crossing(d, p, &le, &ld, &ed);
  if (p > d) ld += 2.0 / 3;
  return 1 - ((1 - star->u1 - 2 * star->u2) * le + (star->u1 + 2 * star->u2) * ld + star->u2 * ed) / star->omega;
}

void eas_tls_peer_model(double period, double radius_ratio, double axis, double inclination, double u1, double u2,
                        double *out)
{
  disc star = { .p = radius_ratio, .u1 = u1, .u2 = u2, .omega = 1 - u1 / 3 - u2 / 6 };
  double sine = sin(inclination * pi / 180), step = 1.0 / (EAS_TLS_MODEL_SAMPLES - 1);
  for (int i = 0; i < EAS_TLS_MODEL_SAMPLES; i++) {
    double cycles = (-0.5 + i * step) / period;
    double f = 2 * pi * (cycles - trunc(cycles));
    double s = sin(f + 0.5 * pi) * sine;
    double d = s <= 0 ? 100 : axis * sqrt(1 - s * s);
    out[i] = 1 - flux(&star, d);
  }
}
