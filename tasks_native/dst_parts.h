/* dst_parts.h: what the parts of the dst kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_DST_PARTS_H
#define EAS_NATIVE_DST_PARTS_H
#include <math.h>
#include "dst.h"
#include "simd.h"

enum { DST_DURATIONS = 100, DST_STEPS = 8, DST_PAD = 32 }; /* epochs per duration */

/* Single events of one duration, an epoch every eighth of it: C and Q of the fit, and 1 where there are data (else all 0). */
typedef struct {
  double duration, step; /* day */
  size_t cells;
  float *c, *q, *valid;
  float *shifted_c, *shifted_q; /* of the strongest event within reach; NULL: none asked for */
} dst_map;

typedef struct {
  int level;
  double weight; /* mean of a sample */
  dst_map map[DST_DURATIONS];
} dst_plan;

typedef struct {
  double c, q; /* depth is c / q; 0, 0 where there are too few samples */
} dst_fit;

/* The event of such a duration at `centre`. *from: a sample before which none is in the window, moved on. */
dst_fit dst_event(const eas_dst_job *job, double weight, double duration, double centre, size_t *from);

/* Epochs that an event may move, either way. */
static inline size_t dst_reach(const eas_dst_job *job)
{
  return (size_t)(job->set.shift * DST_STEPS + 0.5);
}

/* What moving so many epochs gains in white noise, in sigmas of an event: means of 10^6 simulated events. */
static inline double dst_gain(size_t reach)
{
  static const double gain[] = { 0, 0.389, 0.663, 0.885, 1.075 };
  return gain[reach < 4 ? reach : 4];
}

#endif
