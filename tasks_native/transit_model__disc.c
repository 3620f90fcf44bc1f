/* transit_model__disc.c: light that a disc takes from a limb-darkened star.
 *
 * 1 - F = 1 / (pi Omega) times the integral of 2 alpha(r) r I(r) dr over rings of the star, alpha the
 * half angle of the ring that is covered. Rings wholly covered are integrated in closed form. For the
 * others r = lo + (hi - lo) sin^2(theta) takes away the square roots at both ends, and theta = c sinh(s) in
 * each half those that lie just outside of them (contacts), at a distance c. */
#include "transit_model_parts.h"

enum { POINTS = 24 }; /* Gauss-Legendre, on [0, 1] */

static const double node[POINTS] = {
  0.0024063900014893447, 0.012635722014345263, 0.030862723998633601, 0.05679223649779952, 0.089999007013048526,
  0.12993790421072282,   0.17595317403151223,  0.22728926430558022,  0.28310324618697746, 0.3424786601519183,
  0.40444056626319186,   0.46797155356869719,  0.53202844643130276,  0.5955594337368082,  0.6575213398480817,
  0.71689675381302254,   0.77271073569441984,  0.82404682596848777,  0.87006209578927718, 0.91000099298695147,
  0.94320776350220048,   0.96913727600136634,  0.98736427798565474,  0.99759360999851066,
};
static const double weight[POINTS] = {
  0.0061706148999935454, 0.014265694314466872, 0.022138719408709776, 0.029649292457718371,  0.036673240705540205,
  0.043095080765976644,  0.048809326052057032, 0.053722135057982803, 0.057752834026862807,  0.06083523646390171,
  0.062918728173414151,  0.063969097673376107, 0.063969097673376107, 0.062918728173414151,  0.06083523646390171,
  0.057752834026862807,  0.053722135057982803, 0.048809326052057032, 0.043095080765976644,  0.036673240705540205,
  0.029649292457718371,  0.022138719408709776, 0.014265694314466872, 0.0061706148999935454,
};

static const double smooth_sine[POINTS] = {
  /* of pi / 2 node */
  0.0037799395738572429, 0.019846842559712047, 0.048460066327515233, 0.089090758886845048, 0.14089968771805705,
  0.2026917811579767,    0.27288117373862353,  0.34948851797813529,  0.430184856284271,    0.5123888224660148,
  0.59341398331420181,   0.67065243221173743,  0.74177174061060103,  0.80489741234965606,  0.85875357036340205,
  0.90274082073631789,   0.93694064689362622,  0.96204774570653784,  0.97924258580343981,  0.99002387749031284,
  0.99602351211252338,   0.99882512081521713,  0.99980303202201293,  0.99999285600289056,
};

int transit_disc_of(transit_disc *disc, double radius_ratio, int law, double u1, double u2)
{
  if (law < EAS_TRANSIT_UNIFORM || law > EAS_TRANSIT_QUADRATIC) return EAS_EARG;
  if (law == EAS_TRANSIT_UNIFORM) u1 = 0;
  if (law != EAS_TRANSIT_QUADRATIC) u2 = 0;
  double omega = 1 - u1 / 3 - u2 / 6;
  if (!isfinite(radius_ratio) || !isfinite(omega) || fabs(omega) < 1e-12) return EAS_EARG;
  *disc =
      (transit_disc){ .p = fabs(radius_ratio), .u1 = u1, .u2 = u2, .omega = omega, .sign = radius_ratio < 0 ? -1 : 1 };
  return EAS_OK;
}

static const double smooth_reach = 0.35; /* of the span; then 24 points are good to 1e-13 of the transit */

typedef struct {
  double d, p, lo, hi, span; /* rings partly covered, and hi - lo */
} rings;

/* 2 alpha r I dr/dtheta at r = lo + span sin^2, all distances from the ends kept exact. */
static double ring(const transit_disc *disc, const rings *g, double sine, double cosine)
{
  double above = g->span * sine * sine, below = g->span * cosine * cosine; /* r - lo, hi - r */
  double r = g->lo + above;
  double outer = (g->d + g->p - g->hi) + below, far = r + g->lo;
  double near_side = g->d < g->p ? far : above; /* p - d + r */
  double other = g->d < g->p ? above : far;     /* d - p + r */
  double alpha = 2 * atan2(sqrt(outer * near_side), sqrt(other * (r + g->d + g->p)));
  double mu = sqrt(((1 - g->hi) + below) * (1 + r)), k = 1 - mu;
  double intensity = 1 - k * (disc->u1 + disc->u2 * k);
  return 2 * alpha * r * intensity * 2 * g->span * sine * cosine;
}

/* Half of the range of theta, from one end to pi/4, whose nearest root outside is at sin^2 = -reach / span. */
static double half(const transit_disc *disc, const rings *g, double reach, int from_top)
{
  double c = asinh(sqrt(reach / g->span));
  c = fmin(fmax(c, from_top ? 6e-4 : 4e-3), 4.0); /* nearer ones move the result by 1e-13 */
  double length = asinh(0.25 * transit_pi / c), sum = 0;
  for (int i = 0; i < POINTS; i++) {
    double s = exp(length * node[i]), theta = 0.5 * c * (s - 1 / s);
    double slope = 0.5 * c * (s + 1 / s);
    double a = sin(theta), b = cos(theta);
    sum += weight[i] * slope * ring(disc, g, from_top ? b : a, from_top ? a : b);
  }
  return length * sum;
}

/* The whole range of theta at once, where nothing outside of its ends is near: most of a transit. */
static double whole(const transit_disc *disc, const rings *g)
{
  double sum = 0;
  for (int i = 0; i < POINTS; i++) sum += weight[i] * ring(disc, g, smooth_sine[i], smooth_sine[POINTS - 1 - i]);
  return 0.5 * transit_pi * sum;
}

double transit_deficit(const transit_disc *disc, double d)
{
  double p = disc->p, u1 = disc->u1, u2 = disc->u2, sum = 0;
  if (!(d < 1 + p) || p == 0) return 0;

  if (d < p) { /* rings up to this one are covered */
    double r = fmin(p - d, 1), square = r * r, m = sqrt((1 - r) * (1 + r));
    double cap = square * (1 + m + m * m) / (1 + m); /* 1 - m^3 */
    sum =
        transit_pi * ((1 - u1 - u2) * square + (u1 + 2 * u2) * (2.0 / 3) * cap - u2 * (square - 0.5 * square * square));
  }
  rings g = { .d = d, .p = p, .lo = fabs(d - p), .hi = fmin(1, d + p) };
  g.span = g.hi - g.lo;
  double reach_low = 2 * g.lo, reach_high = fabs(1 - (d + p));
  if (g.span > 0 && fmin(reach_low, reach_high) > smooth_reach * g.span)
    sum += whole(disc, &g);
  else if (g.span > 0)
    sum += half(disc, &g, reach_low, 0) + half(disc, &g, reach_high, 1);
  return disc->sign * sum / (transit_pi * disc->omega);
}

double eas_transit_model_deficit(double distance, double radius_ratio, int law, double u1, double u2)
{
  transit_disc disc;
  if (!(distance >= 0) || transit_disc_of(&disc, radius_ratio, law, u1, u2) != EAS_OK) return NAN;
  return transit_deficit(&disc, distance);
}
