/* transit_model.c: the job: which samples can be in transit, exposures, sums and noise. */
#include "transit_model_parts.h"

int eas_transit_model_check(const eas_transit_model_job *job)
{
  const eas_transit_model_settings *set = &job->set;
  transit_disc disc;
  int rc = transit_disc_of(&disc, set->radius_ratio, set->law, set->u1, set->u2);
  if (rc != EAS_OK) return rc;
  if (!isfinite(set->t0) || !(set->period > 0) || !isfinite(set->period)) return EAS_EARG;
  if (!(set->axis > 1) || !isfinite(set->axis) || !isfinite(set->inclination)) return EAS_EARG;
  if (!(set->eccentricity >= 0 && set->eccentricity < 1) || !isfinite(set->omega)) return EAS_EARG;
  if (set->supersample < 1 || set->supersample > 10000) return EAS_EARG;
  if (set->supersample > 1 && !(set->exposure > 0 && set->exposure < set->period)) return EAS_EARG;
  if (set->sampling != EAS_TRANSIT_MIDPOINTS && set->sampling != EAS_TRANSIT_PEER) return EAS_EARG;
  if (job->n > 0 && job->deficit == NULL) return EAS_EARG;
  if (job->time == NULL) return isfinite(job->start) && isfinite(job->step) ? EAS_OK : EAS_EARG;
  for (size_t i = 0; i < job->n; i++)
    if (!isfinite(job->time[i])) return EAS_EDATA;
  return EAS_OK;
}

size_t eas_transit_model_work_size(const eas_transit_model_job *job)
{
  (void)job;
  return 64;
}

/* Instant j of the exposure, from its middle. */
static double instant(const eas_transit_model_settings *set, int j)
{
  if (set->supersample == 1) return 0;
  double fraction =
      set->sampling == EAS_TRANSIT_PEER ? (double)j / (set->supersample - 1) : (j + 0.5) / set->supersample;
  return (fraction - 0.5) * set->exposure;
}

static double exposed(const eas_transit_model_settings *set, const transit_orbit *orbit, const transit_disc *disc,
                      double t)
{
  double sum = 0;
  for (int j = 0; j < set->supersample; j++)
    sum += transit_deficit(disc, transit_distance(orbit, transit_phase(orbit, t + instant(set, j))));
  return sum / set->supersample;
}

int eas_transit_model_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_transit_model_job *job = argument;
  const eas_transit_model_settings *set = &job->set;
  transit_disc disc;
  transit_orbit orbit;
  (void)work;
  int rc = transit_disc_of(&disc, set->radius_ratio, set->law, set->u1, set->u2);
  if (rc != EAS_OK) return rc;
  transit_orbit_of(&orbit, set, disc.p);

  double blur = set->supersample > 1 ? 0.5 * set->exposure : 0;
  for (size_t i = i0; i < i1; i++) {
    double t = job->time != NULL ? job->time[i] : job->start + (double)i * job->step;
    double x = transit_phase(&orbit, t);
    if (job->distance != NULL) job->distance[i] = transit_distance(&orbit, x);
    if (!set->every_sample && x > orbit.after + blur && x < orbit.period - orbit.before - blur)
      job->deficit[i] = 0;
    else
      job->deficit[i] = exposed(set, &orbit, &disc, t);
  }
  return EAS_OK;
}

/* Sums of halves of halves: rounding grows with the logarithm of n. */
static double pairwise(const double *x, size_t n, int square)
{
  if (n > 128) return pairwise(x, n / 2, square) + pairwise(x + n / 2, n - n / 2, square);
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += square ? x[i] * x[i] : x[i];
  return sum;
}

static const double mes_most = 1e8;

void eas_transit_model_summarize(const double *deficit, size_t n, double sigma, eas_transit_model_summary *out)
{
  size_t in = 0;
  double deepest = 0;
  for (size_t i = 0; i < n; i++) {
    in += deficit[i] != 0;
    deepest = fmax(deepest, deficit[i]);
  }
  double power = pairwise(deficit, n, 0), squares = pairwise(deficit, n, 1);
  *out = (eas_transit_model_summary){ .integrated_power = power,
                                      .pixels_in_transit = (double)in,
                                      .pixels_out_of_transit = (double)(n - in),
                                      .deepest = deepest };
  if (in == 0) return;
  out->mes = out->snr = mes_most;
  if (!(sigma > 0)) return;
  out->mes = fmin(mes_most, power / (sigma * sqrt((double)in)));
  out->snr = fmin(mes_most, sqrt(squares) / sigma);
}

/* Steele, Lea & Flood 2014. */
static uint64_t splitmix(uint64_t seed, uint64_t counter)
{
  uint64_t z = seed + (counter + 1) * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static double uniform(uint64_t seed, uint64_t counter)
{
  return ((double)(splitmix(seed, counter) >> 11) + 0.5) * 0x1p-53;
}

void eas_transit_model_noise(uint64_t seed, uint64_t first, size_t n, double *out)
{
  for (size_t i = 0; i < n; i++) {
    uint64_t number = first + i, pair = number / 2 * 2;
    double size = sqrt(-2 * log(uniform(seed, pair))), angle = 2 * transit_pi * uniform(seed, pair + 1);
    out[i] = size * (number % 2 == 0 ? cos(angle) : sin(angle));
  }
}
