/* vetting.c: the checks and their limits. */
#include "vetting_parts.h"

static const double events_most = 1e7;

static const char *const names[EAS_VETTING_CHECKS] = {
  "candidate", "sde",      "snr",      "red_snr",  "transits", "empty",  "odd_even",  "secondary",
  "opposite",  "shape",    "duration", "depth",    "scatter",  "share",  "leave_out", "sine",
  "edges",     "coverage", "alias",    "artefact", "inverted", "radius",
};

const char *eas_vetting_name(int check)
{
  return check >= 0 && check < EAS_VETTING_CHECKS ? names[check] : NULL;
}

static int is_candidate(const eas_vetting_settings *set)
{
  return isfinite(set->period) && isfinite(set->t0) && set->duration > 0 && set->duration < 0.5 * set->period;
}

/* First event and number of events that samples may belong to. */
static double count_events(const eas_vetting_job *job, double *first)
{
  *first = 0;
  if (job->n == 0 || !is_candidate(&job->set)) return 0;
  *first = nearbyint((job->time[0] - job->set.t0) / job->set.period);
  return nearbyint((job->time[job->n - 1] - job->set.t0) / job->set.period) - *first + 1;
}

int eas_vetting_check(const eas_vetting_job *job)
{
  double first;
  if (job->out == NULL || job->numbers == NULL) return EAS_EARG;
  if (job->n > 0 && (job->time == NULL || job->flux == NULL)) return EAS_EARG;
  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i]) || !isfinite(job->flux[i])) return EAS_EDATA;
    if (i > 0 && !(job->time[i] > job->time[i - 1])) return EAS_EDATA;
  }
  double events = count_events(job, &first);
  return events <= events_most && fabs(first) < 1e15 ? EAS_OK : EAS_EARG;
}

static size_t bins_of(const eas_vetting_settings *set)
{
  double bins = ceil(VET_BINS_PER_DURATION * set->period / set->duration);
  return bins < VET_BINS_MAX ? (size_t)bins : VET_BINS_MAX;
}

size_t eas_vetting_work_size(const eas_vetting_job *job)
{
  double first, events = count_events(job, &first);
  size_t doubles = job->n + 2 * (VET_BINS_MAX + VET_BINS_PER_DURATION + 1);
  return doubles * sizeof(double) + (size_t)events * sizeof(vet_event) + job->n * sizeof(vet_part) +
         (VET_BINS_MAX + VET_BINS_PER_DURATION) * sizeof(vet_sum) + 64;
}

static void judge(const eas_vetting_job *job, int check, double value, double limit, int verdict)
{
  job->out[check] = (eas_vetting_check_result){ value, limit, verdict };
}

/* Passes at or above `good`, warns down to `bad`; NaN fails. */
static void at_least(const eas_vetting_job *job, int check, double value, double good, double bad)
{
  int verdict = value >= good ? EAS_VETTING_PASS : value >= bad ? EAS_VETTING_WARN : EAS_VETTING_FAIL;
  judge(job, check, value, verdict == EAS_VETTING_FAIL ? bad : good, verdict);
}

/* Passes below `good`, warns up to `bad`; NaN fails. */
static void below(const eas_vetting_job *job, int check, double value, double good, double bad)
{
  int verdict = value < good ? EAS_VETTING_PASS : value <= bad ? EAS_VETTING_WARN : EAS_VETTING_FAIL;
  judge(job, check, value, verdict == EAS_VETTING_FAIL ? bad : good, verdict);
}

static void check_significance(const vet_fold *f, eas_vetting_numbers *numbers)
{
  const eas_vetting_job *job = f->job;
  double depth = vet_mean(f->in);
  numbers->depth_err = vet_error(f, f->in.n, numbers->n_transits);
  at_least(job, EAS_VETTING_SNR, depth / vet_error(f, f->in.n, 0), 7.1, 7.1);
  at_least(job, EAS_VETTING_RED_SNR, depth / numbers->depth_err, 7, 5);
  at_least(job, EAS_VETTING_TRANSITS, numbers->n_transits, 3, 2);
  below(job, EAS_VETTING_DEPTH, depth > 0 ? depth : NAN, 0.05, 0.2);
  job->out[EAS_VETTING_DEPTH].value = depth;
}

