/* psls__power.c: mean power spectrum, and the numbers of chance. */
#include "psls_parts.h"
#include "simd.h"

/* Frequencies are whole numbers of the resolution from k on. A mode that is wider shows its profile; one that is narrower
 * puts its power into a sinc^2, whose sine is the same at all of them. */
EAS_INLINE void modes(const eas_psls_job *job, double resolution, size_t k, size_t n, double *restrict out)
{
  for (size_t m = 0; m < job->n_mode; m++) {
    const eas_psls_mode *mode = &job->mode[m];
    double nu = mode->nu / resolution, height = mode->height, narrow = 2 * resolution / mode->width;
    if (mode->width > 2 * resolution) {
      for (size_t i = 0; i < n; i++) {
        double x = ((double)(k + i) - nu) * narrow;
        out[i] += height / (1 + x * x);
      }
    } else {
      double s = sin(psls_pi * (nu - rint(nu))) / psls_pi;
      double peak = height * psls_pi / narrow, wing = peak * s * s;
      for (size_t i = 0; i < n; i++) {
        double x = (double)(k + i) - nu;
        out[i] += x == 0 ? peak : wing / (x * x);
      }
    }
  }
}

EAS_TARGET_AVX512 static void modes_avx512(const eas_psls_job *job, double resolution, size_t k, size_t n, double *out)
{
  modes(job, resolution, k, n, out);
}

EAS_TARGET_AVX2 static void modes_avx2(const eas_psls_job *job, double resolution, size_t k, size_t n, double *out)
{
  modes(job, resolution, k, n, out);
}

static double granulation(const eas_psls_numbers *is, double f)
{
  if (isnan(is->granulation_a[0])) {
    double x = f / is->granulation_b[0];
    return is->granulation_h[0] / (1 + x * x);
  }
  double x = f / is->granulation_b[0], y = f / is->granulation_b[1];
  return is->granulation_h[0] / (1 + x * x * x * x) + is->granulation_h[1] / (1 + y * y * y * y);
}

static double activity(const eas_psls_star *star, double f)
{
  double tau = star->activity_tau * 86400, x = 2e-6 * psls_pi * tau * f;
  return 4e-6 * tau * star->activity_sigma * star->activity_sigma / (1 + x * x);
}

void psls_powers(const eas_psls_job *job, const eas_psls_numbers *numbers, int simd, size_t k, size_t n, psls_block *b)
{
  const eas_psls_star *star = &job->star;
  double resolution = 1e6 / ((double)job->length * job->cadence), twice = 1e6 / job->cadence; /* Nyquist's */
  double bolometric = numbers->bolometric * numbers->bolometric;
  for (size_t i = 0; i < n; i++) {
    b->f[i] = (double)(k + i) * resolution;
    b->oscillation[i] = b->granulation[i] = b->activity[i] = 0;
  }
  if (star->parts & EAS_PSLS_OSCILLATION) {
    if (simd == EAS_SIMD_AVX512)
      modes_avx512(job, resolution, k, n, b->oscillation);
    else if (simd == EAS_SIMD_AVX2)
      modes_avx2(job, resolution, k, n, b->oscillation);
    else
      modes(job, resolution, k, n, b->oscillation);
  }
  for (size_t i = 0; i < n; i++) {
    double f = b->f[i], x = psls_pi * f / twice, response = x > 0 ? sin(x) / x : 1;
    response *= response;
    b->oscillation[i] *= bolometric * response;
    if (star->parts & EAS_PSLS_GRANULATION)
      b->granulation[i] = (granulation(numbers, f) + granulation(numbers, twice - f)) * response;
    if (star->parts & EAS_PSLS_ACTIVITY) b->activity[i] = (activity(star, f) + activity(star, twice - f)) * response;
  }
}

/* Steele, Lea & Flood 2014. */
static uint64_t mix(uint64_t z)
{
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static const uint64_t gamma64 = UINT64_C(0x9E3779B97F4A7C15);

uint64_t psls_stream(uint64_t seed, int purpose, int camera, int quarter)
{
  uint64_t z = mix(seed + gamma64);
  z = mix(z + gamma64 * (uint64_t)purpose);
  z = mix(z + gamma64 * (uint64_t)(camera + 1));
  return mix(z + gamma64 * (uint64_t)(quarter + 1));
}

double psls_uniform(uint64_t stream, uint64_t counter)
{
  return ((double)(mix(stream + (counter + 1) * gamma64) >> 11) + 0.5) * 0x1p-53;
}

void psls_pair(uint64_t stream, uint64_t counter, double *a, double *b)
{
  double size = sqrt(-2 * log(psls_uniform(stream, 2 * counter)));
  double angle = 2 * psls_pi * psls_uniform(stream, 2 * counter + 1);
  *a = size * cos(angle);
  *b = size * sin(angle);
}
