/* tls__spectrum.c: from chi2 to signal residue, power and detection efficiency; the false alarm probability. */
#include <string.h>
#include "tls_parts.h"

static size_t position(const double *sorted, size_t n, double x)
{
  size_t lo = 0, hi = n;
  while (lo < hi) {
    size_t middle = lo + (hi - lo) / 2;
    if (sorted[middle] < x)
      lo = middle + 1;
    else
      hi = middle;
  }
  return lo;
}

void eas_tls_running_median(const double *x, size_t n, size_t kernel, double *work, double *out)
{
  size_t lead = (kernel - 1) / 2, filled = 0;
  for (size_t i = 0; i < n; i++) {
    if (filled == kernel) {
      size_t gone = position(work, kernel, x[i - kernel]);
      memmove(work + gone, work + gone + 1, (kernel - 1 - gone) * sizeof *work);
      filled--;
    }
    size_t at = position(work, filled, x[i]);
    memmove(work + at + 1, work + at, (filled - at) * sizeof *work);
    work[at] = x[i];
    filled++;
    if (filled == kernel) out[i + 1 - kernel + lead] = work[kernel / 2];
  }
  for (size_t i = 0; i < lead; i++) out[i] = out[lead];
  for (size_t i = n - (kernel - 1 - lead); i < n; i++) out[i] = out[n - kernel + lead];
}

static void moments(const double *x, size_t n, double *mean, double *std)
{
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  *mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += (x[i] - *mean) * (x[i] - *mean);
  *std = sqrt(squares / (double)n);
}

static size_t first_maximum(const double *x, size_t n)
{
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (x[i] > x[best]) best = i;
  return best;
}

/* Half the distance between the first trials at both sides whose power is half of the peak's or less. */
static double width_of_peak(const double *power, const double *period, size_t n, size_t index)
{
  size_t left = index, right = index;
  while (left > 0 && power[left] > 0.5 * power[index]) left--;
  while (right + 1 < n && power[right] > 0.5 * power[index]) right++;
  if (power[left] > 0.5 * power[index] || power[right] > 0.5 * power[index]) return INFINITY;
  return 0.5 * (period[right] - period[left]);
}

static int nothing_found(size_t n, double *sr, double *raw, double *power)
{
  for (size_t i = 0; i < n; i++) sr[i] = raw[i] = power[i] = 0;
  return EAS_NONE;
}

int eas_tls_spectrum_of(const eas_tls_trial *trial, const double *period, size_t n, size_t kernel, double *sr,
                        double *raw, double *power, double *work, eas_tls_spectrum *out)
{
  double least = INFINITY, most = -INFINITY, mean, std;
  *out = (eas_tls_spectrum){ .uncertainty = NAN };
  for (size_t i = 0; i < n; i++) {
    if (trial[i].chi2 < least) {
      least = trial[i].chi2;
      out->index_chi2 = i;
    }
    most = fmax(most, trial[i].chi2);
  }
  out->chi2_min = least;
  if (n == 0 || !(least < most) || !isfinite(least)) return nothing_found(n, sr, raw, power);

  for (size_t i = 0; i < n; i++) sr[i] = least > 0 ? least / trial[i].chi2 : trial[i].chi2 <= 0;
  moments(sr, n, &mean, &std);
  out->sde_raw = (1 - mean) / std;
  double scale = out->sde_raw / (sr[first_maximum(sr, n)] - mean);
  for (size_t i = 0; i < n; i++) raw[i] = power[i] = (sr[i] - mean) * scale;
  out->sde = out->sde_raw;
  if (n > 2 * kernel) {
    eas_tls_running_median(raw, n, kernel, work + n, work);
    for (size_t i = 0; i < n; i++) power[i] = raw[i] - work[i];
    moments(power, n, &mean, &std);
    for (size_t i = 0; i < n; i++) power[i] -= mean;
    double highest = power[first_maximum(power, n)];
    out->sde = highest / std;
    for (size_t i = 0; i < n; i++) power[i] *= out->sde / highest;
  }
  out->index = first_maximum(power, n);
  out->uncertainty = width_of_peak(power, period, n, out->index);
  return EAS_OK;
}

double eas_tls_fap(double sde)
{
  /* White-noise simulations of Hippke & Heller; between them the logarithm is linear. */
  static const double at[] = { 5.652, 5.786, 6.057, 6.196, 6.344, 6.572, 6.980, 7.097, 7.369,
                               7.508, 7.894, 8.329, 8.622, 8.698, 8.996, 9.034, 9.100 };
  static const double fap[] = { 0.1,   0.08,  0.05,    0.04,    0.03,    0.02,    0.01,    0.008,    0.005,
                                0.004, 0.002, 0.00096, 0.00048, 0.00032, 0.00024, 0.00016, 8.0032e-5 };
  enum { LAST = sizeof at / sizeof *at - 1 };
  if (!(sde >= 5.651)) return NAN;
  if (sde >= at[LAST]) return fap[LAST];
  if (sde <= at[0]) return fap[0];
  int k = 0;
  while (sde > at[k + 1]) k++;
  double f = (sde - at[k]) / (at[k + 1] - at[k]);
  return exp(log(fap[k]) + f * (log(fap[k + 1]) - log(fap[k])));
}