static void check_odd_even(const vet_fold *f, eas_vetting_numbers *numbers)
{
  double odd = 0, even = 0;
  for (size_t k = 0; k < f->n_event; k++) {
    if (f->event[k].in.n == 0) continue;
    if ((f->first + (int64_t)k) % 2 == 0)
      even++;
    else
      odd++;
  }
  numbers->depth_odd = vet_mean(f->odd);
  numbers->depth_even = vet_mean(f->even);
  if (odd + even < 3 || odd < 1 || even < 1 || f->odd.n < 2 || f->even.n < 2) return;
  double err = hypot(vet_error_between(f, f->odd.n, odd), vet_error_between(f, f->even.n, even));
  below(f->job, EAS_VETTING_ODD_EVEN, fabs(numbers->depth_odd - numbers->depth_even) / err, 3, 5);
}

static void check_secondary(const vet_fold *f, eas_vetting_numbers *numbers)
{
  const eas_vetting_job *job = f->job;
  double depth = vet_mean(f->in), most = -INFINITY;
  size_t width = (size_t)fmax(1, nearbyint(f->duration / f->period * (double)f->bins));
  double least = 0.5 * f->in.n;
  for (size_t k = 0; k < f->bins; k++) {
    double phase = ((double)k + 0.5 * (double)width) / (double)f->bins;
    double n = f->bin_n[k + width] - f->bin_n[k];
    if (phase < 0.15 || phase > 0.85 || n < 2 || n < least) continue;
    double dip = (f->bin_sum[k + width] - f->bin_sum[k]) / n;
    double significance = dip / vet_error(f, n, numbers->n_transits);
    if (!(significance > most)) continue;
    most = significance;
    numbers->depth_secondary = dip;
    numbers->phase_secondary = phase;
  }
  if (f->half.n > 0) judge(job, EAS_VETTING_OPPOSITE, vet_mean(f->half) / depth, NAN, EAS_VETTING_NOTE);
  if (most == -INFINITY) return;
  double ratio = numbers->depth_secondary / depth;
  int verdict = !(most > 4) ? EAS_VETTING_PASS : EAS_VETTING_WARN;
  if (most > 7.1 && !(ratio <= 0.25)) verdict = EAS_VETTING_FAIL;
  if (verdict == EAS_VETTING_WARN && ratio < 0.05 && f->period < 5) verdict = EAS_VETTING_NOTE;
  judge(job, EAS_VETTING_SECONDARY, most, verdict == EAS_VETTING_FAIL ? 7.1 : 4, verdict);
}

/* Duration of a central transit of a planet of no size, on a circular orbit; density in suns. */
static double central_duration(double period, double density)
{
  double axis = 4.2083 * cbrt(density) * cbrt(period * period);
  return period / 3.14159265358979 * asin(fmin(1, 1 / axis));
}

static void check_shape(const vet_fold *f)
{
  const eas_vetting_job *job = f->job;
  double middle = vet_mean(f->middle), outer = vet_mean(f->outer), sun = central_duration(f->period, 1);
  if (f->middle.n >= 3 && f->outer.n >= 3)
    judge(job, EAS_VETTING_SHAPE, middle / outer, 2.5,
          outer > 0 && middle / outer <= 2.5 ? EAS_VETTING_PASS : EAS_VETTING_WARN);
  double size = sqrt(fmin(fmax(vet_mean(f->in), 0), 1));
  double shortest = central_duration(f->period, 50) / sun;
  double longest = central_duration(f->period, 0.05) * (1 + size) / sun;
  double value = f->duration / sun;
  int good = value >= shortest && value <= longest;
  judge(job, EAS_VETTING_DURATION, value, value < shortest ? shortest : longest,
        good ? EAS_VETTING_PASS : EAS_VETTING_FAIL);
}

/* Chance of a chi^2 at least so large (Wilson & Hilferty 1931). */
static double chance(double chi2, double dof)
{
  double a = 2 / (9 * dof);
  return 0.5 * erfc((cbrt(chi2 / dof) - (1 - a)) / sqrt(2 * a));
}

