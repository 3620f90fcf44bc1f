/* tls_parts.h: what the parts of the tls kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_TLS_PARTS_H
#define EAS_NATIVE_TLS_PARTS_H
#include <float.h>
#include <math.h>
#include "simd.h"
#include "tls.h"

typedef struct {
  double duration, overshoot;
  double sum, squares; /* of the shape */
  size_t width, stride;
  size_t at; /* of its shape */
} tls_row;

typedef struct {
  double chi2, depth;
  int32_t row, start; /* start -1: none yet */
} tls_best;

enum { TLS_BLOCK = 16, TLS_COARSE = 6, TLS_FINE = 16, TLS_FINEST = 64 };

/* A stack of boxes near a row's shape, the same before and after its middle: box b is step[b] above the
 * one before it and reaches from edge[b] to width - edge[b]. */
typedef struct {
  int32_t n, edge[TLS_FINEST];
  float step[TLS_FINEST]; /* 0 from n on */
  float rest;             /* what it misses of the shape: root of the sum of squares */
} tls_boxes;

/* What bounds the gain of a row's windows. Sums are in units of the plan's quanta. */
typedef struct {
  tls_boxes coarse, fine, finest; /* for blocks of starts, for each start, for those that are left */
  float depth;                    /* sum to r: overshoot over half the width */
  float squares, slack;           /* of the shape; what rounding to quanta may add to a sum */
  float least;                    /* sums up to this are too shallow */
  /* Weighted: Q is at least light, of the least weight alone, and what the rest of weights (tls_plan.mass) makes of a stack of
   * boxes below the shape's squares, at the edges of coarse and fine. */
  float light, coarse_square[TLS_COARSE], fine_square[TLS_FINE];
} tls_bound;

/* The plan: what all threads share, behind this head in the same memory. */
typedef struct {
  int path, level; /* EAS_TLS_PATH_*, EAS_SIMD_* */
  size_t n, wrap;  /* samples; how many are repeated behind the last */
  size_t n_row;
  double weight;  /* of a sample, where all are equal */
  double flat;    /* chi2 of a flat line */
  double nothing; /* chi2 of a trial without fit */
  double span;    /* day */
  const tls_row *row;
  const tls_bound *bound; /* [n_row] */
  const double *shape;    /* of the rows, one after the other */
  const float *thin;      /* the same, for bounds */
  const double *e;        /* [n] 1 - flux */
  const double *w;        /* [n] NULL: all equal */
  const double *time;     /* [n] */
  const int32_t *q;       /* [n + 1] e (times w over weight) in quanta, then 0 */
  const int32_t *plain;   /* weighted, else NULL: [n + 1] e alone in quanta, then 0 */
  const int32_t *mass;    /* [n + 1] what a weight is above the least, in units of `lump`, rounded down; then 0 */
  double lump;            /* of the mean weight */
  double quantum;         /* of q */
  float square;           /* unit of sums of squares of q */
  /* uniform cadence (tls__uniform.c): */
  double step, doubt;   /* day; where phases differ less, rounding decides their order */
  size_t slots;         /* steps from the first to the last sample, both counted */
  const int32_t *index; /* [slots] sample of a slot or -1; NULL: sample k is in slot k */
} tls_plan;

/* One trial as the fast paths see it. */
typedef struct {
  const int32_t *order;                /* [n + wrap] samples by phase, the first repeated */
  const int32_t *sum;                  /* [n + wrap + 1] of q before each */
  const int32_t *high, *low, *squares; /* by blocks of sums: the extremes; of squares of q before each block */
  const int32_t *high2, *low2;         /* extremes of a block and the next */
  const int32_t *plain, *mass;         /* weighted: [n + wrap + 1] of those before each */
} tls_folded;

