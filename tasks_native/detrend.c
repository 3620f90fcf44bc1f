/* detrend.c: checks, pieces and windows. */
#include "detrend_parts.h"

static int check_settings(const eas_detrend_settings *s)
{
  if (s->method < EAS_DETREND_BIWEIGHT || s->method > EAS_DETREND_LOWESS) return EAS_EARG;
  if (!(s->window > 0) || !isfinite(s->window)) return EAS_EARG;
  if (!(s->break_tolerance >= 0) || !isfinite(s->break_tolerance)) return EAS_EARG;
  if (!(s->edge_cutoff >= 0 && s->edge_cutoff <= s->window / 2)) return EAS_EARG;
  return s->method != EAS_DETREND_BIWEIGHT || (s->cval > 0 && isfinite(s->cval)) ? EAS_OK : EAS_EARG;
}

static int check_waves(const eas_detrend_job *job)
{
  for (size_t i = 0, start = 0; i < job->n; i++) {
    if (detrend_break(job, i)) start = i;
    if (detrend_waves(job, job->time[i] - job->time[start]) > DETREND_WAVES) return EAS_EARG;
  }
  return EAS_OK;
}

int eas_detrend_check(const eas_detrend_job *job)
{
  if (check_settings(&job->set) != EAS_OK) return EAS_EARG;
  if (job->n == 0) return EAS_EFEW;
  if (job->time == NULL || job->flux == NULL || job->trend == NULL) return EAS_EARG;
  for (size_t i = 0; i < job->n; i++) {
    if (!isfinite(job->time[i]) || (i > 0 && !(job->time[i] > job->time[i - 1]))) return EAS_EDATA;
    if (detrend_seen(job, i) && !(fabs(job->flux[i]) <= 1e100)) return EAS_EDATA;
  }
  return job->set.method == EAS_DETREND_COSINE ? check_waves(job) : EAS_OK;
}

size_t eas_detrend_trials(const eas_detrend_job *job)
{
  if (job->set.method != EAS_DETREND_COSINE) return job->n;
  size_t pieces = 0;
  for (size_t i = 0; i < job->n; i++) pieces += detrend_break(job, i) != 0;
  return pieces;
}

/* Windows are half-open, as the peer's: from t - window / 2 to before t + window / 2. */
void detrend_move(const eas_detrend_job *job, size_t i, detrend_window *w)
{
  const double *t = job->time;
  double half = job->set.window / 2;
  if (w->lo == i && w->hi == i) { /* none yet: look back for its start */
    while (!detrend_break(job, w->lo) && t[w->lo - 1] >= t[i] - half) w->lo--;
  } else if (detrend_break(job, i)) {
    w->lo = i;
  }
  if (w->hi < i) w->hi = i;
  while (t[w->lo] < t[i] - half) w->lo++;
  if (w->hi == i) w->hi++;
  while (!detrend_break(job, w->hi) && t[w->hi] < t[i] + half) w->hi++;
  w->at_start = detrend_break(job, w->lo);
  w->at_end = detrend_break(job, w->hi);
}

int detrend_cut(const eas_detrend_job *job, size_t i, const detrend_window *w)
{
  double cut = job->set.edge_cutoff;
  if (!(cut > 0)) return 0;
  return (w->at_start && job->time[i] - job->time[w->lo] < cut) ||
         (w->at_end && job->time[w->hi - 1] - job->time[i] < cut);
}

size_t detrend_fullest(const eas_detrend_job *job)
{
  size_t most = 1;
  detrend_window w = { 0, 0, 0, 0 };
  for (size_t i = 0; i < job->n; i++) {
    detrend_move(job, i, &w);
    if (w.hi - w.lo > most) most = w.hi - w.lo;
  }
  return most;
}

size_t eas_detrend_work_size(const eas_detrend_job *job)
{
  if (job->set.method == EAS_DETREND_COSINE) return detrend_cosine_size(job);
  return job->set.method <= EAS_DETREND_MEDIAN ? detrend_robust_size(job) : detrend_local_size(job);
}

int eas_detrend_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_detrend_job *job = argument;
  if (job->set.method == EAS_DETREND_COSINE)
    detrend_cosine(job, i0, i1, work);
  else if (job->set.method <= EAS_DETREND_MEDIAN)
    detrend_robust(job, i0, i1, work);
  else
    detrend_local(job, i0, i1, work);
  return EAS_OK;
}
