/* detrend.h: the slow trend of a light curve, by windows in time that heed gaps and leave out what is masked.
 *
 * Hippke, David, Mulders & Heller 2019 (AJ 158, 143) compare the methods; the biweight is the one they advise. A piece
 * ends where the step to the next sample is longer than break_tolerance; pieces do not see each other.
 * What is cut over threads and calls are trials, eas_detrend_trials of them: samples, or pieces for the cosine filter;
 * the result is the same bit for bit. No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_DETREND_H
#define EAS_NATIVE_DETREND_H
#include "eas_native.h"

enum {
  EAS_DETREND_BIWEIGHT = 0, /* Tukey's location around the median, in units of cval times the median deviation */
  EAS_DETREND_MEDIAN = 1,
  EAS_DETREND_SAVGOL =
      2, /* parabola through the window, in time: Savitzky & Golay 1964 on even cadence, without gaps */
  EAS_DETREND_COSINE =
      3, /* sines and cosines longer than the window, of each piece; low outliers are left out in turns */
  EAS_DETREND_LOWESS = 4 /* line through the window, tricube weights, two robust turns: Cleveland 1979 in one window */
};

typedef struct {
  int method;    /* EAS_DETREND_* */
  int compat;    /* 1: as the wotan program: the last sample of a piece is in no window; steps below 1e-6 end the
                             biweight's turns, not below 1e-7 of the deviation */
  double window; /* day, > 0: all of its width */
  double break_tolerance; /* day; 0: no breaks */
  double edge_cutoff;     /* day, 0 .. window / 2: the trend is NaN so near to a piece's ends */
  double cval;            /* biweight: > 0, about 5 */
} eas_detrend_settings;

typedef struct {       /* all borrowed; no array may overlap another */
  size_t n;            /* >= 1 */
  const double *time;  /* [n] day, finite, strictly increasing */
  const double *flux;  /* [n] any unit; finite where not masked */
  const uint8_t *mask; /* [n] not 0: seen by no window; NULL: none. The trend is computed there, too */
  eas_detrend_settings set;
  double *trend; /* [n] unit of flux; NaN where no window has a sample */
} eas_detrend_job;

/* EAS_OK, EAS_EFEW (n is 0), EAS_EARG (settings, NULL; over 500 waves of the cosine filter in a piece), EAS_EDATA. */
EAS_EXPORT int eas_detrend_check(const eas_detrend_job *job);

/* Trials of a checked job: what eas_detrend_run's range counts. */
EAS_EXPORT size_t eas_detrend_trials(const eas_detrend_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_detrend_run needs: grows with the fullest window. */
EAS_EXPORT size_t eas_detrend_work_size(const eas_detrend_job *job);

/* Trend at trials i0 <= i < i1 of a checked job. Returns EAS_OK. */
EAS_EXPORT int eas_detrend_run(const void *job, size_t i0, size_t i1, void *work);

#endif
