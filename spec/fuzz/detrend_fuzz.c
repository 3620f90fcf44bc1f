/* detrend_fuzz.c: every trend against any light curve, mask and window.
 *
 * Holds: no access outside (the sanitizers); a job that is accepted ends, whole and cut in two the same bit for bit; a
 * median lies between the extremes of the flux. */
#include "bytes.h"
#include "detrend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const eas_detrend_job *job, size_t i0, size_t i1)
{
  void *work = bytes_scratch(eas_detrend_work_size(job));
  must(eas_detrend_run(job, i0, i1, work) == EAS_OK);
  free(work);
}

static void check(eas_detrend_job *job)
{
  if (eas_detrend_check(job) != EAS_OK) return;
  size_t trials = eas_detrend_trials(job);
  must(trials >= 1 && trials <= job->n);
  double *whole = job->trend, *cut = malloc(job->n * sizeof *cut), low = INFINITY, high = -INFINITY;
  must(cut != NULL);
  run(job, 0, trials);
  job->trend = cut;
  run(job, trials / 2, trials);
  run(job, 0, trials / 2);
  for (size_t i = 0; i < job->n; i++) {
    must(memcmp(&whole[i], &cut[i], sizeof cut[i]) == 0 || (isnan(whole[i]) && isnan(cut[i])));
    if (job->mask[i] == 0) {
      low = fmin(low, job->flux[i]);
      high = fmax(high, job->flux[i]);
    }
  }
  for (size_t i = 0; i < job->n && job->set.method == EAS_DETREND_MEDIAN; i++)
    must(isnan(whole[i]) || (whole[i] >= low && whole[i] <= high));
  job->trend = whole;
  free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bytes b = { data, size };
  eas_detrend_settings set = { .method = (int)(bytes_one(&b) % 6), .compat = (int)(bytes_one(&b) % 2) };
  set.window = bytes_number(&b);
  set.break_tolerance = fabs(bytes_number(&b));
  set.edge_cutoff = bytes_one(&b) % 4 == 0 ? set.window / 4 : 0;
  set.cval = 5;
  size_t n = b.size / 5;
  double *time = bytes_numbers(&b, n, 1), *flux = bytes_numbers(&b, n, 0), *trend = malloc(n ? n * sizeof *trend : 1);
  uint8_t *mask = malloc(n ? n : 1);
  must(trend != NULL && mask != NULL);
  for (size_t i = 0; i < n; i++) mask[i] = bytes_one(&b) % 4 == 0;
  eas_detrend_job job = { .n = n, .time = time, .flux = flux, .mask = mask, .set = set, .trend = trend };
  check(&job);
  free(time);
  free(flux);
  free(trend);
  free(mask);
  return 0;
}
