/* transit_model__nodes.c: the light a disc takes, in closed form, for many distances at once.
 *
 * Mandel & Agol 2002 (ApJ 580, L171), with the differences that vanish at the contacts given rather than computed.
 * Loops over distances hold no calls and no branches, so that the compiler makes vectors of them. */
#include "simd.h"
#include "transit_model_parts.h"

enum { STEPS = 7 }; /* of the arithmetic-geometric mean: enough for k' down to 1e-5 */

typedef struct {
  double d[TRANSIT_NODES], m1[TRANSIT_NODES], n1[TRANSIT_NODES];          /* 1 - k^2; 1 + n */
  double k[TRANSIT_NODES], e[TRANSIT_NODES], pi[TRANSIT_NODES];           /* factors of K, E and Pi(n) */
  double area[TRANSIT_NODES], square[TRANSIT_NODES], more[TRANSIT_NODES]; /* Le, Ed; what Ld has beside its integrals */
} nodes;

/* Angle of (x, y), y >= 0, halved three times for a short series. */
EAS_INLINE double angle(double y, double x)
{
  double r = sqrt(x * x + y * y);
  double near = y / (r + fabs(x)); /* tangent of half the angle from the nearer half axis */
  near = near / (1 + sqrt(1 + near * near));
  near = near / (1 + sqrt(1 + near * near));
  double q = -near * near, sum = 1.0 / 27;
  for (int k = 25; k >= 1; k -= 2) sum = sum * q + 1.0 / k;
  double half = 8 * near * sum;
  return x < 0 ? transit_pi - half : half;
}

EAS_INLINE void crossing(const transit_disc *disc, size_t n, const double *z, const double *from_low,
                         const double *to_high, nodes *w)
{
  double p = disc->p;
  for (size_t i = 0; i < n; i++) {
    double d = sqrt(z[i]);
    d = fabs(d - p) < 1e-12 * p ? p * (1 + 1e-12) : d;
    double touch = from_low[i] / (d + fabs(1 - p)); /* d - |1 - p| */
    double beyond = p < 1 ? touch : d + p - 1;
    double kite = sqrt(from_low[i] * to_high[i]); /* four times the triangle of the centres and a crossing */
    double k0 = angle(kite, p * p + d * d - 1), k1 = angle(kite, 1 - p * p + d * d);
    double a = (d - p) * (d - p), b = (d + p) * (d + p), q = (p - d) * (p + d), b1 = beyond * (d + p + 1);
    double front = 1 / (9 * transit_pi * sqrt(p * d));
    w->d[i] = d;
    w->area[i] = (p * p * k0 + k1 - 0.5 * kite) / transit_pi;
    w->square[i] = (k1 + p * p * (p * p + 2 * d * d) * k0 - 0.25 * (1 + 5 * p * p + d * d) * kite) / (2 * transit_pi);
    w->m1[i] = b1 / (4 * p * d);
    w->n1[i] = 1 / a;
    w->k[i] = front * (-b1 * (2 * b + a - 3) - 3 * q * (b - 2));
    w->e[i] = front * 4 * p * d * (d * d + 7 * p * p - 4);
    w->pi[i] = front * -3 * q / a;
    w->more[i] = p > d ? 2.0 / 3 : 0;
  }
}

EAS_INLINE void inside_of(const transit_disc *disc, size_t n, const double *z, const double *from_low, nodes *w)
{
  double p = disc->p;
  for (size_t i = 0; i < n; i++) {
    double d = sqrt(z[i]);
    d = fabs(d - p) < 1e-12 * p ? p * (1 + 1e-12) : d;
    double a = (d - p) * (d - p), q = (p - d) * (p + d), one_a = (1 - d + p) * (1 + d - p);
    double one_b = from_low[i] / (1 - p + d) * (1 + d + p);
    double front = 2 / (9 * transit_pi * sqrt(one_a));
    w->d[i] = d;
    w->area[i] = p * p;
    w->square[i] = 0.5 * p * p * (p * p + 2 * d * d);
    w->m1[i] = one_b / one_a;
    w->n1[i] = (d + p) * (d + p) / a;
    w->k[i] = front * (1 - 5 * d * d + p * p + q * q);
    w->e[i] = front * one_a * (d * d + 7 * p * p - 4);
    w->pi[i] = front * -3 * q / a;
    w->more[i] = p > d ? 2.0 / 3 : 0;
  }
}

