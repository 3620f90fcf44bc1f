/* transit_model_fuzz.c: any settings and times, as they come and tamed.
 *
 * Holds: what is refused is refused by check; what is not ends, gives finite numbers, the same bits however it is cut,
 * and with tables the same as without to 1e-9 of the star's flux. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transit_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 300, HEAD = 10 };

static void must(int ok)
{
  if (!ok) abort();
}

static void *memory(size_t size)
{
  void *p = aligned_alloc(64, (size + 63) / 64 * 64);
  must(p != NULL);
  memset(p, 0xa5, size);
  return p;
}

static void run(eas_transit_model_job *job, double *deficit, size_t cut)
{
  void *work = memory(eas_transit_model_work_size(job));
  job->deficit = deficit;
  must(eas_transit_model_run(job, cut, job->n, work) == EAS_OK);
  must(eas_transit_model_run(job, 0, cut, work) == EAS_OK);
  free(work);
}

/* Settings that mean something, by the same numbers. */
static void tame(double *head, double *time, size_t n)
{
  for (int k = 0; k < HEAD; k++)
    if (!isfinite(head[k])) head[k] = 0.5;
  head[1] = 0.1 + fmod(fabs(head[1]), 30);
  head[2] = fmod(head[2], 1.5);
  head[3] = 1.01 + fmod(fabs(head[3]), 40);
  head[4] = 90 + fmod(head[4], 5);
  head[5] = fmod(fabs(head[5]), 0.95);
  head[7] = fmod(head[7], 1);
  head[8] = fmod(head[8], 1);
  head[9] = 0.01 + fmod(fabs(head[9]), 0.05);
  for (size_t i = 0; i < n; i++)
    if (isfinite(time[i])) time[i] = head[0] + fmod(time[i], 2 * head[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  double head[HEAD], time[SAMPLES], exact[SAMPLES], fast[SAMPLES], again[SAMPLES];
  if (size < 4 + sizeof head) return 0;
  memcpy(head, data + 4, sizeof head);
  size_t n = (size - 4 - sizeof head) / 8;
  if (n > SAMPLES) n = SAMPLES;
  memcpy(time, data + 4 + sizeof head, 8 * n);
  if (data[0] & 1) tame(head, time, n);

  eas_transit_model_job job = {
    .n = n, .time = data[0] & 2 ? time : NULL, .start = time[0], .step = head[9], .deficit = exact
  };
  if (n == 0) job.start = 0;
  job.set = (eas_transit_model_settings){ head[0],     head[1],     head[2],          head[3],         head[4],
                                          head[5],     head[6],     head[7],          head[8],         head[9],
                                          data[1] % 4, data[2] % 8, data[0] >> 2 & 1, data[0] >> 3 & 1 };
  if (eas_transit_model_check(&job) != EAS_OK) return 0;
  run(&job, exact, n / 3);
  job.plan = memory(eas_transit_model_plan_size(&job));
  must(eas_transit_model_prepare(&job) == EAS_OK);
  run(&job, fast, 0);
  run(&job, again, n / 2);
  double scale = fabs(1 - job.set.u1 / 3 - job.set.u2 / 6);
  for (size_t i = 0; i < n; i++) {
    must(isfinite(exact[i]) && isfinite(fast[i]) && memcmp(&fast[i], &again[i], 8) == 0);
    if (data[0] & 1 && fabs(job.set.t0) < 1e3) must(fabs(exact[i] - fast[i]) <= 1e-9 / fmin(scale, 1));
  }
  free(job.plan);
  return 0;
}
