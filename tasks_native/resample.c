/* resample.c: overlaps of pixels, summed per output pixel. */
#include "resample.h"
#include "select.h"

static const double least_covered = 0.5;

static int check_raster(const double *t, size_t n, int may_fall)
{
  int falls = may_fall && n > 1 && t[1] < t[0];
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(t[i])) return EAS_EDATA;
    if (i > 0 && !(falls ? t[i] < t[i - 1] : t[i] > t[i - 1])) return EAS_EDATA;
  }
  return EAS_OK;
}

int eas_resample_check(const eas_resample_job *job)
{
  const eas_resample_settings *set = &job->set;
  if (!(set->step_in >= 0 && set->step_in < INFINITY)) return EAS_EARG;
  if (!(set->step_out >= 0 && set->step_out < INFINITY)) return EAS_EARG;
  if (job->n < (set->compat ? 4u : 2u) || job->m < (set->step_out > 0 ? 1u : 2u)) return EAS_EFEW;
  if (job->time == NULL || job->flux == NULL || job->new_time == NULL || job->out_flux == NULL) return EAS_EARG;
  int rc = check_raster(job->time, job->n, 0);
  return rc != EAS_OK ? rc : check_raster(job->new_time, job->m, 1);
}

size_t eas_resample_work_size(const eas_resample_job *job)
{
  (void)job;
  return 64;
}

/* Half of the pixel from sample i to its neighbour at j (beyond the ends: as wide as on the other side). */
static double reach(const double *t, size_t n, size_t i, int forward, double step)
{
  double spacing;
  if (n == 1) return 0.5 * step;
  if (forward)
    spacing = i + 1 < n ? t[i + 1] - t[i] : t[i] - t[i - 1];
  else
    spacing = i > 0 ? t[i] - t[i - 1] : t[i + 1] - t[i];
  if (step > 0 && fabs(spacing) > 1.5 * step) spacing = copysign(step, spacing);
  return 0.5 * spacing;
}

static double left_edge(const double *t, size_t n, size_t i, double step)
{
  return t[i] - reach(t, n, i, 0, step);
}
static double right_edge(const double *t, size_t n, size_t i, double step)
{
  return t[i] + reach(t, n, i, 1, step);
}

/* First input pixel that ends behind x; n if none does. Begins at a guess; the answer does not depend on it. */
static size_t first_pixel(const eas_resample_job *job, double x, size_t guess)
{
  size_t lo = 0, hi = job->n;
  double step = job->set.compat ? 0 : job->set.step_in;
  for (size_t stride = 1; guess < job->n; stride *= 2) { /* most often the guess is near */
    if (right_edge(job->time, job->n, guess, step) > x) {
      hi = guess;
      if (guess < stride) break;
      guess -= stride;
      if (right_edge(job->time, job->n, guess, step) <= x) {
        lo = guess + 1;
        break;
      }
    } else {
      lo = guess + 1;
      guess += stride;
    }
  }
  while (lo < hi) {
    size_t middle = lo + (hi - lo) / 2;
    if (right_edge(job->time, job->n, middle, step) > x)
      hi = middle;
    else
      lo = middle + 1;
  }
  return lo;
}

typedef struct {
  double covered, flux, err, err2, flag; /* sums by overlap */
  double only;                           /* flux of the last contributor */
  uint32_t flags;
  size_t contributors;
} overlap;

static void add_pixel(const eas_resample_job *job, size_t k, double width, overlap *o)
{
  uint32_t flag = job->flag != NULL ? job->flag[k] : 0;
  if (!job->set.compat && (!isfinite(job->flux[k]) || (flag & 1))) return;
  double err = job->flux_err != NULL ? job->flux_err[k] : NAN;
  o->covered += width;
  o->flux += width * job->flux[k];
  o->err += width * err;
  o->err2 += width * err * (width * err);
  o->flag += width * flag;
  o->only = job->flux[k];
  o->flags |= flag;
  o->contributors++;
}

static void store(const eas_resample_job *job, size_t i, double width, const overlap *o)
{
  int compat = job->set.compat;
  double share = o->covered / width, flux, err, flag = o->flag / width;
  uint32_t flags = o->flags;
  if (compat) {
    flux = o->flux / width;
    err = o->err / width;
    flags = flag > 0.5;
  } else if (o->contributors == 0 || share < least_covered) {
    flux = err = NAN;
    flags |= 4;
  } else {
    flux = o->contributors == 1 ? o->only : o->flux / o->covered;
    err = sqrt(o->err2) / o->covered;
  }
  job->out_flux[i] = flux;
  if (job->out_err != NULL) job->out_err[i] = err;
  if (job->out_flag != NULL) job->out_flag[i] = flags;
  if (job->out_flag_mean != NULL) job->out_flag_mean[i] = flag;
  if (job->out_covered != NULL) job->out_covered[i] = fmin(share, 1);
}

int eas_resample_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_resample_job *job = argument;
  double step_in = job->set.compat ? 0 : job->set.step_in, step_out = job->set.compat ? 0 : job->set.step_out;
  size_t k = 0;
  (void)work;
  for (size_t i = i0; i < i1; i++) {
    double a = left_edge(job->new_time, job->m, i, step_out), b = right_edge(job->new_time, job->m, i, step_out);
    double lo = fmin(a, b), hi = fmax(a, b);
    overlap o = { 0, 0, 0, 0, 0, NAN, 0, 0 };
    k = first_pixel(job, lo, k < job->n ? k : job->n - 1);
    for (size_t j = k; j < job->n; j++) {
      double from = left_edge(job->time, job->n, j, step_in), to = right_edge(job->time, job->n, j, step_in);
      if (from >= hi) break;
      double width = fmin(to, hi) - fmax(from, lo);
      if (width > 0) add_pixel(job, j, width, &o);
    }
    store(job, i, hi - lo, &o);
  }
  return EAS_OK;
}

double eas_resample_step(const double *time, size_t n, double *scratch)
{
  if (n < 2) return NAN;
  for (size_t i = 1; i < n; i++) scratch[i - 1] = time[i] - time[i - 1];
  return eas_median(scratch, n - 1);
}
