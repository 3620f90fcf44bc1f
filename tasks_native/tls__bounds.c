/* tls__bounds.c: what the fast paths need to know of rows and samples to pass over windows that cannot win.
 *
 * A window of sum M and sum of squares E gains 2 r C - r^2 Q, r proportional to M. C is that of a stack of boxes
 * with the shape's own means, from differences of prefix sums, and at most |shape - boxes| sqrt(E) more. */
#include "select.h"
#include "tls_parts.h"

enum { SMALL = 20 };
enum { POINTS = TLS_FINEST }; /* of half a shape, where boxes may begin */

typedef struct {
  double sum[POINTS + 1], squares[POINTS + 1]; /* of the shape before each point */
  size_t at[POINTS + 1];                       /* samples before each point; the last is the middle */
  size_t n;                                    /* points */
} profile;

/* Points are dense at the rim, where the shape is steep. */
static void profile_of(const double *s, size_t width, profile *p)
{
  size_t half = (width + 1) / 2, last = 0;
  p->n = 0;
  p->at[0] = 0;
  p->sum[0] = p->squares[0] = 0;
  for (size_t k = 1; k <= POINTS; k++) {
    double x = (double)k / POINTS;
    size_t to = k == POINTS ? half : (size_t)(x * x * (double)half);
    if (to <= last) continue;
    p->n++;
    p->at[p->n] = to;
    p->sum[p->n] = p->sum[p->n - 1];
    p->squares[p->n] = p->squares[p->n - 1];
    for (size_t j = last; j < to; j++) {
      double count = 2 * j + 1 == width ? 0.5 : 1; /* the middle sample is of both halves */
      p->sum[p->n] += count * s[j];
      p->squares[p->n] += count * s[j] * s[j];
    }
    last = to;
  }
}

static double samples_between(const profile *p, size_t width, size_t i, size_t j)
{
  double to = j == p->n ? 0.5 * (double)width : (double)p->at[j];
  return to - (double)p->at[i];
}

static double miss(const profile *p, size_t width, size_t i, size_t j)
{
  double sum = p->sum[j] - p->sum[i];
  return fmax(p->squares[j] - p->squares[i] - sum * sum / samples_between(p, width, i, j), 0);
}

/* The best boxes over points, by dynamic programming: from[b][j] is where the last of b + 1 boxes up to j begins. */
static void choose_boxes(const profile *p, size_t width, size_t most, tls_boxes *boxes)
{
  double cost[TLS_FINE][POINTS + 1], above[TLS_FINE];
  size_t from[TLS_FINE][POINTS + 1];
  if (most > p->n) most = p->n;
  for (size_t b = 0; b < most; b++) {
    for (size_t j = b + 1; j <= p->n; j++) {
      cost[b][j] = b == 0 ? miss(p, width, 0, j) : INFINITY;
      from[b][j] = 0;
      for (size_t i = b; b > 0 && i < j; i++) {
        double all = cost[b - 1][i] + miss(p, width, i, j);
        if (!(all < cost[b][j])) continue;
        cost[b][j] = all;
        from[b][j] = i;
      }
    }
  }
  *boxes = (tls_boxes){ .n = (int32_t)most };
  size_t to = p->n;
  for (size_t b = most; b-- > 0;) {
    size_t i = from[b][to];
    boxes->edge[b] = (int32_t)p->at[i];
    above[b] = (p->sum[to] - p->sum[i]) / samples_between(p, width, i, to);
    to = i;
  }
  for (size_t b = 0; b < most; b++) boxes->step[b] = (float)(above[b] - (b > 0 ? above[b - 1] : 0));
}

/* A box at every point. */
static void all_boxes(const profile *p, size_t width, tls_boxes *boxes)
{
  double before = 0;
  *boxes = (tls_boxes){ .n = (int32_t)p->n };
  for (size_t b = 0; b < p->n; b++) {
    double mean = (p->sum[b + 1] - p->sum[b]) / samples_between(p, width, b, b + 1);
    boxes->edge[b] = (int32_t)p->at[b];
    boxes->step[b] = (float)(mean - before);
    before = mean;
  }
}

/* What the boxes, as floats, miss of the shape. */
static double rest_of(const double *s, size_t width, const tls_boxes *box)
{
  double squares = 0;
  for (size_t j = 0; j < width; j++) {
    size_t inside = j < width - 1 - j ? j : width - 1 - j;
    double boxes = 0;
    for (int b = 0; b < box->n; b++)
      if ((size_t)box->edge[b] <= inside) boxes += (double)box->step[b];
    squares += (s[j] - boxes) * (s[j] - boxes);
  }
  return sqrt(squares);
}

/* small[j]: all but 2^j - 1 samples have this weight or more, over the mean. scratch [n] */
static void smallest_weights(const tls_plan *plan, double *scratch, double *small)
{
  for (size_t i = 0; i < plan->n; i++) scratch[i] = plan->w[i] / plan->weight;
  for (size_t j = 0; j < SMALL; j++) {
    size_t k = ((size_t)1 << j) - 1;
    small[j] = k < plan->n ? eas_select(scratch, plan->n, k) : 0;
  }
}

