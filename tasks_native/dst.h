/* dst.h: transit search by shape and consistency, in the manner of DST ("dst-like").
 *
 * Cabrera, Csizmadia, Erikson, Rauer & Kirste 2012 (A&A 548, A44) describe what DST is for; its shape function,
 * statistic and grids are not public, so those here are this project's own: a transit is a parabola with a step at its
 * contacts, s(x) = 1 - alpha x^2 for |x| <= 1; each epoch gets the least-squares depth with a constant level around it;
 * the events of a period are added up, Z = sum C / sqrt(sum Q), and what is not the same depth in all of them counts
 * less: F = Z / sqrt(max(1, X^2 / (M - 1))), X^2 their scatter about one depth. With shift > 0 events may lie so many
 * durations off their times; what that gains in noise alone is taken off.
 * Trial periods are independent: [i0, i1) may be cut over threads and calls, and the result is the same bit for bit.
 * No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_DST_H
#define EAS_NATIVE_DST_H
#include "eas_native.h"

typedef struct {
  const double *duration; /* [n_duration] day, rising, > 0 */
  size_t n_duration;      /* 1 .. 100 */
  double alpha;           /* 0 (box) .. 1 (parabola); 0.35 fits limb-darkened stars */
  int baseline;         /* 1: a level of its own around each event, to 1.5 durations; 0: flux_zero is out of transit */
  double shift;         /* durations that events may move, 0 .. 0.5 */
  int events_min;       /* events with data that a train needs, >= 2 */
  double transit_scale; /* day: duration of a central transit at a period of 1 day; it grows with its third root */
  double ratio_min, ratio_max; /* durations tried, over that; 0 < ratio_min < ratio_max */
} eas_dst_settings;

typedef struct {       /* all NaN when no train fits */
  double f, z;         /* statistic; signal-to-noise of the sum */
  double depth;        /* unit of flux, > 0 */
  double duration, t0; /* day; first mid-transit at or after time[0], a multiple of duration / 8 from it */
  double consistency;  /* X^2 / (M - 1): 1 for equal depths */
  double share;        /* of the strongest event in the sum, 0 .. 1 */
  double n_events;     /* M, with data */
  double shifted;      /* 1: the events moved */
} eas_dst_peak;

typedef struct {        /* all borrowed; no array may overlap another */
  size_t n, n_period;   /* n >= 3 */
  const double *time;   /* [n] day, finite, strictly increasing */
  const double *flux;   /* [n] relative to 1, finite */
  const double *ivar;   /* [n] > 0 (1/sigma^2); NULL: sigma for all */
  double sigma;         /* > 0 */
  double flux_zero;     /* level out of transit, if there is no baseline */
  double interval;      /* day, > 0, between samples: an event needs half of the samples that fit in it */
  const double *period; /* [n_period] day, > 0 */
  eas_dst_settings set;
  void *plan;        /* eas_dst_plan_size bytes, aligned to 64; filled by eas_dst_prepare and eas_dst_map */
  eas_dst_peak *out; /* [n_period] */
} eas_dst_job;

/* EAS_OK, EAS_EFEW (n), EAS_EGRID (no period, no duration), EAS_EARG (settings; over 2^28 epochs), EAS_EDATA. */
EAS_EXPORT int eas_dst_check(const eas_dst_job *job);

/* Bytes of the plan: maps of single events, about 100 (shifted: 160) bytes for each shortest duration of the span. */
EAS_EXPORT size_t eas_dst_plan_size(const eas_dst_job *job);

/* Lays out job->plan of a checked job. */
EAS_EXPORT int eas_dst_prepare(const eas_dst_job *job);

/* Maps of the durations i0 <= i < i1 of a prepared job: all n_duration of them before eas_dst_run. work may be NULL. */
EAS_EXPORT int eas_dst_map(const void *job, size_t i0, size_t i1, void *work);

/* Bytes of scratch, aligned to 64, that one call of eas_dst_run needs. */
EAS_EXPORT size_t eas_dst_work_size(const eas_dst_job *job);

/* Best train at each trial i0 <= i < i1 of a mapped job, into job->out[i]. Returns EAS_OK. */
EAS_EXPORT int eas_dst_run(const void *job, size_t i0, size_t i1, void *work);

typedef struct {
  double time;       /* day: where the event is strongest within shift, or its expected mid-transit */
  double depth, snr; /* NaN where there are too few samples */
} eas_dst_event;

/* The events of a train in order of time, those without data too; returns how many there are (at most max are written). */
EAS_EXPORT size_t eas_dst_events(const eas_dst_job *job, double period, double t0, double duration, eas_dst_event *out,
                                 size_t max);

#endif
