/* bls__rows.c: uniform cadence, gaps allowed: whole cycles added as rows.
 *
 * In units of the cadence sample k stands at k, and cycle c begins at c s. Its first sample is f = ceil(c s), at
 * phase u = f - c s in [0, 1), its m-th at u + m. So a phase edge at m + v (v in [0, 1)) has below it the columns
 * 0 .. m - 1 of all cycles, and column m of those with u < v. With cycles in the order of u, running sums of rows
 * give every edge by one look-up. The first cycle has bins that do not depend on the period; it is taken from the
 * definition, since many of its samples stand on edges. Where another sample stands so near to an edge that
 * rounding decides, the trial is left to the definition's own order (bls__fold.c). */
#include "bls_parts.h"
#include "uniform.h"
#include <string.h>

enum { DENOMINATOR_MAX = 256, TILE = 32 /* columns */, SPARE = 2 * TILE };

static size_t slots_most(size_t n)
{
  return n < 250000000 ? 2 * n : 500000000;
} /* places are kept in 32 bits */

size_t bls_rows_plan_size(size_t n)
{
  return 2 * (2 * slots_most(n) + SPARE) * sizeof(double); /* rows are read past the last sample */
}

size_t bls_rows_bins_size(size_t cells)
{
  return (cells + 15) / 16 * 16 * (3 * sizeof(double) + sizeof(uint32_t));
}

/* Numbers every sample by its slot and finds the cadence; 0 if there is none. */
static int number_slots(bls_rows *rows, const double *x, size_t n, double *scratch)
{
  eas_uniform u;
  if (!eas_uniform_find(x, n, slots_most(n), scratch, &u)) return 0;
  rows->slots = u.slots;
  rows->step = u.step;
  rows->doubt = 2 * u.worst + 1e-15 * (double)u.slots + 1e-11;
  return 1;
}

/* Smallest q with q edge widths a whole number of slots; 0 if there is none. */
static size_t denominator(double width)
{
  for (size_t q = 1; q <= DENOMINATOR_MAX; q++) {
    double whole = width * (double)q;
    if (fabs(whole - nearbyint(whole)) < 1e-10 * whole) return q;
  }
  return 0;
}

static void tabulate_edges(bls_rows *rows, double width, size_t cells)
{
  size_t q = rows->denominator = denominator(width);
  double whole = nearbyint(width * (double)q);
  for (size_t j = 0; j < cells; j++) {
    double edge = q > 0 ? floor((double)j * whole / (double)q) : floor((double)j * width);
    rows->column[j] = (uint32_t)edge;
    rows->edge[j] = q > 0 ? fmod((double)j * whole, (double)q) / (double)q : (double)j * width - edge;
  }
}

int bls_rows_prepare(bls_plan *plan, void *memory, double *scratch)
{
  bls_rows *rows = &plan->rows;
  const eas_bls_job *job = plan->setup.job;
  size_t n = job->n;
  if (!number_slots(rows, plan->x, n, scratch)) return 0;
  size_t grid = 2 * rows->slots + SPARE;
  double *y = memory, *w = y + grid;
  memset(memory, 0, 2 * grid * sizeof(double));
  for (size_t i = 0; i < n; i++) {
    size_t k = (size_t)nearbyint(plan->x[i] / rows->step);
    y[k] = plan->yw[2 * i];
    w[k] = plan->yw[2 * i + 1];
  }
  rows->y = y;
  rows->w = w;
  rows->plain = rows->slots == n && job->ivar == NULL;
  return 1;
}

void bls_rows_tabulate(bls_plan *plan, void *memory)
{
  bls_rows *rows = &plan->rows;
  const bls_setup *s = &plan->setup;
  size_t n = s->job->n, cells = plan->cells;
  double *y0 = memory, *w0 = y0 + cells, limit = (double)cells * s->bin;
  rows->edge = w0 + cells;
  rows->column = (uint32_t *)(void *)(rows->edge + cells);
  memset(memory, 0, 2 * cells * sizeof(double));
  for (size_t i = 0; i < n && plan->x[i] < limit; i++) {
    size_t bin = (size_t)(plan->x[i] / s->bin) + 1;
    if (bin >= cells) continue;
    y0[bin] += plan->yw[2 * i];
    w0[bin] += plan->yw[2 * i + 1];
  }
  for (size_t j = 1; j < cells; j++) {
    y0[j] += y0[j - 1];
    w0[j] += w0[j - 1];
  }
  rows->y_first = y0;
  rows->w_first = w0;
  tabulate_edges(rows, s->bin / rows->step, cells);
}

static size_t cycles_most(const bls_plan *plan, double shortest)
{
  return (size_t)((double)plan->rows.slots * plan->rows.step / shortest) + 2;
}

/* Scratch of one trial: phases and first samples of the cycles, counts by class, ranks, running sums of rows. */
typedef struct {
  double *u, *sums, *below;
  uint32_t *first, *class_end, *rank, *place, *kept, *at;
  size_t kinds;
} rows_scratch;

