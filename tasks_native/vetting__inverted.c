/* vetting__inverted.c: the same search on the light curve upside down, around the candidate's period.
 *
 * A planet dims and never brightens; red noise does both alike. Samples are gathered in parts of a fifth of the
 * duration, folded at trial frequencies, and the strongest box of each sign is kept: one pass gives both. */
#include "vetting_parts.h"

enum { PARTS = 5 }; /* per duration; boxes that lie between them lose a tenth at most */

static const double steps_most = 2e6; /* parts and bins times trials, some milliseconds */
static const double trials_least = 8;
static const double drift = 0.25; /* of the duration over the light curve, from one trial to the next */

/* Gathers samples into parts; returns how many are not empty. A part's time is in durations from the first sample. */
static size_t gather(vet_fold *f)
{
  const eas_vetting_job *job = f->job;
  size_t m = 0;
  double at = -1;
  for (size_t i = 0; i < job->n; i++) {
    double k = floor((job->time[i] - job->time[0]) / f->duration * PARTS);
    if (k != at) {
      at = k;
      f->part[m++] = (vet_part){ (k + 0.5) / PARTS, { 0, 0 } };
    }
    f->part[m - 1].sum.n += 1;
    f->part[m - 1].sum.sum += f->level - job->flux[i];
  }
  return m;
}

/* Strongest box of each sign at one frequency (per duration), kept where stronger than before. */
static void fold_at(vet_fold *f, size_t parts, double frequency, double *dip, double *rise)
{
  size_t bins = (size_t)fmin(fmax(PARTS / frequency, 2 * PARTS), VET_BINS_MAX);
  vet_sum *cell = f->cell;
  for (size_t k = 0; k < bins + PARTS; k++) cell[k] = (vet_sum){ 0, 0 };
  for (size_t i = 0; i < parts; i++) {
    double phase = f->part[i].time * frequency;
    size_t k = (size_t)((phase - floor(phase)) * (double)bins);
    k = k < bins ? k : bins - 1;
    cell[k].n += f->part[i].sum.n;
    cell[k].sum += f->part[i].sum.sum;
  }
  for (size_t k = 0; k < PARTS; k++) cell[bins + k] = cell[k];

  double least = fmax(3, 0.25 * (double)f->job->n * PARTS / (double)bins);
  double n = 0, sum = 0; /* of the box that begins at k */
  for (size_t k = 0; k < PARTS; k++) {
    n += cell[k].n;
    sum += cell[k].sum;
  }
  for (size_t k = 0; k < bins; n += cell[k + PARTS].n - cell[k].n, sum += cell[k + PARTS].sum - cell[k].sum, k++) {
    if (n < least) continue;
    double strength = sum / sqrt(n);
    *dip = fmax(*dip, strength);
    *rise = fmax(*rise, -strength);
  }
}

static const double ratio_most = 1000;

double vet_inverted(vet_fold *f)
{
  const eas_vetting_job *job = f->job;
  size_t parts = gather(f);
  double span = (job->time[job->n - 1] - job->time[0]) / f->duration; /* durations, as all here */
  double own = f->duration / f->period, step = drift / span * own;
  double low = fmax(own / 3, fmin(own, 1 / span)), high = fmax(own, fmin(3 * own, 0.25));
  double width = (double)parts + fmin(PARTS / low, VET_BINS_MAX);
  double most = fmax(trials_least, floor(steps_most / width)) / 2;
  double below = fmin(floor((own - low) / step), most), above = fmin(floor((high - own) / step), most);

  double dip = f->in.sum / sqrt(f->in.n), rise = 0;
  for (double k = -below; k <= above; k++) fold_at(f, parts, own + k * step, &dip, &rise);
  return rise < ratio_most * dip ? rise / dip : ratio_most; /* also when there is no dip at all */
}
