/* lc_snap.c: times of the prototype back to whole steps. */
#include <math.h>
#include <stdlib.h>

#include "lightcurve/lc_private.h"

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Sampling step in ms: mean of the middle half of the differences; 0 if there is none. At most
 * 4096 differences are looked at, spread over the light curve. */
static double step_ms(const eas_lc_columns *c)
{
  double diff[4096];
  size_t n = 0, stride = c->n / 4096 + 1;
  for (size_t i = 1; i < c->n && n < 4096; i += stride) {
    double d = c->time[i] - c->time[i - 1];
    if (isfinite(d) && d > 0) diff[n++] = d;
  }
  if (n < 3) return 0;
  qsort(diff, n, sizeof *diff, by_size);
  size_t from = n / 4, to = n * 3 / 4;
  double sum = 0;
  for (size_t i = from; i < to; i++) sum += diff[i];
  double ms = rint(sum / (double)(to - from) * 86400e3);
  return ms >= 1 ? ms : 0;
}

void eas_lc_snap(eas_lc_columns *c)
{
  double ms = step_ms(c);
  if (ms == 0) return;
  for (size_t i = 0; i < c->n; i++) {
    double t = c->time[i], k = rint(t * 86400e3 / ms);
    if (fabs(k * ms) > 9e15) return;
    double ideal = k * ms / 86400e3;
    if (fabs(t - ideal) < 1e-9) c->time[i] = ideal;
  }
}
