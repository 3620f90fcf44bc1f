/* tls__rows.c: from a transit's light curve to the template at each width. */
#include "tls_parts.h"

static const double half_depth = 0.5; /* of the template: what its shape is scaled to */

/* k-th of n equally spaced from lo to hi, as the peer rounds it. */
static double spaced(double lo, double hi, size_t n, size_t k)
{
  if (k + 1 == n && n > 1) return hi;
  return n > 1 ? lo + (double)k * ((hi - lo) / (double)(n - 1)) : lo;
}

static size_t width_of(const eas_tls_job *job, size_t wrap, size_t k)
{
  return (size_t)(job->duration[k] / job->duration[job->n_duration - 1] * (double)wrap);
}

size_t tls_count_rows(const eas_tls_job *job, size_t *samples, size_t *wrap)
{
  *wrap = (size_t)(job->duration[job->n_duration - 1] * (double)job->n);
  *wrap += *wrap % 2;
  size_t rows = 0, last = 0;
  *samples = 0;
  for (size_t k = 0; k < job->n_duration; k++) {
    size_t width = width_of(job, *wrap, k);
    if (width <= last) continue; /* below a sample, or of the width of the one before */
    last = width;
    rows++;
    *samples += width;
  }
  return rows;
}

/* The model's transit, from its first sample below 1, at wrap points: 0 outside, 1 deepest. */
static void reference_of(const double *model, size_t wrap, double *out)
{
  size_t first = 0, last = EAS_TLS_MODEL_SAMPLES - 1;
  while (!(model[first] > 0)) first++;
  double lo = spaced(-0.5, 0.5, last + 1, first), hi = -lo, step = 1.0 / (double)last, deepest = 0;
  for (size_t k = 0; k < wrap; k++) {
    double x = spaced(lo, hi, wrap, k);
    double at = fmin(fmax((x + 0.5) / step, (double)first), (double)(last - first));
    size_t i = (size_t)at;
    if (i >= last - first) i = last - first - 1;
    double f = at - (double)i;
    out[k] = model[i] + f * (model[i + 1] - model[i]);
    deepest = fmax(deepest, out[k]);
  }
  for (size_t k = 0; k < wrap; k++) out[k] = out[k] / deepest;
}

static void shape_of(const double *reference, size_t wrap, size_t width, double *shape)
{
  for (size_t k = 0; k < width; k++) {
    double x = spaced(-0.5, 0.5, width, k);
    double at = (x + 0.5) * (double)(wrap - 1);
    size_t i = at > 0 ? (size_t)at : 0;
    double value = reference[wrap - 1];
    if (i + 1 < wrap) value = reference[i] + (at - (double)i) * (reference[i + 1] - reference[i]);
    shape[k] = half_depth * value;
  }
}

static void finish_row(tls_row *row, const double *shape, double margin)
{
  double least = 1, mean = 0;
  for (size_t j = 0; j < row->width; j++) {
    row->sum += shape[j];
    row->squares += shape[j] * shape[j];
    mean += 1 - shape[j];
    least = fmin(least, 1 - shape[j]);
  }
  mean /= (double)row->width;
  row->overshoot = 1 / (2 - mean / least);
  row->stride = 1;
  if (margin > 0 && (double)row->width > margin) {
    double skip = floor((double)row->width / (1 / margin));
    if (skip > 1) row->stride = (size_t)skip;
  }
}

void tls_fill_rows(const eas_tls_job *job, size_t wrap, tls_row *row, double *shape, double *scratch)
{
  size_t rows = 0, last = 0, at = 0;
  reference_of(job->model, wrap, scratch);
  for (size_t k = 0; k < job->n_duration; k++) {
    size_t width = width_of(job, wrap, k);
    if (width <= last) continue;
    last = width;
    row[rows] = (tls_row){ .duration = job->duration[k], .width = width, .at = at };
    shape_of(scratch, wrap, width, shape + at);
    finish_row(&row[rows], shape + at, job->set.margin);
    at += width;
    rows++;
  }
}
