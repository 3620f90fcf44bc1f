/* bls_parts.h: what the parts of the bls kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_BLS_PARTS_H
#define EAS_NATIVE_BLS_PARTS_H
#include <math.h>
#include "bls.h"
#include "simd.h"

typedef struct {
  const eas_bls_job *job;
  double bin;       /* day */
  size_t pad;       /* bins repeated behind the last one */
  size_t width_max; /* bins */
  double y_total;   /* of flux times weight */
  double w_total;
  double y_size;  /* sum of the magnitudes of flux times weight: bounds rounding */
  double w_least; /* a window or its complement with less weight is empty */
} bls_setup;

typedef struct {
  double objective; /* -infinity: none yet */
  double depth, w_in, log_likelihood;
  size_t start, width; /* bins */
} bls_best;

/* Widths are whole bins, rounded half away from zero. */
static inline size_t bls_width(const bls_setup *s, size_t k)
{
  return (size_t)llround(s->job->set.duration[k] / s->bin);
}

static inline size_t bls_bins(const bls_setup *s, double period)
{
  return (size_t)ceil(period / s->bin);
}

/* Window starts are 0 .. this - 1, for a period of so many bins. */
static inline size_t bls_starts(const bls_setup *s, size_t bins, size_t width)
{
  if (s->job->set.wrap == EAS_BLS_WRAP_FULL) return bins;
  return bins + s->pad >= width ? bins + s->pad - width + 1 : 0;
}

/* One box by the definition; replaces the best only if it is better, so that the first wins. */
static inline void bls_try(const bls_setup *s, double y_in, double w_in, size_t start, size_t width, bls_best *best)
{
  double y_out = s->y_total - y_in, w_out = s->w_total - w_in;
  if (w_in < s->w_least || w_out < s->w_least) return;
  y_in /= w_in;
  y_out /= w_out;
  if (!(y_out >= y_in)) return;

  double depth = y_out - y_in;
  double gain = 0.5 * w_in * depth * depth;
  double objective = s->job->set.objective == EAS_BLS_SNR ? depth / sqrt(1.0 / w_in + 1.0 / w_out) : gain;
  if (!(objective > best->objective)) return;
  *best = (bls_best){
    .objective = objective, .depth = depth, .w_in = w_in, .log_likelihood = gain, .start = start, .width = width
  };
}

/* Bin 1 .. bins of a sample at x after the first. The rounding of each step is the peer's. */
static inline size_t bls_bin_of(double x, double period, double bin, size_t bins)
{
  double phase = x - period * floor(x / period);
  double bins_before = phase / bin;
  if (!(bins_before > 0)) return 1;
  return bins_before < (double)bins ? (size_t)(int64_t)bins_before + 1
                                    : bins; /* times of 1e150 have no phase, but a bin */
}

void bls_setup_of(bls_setup *s, const eas_bls_job *job);

/* Cells of an array over the bins of the longest period, with padding. */
size_t bls_cells(const bls_setup *s);

/* Repeats the first bins behind the last (arrays have an empty bin 0), then prefix sums. */
void bls_wrap_and_sum(const bls_setup *s, size_t bins, double *y, double *w);

/* All boxes over prefix sums, by the definition. */
void bls_scan(const bls_setup *s, size_t bins, const double *y, const double *w, bls_best *best);

void bls_store(const bls_setup *s, double period, const bls_best *best, eas_bls_peak *out);

/* Uniform cadence: the light curve by slots of one cadence (bls__rows.c). */
typedef struct {
  double step;  /* day */
  double doubt; /* slots; nearer to an edge, rounding decides */
  size_t slots;
  int plain;           /* no gap, all weights 1 */
  const double *y, *w; /* flux times weight, weight by slot; 0 where there is no sample, and behind the last */
  const double *y_first, *w_first; /* [cells] prefix sums over the bins of the first cycle */
  size_t denominator;              /* edges repeat after so many, 0: never */
  uint32_t *column;                /* [cells] whole slots of an edge */
  double *edge;                    /* [cells] the fraction of a slot behind them */
} bls_rows;

/* Dense samples: sums before each, and where they are (bls__edges.c). */
typedef struct {
  double unit;                /* day, the width of a cell: it has a sample at most */
  double last, doubt;         /* cells: a place behind all samples; nearer to a sample, rounding decides */
  double scale, weight_scale; /* of sums in fixed point */
  const int64_t *cell;
  const int64_t *sum;    /* [n + 1] of flux times weight */
  const int64_t *weight; /* [n + 1]; NULL: all are 1 */
} bls_edges;

/* The plan: what the fast paths share, behind this head in the same memory. */
typedef struct {
  int path, level; /* EAS_BLS_PATH_*, EAS_SIMD_* */
  bls_setup setup;
  size_t cells;
  double shortest;  /* day, trial period */
  const double *x;  /* [n] day since the first sample */
  const double *yw; /* [n] pairs of flux times weight, weight */
  bls_rows rows;
  bls_edges edges;
} bls_plan;

/* As bls_scan, the same result bit for bit, by vectors. hint: the best of another trial, to be faster. work: 2 * cells. */
void bls_scan_fast(const bls_plan *plan, size_t bins, const double *y, const double *w, const bls_best *hint,
                   double *work, bls_best *best);

/* Folds samples into prefix sums y, w, bit for bit as the reference. pairs: 2 * cells. */
void bls_fold_fast(const bls_plan *plan, double period, size_t bins, double *y, double *w, double *pairs);

/* Uniform cadence: 1 if the light curve has one, and its slots in memory [bls_rows_plan_size]; scratch[n]. Then the
 * tables over bins, in memory [bls_rows_bins_size]. */
size_t bls_rows_plan_size(size_t n);
int bls_rows_prepare(bls_plan *plan, void *memory, double *scratch);
size_t bls_rows_bins_size(size_t cells);
void bls_rows_tabulate(bls_plan *plan, void *memory);

/* Folds by rows into prefix sums y, w; 0 where rounding decides and nothing was done. */
size_t bls_rows_work_size(const bls_plan *plan, double shortest);
int bls_rows_fold(const bls_plan *plan, double period, size_t bins, double *y, double *w, double *work);

/* Dense samples: 1 if they are, and their tables in memory [bls_edges_plan_size, 0 if they are not]. */
int bls_edges_pay(const bls_setup *s);
size_t bls_edges_plan_size(const bls_setup *s);
int bls_edges_prepare(bls_plan *plan, void *memory);

/* Folds by look-ups into prefix sums y, w; 0 where rounding decides and nothing was done. work: 2 * cells. */
int bls_edges_fold(const bls_plan *plan, double period, size_t bins, double *y, double *w, double *work);

/* Continues prefix sums of `bins` bins behind the last as bls_wrap_and_sum does. */
void bls_wrap_sums(const bls_setup *s, size_t bins, double *y, double *w);

/* One trial by the definition. y, w: bls_cells each. */
void bls_reference(const bls_setup *s, double period, double *y, double *w, eas_bls_peak *out);

#endif
