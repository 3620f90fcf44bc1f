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
  int32_t row, start; /* -1: none yet */
} tls_best;

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
  const double *shape; /* of the rows, one after the other */
  const double *e;     /* [n] 1 - flux */
  const double *w;     /* [n] NULL: all equal */
} tls_plan;

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

/* Size of the scratch of the reference path; tls_reference does one trial by the definition. */
size_t tls_reference_size(const tls_plan *plan);
void tls_reference(const eas_tls_job *job, double period, void *work, tls_best *best);

/* Rows: how many durations have a width of their own, and samples of all their shapes. */
size_t tls_count_rows(const eas_tls_job *job, size_t *samples, size_t *wrap);
void tls_fill_rows(const eas_tls_job *job, size_t wrap, tls_row *row, double *shape, double *scratch);

#endif
