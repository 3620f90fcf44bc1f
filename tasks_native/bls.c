/* bls.c: checks, sizes, and the reference path of the box search. */
#include "bls_parts.h"
#include <float.h>
#include <string.h>

static const double bins_most = 1e7;
static const size_t rows_pay = 1000; /* samples from which adding rows is faster than folding */

static int check_settings(const eas_bls_settings *set, double *shortest, double *longest)
{
  if (set->n_duration == 0) return EAS_EGRID;
  if (set->n_duration > 1000 || set->duration == NULL) return EAS_EARG;
  if (set->oversample < 1 || set->oversample > 1000) return EAS_EARG;
  if (set->objective != EAS_BLS_LIKELIHOOD && set->objective != EAS_BLS_SNR) return EAS_EARG;
  if (set->wrap != EAS_BLS_WRAP_FULL && set->wrap != EAS_BLS_WRAP_PEER) return EAS_EARG;
  if (set->path < EAS_BLS_PATH_FAST || set->path > EAS_BLS_PATH_EDGES) return EAS_EARG;
  *shortest = INFINITY;
  *longest = 0;
  for (size_t k = 0; k < set->n_duration; k++) {
    double d = set->duration[k];
    if (!isfinite(d) || d <= 0) return EAS_EARG;
    *shortest = fmin(*shortest, d);
    *longest = fmax(*longest, d);
  }
  return EAS_OK;
}

int eas_bls_check(const eas_bls_job *job)
{
  double shortest, longest;
  int rc = check_settings(&job->set, &shortest, &longest);
  if (rc != EAS_OK) return rc;
  if (job->n < 3) return EAS_EFEW;
  if (job->n_period == 0) return EAS_EGRID;
  if (job->time == NULL || job->flux == NULL || job->period == NULL || job->out == NULL) return EAS_EARG;
  if (!isfinite(job->flux_zero)) return EAS_EARG;

  double bin = shortest / job->set.oversample;
  for (size_t i = 0; i < job->n_period; i++) {
    double p = job->period[i];
    if (!(p > longest) || !(p / bin <= bins_most)) return EAS_EARG;
  }
  if (job->share != NULL) { /* samples that were checked */
    const eas_bls_job *other = ((const bls_plan *)job->share)->setup.job;
    int same = other->n == job->n && other->time == job->time && other->flux == job->flux && other->ivar == job->ivar &&
               other->flux_zero == job->flux_zero;
    return same ? EAS_OK : EAS_EARG;
  }
  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i]) || !isfinite(job->flux[i])) return EAS_EDATA;
    if (i > 0 && !(job->time[i] > job->time[i - 1])) return EAS_EDATA;
    if (job->ivar != NULL && !(job->ivar[i] > 0 && isfinite(job->ivar[i]))) return EAS_EDATA;
  }
  return EAS_OK;
}

static void sum_samples(bls_setup *s, const eas_bls_job *job)
{
  for (size_t i = 0; i < job->n; i++) {
    double w = job->ivar != NULL ? job->ivar[i] : 1.0;
    double y = (job->flux[i] - job->flux_zero) * w;
    s->y_total += y;
    s->y_size += fabs(y);
    s->w_total += w;
  }
}

void bls_setup_of(bls_setup *s, const eas_bls_job *job)
{
  double shortest = INFINITY;
  *s = (bls_setup){ .job = job };
  for (size_t k = 0; k < job->set.n_duration; k++) shortest = fmin(shortest, job->set.duration[k]);
  s->bin = shortest / job->set.oversample;
  for (size_t k = 0; k < job->set.n_duration; k++) {
    size_t width = bls_width(s, k);
    if (width > s->width_max) s->width_max = width;
  }
  s->pad = job->set.wrap == EAS_BLS_WRAP_FULL ? s->width_max : (size_t)job->set.oversample;
  if (job->share != NULL) {
    const bls_setup *other = &((const bls_plan *)job->share)->setup;
    s->y_total = other->y_total;
    s->y_size = other->y_size;
    s->w_total = other->w_total;
  } else {
    sum_samples(s, job);
  }
  s->w_least = job->set.wrap == EAS_BLS_WRAP_FULL ? 1e-12 * s->w_total : DBL_EPSILON;
}

size_t bls_cells(const bls_setup *s)
{
  double longest = 0;
  for (size_t i = 0; i < s->job->n_period; i++)
    if (s->job->period[i] > longest) longest = s->job->period[i];
  size_t cells = bls_bins(s, longest) + s->pad + 2;
  return (cells + 15) / 16 * 16; /* 16: room for a whole vector read behind the end */
}

