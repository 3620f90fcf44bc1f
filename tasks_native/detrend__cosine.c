/* detrend__cosine.c: a constant, a slope, and all waves longer than the window, fitted to each piece by least squares.
 *
 * Products of waves are waves: the normal matrix of K of them needs only the sums of 2 K, in O(n K). Sines and cosines
 * of half periods say nearly the same, so a small number is added to its diagonal. */
#include <string.h>
#include "detrend_parts.h"

enum { LANES = 8, ROUNDS = 10 };

typedef struct {
  const eas_detrend_job *job;
  size_t first, n; /* samples of the piece */
  size_t waves, terms;
  double zero;           /* taken off the flux */
  double *matrix;        /* [terms^2] */
  double *right;         /* [terms], then the coefficients */
  double *cosine, *sine; /* [2 waves + 1] sums */
  uint8_t *kept;         /* [n] */
} cosine_fit;

size_t detrend_cosine_size(const eas_detrend_job *job)
{
  size_t longest = 0, waves = 0;
  for (size_t i = 0, start = 0; i < job->n; i++) {
    if (detrend_break(job, i)) start = i;
    size_t k = detrend_waves(job, job->time[i] - job->time[start]);
    if (i - start + 1 > longest) longest = i - start + 1;
    if (k > waves) waves = k;
  }
  size_t terms = 2 + 2 * waves;
  return (terms * terms + terms + 2 * (2 * waves + 1)) * sizeof(double) + longest;
}

typedef struct {
  double x[LANES], slope[LANES], y[LANES], weight[LANES];
} samples;

/* Samples of the piece from j on, as angles 0 .. pi; weight 0 for those left out. */
static void load(const cosine_fit *f, size_t j, samples *s)
{
  const double *t = f->job->time + f->first, *y = f->job->flux + f->first;
  double length = t[f->n - 1] - t[0];
  for (size_t k = 0; k < LANES; k++) {
    int used = j + k < f->n && f->kept[j + k];
    double share = j + k < f->n && length > 0 ? (t[j + k] - t[0]) / length : 0;
    s->x[k] = share * 3.14159265358979323846;
    s->slope[k] = share - 0.5;
    s->weight[k] = used;
    s->y[k] = used ? y[j + k] - f->zero : 0;
  }
}

