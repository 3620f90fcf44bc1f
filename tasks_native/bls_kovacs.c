/* bls_kovacs.c: checks, sizes, and the reference path: the authors' program, step by step. */
#include "bls_kovacs_parts.h"

static const int bins_most = 100000;
static const double cycles_most = 1e9;

static int check_settings(const eas_bls_kovacs_settings *set)
{
  if (set->bins < 2 || set->bins > bins_most) return EAS_EARG;
  if (!(set->fraction_min > 0) || !(set->fraction_max >= set->fraction_min) || !(set->fraction_max <= 1))
    return EAS_EARG;
  if (floor(set->fraction_max * set->bins) + 2 > set->bins) return EAS_EARG;
  if (set->sign != EAS_BLS_KOVACS_BOTH && set->sign != EAS_BLS_KOVACS_DIPS) return EAS_EARG;
  if (set->path < EAS_BLS_KOVACS_PATH_FAST || set->path > EAS_BLS_KOVACS_PATH_STEPS) return EAS_EARG;
  return EAS_OK;
}

int eas_bls_kovacs_check(const eas_bls_kovacs_job *job)
{
  int rc = check_settings(&job->set);
  if (rc != EAS_OK) return rc;
  if (job->n < 5) return EAS_EFEW;
  if (job->n_frequency == 0) return EAS_EGRID;
  if (job->n > UINT32_MAX / 2) return EAS_EARG; /* counts have 32 bits */
  if (job->time == NULL || job->flux == NULL || job->frequency == NULL || job->out == NULL) return EAS_EARG;
  if (!isfinite(job->flux_zero)) return EAS_EARG;

  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i]) || !isfinite(job->flux[i])) return EAS_EDATA;
    if (i > 0 && !(job->time[i] > job->time[i - 1])) return EAS_EDATA;
  }
  double span = job->time[job->n - 1] - job->time[0];
  for (size_t i = 0; i < job->n_frequency; i++) {
    double cycles = job->frequency[i] * span;
    if (!(cycles >= 1 - 1e-12) || !(cycles <= cycles_most)) return EAS_EARG;
  }
  return EAS_OK;
}

static void setup_of(kovacs_setup *s, const eas_bls_kovacs_job *job)
{
  const eas_bls_kovacs_settings *set = &job->set;
  double n = (double)job->n, sum = 0;
  for (size_t i = 0; i < job->n; i++) sum += job->flux[i] - job->flux_zero;
  *s = (kovacs_setup){ .job = job,
                       .bins = (size_t)set->bins,
                       .wide = (size_t)(set->fraction_max * set->bins) + 1,
                       .narrow = (size_t)fmax(1, floor(set->fraction_min * set->bins)),
                       .samples_min = fmax(5, floor(n * set->fraction_min)),
                       .mean = sum / n };
}

void kovacs_wrap(const kovacs_setup *s, double *y, double *c)
{
  for (size_t k = 0; k <= s->wide; k++) {
    y[s->bins + k] = y[k];
    c[s->bins + k] = c[k];
  }
}

static void store(const kovacs_setup *s, const kovacs_best *best, eas_bls_kovacs_peak *out)
{
  double n = (double)s->job->n;
  *out = (eas_bls_kovacs_peak){ .power = 0, .depth = NAN, .fraction = NAN };
  if (best->power < 0) return;
  *out = (eas_bls_kovacs_peak){ .power = sqrt(best->power),
                                .depth = -best->s * n / (best->r * (n - best->r)),
                                .fraction = best->r / n,
                                .first = (int32_t)(best->start + 1),
                                .last = (int32_t)((best->start + best->more) % s->bins + 1) };
}

static void fold(const kovacs_setup *s, double frequency, double *y, double *c)
{
  const eas_bls_kovacs_job *job = s->job;
  memset(y, 0, s->bins * sizeof *y);
  memset(c, 0, s->bins * sizeof *c);
  for (size_t i = 0; i < job->n; i++) {
    double phase = (job->time[i] - job->time[0]) * frequency;
    phase -= floor(phase);
    size_t k = (size_t)((double)s->bins * phase);
    if (k >= s->bins) k = s->bins - 1;
    y[k] += (job->flux[i] - job->flux_zero) - s->mean;
    c[k] += 1;
  }
}

static void scan(const kovacs_setup *setup, const double *y, const double *c, kovacs_best *best)
{
  double n = (double)setup->job->n;
  for (size_t i = 0; i < setup->bins; i++) {
    double s = 0, r = 0;
    for (size_t more = 0; more <= setup->wide; more++) {
      s += y[i + more];
      r += c[i + more];
      if (more + 1 < setup->narrow || r < setup->samples_min || r >= n) continue;
      if (setup->job->set.sign == EAS_BLS_KOVACS_DIPS && s >= 0) continue;
      kovacs_try(setup, s, r, i, more, best);
    }
  }
}

int eas_bls_kovacs_path(const eas_bls_kovacs_job *job)
{
  if (job->plan == NULL || job->set.path == EAS_BLS_KOVACS_PATH_REFERENCE) return EAS_BLS_KOVACS_PATH_REFERENCE;
  return ((const kovacs_plan *)job->plan)->path;
}

static const size_t head_size = (sizeof(kovacs_plan) + 63) / 64 * 64;

static size_t samples_size(size_t n)
{
  return 2 * kovacs_round(n) * sizeof(double);
}

static int steps_pay(const eas_bls_kovacs_job *job)
{
  kovacs_steps steps;
  int asked = job->set.path == EAS_BLS_KOVACS_PATH_FAST || job->set.path == EAS_BLS_KOVACS_PATH_STEPS;
  return asked && kovacs_steps_find(job, &steps);
}

