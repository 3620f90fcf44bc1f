/* fbls.c: checks, sizes, the bins, and the reference path of the fast-folding search. */
#include "fbls_parts.h"

static const double growth_most = 10;

static int check_settings(const eas_fbls_job *job)
{
  const eas_fbls_settings *set = &job->set;
  if (set->n_duration == 0 || set->n_duration > FBLS_WIDTHS || set->duration == NULL) return EAS_EARG;
  for (size_t k = 0; k < set->n_duration; k++)
    if (!(set->duration[k] > 0) || !isfinite(set->duration[k])) return EAS_EARG;
  if (!(set->tau > 0) || !(set->period_min >= 4 * set->tau) || !(set->period_max >= set->period_min)) return EAS_EARG;
  if (!(set->growth >= 1) || !(set->growth <= growth_most) || !(set->growth_power >= 1) || !(set->growth_power <= 10))
    return EAS_EARG;
  if (!(set->fraction_max > 0) || !(set->fraction_max <= 0.5)) return EAS_EARG;
  if (set->objective != EAS_FBLS_DELTA_CHI2 && set->objective != EAS_FBLS_LIKELIHOOD) return EAS_EARG;
  if (set->sign != EAS_FBLS_DIPS && set->sign != EAS_FBLS_BOTH) return EAS_EARG;
  if (set->stride < 1 || set->stride > 16) return EAS_EARG;
  if (set->path != EAS_FBLS_PATH_FAST && set->path != EAS_FBLS_PATH_REFERENCE) return EAS_EARG;
  return EAS_OK;
}

static double span_of(const eas_fbls_job *job)
{
  return job->time[job->n - 1] - job->time[0];
}

/* Bins of the first width: samples stand within half a bin of its middle. */
static size_t bins_of(const eas_fbls_job *job)
{
  return (size_t)(span_of(job) / job->set.tau + 0.5) + 1;
}

/* Bin widths, periods and blocks; returns how many trials. first: [n_block] filled where not NULL. */
static size_t lay_out(const eas_fbls_job *job, fbls_plan *plan, size_t *first, size_t *blocks)
{
  const eas_fbls_settings *set = &job->set;
  size_t trials = 0, bins = bins_of(job);
  double low = set->period_min, wider = 1;
  *blocks = plan->n_stage = 0;
  do {
    fbls_stage *t = &plan->stage[plan->n_stage++];
    double high = set->growth > 1 ? fmin(low * pow(set->growth, set->growth_power), set->period_max) : set->period_max;
    if (plan->n_stage == FBLS_STAGES) high = set->period_max;
    *t = (fbls_stage){ .tau = set->tau * wider, .n = (size_t)ceil((double)bins / wider), .block = *blocks };
    t->p0 = (size_t)(low / t->tau + 1e-6);
    t->period_end = high / t->tau;
    t->p1 = (size_t)ceil(t->period_end - 1e-6);
    if (t->p1 <= t->p0) t->p1 = t->p0 + 1;
    for (size_t p = t->p0; p < t->p1; p++) {
      if (first != NULL) first[*blocks] = trials;
      trials += fbls_trials(fbls_rows(t->n, p), p, t->period_end, set->stride);
      ++*blocks;
    }
    low = high;
    wider *= set->growth;
  } while (low < set->period_max * (1 - 1e-12));
  return trials;
}

int eas_fbls_check(const eas_fbls_job *job)
{
  int rc = check_settings(job);
  if (rc != EAS_OK) return rc;
  if (job->n < 3) return EAS_EFEW;
  if (job->time == NULL || job->flux == NULL) return EAS_EARG;
  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i]) || !isfinite(job->flux[i])) return EAS_EDATA;
    if (i > 0 && !(job->time[i] > job->time[i - 1])) return EAS_EDATA;
    if (job->ivar != NULL && !(job->ivar[i] > 0 && isfinite(job->ivar[i]))) return EAS_EDATA;
  }
  if (!(span_of(job) / job->set.tau <= 8.0 * (double)job->n + 1e5)) return EAS_EARG;
  return job->set.period_max <= 10 * span_of(job) ? EAS_OK : EAS_EARG;
}

