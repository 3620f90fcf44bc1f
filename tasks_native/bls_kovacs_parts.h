/* bls_kovacs_parts.h: what the parts of the bls_kovacs kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_BLS_KOVACS_PARTS_H
#define EAS_NATIVE_BLS_KOVACS_PARTS_H
#include <math.h>
#include <string.h>
#include "bls_kovacs.h"
#include "simd.h"

enum { KOVACS_LANES = 32 /* bins are looked at so many together */ };

typedef struct {
  const eas_bls_kovacs_job *job;
  size_t bins, wide;  /* wide: bins that a box may reach beyond its first one */
  size_t narrow;      /* least bins of a box */
  double samples_min; /* least samples of a box */
  double mean;        /* of flux - flux_zero */
} kovacs_setup;

typedef struct {
  double power; /* squared; -1: none yet */
  double s, r;
  size_t start, more; /* first bin, bins behind it */
} kovacs_best;

/* Positions of edges among the samples. In units of a slot: a sample's number where the cadence is uniform, else a cell so
 * narrow that it holds one sample at most. */
typedef struct {
  int uniform;
  double unit;          /* day of a slot or cell */
  double doubt;         /* slots or cells; nearer to an edge, rounding decides */
  size_t slots;         /* behind the last sample: everything is before it */
  const int64_t *sum;   /* uniform: [slots + 1] fixed-point sums before a slot; else [n + 1] before a sample */
  const int32_t *count; /* uniform: samples before a slot; NULL: as many as slots */
  const int64_t *cell;  /* [slots + 1] not uniform: samples before a cell, and where in it its own sample is */
  double scale;         /* of fixed-point sums */
} kovacs_edges;

/* Trials a small step of frequency apart. */
typedef struct {
  double first, step;    /* edges a day: of trial 0, from one to the next */
  double doubt;          /* edges; nearer to one, rounding decides */
  size_t block;          /* trials; no sample crosses two edges in it */
  const double *inverse; /* [n] 1 / x */
  const int64_t *move;   /* [n][2] what a sample adds to a bin: fixed-point flux, 1 */
  double unscale;
} kovacs_steps;

typedef struct {
  int path, level;
  kovacs_setup setup;
  const double *x, *v; /* [n] day since the first sample; flux less its mean */
  kovacs_edges edges;
  kovacs_steps steps;
} kovacs_plan;

static inline size_t kovacs_round(size_t n)
{
  return (n + KOVACS_LANES - 1) / KOVACS_LANES * KOVACS_LANES;
}

/* Length of an array over the bins, with what a box reaches beyond the last and room for whole vectors. */
static inline size_t kovacs_cells(const kovacs_setup *s)
{
  return kovacs_round(s->bins) + kovacs_round(s->wide + 1) + KOVACS_LANES;
}

/* A box replaces the best unless it is worse; of equal ones the later stays. */
static inline void kovacs_try(const kovacs_setup *s, double sum, double r, size_t start, size_t more, kovacs_best *best)
{
  double n = (double)s->job->n, power = sum * sum / (r * (n - r));
  if (power < best->power) return;
  if (power == best->power && (start < best->start || (start == best->start && more < best->more))) return;
  *best = (kovacs_best){ .power = power, .s = sum, .r = r, .start = start, .more = more };
}

/* Folds samples into bins y, c (sum and count of each), bit for bit as the definition. */
void kovacs_fold(const kovacs_plan *plan, double frequency, double *y, double *c);

/* A power of two that makes sums of v[n] fit 62 bits; 0 if none does. */
double kovacs_scale(const double *v, size_t n);

size_t kovacs_edges_size(const eas_bls_kovacs_job *job);
int kovacs_edges_prepare(kovacs_plan *plan, void *memory);
size_t kovacs_edges_work(const kovacs_plan *plan);

/* The same by running sums; 0 where that does not pay or rounding decides, and nothing was done. */
int kovacs_edges_fold(const kovacs_plan *plan, double frequency, double *y, double *c, void *work);

/* The same by what changes from a trial to the next. _find: whether that suits the job. _begin: before the first trial i of a call;
 * then _fold trial after trial, below i1: 0 where rounding decides, and y, c are not to be used. */
int kovacs_steps_find(const eas_bls_kovacs_job *job, kovacs_steps *out);
size_t kovacs_steps_size(const eas_bls_kovacs_job *job);
int kovacs_steps_prepare(kovacs_plan *plan, void *memory);
size_t kovacs_steps_work(const kovacs_plan *plan);
void kovacs_steps_begin(const kovacs_plan *plan, size_t i, void *work);
int kovacs_steps_fold(const kovacs_plan *plan, size_t i1, double *y, double *c, void *work);

/* All boxes over bins that kovacs_wrap has continued. hint: the best of another trial, to be faster. */
void kovacs_wrap(const kovacs_setup *setup, double *y, double *c);
void kovacs_scan(const kovacs_plan *plan, const double *y, const double *c, const kovacs_best *hint, kovacs_best *best);

#endif
