/* bls.h: box-fitting least squares search for periodic transits.
 *
 * Kovacs, Zucker & Mazeh 2002 (A&A 391, 369) in its log-likelihood form with point
 * weights, over a list of durations and phase bins of min(duration) / oversample.
 * Trial periods are independent: [i0, i1) may be cut over threads and calls
 * (progress, cancelling) and the result is the same bit for bit.
 * No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_BLS_H
#define EAS_NATIVE_BLS_H
#include "eas_native.h"

enum { EAS_BLS_LIKELIHOOD = 0, EAS_BLS_SNR = 1 }; /* objective */
enum {
  EAS_BLS_WRAP_FULL = 0, /* every phase is tried with every duration */
  EAS_BLS_WRAP_PEER = 1  /* as astropy: oversample bins are repeated, the last bin is lost */
};
enum {
  EAS_BLS_PATH_FAST = 0,      /* the fastest that suits the data; needs job.plan */
  EAS_BLS_PATH_REFERENCE = 1, /* the definition, slow and obvious */
  EAS_BLS_PATH_FOLD = 2,      /* samples folded by vectors: the reference's sums, bit for bit */
  EAS_BLS_PATH_ROWS = 3,      /* uniform cadence (gaps allowed): whole cycles added as rows; else as _FOLD */
  EAS_BLS_PATH_EDGES = 4      /* samples dense among bins: running sums, looked up where bins begin; else as _FOLD */
};

typedef struct {
  const double *duration; /* [n_duration] day, > 0, < shortest period; tried in this order */
  size_t n_duration;      /* 1 .. 1000 */
  int oversample;         /* bins per shortest duration, 1 .. 1000 */
  int objective;          /* EAS_BLS_LIKELIHOOD, EAS_BLS_SNR */
  int wrap;               /* EAS_BLS_WRAP_* */
  int path;               /* EAS_BLS_PATH_* */
} eas_bls_settings;

typedef struct {         /* all NaN when no box fits */
  double power;          /* the objective: log_likelihood or depth / depth_err */
  double depth;          /* unit of flux, >= 0 */
  double depth_err;      /* unit of flux, if the weights are 1/sigma^2 */
  double log_likelihood; /* of box over none, half of depth^2 times the weight in transit */
  double duration;       /* day, a whole number of bins */
  double t0;             /* day, mid-transit in [time[0], time[0] + period) */
} eas_bls_peak;

typedef struct {        /* all borrowed; no array may overlap another */
  size_t n, n_period;   /* n >= 3, n_period >= 1 */
  const double *time;   /* [n] day, finite, strictly increasing */
  const double *flux;   /* [n] any unit, finite */
  const double *ivar;   /* [n] > 0 (1/sigma^2); NULL: 1 */
  double flux_zero;     /* subtracted from flux before summing: its median, see eas_bls_median */
  const double *period; /* [n_period] day, > longest duration, in any order */
  eas_bls_settings set;
  void *plan;        /* eas_bls_plan_size bytes, aligned to 64, filled by eas_bls_prepare; NULL: reference path */
  const void *share; /* the plan of a job of the same time, flux, flux_zero and ivar, whose tables of samples this one's
                        plan uses; must live as long. NULL: it makes its own */
  eas_bls_peak *out; /* [n_period] */
} eas_bls_job;

/* Checks a job once, in O(n + n_period): EAS_OK, EAS_EFEW (n < 3), EAS_EGRID (no period, no
 * duration), EAS_EARG (settings; a period not above all durations; over 1e7 bins; share of other samples),
 * EAS_EDATA (non-finite, time not increasing, ivar <= 0). */
EAS_EXPORT int eas_bls_check(const eas_bls_job *job);

/* Bytes of the plan that the fast paths share between threads; 0 never. */
EAS_EXPORT size_t eas_bls_plan_size(const eas_bls_job *job);

/* Fills job->plan of a checked job; once, before any run. */
EAS_EXPORT int eas_bls_prepare(const eas_bls_job *job);

