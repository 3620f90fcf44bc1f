/* box_search_fuzz.c: any light curve and settings through bls, bls_kovacs and fbls: doubles as they come, so that most jobs
 * are refused, and tame ones.
 *
 * Holds: what is refused is refused by check; what is not ends, stays inside of plan and scratch, and the fast path finds
 * what the definition finds. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "bls_kovacs.h"
#include "fbls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 256, TRIALS = 6 };
static const size_t memory_most = 64u << 20;

typedef struct {
  size_t n;
  double head[TRIALS + 6];
  double time[SAMPLES], flux[SAMPLES], ivar[SAMPLES];
  const double *weight;
  uint8_t kind;
} input;

static void must(int ok)
{
  if (!ok) abort();
}

static void *rubbish(size_t bytes)
{
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
  must(memory != NULL);
  memset(memory, 0xa5, bytes);
  return memory;
}

static uint64_t bits_of(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* Times that grow, uniform or not, fluxes around 1, weights, trial periods and settings that are often good. */
static void tame(input *in)
{
  double t = 0;
  for (size_t i = 0; i < in->n; i++) {
    uint64_t bits = bits_of(in->time[i]);
    double jitter = in->kind & 2 ? (double)(bits & 0xff) * 1e-4 : 0;
    t += bits % 64 == 0 ? (double)(bits >> 8 & 0xff) : bits % 8 == 0 ? 0.04 : 0.02;
    in->time[i] = t + jitter * 0.5;
    bits = bits_of(in->flux[i]);
    in->flux[i] = 1 + (double)(int8_t)bits * 1e-4 * (bits & 0x100 ? 1000 : 1);
    in->ivar[i] = 1 + (double)(bits >> 16 & 0xff);
  }
  for (int k = 0; k < TRIALS + 6; k++) in->head[k] = 0.01 + fmod(fabs(in->head[k]), k < TRIALS ? 20 : 0.5);
}

static int near(double a, double b, double relative)
{
  return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= relative * fmax(fabs(a), fabs(b));
}

static void run_bls(const input *in)
{
  eas_bls_peak fast[TRIALS], slow[TRIALS];
  eas_bls_job job = { .n = in->n,
                      .time = in->time,
                      .flux = in->flux,
                      .ivar = in->weight,
                      .n_period = TRIALS,
                      .period = in->head,
                      .out = slow };
  const double *more = in->head + TRIALS;
  job.set = (eas_bls_settings){ more,
                                1 + in->kind % 4,
                                1 + in->kind % 16,
                                in->kind >> 4 & 1,
                                in->kind >> 5 & 1,
                                in->kind & 64 ? EAS_BLS_PATH_EDGES : EAS_BLS_PATH_FAST };
  if (eas_bls_check(&job) != EAS_OK || eas_bls_work_size(&job) + eas_bls_plan_size(&job) > memory_most) return;
  void *work = rubbish(eas_bls_work_size(&job));
  must(eas_bls_run(&job, 0, TRIALS, work) == EAS_OK);
  free(work);
  job.plan = rubbish(eas_bls_plan_size(&job));
  must(eas_bls_prepare(&job) == EAS_OK && eas_bls_work_size(&job) <= 2 * memory_most);
  work = rubbish(eas_bls_work_size(&job));
  job.out = fast;
  must(eas_bls_run(&job, 0, 2, work) == EAS_OK && eas_bls_run(&job, 2, TRIALS, work) == EAS_OK);
  if (in->kind & 1) /* sums of what is not tame round too differently */
    for (int k = 0; k < TRIALS; k++) must(near(fast[k].power, slow[k].power, 1e-6));
  free(work);
  free(job.plan);
}

