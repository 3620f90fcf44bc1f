/* vetting__fold.c: one pass over the folded light curve, and the noise around it. */
#include "select.h"
#include "vetting_parts.h"

static const double sigma_least = 1e-12;

static int in_transit(const vet_fold *f, double t)
{
  double number;
  return fabs(vet_offset(f, t, &number)) < 0.5 * f->duration;
}

static void add(vet_sum *s, double x)
{
  s->n += 1;
  s->sum += x;
}

static void find_interval(vet_fold *f)
{
  const double *t = f->job->time;
  for (size_t i = 1; i < f->job->n; i++) f->scratch[i - 1] = t[i] - t[i - 1];
  f->interval = eas_median(f->scratch, f->job->n - 1);
}

static void find_noise(vet_fold *f)
{
  size_t m = 0;
  for (size_t i = 0; i < f->job->n; i++)
    if (!in_transit(f, f->job->time[i])) f->scratch[m++] = f->job->flux[i];
  f->level = eas_median(f->scratch, m);
  for (size_t i = 0; i < m; i++) f->scratch[i] = fabs(f->scratch[i] - f->level);
  f->sigma = fmax(1.4826 * eas_median(f->scratch, m), sigma_least);
  if (m < 3) f->sigma = NAN;
}

/* Scatter of means over one duration outside of transit beyond that of white noise. */
static void find_red_noise(vet_fold *f)
{
  double sum = 0, n = 0, start = -INFINITY, blocks = 0, squares = 0, white = 0;
  double full = 0.5 * f->duration / f->interval;
  for (size_t i = 0; i <= f->job->n; i++) {
    double t = i < f->job->n ? f->job->time[i] : INFINITY;
    if (t - start >= f->duration) {
      if (n >= 1 && n >= full) {
        blocks++;
        squares += (sum / n) * (sum / n);
        white += f->sigma * f->sigma / n;
      }
      sum = n = 0;
      start = t;
    }
    if (i == f->job->n || in_transit(f, t)) continue;
    sum += f->level - f->job->flux[i];
    n++;
  }
  f->sigma_red = blocks >= 3 ? sqrt(fmax(0, (squares - white) / blocks)) : 0;
}

/* Where the light curve is broken: at its ends, at gaps, at mask updates. Moves along with the pass. */
typedef struct {
  double before; /* time of the last break at or before the sample */
  size_t ahead;  /* the first sample at or after it that a break follows */
} breaks;

static int broken(const vet_fold *f, size_t i, int ahead)
{
  const eas_vetting_job *job = f->job;
  size_t far = ahead ? i + 1 : i - 1;
  if (job->flag != NULL && (job->flag[i] & 2)) return 1;
  if (ahead ? i + 1 == job->n : i == 0) return 1;
  return fabs(job->time[far] - job->time[i]) > 5 * f->interval;
}

static void move_breaks(const vet_fold *f, breaks *b, size_t i)
{
  if (broken(f, i, 0)) b->before = f->job->time[i];
  if (b->ahead < i) b->ahead = i;
  while (!broken(f, b->ahead, 1)) b->ahead++;
}

static int near_break(const vet_fold *f, const breaks *b, size_t i)
{
  double t = f->job->time[i];
  return t - b->before < f->duration || f->job->time[b->ahead] - t < f->duration;
}

/* Whether x days from t0 lie in a box of the duration at a phase (0 .. 1). */
static int at_phase(const vet_fold *f, double offset, double phase)
{
  double x = offset / f->period - phase;
  x -= nearbyint(x);
  return fabs(x) * f->period < 0.5 * f->duration;
}

static void add_transit(vet_fold *f, double number, double offset, double dip, int near)
{
  vet_event *event = &f->event[(int64_t)number - f->first];
  add(&event->in, dip);
  event->square += dip * dip;
  add(&f->in, dip);
  add(fmod(number, 2) == 0 ? &f->even : &f->odd, dip);
  add(fabs(offset) < f->duration / 6 ? &f->middle : &f->outer, dip);
  f->near_edge += near;
}