typedef struct {
  double kc[TRANSIT_NODES], e[TRANSIT_NODES], m[TRANSIT_NODES];
  double a[TRANSIT_NODES], b[TRANSIT_NODES], p[TRANSIT_NODES]; /* of K and E together */
  double c[TRANSIT_NODES], g[TRANSIT_NODES], s[TRANSIT_NODES]; /* of Pi */
} means;

EAS_INLINE void one_mean(size_t n, means *restrict w)
{
  for (size_t i = 0; i < n; i++) {
    double kc = w->kc[i], e = w->e[i], m = w->m[i], a = w->a[i], p = w->p[i], c = w->c[i], s = w->s[i];
    double one_p = 1 / p, one_s = 1 / s, x = e * one_p, y = e * one_s;
    w->a[i] = a + w->b[i] * one_p;
    w->b[i] = 2 * (w->b[i] + a * x);
    w->p[i] = p + x;
    w->c[i] = c + w->g[i] * one_s;
    w->g[i] = 2 * (w->g[i] + c * y);
    w->s[i] = s + y;
    w->m[i] = m + kc;
    w->kc[i] = 2 * sqrt(e);
    w->e[i] = w->kc[i] * w->m[i];
  }
}

/* Bulirsch 1965 (Numer. Math. 7, 78): two integrals over one mean, that of K and E together and that of Pi. */
EAS_INLINE void integrate(const transit_disc *disc, size_t n, const nodes *w, double *deficit)
{
  double c0 = disc->u1 + 2 * disc->u2, c1 = 1 - c0, u2 = disc->u2, scale = disc->sign / disc->omega;
  means x;
  for (size_t i = 0; i < n; i++) {
    x.kc[i] = x.e[i] = sqrt(w->m1[i]);
    x.m[i] = x.p[i] = 1;
    x.a[i] = w->k[i] + w->e[i];
    x.b[i] = w->k[i] + w->e[i] * w->m1[i];
    x.s[i] = sqrt(w->n1[i]);
    x.c[i] = w->pi[i];
    x.g[i] = w->pi[i] / x.s[i];
  }
  for (int step = 0; step < STEPS; step++) one_mean(n, &x);
  for (size_t i = 0; i < n; i++) {
    double m = x.m[i], near = (x.b[i] + x.a[i] * m) / (m * (m + x.p[i]));
    double pole = (x.g[i] + x.c[i] * m) / (m * (m + x.s[i]));
    double light = 0.5 * transit_pi * (near + pole) + w->more[i];
    deficit[i] = scale * (c1 * w->area[i] + c0 * light + u2 * w->square[i]);
  }
}

EAS_INLINE void evaluate(const transit_disc *disc, size_t n, const double *z, const double *from_low,
                         const double *to_high, int inside, double *deficit)
{
  nodes w;
  if (inside)
    inside_of(disc, n, z, from_low, &w);
  else
    crossing(disc, n, z, from_low, to_high, &w);
  integrate(disc, n, &w, deficit);
}

EAS_TARGET_AVX512 static void evaluate_avx512(const transit_disc *disc, size_t n, const double *z, const double *low,
                                              const double *high, int inside, double *deficit)
{
  evaluate(disc, n, z, low, high, inside, deficit);
}

EAS_TARGET_AVX2 static void evaluate_avx2(const transit_disc *disc, size_t n, const double *z, const double *low,
                                          const double *high, int inside, double *deficit)
{
  evaluate(disc, n, z, low, high, inside, deficit);
}

void transit_nodes(const transit_disc *disc, size_t n, const double *z, const double *from_low, const double *to_high,
                   int inside, double *deficit)
{
  int level = eas_simd_level();
  if (level == EAS_SIMD_AVX512)
    evaluate_avx512(disc, n, z, from_low, to_high, inside, deficit);
  else if (level == EAS_SIMD_AVX2)
    evaluate_avx2(disc, n, z, from_low, to_high, inside, deficit);
  else
    evaluate(disc, n, z, from_low, to_high, inside, deficit);
}
