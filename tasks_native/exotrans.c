/* exotrans.c: the wavelet filter, and jumps. */
#include "exotrans.h"
#include <math.h>
#include <string.h>
#include "select.h"

enum { LEVELS_MOST = 30, TURNS = 5 };

int eas_exotrans_check(const eas_exotrans_job *job)
{
  if (job->n == 0) return EAS_EFEW;
  if (job->y == NULL || job->trend == NULL || job->piece == NULL || job->n_piece == 0) return EAS_EARG;
  if (job->levels < 1 || job->levels > LEVELS_MOST || job->n > UINT32_MAX) return EAS_EARG;
  if (job->piece[0] != 0 || job->piece[job->n_piece] != job->n) return EAS_EARG;
  for (size_t i = 0; i < job->n_piece; i++)
    if (job->piece[i + 1] <= job->piece[i]) return EAS_EARG;
  for (size_t i = 0; i < job->n; i++)
    if ((job->mask == NULL || job->mask[i] == 0) && !(fabs(job->y[i]) <= 1e100)) return EAS_EDATA;
  return EAS_OK;
}

/* Index i of n, mirrored at the first and the last, or around. */
static size_t fold_index(ptrdiff_t i, ptrdiff_t n, int periodic)
{
  if (i >= 0 && i < n) return (size_t)i;
  if (n == 1) return 0;
  ptrdiff_t around = periodic ? n : 2 * (n - 1);
  i %= around;
  if (i < 0) i += around;
  return (size_t)(i < n ? i : around - i);
}

static double at_ends(const double *in, ptrdiff_t n, ptrdiff_t i, ptrdiff_t h, int periodic)
{
  return (in[fold_index(i - 2 * h, n, periodic)] + 4 * in[fold_index(i - h, n, periodic)] + 6 * in[i] +
          4 * in[fold_index(i + h, n, periodic)] + in[fold_index(i + 2 * h, n, periodic)]) /
         16;
}

void eas_exotrans_smooth(const double *in, size_t n, int level, int periodic, double *out)
{
  ptrdiff_t m = (ptrdiff_t)n, h = (ptrdiff_t)1 << level, lo = 2 * h < m ? 2 * h : m,
            hi = m - 2 * h > lo ? m - 2 * h : lo;
  for (ptrdiff_t i = 0; i < lo; i++) out[i] = at_ends(in, m, i, h, periodic);
  for (ptrdiff_t i = lo; i < hi; i++)
    out[i] = (in[i - 2 * h] + 4 * in[i - h] + 6 * in[i] + 4 * in[i + h] + in[i + 2 * h]) / 16;
  for (ptrdiff_t i = hi; i < m; i++) out[i] = at_ends(in, m, i, h, periodic);
}

size_t eas_exotrans_work_size(const eas_exotrans_job *job)
{
  size_t longest = 0;
  for (size_t i = 0; i < job->n_piece; i++) {
    size_t n = job->piece[i + 1] - job->piece[i];
    if (n > longest) longest = n;
  }
  return 4 * longest * sizeof(double) + longest;
}

/* Straight lines over what is masked; the nearest sample at the ends. 0 if there is no sample. */
static int fill_holes(double *z, const uint8_t *mask, size_t n)
{
  size_t last = n; /* sample before */
  for (size_t i = 0; i < n; i++) {
    if (mask != NULL && mask[i]) continue;
    for (size_t j = last < n ? last + 1 : 0; j < i; j++)
      z[j] = last < n ? z[last] + (z[i] - z[last]) * (double)(j - last) / (double)(i - last) : z[i];
    last = i;
  }
  for (size_t j = last + 1; last < n && j < n; j++) z[j] = z[last];
  return last < n;
}

static void cascade(const double *z, size_t n, int levels, double *a, double *b)
{
  memcpy(a, z, n * sizeof *a);
  for (int j = 0; j < levels; j++) {
    eas_exotrans_smooth(a, n, j, 0, b);
    memcpy(a, b, n * sizeof *a);
  }
}

typedef struct {
  const double *y;
  const uint8_t *mask;
  size_t n;
  int levels;
  double *z, *trend, *b, *scratch; /* [n] each */
  uint8_t *hidden;                 /* [n] masked, or not part of the trend */
} piece_fit;

static double sigma_of(const piece_fit *f, const double *r)
{
  size_t m = 0;
  for (size_t i = 0; i < f->n; i++)
    if (f->mask == NULL || !f->mask[i]) f->scratch[m++] = fabs(r[i]);
  return 1.4826 * eas_median(f->scratch, m);
}

/* Hides samples over three sigma off the trend, and dips whose means over an eighth of a wave are three of their own
 * sigmas below it: shallow transits stand out in these alone. */
static void hide(piece_fit *f)
{
  int level = f->levels > 3 ? f->levels - 3 : 0;
  for (size_t i = 0; i < f->n; i++) f->z[i] = f->mask != NULL && f->mask[i] ? 0 : f->y[i] - f->trend[i];
  double sigma = sigma_of(f, f->z);
  for (size_t i = 0; i < f->n; i++) f->hidden[i] = (f->mask != NULL && f->mask[i]) || fabs(f->z[i]) > 3 * sigma;
  for (int j = 0; j < level; j++) {
    eas_exotrans_smooth(f->z, f->n, j, 0, f->b);
    memcpy(f->z, f->b, f->n * sizeof *f->z);
  }
  sigma = sigma_of(f, f->z);
  size_t reach = (size_t)1 << level; /* means fade at the ends of a dip */
  for (size_t i = 0; i < f->n; i++) {
    if (!(f->z[i] < -3 * sigma)) continue;
    size_t lo = i > reach ? i - reach : 0, hi = i + reach < f->n ? i + reach : f->n - 1;
    memset(f->hidden + lo, 1, hi - lo + 1);
  }
}