static void check_events(const vet_fold *f, double transits)
{
  const eas_vetting_job *job = f->job;
  double depth = vet_mean(f->in), chi2 = 0, largest = -INFINITY, m = 0;
  const vet_event *best = NULL;
  for (size_t k = 0; k < f->n_event; k++) {
    vet_sum in = f->event[k].in;
    if (in.n == 0) continue;
    double own = vet_mean(in), miss = (own - depth) / vet_error_between(f, in.n, 1);
    double gain = in.n * (2 * own - depth) * depth;
    chi2 += miss * miss;
    m++;
    if (!(gain > largest)) continue;
    largest = gain;
    best = &f->event[k];
  }
  if (m < 2 || best == NULL || transits < 2) return;
  double p = chance(chi2, m - 1), limit = m < 3 ? 0.9 : 0.6;
  judge(job, EAS_VETTING_SCATTER, p, 1e-3, p >= 1e-3 ? EAS_VETTING_PASS : EAS_VETTING_WARN);
  double share = largest / (f->in.n * depth * depth);
  judge(job, EAS_VETTING_SHARE, share, limit, share <= limit ? EAS_VETTING_PASS : EAS_VETTING_FAIL);
  if (m < 3) return;
  vet_sum rest = { f->in.n - best->in.n, f->in.sum - best->in.sum };
  double loss = 1 - vet_mean(rest) * sqrt(rest.n) / (depth * sqrt(f->in.n));
  judge(job, EAS_VETTING_LEAVE_OUT, loss, 0.5, loss <= 0.5 ? EAS_VETTING_PASS : EAS_VETTING_FAIL);
}

static void check_coverage(const vet_fold *f)
{
  const eas_vetting_job *job = f->job;
  double m = 0, whole = 0, empty = 0, expected = 0;
  for (size_t k = 0; k < f->n_event; k++) {
    const vet_event *e = &f->event[k];
    double middle = f->t0 + (double)(f->first + (int64_t)k) * f->period;
    int inside = middle >= job->time[0] && middle <= job->time[job->n - 1];
    expected += inside;
    empty += inside && e->in.n == 0;
    if (e->in.n == 0) continue;
    m++;
    whole += e->before > 0 && e->after > 0;
  }
  if (expected > 0)
    judge(job, EAS_VETTING_EMPTY, empty / expected, 0.33,
          empty / expected < 0.33 ? EAS_VETTING_PASS : EAS_VETTING_WARN);
  if (m == 0) return;
  below(job, EAS_VETTING_EDGES, f->near_edge / f->in.n, 0.25, 0.5);
  judge(job, EAS_VETTING_COVERAGE, whole / m, 0.5, whole / m >= 0.5 ? EAS_VETTING_PASS : EAS_VETTING_WARN);
}

static double gain_of(vet_sum s)
{
  return s.sum > 0 ? s.sum * s.sum / s.n : 0;
}

/* Share of the gain that every m-th event has alone, at best, if no less than all of them. */
static int every(const vet_fold *f, size_t m)
{
  double whole = gain_of(f->in);
  for (size_t start = 0; start < m; start++) {
    vet_sum s = { 0, 0 };
    size_t with_data = 0;
    for (size_t k = start; k < f->n_event; k += m) {
      s.n += f->event[k].in.n;
      s.sum += f->event[k].in.sum;
      with_data += f->event[k].in.n > 0;
    }
    if (with_data >= 2 && s.n < f->in.n && gain_of(s) >= 0.95 * whole) return 1;
  }
  return 0;
}

/* Whether events between those of the candidate are as real: the shorter period explains as much. */
static int between(const vet_fold *f, vet_sum a, vet_sum b)
{
  double depth = vet_mean(f->in);
  vet_sum all = { f->in.n + a.n + b.n, f->in.sum + a.sum + b.sum };
  if (a.n < 2 || !(vet_mean(a) > 0.5 * depth) || !(vet_mean(a) > 3 * vet_error(f, a.n, 1))) return 0;
  if (b.n > 0 && (!(vet_mean(b) > 0.5 * depth) || !(vet_mean(b) > 3 * vet_error(f, b.n, 1)))) return 0;
  return gain_of(all) >= 0.95 * gain_of(f->in);
}

