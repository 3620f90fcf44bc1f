/* psls_fuzz.c: any star, modes, cameras and cadence.
 *
 * Holds: what is refused is refused by check or the description; what is not ends with finite numbers. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "psls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 20, SAMPLES = 200 };

static eas_psls_mode modes[EAS_PSLS_MODES_MAX];

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

static void run(eas_psls_job *job)
{
  job->spectrum = memory((job->length + 2) * sizeof(double));
  job->buffer = memory(job->length * sizeof(double));
  job->series = memory(job->length * sizeof(double));
  job->flux = memory(job->n * sizeof(double));
  job->flag = memory(job->n * sizeof(uint32_t));
  void *work = memory(eas_psls_work_size(job));
  if (eas_psls_check(job) == EAS_OK) {
    must(eas_psls_run(job, 0, job->length / 2 + 1, work) == EAS_OK);
    must(eas_psls_transform(job, 0, 1, work) == EAS_OK);
    must(eas_psls_sample(job, 0, job->n, work) == EAS_OK);
    for (size_t i = 0; i < job->n; i++) must(isfinite(job->flux[i]));
    eas_psls_normalise(job->flux, job->n);
  }
  void *const made[] = { job->spectrum, job->buffer, job->series, job->flux, job->flag, work };
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) free(made[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  double h[HEAD];
  if (size < 4 + sizeof h) return 0;
  memcpy(h, data + 4, sizeof h);
  eas_psls_star star;
  must(eas_psls_template(data[0] & 1, &star) == EAS_OK);
  double *const field[] = { &star.magnitude, &star.teff,           &star.logg,        &star.mass,
                            &star.radius,    &star.numax,          &star.delta_nu,    &star.dpi,
                            &star.coupling,  &star.activity_sigma, &star.activity_tau };
  for (size_t i = 0; i < sizeof field / sizeof *field; i++)
    if (data[1] >> (i % 8) & 1) *field[i] = h[i];
  star.parts = data[2];

  eas_psls_job job = { .n = data[3] % SAMPLES, .cadence = h[11], .groups = data[2] % 6, .cameras = data[3] % 8 };
  job.group_shift = h[12];
  job.noise = h[13];
  job.drift = h[14];
  job.mask_updates = h[15];
  job.drift_step = h[16];
  job.seed = data[0];
  job.star = star;
  job.length = eas_psls_length(job.n);
  int n = eas_psls_modes(&star, h[17], modes);
  must(n <= EAS_PSLS_MODES_MAX);
  job.mode = modes;
  job.n_mode = n > 0 ? (size_t)n : 0;
  if (data[0] & 2 && n > 0) modes[0] = (eas_psls_mode){ h[17], h[18], h[19], 0, 0 };
  if (job.length > 0) run(&job);
  return 0;
}
