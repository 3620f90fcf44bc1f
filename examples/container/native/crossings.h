/* crossings.h: how often a light curve falls through each of some levels.
 *
 * A crossing of level L is a pair of neighbours with flux[k] >= L > flux[k + 1].
 * Levels are independent: [i0, i1) may be cut over threads and calls. No allocation, no I/O, no state. */
#ifndef CROSSINGS_H
#define CROSSINGS_H
#include "eas_native.h"

typedef struct {       /* all borrowed; no array may overlap another */
  size_t n, n_level;   /* n >= 2, n_level >= 1 */
  const double *flux;  /* [n] finite */
  const double *level; /* [n_level] unit of flux */
  double *out;         /* [n_level] counts */
} eas_crossings_job;

/* Looks at a job once: EAS_OK, EAS_EARG (a size) or EAS_EDATA (flux is not finite). */
EAS_EXPORT int eas_crossings_check(const eas_crossings_job *job);
EAS_EXPORT size_t eas_crossings_work_size(const eas_crossings_job *job);
/* Levels i0 <= i < i1 of a checked job, into job->out[i]. */
EAS_EXPORT int eas_crossings_run(const void *job, size_t i0, size_t i1, void *work);
#endif
