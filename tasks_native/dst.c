/* dst.c: checks, layout, single events. */
#include "dst_parts.h"

static int check_settings(const eas_dst_settings *s)
{
  if (s->n_duration == 0) return EAS_EGRID;
  if (s->n_duration > DST_DURATIONS || s->duration == NULL) return EAS_EARG;
  for (size_t k = 0; k < s->n_duration; k++)
    if (!(s->duration[k] > (k > 0 ? s->duration[k - 1] : 0)) || !isfinite(s->duration[k])) return EAS_EARG;
  if (!(s->alpha >= 0 && s->alpha <= 1) || !(s->shift >= 0 && s->shift <= 0.5) || s->events_min < 2) return EAS_EARG;
  if (!(s->transit_scale > 0) || !isfinite(s->transit_scale)) return EAS_EARG;
  return s->ratio_min > 0 && s->ratio_max > s->ratio_min && isfinite(s->ratio_max) ? EAS_OK : EAS_EARG;
}

static int check_data(const eas_dst_job *job)
{
  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i]) || !(fabs(job->flux[i]) <= 1e15)) return EAS_EDATA;
    if (i > 0 && !(job->time[i] > job->time[i - 1])) return EAS_EDATA;
    if (job->ivar != NULL && !(job->ivar[i] > 0 && job->ivar[i] <= 1e30)) return EAS_EDATA;
  }
  return EAS_OK;
}

int eas_dst_check(const eas_dst_job *job)
{
  int rc = check_settings(&job->set);
  if (rc != EAS_OK) return rc;
  if (job->n < 3) return EAS_EFEW;
  if (job->n_period == 0) return EAS_EGRID;
  if (job->time == NULL || job->flux == NULL || job->period == NULL || job->out == NULL) return EAS_EARG;
  if (!(job->interval > 0) || !isfinite(job->flux_zero)) return EAS_EARG;
  if (!(job->sigma > 1e-15 && job->sigma < 1e15)) return EAS_EARG;
  for (size_t i = 0; i < job->n_period; i++)
    if (!(job->period[i] > 0) || !isfinite(job->period[i])) return EAS_EARG;
  rc = check_data(job);
  if (rc != EAS_OK) return rc;
  double span = job->time[job->n - 1] - job->time[0];
  return span / job->set.duration[0] * DST_STEPS <= 268435456.0 ? EAS_OK : EAS_EARG;
}

static size_t cells_of(const eas_dst_job *job, double step)
{
  size_t cells = (size_t)((job->time[job->n - 1] - job->time[0]) / step) + 1;
  return (cells + DST_PAD + 15) / 16 * 16;
}

static size_t arrays_of(const eas_dst_job *job)
{
  return dst_reach(job) > 0 ? 5 : 3;
}

static const size_t head_size = (sizeof(dst_plan) + 63) / 64 * 64;

size_t eas_dst_plan_size(const eas_dst_job *job)
{
  size_t cells = 0;
  for (size_t k = 0; k < job->set.n_duration; k++) cells += cells_of(job, job->set.duration[k] / DST_STEPS);
  return head_size + cells * arrays_of(job) * sizeof(float);
}

int eas_dst_prepare(const eas_dst_job *job)
{
  dst_plan *plan = job->plan;
  float *at = (float *)(void *)((char *)job->plan + head_size);
  double weight = 0;
  for (size_t i = 0; job->ivar != NULL && i < job->n; i++) weight += job->ivar[i] / (double)job->n;
  *plan = (dst_plan){ .level = eas_simd_level(), .weight = job->ivar ? weight : 1 / (job->sigma * job->sigma) };
  for (size_t k = 0; k < job->set.n_duration; k++) {
    dst_map *m = &plan->map[k];
    m->duration = job->set.duration[k];
    m->step = m->duration / DST_STEPS;
    m->cells = cells_of(job, m->step);
    m->c = at;
    m->q = m->c + m->cells;
    m->valid = m->q + m->cells;
    if (arrays_of(job) == 5) {
      m->shifted_c = m->valid + m->cells;
      m->shifted_q = m->shifted_c + m->cells;
    }
    at += arrays_of(job) * m->cells;
  }
  return EAS_OK;
}

