/* bls__stats.c: trial grid, median, the spectrum's peak and the vetting numbers of one box. */
#include "bls_parts.h"
#include "select.h"

static double grid_step(double span, double duration_min, double frequency_factor)
{
  return frequency_factor * duration_min / (span * span);
}

size_t eas_bls_grid_count(double span, double duration_min, double frequency_factor, double period_min,
                          double period_max)
{
  if (!(span > 0) || !(duration_min > 0) || !(frequency_factor > 0) || !(period_min > 0)) return 0;
  if (!(period_max >= period_min)) return 0;
  double step = grid_step(span, duration_min, frequency_factor);
  double n = 1.0 + nearbyint((1.0 / period_min - 1.0 / period_max) / step); /* ties to even */
  return n <= 4e9 ? (size_t)n : 0;
}

void eas_bls_grid(double span, double duration_min, double frequency_factor, double period_min, size_t i, size_t n,
                  double *out)
{
  double step = grid_step(span, duration_min, frequency_factor), highest = 1.0 / period_min;
  for (size_t k = 0; k < n; k++) out[k] = 1.0 / (highest - step * (double)(i + k));
}

double eas_bls_median(const double *x, size_t n, double *scratch)
{
  for (size_t i = 0; i < n; i++) scratch[i] = x[i];
  return eas_median(scratch, n);
}

int eas_bls_spectrum_of(const eas_bls_peak *peak, size_t n, eas_bls_spectrum *out)
{
  double sum = 0, squares = 0, most = -INFINITY;
  *out = (eas_bls_spectrum){ .mean = NAN, .std = NAN, .sde = NAN };
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(peak[i].power)) continue;
    sum += peak[i].power;
    out->n_finite++;
    if (peak[i].power > most) {
      most = peak[i].power;
      out->index = i;
    }
  }
  if (out->n_finite == 0) return EAS_NONE;
  out->mean = sum / (double)out->n_finite;
  for (size_t i = 0; i < n; i++)
    if (isfinite(peak[i].power)) squares += (peak[i].power - out->mean) * (peak[i].power - out->mean);
  out->std = sqrt(squares / (double)out->n_finite);
  if (out->std > 0) out->sde = (most - out->mean) / out->std;
  return EAS_OK;
}

typedef struct {
  double y, w;
} bls_mean; /* sums of weighted flux and weight */

static void add(bls_mean *m, double y, double w)
{
  m->y += y * w;
  m->w += w;
}

/* Depth of samples in against samples out; NaN when either is empty. */
static double depth_of(const bls_mean *in, const bls_mean *out, double *err)
{
  *err = NAN;
  if (!(in->w > 0) || !(out->w > 0)) return NAN;
  *err = sqrt(1.0 / in->w + 1.0 / out->w);
  return out->y / out->w - in->y / in->w;
}

/* x modulo m in [0, m), also for negative x. */
static double modulo(double x, double m)
{
  double r = fmod(x, m);
  return r < 0 ? r + m : r;
}

static int within(double x, double m, double half)
{
  return fabs(modulo(x + 0.5 * m, m) - 0.5 * m) < half;
}

typedef struct {
  bls_mean in, out, odd, even, phased, phased_out, half, half_out;
} bls_sums;

static double flux_of(const eas_bls_job *job, size_t i)
{
  return job->flux[i] - job->flux_zero;
}

static double weight_of(const eas_bls_job *job, size_t i)
{
  return job->ivar != NULL ? job->ivar[i] : 1.0;
}

static void sum_classes(const eas_bls_job *job, double period, double duration, double t0, bls_sums *s,
                        eas_bls_stats *out)
{
  double half = 0.5 * duration;
  for (size_t i = 0; i < job->n; i++) {
    double x = job->time[i] - t0, y = flux_of(job, i), w = weight_of(job, i);
    int in = within(x, period, half), opposite = within(x + 0.5 * period, period, half);
    add(in ? &s->in : &s->out, y, w);
    if (within(x, 2 * period, half)) add(&s->even, y, w);
    if (within(x + period, 2 * period, half)) add(&s->odd, y, w);
    if (opposite)
      add(&s->phased, y, w);
    else if (!in)
      add(&s->phased_out, y, w);
    add(within(x, 0.5 * period, half) ? &s->half : &s->half_out, y, w);
    if (!in) continue;
    int64_t k = (int64_t)llround(x / period);
    if (out->n_in_transit++ == 0) out->first_transit = k;
    out->last_transit = k;
  }
}

static void sum_transits(const eas_bls_job *job, double period, double duration, double t0, const bls_sums *s,
                         eas_bls_stats *out, double *count, double *gain, size_t max_transits)
{
  double y_in = s->in.y / s->in.w, y_out = s->out.y / s->out.w;
  int64_t last = INT64_MIN;
  out->n_transits = (size_t)(out->last_transit - out->first_transit + 1);
  for (size_t i = 0; i < max_transits && i < out->n_transits; i++) {
    if (count != NULL) count[i] = 0;
    if (gain != NULL) gain[i] = 0;
  }
  for (size_t i = 0; i < job->n; i++) {
    double x = job->time[i] - t0;
    if (!within(x, period, 0.5 * duration)) continue;
    int64_t k = (int64_t)llround(x / period);
    if (k != last) out->n_transits_with_data++;
    last = k;
    size_t at = (size_t)(k - out->first_transit);
    if (at >= max_transits) continue;
    double in = flux_of(job, i) - y_in, level = flux_of(job, i) - y_out;
    if (count != NULL) count[at] += 1;
    if (gain != NULL) gain[at] -= 0.5 * weight_of(job, i) * (in * in - level * level);
  }
}

