/* fixed_step.c: step, gaps and noise of a light curve. */
#include "fixed_step.h"
#include "select.h"

static const double seconds_per_day = 86400;

int eas_fixed_step_check(const eas_fixed_step_job *job)
{
  if (job->out == NULL || (job->n > 0 && (job->time == NULL || job->flux == NULL))) return EAS_EARG;
  double last = -INFINITY;
  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i])) continue;
    if (job->time[i] < last) return EAS_EDATA;
    last = job->time[i];
  }
  return EAS_OK;
}

size_t eas_fixed_step_work_size(const eas_fixed_step_job *job)
{
  return (3 * job->n + 8) * sizeof(double);
}

/* Finite samples, without duplicates, into t and y; counts and extremes into the report. */
static size_t gather(const eas_fixed_step_job *job, double *t, double *y, eas_fixed_step_report *r)
{
  size_t m = 0;
  double last = -INFINITY;
  r->time_min = r->flux_min = INFINITY;
  r->time_max = r->flux_max = -INFINITY;
  for (size_t i = 0; i < job->n; i++) {
    double time = job->time[i], flux = job->flux[i];
    r->n_flagged += job->flag != NULL && job->flag[i] != 0;
    if (isfinite(time)) {
      r->time_min = fmin(r->time_min, time);
      r->time_max = fmax(r->time_max, time);
    }
    if (isfinite(flux)) {
      r->flux_min = fmin(r->flux_min, flux);
      r->flux_max = fmax(r->flux_max, flux);
    }
    if (!isfinite(time) || !isfinite(flux)) continue;
    r->n_finite++;
    if (time == last) {
      r->n_duplicate++;
      continue;
    }
    last = time;
    t[m] = time;
    y[m++] = flux;
  }
  if (!(r->time_min <= r->time_max)) r->time_min = r->time_max = NAN;
  if (!(r->flux_min <= r->flux_max)) r->flux_min = r->flux_max = NAN;
  return m;
}

/* Mean of the sorted spacings from index n/4 to 3n/4, rounded; NaN for too few or too close samples. */
static double sampling_interval(const double *t, size_t m, int compat, double *work)
{
  if (m < 2 || (!compat && m < 4)) return NAN;
  size_t n = m - 1, lo = (size_t)(0.25 * (double)n), hi = (size_t)(0.75 * (double)n);
  if (lo >= hi) return NAN;
  for (size_t i = 0; i < n; i++) work[i] = t[i + 1] - t[i];
  eas_select(work, n, hi - 1);
  eas_select(work, hi, lo);
  double sum = 0;
  for (size_t i = lo; i < hi; i++) sum += work[i];
  double mean = sum / (double)(hi - lo), unit = compat ? seconds_per_day : seconds_per_day * 1000;
  double step = nearbyint(mean * unit) / unit; /* ties to even */
  return step > 0 ? step : NAN;
}

/* The ideal raster has `count` points start + i step; how many are farther than tolerance from every sample. */
static double raster_errors(const double *t, size_t m, double step, double count, double tolerance)
{
  double errors = 0;
  size_t at = 0;
  for (double i = 0; i < count; i++) {
    double ideal = t[0] + i * step;
    while (at + 1 < m && t[at] < ideal - tolerance) at++;
    errors += !(fabs(t[at] - ideal) <= tolerance);
  }
  return errors;
}

static void judge_raster(const double *t, size_t m, int compat, eas_fixed_step_report *r)
{
  double span = t[m - 1] - t[0], step = r->interval, tolerance = 1e-4;
  double count = ceil(span / step); /* the prototype leaves the last point out */
  if (!compat) {
    double whole = nearbyint(span / step), exact = span / whole;
    if (whole > 0 && fabs(exact - step) < 0.6e-3 / seconds_per_day) step = exact; /* what rounding took away */
    tolerance = fmin(tolerance, 0.25 * r->interval);
    count = floor(span / step + 0.25) + 1;
  }
  if (!(count <= 1e9)) return; /* samples of years at a step of milliseconds: not a raster */
  r->n_ideal = count;
  r->errors = raster_errors(t, m, step, count, tolerance);
  r->fixed = r->errors == 0;
}

static void find_gaps(const double *t, size_t m, eas_fixed_step_report *r)
{
  r->gap_longest = r->gap_total = 0;
  for (size_t i = 1; i < m; i++) {
    double spacing = t[i] - t[i - 1];
    if (!(spacing > 1.5 * r->interval)) continue;
    r->gaps++;
    r->gap_longest = fmax(r->gap_longest, spacing);
    r->gap_total += spacing - r->interval;
  }
}

/* 1.4826 MAD / sqrt 2 of x[n], which are differences of neighbours; NaN for fewer than 2. */
static double noise_of(double *x, size_t n)
{
  if (n < 2) return NAN;
  double middle = eas_median(x, n);
  for (size_t i = 0; i < n; i++) x[i] = fabs(x[i] - middle);
  return 1.4826 * eas_median(x, n) / sqrt(2);
}

static double sample_noise(const double *t, const double *y, size_t m, double interval, double *work)
{
  size_t n = 0;
  for (size_t i = 1; i < m; i++)
    if (!(t[i] - t[i - 1] > 1.5 * interval)) work[n++] = y[i] - y[i - 1];
  return noise_of(work, n);
}

/* Differences of neighbouring hours, each the mean of as many samples as fit, without a gap inside or between. */
static double hourly_noise(const double *t, const double *y, size_t m, double interval, double *work)
{
  double hour = 1.0 / 24, per_hour = nearbyint(hour / interval), last = NAN;
  if (!(per_hour >= 1) || interval > 1.01 * hour) return NAN;
  size_t k = (size_t)per_hour, n = 0;
  for (size_t i = 0; i + k <= m;) {
    if (t[i + k - 1] - t[i] > ((double)k - 0.5) * interval) { /* a gap: go on behind it */
      i++;
      while (i < m && !(t[i] - t[i - 1] > 1.5 * interval)) i++;
      last = NAN;
      continue;
    }
    double sum = 0;
    for (size_t j = i; j < i + k; j++) sum += y[j];
    double mean = sum / per_hour;
    if (isfinite(last)) work[n++] = mean - last;
    last = mean;
    i += k;
    if (i < m && t[i] - t[i - 1] > 1.5 * interval) last = NAN;
  }
  return noise_of(work, n);
}

int eas_fixed_step_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_fixed_step_job *job = argument;
  if (i0 > 0 || i1 < 1) return EAS_OK;
  double *t = work, *y = t + job->n, *scratch = y + job->n;
  eas_fixed_step_report *r = job->out;
  *r = (eas_fixed_step_report){ .n = (double)job->n,
                                .duration = NAN,
                                .n_ideal = NAN,
                                .errors = NAN,
                                .gap_longest = NAN,
                                .gap_total = NAN,
                                .fill_factor = NAN,
                                .noise = NAN,
                                .noise_1h = NAN };
  size_t m = gather(job, t, y, r);
  r->interval = sampling_interval(t, m, job->set.compat, scratch);
  if (m > 0) r->duration = t[m - 1] - t[0];
  if (isnan(r->interval)) return EAS_OK;

  judge_raster(t, m, job->set.compat, r);
  find_gaps(t, m, r);
  r->fill_factor = (double)(m - 1) * r->interval / r->duration;
  r->noise = sample_noise(t, y, m, r->interval, scratch);
  r->noise_1h = hourly_noise(t, y, m, r->interval, scratch);
  return EAS_OK;
}
