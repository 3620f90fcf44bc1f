/* select.h: order statistics without a full sort, for kernels that need a median. */
#ifndef EAS_SELECT_H
#define EAS_SELECT_H
#include <math.h>
#include <stddef.h>

/* k-th smallest (0-based) of x[n], k < n, no NaN. Moves x so that what is before k is not greater and
 * what is behind is not smaller. Hoare's selection with the middle of three as pivot. */
static inline double eas_select(double *x, size_t n, size_t k)
{
  ptrdiff_t at = (ptrdiff_t)k, left = 0, right = (ptrdiff_t)n - 1;
  while (left < right) {
    double a = x[left], b = x[left + (right - left) / 2], c = x[right];
    double pivot = fmax(fmin(a, b), fmin(fmax(a, b), c));
    ptrdiff_t i = left, j = right;
    do {
      while (x[i] < pivot) i++;
      while (pivot < x[j]) j--;
      if (i > j) break;
      double t = x[i];
      x[i++] = x[j];
      x[j--] = t;
    } while (i <= j);
    if (j < at) left = i;
    if (at < i) right = j;
  }
  return x[at];
}

/* Median of x[n], moving x; the mean of the middle two where n is even; NaN where n is 0. */
static inline double eas_median(double *x, size_t n)
{
  if (n == 0) return NAN;
  double upper = eas_select(x, n, n / 2);
  if (n % 2 == 1) return upper;
  double lower = x[0]; /* the smaller half stands before n / 2 */
  for (size_t i = 1; i < n / 2; i++) lower = fmax(lower, x[i]);
  return 0.5 * (lower + upper);
}

#endif
