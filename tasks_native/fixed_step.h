/* fixed_step.h: what a light curve's sampling is like: its step, gaps, bad samples, noise.
 *
 * One pass and three selections, O(n). The range of trials is one: [0, 1).
 * No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_FIXED_STEP_H
#define EAS_NATIVE_FIXED_STEP_H
#include "eas_native.h"

typedef struct {
  int compat; /* 1: as the Python prototype: step in whole seconds, 1e-4 day of tolerance. 0: step in
                 milliseconds, a quarter of a step at most, and no drift over a long curve */
} eas_fixed_step_settings;

typedef struct {             /* NaN where a number cannot be had */
  double n, n_finite;        /* samples; those with finite time and flux */
  double n_flagged;          /* flag not 0 */
  double n_duplicate;        /* a time equal to the one before */
  double time_min, time_max; /* day, of the finite ones */
  double flux_min, flux_max;
  double duration;        /* day, last time - first */
  double interval;        /* day, mean of the middle half of the sorted spacings, rounded */
  double n_ideal, errors; /* points of the ideal raster, and how many have no sample */
  double fixed;           /* 1: the step is fixed (no error), else 0 */
  double gaps;            /* spacings above 1.5 intervals */
  double gap_longest;     /* day */
  double gap_total;       /* day without samples in them */
  double fill_factor;     /* (n - 1) interval / duration */
  double noise;           /* 1.4826 MAD of first differences / sqrt 2, unit of flux */
  double noise_1h;        /* the same for means over an hour (CDPP-like); NaN where the interval is longer */
} eas_fixed_step_report;

typedef struct {        /* all borrowed */
  size_t n;             /* 0 allowed */
  const double *time;   /* [n] day, not decreasing; samples that are not finite are counted and left out */
  const double *flux;   /* [n] */
  const uint32_t *flag; /* [n], NULL: no flags */
  eas_fixed_step_settings set;
  eas_fixed_step_report *out; /* one */
} eas_fixed_step_job;

/* EAS_OK, EAS_EARG (NULL), EAS_EDATA (a finite time below the one before). */
EAS_EXPORT int eas_fixed_step_check(const eas_fixed_step_job *job);

/* Bytes of scratch, aligned to 64: grows with n. */
EAS_EXPORT size_t eas_fixed_step_work_size(const eas_fixed_step_job *job);

/* Fills *job->out when 0 is in [i0, i1). Returns EAS_OK. */
EAS_EXPORT int eas_fixed_step_run(const void *job, size_t i0, size_t i1, void *work);

/* A light curve on an even raster. Each sample goes to the nearest point, so that no time moves by more than half a
 * step; samples that share a point are averaged. Raster and samples agree in the mean: barycentric times, whose steps
 * vary by parts in 10^4, keep their place over years. */
typedef struct {      /* all borrowed */
  size_t n;           /* >= 2 */
  const double *time; /* [n] day, finite, strictly increasing */
  const double *flux; /* [n] finite */
  double interval;    /* day, > 0: of eas_fixed_step_report */
  int compat;         /* 1: as the Python prototype: points from the first time in steps of the interval, the last one
                             left out, each with the first sample within 1e-4 day */
  double start, step; /* day: set by eas_fixed_step_raster_plan */
  size_t m;           /* points: set by it */
  double *out;        /* [m] flux; NaN where no sample is */
  size_t filled, shared; /* points without a sample, samples that share a point: set by eas_fixed_step_raster_fill */
  double offset_most;    /* day, largest distance of a sample from its point: set by it */
} eas_fixed_step_raster;

/* Finds start, step and m. EAS_OK, EAS_EFEW, EAS_EARG (NULL; interval), EAS_EDATA (times), EAS_EGRID: over
 * 100 n + 10^6 points, so nearly all would be empty. */
EAS_EXPORT int eas_fixed_step_raster_plan(eas_fixed_step_raster *raster);

/* Fills out[m] of a planned raster, in O(n + m). */
EAS_EXPORT int eas_fixed_step_raster_fill(eas_fixed_step_raster *raster);

#endif