static double sum_of(const double *lane)
{
  double sum = 0;
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

/* Waves 0 .. 2 K of LANES samples: adds their sums, and those with slope and flux of waves 1 .. K. */
static void add_samples(cosine_fit *f, const samples *s)
{
  double c[LANES], d[LANES], c1[LANES], d1[LANES], *row = f->matrix + f->terms;
  for (int k = 0; k < LANES; k++) {
    c[k] = s->weight[k];
    d[k] = 0;
    c1[k] = cos(s->x[k]);
    d1[k] = sin(s->x[k]);
  }
  for (size_t m = 0; m <= 2 * f->waves; m++) {
    double sum[6] = { 0 };
    for (int k = 0; k < LANES; k++) {
      sum[0] += c[k];
      sum[1] += d[k];
      sum[2] += s->y[k] * c[k];
      sum[3] += s->y[k] * d[k];
      sum[4] += s->slope[k] * c[k];
      sum[5] += s->slope[k] * d[k];
      double next = c[k] * c1[k] - d[k] * d1[k];
      d[k] = d[k] * c1[k] + c[k] * d1[k];
      c[k] = next;
    }
    f->cosine[m] += sum[0];
    f->sine[m] += sum[1];
    if (m == 0 || m > f->waves) continue;
    f->right[2 * m] += sum[2];
    f->right[2 * m + 1] += sum[3];
    row[2 * m] += sum[4];
    row[2 * m + 1] += sum[5];
  }
  double slope[LANES], square[LANES], product[LANES];
  for (int k = 0; k < LANES; k++) {
    slope[k] = s->weight[k] * s->slope[k];
    square[k] = slope[k] * s->slope[k];
    product[k] = s->slope[k] * s->y[k];
  }
  f->right[0] += sum_of(s->y);
  f->right[1] += sum_of(product);
  row[0] += sum_of(slope);
  row[1] += sum_of(square);
}

/* Lower half of the normal matrix from the sums: terms are 1, slope, cos x, sin x, cos 2x, sin 2x, ... */
static void build_matrix(cosine_fit *f)
{
  size_t n = f->terms;
  double *a = f->matrix;
  a[0] = f->cosine[0];
  for (size_t k = 1; k <= f->waves; k++) {
    double *even = a + 2 * k * n, *odd = even + n;
    even[0] = f->cosine[k];
    odd[0] = f->sine[k];
    even[1] = a[n + 2 * k];
    odd[1] = a[n + 2 * k + 1];
    for (size_t l = 1; l <= k; l++) {
      even[2 * l] = 0.5 * (f->cosine[k - l] + f->cosine[k + l]);
      even[2 * l + 1] = 0.5 * (f->sine[k + l] - f->sine[k - l]);
      odd[2 * l] = 0.5 * (f->sine[k + l] + f->sine[k - l]);
      odd[2 * l + 1] = 0.5 * (f->cosine[k - l] - f->cosine[k + l]);
    }
  }
  for (size_t i = 0; i < n; i++) a[i * n + i] += 1e-12 * f->cosine[0] + 1e-300;
}

/* Cholesky's decomposition in place, then both substitutions: right becomes the coefficients. */
static void solve(double *a, double *b, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j <= i; j++) {
      double sum = a[i * n + j];
      for (size_t k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (j < i)
        a[i * n + j] = sum / a[j * n + j];
      else
        a[i * n + i] = sqrt(fmax(sum, 1e-300));
    }
    double sum = b[i];
    for (size_t k = 0; k < i; k++) sum -= a[i * n + k] * b[k];
    b[i] = sum / a[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    b[i] /= a[i * n + i];
    for (size_t k = 0; k < i; k++) b[k] -= a[i * n + k] * b[i];
  }
}

static void evaluate(const cosine_fit *f)
{
  double *out = f->job->trend + f->first;
  samples s;
  for (size_t j = 0; j < f->n; j += LANES) {
    load(f, j, &s);
    for (size_t k = 0; k < LANES && j + k < f->n; k++) {
      double c1 = cos(s.x[k]), d1 = sin(s.x[k]), c = c1, d = d1;
      double y = f->zero + f->right[0] + f->right[1] * s.slope[k];
      for (size_t m = 1; m <= f->waves; m++) {
        y += f->right[2 * m] * c + f->right[2 * m + 1] * d;
        double next = c * c1 - d * d1;
        d = d * c1 + c * d1;
        c = next;
      }
      out[j + k] = y;
    }
  }
}

/* Leaves out what lies over two sigma below the trend; how many. None of a curve that the waves fit but for rounding. */
static size_t leave_out(const cosine_fit *f)
{
  const double *y = f->job->flux + f->first, *trend = f->job->trend + f->first;
  double n = 0, sum = 0, all = 0;
  size_t left = 0;
  for (size_t i = 0; i < f->n; i++) {
    if (!f->kept[i]) continue;
    n++;
    sum += (y[i] - trend[i]) * (y[i] - trend[i]);
    all += (y[i] - f->zero) * (y[i] - f->zero);
  }
  if (!(sum > 1e-10 * all)) return 0;
  double limit = -2 * sqrt(sum / n);
  for (size_t i = 0; i < f->n; i++) {
    if (!f->kept[i] || !(y[i] - trend[i] < limit)) continue;
    f->kept[i] = 0;
    left++;
  }
  return left;
}

static void fit_piece(cosine_fit *f)
{
  size_t seen = 0;
  f->zero = 0;
  for (size_t i = 0; i < f->n; i++) {
    f->kept[i] = detrend_seen(f->job, f->first + i) != 0;
    if (f->kept[i]) f->zero += (f->job->flux[f->first + i] - f->zero) / (double)++seen;
  }
  if (seen == 0) {
    for (size_t i = 0; i < f->n; i++) f->job->trend[f->first + i] = NAN;
    return;
  }
  for (int round = 0; round < ROUNDS; round++) {
    samples s;
    memset(f->matrix, 0, f->terms * f->terms * sizeof(double));
    memset(f->right, 0, f->terms * sizeof(double));
    memset(f->cosine, 0, 2 * (2 * f->waves + 1) * sizeof(double)); /* and the sine */
    for (size_t j = 0; j < f->n; j += LANES) {
      load(f, j, &s);
      add_samples(f, &s);
    }
    build_matrix(f);
    solve(f->matrix, f->right, f->terms);
    evaluate(f);
    if (round + 1 < ROUNDS && leave_out(f) == 0) break;
  }
}

static void cut_edges(const cosine_fit *f)
{
  const double *t = f->job->time + f->first;
  double cut = f->job->set.edge_cutoff;
  for (size_t i = 0; i < f->n; i++)
    if (cut > 0 && (t[i] - t[0] < cut || t[f->n - 1] - t[i] < cut)) f->job->trend[f->first + i] = NAN;
}

void detrend_cosine(const eas_detrend_job *job, size_t i0, size_t i1, double *work)
{
  size_t piece = 0;
  for (size_t i = 0; i < job->n && piece < i1; piece++) {
    cosine_fit f = { .job = job, .first = i };
    while (!detrend_break(job, ++i)) continue;
    f.n = i - f.first;
    if (piece < i0) continue;
    f.waves = detrend_waves(job, job->time[i - 1] - job->time[f.first]);
    f.terms = 2 + 2 * f.waves;
    f.matrix = work;
    f.right = f.matrix + f.terms * f.terms;
    f.cosine = f.right + f.terms;
    f.sine = f.cosine + 2 * f.waves + 1;
    f.kept = (uint8_t *)(f.sine + 2 * f.waves + 1);
    fit_piece(&f);
    cut_edges(&f);
  }
}
