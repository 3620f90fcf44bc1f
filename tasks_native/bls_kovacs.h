/* bls_kovacs.h: box-fitting least squares as its authors wrote it (eebls): phase bins, no weights.
 *
 * Kovacs, Zucker & Mazeh 2002 (A&A 391, 369), windows across the fold after P. McCullough. The folded light curve has
 * the same number of bins at every trial, boxes are so many bins wide, and
 * power = sqrt(s^2 / (r (n - r))) of the r samples, of sum s, in a box: the depth times sqrt(r (n - r)) / n.
 * Trial frequencies are independent: [i0, i1) may be cut over threads and calls
 * (progress, cancelling) and the result is the same bit for bit.
 * No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_BLS_KOVACS_H
#define EAS_NATIVE_BLS_KOVACS_H
#include "eas_native.h"

enum {
  EAS_BLS_KOVACS_BOTH = 0, /* brightenings count like dips, as the authors' program has it */
  EAS_BLS_KOVACS_DIPS = 1  /* dips alone */
};
enum {
  EAS_BLS_KOVACS_PATH_FAST = 0,      /* the fastest that suits data and trial; needs job.plan */
  EAS_BLS_KOVACS_PATH_REFERENCE = 1, /* the definition, slow and obvious */
  EAS_BLS_KOVACS_PATH_FOLD = 2,      /* samples folded by vectors: the reference's sums, bit for bit */
  EAS_BLS_KOVACS_PATH_EDGES = 3,     /* running sums over time, looked up at the edges of bins */
  EAS_BLS_KOVACS_PATH_STEPS = 4      /* from trial to trial of an even grid, by what crosses an edge */
};

typedef struct {
  int bins;            /* of a folded period, 2 .. 100000 */
  double fraction_min; /* of the period in a box, > 0 */
  double fraction_max; /* >= fraction_min; boxes reach floor(fraction_max bins) + 2 bins, which must be <= bins */
  int sign;            /* EAS_BLS_KOVACS_BOTH, _DIPS */
  int path;            /* EAS_BLS_KOVACS_PATH_* */
} eas_bls_kovacs_settings;

typedef struct {       /* power 0, the rest NaN and 0, when no box holds enough samples */
  double power;        /* unit of flux */
  double depth;        /* unit of flux, > 0 for a dip */
  double fraction;     /* of all samples that are in the box */
  int32_t first, last; /* bins of the box, from 1 on; last < first where it lies across the fold */
} eas_bls_kovacs_peak;

typedef struct {           /* all borrowed; no array may overlap another */
  size_t n, n_frequency;   /* n >= 5, n_frequency >= 1 */
  const double *time;      /* [n] day, finite, strictly increasing */
  const double *flux;      /* [n] any unit, finite */
  double flux_zero;        /* subtracted before the mean is: a median keeps the sums small */
  const double *frequency; /* [n_frequency] 1/day, each at least one cycle in the light curve */
  eas_bls_kovacs_settings set;
  void *plan; /* eas_bls_kovacs_plan_size bytes, aligned to 64, filled by eas_bls_kovacs_prepare; NULL: reference */
  eas_bls_kovacs_peak *out; /* [n_frequency] */
} eas_bls_kovacs_job;

/* Checks a job once, in O(n + n_frequency): EAS_OK, EAS_EFEW (n < 5), EAS_EGRID (no frequency), EAS_EARG (settings; a
 * frequency below 1 / span or with over 1e9 cycles), EAS_EDATA (not finite, time not increasing). */
EAS_EXPORT int eas_bls_kovacs_check(const eas_bls_kovacs_job *job);

/* Bytes of the plan that threads share. */
EAS_EXPORT size_t eas_bls_kovacs_plan_size(const eas_bls_kovacs_job *job);

/* Fills job->plan of a checked job; once, before any run. */
EAS_EXPORT int eas_bls_kovacs_prepare(const eas_bls_kovacs_job *job);

/* The path that a prepared job takes where it pays: _REFERENCE, _FOLD, _STEPS or _EDGES (trials with more edges than samples, and
 * those where rounding decides on which side of an edge a sample is, are folded all the same). */
EAS_EXPORT int eas_bls_kovacs_path(const eas_bls_kovacs_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_bls_kovacs_run needs; of a prepared job, if it is to have a plan. */
EAS_EXPORT size_t eas_bls_kovacs_work_size(const eas_bls_kovacs_job *job);

/* Best box at each trial i0 <= i < i1 of a checked job, into job->out[i]. Of equal boxes the last wins, by first bin,
 * then by width.
 *   work [eas_bls_kovacs_work_size] scratch, one per thread. Returns EAS_OK. */
EAS_EXPORT int eas_bls_kovacs_run(const void *job, size_t i0, size_t i1, void *work);

/* Trial frequencies i .. i + n - 1 of first + i step. */
EAS_EXPORT void eas_bls_kovacs_grid(double first, double step, size_t i, size_t n, double *out);

typedef struct {
  size_t index;     /* of the first maximum */
  size_t last;      /* of the last one: what the authors' program reports */
  double mean, std; /* of all power, population */
  double sde;       /* (maximum - mean) / std; NaN where std is 0 */
} eas_bls_kovacs_spectrum;

/* The strongest trial of n and how it stands out. EAS_NONE if all power is 0. */
EAS_EXPORT int eas_bls_kovacs_spectrum_of(const eas_bls_kovacs_peak *peak, size_t n, eas_bls_kovacs_spectrum *out);

#endif