void bls_wrap_and_sum(const bls_setup *s, size_t bins, double *y, double *w)
{
  /* The peer copies onto its last bin, which is a partial one: its samples are lost. */
  size_t to = s->job->set.wrap == EAS_BLS_WRAP_FULL ? bins : bins - 1;
  for (size_t k = 1; k <= s->pad; k++) {
    y[to + k] = y[k];
    w[to + k] = w[k];
  }
  for (size_t k = 1; k <= bins + s->pad; k++) {
    y[k] += y[k - 1];
    w[k] += w[k - 1];
  }
}

void bls_wrap_sums(const bls_setup *s, size_t bins, double *y, double *w)
{
  size_t to = s->job->set.wrap == EAS_BLS_WRAP_FULL ? bins : bins - 1;
  for (size_t k = 1; k <= s->pad; k++) {
    y[to + k] = y[to] + y[k];
    w[to + k] = w[to] + w[k];
  }
  y[bins + s->pad] = y[to + s->pad]; /* the peer's last bin is empty */
  w[bins + s->pad] = w[to + s->pad];
}

void bls_scan(const bls_setup *s, size_t bins, const double *y, const double *w, bls_best *best)
{
  for (size_t k = 0; k < s->job->set.n_duration; k++) {
    size_t width = bls_width(s, k), starts = bls_starts(s, bins, width);
    for (size_t i = 0; i < starts; i++) bls_try(s, y[i + width] - y[i], w[i + width] - w[i], i, width, best);
  }
}

void bls_store(const bls_setup *s, double period, const bls_best *best, eas_bls_peak *out)
{
  if (!(best->objective > -INFINITY)) {
    *out = (eas_bls_peak){ NAN, NAN, NAN, NAN, NAN, NAN };
    return;
  }
  double start = (double)best->start * s->bin, duration = (double)best->width * s->bin;
  *out = (eas_bls_peak){ .power = best->objective,
                         .depth = best->depth,
                         .depth_err = sqrt(1.0 / best->w_in + 1.0 / (s->w_total - best->w_in)),
                         .log_likelihood = best->log_likelihood,
                         .duration = duration,
                         .t0 = fmod(start + 0.5 * duration, period) + s->job->time[0] };
}

static void fold(const bls_setup *s, double period, size_t bins, double *y, double *w)
{
  const eas_bls_job *job = s->job;
  memset(y, 0, (bins + s->pad + 1) * sizeof *y);
  memset(w, 0, (bins + s->pad + 1) * sizeof *w);
  for (size_t i = 0; i < job->n; i++) {
    size_t k = bls_bin_of(job->time[i] - job->time[0], period, s->bin, bins);
    double weight = job->ivar != NULL ? job->ivar[i] : 1.0;
    y[k] += (job->flux[i] - job->flux_zero) * weight;
    w[k] += weight;
  }
}

void bls_reference(const bls_setup *s, double period, double *y, double *w, eas_bls_peak *out)
{
  size_t bins = bls_bins(s, period);
  bls_best best = { .objective = -INFINITY };
  fold(s, period, bins, y, w);
  bls_wrap_and_sum(s, bins, y, w);
  bls_scan(s, bins, y, w, &best);
  bls_store(s, period, &best, out);
}

int eas_bls_path(const eas_bls_job *job)
{
  if (job->plan == NULL || job->set.path == EAS_BLS_PATH_REFERENCE) return EAS_BLS_PATH_REFERENCE;
  return ((const bls_plan *)job->plan)->path;
}

static const size_t head_size = (sizeof(bls_plan) + 63) / 64 * 64;

static size_t samples_size(size_t n)
{
  return (3 * n * sizeof(double) + 63) / 64 * 64;
}

/* Behind the head: tables over bins, then those over samples, which a plan that shares does not have. */
size_t eas_bls_plan_size(const eas_bls_job *job)
{
  bls_setup s;
  bls_setup_of(&s, job);
  size_t size = head_size + bls_rows_bins_size(bls_cells(&s));
  if (job->share != NULL) return size;
  size_t rows = bls_rows_plan_size(job->n), edges = bls_edges_plan_size(&s);
  return size + samples_size(job->n) + (rows > edges ? rows : edges);
}

static void fill_samples(bls_plan *plan, const eas_bls_job *job, double *yw)
{
  double *x = yw + 2 * job->n;
  for (size_t i = 0; i < job->n; i++) {
    double w = job->ivar != NULL ? job->ivar[i] : 1.0;
    x[i] = job->time[i] - job->time[0];
    yw[2 * i] = (job->flux[i] - job->flux_zero) * w;
    yw[2 * i + 1] = w;
  }
  plan->x = x;
  plan->yw = yw;
}