/* Solves the symmetric 3 x 3 system a x = b by Cramer's rule; 0 if it is singular. */
static int solve3(const double a[6], const double b[3], double x[3])
{
  double c00 = a[3] * a[5] - a[4] * a[4], c01 = a[2] * a[4] - a[1] * a[5], c02 = a[1] * a[4] - a[2] * a[3];
  double c11 = a[0] * a[5] - a[2] * a[2], c12 = a[1] * a[2] - a[0] * a[4], c22 = a[0] * a[3] - a[1] * a[1];
  double det = a[0] * c00 + a[1] * c01 + a[2] * c02;
  if (!(fabs(det) > 1e-12 * a[5] * a[5] * a[5])) return 0;
  x[0] = (c00 * b[0] + c01 * b[1] + c02 * b[2]) / det;
  x[1] = (c01 * b[0] + c11 * b[1] + c12 * b[2]) / det;
  x[2] = (c02 * b[0] + c12 * b[1] + c22 * b[2]) / det;
  return 1;
}

static const double two_pi = 6.283185307179586476925286766559;

/* Best sine of the period (with an offset) against the box. */
static void compare_with_sine(const eas_bls_job *job, double period, double duration, double t0, const bls_sums *s,
                              eas_bls_stats *out)
{
  double a[6] = { 0 }, b[3] = { 0 }, x[3], sine_loss = 0, box_loss = 0, flat_loss = 0;
  double y_in = s->in.y / s->in.w, y_out = s->out.y / s->out.w;
  double mean = (s->in.y + s->out.y) / (s->in.w + s->out.w);
  for (size_t i = 0; i < job->n; i++) {
    double angle = two_pi * modulo(job->time[i] - t0, period) / period;
    double sine = sin(angle), cosine = cos(angle), w = weight_of(job, i), y = flux_of(job, i);
    a[0] += w * sine * sine;
    a[1] += w * sine * cosine;
    a[2] += w * sine;
    a[3] += w * cosine * cosine;
    a[4] += w * cosine;
    a[5] += w;
    b[0] += w * sine * y;
    b[1] += w * cosine * y;
    b[2] += w * y;
  }
  int solved = solve3(a, b, x);
  for (size_t i = 0; i < job->n; i++) {
    double phase = modulo(job->time[i] - t0, period), angle = two_pi * phase / period;
    double w = weight_of(job, i), y = flux_of(job, i);
    double level = within(job->time[i] - t0, period, 0.5 * duration) ? y_in : y_out;
    box_loss += 0.5 * w * (y - level) * (y - level);
    flat_loss += 0.5 * w * (y - mean) * (y - mean);
    if (!solved) continue;
    double left = y - x[0] * sin(angle) - x[1] * cos(angle) - x[2];
    sine_loss += 0.5 * w * left * left;
  }
  out->harmonic_amplitude = solved ? hypot(x[0], x[1]) : NAN;
  out->harmonic_delta_log_likelihood = solved ? box_loss - sine_loss : NAN;
  out->delta_chi2 = out->depth * out->depth * s->in.w * s->out.w / (s->in.w + s->out.w);
  out->power_norm = flat_loss > 0 ? out->delta_chi2 / (2 * flat_loss) : NAN;
}

int eas_bls_stats_of(const eas_bls_job *job, double period, double duration, double t0, eas_bls_stats *out,
                     double *count, double *gain, size_t max_transits)
{
  if (!(period > 0) || !(duration > 0) || !(duration < period) || !isfinite(period) || !isfinite(t0)) return EAS_EARG;
  bls_sums s = { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } };
  *out = (eas_bls_stats){ .depth = NAN,
                          .depth_err = NAN,
                          .harmonic_amplitude = NAN,
                          .harmonic_delta_log_likelihood = NAN,
                          .delta_chi2 = NAN,
                          .power_norm = NAN };
  sum_classes(job, period, duration, t0, &s, out);
  out->depth = depth_of(&s.in, &s.out, &out->depth_err);
  out->depth_odd = depth_of(&s.odd, &s.out, &out->depth_odd_err);
  out->depth_even = depth_of(&s.even, &s.out, &out->depth_even_err);
  out->depth_phased = depth_of(&s.phased, &s.phased_out, &out->depth_phased_err);
  out->depth_half = depth_of(&s.half, &s.half_out, &out->depth_half_err);
  if (!isfinite(out->depth)) return EAS_NONE;
  sum_transits(job, period, duration, t0, &s, out, count, gain, max_transits);
  compare_with_sine(job, period, duration, t0, &s, out);
  return EAS_OK;
}
