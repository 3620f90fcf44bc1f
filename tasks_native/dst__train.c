/* dst__train.c: the events of a period added up, at all phases at once. */
#include <string.h>
#include "dst_parts.h"

enum { BLOCK = 32 };

typedef struct {
  const float *c, *q;
  const dst_map *map;
  double period;
  size_t phases;
  int shifted;
} train;

static size_t phases_of(double period, const dst_map *m)
{
  double phases = ceil(period / m->step);
  return phases < (double)m->cells ? (size_t)phases : m->cells;
}

/* Epochs from the first event to the k-th. */
static inline double offset_of(const train *t, double k)
{
  return floor(k * t->period / t->map->step + 0.5);
}

EAS_INLINE void add_event(float *restrict sum, const float *restrict event, size_t n)
{
  for (size_t i = 0; i < n; i++) sum[i] += event[i];
}

EAS_INLINE int64_t beats(float c, float q, float m, float least, float events)
{
  return (c > 0) & (c * c > least * q) & (m >= events);
}

EAS_INLINE int64_t count_block(const float *c, const float *q, const float *m, float least, float events)
{
  int64_t hits = 0;
  for (int j = 0; j < BLOCK; j++) hits += beats(c[j], q[j], m[j], least, events);
  return hits;
}

/* All numbers of the train that begins at epoch i, in double precision; NaN f where it is none. */
static eas_dst_peak judge(const eas_dst_job *job, const train *t, size_t i)
{
  double c = 0, q = 0, squares = 0, most = 0, m = 0, at;
  for (double k = 0; (at = (double)i + offset_of(t, k)) < (double)t->map->cells; k++) {
    double ck = (double)t->c[(size_t)at], qk = (double)t->q[(size_t)at];
    if (!(qk > 0)) continue;
    c += ck;
    q += qk;
    squares += ck * ck / qk;
    most = fmax(most, ck);
    m++;
  }
  double depth = c / q, scatter = fmax(0, squares - depth * c) / (m - 1), z = c / sqrt(q);
  return (eas_dst_peak){ .f = m >= job->set.events_min ? z / sqrt(fmax(1, scatter)) : NAN,
                         .z = z,
                         .depth = depth,
                         .duration = t->map->duration,
                         .t0 = job->time[0] + (double)i * t->map->step,
                         .consistency = scatter,
                         .share = most / c,
                         .n_events = m,
                         .shifted = t->shifted };
}

EAS_INLINE void search_train(const eas_dst_job *job, const train *t, float *work, eas_dst_peak *best)
{
  size_t n = (t->phases + BLOCK - 1) / BLOCK * BLOCK, cells = t->map->cells;
  float *c = work, *q = c + n, *m = q + n;
  memset(work, 0, 3 * n * sizeof *work);
  double at;
  for (double k = 0; (at = offset_of(t, k)) < (double)cells; k++) {
    size_t o = (size_t)at, many = cells - o < t->phases ? cells - o : t->phases;
    add_event(c, t->c + o, many);
    add_event(q, t->q + o, many);
    add_event(m, t->map->valid + o, many);
  }
  float events = (float)job->set.events_min;
  for (size_t i = 0; i < n; i += BLOCK) {
    float least = best->f > 0 ? (float)(best->f * best->f * (1 - 1e-5)) : 0;
    if (count_block(c + i, q + i, m + i, least, events) == 0) continue;
    for (size_t j = i; j < i + BLOCK; j++) {
      if (!beats(c[j], q[j], m[j], least, events)) continue;
      eas_dst_peak found = judge(job, t, j);
      if (found.f > 0 && !(found.f <= best->f)) *best = found;
    }
  }
}

EAS_INLINE void search_period(const eas_dst_job *job, double period, float *work, eas_dst_peak *best)
{
  const dst_plan *plan = job->plan;
  double central = job->set.transit_scale * cbrt(period);
  *best = (eas_dst_peak){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
  for (size_t k = 0; k < job->set.n_duration; k++) {
    const dst_map *m = &plan->map[k];
    if (m->duration < job->set.ratio_min * central || m->duration > job->set.ratio_max * central) continue;
    if (m->duration > 0.5 * period) continue;
    train t = { .c = m->c, .q = m->q, .map = m, .period = period, .phases = phases_of(period, m) };
    search_train(job, &t, work, best);
    if (m->shifted_c == NULL) continue;
    t.c = m->shifted_c;
    t.q = m->shifted_q;
    t.shifted = 1;
    search_train(job, &t, work, best);
  }
}

EAS_TARGET_AVX512 static void period_avx512(const eas_dst_job *job, double period, float *work, eas_dst_peak *best)
{
  search_period(job, period, work, best);
}

EAS_TARGET_AVX2 static void period_avx2(const eas_dst_job *job, double period, float *work, eas_dst_peak *best)
{
  search_period(job, period, work, best);
}

static void period_sse2(const eas_dst_job *job, double period, float *work, eas_dst_peak *best)
{
  search_period(job, period, work, best);
}

size_t eas_dst_work_size(const eas_dst_job *job)
{
  double span = job->time[job->n - 1] - job->time[0], longest = 0;
  for (size_t i = 0; i < job->n_period; i++) longest = fmax(longest, job->period[i]);
  double phases = fmin(longest, span) / (job->set.duration[0] / DST_STEPS) + 2 * DST_PAD + 16;
  return 3 * ((size_t)phases + BLOCK) * sizeof(float);
}

int eas_dst_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_dst_job *job = argument;
  int level = ((const dst_plan *)job->plan)->level;
  for (size_t i = i0; i < i1; i++) {
    if (level == EAS_SIMD_AVX512)
      period_avx512(job, job->period[i], work, &job->out[i]);
    else if (level == EAS_SIMD_AVX2)
      period_avx2(job, job->period[i], work, &job->out[i]);
    else
      period_sse2(job, job->period[i], work, &job->out[i]);
  }
  return EAS_OK;
}