size_t eas_bls_kovacs_plan_size(const eas_bls_kovacs_job *job)
{
  return head_size + samples_size(job->n) + (steps_pay(job) ? kovacs_steps_size(job) : kovacs_edges_size(job));
}

int eas_bls_kovacs_prepare(const eas_bls_kovacs_job *job)
{
  kovacs_plan *plan = job->plan;
  double *x = (double *)(void *)((char *)job->plan + head_size), *v = x + kovacs_round(job->n);
  *plan = (kovacs_plan){ .path = EAS_BLS_KOVACS_PATH_FOLD, .level = eas_simd_level(), .x = x, .v = v };
  setup_of(&plan->setup, job);
  for (size_t i = 0; i < job->n; i++) {
    x[i] = job->time[i] - job->time[0];
    v[i] = (job->flux[i] - job->flux_zero) - plan->setup.mean;
  }
  for (size_t i = job->n; i < kovacs_round(job->n); i++) x[i] = v[i] = 0; /* whole blocks are read, not used */
  void *rest = v + kovacs_round(job->n);
  if (steps_pay(job)) {
    if (kovacs_steps_prepare(plan, rest)) plan->path = EAS_BLS_KOVACS_PATH_STEPS;
  } else if (job->set.path != EAS_BLS_KOVACS_PATH_FOLD && kovacs_edges_prepare(plan, rest)) {
    plan->path = EAS_BLS_KOVACS_PATH_EDGES;
  }
  return EAS_OK;
}

size_t eas_bls_kovacs_work_size(const eas_bls_kovacs_job *job)
{
  kovacs_setup s = { .bins = (size_t)job->set.bins, .wide = (size_t)(job->set.fraction_max * job->set.bins) + 1 };
  size_t size = 2 * kovacs_cells(&s) * sizeof(double);
  if (eas_bls_kovacs_path(job) == EAS_BLS_KOVACS_PATH_EDGES) size += kovacs_edges_work(job->plan);
  if (eas_bls_kovacs_path(job) == EAS_BLS_KOVACS_PATH_STEPS) size += kovacs_steps_work(job->plan);
  return size;
}

static void run_reference(const eas_bls_kovacs_job *job, size_t i0, size_t i1, double *work)
{
  kovacs_setup s;
  setup_of(&s, job);
  double *y = work, *c = y + kovacs_cells(&s);
  for (size_t i = i0; i < i1; i++) {
    kovacs_best best = { .power = -1 };
    fold(&s, job->frequency[i], y, c);
    kovacs_wrap(&s, y, c);
    scan(&s, y, c, &best);
    store(&s, &best, &job->out[i]);
  }
}

/* Bins of trial i, of a call that ends before i1. */
static void fold_fast(const kovacs_plan *plan, size_t i, size_t i1, double *y, double *c, void *work)
{
  double frequency = plan->setup.job->frequency[i];
  if (plan->path == EAS_BLS_KOVACS_PATH_STEPS && kovacs_steps_fold(plan, i1, y, c, work)) return;
  if (plan->path == EAS_BLS_KOVACS_PATH_EDGES && kovacs_edges_fold(plan, frequency, y, c, work)) return;
  kovacs_fold(plan, frequency, y, c);
}

static void run_fast(const eas_bls_kovacs_job *job, size_t i0, size_t i1, double *work)
{
  const kovacs_plan *plan = job->plan;
  const kovacs_setup *s = &plan->setup;
  size_t cells = kovacs_cells(s);
  double *y = work, *c = y + cells;
  void *more = c + cells;
  memset(work, 0, 2 * cells * sizeof *work);
  if (plan->path == EAS_BLS_KOVACS_PATH_STEPS) kovacs_steps_begin(plan, i0, more);
  kovacs_best before = { .power = -1 };
  for (size_t i = i0; i < i1; i++) {
    kovacs_best best = { .power = -1 };
    fold_fast(plan, i, i1, y, c, more);
    kovacs_wrap(s, y, c);
    kovacs_scan(plan, y, c, &before, &best);
    before = best;
    store(s, &best, &job->out[i]);
  }
}

int eas_bls_kovacs_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_bls_kovacs_job *job = argument;
  if (eas_bls_kovacs_path(job) == EAS_BLS_KOVACS_PATH_REFERENCE)
    run_reference(job, i0, i1, work);
  else
    run_fast(job, i0, i1, work);
  return EAS_OK;
}

void eas_bls_kovacs_grid(double first, double step, size_t i, size_t n, double *out)
{
  for (size_t k = 0; k < n; k++) out[k] = first + (double)(i + k) * step;
}

int eas_bls_kovacs_spectrum_of(const eas_bls_kovacs_peak *peak, size_t n, eas_bls_kovacs_spectrum *out)
{
  double sum = 0, squares = 0, most = 0;
  *out = (eas_bls_kovacs_spectrum){ .mean = NAN, .std = NAN, .sde = NAN };
  for (size_t i = 0; i < n; i++) {
    sum += peak[i].power;
    if (peak[i].power > most) {
      most = peak[i].power;
      out->index = i;
    }
    if (peak[i].power == most) out->last = i;
  }
  if (!(most > 0)) return EAS_NONE;
  out->mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += (peak[i].power - out->mean) * (peak[i].power - out->mean);
  out->std = sqrt(squares / (double)n);
  if (out->std > 0) out->sde = (most - out->mean) / out->std;
  return EAS_OK;
}