void eas_fbls_count(eas_fbls_job *job)
{
  fbls_plan plan;
  job->n_trial = lay_out(job, &plan, NULL, &job->n_block);
}

static size_t data_size(const fbls_plan *plan)
{
  size_t size = 0;
  for (size_t k = 0; k < plan->n_stage; k++)
    size += 2 * fbls_round(plan->stage[k].n + plan->stage[k].p1) * sizeof(float);
  return size;
}

static const size_t head_size = (sizeof(fbls_plan) + 63) / 64 * 64;

static size_t first_size(size_t blocks)
{
  return (blocks * sizeof(size_t) + 63) / 64 * 64;
}

size_t eas_fbls_plan_size(const eas_fbls_job *job)
{
  fbls_plan plan;
  size_t blocks;
  lay_out(job, &plan, NULL, &blocks);
  /* the sums of the first bins are made in double where later the data stand */
  size_t data = data_size(&plan), exact = 2 * (bins_of(job) + 1) * sizeof(double);
  return head_size + first_size(blocks) + data + exact + 64;
}

/* Weighted sums by bin, in double: v[bins], w[bins]. Units of the mean weight and the flux's standard deviation keep single
 * precision from overflowing. */
static void sum_bins(const eas_fbls_job *job, size_t bins, fbls_plan *plan, double *v, double *w)
{
  double flux = 0, weight = 0, squares = 0, n = (double)job->n;
  memset(v, 0, bins * sizeof *v);
  memset(w, 0, bins * sizeof *w);
  for (size_t i = 0; i < job->n; i++) weight += job->ivar != NULL ? job->ivar[i] / n : 1 / n;
  for (size_t i = 0; i < job->n; i++)
    flux += (job->flux[i] - job->flux[0]) * (job->ivar != NULL ? job->ivar[i] / weight : 1.0);
  double mean = flux / n;
  for (size_t i = 0; i < job->n; i++) {
    double off = (job->flux[i] - job->flux[0]) - mean;
    squares += off * off / n;
  }
  plan->unit_weight = job->ivar != NULL ? weight : 1.0;
  plan->unit_flux = squares > 0 && isfinite(squares) ? sqrt(squares) : 1;
  for (size_t i = 0; i < job->n; i++) {
    double each = job->ivar != NULL ? job->ivar[i] / weight : 1.0;
    size_t k = (size_t)((job->time[i] - job->time[0]) / job->set.tau + 0.5);
    if (k >= bins) k = bins - 1;
    v[k] += ((job->flux[i] - job->flux[0]) - mean) / plan->unit_flux * each;
    w[k] += each;
  }
}

/* Bins `wider` times as wide: what lies in both is divided by overlap. */
static void widen(const double *from, size_t bins, double wider, float *to, size_t n)
{
  for (size_t k = 0; k < n; k++) {
    double low = (double)k * wider, high = low + wider, sum = 0;
    if (high > (double)bins) high = (double)bins;
    for (size_t j = (size_t)low; (double)j < high && j < bins; j++) {
      double at = (double)j, end = at + 1;
      sum += from[j] * ((high < end ? high : end) - (low > at ? low : at));
    }
    to[k] = (float)sum;
  }
}

static void fill_stage(const eas_fbls_job *job, fbls_stage *t, const double *v, const double *w, float **memory)
{
  size_t bins = bins_of(job), room = fbls_round(t->n + t->p1);
  float *to_v = *memory, *to_w = to_v + room;
  *memory = to_w + room;
  memset(to_v, 0, 2 * room * sizeof(float));
  widen(v, bins, t->tau / job->set.tau, to_v, t->n);
  widen(w, bins, t->tau / job->set.tau, to_w, t->n);
  t->v = to_v;
  t->w = to_w;
  t->each = to_w[0];
  for (size_t k = 0; k < t->n; k++) {
    t->total += (double)to_w[k];
    if (fabsf(to_w[k] - to_w[0]) > 1e-5f * to_w[0] && k + 1 < t->n) t->each = 0;
  }

  for (size_t k = 0; k < job->set.n_duration; k++) { /* rising, each once */
    double bins_in = fmin(fmax(1, nearbyint(job->set.duration[k] / t->tau)), 1e9);
    uint32_t width = (uint32_t)bins_in;
    size_t at = 0;
    while (at < t->n_width && t->width[at] < width) at++;
    if (at < t->n_width && t->width[at] == width) continue;
    memmove(t->width + at + 1, t->width + at, (t->n_width - at) * sizeof *t->width);
    t->width[at] = width;
    t->n_width++;
  }
}

