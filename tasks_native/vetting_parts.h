/* vetting_parts.h: what the parts of the vetting kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_VETTING_PARTS_H
#define EAS_NATIVE_VETTING_PARTS_H
#include <math.h>
#include "vetting.h"

typedef struct {
  double n, sum;
} vet_sum; /* of samples, and of level - flux */

typedef struct {
  vet_sum in;
  double square;        /* sum of (level - flux)^2 in transit */
  double before, after; /* samples within one duration outside */
} vet_event;

typedef struct {
  double time;
  vet_sum sum;
} vet_part;

enum { VET_BINS_MAX = 20000, VET_BINS_PER_DURATION = 20 };

typedef struct {
  const eas_vetting_job *job;
  double period, t0, duration;
  double interval;     /* day, median spacing */
  double level, sigma; /* median and robust scatter outside of transit */
  double sigma_red;    /* of means over a duration, white noise taken off */
  double sigma_in;     /* of samples around the mean of their transit: noise, and the transit's shape */
  int64_t first;       /* number of the first event, at t0 + first period */
  size_t n_event;      /* events between the first and the last sample */
  vet_event *event;
  vet_sum in, odd, even;
  vet_sum middle, outer;           /* thirds of the transit */
  vet_sum third, half, two_thirds; /* boxes at these phases */
  double near_edge;                /* samples in transit near a gap, an end or a mask update */
  size_t bins;                     /* of the folded light curve, primary left out */
  double *bin_n, *bin_sum;         /* [bins + VET_BINS_PER_DURATION + 1], prefix sums in the end */
  double sine_gain;                /* log-likelihood of the best sine over the box; NaN: singular */
  double *scratch;                 /* [n] */
  vet_part *part;                  /* [n] of vet_inverted */
  vet_sum *cell;                   /* [VET_BINS_MAX + VET_BINS_PER_DURATION] of vet_inverted */
} vet_fold;

static inline double vet_mean(vet_sum s)
{
  return s.n > 0 ? s.sum / s.n : NAN;
}

/* Days from the nearest event, and its number. */
static inline double vet_offset(const vet_fold *f, double t, double *number)
{
  double x = (t - f->t0) / f->period;
  *number = nearbyint(x);
  return (x - *number) * f->period;
}

/* Everything of vet_fold that a pass over the samples finds. f has job, period, t0, duration and memory. */
void vet_measure(vet_fold *f);

/* Strongest brightening over strongest dimming, both boxes of the duration, at trial periods around the
 * candidate's. Infinite if nothing dims. After vet_measure. */
double vet_inverted(vet_fold *f);

/* Error with which depths of single transits compare: which part of their shape was sampled adds to the noise. */
static inline double vet_error_between(const vet_fold *f, double n, double m)
{
  return sqrt(f->sigma_in * f->sigma_in / n + (m > 0 ? f->sigma_red * f->sigma_red / m : 0));
}

/* Error of a mean depth over n samples of m transits. */
static inline double vet_error(const vet_fold *f, double n, double m)
{
  return sqrt(f->sigma * f->sigma / n + (m > 0 ? f->sigma_red * f->sigma_red / m : 0));
}

#endif