static size_t round_up(size_t n)
{
  return (n + 15) / 16 * 16;
}

static size_t sums_size(const bls_plan *plan, size_t cycles) /* (cycles + 1) rows of one cycle's columns */
{
  return round_up(2 * plan->rows.slots + 2 * TILE * (cycles + 2));
}

size_t bls_rows_work_size(const bls_plan *plan, double shortest)
{
  size_t cycles = round_up(cycles_most(plan, shortest));
  size_t doubles = cycles + sums_size(plan, cycles) + round_up(plan->rows.slots + SPARE);
  size_t integers = 3 * cycles + round_up(2 * cycles + 1) + 2 * round_up(plan->cells) + 16;
  return doubles * sizeof(double) + integers * sizeof(uint32_t) + 64;
}

static rows_scratch lay_out(const bls_plan *plan, double shortest, double *work)
{
  rows_scratch t;
  size_t cycles = round_up(cycles_most(plan, shortest));
  t.sums = work;
  t.below = t.sums + sums_size(plan, cycles);
  t.u = t.below + round_up(plan->rows.slots + SPARE);
  t.first = (uint32_t *)(void *)(t.u + cycles);
  t.kept = t.first + cycles;
  t.at = t.kept + cycles;
  t.class_end = t.at + cycles;
  t.rank = t.class_end + round_up(2 * cycles + 1);
  t.place = t.rank + round_up(plan->cells);
  t.kinds = 0;
  return t;
}

/* Cycles 1 .. into first[] in the order of their phase u[]; -1 where a sample is too near to a cycle's end. */
static int sort_cycles(const bls_plan *plan, double s, rows_scratch *t, size_t *classes)
{
  double doubt = plan->rows.doubt, last = (double)(plan->rows.slots - 1);
  size_t n = s <= last ? (size_t)(last / s) : 0, q = 1;
  while (q < n) q *= 2;
  *classes = q;
  memset(t->class_end, 0, (q + 1) * sizeof *t->class_end);
  for (size_t c = 1; c <= n; c++) {
    double start = (double)c * s, u = ceil(start) - start;
    if (u <= doubt || u >= 1 - doubt) return -1;
    t->class_end[(size_t)(u * (double)q) + 1]++;
  }
  for (size_t k = 1; k <= q; k++) t->class_end[k] += t->class_end[k - 1]; /* now begins of classes */
  for (size_t c = 1; c <= n; c++) {
    double start = (double)c * s, f = ceil(start), u = f - start;
    size_t at = t->class_end[(size_t)(u * (double)q)]++;
    t->u[at] = u;
    t->first[at] = (uint32_t)f;
  }
  for (size_t c = 1; c < n; c++) { /* only within classes there is something left to move */
    double u = t->u[c];
    uint32_t f = t->first[c];
    size_t at = c;
    for (; at > 0 && t->u[at - 1] > u; at--) {
      t->u[at] = t->u[at - 1];
      t->first[at] = t->first[at - 1];
    }
    t->u[at] = u;
    t->first[at] = f;
  }
  return (int)n;
}

/* How many of u[n] are below v; -1 where one is too near to v. class_end as sort_cycles leaves it. */
static int rank_of(const rows_scratch *t, size_t n, size_t classes, double v, double doubt)
{
  size_t k = (size_t)(v * (double)classes), r = k > 0 ? t->class_end[k - 1] : 0;
  while (r < n && t->u[r] < v) r++;
  if (r < n && t->u[r] - v <= doubt) return -1;
  if (r > 0 && v - t->u[r - 1] <= doubt) return -1;
  return (int)r;
}

/* From one of each kind to all: edges of a kind come again after as many as there are kinds. */
static void repeat(uint32_t *of, size_t kinds, size_t bins)
{
  for (size_t done = kinds; done < bins; done *= 2)
    memcpy(of + done, of, (done < bins - done ? done : bins - done) * sizeof *of);
}

static int rank_edges(const bls_plan *plan, rows_scratch *t, size_t n, size_t classes, size_t bins)
{
  size_t kinds = plan->rows.denominator > 0 ? plan->rows.denominator : bins;
  if (kinds > bins) kinds = bins;
  t->kinds = kinds;
  memset(t->kept, 0, n * sizeof *t->kept);
  t->kept[n] = 1; /* all rows */
  for (size_t k = 0; k < kinds; k++) {
    int r = rank_of(t, n, classes, plan->rows.edge[k], plan->rows.doubt);
    if (r < 0) return 0;
    t->rank[k] = (uint32_t)r;
    t->kept[r] = 1;
  }
  repeat(t->rank, kinds, bins);
  return 1;
}

/* Running sums of rows, kept where a rank needs them: at[r] says which row of sums is that of the first r. */
typedef struct {
  const uint32_t *first; /* [n] */
  const uint32_t *kept;  /* [n + 1] 1: some edge has this rank */
  uint32_t *at;          /* [n + 1] */
  size_t n, width;
} row_plan;

typedef double tile __attribute__((vector_size(64), aligned(8))); /* 8 columns; narrower machines split it */