/* Least weighted sum of squares of the shape in any window: the samples of less weight may stand where it is deepest. */
static double least_squares(const tls_row *row, const double *small)
{
  double most = 0;
  for (size_t j = 0; j < SMALL; j++)
    most = fmax(most, small[j] * (row->squares - 0.25 * (double)(((size_t)1 << j) - 1)));
  return most;
}

/* Steps of boxes that are nowhere above the shape's squares, for masses. */
static void square_steps(const tls_plan *plan, const double *s, size_t width, const tls_boxes *box, int most,
                         float *out)
{
  double level[TLS_FINE + 1], before = 0, unit = plan->lump * (1 - 1e-5); /* less: for what is rounded */
  level[box->n] = INFINITY;
  for (int b = box->n - 1; b >= 0; b--) {
    size_t to = b + 1 < box->n ? (size_t)box->edge[b + 1] : (width + 1) / 2;
    level[b] = level[b + 1];
    for (size_t j = (size_t)box->edge[b]; j < to; j++)
      level[b] = fmin(level[b], fmin(s[j] * s[j], s[width - 1 - j] * s[width - 1 - j]));
  }
  for (int b = 0; b < box->n; b++) {
    out[b] = (float)((level[b] - before) * unit);
    before = level[b];
  }
  for (int b = box->n; b < most; b++) out[b] = 0;
}

void tls_fill_bounds(tls_plan *plan, const eas_tls_settings *set, tls_bound *bound, double *scratch)
{
  const double more = 1 + 1e-6; /* for what is rounded to floats */
  double small[SMALL];
  if (plan->w != NULL) smallest_weights(plan, scratch, small);
  for (size_t k = 0; k < plan->n_row; k++) {
    const tls_row *row = &plan->row[k];
    const double *s = plan->shape + row->at;
    double width = (double)row->width;
    tls_bound *b = &bound[k];
    profile p;
    profile_of(s, row->width, &p);
    choose_boxes(&p, row->width, TLS_COARSE, &b->coarse);
    b->coarse.rest = (float)(rest_of(s, row->width, &b->coarse) * more);
    choose_boxes(&p, row->width, TLS_FINE, &b->fine);
    b->fine.rest = (float)(rest_of(s, row->width, &b->fine) * more);
    all_boxes(&p, row->width, &b->finest);
    b->finest.rest = (float)(rest_of(s, row->width, &b->finest) * more);
    double mean = row->sum / width;
    b->depth = (float)(2 * row->overshoot / width);
    b->squares = (float)((plan->w != NULL ? least_squares(row, small) : row->squares) / more);
    b->squares = fminf(b->squares, (float)(2 * mean * (1 - 1e-6) / (double)b->depth)); /* bounds grow with the sum */
    b->slack = (float)(0.5 * width + 1);
    b->least = (float)(set->depth_min / more * width / plan->quantum);
    if (plan->w == NULL) continue;
    b->light = (float)(small[0] * row->squares * (1 - 1e-5));
    square_steps(plan, s, row->width, &b->coarse, TLS_COARSE, b->coarse_square);
    square_steps(plan, s, row->width, &b->fine, TLS_FINE, b->fine_square);
  }
}

void tls_fill_quanta(tls_plan *plan, int32_t *q)
{
  double size = 0, plain = 0, squares = 0;
  for (size_t i = 0; i < plan->n; i++) {
    double v = plan->w != NULL ? plan->e[i] * plan->w[i] / plan->weight : plan->e[i];
    size += fabs(v);
    plain += fabs(plan->e[i]);
  }
  double finest = fmax(size, plain) * 0x1p-28; /* sums over all samples and those repeated stay below 2^30 */
  plan->quantum = finest > 0 ? finest : 1;
  for (size_t i = 0; i < plan->n; i++) {
    double v = plan->w != NULL ? plan->e[i] * plan->w[i] / plan->weight : plan->e[i];
    q[i] = (int32_t)lrint(v / plan->quantum);
    double top = fabs((double)q[i]) + 1;
    squares += top * top;
  }
  q[plan->n] = 0;
  plan->square = (float)(2 * squares * 0x1p-29);
}

void tls_fill_masses(tls_plan *plan, int32_t *plain, int32_t *mass)
{
  size_t n = plan->n;
  double least = INFINITY, all = 0;
  for (size_t i = 0; i < n; i++) least = fmin(least, plan->w[i]);
  for (size_t i = 0; i < n; i++) all += (plan->w[i] - least) / plan->weight;
  plan->lump = all > 0 ? all * 0x1p-29 : 1; /* sums over all samples and those repeated stay below 2^30 */
  for (size_t i = 0; i < n; i++) {
    plain[i] = (int32_t)lrint(plan->e[i] / plan->quantum);
    mass[i] = (int32_t)floor((plan->w[i] - least) / plan->weight / plan->lump);
  }
  plain[n] = mass[n] = 0;
  plan->plain = plain;
  plan->mass = mass;
}
