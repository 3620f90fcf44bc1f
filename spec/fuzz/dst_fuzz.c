/* dst_fuzz.c: the train search by shape against any light curve and settings.
 *
 * Holds: no access outside (the sanitizers); a job that is accepted ends; a train has a positive depth, two events or more,
 * and a statistic not above its sum. */
#include "bytes.h"
#include "dst.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(eas_dst_job *job)
{
  if (eas_dst_check(job) != EAS_OK) return;
  double span = job->time[job->n - 1] - job->time[0];
  if (span / job->set.duration[0] > 1e4) return; /* right, but long */
  job->plan = bytes_scratch(eas_dst_plan_size(job));
  must(eas_dst_prepare(job) == EAS_OK);
  must(eas_dst_map(job, 0, job->set.n_duration, NULL) == EAS_OK);
  void *work = bytes_scratch(eas_dst_work_size(job));
  must(eas_dst_run(job, 0, job->n_period, work) == EAS_OK);
  for (size_t i = 0; i < job->n_period; i++) {
    const eas_dst_peak *p = &job->out[i];
    if (isnan(p->f)) continue;
    must(p->f > 0 && p->f <= p->z && p->depth > 0 && p->n_events >= job->set.events_min);
    eas_dst_event event[3];
    if (span / job->period[i] < 1e3) eas_dst_events(job, job->period[i], p->t0, p->duration, event, 3);
  }
  free(work);
  free(job->plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bytes b = { data, size };
  double duration[3], period[3];
  eas_dst_peak out[3];
  for (int k = 0; k < 3; k++) {
    duration[k] = (k > 0 ? duration[k - 1] : 0) + fabs(bytes_number(&b)) / 16;
    period[k] = fabs(bytes_number(&b));
  }
  eas_dst_settings set = { .duration = duration,
                           .n_duration = 3,
                           .alpha = bytes_one(&b) / 255.0,
                           .baseline = (int)(bytes_one(&b) % 2),
                           .shift = bytes_one(&b) / 510.0,
                           .events_min = 2,
                           .transit_scale = 0.0756,
                           .ratio_min = 1e-3,
                           .ratio_max = 1e3 };
  size_t n = b.size / 4;
  double *time = bytes_numbers(&b, n, 1), *flux = bytes_numbers(&b, n, 0);
  eas_dst_job job = { .n = n,
                      .n_period = 3,
                      .time = time,
                      .flux = flux,
                      .sigma = 1e-3,
                      .flux_zero = 1,
                      .interval = 0.02,
                      .period = period,
                      .set = set,
                      .out = out };
  check(&job);
  free(time);
  free(flux);
  return 0;
}