static size_t widths_below(const fbls_stage *t, double limit)
{
  size_t n = 0;
  limit = fmin(limit, 8192);
  while (n < t->n_width && (double)t->width[n] <= limit) n++;
  return n;
}

int eas_fbls_prepare(const eas_fbls_job *job)
{
  fbls_plan *plan = job->plan;
  size_t blocks, bins = bins_of(job), *first = (size_t *)(void *)((char *)job->plan + head_size);
  *plan = (fbls_plan){ .level = eas_simd_level(), .job = job, .first = first };
  lay_out(job, plan, first, &blocks);
  float *memory = (float *)(void *)((char *)job->plan + head_size + first_size(blocks));
  double *v = (double *)(void *)((char *)memory + (data_size(plan) + 63) / 64 * 64), *w = v + bins + 1;
  sum_bins(job, bins, plan, v, w);
  for (size_t k = 0; k < plan->n_stage; k++) {
    fbls_stage *t = &plan->stage[k];
    fill_stage(job, t, v, w, &memory);
    if (t->p1 - 1 > plan->p_most) plan->p_most = t->p1 - 1;
    if (t->n > plan->n_most) plan->n_most = t->n;
    size_t n = widths_below(t, job->set.fraction_max * (double)(t->p1 - 1));
    if (n > 0 && t->width[n - 1] > plan->w_most) plan->w_most = t->width[n - 1];
  }
  return EAS_OK;
}

/* Scratch as one thread sees it; returns its size. memory may be NULL; *clear: of its begin, bytes that must be numbers, since
 * they are read behind the end of a row. */
static size_t lay_out_scratch(const fbls_plan *plan, float *memory, fbls_scratch *s, size_t *clear)
{
  size_t row = fbls_round(plan->p_most + 2 * plan->w_most + 160); /* whole groups of starts are read behind the end */
  size_t fold = fbls_round(plan->n_most + plan->p_most + 64), edge = fbls_round(2 * plan->w_most + 4 * 64), at = 0;
  for (size_t k = 0; k < 2; k++)
    for (size_t j = 0; j < 12; j++, at += row) s->twos[k][j] = memory ? memory + at : NULL;
  s->best = memory ? memory + at : NULL;
  at += row;
  for (size_t k = 0; k < 4; k++, at += fold) s->fold[k] = memory ? memory + at : NULL;
  *clear = at * sizeof(float);
  s->scale = memory ? memory + at : NULL;
  at += fbls_round(FBLS_WIDTHS * (plan->w_most + 1));
  s->edge = memory ? memory + at : NULL;
  at += FBLS_WIDTHS * edge;
  s->scale_of = (fbls_block){ 0 };
  return at * sizeof(float);
}

size_t eas_fbls_work_size(const eas_fbls_job *job)
{
  fbls_scratch s;
  size_t clear;
  return lay_out_scratch(job->plan, NULL, &s, &clear);
}

void fbls_store(const fbls_block *b, size_t trial, size_t start, size_t width, double v, double w, eas_fbls_peak *out)
{
  const eas_fbls_job *job = b->plan->job;
  const fbls_stage *t = b->stage;
  double s = (double)(trial * b->stride), period = fbls_period(t, b->p, b->m, s), total = t->total;
  *out = (eas_fbls_peak){ .period = period, .power = 0, .depth = NAN, .duration = NAN, .t0 = NAN };
  out->step = b->m > 1 ? fbls_period(t, b->p, b->m, s + (double)b->stride) - period : t->tau;
  if (width == 0) return;
  double first = job->time[0] - 0.5 * job->set.tau;
  double unit = b->plan->unit_flux;
  out->power = fbls_score(&job->set, v, w, total) * unit * unit * b->plan->unit_weight;
  out->depth = -v / (w * (1 - w / total)) * unit;
  out->duration = (double)width * t->tau;
  double middle = ((double)start + 0.5 * (double)width) * t->tau;
  out->t0 = first + (middle < period ? middle : fmod(middle, period));
}

