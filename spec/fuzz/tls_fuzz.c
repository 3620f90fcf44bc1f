/* tls_fuzz.c: the transit search on light curves made of any bytes: sizes, times, fluxes, weights, settings.
 *
 * Holds: no access outside of what was asked for (the sanitizers), refusals instead of nonsense, and chi2 of the
 * fast paths as of the definition. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tls.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { N_MOST = 300, PERIODS = 3, TRANSITS = 8 };

typedef struct {
  const unsigned char *at;
  size_t left;
} bytes;

static unsigned take(bytes *b)
{
  if (b->left == 0) return 0;
  b->left--;
  return *b->at++;
}

static double take_double(bytes *b)
{
  unsigned char raw[8];
  double x;
  for (int i = 0; i < 8; i++) raw[i] = (unsigned char)take(b);
  memcpy(&x, raw, sizeof x);
  return x;
}

/* Mostly what a light curve holds, sometimes any number. */
static double take_flux(bytes *b)
{
  unsigned c = take(b);
  return c == 255 ? take_double(b) : 1 + ((double)c - 127) * (c > 250 ? 1e-2 : 1e-5);
}

static double take_step(bytes *b, unsigned kind)
{
  unsigned c = take(b);
  if (c == 255) return take_double(b);
  return kind % 2 == 0 ? (c > 250 ? 0.02 * (c - 248) : 0.02) : 1e-4 + 1e-3 * c;
}

static void *room(size_t size)
{
  void *p = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
  if (p == NULL) abort();
  memset(p, 0xA5, size);
  return p;
}

static void finish(const eas_tls_job *job, void *work)
{
  eas_tls_spectrum s;
  double sr[PERIODS], raw[PERIODS], power[PERIODS], scratch[PERIODS + 91], t0;
  eas_tls_transit list[TRANSITS];
  eas_tls_stats stats;
  eas_tls_spectrum_of(job->out, job->period, job->n_period, 91, sr, raw, power, scratch, &s);
  const eas_tls_trial *best = &job->out[0];
  if (best->start < 0) return;
  for (int weights = 0; weights < 3; weights++)
    if (eas_tls_epoch_of(job, job->period[0], (size_t)best->row, best->depth, weights, work, &t0) != EAS_OK) abort();
  if (!(t0 >= job->time[0]) || !(t0 <= job->time[0] + job->period[0])) abort();
  if (eas_tls_stats_of(job, job->period[0], t0, (size_t)best->row, 0, work, list, TRANSITS, &stats) != EAS_OK) abort();
}

static void search(eas_tls_job *job)
{
  eas_tls_trial slow[PERIODS];
  for (int path = EAS_TLS_PATH_REFERENCE; path <= EAS_TLS_PATH_UNIFORM; path++) {
    job->set.path = path;
    void *plan = room(eas_tls_plan_size(job));
    job->plan = plan;
    if (eas_tls_prepare(job) != EAS_OK) abort();
    void *work = room(eas_tls_work_size(job));
    if (eas_tls_run(job, 0, job->n_period, work) != EAS_OK) abort();
    for (size_t i = 0; i < job->n_period; i++) {
      double scale = fabs(eas_tls_flat(job)), miss = fabs(job->out[i].chi2 - slow[i].chi2);
      if (path == EAS_TLS_PATH_REFERENCE)
        slow[i] = job->out[i];
      else if (isfinite(scale) && isfinite(slow[i].chi2) && !(miss <= 1e-7 * scale))
        abort();
    }
    finish(job, work);
    free(work);
    free(plan);
  }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  static double model[EAS_TLS_MODEL_SAMPLES];
  double time[N_MOST], flux[N_MOST], ivar[N_MOST], period[PERIODS], duration[] = { 0.02, 0.05, 0.09, 0.12 };
  eas_tls_trial out[PERIODS];
  bytes b = { data, size };
  if (model[EAS_TLS_MODEL_SAMPLES / 2] == 0) eas_tls_peer_model(12.9, 0.03, 23.1, 89.21, 0.48, 0.19, model);
  unsigned kind = take(&b), n = take(&b) + take(&b) % 40;
  double t = take(&b) % 4 == 0 ? take_double(&b) : 0.02;
  for (int i = 0; i < PERIODS; i++) period[i] = take(&b) % 8 == 0 ? take_double(&b) : 0.3 + 0.013 * take(&b);
  for (unsigned i = 0; i < n; i++) {
    time[i] = t;
    flux[i] = take_flux(&b);
    ivar[i] = 1e6 * (1 + (double)take(&b) / 64);
    t += take_step(&b, kind);
  }
  eas_tls_job job = { .n = n,
                      .n_period = PERIODS,
                      .n_duration = 4,
                      .time = time,
                      .flux = flux,
                      .period = period,
                      .duration = duration,
                      .model = model,
                      .out = out };
  job.set.star = (eas_tls_star){ 1, 1, 0.13, 0.1, 3.5, 1 };
  job.set.margin = kind & 8 ? 0 : 0.01;
  job.set.depth_min = kind & 16 ? 0 : 1e-5;
  job.set.peer = (kind & 4) != 0;
  if (kind & 2) job.ivar = ivar;
  if (eas_tls_check(&job) == EAS_OK) search(&job);
  return 0;
}