static void check_period(const vet_fold *f)
{
  const eas_vetting_job *job = f->job;
  double ratio = 1, nearest = INFINITY;
  if (f->third.n > 0 && f->two_thirds.n > 0 && between(f, f->third, f->two_thirds)) ratio = 1.0 / 3;
  if (between(f, f->half, (vet_sum){ 0, 0 })) ratio = 0.5;
  if (ratio == 1 && every(f, 2)) ratio = 2;
  if (ratio == 1 && every(f, 3)) ratio = 3;
  judge(job, EAS_VETTING_ALIAS, ratio, 1, ratio == 1 ? EAS_VETTING_PASS : EAS_VETTING_WARN);

  /* days, and the first fractions of a quarter of 90 days */
  if (f->period > 0.5) nearest = fabs(f->period - fmax(1, nearbyint(f->period))) / f->period;
  for (int k = 1; k <= 6; k++) nearest = fmin(nearest, fabs(f->period - 90.0 / k) / f->period);
  /* transits of a sample or two, seen at the same instants of the cadence every time */
  double off = fabs(f->period - nearbyint(f->period / f->interval) * f->interval);
  if (f->duration < 2 * f->interval && off * (double)f->n_event < 0.5 * f->interval)
    nearest = fmin(nearest, off / f->period);
  judge(job, EAS_VETTING_ARTEFACT, nearest, 1e-3, nearest >= 1e-3 ? EAS_VETTING_PASS : EAS_VETTING_WARN);
}

static const double sun_in_jupiters = 695500.0 / 71492.0;

static void check_noise(vet_fold *f)
{
  const eas_vetting_job *job = f->job;
  if (!job->set.brief) {
    double ratio = vet_inverted(f);
    judge(job, EAS_VETTING_INVERTED, ratio, 0.9, ratio < 0.9 ? EAS_VETTING_PASS : EAS_VETTING_FAIL);
  }
  if (!(job->set.star_radius > 0)) return;
  double radius = sqrt(fmax(vet_mean(f->in), 0)) * job->set.star_radius * sun_in_jupiters;
  judge(job, EAS_VETTING_RADIUS, radius, 2.5, radius <= 2.5 ? EAS_VETTING_PASS : EAS_VETTING_WARN);
}

static void check_all(vet_fold *f, eas_vetting_numbers *numbers)
{
  const eas_vetting_job *job = f->job;
  vet_measure(f);
  double enough = 0.5 * f->duration / f->interval;
  numbers->n_transits = 0;
  for (size_t k = 0; k < f->n_event; k++)
    numbers->n_transits += f->event[k].in.n > 0 && f->event[k].in.n >= floor(enough);
  numbers->n_expected = (double)f->n_event;
  numbers->n_in_transit = f->in.n;
  numbers->depth = vet_mean(f->in);
  numbers->sigma = f->sigma;
  numbers->sigma_red = f->sigma_red;
  if (f->in.n == 0 || isnan(f->sigma)) {
    judge(job, EAS_VETTING_TRANSITS, 0, 3, EAS_VETTING_FAIL);
    return;
  }
  check_significance(f, numbers);
  check_odd_even(f, numbers);
  check_secondary(f, numbers);
  check_shape(f);
  check_events(f, numbers->n_transits);
  check_coverage(f);
  if (!isnan(f->sine_gain))
    judge(job, EAS_VETTING_SINE, f->sine_gain, 0, f->sine_gain <= 0 ? EAS_VETTING_PASS : EAS_VETTING_FAIL);
  check_period(f);
  check_noise(f);
}

int eas_vetting_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_vetting_job *job = argument;
  const eas_vetting_settings *set = &job->set;
  if (i0 > 0 || i1 < 1) return EAS_OK;
  *job->numbers = (eas_vetting_numbers){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
  for (int c = 0; c < EAS_VETTING_CHECKS; c++) judge(job, c, NAN, NAN, EAS_VETTING_SKIP);

  int good = is_candidate(set);
  judge(job, EAS_VETTING_CANDIDATE, good, 1, good ? EAS_VETTING_PASS : EAS_VETTING_FAIL);
  if (!isnan(set->sde)) at_least(job, EAS_VETTING_SDE, set->sde, set->sde_pass, set->sde_fail);
  if (!good || job->n < 5) return EAS_OK;

  double first, events = count_events(job, &first);
  size_t cells = VET_BINS_MAX + VET_BINS_PER_DURATION + 1;
  vet_fold f = { .job = job,
                 .period = set->period,
                 .t0 = set->t0,
                 .duration = set->duration,
                 .first = (int64_t)first,
                 .n_event = (size_t)events,
                 .bins = bins_of(set),
                 .scratch = work };
  f.bin_n = f.scratch + job->n;
  f.bin_sum = f.bin_n + cells;
  f.part = (vet_part *)(void *)(f.bin_sum + cells);
  f.cell = (vet_sum *)(void *)(f.part + job->n);
  f.event = (vet_event *)(void *)(f.cell + VET_BINS_MAX + VET_BINS_PER_DURATION);
  check_all(&f, job->numbers);
  return EAS_OK;
}