/* Tables over samples: its own, or those of the plan that it shares. */
static void prepare_samples(bls_plan *plan, const eas_bls_job *job, char *memory)
{
  int path = job->set.path;
  const bls_plan *other = job->share;
  if (other != NULL) {
    plan->x = other->x;
    plan->yw = other->yw;
    plan->rows = other->rows;
    plan->edges = other->edges;
    return;
  }
  fill_samples(plan, job, (double *)(void *)memory);
  memory += samples_size(job->n);
  if (path == EAS_BLS_PATH_FOLD || (path == EAS_BLS_PATH_FAST && job->n < rows_pay)) return;
  if (path != EAS_BLS_PATH_EDGES && bls_rows_prepare(plan, memory, (double *)(void *)memory)) return;
  if (path != EAS_BLS_PATH_ROWS) bls_edges_prepare(plan, memory);
}

int eas_bls_prepare(const eas_bls_job *job)
{
  bls_plan *plan = job->plan;
  char *bins = (char *)job->plan + head_size;
  *plan = (bls_plan){ .path = EAS_BLS_PATH_FOLD, .level = eas_simd_level(), .shortest = INFINITY };
  bls_setup_of(&plan->setup, job);
  plan->cells = bls_cells(&plan->setup);
  for (size_t i = 0; i < job->n_period; i++)
    if (job->period[i] < plan->shortest) plan->shortest = job->period[i];
  prepare_samples(plan, job, bins + bls_rows_bins_size(plan->cells));
  if (plan->rows.y != NULL && plan->shortest >= 2 * plan->rows.step) {
    bls_rows_tabulate(plan, bins);
    plan->path = EAS_BLS_PATH_ROWS;
  } else if (plan->edges.cell != NULL && bls_edges_pay(&plan->setup)) {
    plan->path = EAS_BLS_PATH_EDGES;
  }
  return EAS_OK;
}

size_t eas_bls_work_size(const eas_bls_job *job)
{
  bls_setup s;
  bls_setup_of(&s, job);
  size_t size = 4 * bls_cells(&s) * sizeof(double);
  const bls_plan *plan = job->plan;
  if (eas_bls_path(job) == EAS_BLS_PATH_ROWS) size += bls_rows_work_size(plan, plan->shortest);
  return size;
}

static void run_reference(const eas_bls_job *job, size_t i0, size_t i1, double *work)
{
  bls_setup s;
  bls_setup_of(&s, job);
  for (size_t i = i0; i < i1; i++) bls_reference(&s, job->period[i], work, work + bls_cells(&s), &job->out[i]);
}

static void run_fast(const eas_bls_job *job, size_t i0, size_t i1, double *work)
{
  const bls_plan *plan = job->plan;
  double *y = work, *w = y + plan->cells, *pairs = w + plan->cells, *rows = pairs + 2 * plan->cells;
  bls_best before = { .objective = -INFINITY };
  for (size_t i = i0; i < i1; i++) {
    size_t bins = bls_bins(&plan->setup, job->period[i]);
    bls_best best = { .objective = -INFINITY };
    int folded = plan->path == EAS_BLS_PATH_ROWS    ? bls_rows_fold(plan, job->period[i], bins, y, w, rows)
                 : plan->path == EAS_BLS_PATH_EDGES ? bls_edges_fold(plan, job->period[i], bins, y, w, pairs)
                                                    : 0;
    if (!folded) bls_fold_fast(plan, job->period[i], bins, y, w, pairs);
    bls_scan_fast(plan, bins, y, w, &before, pairs, &best);
    before = best;
    bls_store(&plan->setup, job->period[i], &best, &job->out[i]);
  }
}

int eas_bls_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_bls_job *job = argument;
  if (eas_bls_path(job) == EAS_BLS_PATH_REFERENCE)
    run_reference(job, i0, i1, work);
  else
    run_fast(job, i0, i1, work);
  return EAS_OK;
}

size_t eas_bls_parts_work_size(const eas_bls_parts *parts)
{
  size_t most = 0;
  for (size_t k = 0; k < parts->n_part; k++) {
    size_t size = eas_bls_work_size(parts->part[k]);
    most = size > most ? size : most;
  }
  return most;
}

int eas_bls_parts_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_bls_parts *parts = argument;
  size_t begin = 0; /* of the part, in the range of all */
  for (size_t k = 0; k < parts->n_part && begin < i1; k++) {
    size_t n = parts->part[k]->n_period, end = begin + n;
    if (end > i0) eas_bls_run(parts->part[k], i0 > begin ? i0 - begin : 0, i1 < end ? i1 - begin : n, work);
    begin = end;
  }
  return EAS_OK;
}