dst_fit dst_event(const eas_dst_job *job, double weight, double duration, double centre, size_t *from)
{
  double half = 0.5 * duration, reach = job->set.baseline ? 1.5 * duration : half, alpha = job->set.alpha;
  double w_in = 0, w_all = 0, s1 = 0, s2 = 0, e1 = 0, se = 0, level = NAN;
  while (*from < job->n && job->time[*from] < centre - reach) ++*from;
  for (size_t i = *from; i < job->n && job->time[i] <= centre + reach; i++) {
    double x = (job->time[i] - centre) / half, w = job->ivar ? job->ivar[i] : weight;
    if (isnan(level)) level = job->set.baseline ? job->flux[i] : job->flux_zero; /* so that sums keep their digits */
    double e = level - job->flux[i], s = fabs(x) <= 1 ? 1 - alpha * x * x : 0;
    w_in += fabs(x) <= 1 ? w : 0;
    w_all += w;
    s1 += w * s;
    s2 += w * s * s;
    e1 += w * e;
    se += w * s * e;
  }
  if (!(w_in >= 0.5 * weight * fmax(duration / job->interval, 1))) return (dst_fit){ 0, 0 };
  if (!job->set.baseline) return (dst_fit){ se, s2 };
  if (!(w_all - w_in >= 0.25 * w_in)) return (dst_fit){ 0, 0 }; /* nothing to compare with */
  dst_fit fit = { se - s1 * e1 / w_all, s2 - s1 * s1 / w_all };
  return fit.q > 0 ? fit : (dst_fit){ 0, 0 };
}

/* Of the events within reach the one with the most sigmas, less what noise gains by the choice. */
static void shift_map(dst_map *m, size_t used, size_t reach)
{
  for (size_t i = 0; i < used; i++) {
    size_t from = i > reach ? i - reach : 0, to = i + reach < used ? i + reach : used - 1, at = i;
    double most = -INFINITY;
    for (size_t j = from; j <= to; j++) {
      double z = m->valid[j] > 0 ? (double)m->c[j] / sqrt((double)m->q[j]) : -INFINITY;
      if (z > most) {
        most = z;
        at = j;
      }
    }
    int have = m->valid[i] > 0;
    m->shifted_q[i] = have ? m->q[at] : 0;
    m->shifted_c[i] = have ? (float)((most - dst_gain(reach)) * sqrt((double)m->q[at])) : 0;
  }
}

int eas_dst_map(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_dst_job *job = argument;
  dst_plan *plan = job->plan;
  (void)work;
  for (size_t k = i0; k < i1; k++) {
    dst_map *m = &plan->map[k];
    size_t from = 0, used = (size_t)((job->time[job->n - 1] - job->time[0]) / m->step) + 1;
    for (size_t i = 0; i < m->cells; i++) {
      dst_fit fit = { 0, 0 };
      if (i < used) fit = dst_event(job, plan->weight, m->duration, job->time[0] + (double)i * m->step, &from);
      m->c[i] = (float)fit.c;
      m->q[i] = (float)fit.q;
      m->valid[i] = fit.q > 0;
      if (m->shifted_c != NULL) m->shifted_c[i] = m->shifted_q[i] = 0;
    }
    if (m->shifted_c != NULL) shift_map(m, used, dst_reach(job));
  }
  return EAS_OK;
}

/* The strongest place within reach of the expected one. */
static eas_dst_event event_near(const eas_dst_job *job, double weight, double duration, double expected)
{
  eas_dst_event event = { expected, NAN, NAN };
  ptrdiff_t reach = (ptrdiff_t)dst_reach(job);
  for (ptrdiff_t k = -reach; k <= reach; k++) {
    double at = expected + (double)k * duration / DST_STEPS;
    size_t lo = 0, hi = job->n; /* first sample of the window */
    while (lo < hi) {
      size_t mid = (lo + hi) / 2;
      if (job->time[mid] < at - 1.5 * duration)
        lo = mid + 1;
      else
        hi = mid;
    }
    dst_fit fit = dst_event(job, weight, duration, at, &lo);
    if (fit.q > 0 && !(fit.c / sqrt(fit.q) <= event.snr))
      event = (eas_dst_event){ at, fit.c / fit.q, fit.c / sqrt(fit.q) };
  }
  return event;
}

size_t eas_dst_events(const eas_dst_job *job, double period, double t0, double duration, eas_dst_event *out, size_t max)
{
  double first = job->time[0], last = job->time[job->n - 1];
  if (!(period > 0) || !(duration > 0) || !isfinite(t0) || !((last - first) / period < 1e7)) return 0;
  const dst_plan *plan = job->plan;
  size_t count = 0;
  for (double k = ceil((first - t0) / period); t0 + k * period <= last; k++, count++)
    if (count < max) out[count] = event_near(job, plan->weight, duration, t0 + k * period);
  return count;
}
