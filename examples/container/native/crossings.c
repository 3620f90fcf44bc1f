#include "crossings.h"

int eas_crossings_check(const eas_crossings_job *job)
{
  if (job->n < 2 || job->n_level < 1) return EAS_EARG;
  for (size_t k = 0; k < job->n; k++)
    if (!(job->flux[k] - job->flux[k] == 0)) return EAS_EDATA;
  return EAS_OK;
}

size_t eas_crossings_work_size(const eas_crossings_job *job)
{
  (void)job;
  return 0;
}

int eas_crossings_run(const void *arg, size_t i0, size_t i1, void *work)
{
  const eas_crossings_job *job = arg;
  (void)work;
  for (size_t i = i0; i < i1; i++) {
    size_t count = 0;
    for (size_t k = 0; k + 1 < job->n; k++) count += job->flux[k] >= job->level[i] && job->flux[k + 1] < job->level[i];
    job->out[i] = (double)count;
  }
  return EAS_OK;
}
