/* fixed_step__raster.c: a light curve on an even raster. */
#include "fixed_step.h"
#include <math.h>

/* The line time = start + k step through all samples, k counted up by whole intervals from one to the next. */
static void fit_line(eas_fixed_step_raster *r)
{
  double k = 0, sum_k = 0, sum_t = 0, sum_kk = 0, sum_kt = 0, n = (double)r->n;
  for (size_t i = 0; i < r->n; i++) {
    double t = r->time[i] - r->time[0];
    if (i > 0) k += nearbyint((r->time[i] - r->time[i - 1]) / r->interval);
    sum_k += k;
    sum_t += t;
    sum_kk += k * k;
    sum_kt += k * t;
  }
  double spread = sum_kk - sum_k * sum_k / n;
  r->step = spread > 0 ? (sum_kt - sum_k * sum_t / n) / spread : r->interval;
  if (!(fabs(r->step / r->interval - 1) < 0.01)) r->step = r->interval; /* no even cadence: the line says nothing */
  r->start = r->time[0] + (sum_t - r->step * sum_k) / n;
  r->start += r->step * nearbyint((r->time[0] - r->start) / r->step); /* the first sample goes to the first point */
}

int eas_fixed_step_raster_plan(eas_fixed_step_raster *r)
{
  if (r->n < 2) return EAS_EFEW;
  if (r->time == NULL || r->flux == NULL || !(r->interval > 0) || !isfinite(r->interval)) return EAS_EARG;
  for (size_t i = 0; i < r->n; i++)
    if (!isfinite(r->time[i]) || !isfinite(r->flux[i]) || (i > 0 && !(r->time[i] > r->time[i - 1]))) return EAS_EDATA;
  double last = r->time[r->n - 1], points;
  if (r->compat) {
    r->start = r->time[0];
    r->step = r->interval;
    points = ceil((last - r->start) / r->step);
  } else {
    fit_line(r);
    points = nearbyint((last - r->start) / r->step) + 1;
  }
  if (!(points <= 100 * (double)r->n + 1e6)) return EAS_EGRID;
  r->m = points > 1 ? (size_t)points : 1;
  return EAS_OK;
}

static void fill_nearest(eas_fixed_step_raster *r)
{
  double in_point = 0; /* samples of the point at */
  size_t at = 0;
  for (size_t i = 0; i < r->n; i++) {
    double x = (r->time[i] - r->start) / r->step, k = nearbyint(x);
    if (k > (double)(r->m - 1)) k = (double)(r->m - 1);
    if (!(k > 0)) k = 0;
    if (i == 0 || (size_t)k != at) in_point = 0;
    at = (size_t)k;
    in_point++;
    r->shared += in_point > 1;
    r->out[at] = in_point > 1 ? r->out[at] + (r->flux[i] - r->out[at]) / in_point : r->flux[i];
    r->offset_most = fmax(r->offset_most, fabs(x - k) * r->step);
  }
}

static void fill_as_prototype(eas_fixed_step_raster *r)
{
  const double tolerance = 1e-4;
  size_t at = 0;
  for (size_t i = 0; i < r->m; i++) {
    double ideal = r->start + (double)i * r->step;
    while (at + 1 < r->n && r->time[at] < ideal - tolerance) at++;
    double off = fabs(r->time[at] - ideal);
    if (!(off <= tolerance)) continue;
    r->out[i] = r->flux[at];
    r->offset_most = fmax(r->offset_most, off);
  }
}

int eas_fixed_step_raster_fill(eas_fixed_step_raster *r)
{
  r->filled = r->shared = 0;
  r->offset_most = 0;
  for (size_t i = 0; i < r->m; i++) r->out[i] = NAN;
  if (r->compat)
    fill_as_prototype(r);
  else
    fill_nearest(r);
  for (size_t i = 0; i < r->m; i++) r->filled += isnan(r->out[i]) != 0;
  return EAS_OK;
}