/* Rows first <= k < last are tried at a period. */
static inline void tls_rows_at(const tls_plan *plan, const eas_tls_star *star, double period, size_t *first,
                               size_t *last)
{
  double n = (double)plan->n, cycles = plan->span / period;
  double least = floor(eas_tls_fraction(star->r_min, star->m_min, period, 1) * n);
  double most = ceil(eas_tls_fraction(star->r_max, star->m_max, period, 0) * n * ((cycles + 1) / cycles));
  size_t k = 0;
  while (k < plan->n_row && (double)plan->row[k].width < least) k++;
  *first = k;
  while (k < plan->n_row && (double)plan->row[k].width <= most) k++;
  *last = k;
}

/* Starts of a row are 0, stride, .. <= this. */
static inline size_t tls_last_start(const tls_plan *plan, const tls_row *row)
{
  return plan->n + plan->wrap - row->width;
}

static inline double tls_phase(double t, double period)
{
  double cycles = t / period;
  return cycles - floor(cycles);
}

typedef struct {
  double phase;
  uint32_t sample;
  uint32_t spare;
} tls_key;

/* Order of phase about an epoch, by the definition: stable. keys, other: [n]; the result is in the one returned. */
tls_key *tls_sort(const double *time, size_t n, double epoch, double period, tls_key *keys, tls_key *other);

/* The better of two fits: less chi2, then the shorter row, then the first start. */
static inline int tls_better(double chi2, int32_t row, int32_t start, const tls_best *best)
{
  if (chi2 != best->chi2) return chi2 < best->chi2;
  if (best->start < 0) return 0;
  return row != best->row ? row < best->row : start < best->start;
}

/* The bounds of all rows (scratch [n] where samples have weights), and the samples in quanta. */
void tls_fill_bounds(tls_plan *plan, const eas_tls_settings *set, tls_bound *bound, double *scratch);
void tls_fill_quanta(tls_plan *plan, int32_t *q);

/* Weighted: plain [n + 1] and mass [n + 1], after the quanta. */
void tls_fill_masses(tls_plan *plan, int32_t *plain, int32_t *mass);

/* The fast paths. work: tls_fast_size bytes. hint: the best of another trial nearby, in this one's starts; row -1: none. */
size_t tls_fast_size(const tls_plan *plan);
void tls_fast(const eas_tls_job *job, double period, void *work, const tls_best *hint, tls_best *best);

/* Samples by phase, ties in order of time, into order[n]. work: tls_order_size bytes. */
size_t tls_order_size(const tls_plan *plan);
void tls_order(const tls_plan *plan, double period, int32_t *order, void *work);

/* The same of n phases 0 <= phase <= 1, equal ones as they stand. work: tls_sort_size bytes. */
size_t tls_sort_size(size_t n);
void tls_sort_phases(const double *phase, size_t n, int level, int32_t *order, void *work);

/* Uniform cadence, gaps allowed: fills the plan if the light curve has one; index[tls_slots_most]. */
size_t tls_slots_most(size_t n);
void tls_find_cadence(tls_plan *plan, int32_t *index);

/* As tls_order in time that grows with the samples alone; 0 where rounding decides and nothing was done. */
size_t tls_rows_size(const tls_plan *plan);
int tls_order_rows(const tls_plan *plan, double period, int32_t *order, void *work);

/* All windows of a trial that may beat the best. */
void tls_scan(const eas_tls_job *job, double period, const tls_folded *f, tls_best *best);

/* Most that one window gains, in squares of quanta: its whole sum, but of quanta and in single precision. */
float tls_gain(const tls_plan *plan, const tls_folded *f, size_t row, size_t start);

/* One window exactly. */
void tls_try(const tls_plan *plan, double depth_min, const int32_t *order, size_t row, size_t start, tls_best *best);

/* Size of the scratch of the reference path; tls_reference does one trial by the definition. */
size_t tls_reference_size(const tls_plan *plan);
void tls_reference(const eas_tls_job *job, double period, void *work, tls_best *best);

/* Rows: how many durations have a width of their own, and samples of all their shapes. */
size_t tls_count_rows(const eas_tls_job *job, size_t *samples, size_t *wrap);
void tls_fill_rows(const eas_tls_job *job, size_t wrap, tls_row *row, double *shape, double *scratch);

#endif
