/* tls.c: checks, sizes, the plan, and the reference path of the transit search. */
#include "tls_parts.h"

static const size_t n_most = (size_t)1 << 28;
static const size_t head_size = (sizeof(tls_plan) + 63) / 64 * 64;

static int check_settings(const eas_tls_job *job)
{
  const eas_tls_settings *set = &job->set;
  const eas_tls_star *s = &set->star;
  if (!(s->r_min >= 0) || !(s->m_min > 0) || !(s->r_max > 0) || !(s->m_max > 0)) return EAS_EARG;
  if (!isfinite(s->r_min) || !isfinite(s->m_min) || !isfinite(s->r_max) || !isfinite(s->m_max)) return EAS_EARG;
  if (!(set->depth_min >= 0 && set->depth_min <= 1) || !(set->margin >= 0 && set->margin <= 0.1)) return EAS_EARG;
  if (set->path < EAS_TLS_PATH_FAST || set->path > EAS_TLS_PATH_UNIFORM) return EAS_EARG;
  if (job->n_duration > EAS_TLS_DURATIONS_MAX || job->n > n_most) return EAS_EARG;
  if (job->time == NULL || job->flux == NULL || job->period == NULL || job->out == NULL) return EAS_EARG;
  return job->duration == NULL || job->model == NULL ? EAS_EARG : EAS_OK;
}

static double variance(const double *x, size_t n)
{
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  double mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
  return squares / (double)n;
}

static int check_samples(const eas_tls_job *job)
{
  int varies = 0;
  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i]) || !isfinite(job->flux[i])) return EAS_EDATA;
    if (i > 0 && !(job->time[i] > job->time[i - 1])) return EAS_EDATA;
    if (job->ivar != NULL && !(job->ivar[i] > 0 && isfinite(job->ivar[i]))) return EAS_EDATA;
    if (job->set.peer && !(job->flux[i] > 0)) return EAS_EDATA;
    varies |= job->flux[i] != job->flux[0];
  }
  if (!varies) return EAS_EDATA;
  if (job->ivar != NULL) return EAS_OK;
  double v = variance(job->flux, job->n); /* the weight is its inverse: none of 0 or without end */
  return v > 0 && isfinite(v) && 1 / v > 0 && isfinite(1 / v) ? EAS_OK : EAS_EDATA;
}

/* A transit that begins within the samples and is the same before and after its middle. */
static int check_model(const double *model)
{
  size_t first = 0;
  while (first < EAS_TLS_MODEL_SAMPLES / 2 && !(model[first] > 0)) first++;
  if (first + 1 >= EAS_TLS_MODEL_SAMPLES / 2) return EAS_EDATA;
  for (size_t i = first; i < EAS_TLS_MODEL_SAMPLES - first; i++)
    if (!isfinite(model[i])) return EAS_EDATA;
  return EAS_OK;
}

int eas_tls_check(const eas_tls_job *job)
{
  if (job->n < 3) return EAS_EFEW;
  if (job->n_period == 0 || job->n_duration == 0) return EAS_EGRID;
  int rc = check_settings(job);
  if (rc == EAS_OK) rc = check_model(job->model);
  if (rc != EAS_OK) return rc;
  for (size_t k = 0; k < job->n_duration; k++) {
    double d = job->duration[k];
    if (!(d > (k > 0 ? job->duration[k - 1] : 0)) || !(d <= 0.5)) return EAS_EARG;
  }
  for (size_t i = 0; i < job->n_period; i++)
    if (!(job->period[i] > 0) || !isfinite(job->period[i])) return EAS_EARG;
  size_t samples, wrap;
  if (tls_count_rows(job, &samples, &wrap) == 0) return EAS_EGRID;
  return check_samples(job);
}

typedef struct {
  size_t rows, bounds, shapes, thin, e, w, q, masses, index, scratch, end; /* where parts of the plan begin */
  size_t n_row, wrap, samples;
} layout;

static size_t rounded(size_t bytes)
{
  return (bytes + 63) / 64 * 64;
}

static layout layout_of(const eas_tls_job *job)
{
  layout at;
  size_t samples;
  at.n_row = tls_count_rows(job, &samples, &at.wrap);
  at.rows = head_size;
  at.bounds = at.rows + rounded(at.n_row * sizeof(tls_row));
  at.shapes = at.bounds + rounded(at.n_row * sizeof(tls_bound));
  at.thin = at.shapes + rounded(samples * sizeof(double));
  at.e = at.thin + rounded(samples * sizeof(float));
  at.samples = samples;
  at.w = at.e + rounded(job->n * sizeof(double));
  at.q = at.w + (job->ivar != NULL ? rounded(job->n * sizeof(double)) : 0);
  at.masses = at.q + rounded((job->n + 1) * sizeof(int32_t));
  at.index = at.masses + (job->ivar != NULL ? 2 * rounded((job->n + 1) * sizeof(int32_t)) : 0);
  at.scratch = at.index + rounded(tls_slots_most(job->n) * sizeof(int32_t));
  at.end = at.scratch + rounded((job->ivar != NULL ? job->n : at.wrap) * sizeof(double));
  return at;
}

size_t eas_tls_plan_size(const eas_tls_job *job)
{
  return layout_of(job).end;
}

/* Weights that are all equal are one factor of everything. */
static int weights_differ(const eas_tls_job *job)
{
  for (size_t i = 1; job->ivar != NULL && i < job->n; i++)
    if (job->ivar[i] != job->ivar[0]) return 1;
  return 0;
}