/* The path that a prepared job takes: EAS_BLS_PATH_REFERENCE, _FOLD, _ROWS or _EDGES. */
EAS_EXPORT int eas_bls_path(const eas_bls_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_bls_run needs; of a prepared job, if it is to have a plan. */
EAS_EXPORT size_t eas_bls_work_size(const eas_bls_job *job);

/* Best box at each trial i0 <= i < i1 of a checked job, into job->out[i]. The first
 * maximum wins, durations in their order, then phase.
 *   work [eas_bls_work_size] scratch, one per thread. Returns EAS_OK. */
EAS_EXPORT int eas_bls_run(const void *job, size_t i0, size_t i1, void *work);

typedef struct {                  /* several jobs as one range of trials, those of the first job first */
  size_t n_part;                  /* >= 1 */
  const eas_bls_job *const *part; /* [n_part] checked, and prepared if they have plans */
} eas_bls_parts;

/* Scratch for any of the jobs; as eas_bls_run, i0 and i1 counting the trials of all. */
EAS_EXPORT size_t eas_bls_parts_work_size(const eas_bls_parts *parts);
EAS_EXPORT int eas_bls_parts_run(const void *parts, size_t i0, size_t i1, void *work);

/* Trial periods, equal steps in frequency from 1/period_min down by
 * frequency_factor * duration_min / span^2 (all day): how many, and the i-th .. (i+n)-th of them.
 * count is 0 where an argument is no positive number or period_max < period_min. */
EAS_EXPORT size_t eas_bls_grid_count(double span, double duration_min, double frequency_factor, double period_min,
                                     double period_max);
EAS_EXPORT void eas_bls_grid(double span, double duration_min, double frequency_factor, double period_min, size_t i,
                             size_t n, double *out);

/* Median of x[n] (mean of the middle two); scratch[n] is overwritten. NaN when n is 0. */
EAS_EXPORT double eas_bls_median(const double *x, size_t n, double *scratch);

typedef struct {
  size_t index;     /* of the first maximum */
  size_t n_finite;  /* trials with a box */
  double mean, std; /* of the power of those, population */
  double sde;       /* (maximum - mean) / std; NaN where std is 0 */
} eas_bls_spectrum;

/* The strongest trial of n and how it stands out. EAS_NONE if no power is finite. */
EAS_EXPORT int eas_bls_spectrum_of(const eas_bls_peak *peak, size_t n, eas_bls_spectrum *out);

typedef struct { /* depths in unit of flux, errors valid for ivar = 1/sigma^2; NaN: no such samples */
  double depth, depth_err;
  double depth_odd, depth_odd_err; /* every second transit, against the same level outside */
  double depth_even, depth_even_err;
  double depth_phased, depth_phased_err; /* half a period away */
  double depth_half, depth_half_err;     /* a box at half the period */
  double harmonic_amplitude;             /* of the best sine of this period */
  double harmonic_delta_log_likelihood;  /* sine over box: > 0 means a sine is better */
  double delta_chi2;                     /* improvement over a constant */
  double power_norm;                     /* delta_chi2 / chi2 of a constant, 0 .. 1 */
  int64_t first_transit;                 /* number k of the first and last transit with samples: */
  int64_t last_transit;                  /* at t0 + k period */
  size_t n_transits;                     /* last - first + 1; 0 when no sample is in transit */
  size_t n_transits_with_data;
  size_t n_in_transit;
} eas_bls_stats;

/* Vetting numbers of one box. Of the transits t0 + (first_transit + i) period, the first
 * max_transits get their samples and gain in log-likelihood into count[i] and gain[i] (NULL
 * allowed). EAS_OK, EAS_EARG (period, duration or t0), EAS_NONE (no sample in transit, or all). */
EAS_EXPORT int eas_bls_stats_of(const eas_bls_job *job, double period, double duration, double t0, eas_bls_stats *out,
                                double *count, double *gain, size_t max_transits);

#endif
