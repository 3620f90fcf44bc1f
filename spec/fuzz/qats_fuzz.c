/* qats_fuzz.c: the train search against any sequence, widths and steps.
 *
 * Holds: no access outside (the sanitizers); a job that is accepted ends, its fast path agrees with the exact one, its train
 * keeps the steps and adds up to the score. */
#include "bytes.h"
#include "qats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_train(const eas_qats_job *job, size_t trial, double score)
{
  const eas_qats_trial *t = &job->trial[trial];
  uint32_t *start = malloc(job->n * sizeof *start), q = job->width[t->width];
  eas_qats_peak peak;
  void *work = bytes_scratch(eas_qats_train_work_size(job, trial));
  must(start != NULL);
  int rc = eas_qats_train(job, trial, &peak, start, job->n, work);
  must(rc == (peak.transits > 0 ? EAS_OK : EAS_NONE) && peak.s == score);
  double sum = 0;
  for (size_t m = 0; m < peak.transits; m++) {
    must(start[m] + q <= job->n);
    must(m == 0 || (start[m] - start[m - 1] >= t->step_min && start[m] - start[m - 1] <= t->step_max));
    for (uint32_t j = 0; j < q; j++) sum -= job->y[start[m] + j];
  }
  if (peak.transits > 0) must(fabs(sum / sqrt((double)peak.transits * q) - score) <= 1e-6 * fabs(score) + 1e-3);
  free(work);
  free(start);
}

static void check(eas_qats_job *job)
{
  eas_qats_peak exact[4];
  job->path = EAS_QATS_PATH_EXACT;
  if (eas_qats_check(job) != EAS_OK) return;
  job->plan = bytes_scratch(eas_qats_plan_size(job));
  must(eas_qats_prepare(job) == EAS_OK);
  for (int path = EAS_QATS_PATH_FAST; path <= EAS_QATS_PATH_REFERENCE; path++) {
    job->path = path;
    void *work = bytes_scratch(eas_qats_work_size(job));
    must(eas_qats_run(job, 0, job->n_trial, work) == EAS_OK);
    free(work);
    if (path == EAS_QATS_PATH_EXACT) memcpy(exact, job->out, job->n_trial * sizeof *exact);
    for (size_t i = 0; i < job->n_trial; i++) {
      must(job->out[i].s >= 0 && (job->out[i].s > 0) == (job->out[i].transits > 0));
      if (path == EAS_QATS_PATH_REFERENCE) must(job->out[i].s == exact[i].s);
    }
  }
  for (size_t i = 0; i < job->n_trial; i++) check_train(job, i, exact[i].s);
  free(job->plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bytes b = { data, size };
  eas_qats_trial trial[4];
  eas_qats_peak out[4];
  uint32_t width[2] = { bytes_one(&b) % 16, bytes_one(&b) % 16 };
  for (int k = 0; k < 4; k++) {
    trial[k].width = bytes_one(&b) % 3;
    trial[k].step_min = bytes_one(&b);
    trial[k].step_max = trial[k].step_min + bytes_one(&b) % 40 - 1;
  }
  size_t n = b.size / 2;
  eas_qats_job job = { .n = n, .n_width = 2, .n_trial = 4, .width = width, .trial = trial, .out = out };
  double *y = bytes_numbers(&b, n, 0);
  job.y = y;
  check(&job);
  free(y);
  return 0;
}
