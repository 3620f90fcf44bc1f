/* uniform.h: is a light curve's cadence uniform, gaps allowed? */
#ifndef EAS_UNIFORM_H
#define EAS_UNIFORM_H
#include <math.h>
#include <stddef.h>
#include "select.h"

typedef struct {
  double step;  /* of a slot, in the unit of x */
  double worst; /* slots; no sample is farther from its slot */
  size_t slots; /* the last sample is in slot slots - 1 */
} eas_uniform;

/* Numbers samples x[n] (from 0, increasing, n >= 2) by their slots: 1 if each is within 1e-6 of one, and there are no
 * more than slots_most. scratch[n] is overwritten. */
static inline int eas_uniform_find(const double *x, size_t n, size_t slots_most, double *scratch, eas_uniform *out)
{
  for (size_t i = 1; i < n; i++) scratch[i - 1] = x[i] - x[i - 1];
  double step = eas_median(scratch, n - 1), slot = 0;
  for (size_t i = 1; i < n; i++) {
    slot += fmax(1, nearbyint((x[i] - x[i - 1]) / step));
    if (!(slot <= (double)slots_most - 1)) return 0;
  }
  *out = (eas_uniform){ .slots = (size_t)slot + 1, .step = x[n - 1] / slot };
  slot = 0;
  for (size_t i = 1; i < n; i++) {
    slot += fmax(1, nearbyint((x[i] - x[i - 1]) / step));
    out->worst = fmax(out->worst, fabs(x[i] / out->step - slot));
  }
  return out->worst <= 1e-6;
}

#endif
