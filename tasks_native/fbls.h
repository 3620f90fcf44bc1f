/* fbls.h: box search by fast folding: all trial periods of a range share their partial sums.
 *
 * Staelin 1969 (Proc. IEEE 57, 724), Morello et al. 2020 (MNRAS 497, 4654), Shahaf et al. 2022 (MNRAS 513, 2732). The light
 * curve is summed into bins of tau days. A base period of p bins cuts it into m rows; folding them at once gives m sums
 * whose periods tau p^2 / (p - s / (m - 1)) lie between p and p + 1 bins: over the light curve a trial drifts by one bin
 * against the next. A row's shift is rounded at each level of the folding, so a trial's sums are blurred by about half a
 * bin; a box should be 5 bins wide or more. With growth above 1 bins widen as period^(1 / growth_power).
 * The unit of work is a block, the trials of one base period: [i0, i1) may be cut over threads and calls
 * (progress, cancelling) and the result is the same bit for bit.
 * No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_FBLS_H
#define EAS_NATIVE_FBLS_H
#include "eas_native.h"

enum {
  EAS_FBLS_DELTA_CHI2 = 0, /* power: improvement over a constant */
  EAS_FBLS_LIKELIHOOD = 1  /* power: as bls.h has it, half of depth^2 times the weight in transit */
};
enum { EAS_FBLS_DIPS = 0, EAS_FBLS_BOTH = 1 /* brightenings too */ };
enum { EAS_FBLS_PATH_FAST = 0, EAS_FBLS_PATH_REFERENCE = 1 /* the definition, slow and obvious */ };

typedef struct {
  double period_min, period_max; /* day; 4 tau <= period_min <= period_max <= 10 spans */
  double tau;                    /* day, first bin width */
  double growth, growth_power; /* >= 1: factor from one bin width to the next, used for growth^growth_power in period */
  const double *duration;      /* [n_duration] day, > 0; rounded to whole bins, at least one */
  size_t n_duration;           /* 1 .. 64 */
  double fraction_max;         /* of the period in a box, > 0, <= 0.5; longer boxes are left out */
  int objective, sign, path;   /* EAS_FBLS_* */
  int stride;                  /* 1 .. 16: of the trials every so many are looked at */
} eas_fbls_settings;

typedef struct {   /* power 0 and the rest but period NaN where no box fits */
  double period;   /* day */
  double power;    /* the objective, in units of flux^2 times weight */
  double depth;    /* unit of flux, > 0 for a dip */
  double duration; /* day, whole bins */
  double t0;       /* day, mid-transit in [time[0] - tau / 2, .. + period) */
  double step;     /* day to the next trial: a drift of stride bins over the light curve */
} eas_fbls_peak;

typedef struct {      /* all borrowed; no array may overlap another */
  size_t n;           /* >= 3 */
  const double *time; /* [n] day, finite, strictly increasing */
  const double *flux; /* [n] any unit, finite */
  const double *ivar; /* [n] > 0 (1/sigma^2); NULL: 1 */
  eas_fbls_settings set;
  size_t n_trial, n_block; /* filled by eas_fbls_count */
  void *plan;              /* eas_fbls_plan_size bytes, aligned to 64, filled by eas_fbls_prepare */
  eas_fbls_peak *out;      /* [n_trial] */
} eas_fbls_job;

/* Checks a job once, but for plan and out: EAS_OK, EAS_EFEW (n < 3), EAS_EARG (settings; span over tau gives more bins
 * than 8 n + 100 000), EAS_EGRID (no trial), EAS_EDATA (not finite, time not increasing, ivar <= 0). */
EAS_EXPORT int eas_fbls_check(const eas_fbls_job *job);

/* Counts the trials and blocks of a job that eas_fbls_check let through. */
EAS_EXPORT void eas_fbls_count(eas_fbls_job *job);

/* Bytes of the plan that threads share; of a counted job. */
EAS_EXPORT size_t eas_fbls_plan_size(const eas_fbls_job *job);

/* Fills job->plan of a counted job; once, before any run. */
EAS_EXPORT int eas_fbls_prepare(const eas_fbls_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_fbls_run needs; of a prepared job. */
EAS_EXPORT size_t eas_fbls_work_size(const eas_fbls_job *job);

/* The trials of blocks i0 <= i < i1 of a prepared job, into job->out, in order of period within a bin width.
 *   work [eas_fbls_work_size] scratch, one per thread. Returns EAS_OK. */
EAS_EXPORT int eas_fbls_run(const void *job, size_t i0, size_t i1, void *work);

/* The strongest of n trials, and the mean, population standard deviation and (maximum - mean) / std of their power.
 * EAS_NONE if all power is 0. */
typedef struct {
  size_t index;
  double mean, std, sde;
} eas_fbls_spectrum;
EAS_EXPORT int eas_fbls_spectrum_of(const eas_fbls_peak *peak, size_t n, eas_fbls_spectrum *out);

/* The folding alone: rows[m][p] into out[m][p], row s shifted as the trial s is; tmp[m * p]. All three with room
 * for 32 more. For tests. */
EAS_EXPORT void eas_fbls_fold(const float *rows, size_t m, size_t p, float *out, float *tmp);

#endif
