/* tls__epoch.c: mid-transit of the best period: the template shifted over the folded light curve.
 *
 * Another epoch turns the folded curve: the sum of squares follows from the number of samples that
 * come before it. So all trial epochs cost one fold and, for each count, one pass over the template. */
#include "tls_parts.h"

typedef struct {
  const tls_key *order; /* of phase since time[0] */
  const double *e, *w;  /* time order */
  size_t n, lead;       /* samples; how many stand before the middle of the template */
  const double *shape;
  size_t width;
  double r; /* what the shape is multiplied with */
  int weights;
} shifted;

static size_t sample_at(const shifted *s, size_t i)
{
  return s->order[i % s->n].sample;
}

/* What the template takes off the sum of squares, when `before` samples come before the epoch. */
static double gain_of(const shifted *s, size_t before)
{
  double gain = 0;
  size_t turn = s->lead % s->n, from = before + 2 * s->n - turn;
  for (size_t j = 0; j < s->width; j++) {
    size_t i = sample_at(s, from + j);
    double e = s->e[i], miss = e - s->r * s->shape[j], weight = 1;
    if (s->weights == EAS_TLS_EPOCH_IVAR && s->w != NULL) weight = s->w[i];
    if (s->weights == EAS_TLS_EPOCH_PEER) { /* over the flux of the samples that stand as many places before */
      double flux = 1 - s->e[sample_at(s, from + j + s->n - turn)];
      weight = 1 / (flux * flux);
    }
    gain += (e * e - miss * miss) * weight;
  }
  return gain;
}

/* Samples whose phase since the epoch time[0] + u comes after a turn: they stand before it. *from: a count
 * for a smaller u. Where rounding decides, the definition does. */
static size_t count_before(const eas_tls_job *job, const tls_key *order, double period, double u, double doubt,
                           size_t *from)
{
  size_t i = *from, n = job->n;
  while (i < n && order[i].phase * period < u - doubt) i++;
  *from = i;
  size_t count = i;
  for (; i < n && order[i].phase * period <= u + doubt; i++)
    count += tls_phase(job->time[order[i].sample] - (job->time[0] + u), period) > 0.5;
  return count;
}

int eas_tls_epoch_of(const eas_tls_job *job, double period, size_t row, double depth, int weights, void *work,
                     double *t0)
{
  const tls_plan *plan = job->plan;
  if (!(period > 0) || !isfinite(period) || row >= plan->n_row || !isfinite(depth)) return EAS_EARG;
  if (weights < EAS_TLS_EPOCH_PLAIN || weights > EAS_TLS_EPOCH_IVAR) return EAS_EARG;
  const tls_row *r = &plan->row[row];
  tls_key *keys = work;
  shifted s = { .order = tls_sort(job->time, job->n, job->time[0], period, keys, keys + job->n),
                .e = plan->e,
                .w = plan->w,
                .n = job->n,
                .lead = r->width / 2 + 1,
                .shape = plan->shape + r->at,
                .width = r->width,
                .r = 2 * depth,
                .weights = weights };
  double margin = job->set.margin, last = fabs(job->time[job->n - 1]) + fabs(job->time[0]) + period;
  size_t trials = job->n, from = 0, before = SIZE_MAX;
  if (margin > 0) trials = (size_t)fmin((double)job->n, floor((double)job->n / (margin * (double)r->width)));
  if (trials < 1) trials = 1;
  double best = -INFINITY;
  for (size_t k = 0; k < trials; k++) {
    double epoch = job->time[0] + (trials > 1 ? (double)k * (period / (double)(trials - 1)) : 0);
    if (k + 1 == trials && trials > 1) epoch = job->time[0] + period;
    size_t count = count_before(job, s.order, period, epoch - job->time[0], 16 * DBL_EPSILON * last, &from);
    if (count == before) continue;
    before = count;
    double gain = gain_of(&s, count);
    if (gain > best) {
      best = gain;
      *t0 = epoch;
    }
  }
  return EAS_OK;
}