/* One trial's sums by the definition: row r shifted by what the levels of the folding make of it. */
static void fold_reference(const float *in, size_t m, size_t p, size_t s, size_t shift, double *out)
{
  if (m == 1) {
    for (size_t i = 0; i < p; i++) out[i] += (double)in[(i + shift) % p];
    return;
  }
  size_t head = m / 2, tail = m - head;
  size_t a = (2 * (head - 1) * s + (m - 1)) / (2 * (m - 1)), c = (2 * (tail - 1) * s + (m - 1)) / (2 * (m - 1));
  fold_reference(in, head, p, a, shift, out);
  fold_reference(in + head * p, tail, p, c, (shift + s - c) % p, out);
}

void fbls_reference(const fbls_block *b, fbls_scratch *s, eas_fbls_peak *peaks)
{
  const fbls_stage *t = b->stage;
  double *v = (double *)(void *)s->fold[0], *w = (double *)(void *)s->fold[2]; /* two of floats make one of doubles */
  for (size_t trial = 0; trial < b->rows; trial++) {
    size_t best_start = 0, best_width = 0;
    double best = 0, best_v = 0, best_w = 0;
    memset(v, 0, b->p * sizeof *v);
    memset(w, 0, b->p * sizeof *w);
    fold_reference(t->v, b->m, b->p, trial * b->stride, 0, v);
    fold_reference(t->w, b->m, b->p, trial * b->stride, 0, w);
    for (size_t k = 0; k < b->n_width; k++) {
      for (size_t i = 0; i < b->p; i++) {
        double sum_v = 0, sum_w = 0;
        for (size_t j = i; j < i + t->width[k]; j++) {
          sum_v += v[j % b->p];
          sum_w += w[j % b->p];
        }
        double score = fbls_score(&b->plan->job->set, sum_v, sum_w, t->total);
        if (!(score > best)) continue;
        best = score;
        best_start = i;
        best_width = t->width[k];
        best_v = sum_v;
        best_w = sum_w;
      }
    }
    fbls_store(b, trial, best_start, best_width, best_v, best_w, peaks + trial);
  }
}

int eas_fbls_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_fbls_job *job = argument;
  const fbls_plan *plan = job->plan;
  const fbls_stage *t = plan->stage;
  fbls_scratch s;
  size_t clear;
  lay_out_scratch(plan, work, &s, &clear);
  memset(work, 0, clear);
  for (size_t i = i0; i < i1; i++) {
    while (t + 1 < plan->stage + plan->n_stage && i >= t[1].block) t++;
    fbls_block b = { .plan = plan, .stage = t, .p = t->p0 + (i - t->block) };
    b.m = fbls_rows(t->n, b.p);
    b.stride = (size_t)job->set.stride;
    b.rows = fbls_trials(b.m, b.p, t->period_end, job->set.stride);
    b.full = t->n < b.p ? t->n : t->n - (b.m - 1) * b.p;
    b.n_width = widths_below(t, job->set.fraction_max * (double)b.p);
    if (job->set.path == EAS_FBLS_PATH_REFERENCE)
      fbls_reference(&b, &s, job->out + plan->first[i]);
    else
      fbls_scan(&b, &s, job->out + plan->first[i]);
  }
  return EAS_OK;
}

int eas_fbls_spectrum_of(const eas_fbls_peak *peak, size_t n, eas_fbls_spectrum *out)
{
  double sum = 0, squares = 0, most = 0;
  *out = (eas_fbls_spectrum){ .mean = NAN, .std = NAN, .sde = NAN };
  for (size_t i = 0; i < n; i++) {
    sum += peak[i].power;
    if (peak[i].power > most) {
      most = peak[i].power;
      out->index = i;
    }
  }
  if (!(most > 0)) return EAS_NONE;
  out->mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += (peak[i].power - out->mean) * (peak[i].power - out->mean);
  out->std = sqrt(squares / (double)n);
  if (out->std > 0) out->sde = (most - out->mean) / out->std;
  return EAS_OK;
}
