/* psls.c: the job: spectrum, series, samples. */
#include "psls.h"
#include "psls_parts.h"
#include "simd.h"

static const double quarter_days = 90;

size_t eas_psls_length(size_t n)
{
  if (n == 0 || n > (size_t)1 << 31) return 0;
  size_t best = 2;
  while (best < n) best *= 2;
  for (size_t five = 2; five < best; five *= 5)
    for (size_t three = five; three < best; three *= 3) {
      size_t length = three;
      while (length < n) length *= 2;
      if (length < best) best = length;
    }
  return best;
}

static int check_numbers(const eas_psls_job *job)
{
  if (!(job->cadence > 1e-6 && job->cadence < 1e9) || !(fabs(job->group_shift) < 1e9)) return EAS_EARG;
  if (job->groups < 1 || job->groups > 4 || job->cameras < 1 || job->cameras > 6) return EAS_EARG;
  if (!(job->noise >= 0 && job->noise < 1e12) || !(job->drift >= 0 && job->drift < 1)) return EAS_EARG;
  if (!(job->drift_step >= 0 && job->drift_step < 1) || !(job->mask_updates >= 0 && job->mask_updates <= 10))
    return EAS_EARG;
  if ((double)job->n * job->cadence / 86400 / quarter_days > 1e6) return EAS_EARG;
  return EAS_OK;
}

int eas_psls_check(const eas_psls_job *job)
{
  eas_psls_numbers numbers;
  if (job->n < 2) return EAS_EFEW;
  if (job->length != eas_psls_length(job->n) || job->length == 0) return EAS_EARG;
  int rc = check_numbers(job);
  if (rc != EAS_OK) return rc;
  rc = eas_psls_describe(&job->star, &numbers);
  if (rc != EAS_OK) return rc;
  if (!job->spectrum || !job->buffer || !job->series || !job->flux || (job->n_mode > 0 && !job->mode)) return EAS_EARG;
  if (job->n_mode > EAS_PSLS_MODES_MAX) return EAS_EARG;
  for (size_t i = 0; i < job->n_mode; i++) {
    const eas_psls_mode *m = &job->mode[i];
    if (!isfinite(m->nu) || !(m->width > 0 && m->width < 1e9) || !(m->height >= 0 && m->height < 1e30))
      return EAS_EDATA;
  }
  return EAS_OK;
}

size_t eas_psls_work_size(const eas_psls_job *job)
{
  (void)job;
  return sizeof(psls_block) > sizeof(psls_quarter) ? sizeof(psls_block) : sizeof(psls_quarter);
}

/* Mean over groups of the same star seen later: they lie symmetric around the time of a sample. */
static double groups_at(const eas_psls_job *job, double f)
{
  double x = psls_pi * f * 1e-6 * job->group_shift, s = sin(x);
  return job->groups > 1 && fabs(s) > 1e-12 ? sin(job->groups * x) / (job->groups * s) : cos((job->groups - 1) * x);
}

int eas_psls_run(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_psls_job *job = argument;
  psls_block *b = work;
  eas_psls_numbers numbers;
  int rc = eas_psls_describe(&job->star, &numbers);
  if (rc != EAS_OK) return rc;
  int simd = eas_simd_level();
  double resolution = 1e6 / ((double)job->length * job->cadence);
  const uint64_t stream[] = { psls_stream(job->seed, PSLS_OSCILLATION, 0, 0),
                              psls_stream(job->seed, PSLS_GRANULATION, 0, 0),
                              psls_stream(job->seed, PSLS_ACTIVITY, 0, 0) };
  while (i0 < i1) {
    size_t n = i1 - i0 < PSLS_BLOCK ? i1 - i0 : PSLS_BLOCK;
    psls_powers(job, &numbers, simd, i0, n, b);
    for (size_t i = 0; i < n; i++) {
      const double power[] = { b->oscillation[i], b->granulation[i], b->activity[i] };
      double re = 0, im = 0;
      size_t k = i0 + i;
      for (int part = 0; part < 3 && k > 0 && k < job->length / 2; part++) {
        double g1, g2, size = sqrt(power[part] * resolution);
        if (size == 0) continue;
        psls_pair(stream[part], k, &g1, &g2);
        re += size * g1;
        im += size * g2;
      }
      double together = groups_at(job, b->f[i]);
      job->spectrum[2 * k] = re * together;
      job->spectrum[2 * k + 1] = im * together;
    }
    i0 += n;
  }
  return EAS_OK;
}

/* Real samples from half of a spectrum: even ones in the real, odd ones in the imaginary parts of a transform of
 * half the length. */
int eas_psls_transform(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_psls_job *job = argument;
  (void)work;
  if (i0 > 0 || i1 < 1) return EAS_OK;
  size_t m = job->length / 2;
  double *z = job->series;
  const double *x = job->spectrum;
  for (size_t k = 0; k < m; k++) {
    double ar = x[2 * k], ai = x[2 * k + 1], br = x[2 * (m - k)], bi = -x[2 * (m - k) + 1];
    double angle = psls_pi * (double)k / (double)m, wr = cos(angle), wi = sin(angle);
    double dr = ar - br, di = ai - bi, tr = dr * wr - di * wi, ti = dr * wi + di * wr; /* i t added */
    z[2 * k] = 0.5 * (ar + br - ti);
    z[2 * k + 1] = 0.5 * (ai + bi + tr);
  }
  double *made = psls_transform(z, job->buffer, m);
  if (made != z)
    for (size_t i = 0; i < job->length; i++) z[i] = made[i];
  return EAS_OK;
}

