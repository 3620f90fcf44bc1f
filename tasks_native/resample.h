/* resample.h: a light curve on another raster, its flux conserved.
 *
 * Samples are means over pixels that meet halfway between their times. An output pixel gets the mean of the
 * input pixels under it, by the width of the overlaps. Output pixels are independent: [i0, i1) may be cut
 * over threads and calls. No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_RESAMPLE_H
#define EAS_NATIVE_RESAMPLE_H
#include "eas_native.h"

typedef struct {
  double step_in;  /* day; a spacing above 1.5 of it is a gap: pixels end half a step into it. 0: no gaps */
  double step_out; /* the same for the output raster */
  int compat;      /* 1: as the Python prototype: pixels stretch over gaps, what is outside counts as 0, errors and
                      flags are averaged. 0: means over what is covered; less than half covered is NaN, flagged 4 */
} eas_resample_settings;

typedef struct {          /* all borrowed; no array may overlap another */
  size_t n;               /* >= 4 (compat), >= 2 */
  const double *time;     /* [n] day, finite, strictly increasing */
  const double *flux;     /* [n] any unit; where not finite, or flag has bit 0, a hole (compat: as it is) */
  const double *flux_err; /* [n] NULL: not known */
  const uint32_t *flag;   /* [n] NULL: none */
  size_t m;               /* >= 2, or >= 1 with step_out */
  const double *new_time; /* [m] day, finite, strictly increasing or strictly decreasing */
  eas_resample_settings set;
  double *out_flux;      /* [m] */
  double *out_err;       /* [m] NULL: not wanted; NaN where not known */
  uint32_t *out_flag;    /* [m] NULL: not wanted; OR of what contributes (compat: mean above 0.5) */
  double *out_flag_mean; /* [m] NULL: not wanted; mean of the flags by width */
  double *out_covered;   /* [m] NULL: not wanted; share of the pixel with input, 0 .. 1 */
} eas_resample_job;

/* EAS_OK, EAS_EFEW (n or m), EAS_EARG (settings, NULL), EAS_EDATA (times). */
EAS_EXPORT int eas_resample_check(const eas_resample_job *job);

/* Bytes of scratch that one call of eas_resample_run needs. */
EAS_EXPORT size_t eas_resample_work_size(const eas_resample_job *job);

/* Fills output pixels i0 <= i < i1 of a checked job. Returns EAS_OK. */
EAS_EXPORT int eas_resample_run(const void *job, size_t i0, size_t i1, void *work);

/* Median spacing of time[n]; scratch[n] is overwritten. NaN where n < 2. */
EAS_EXPORT double eas_resample_step(const double *time, size_t n, double *scratch);

#endif
