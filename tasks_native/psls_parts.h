/* psls_parts.h: what the parts of the psls kernel share. Not part of its interface. */
#ifndef EAS_NATIVE_PSLS_PARTS_H
#define EAS_NATIVE_PSLS_PARTS_H
#include <math.h>
#include "psls.h"

static const double psls_pi = 3.14159265358979323846264338327950;

enum { PSLS_BLOCK = 256 };
typedef struct {
  double f[PSLS_BLOCK], oscillation[PSLS_BLOCK], granulation[PSLS_BLOCK], activity[PSLS_BLOCK];
} psls_block;

/* Mean power of n frequencies from k on, with the response of an exposure, without that of the groups. */
void psls_powers(const eas_psls_job *job, const eas_psls_numbers *numbers, int simd, size_t k, size_t n, psls_block *b);

/* out = inverse transform (no factor) of m complex numbers in a, which is overwritten; returns a or b, where it is. */
double *psls_transform(double *a, double *b, size_t m);

/* Streams of numbers: what they are for. */
enum { PSLS_OSCILLATION = 1, PSLS_GRANULATION = 2, PSLS_ACTIVITY = 3, PSLS_NOISE = 4, PSLS_DRIFT = 5 };
uint64_t psls_stream(uint64_t seed, int purpose, int camera, int quarter);

/* In (0, 1); number `counter` of the stream. */
double psls_uniform(uint64_t stream, uint64_t counter);

/* Two standard normal numbers: pair `counter` of the stream. */
void psls_pair(uint64_t stream, uint64_t counter, double *a, double *b);

/* Drift of all cameras together in one quarter: mean over them of 1 + a1 x + a2 x^2 + steps. */
enum { PSLS_STEPS_MAX = 24 * 24 };
typedef struct {
  double a1, a2;
  size_t n;
  double at[PSLS_STEPS_MAX], sum[PSLS_STEPS_MAX]; /* of the quarter, rising; of all steps so far */
} psls_quarter;

void psls_quarter_of(const eas_psls_job *job, int quarter, psls_quarter *q);

#endif