/* Leaves the trend of a piece in f->trend; 0 where it has no sample. */
static int find_trend(piece_fit *f)
{
  for (size_t i = 0; i < f->n; i++) f->hidden[i] = f->mask != NULL && f->mask[i];
  for (int turn = 0; turn < TURNS; turn++) {
    for (size_t i = 0; i < f->n; i++) f->z[i] = f->hidden[i] && turn > 1 ? f->trend[i] : f->y[i];
    if (turn <= 1 && !fill_holes(f->z, f->hidden, f->n)) return 0;
    cascade(f->z, f->n, f->levels, f->trend, f->b);
    if (turn + 1 < TURNS) hide(f);
  }
  return 1;
}

static double median_of_piece(const piece_fit *f)
{
  size_t m = 0;
  for (size_t i = 0; i < f->n; i++)
    if (f->mask == NULL || !f->mask[i]) f->scratch[m++] = f->y[i];
  return eas_median(f->scratch, m);
}

int eas_exotrans_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_exotrans_job *job = argument;
  for (size_t p = i0; p < i1; p++) {
    size_t first = job->piece[p], n = job->piece[p + 1] - first;
    double *z = work;
    piece_fit f = { .y = job->y + first,
                    .mask = job->mask == NULL ? NULL : job->mask + first,
                    .n = n,
                    .levels = job->levels,
                    .z = z,
                    .trend = z + n,
                    .b = z + 2 * n,
                    .scratch = z + 3 * n,
                    .hidden = (uint8_t *)(z + 4 * n) };
    while (f.levels > 0 && n < ((size_t)8 << f.levels)) f.levels--;
    if (f.levels == 0 || !find_trend(&f)) { /* too short for a wave: its median */
      double level = median_of_piece(&f);
      for (size_t i = 0; i < n; i++) f.trend[i] = level;
    }
    memcpy(job->trend + first, f.trend, n * sizeof *f.trend);
  }
  return EAS_OK;
}

/* Mean of the samples lo <= i < hi from prefix sums; *n: how many they are. */
static double mean_of(const double *sum, const double *count, size_t lo, size_t hi, double *n)
{
  *n = count[hi] - count[lo];
  return (sum[hi] - sum[lo]) / *n;
}

/* What y rises by at sample i, in sigmas of white noise; 0 where a side has too few samples. */
static double rise_at(const double *sum, const double *count, size_t n, size_t i, size_t width, double sigma,
                      double *rise)
{
  double left, right;
  *rise = 0;
  if (i < width || i + width > n) return 0;
  double before = mean_of(sum, count, i - width, i, &left), after = mean_of(sum, count, i, i + width, &right);
  if (left < 0.5 * (double)width || right < 0.5 * (double)width) return 0;
  *rise = after - before;
  return *rise / (sigma * sqrt(1 / left + 1 / right));
}

static int is_jump(const double *sum, const double *count, size_t n, size_t i, size_t width, double sigma)
{
  double rise, quick, other, z = rise_at(sum, count, n, i, width, sigma, &rise);
  if (!(fabs(z) > 7)) return 0;
  size_t quarter = width / 4 > 1 ? width / 4 : 1;
  double near = rise_at(sum, count, n, i, quarter, sigma, &quick);
  if (!(quick * rise > 0) || fabs(quick) < 0.6 * fabs(rise) || !(fabs(near) > 7)) return 0;
  size_t lo = i > 2 * width ? i - 2 * width : 0, hi = i + 2 * width < n ? i + 2 * width : n;
  for (size_t j = lo; j < hi; j++) {
    double there = rise_at(sum, count, n, j, quarter, sigma, &other);
    if (other * rise < 0 && fabs(other) > 0.5 * fabs(rise) && fabs(there) > 5) return 0; /* it goes back: a transit */
    if (other * rise > 0 && fabs(other) > fabs(quick) && j + quarter > i && j < i + quarter)
      return 0; /* sharper beside */
  }
  return 1;
}

size_t eas_exotrans_jumps(const double *y, const uint8_t *mask, size_t n, size_t width, double sigma, uint32_t *at,
                          size_t max, double *scratch)
{
  size_t found = 0, after = 0;
  if (n < 4 || width < 2 || 2 * width > n || !(sigma > 0)) return 0;
  double *sum = scratch, *count = scratch + n; /* prefix sums of n - 1 samples: the last one is nobody's right side */
  sum[0] = count[0] = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    int have = mask == NULL || !mask[i];
    sum[i + 1] = sum[i] + (have ? y[i] : 0);
    count[i + 1] = count[i] + have;
  }
  for (size_t i = width; i + width < n && found < max; i++) {
    if (i < after || !is_jump(sum, count, n - 1, i, width, sigma)) continue;
    at[found++] = (uint32_t)i;
    after = i + width;
  }
  return found;
}
