/* vetting_fuzz.c: any light curve and candidate: doubles as they come, so that most jobs are refused, and tame ones.
 *
 * Holds: what is refused is refused by check; what is not ends, stays inside of its scratch and says the same twice. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vetting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 512 };

static void must(int ok)
{
  if (!ok) abort();
}

/* Times that grow and fluxes around 1, by the bits of what is there. */
static void tame(double *time, double *flux, size_t n)
{
  double t = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, &time[i], sizeof bits);
    t += bits % 64 == 0 ? (double)(bits >> 8 & 0xffff) : 0.001 + (double)(bits & 0xff) * 1e-4;
    time[i] = t;
    memcpy(&bits, &flux[i], sizeof bits);
    flux[i] = 1 + (double)(int8_t)bits * 1e-4 * (bits & 0x100 ? 1000 : 1);
  }
}

static void run(eas_vetting_job *job, eas_vetting_check_result *out, eas_vetting_numbers *numbers)
{
  size_t bytes = (eas_vetting_work_size(job) + 63) / 64 * 64;
  void *work = aligned_alloc(64, bytes);
  must(work != NULL);
  memset(work, 0xa5, bytes);
  job->out = out;
  job->numbers = numbers;
  must(eas_vetting_run(job, 0, 1, work) == EAS_OK);
  free(work);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  double head[8], time[SAMPLES], flux[SAMPLES];
  uint32_t flag[SAMPLES];
  if (size < 1 + sizeof head) return 0;
  uint8_t kind = data[0];
  memcpy(head, data + 1, sizeof head);
  size_t n = (size - 1 - sizeof head) / 16;
  if (n > SAMPLES) n = SAMPLES;
  memcpy(time, data + 1 + sizeof head, 8 * n);
  memcpy(flux, data + 1 + sizeof head + 8 * n, 8 * n);
  for (size_t i = 0; i < n; i++) flag[i] = data[1 + i % 8];
  if (kind & 1) tame(time, flux, n);
  if (kind & 2)
    for (int k = 0; k < 3; k++) head[k] = fmod(fabs(head[k]), 40);

  eas_vetting_check_result out[EAS_VETTING_CHECKS], again[EAS_VETTING_CHECKS];
  eas_vetting_numbers numbers, more;
  eas_vetting_job job = {
    .n = n, .time = time, .flux = flux, .flag = kind & 4 ? flag : NULL, .out = out, .numbers = &numbers
  };
  job.set = (eas_vetting_settings){ head[0], head[1], head[2], head[3], 9, 7, head[4] };
  if (eas_vetting_check(&job) != EAS_OK || eas_vetting_work_size(&job) > 4u << 20) return 0;
  run(&job, out, &numbers);
  run(&job, again, &more);
  for (int c = 0; c < EAS_VETTING_CHECKS; c++) {
    must(out[c].verdict >= EAS_VETTING_PASS && out[c].verdict <= EAS_VETTING_NOTE);
    must(out[c].verdict != EAS_VETTING_PASS || !isnan(out[c].value));
    must(memcmp(&out[c].value, &again[c].value, 8) == 0 && out[c].verdict == again[c].verdict);
  }
  return 0;
}
