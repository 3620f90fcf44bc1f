/* tls__stats.c: numbers of one candidate: its transits, their depths, the noise outside. */
#include <string.h>
#include "tls_parts.h"

typedef struct {
  double sum, squares; /* of e about a level, to keep digits */
  double level;
  size_t n;
} moments;

static void add(moments *m, double e)
{
  if (m->n++ == 0) m->level = e;
  double x = e - m->level;
  m->sum += x;
  m->squares += x * x;
}

static double mean_of(const moments *m)
{
  return m->n > 0 ? m->level + m->sum / (double)m->n : NAN;
}

static double std_of(const moments *m)
{
  if (m->n == 0) return NAN;
  double mean = m->sum / (double)m->n;
  return sqrt(fmax(m->squares / (double)m->n - mean * mean, 0));
}

static double error_of(const moments *m)
{
  return std_of(m) / sqrt((double)m->n);
}

static double first_transit(const eas_tls_job *job, double period, double t0)
{
  return t0 < job->time[0] ? t0 + period : t0;
}

size_t eas_tls_transit_count(const eas_tls_job *job, double period, double t0)
{
  double last = job->time[0] + (job->time[job->n - 1] - job->time[0]);
  if (!(period > 0) || !isfinite(t0)) return 0;
  size_t n = 1;
  for (double t = first_transit(job, period, t0) + period; t < last && n < job->n + 2; t += period) n++;
  return n;
}

static double median_step(const eas_tls_job *job, double *work)
{
  size_t n = job->n - 1, k = n / 2;
  for (size_t i = 0; i < n; i++) work[i] = job->time[i + 1] - job->time[i];
  size_t lo = 0, hi = n - 1;
  while (lo < hi) { /* selection: what is left of k is not greater */
    double pivot = work[lo + (hi - lo) / 2];
    ptrdiff_t i = (ptrdiff_t)lo, j = (ptrdiff_t)hi;
    while (i <= j) {
      while (work[i] < pivot) i++;
      while (pivot < work[j]) j--;
      if (i > j) break;
      double t = work[i];
      work[i++] = work[j];
      work[j--] = t;
    }
    if (j < (ptrdiff_t)k) lo = (size_t)i;
    if ((ptrdiff_t)k < i) hi = j < 0 ? 0 : (size_t)j;
  }
  double upper = work[k], lower = upper;
  if (n % 2 == 0) {
    lower = work[0];
    for (size_t i = 1; i < k; i++) lower = fmax(lower, work[i]);
  }
  return 0.5 * (lower + upper);
}

/* First sample at or after t; NaN: the last. */
static size_t sample_from(const eas_tls_job *job, double t)
{
  size_t lo = 0, hi = job->n;
  while (lo < hi) {
    size_t middle = lo + (hi - lo) / 2;
    if (job->time[middle] < t)
      lo = middle + 1;
    else
      hi = middle;
  }
  return lo;
}

static size_t count_between(const eas_tls_job *job, double from, double to) /* both exclusive */
{
  size_t i = sample_from(job, from), n = 0;
  for (; i < job->n && job->time[i] < to; i++) n += job->time[i] > from;
  return n;
}

static void count_around(const eas_tls_job *job, double t, double duration, eas_tls_stats *out)
{
  double half = 0.5 * duration;
  if (!(t - 3 * half > job->time[0]) || !(t + 3 * half < job->time[job->n - 1])) return;
  out->n_before += count_between(job, t - 3 * half, t - half);
  out->n_inside += count_between(job, t - half, t + half);
  out->n_after += count_between(job, t + half, t + 3 * half);
}

typedef struct {
  moments all, odd, even;
} depths;

