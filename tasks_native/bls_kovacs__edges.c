/* bls_kovacs__edges.c: the fold as running sums over time, looked up where bins begin and end.
 *
 * With S(x) the sum of all samples before x, the samples of bin b in cycle c sum to S((c bins + b + 1) w) - S((c bins + b) w),
 * w the width of a bin. Edges are as many as cycles times bins, often far fewer than samples. Sums are kept in 64-bit
 * fixed point: their differences are exact however long the light curve, and the order of adding does not matter.
 * Where an edge is so near to a sample that rounding decides, the trial is left to the definition's own fold. */
#include "bls_kovacs_parts.h"
#include "uniform.h"

enum { TILE = 16 /* columns */, BLOCK = 16 /* edges */, CELLS_MOST = 8 /* per sample */ };

static const size_t slots_limit = 500000000;

static size_t places_most(size_t n)
{
  return n < slots_limit / CELLS_MOST ? CELLS_MOST * n : slots_limit;
}

size_t kovacs_edges_size(const eas_bls_kovacs_job *job)
{
  size_t n = job->n, places = kovacs_round(places_most(n) + 2);
  return (kovacs_round(2 * n + 2) + places) * sizeof(int64_t);
}

double kovacs_scale(const double *v, size_t n)
{
  double size = 0;
  int exponent;
  for (size_t i = 0; i < n; i++) size += fabs(v[i]);
  if (!isfinite(size)) return 0;
  frexp(size, &exponent);
  return ldexp(1, 61 - exponent < 1000 ? 61 - exponent : 1000);
}

static void fill_slots(kovacs_plan *plan, const eas_uniform *u, int64_t *sum, int32_t *count)
{
  kovacs_edges *e = &plan->edges;
  size_t n = plan->setup.job->n, at = 0;
  *e = (kovacs_edges){ .uniform = 1, .unit = u->step, .slots = u->slots, .scale = e->scale, .sum = sum };
  e->doubt = 2 * u->worst + 4e-15 * (double)u->slots + 1e-11;
  if (u->slots > n) e->count = count;
  int64_t total = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t k = (size_t)nearbyint(plan->x[i] / u->step); at <= k; at++) {
      sum[at] = total;
      count[at] = (int32_t)i;
    }
    total += llrint(plan->v[i] * e->scale);
  }
  sum[u->slots] = total;
  count[u->slots] = (int32_t)n;
}

/* A cell: samples before it, and the place in it of its own (1.5: it has none), in 30 bits behind the point. */
static int64_t cell_of(size_t before, double place)
{
  return (int64_t)before << 31 | (int64_t)(place * 0x1p30);
}

/* Cells narrower than the least spacing hold a sample each at most; 0 if that takes too many. */
static int fill_cells(kovacs_plan *plan, int64_t *sum, int64_t *cell)
{
  kovacs_edges *e = &plan->edges;
  const double *x = plan->x;
  size_t n = plan->setup.job->n, at = 0;
  double least = INFINITY;
  for (size_t i = 1; i < n; i++) least = fmin(least, x[i] - x[i - 1]);
  double unit = 0.999 * least, cells = x[n - 1] / unit;
  if (!(cells < (double)places_most(n))) return 0;

  *e = (kovacs_edges){ .unit = unit, .slots = (size_t)cells + 1, .scale = e->scale, .sum = sum, .cell = cell };
  e->doubt = 4e-15 * cells + 4e-9;
  sum[0] = 0;
  for (size_t i = 0; i < n; i++) {
    double z = x[i] / unit;
    size_t k = (size_t)z;
    if (k < at) return 0;
    while (at < k) cell[at++] = cell_of(i, 1.5);
    cell[at++] = cell_of(i, z - (double)k);
    sum[i + 1] = sum[i] + llrint(plan->v[i] * e->scale);
  }
  cell[e->slots] = cell_of(n, 1.5);
  return 1;
}

int kovacs_edges_prepare(kovacs_plan *plan, void *memory)
{
  size_t n = plan->setup.job->n;
  int64_t *sum = memory;
  void *rest = sum + kovacs_round(2 * n + 2);
  eas_uniform u;
  plan->edges.scale = kovacs_scale(plan->v, n);
  if (plan->edges.scale == 0) return 0;
  if (eas_uniform_find(plan->x, n, 2 * n < slots_limit ? 2 * n : slots_limit, memory, &u)) {
    fill_slots(plan, &u, sum, rest);
    return 1;
  }
  return fill_cells(plan, sum, rest);
}

size_t kovacs_edges_work(const kovacs_plan *plan)
{
  size_t edges = kovacs_round(plan->setup.job->n) + 2 * KOVACS_LANES,
         columns = kovacs_round(plan->setup.bins) + KOVACS_LANES;
  return (edges + columns) * (sizeof(int64_t) + sizeof(int32_t)) + 64;
}

typedef uint64_t sums_tile
    __attribute__((vector_size(8 * TILE), aligned(8))); /* sums may wrap: their differences do not */
typedef uint32_t counts_tile __attribute__((vector_size(4 * TILE), aligned(4)));

typedef struct {
  const kovacs_edges *edges;
  double step;     /* slots or cells of a bin */
  size_t n, bins;  /* edges, a multiple of bins */
  int64_t *sum;    /* [n] before an edge */
  int32_t *count;  /* [n] */
  int64_t *column; /* [bins] sums of sum over cycles */
  uint32_t *column_of_counts;
} fold_work;