static void add_outside(vet_fold *f, double number, double offset, double dip)
{
  vet_event *event = &f->event[(int64_t)number - f->first];
  if (fabs(offset) < 1.5 * f->duration) {
    if (offset < 0)
      event->before++;
    else
      event->after++;
  }
  double phase = offset / f->period;
  if (phase < 0) phase += 1;
  size_t k = (size_t)(phase * (double)f->bins);
  if (k >= f->bins) k = f->bins - 1;
  f->bin_n[k + 1] += 1;
  f->bin_sum[k + 1] += dip;
  if (at_phase(f, offset, 1.0 / 3)) add(&f->third, dip);
  if (at_phase(f, offset, 0.5)) add(&f->half, dip);
  if (at_phase(f, offset, 2.0 / 3)) add(&f->two_thirds, dip);
}

static void pass(vet_fold *f)
{
  breaks b = { -INFINITY, 0 };
  size_t padded = f->bins + VET_BINS_PER_DURATION;
  for (size_t k = 0; k <= padded; k++) f->bin_n[k] = f->bin_sum[k] = 0;
  for (size_t i = 0; i < f->job->n; i++) {
    double number, offset = vet_offset(f, f->job->time[i], &number), dip = f->level - f->job->flux[i];
    move_breaks(f, &b, i);
    if (fabs(offset) < 0.5 * f->duration)
      add_transit(f, number, offset, dip, near_break(f, &b, i));
    else
      add_outside(f, number, offset, dip);
  }
  for (size_t k = 1; k <= padded; k++) {
    if (k > f->bins) {
      f->bin_n[k] = f->bin_n[k - f->bins] - f->bin_n[0];
      f->bin_sum[k] = f->bin_sum[k - f->bins] - f->bin_sum[0];
      continue;
    }
    f->bin_n[k] += f->bin_n[k - 1];
    f->bin_sum[k] += f->bin_sum[k - 1];
  }
  for (size_t k = f->bins + 1; k <= padded; k++) { /* the folded curve goes on */
    f->bin_n[k] += f->bin_n[f->bins];
    f->bin_sum[k] += f->bin_sum[f->bins];
  }
}

static void fit_sine(vet_fold *f)
{
  double a[6] = { 0 }, b[3] = { 0 }, box = 0, total = 0;
  double depth = vet_mean(f->in);
  for (size_t i = 0; i < f->job->n; i++) {
    double number, offset = vet_offset(f, f->job->time[i], &number), y = f->level - f->job->flux[i];
    double angle = 6.283185307179586 * offset / f->period, s = sin(angle), c = cos(angle);
    a[0] += s * s;
    a[1] += s * c;
    a[2] += s;
    a[3] += c * c;
    a[4] += c;
    a[5] += 1;
    b[0] += s * y;
    b[1] += c * y;
    b[2] += y;
    double left = fabs(offset) < 0.5 * f->duration ? y - depth : y;
    box += left * left;
    total += y * y;
  }
  double c00 = a[3] * a[5] - a[4] * a[4], c01 = a[2] * a[4] - a[1] * a[5], c02 = a[1] * a[4] - a[2] * a[3];
  double c11 = a[0] * a[5] - a[2] * a[2], c12 = a[1] * a[2] - a[0] * a[4], c22 = a[0] * a[3] - a[1] * a[1];
  double det = a[0] * c00 + a[1] * c01 + a[2] * c02;
  f->sine_gain = NAN;
  if (!(fabs(det) > 1e-9 * a[5] * a[5] * a[5])) return;
  double x0 = (c00 * b[0] + c01 * b[1] + c02 * b[2]) / det;
  double x1 = (c01 * b[0] + c11 * b[1] + c12 * b[2]) / det;
  double x2 = (c02 * b[0] + c12 * b[1] + c22 * b[2]) / det;
  double sine = total - (x0 * b[0] + x1 * b[1] + x2 * b[2]);
  f->sine_gain = 0.5 * (box - sine) / (f->sigma * f->sigma);
}

static void find_shape(vet_fold *f)
{
  double squares = 0, free = 0;
  for (size_t k = 0; k < f->n_event; k++) {
    const vet_event *e = &f->event[k];
    if (e->in.n < 2) continue;
    squares += e->square - e->in.sum * e->in.sum / e->in.n;
    free += e->in.n - 1;
  }
  f->sigma_in = free > 0 ? fmax(f->sigma, sqrt(fmax(squares, 0) / free)) : f->sigma;
}

void vet_measure(vet_fold *f)
{
  for (size_t k = 0; k < f->n_event; k++) f->event[k] = (vet_event){ .before = 0 };
  find_interval(f);
  find_noise(f);
  find_red_noise(f);
  pass(f);
  find_shape(f);
  fit_sine(f);
}