static void measure_transits(const eas_tls_job *job, double period, double t0, eas_tls_transit *list, size_t max,
                             depths *d, eas_tls_stats *out)
{
  const double *e = ((const tls_plan *)job->plan)->e;
  double half = 0.5 * out->duration, t = first_transit(job, period, t0);
  for (size_t k = 0; k < out->n_transits; k++, t += period) {
    moments one = { 0 };
    for (size_t i = sample_from(job, t - half); i < job->n && job->time[i] < t + half; i++) {
      if (!(job->time[i] > t - half)) continue;
      add(&one, e[i]);
      add(&d->all, e[i]);
      add(k % 2 == 0 ? &d->even : &d->odd, e[i]);
    }
    out->n_distinct += one.n > 0;
    count_around(job, t, out->duration, out);
    if (k < max)
      list[k] = (eas_tls_transit){ .time = t, .depth = mean_of(&one), .depth_err = error_of(&one), .n = one.n };
  }
}

/* Samples that are not within `width` / 2 of a transit, one behind the other. */
static size_t samples_outside(const eas_tls_job *job, double period, double t0, double width, double *outside)
{
  const double *e = ((const tls_plan *)job->plan)->e;
  size_t n = 0;
  for (size_t i = 0; i < job->n; i++) {
    double x = fabs(fmod(fabs(job->time[i] - t0) + 0.5 * period, period) - 0.5 * period);
    if (x > 0.5 * width) outside[n++] = e[i];
  }
  return n;
}

/* Scatter of e[n], and the mean standard error over all windows of so many samples. */
static void noise_of(const double *e, size_t n, size_t width, eas_tls_stats *out)
{
  moments all = { 0 };
  for (size_t i = 0; i < n; i++) add(&all, e[i]);
  out->noise = std_of(&all);
  out->noise_pink = NAN;
  if (width < 1 || width > n) return;
  double sum = 0, squares = 0, errors = 0, level = mean_of(&all);
  for (size_t i = 0; i < n; i++) {
    double x = e[i] - level, gone = i >= width ? e[i - width] - level : 0;
    sum += x - gone;
    squares += x * x - gone * gone;
    if (i + 1 < width) continue;
    double mean = sum / (double)width;
    errors += sqrt(fmax(squares / (double)width - mean * mean, 0)) / sqrt((double)width);
  }
  out->noise_pink = errors / (double)(n - width + 1);
}

int eas_tls_stats_of(const eas_tls_job *job, double period, double t0, size_t row, int peer, void *work,
                     eas_tls_transit *list, size_t max_transits, eas_tls_stats *out)
{
  const tls_plan *plan = job->plan;
  if (!(period > 0) || !isfinite(period) || !isfinite(t0) || row >= plan->n_row) return EAS_EARG;
  *out = (eas_tls_stats){ .n_transits = eas_tls_transit_count(job, period, t0) };
  double stretch = plan->span / period / (double)out->n_transits;
  double fill = (double)(job->n - 1) * median_step(job, work) / plan->span;
  out->duration = plan->row[row].duration * stretch * period * fill;

  depths d = { 0 };
  measure_transits(job, period, t0, list, max_transits, &d, out);
  out->n_in_transit = d.all.n;
  out->depth_mean = mean_of(&d.all);
  out->depth_mean_err = error_of(&d.all);
  out->depth_odd = mean_of(&d.odd);
  out->depth_odd_err = error_of(&d.odd);
  out->depth_even = mean_of(&d.even);
  out->depth_even_err = error_of(&d.even);
  out->odd_even_mismatch = fabs(out->depth_odd - out->depth_even) / (out->depth_odd_err + out->depth_even_err);

  double width = peer ? 2 * plan->row[row].duration : 2 * out->duration;
  size_t n = samples_outside(job, period, t0, width, work);
  noise_of(work, n, d.all.n / out->n_transits, out);
  out->snr = out->depth_mean / out->noise * sqrt((double)d.all.n);
  for (size_t k = 0; k < out->n_transits && k < max_transits; k++) {
    double depth = list[k].n > 0 ? list[k].depth : 0;
    list[k].snr = depth * sqrt((double)list[k].n) / out->noise;
    list[k].snr_pink = list[k].n > 0 ? depth / out->noise_pink : 0;
  }
  return EAS_OK;
}
