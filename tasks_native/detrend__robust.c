/* detrend__robust.c: biweight and median, from a window whose values are kept in order. */
#include <string.h>
#include "detrend_parts.h"
#include "simd.h"

enum { LANES = 8, TURNS = 50 };

typedef struct {
  double *value; /* [n] rising */
  size_t n;
} sorted;

size_t detrend_robust_size(const eas_detrend_job *job)
{
  return (detrend_fullest(job) + 2) * sizeof(double);
}

/* How many values are below x. */
static size_t below(const sorted *s, double x)
{
  size_t lo = 0, hi = s->n;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (s->value[mid] < x)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

static void insert(sorted *s, double x)
{
  size_t at = below(s, x);
  memmove(s->value + at + 1, s->value + at, (s->n - at) * sizeof x);
  s->value[at] = x;
  s->n++;
}

static void take_out(sorted *s, double x)
{
  size_t at = below(s, x);
  s->n--;
  memmove(s->value + at, s->value + at + 1, (s->n - at) * sizeof x);
}

static double median_of(const sorted *s)
{
  return s->n % 2 ? s->value[s->n / 2] : 0.5 * (s->value[s->n / 2 - 1] + s->value[s->n / 2]);
}

/* The k-th smallest (from 0) distance from m: a of the k + 1 nearest lie below m, and no a fits worse. */
static double nearest(const sorted *s, double m, size_t k)
{
  size_t split = below(s, m), lo = k + 1 > s->n - split ? k + 1 - (s->n - split) : 0,
         hi = k + 1 < split ? k + 1 : split;
  while (lo < hi) { /* a below, k + 1 - a from m on */
    size_t a = (lo + hi) / 2;
    if (m - s->value[split - a - 1] < s->value[split + k - a] - m)
      lo = a + 1;
    else
      hi = a;
  }
  double down = lo > 0 ? m - s->value[split - lo] : -INFINITY;
  double up = k + 1 > lo ? s->value[split + k - lo] - m : -INFINITY;
  return fmax(down, up);
}

static double deviation_of(const sorted *s, double m)
{
  double upper = nearest(s, m, s->n / 2);
  return s->n % 2 ? upper : 0.5 * (nearest(s, m, s->n / 2 - 1) + upper);
}

/* Sums of weights, and of weights times distances from m, of x[n] in lanes that do not depend on the machine. */
EAS_INLINE void weigh(const double *x, size_t n, double m, double scale, double *weights, double *moments)
{
  typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
  lanes w = { 0 }, wx = { 0 };
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    lanes d;
    memcpy(&d, x + i, sizeof d);
    d -= m;
    lanes u = 1 - (d * scale) * (d * scale);
    w += u * u;
    wx += d * u * u;
  }
  for (int k = 0; i < n; i++, k++) {
    double d = x[i] - m, u = 1 - (d * scale) * (d * scale);
    w[k] += u * u;
    wx[k] += d * u * u;
  }
  for (int k = 1; k < LANES; k++) {
    w[0] += w[k];
    wx[0] += wx[k];
  }
  *weights = w[0];
  *moments = wx[0];
}

typedef void weigher(const double *x, size_t n, double m, double scale, double *weights, double *moments);

EAS_TARGET_AVX512 static void weigh_avx512(const double *x, size_t n, double m, double scale, double *weights,
                                           double *moments)
{
  weigh(x, n, m, scale, weights, moments);
}

EAS_TARGET_AVX2 static void weigh_avx2(const double *x, size_t n, double m, double scale, double *weights,
                                       double *moments)
{
  weigh(x, n, m, scale, weights, moments);
}

static void weigh_sse2(const double *x, size_t n, double m, double scale, double *weights, double *moments)
{
  weigh(x, n, m, scale, weights, moments);
}

static weigher *best_weigher(void)
{
  int level = eas_simd_level();
  if (level == EAS_SIMD_AVX512) return weigh_avx512;
  return level == EAS_SIMD_AVX2 ? weigh_avx2 : weigh_sse2;
}

static double biweight_of(const sorted *s, const eas_detrend_settings *set, weigher *sums)
{
  double m = median_of(s), reach = set->cval * deviation_of(s, m);
  double enough = set->compat ? 1e-6 : 1e-7 * reach / set->cval;
  if (!(reach > 0)) return m;
  for (int turn = 0; turn < TURNS; turn++) {
    size_t lo = below(s, m - reach), hi = below(s, m + reach);
    double weights, moments;
    sums(s->value + lo, hi - lo, m, 1 / reach, &weights, &moments);
    if (!(weights > 0)) break;
    m += moments / weights;
    if (fabs(moments / weights) <= enough) break;
  }
  return m;
}

/* Brings the values in order from one window to another of the same piece or a later one. */
static void slide(const eas_detrend_job *job, sorted *s, const detrend_window *from, const detrend_window *to)
{
  for (size_t j = from->lo; j < to->lo && j < from->hi; j++)
    if (detrend_seen(job, j)) take_out(s, job->flux[j]);
  for (size_t j = from->hi > to->lo ? from->hi : to->lo; j < to->hi; j++)
    if (detrend_seen(job, j)) insert(s, job->flux[j]);
}

static double location_of(const eas_detrend_job *job, const sorted *s, const detrend_window *w, weigher *sums)
{
  if (s->n == 0) return NAN;
  int is_short = w->at_start && w->at_end && job->time[w->hi - 1] - job->time[w->lo] < job->set.window / 2;
  if (job->set.method == EAS_DETREND_MEDIAN || s->n <= 2 || (is_short && !job->set.compat)) return median_of(s);
  return biweight_of(s, &job->set, sums);
}

void detrend_robust(const eas_detrend_job *job, size_t i0, size_t i1, double *work)
{
  sorted s = { .value = work };
  weigher *sums = best_weigher();
  detrend_window w = { i0, i0, 0, 0 }, held = { i0, i0, 0, 0 }; /* held: what s has */
  for (size_t i = i0; i < i1; i++) {
    detrend_move(job, i, &w);
    detrend_window want = w;
    if (job->set.compat && w.at_end && want.hi > want.lo) want.hi--;
    if (i == i0) held = (detrend_window){ want.lo, want.lo, 0, 0 };
    slide(job, &s, &held, &want);
    held = want;
    job->trend[i] = detrend_cut(job, i, &w) ? NAN : location_of(job, &s, &w, sums);
  }
}
