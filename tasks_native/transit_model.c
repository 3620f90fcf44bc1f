/* transit_model.c: the job: which samples can be in transit, exposures, sums and noise. */
#include <string.h>
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
  return sizeof(transit_block);
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

static double time_of(const eas_transit_model_job *job, size_t i)
{
  return job->time != NULL ? job->time[i] : job->start + (double)i * job->step;
}

static double blur_of(const eas_transit_model_settings *set)
{
  return set->supersample > 1 ? 0.5 * set->exposure : 0;
}

/* By quadrature, sample for sample. */
static void run_exactly(const eas_transit_model_job *job, const transit_orbit *orbit, const transit_disc *disc,
                        size_t i0, size_t i1)
{
  double blur = blur_of(&job->set);
  for (size_t i = i0; i < i1; i++) {
    double t = time_of(job, i), x = transit_phase(orbit, t);
    if (!job->set.every_sample && x > orbit->after + blur && x < orbit->period - orbit->before - blur)
      job->deficit[i] = 0;
    else
      job->deficit[i] = exposed(&job->set, orbit, disc, t);
  }
}

/* How many samples from i on are out of transit for sure, by steps: two less than there is room for. */
static size_t quiet(const eas_transit_model_job *job, const transit_orbit *orbit, size_t i, size_t i1)
{
  double blur = blur_of(&job->set);
  if (job->time != NULL || !(job->step > 0) || job->set.every_sample) return 0;
  double x = transit_phase(orbit, time_of(job, i));
  double room = floor((orbit->period - orbit->before - blur - x) / job->step) - 2;
  if (!(x > orbit->after + blur && room > 0)) return 0;
  return room < (double)(i1 - i) ? (size_t)room : i1 - i;
}

/* Moves those of n samples that can be in transit to the front. */
static void gather(const transit_plan *plan, transit_block *b, size_t n, double blur)
{
  double late = plan->orbit.after + blur, early = plan->orbit.period - plan->orbit.before - blur;
  size_t m = 0;
  for (size_t k = 0; k < n; k++) {
    b->index[m] = (uint32_t)k;
    b->t[m] = b->t[k];
    b->x[m] = b->x[k];
    m += !(b->x[k] > late && b->x[k] < early);
  }
}

/* One block from i on through the plan's tables: those samples that can be in transit, the others are 0. */
static void run_block(const eas_transit_model_job *job, transit_block *b, size_t i, size_t n)
{
  const eas_transit_model_settings *set = &job->set;
  const transit_plan *plan = job->plan;
  double *deficit = job->deficit + i;
  if (job->time != NULL)
    memcpy(b->t, job->time + i, n * sizeof(double));
  else
    for (size_t k = 0; k < n; k++) b->t[k] = job->start + (double)(i + k) * job->step;
  size_t m = transit_block_phase(plan, b, n, 0, blur_of(set));
  if (set->every_sample) m = n;
  if (m < n) memset(deficit, 0, n * sizeof(double));
  if (m == 0) return;
  if (m < n) gather(plan, b, n, blur_of(set));

  for (size_t k = 0; k < m; k++) b->sum[k] = 0;
  for (int j = 0; j < set->supersample; j++) {
    if (set->supersample > 1) transit_block_phase(plan, b, m, instant(set, j), 0);
    transit_block_add(plan, b, m);
  }
  if (set->supersample > 1)
    for (size_t k = 0; k < m; k++) b->sum[k] /= set->supersample;
  if (m == n)
    memcpy(deficit, b->sum, n * sizeof(double));
  else
    for (size_t k = 0; k < m; k++) deficit[b->index[k]] = b->sum[k];
}

int eas_transit_model_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_transit_model_job *job = argument;
  const transit_plan *plan = job->plan;
  transit_disc disc;
  transit_orbit orbit;
  int rc = transit_disc_of(&disc, job->set.radius_ratio, job->set.law, job->set.u1, job->set.u2);
  if (rc != EAS_OK) return rc;
  transit_orbit_of(&orbit, &job->set, disc.p);

  if (job->distance != NULL)
    for (size_t i = i0; i < i1; i++)
      job->distance[i] = transit_distance(&orbit, transit_phase(&orbit, time_of(job, i)));
  if (plan == NULL || !plan->tabulated) {
    run_exactly(job, &orbit, &disc, i0, i1);
    return EAS_OK;
  }
  for (size_t i = i0; i < i1;) {
    size_t skip = quiet(job, &orbit, i, i1), left = i1 - i;
    if (skip > 0) {
      memset(job->deficit + i, 0, skip * sizeof(double));
      i += skip;
      continue;
    }
    size_t n = left < TRANSIT_BLOCK ? left : TRANSIT_BLOCK;
    run_block(job, work, i, n);
    i += n;
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
