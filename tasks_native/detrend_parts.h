/* detrend_parts.h: what the parts of the detrend kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_DETREND_PARTS_H
#define EAS_NATIVE_DETREND_PARTS_H
#include <math.h>
#include "detrend.h"

enum { DETREND_WAVES = 500 };

static inline int detrend_seen(const eas_detrend_job *job, size_t i)
{
  return job->mask == NULL || job->mask[i] == 0;
}

/* Does a piece end between samples i - 1 and i? */
static inline int detrend_break(const eas_detrend_job *job, size_t i)
{
  double tolerance = job->set.break_tolerance;
  return i == 0 || i >= job->n || (tolerance > 0 && job->time[i] - job->time[i - 1] > tolerance);
}

/* Samples lo <= j < hi of the window around sample i, all of its piece. */
typedef struct {
  size_t lo, hi;
  int at_start, at_end; /* the window reaches the first, the last sample of the piece */
} detrend_window;

/* The window around i; *w is that of a sample before it, or {i, i}. */
void detrend_move(const eas_detrend_job *job, size_t i, detrend_window *w);

/* Is sample i so near to an end of its piece that it shall have no trend? */
int detrend_cut(const eas_detrend_job *job, size_t i, const detrend_window *w);

/* Most samples in a window. */
size_t detrend_fullest(const eas_detrend_job *job);

void detrend_robust(const eas_detrend_job *job, size_t i0, size_t i1, double *work);
size_t detrend_robust_size(const eas_detrend_job *job);
void detrend_local(const eas_detrend_job *job, size_t i0, size_t i1, double *work);
size_t detrend_local_size(const eas_detrend_job *job);
void detrend_cosine(const eas_detrend_job *job, size_t i0, size_t i1, double *work);
size_t detrend_cosine_size(const eas_detrend_job *job);

/* Waves of the cosine filter in a piece of such a length. */
static inline size_t detrend_waves(const eas_detrend_job *job, double length)
{
  double waves = floor(length / job->set.window);
  return waves > 0 ? waves <= DETREND_WAVES ? (size_t)waves : DETREND_WAVES + 1 : 0;
}

#endif
