/* exotrans_fuzz.c: the wavelet filter and the jumps against any sequence, mask and pieces.
 *
 * Holds: no access outside (the sanitizers); a job that is accepted ends; trends stay between the extremes of the piece's
 * samples; jumps lie inside, rising. */
#include "bytes.h"
#include "exotrans.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_jumps(const eas_exotrans_job *job, size_t width)
{
  uint32_t at[8];
  double *scratch = malloc(2 * job->n * sizeof *scratch);
  must(scratch != NULL);
  size_t found = eas_exotrans_jumps(job->y, job->mask, job->n, width, 0.01, at, 8, scratch);
  must(found <= 8);
  for (size_t k = 0; k < found; k++) must(at[k] < job->n && (k == 0 || at[k] > at[k - 1]));
  free(scratch);
}

static void check(const eas_exotrans_job *job)
{
  if (eas_exotrans_check(job) != EAS_OK) return;
  void *work = bytes_scratch(eas_exotrans_work_size(job));
  must(eas_exotrans_run(job, 0, job->n_piece, work) == EAS_OK);
  free(work);
  for (size_t p = 0; p < job->n_piece; p++) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = job->piece[p]; i < job->piece[p + 1]; i++) {
      if (job->mask[i]) continue;
      low = fmin(low, job->y[i]);
      high = fmax(high, job->y[i]);
    }
    double slack = 1e-9 * (fabs(low) + fabs(high));
    for (size_t i = job->piece[p]; i < job->piece[p + 1]; i++)
      must(isnan(job->trend[i]) ? low > high : job->trend[i] >= low - slack && job->trend[i] <= high + slack);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bytes b = { data, size };
  int levels = (int)(bytes_one(&b) % 34) - 1;
  size_t width = bytes_one(&b), cut = bytes_one(&b), n = b.size / 3;
  uint32_t piece[3] = { 0, (uint32_t)cut, (uint32_t)n };
  if (cut == 0) piece[1] = (uint32_t)n;
  double *y = bytes_numbers(&b, n, 0), *trend = malloc(n ? n * sizeof *trend : 1);
  uint8_t *mask = malloc(n ? n : 1);
  must(trend != NULL && mask != NULL);
  for (size_t i = 0; i < n; i++) mask[i] = bytes_one(&b) % 4 == 0;
  eas_exotrans_job job = {
    .n = n, .n_piece = cut == 0 ? 1 : 2, .y = y, .mask = mask, .piece = piece, .levels = levels, .trend = trend
  };
  check(&job);
  if (eas_exotrans_check(&job) == EAS_OK) check_jumps(&job, width);
  free(y);
  free(trend);
  free(mask);
  return 0;
}
