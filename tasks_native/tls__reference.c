/* tls__reference.c: one trial by the definition. */
#include <string.h>
#include "tls_parts.h"

static void merge(const tls_key *a, size_t n, size_t half, tls_key *out)
{
  size_t i = 0, j = half, k = 0;
  while (i < half && j < n) out[k++] = a[j].phase < a[i].phase ? a[j++] : a[i++];
  memcpy(out + k, a + i, (half - i) * sizeof *a);
  memcpy(out + k + (half - i), a + j, (n - j) * sizeof *a);
}

tls_key *tls_sort(const double *time, size_t n, double epoch, double period, tls_key *keys, tls_key *other)
{
  for (size_t i = 0; i < n; i++) keys[i] = (tls_key){ tls_phase(time[i] - epoch, period), (uint32_t)i, 0 };
  for (size_t run = 1; run < n; run *= 2) {
    for (size_t i = 0; i < n; i += 2 * run) {
      size_t m = n - i < 2 * run ? n - i : 2 * run;
      merge(keys + i, m, m < run ? m : run, other + i);
    }
    tls_key *swap = keys;
    keys = other;
    other = swap;
  }
  return keys;
}

static size_t rounded(size_t bytes)
{
  return (bytes + 63) / 64 * 64;
}

size_t tls_reference_size(const tls_plan *plan)
{
  return 2 * rounded(plan->n * sizeof(tls_key)) + 3 * rounded((plan->n + plan->wrap + 1) * sizeof(double));
}

typedef struct {
  double *e, *w, *sum; /* in order of phase, the first repeated behind the last; sums of e before each */
} folded;

static void fold(const eas_tls_job *job, double period, char *work, folded *f)
{
  const tls_plan *plan = job->plan;
  size_t n = plan->n, all = n + plan->wrap;
  tls_key *keys = (tls_key *)(void *)work, *other = (tls_key *)(void *)(work + rounded(n * sizeof(tls_key)));
  f->e = (double *)(void *)(work + 2 * rounded(n * sizeof(tls_key)));
  f->w = f->e + rounded((all + 1) * sizeof(double)) / sizeof(double);
  f->sum = f->w + rounded((all + 1) * sizeof(double)) / sizeof(double);
  keys = tls_sort(job->time, n, 0, period, keys, other);
  f->sum[0] = 0;
  for (size_t i = 0; i < all; i++) {
    size_t sample = keys[i < n ? i : i - n].sample;
    f->e[i] = plan->e[sample];
    f->w[i] = plan->w != NULL ? plan->w[sample] : plan->weight;
    f->sum[i + 1] = f->sum[i] + f->e[i];
  }
}

void tls_reference(const eas_tls_job *job, double period, void *work, tls_best *best)
{
  const tls_plan *plan = job->plan;
  size_t first, last;
  folded f;
  fold(job, period, work, &f);
  tls_rows_at(plan, &job->set.star, period, &first, &last);
  for (size_t k = first; k < last; k++) {
    const tls_row *row = &plan->row[k];
    const double *s = plan->shape + row->at;
    for (size_t i = 0; i <= tls_last_start(plan, row); i += row->stride) {
      double mean = (f.sum[i + row->width] - f.sum[i]) / (double)row->width, c = 0, q = 0;
      if (!(mean > job->set.depth_min)) continue;
      for (size_t j = 0; j < row->width; j++) {
        double ws = f.w[i + j] * s[j];
        c += ws * f.e[i + j];
        q += ws * s[j];
      }
      double depth = row->overshoot * mean, r = 2 * depth;
      double chi2 = plan->flat - 2 * r * c + r * r * q;
      if (tls_better(chi2, (int32_t)k, (int32_t)i, best))
        *best = (tls_best){ .chi2 = chi2, .depth = depth, .row = (int32_t)k, .start = (int32_t)i };
    }
  }
}