static void run_kovacs(const input *in)
{
  eas_bls_kovacs_peak fast[TRIALS], slow[TRIALS];
  double frequency[TRIALS];
  int even = in->kind >> 6 & 1;
  for (int k = 0; k < TRIALS; k++) frequency[k] = even ? 1 / in->head[0] + k * 1e-4 * in->head[1] : 1 / in->head[k];
  eas_bls_kovacs_job job = {
    .n = in->n, .time = in->time, .flux = in->flux, .n_frequency = TRIALS, .frequency = frequency, .out = slow
  };
  job.set = (eas_bls_kovacs_settings){ 2 + in->kind * 5, in->head[TRIALS], in->head[TRIALS] + in->head[TRIALS + 1],
                                       in->kind >> 4 & 1, 0 };
  if (eas_bls_kovacs_check(&job) != EAS_OK) return;
  void *work = rubbish(eas_bls_kovacs_work_size(&job));
  must(eas_bls_kovacs_run(&job, 0, TRIALS, work) == EAS_OK);
  free(work);
  job.set.path = even ? EAS_BLS_KOVACS_PATH_STEPS : EAS_BLS_KOVACS_PATH_FAST;
  job.plan = rubbish(eas_bls_kovacs_plan_size(&job));
  must(eas_bls_kovacs_prepare(&job) == EAS_OK);
  work = rubbish(eas_bls_kovacs_work_size(&job));
  job.out = fast;
  must(eas_bls_kovacs_run(&job, 0, 2, work) == EAS_OK && eas_bls_kovacs_run(&job, 2, TRIALS, work) == EAS_OK);
  if (in->kind & 1)
    for (int k = 0; k < TRIALS; k++) must(near(fast[k].power, slow[k].power, 1e-6) || slow[k].power < 1e-9);
  free(work);
  free(job.plan);
}

static void run_fbls(const input *in)
{
  const double *more = in->head + TRIALS;
  eas_fbls_job job = { .n = in->n, .time = in->time, .flux = in->flux, .ivar = in->weight };
  job.set = (eas_fbls_settings){ in->head[0],
                                 in->head[0] + in->head[1],
                                 more[4],
                                 1 + (in->kind & 8 ? more[5] : 0),
                                 3,
                                 more,
                                 1 + in->kind % 4,
                                 0.5,
                                 in->kind >> 4 & 1,
                                 in->kind >> 5 & 1,
                                 0,
                                 1 + in->kind % 3 };
  if (eas_fbls_check(&job) != EAS_OK) return;
  eas_fbls_count(&job);
  if (job.n_trial > 500 || eas_fbls_plan_size(&job) > memory_most) return;
  eas_fbls_peak *fast = rubbish(job.n_trial * sizeof *fast), *slow = rubbish(job.n_trial * sizeof *slow);
  job.plan = rubbish(eas_fbls_plan_size(&job));
  must(eas_fbls_prepare(&job) == EAS_OK && eas_fbls_work_size(&job) <= memory_most);
  void *work = rubbish(eas_fbls_work_size(&job));
  job.out = fast;
  must(eas_fbls_run(&job, 0, job.n_block, work) == EAS_OK);
  job.set.path = EAS_FBLS_PATH_REFERENCE;
  job.out = slow;
  must(eas_fbls_run(&job, 0, job.n_block, work) == EAS_OK);
  for (size_t k = 0; k < job.n_trial; k++) must(fast[k].period == slow[k].period);
  free(work);
  free(job.plan);
  free(slow);
  free(fast);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  input in = { .n = 0 };
  if (size < 1 + sizeof in.head) return 0;
  in.kind = data[0];
  memcpy(in.head, data + 1, sizeof in.head);
  in.n = (size - 1 - sizeof in.head) / 16;
  if (in.n > SAMPLES) in.n = SAMPLES;
  memcpy(in.time, data + 1 + sizeof in.head, 8 * in.n);
  memcpy(in.flux, data + 1 + sizeof in.head + 8 * in.n, 8 * in.n);
  memcpy(in.ivar, in.time, sizeof in.ivar);
  if (in.kind & 1) tame(&in);
  in.weight = in.kind & 4 ? in.ivar : NULL;
  run_bls(&in);
  run_kovacs(&in);
  run_fbls(&in);
  return 0;
}