static void fill_samples(const eas_tls_job *job, tls_plan *plan, double *e, double *w)
{
  double sum = 0;
  for (size_t i = 0; w != NULL && i < job->n; i++) sum += w[i] = job->ivar[i];
  plan->weight = w != NULL ? sum / (double)job->n : job->ivar != NULL ? job->ivar[0] : 1 / variance(job->flux, job->n);
  for (size_t i = 0; i < job->n; i++) {
    e[i] = 1 - job->flux[i];
    plan->flat += (w != NULL ? w[i] : plan->weight) * e[i] * e[i];
  }
  plan->nothing = job->set.peer ? (double)job->n : plan->flat;
}

int eas_tls_prepare(const eas_tls_job *job)
{
  tls_plan *plan = job->plan;
  layout at = layout_of(job);
  char *base = job->plan;
  tls_row *row = (tls_row *)(void *)(base + at.rows);
  double *shape = (double *)(void *)(base + at.shapes), *e = (double *)(void *)(base + at.e);
  double *w = weights_differ(job) ? (double *)(void *)(base + at.w) : NULL;
  tls_bound *bound = (tls_bound *)(void *)(base + at.bounds);
  int32_t *q = (int32_t *)(void *)(base + at.q);
  float *thin = (float *)(void *)(base + at.thin);
  *plan = (tls_plan){ .path = EAS_TLS_PATH_SORT,
                      .level = eas_simd_level(),
                      .n = job->n,
                      .wrap = at.wrap,
                      .n_row = at.n_row,
                      .weight = 1,
                      .span = job->time[job->n - 1] - job->time[0],
                      .row = row,
                      .bound = bound,
                      .shape = shape,
                      .thin = thin,
                      .e = e,
                      .w = w,
                      .time = job->time,
                      .q = q };
  if (job->set.path == EAS_TLS_PATH_REFERENCE) plan->path = EAS_TLS_PATH_REFERENCE;
  if (job->set.path == EAS_TLS_PATH_FAST || job->set.path == EAS_TLS_PATH_UNIFORM)
    tls_find_cadence(plan, (int32_t *)(void *)(base + at.index));
  tls_fill_rows(job, at.wrap, row, shape, (double *)(void *)(base + at.scratch));
  for (size_t k = 0; k < at.samples; k++) thin[k] = (float)shape[k];
  fill_samples(job, plan, e, w);
  tls_fill_quanta(plan, q);
  int32_t *masses = (int32_t *)(void *)(base + at.masses);
  if (w != NULL) tls_fill_masses(plan, masses, masses + rounded((job->n + 1) * sizeof *masses) / sizeof *masses);
  tls_fill_bounds(plan, &job->set, bound, (double *)(void *)(base + at.scratch));
  return EAS_OK;
}

int eas_tls_path(const eas_tls_job *job)
{
  return ((const tls_plan *)job->plan)->path;
}

size_t eas_tls_rows(const eas_tls_job *job)
{
  return ((const tls_plan *)job->plan)->n_row;
}

double eas_tls_flat(const eas_tls_job *job)
{
  return ((const tls_plan *)job->plan)->flat;
}

int eas_tls_row_of(const eas_tls_job *job, size_t row, eas_tls_row *out)
{
  const tls_plan *plan = job->plan;
  if (row >= plan->n_row) return EAS_EARG;
  const tls_row *r = &plan->row[row];
  *out = (eas_tls_row){
    .duration = r->duration, .overshoot = r->overshoot, .width = r->width, .shape = plan->shape + r->at
  };
  return EAS_OK;
}

size_t eas_tls_work_size(const eas_tls_job *job)
{
  const tls_plan *plan = job->plan;
  size_t size = tls_reference_size(plan), fast = tls_fast_size(plan);
  return fast > size ? fast : size;
}

static void store(const tls_plan *plan, const eas_tls_job *job, double period, const tls_best *best, eas_tls_trial *out)
{
  *out = (eas_tls_trial){ .chi2 = best->chi2, .depth = best->depth, .row = best->row, .start = best->start };
  if (best->start >= 0) return;
  size_t first, last;
  tls_rows_at(plan, &job->set.star, period, &first, &last);
  *out = (eas_tls_trial){ .chi2 = job->set.peer && first == last ? INFINITY : plan->nothing, .start = -1 };
}

/* Where the transit that is nearest to the middle of the data stands at another period. */
static tls_best moved(const tls_plan *plan, const tls_best *best, double from, double to)
{
  if (best->start < 0) return (tls_best){ .row = -1, .start = -1 };
  const tls_row *row = &plan->row[best->row];
  double n = (double)plan->n, half = 0.5 * (double)row->width, middle = plan->time[0] + 0.5 * plan->span;
  double phase = ((double)best->start + half) / n;
  double time = (floor(middle / from) + phase) * from;
  double start = tls_phase(time, to) * n - half;
  if (start < 0) start += n;
  if (!(start >= 0 && start < n)) return (tls_best){ .row = -1, .start = -1 }; /* periods without phases: 1e-200 d */
  return (tls_best){ .row = best->row, .start = (int32_t)start };
}

int eas_tls_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_tls_job *job = argument;
  const tls_plan *plan = job->plan;
  tls_best hint = { .row = -1, .start = -1 };
  for (size_t i = i0; i < i1; i++) {
    tls_best best = { .chi2 = plan->nothing, .row = -1, .start = -1 };
    if (i > i0) hint = moved(plan, &hint, job->period[i - 1], job->period[i]);
    if (plan->path == EAS_TLS_PATH_REFERENCE)
      tls_reference(job, job->period[i], work, &best);
    else
      tls_fast(job, job->period[i], work, &hint, &best);
    store(plan, job, job->period[i], &best, &job->out[i]);
    hint = best;
  }
  return EAS_OK;
}
