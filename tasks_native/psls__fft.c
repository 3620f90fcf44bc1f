/* psls__fft.c: inverse transform of any length 2^a 3^b 5^c (Stockham: passes from one array to the other, in order). */
#include "psls_parts.h"

/* One pass: rows of `stride` numbers; `n` is what is left of the length, `radix` is taken off it. */
typedef struct {
  const double *restrict x;
  double *restrict y;
  size_t n, stride;
} pass;

static void pass2(const pass *s)
{
  size_t half = s->n / 2, stride = s->stride;
  for (size_t p = 0; p < half; p++) {
    double wr = cos(2 * psls_pi * (double)p / (double)s->n), wi = sin(2 * psls_pi * (double)p / (double)s->n);
    const double *a = s->x + 2 * stride * p, *b = s->x + 2 * stride * (p + half);
    double *u = s->y + 2 * stride * 2 * p, *v = u + 2 * stride;
    for (size_t q = 0; q < stride; q++) {
      double dr = a[2 * q] - b[2 * q], di = a[2 * q + 1] - b[2 * q + 1];
      u[2 * q] = a[2 * q] + b[2 * q];
      u[2 * q + 1] = a[2 * q + 1] + b[2 * q + 1];
      v[2 * q] = dr * wr - di * wi;
      v[2 * q + 1] = dr * wi + di * wr;
    }
  }
}

static void pass4(const pass *s)
{
  size_t quarter = s->n / 4, stride = s->stride;
  for (size_t p = 0; p < quarter; p++) {
    double angle = 2 * psls_pi * (double)p / (double)s->n;
    double w1r = cos(angle), w1i = sin(angle), w2r = w1r * w1r - w1i * w1i, w2i = 2 * w1r * w1i;
    double w3r = w1r * w2r - w1i * w2i, w3i = w1r * w2i + w1i * w2r;
    const double *a = s->x + 2 * stride * p, *b = a + 2 * stride * quarter, *c = b + 2 * stride * quarter;
    const double *d = c + 2 * stride * quarter;
    double *t = s->y + 2 * stride * 4 * p, *u = t + 2 * stride, *v = u + 2 * stride, *w = v + 2 * stride;
    for (size_t q = 0; q < 2 * stride; q += 2) {
      double acr = a[q] + c[q], aci = a[q + 1] + c[q + 1], adr = a[q] - c[q], adi = a[q + 1] - c[q + 1];
      double bdr = b[q] + d[q], bdi = b[q + 1] + d[q + 1], ber = b[q] - d[q], bei = b[q + 1] - d[q + 1];
      double y1r = adr - bei, y1i = adi + ber, y2r = acr - bdr, y2i = aci - bdi, y3r = adr + bei, y3i = adi - ber;
      t[q] = acr + bdr;
      t[q + 1] = aci + bdi;
      u[q] = y1r * w1r - y1i * w1i;
      u[q + 1] = y1r * w1i + y1i * w1r;
      v[q] = y2r * w2r - y2i * w2i;
      v[q + 1] = y2r * w2i + y2i * w2r;
      w[q] = y3r * w3r - y3i * w3i;
      w[q + 1] = y3r * w3i + y3i * w3r;
    }
  }
}

/* Radix 3 or 5, by the definition. */
static void pass_odd(const pass *s, size_t radix)
{
  size_t part = s->n / radix, stride = s->stride;
  double cr[25], ci[25];
  for (size_t k = 0; k < radix; k++)
    for (size_t j = 0; j < radix; j++) {
      cr[k * radix + j] = cos(2 * psls_pi * (double)(j * k % radix) / (double)radix);
      ci[k * radix + j] = sin(2 * psls_pi * (double)(j * k % radix) / (double)radix);
    }
  for (size_t p = 0; p < part; p++)
    for (size_t k = 0; k < radix; k++) {
      double angle = 2 * psls_pi * (double)(p * k) / (double)s->n, wr = cos(angle), wi = sin(angle);
      double *y = s->y + 2 * stride * (radix * p + k);
      for (size_t q = 0; q < stride; q++) {
        double sr = 0, si = 0;
        for (size_t j = 0; j < radix; j++) {
          const double *x = s->x + 2 * (stride * (p + part * j) + q);
          sr += x[0] * cr[k * radix + j] - x[1] * ci[k * radix + j];
          si += x[0] * ci[k * radix + j] + x[1] * cr[k * radix + j];
        }
        y[2 * q] = sr * wr - si * wi;
        y[2 * q + 1] = sr * wi + si * wr;
      }
    }
}

double *psls_transform(double *a, double *b, size_t m)
{
  pass s = { .x = a, .y = b, .n = m, .stride = 1 };
  while (s.n > 1) {
    size_t radix = s.n % 4 == 0 ? 4 : s.n % 2 == 0 ? 2 : s.n % 3 == 0 ? 3 : 5;
    if (radix == 4)
      pass4(&s);
    else if (radix == 2)
      pass2(&s);
    else
      pass_odd(&s, radix);
    s.n /= radix;
    s.stride *= radix;
    double *made = s.y;
    s.y = made == b ? a : b;
    s.x = made;
  }
  return s.x == a ? a : b;
}