/* Places of the edges, n of them (whole blocks), among slots; how many are doubtful: at least the first, at 0. */
EAS_INLINE int64_t find_slots(double step, double last, double doubt, int32_t n, int32_t *restrict place)
{
  int64_t doubtful = 0;
  for (int32_t b = 0; b < n; b += BLOCK) {
    for (int32_t q = b; q < b + BLOCK; q++) {
      double z = (double)q * step;
      z = z < last ? z : last;
      int32_t k = (int32_t)z;
      double part = z - (double)k;
      doubtful += (part < doubt) | (part > 1 - doubt);
      place[q] = k + (part > 0);
    }
  }
  return doubtful;
}

/* The same among samples, by cells. */
EAS_INLINE int64_t find_samples(double step, double last, double doubt, int32_t n, const int64_t *restrict cell,
                                int32_t *restrict place)
{
  int64_t doubtful = 0;
  for (int32_t b = 0; b < n; b += BLOCK) {
    for (int32_t q = b; q < b + BLOCK; q++) {
      double z = (double)q * step;
      z = z < last ? z : last;
      int32_t k = (int32_t)z;
      double part = z - (double)k;
      int64_t c = cell[k];
      double off = (double)(int32_t)(c & 0x7fffffff) * 0x1p-30 - part;
      doubtful += (part < doubt) | (part > 1 - doubt) | (fabs(off) < doubt);
      place[q] = (int32_t)(c >> 31) + (off < 0);
    }
  }
  return doubtful;
}

EAS_INLINE void gather_sums(const int32_t *restrict place, int32_t n, const int64_t *restrict sum, int64_t *restrict to)
{
  for (int32_t b = 0; b < n; b += BLOCK)
    for (int32_t q = b; q < b + BLOCK; q++) to[q] = sum[place[q]];
}

EAS_INLINE void gather_counts(int32_t n, const int32_t *restrict count, int32_t *restrict place)
{
  for (int32_t b = 0; b < n; b += BLOCK)
    for (int32_t q = b; q < b + BLOCK; q++) place[q] = count[place[q]];
}

/* Sums and counts before all edges; 0 if one of them is doubtful. */
EAS_INLINE int look_up(const fold_work *f)
{
  const kovacs_edges *e = f->edges;
  int32_t n = (int32_t)((f->n + BLOCK - 1) / BLOCK * BLOCK);
  double last = (double)e->slots + (e->uniform ? -0.5 : 0.5); /* the middle of what has all before it */
  int64_t doubtful = e->uniform ? find_slots(f->step, last, e->doubt, n, f->count)
                                : find_samples(f->step, last, e->doubt, n, e->cell, f->count);
  if (doubtful > 1) return 0;
  gather_sums(f->count, n, e->sum, f->sum);
  if (e->count != NULL) gather_counts(n, e->count, f->count);
  return 1;
}

EAS_INLINE void add_columns(const fold_work *f)
{
  for (size_t b = 0; b < f->bins; b += TILE) {
    sums_tile s = { 0 };
    counts_tile c = { 0 };
    for (size_t q = b; q < f->n; q += f->bins) {
      s += *(const sums_tile *)(const void *)(f->sum + q);
      c += *(const counts_tile *)(const void *)(f->count + q);
    }
    *(sums_tile *)(void *)(f->column + b) = s;
    *(counts_tile *)(void *)(f->column_of_counts + b) = c;
  }
}

EAS_INLINE int fold_edges(const fold_work *f, double *y, double *c, uint32_t samples)
{
  const kovacs_edges *e = f->edges;
  int64_t all = e->sum[e->uniform ? e->slots : samples];
  double unscale = 1 / e->scale;
  if (!look_up(f)) return 0;
  add_columns(f);
  f->column[f->bins] = (int64_t)((uint64_t)f->column[0] + (uint64_t)all);
  f->column_of_counts[f->bins] = f->column_of_counts[0] + samples;
  for (size_t b = 0; b < f->bins; b++) {
    y[b] = (double)(int64_t)((uint64_t)f->column[b + 1] - (uint64_t)f->column[b]) * unscale;
    c[b] = (double)(f->column_of_counts[b + 1] - f->column_of_counts[b]);
  }
  return 1;
}

EAS_TARGET_AVX512 static int fold_avx512(const fold_work *f, double *y, double *c, uint32_t samples)
{
  return fold_edges(f, y, c, samples);
}

EAS_TARGET_AVX2 static int fold_avx2(const fold_work *f, double *y, double *c, uint32_t samples)
{
  return fold_edges(f, y, c, samples);
}

int kovacs_edges_fold(const kovacs_plan *plan, double frequency, double *y, double *c, void *work)
{
  const kovacs_setup *s = &plan->setup;
  size_t n = s->job->n, columns = kovacs_round(s->bins) + KOVACS_LANES;
  double cycles = floor(plan->x[n - 1] * frequency) + 1, edges = cycles * (double)s->bins;
  if (!(edges * (plan->edges.uniform ? 1 : 2) <= (double)n)) return 0;

  fold_work f = { .edges = &plan->edges,
                  .step = 1 / (frequency * (double)s->bins * plan->edges.unit),
                  .bins = s->bins };
  f.n = (size_t)edges;
  f.column = work;
  f.sum = f.column + columns;
  f.column_of_counts = (uint32_t *)(void *)(f.sum + kovacs_round(n) + 2 * KOVACS_LANES);
  f.count = (int32_t *)(void *)(f.column_of_counts + columns);
  if (plan->level == EAS_SIMD_AVX512) return fold_avx512(&f, y, c, (uint32_t)n);
  if (plan->level == EAS_SIMD_AVX2) return fold_avx2(&f, y, c, (uint32_t)n);
  return fold_edges(&f, y, c, (uint32_t)n);
}