/* Rows are added in registers, a tile of columns after the other. */
EAS_INLINE void add_rows(const double *grid, const row_plan *p, double *sums)
{
  size_t width = p->width;
  uint32_t place = 0;
  for (size_t r = 0; r <= p->n; r++) {
    p->at[r] = place;
    if (p->kept[r]) place += (uint32_t)width;
  }
  for (size_t m = 0; m < width; m += TILE) {
    tile a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
    for (size_t r = 0; r <= p->n; r++) {
      if (p->kept[r]) {
        tile *to = (tile *)(void *)(sums + p->at[r] + m);
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
      }
      if (r == p->n) break;
      const tile *row = (const tile *)(const void *)(grid + p->first[r] + m);
      a += row[0];
      b += row[1];
      c += row[2];
      d += row[3];
    }
  }
}

/* prefix[j] = first[j] + all columns before that of edge j + its own column in the cycles below it. */
EAS_INLINE void look_up(const bls_rows *rows, const row_plan *p, const uint32_t *place, const double *first,
                        const double *sums, double *below, size_t bins, double *prefix)
{
  const double *all = sums + p->at[p->n];
  const uint32_t *column = rows->column;
  double sum = 0;
  for (size_t m = 0; m < p->width; m++) {
    below[m] = sum;
    sum += all[m];
  }
  for (size_t j = 0; j < bins; j++) prefix[j] = first[j] + (below[column[j]] + sums[place[j] + column[j]]);
}

/* The same of weights that are all 1 and without gaps: only the last cycle ends early. */
EAS_INLINE void count(const bls_rows *rows, const row_plan *p, const uint32_t *restrict rank, size_t bins,
                      double *restrict prefix)
{
  size_t last = 0; /* place of the last cycle in the order of phases */
  for (size_t r = 1; r < p->n; r++)
    if (p->first[r] > p->first[last]) last = r;
  const uint32_t *restrict column = rows->column;
  const double *restrict first = rows->w_first;
  int32_t whole = (int32_t)(rows->slots - p->first[last]), place = (int32_t)last, cycles = (int32_t)p->n;
  for (size_t j = 0; j < bins; j++) {
    int32_t m = (int32_t)column[j], r = (int32_t)rank[j];
    int32_t missing = m > whole ? m - whole : 0;
    missing += (m >= whole) & (place < r);
    prefix[j] = first[j] + ((double)cycles * (double)m + (double)(r - missing));
  }
}

EAS_INLINE void sum_and_look_up(const bls_rows *rows, const rows_scratch *t, size_t n, size_t width, size_t bins,
                                double *y, double *w)
{
  row_plan p = { .first = t->first, .kept = t->kept, .at = t->at, .n = n, .width = width };
  add_rows(rows->y, &p, t->sums);
  if (rows->plain) count(rows, &p, t->rank, bins, w);
  for (size_t k = 0; k < t->kinds; k++) t->place[k] = t->at[t->rank[k]];
  repeat(t->place, t->kinds, bins);
  look_up(rows, &p, t->place, rows->y_first, t->sums, t->below, bins, y);
  if (rows->plain) return;
  add_rows(rows->w, &p, t->sums);
  look_up(rows, &p, t->place, rows->w_first, t->sums, t->below, bins, w);
}

EAS_TARGET_AVX512 static void sum_avx512(const bls_rows *rows, const rows_scratch *t, size_t n, size_t width,
                                         size_t bins, double *y, double *w)
{
  sum_and_look_up(rows, t, n, width, bins, y, w);
}

EAS_TARGET_AVX2 static void sum_avx2(const bls_rows *rows, const rows_scratch *t, size_t n, size_t width, size_t bins,
                                     double *y, double *w)
{
  sum_and_look_up(rows, t, n, width, bins, y, w);
}

int bls_rows_fold(const bls_plan *plan, double period, size_t bins, double *y, double *w, double *work)
{
  const bls_rows *rows = &plan->rows;
  rows_scratch t = lay_out(plan, plan->shortest, work);
  size_t classes;
  int n = sort_cycles(plan, period / rows->step, &t, &classes);
  if (n < 0 || !rank_edges(plan, &t, (size_t)n, classes, bins)) return 0;

  size_t width = (rows->column[bins - 1] + TILE) / TILE * TILE;
  if (n == 0) {
    memcpy(y, rows->y_first, bins * sizeof *y);
    memcpy(w, rows->w_first, bins * sizeof *w);
  } else if (plan->level == EAS_SIMD_AVX512)
    sum_avx512(rows, &t, (size_t)n, width, bins, y, w);
  else if (plan->level == EAS_SIMD_AVX2)
    sum_avx2(rows, &t, (size_t)n, width, bins, y, w);
  else
    sum_and_look_up(rows, &t, (size_t)n, width, bins, y, w);

  y[bins] = plan->setup.y_total;
  w[bins] = plan->setup.w_total;
  bls_wrap_sums(&plan->setup, bins, y, w);
  return 1;
}
