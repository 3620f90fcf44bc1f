/* detrend__local.c: a parabola (Savitzky-Golay) or a line (lowess) through each window. */
#include "detrend_parts.h"
#include "select.h"

size_t detrend_local_size(const eas_detrend_job *job)
{
  return 4 * (detrend_fullest(job) + 1) * sizeof(double);
}

/* Value at x = 0 of the polynomial of so many terms (1 .. 3) through y[n] at x[n] with weights w. Terms that the points
 * do not fix are left out. *slope: that of a line. */
static double fit_at_zero(const double *x, const double *y, const double *w, size_t n, int terms, double *slope)
{
  double s[5] = { 0 }, b[3] = { 0 };
  for (size_t i = 0; i < n; i++) {
    double p = w[i], q = w[i] * y[i];
    for (int k = 0; k < 5; k++, p *= x[i]) s[k] += p;
    for (int k = 0; k < 3; k++, q *= x[i]) b[k] += q;
  }
  *slope = 0;
  if (!(s[0] > 0)) return NAN;
  double mean = b[0] / s[0], centre = s[1] / s[0], spread = s[2] - s[1] * centre; /* orthogonal: 1, x - centre, ... */
  if (terms < 2 || !(spread > 1e-12 * s[0])) return mean;
  double line = (b[1] - centre * b[0]) / spread;
  *slope = line;
  double value = mean - line * centre;
  /* g = x^2 - a - c (x - centre), orthogonal to both */
  double a = s[2] / s[0], c = (s[3] - centre * s[2]) / spread;
  double size = s[4] - a * s[2] - c * (s[3] - centre * s[2]);
  if (terms < 3 || !(size > 1e-9 * s[0])) return value;
  double bend = (b[2] - a * b[0] - c * (b[1] - centre * b[0])) / size;
  return value + bend * (-a + c * centre);
}

static double cube(double x)
{
  return x * x * x;
}

/* Weights fall with the residuals from the line before: bisquare of six times their median. */
static double robust_line(const double *x, const double *y, double *w, double *scratch, size_t n)
{
  double value = NAN;
  for (int turn = 0; turn < 3; turn++) {
    double slope;
    value = fit_at_zero(x, y, w, n, 2, &slope);
    if (turn == 2) break;
    for (size_t i = 0; i < n; i++) scratch[i] = fabs(y[i] - value - slope * x[i]);
    double reach = 6 * eas_median(scratch, n);
    if (!(reach > 0)) break;
    for (size_t i = 0; i < n; i++) {
      double u = (y[i] - value - slope * x[i]) / reach, v = 1 - u * u;
      w[i] = cube(1 - cube(fmin(fabs(x[i]), 1))) * (v > 0 ? v * v : 0);
    }
  }
  return value;
}

static double value_of(const eas_detrend_job *job, size_t i, const detrend_window *win, double *work)
{
  size_t most = win->hi - win->lo;
  double *x = work, *y = x + most, *w = y + most, *scratch = w + most, slope;
  double half = job->set.window / 2, zero = 0;
  int lowess = job->set.method == EAS_DETREND_LOWESS;
  size_t n = 0;
  for (size_t j = win->lo; j < win->hi; j++) {
    if (!detrend_seen(job, j)) continue;
    if (n == 0) zero = job->flux[j]; /* taken off, so that sums keep their digits */
    x[n] = (job->time[j] - job->time[i]) / half;
    y[n] = job->flux[j] - zero;
    w[n] = lowess ? cube(1 - cube(fmin(fabs(x[n]), 1))) : 1;
    n++;
  }
  if (n == 0) return NAN;
  if (n <= 2) return zero + (n == 2 ? 0.5 * y[1] : 0);
  return zero + (lowess ? robust_line(x, y, w, scratch, n) : fit_at_zero(x, y, w, n, 3, &slope));
}

void detrend_local(const eas_detrend_job *job, size_t i0, size_t i1, double *work)
{
  detrend_window w = { i0, i0, 0, 0 };
  for (size_t i = i0; i < i1; i++) {
    detrend_move(job, i, &w);
    job->trend[i] = detrend_cut(job, i, &w) ? NAN : value_of(job, i, &w, work);
  }
}