/* Steps of one camera in a quarter, at times that are exponential apart; the sizes follow. Returns their number. */
static size_t steps_of(const eas_psls_job *job, uint64_t stream, double *at, double *size)
{
  size_t n = 0;
  double t = 0, a, b;
  while (job->mask_updates > 0 && n < 24) {
    t -= log(psls_uniform(stream, 1000 + n)) / job->mask_updates;
    if (!(t < 1)) break;
    psls_pair(stream, 1000 + n, &a, &b);
    at[n] = t;
    size[n++] = a * job->drift_step / 5;
  }
  return n;
}

static void insert(psls_quarter *q, double at, double size)
{
  size_t k = q->n++;
  for (; k > 0 && q->at[k - 1] > at; k--) {
    q->at[k] = q->at[k - 1];
    q->sum[k] = q->sum[k - 1];
  }
  q->at[k] = at;
  q->sum[k] = size;
}

void psls_quarter_of(const eas_psls_job *job, int quarter, psls_quarter *q)
{
  int cameras = job->groups * job->cameras;
  double at[24], size[24], a, b;
  q->a1 = q->a2 = 0;
  q->n = 0;
  for (int camera = 0; camera < cameras; camera++) {
    uint64_t stream = psls_stream(job->seed, PSLS_DRIFT, camera, quarter);
    psls_pair(stream, 0, &a, &b);
    q->a1 += a * job->drift / cameras;
    q->a2 += b * job->drift / cameras;
    size_t n = steps_of(job, stream, at, size);
    for (size_t i = 0; i < n; i++) insert(q, at[i], size[i] / cameras);
  }
  for (size_t i = 1; i < q->n; i++) q->sum[i] += q->sum[i - 1];
}

/* How many steps there are up to x. */
static size_t steps_until(const psls_quarter *q, double x)
{
  size_t low = 0, high = q->n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (q->at[middle] <= x)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int eas_psls_sample(const void *argument, size_t i0, size_t i1, void *work)
{
  const eas_psls_job *job = argument;
  psls_quarter *q = work;
  uint64_t noise = psls_stream(job->seed, PSLS_NOISE, 0, 0);
  double sigma = 1e-6 * job->noise / sqrt(job->groups * job->cameras), step = job->cadence / 86400 / quarter_days;
  int drifts = job->drift > 0 || job->mask_updates > 0;
  double now = -1, g[2] = { 0, 0 };
  for (size_t i = i0; i < i1; i++) {
    double base = 1;
    if (job->flag != NULL) job->flag[i] = 0;
    if (drifts) {
      double t = (double)i * step, quarter = floor(t + 1e-9), x = fmax(t - quarter, 0);
      if (quarter != now) psls_quarter_of(job, (int)quarter, q);
      now = quarter;
      size_t done = steps_until(q, x), before = x >= step ? steps_until(q, x - step) : 0;
      base += q->a1 * x + q->a2 * x * x + (done > 0 ? q->sum[done - 1] : 0);
      if (job->flag != NULL && done > before) job->flag[i] = 2;
    }
    if (sigma > 0 && (i % 2 == 0 || i == i0)) psls_pair(noise, i / 2, &g[0], &g[1]);
    job->flux[i] = (1 + 1e-6 * job->series[i]) * (base + sigma * g[i % 2]);
  }
  return EAS_OK;
}

static double pairwise(const double *x, size_t n)
{
  if (n > 128) return pairwise(x, n / 2) + pairwise(x + n / 2, n - n / 2);
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return sum;
}

double eas_psls_normalise(double *flux, size_t n)
{
  double mean = n > 0 ? pairwise(flux, n) / (double)n : NAN;
  if (!(mean > 0 && mean < INFINITY)) return NAN;
  for (size_t i = 0; i < n; i++) flux[i] /= mean;
  return mean;
}

void eas_psls_density(const eas_psls_job *job, size_t k, double *out)
{
  psls_block b;
  eas_psls_numbers numbers;
  out[0] = out[1] = out[2] = NAN;
  if (eas_psls_describe(&job->star, &numbers) != EAS_OK) return;
  psls_powers(job, &numbers, eas_simd_level(), k, 1, &b);
  out[0] = b.oscillation[0];
  out[1] = b.granulation[0];
  out[2] = b.activity[0];
}

void eas_psls_scatter(const eas_psls_job *job, double *samples, double *steps)
{
  psls_block b;
  eas_psls_numbers numbers;
  *samples = *steps = NAN;
  if (eas_psls_describe(&job->star, &numbers) != EAS_OK) return;
  double resolution = 1e6 / ((double)job->length * job->cadence), sum = 0, differences = 0;
  int simd = eas_simd_level();
  for (size_t k = 1; k < job->length / 2; k += PSLS_BLOCK) {
    size_t left = job->length / 2 - k, n = left < PSLS_BLOCK ? left : PSLS_BLOCK;
    psls_powers(job, &numbers, simd, k, n, &b);
    for (size_t i = 0; i < n; i++) {
      double together = groups_at(job, b.f[i]);
      double power = (b.oscillation[i] + b.granulation[i] + b.activity[i]) * together * together * resolution;
      sum += power;
      differences += power * (1 - cos(2e-6 * psls_pi * b.f[i] * job->cadence));
    }
  }
  *samples = sqrt(sum);
  *steps = sqrt(differences);
}
