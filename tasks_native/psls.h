/* psls.h: a solar-like star as PLATO's cameras see it: oscillations, granulation, activity, noise, drift.
 *
 * After the PLATO Solar-like Light-curve Simulator (Samadi et al. 2019, A&A 624, A117). Granulation: Kallinger et al.
 * 2014; red giants: Mosser et al. 2011, 2015; magnitudes and noise: Marchiori et al. 2019. A mean power spectrum (one
 * sided, ppm^2/uHz) is drawn at random and transformed; frequencies uHz, brightness ppm. Each source of chance
 * has numbers of its own, so that switching one off leaves the others as they are. The order of calls: check; run over
 * [0, length / 2]; transform over [0, 1); sample over [0, n). run and sample may be cut over threads and calls.
 * No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_PSLS_H
#define EAS_NATIVE_PSLS_H
#include "eas_native.h"

enum { EAS_PSLS_MAIN_SEQUENCE = 0, EAS_PSLS_RED_GIANT = 1 }; /* templates and patterns of modes */
enum { EAS_PSLS_OSCILLATION = 1, EAS_PSLS_GRANULATION = 2, EAS_PSLS_ACTIVITY = 4 }; /* parts of a star */

typedef struct {
  int pattern;            /* EAS_PSLS_MAIN_SEQUENCE: asymptotic; EAS_PSLS_RED_GIANT: universal pattern, mixed modes */
  int parts;              /* which of EAS_PSLS_OSCILLATION .. are there */
  double magnitude;       /* V */
  double teff, logg;      /* K, of cm/s^2 */
  double mass, radius;    /* of the sun's; the universal pattern finds its own */
  double numax, delta_nu; /* uHz; 0: from mass and radius, or (delta_nu of the universal pattern) from numax */
  double dpi, coupling;   /* s, period spacing of mixed modes, 0: none; q */
  double activity_sigma;  /* ppm */
  double activity_tau;    /* day */
} eas_psls_star;

typedef struct { /* what follows from a star; NaN where its pattern has no such number */
  double numax, delta_nu, mass, radius;
  double bolometric;               /* factor of amplitudes */
  double width;                    /* uHz, full width at half maximum of the envelope */
  double height_max;               /* ppm^2/uHz, of a radial mode at numax, before the bolometric factor */
  double amplitude_max, gamma_max; /* ppm, uHz: asymptotic pattern */
  double gamma, epsilon, d01, d02, d03, curvature; /* uHz and orders: universal pattern */
  double orders;
  double granulation_a[2], granulation_b[2], granulation_h[2]; /* ppm, uHz, plateaus ppm^2/uHz; a is NaN out of scale */
  double nsr;                                                  /* ppm in an hour, one camera, by magnitude */
} eas_psls_numbers;

typedef struct {
  double nu, width, height; /* uHz, uHz, ppm^2/uHz as if resolved */
  int n, l;
} eas_psls_mode;

enum { EAS_PSLS_MODES_MAX = 20000 };

/* A star like 16 Cyg B (V = 10), or a red giant (V = 12.5). EAS_EARG for another kind. */
EAS_EXPORT int eas_psls_template(int kind, eas_psls_star *star);

/* EAS_OK, or EAS_EARG where a setting is out of range. */
EAS_EXPORT int eas_psls_describe(const eas_psls_star *star, eas_psls_numbers *out);

/* Modes of a star that stand out at a resolution (uHz), into mode[EAS_PSLS_MODES_MAX]; returns their number or EAS_EARG. */
EAS_EXPORT int eas_psls_modes(const eas_psls_star *star, double resolution, eas_psls_mode *mode);

/* Length of a transform for n samples: the smallest 2^a 3^b 5^c >= n that is even. 0: n is 0 or over 2^31. */
EAS_EXPORT size_t eas_psls_length(size_t n);

typedef struct {       /* all borrowed; no array may overlap another */
  size_t n, length;    /* n >= 2; length = eas_psls_length(n) */
  double cadence;      /* s */
  int groups, cameras; /* 1 .. 4, 1 .. 6 of each */
  double group_shift;  /* s, under 1e9, from one group to the next one; times are the middle of all groups */
  double noise;        /* ppm, white, of one camera and sample */
  double drift;        /* standard deviation of the drift in a quarter, of one camera; 0: none */
  double mask_updates; /* mean number per quarter and camera, each a step of a fifth of drift_step; 0: none */
  double drift_step;   /* as drift, for the steps alone */
  uint64_t seed;
  eas_psls_star star;
  const eas_psls_mode *mode; /* [n_mode] width > 0 */
  size_t n_mode;
  double *spectrum; /* [length + 2] re, im of each frequency by run */
  double *buffer;   /* [length] by transform */
  double *series;   /* [length] ppm, by transform; may not be spectrum or buffer */
  double *flux;     /* [n] by sample: 1 and all this, not yet of mean 1 */
  uint32_t *flag;   /* [n] by sample: 2 where a mask was updated; NULL: not wanted */
} eas_psls_job;

/* EAS_OK, EAS_EARG, EAS_EFEW (n), EAS_EDATA (a mode that is none). */
EAS_EXPORT int eas_psls_check(const eas_psls_job *job);

/* Bytes of scratch, aligned to 64, for run and sample. */
EAS_EXPORT size_t eas_psls_work_size(const eas_psls_job *job);

/* Draws the spectrum at frequencies i0 <= i < i1 of length / 2 + 1, in steps of 1e6 / (length cadence) uHz. EAS_OK. */
EAS_EXPORT int eas_psls_run(const void *job, size_t i0, size_t i1, void *work);

/* The series of the spectrum, when 0 is in [i0, i1). EAS_OK. */
EAS_EXPORT int eas_psls_transform(const void *job, size_t i0, size_t i1, void *work);

/* flux (and flag) of samples i0 <= i < i1: (1 + series)(drift + noise). EAS_OK. */
EAS_EXPORT int eas_psls_sample(const void *job, size_t i0, size_t i1, void *work);

/* Divides by the mean, and returns it. NaN, and nothing changed, when that is not > 0. */
EAS_EXPORT double eas_psls_normalise(double *flux, size_t n);

/* Mean power at frequency k, ppm^2/uHz, of one group: out[3] oscillation, granulation, activity. */
EAS_EXPORT void eas_psls_density(const eas_psls_job *job, size_t k, double *out);

/* Expected scatter of the star, ppm: of samples; and of differences of neighbours, over sqrt 2. After check. */
EAS_EXPORT void eas_psls_scatter(const eas_psls_job *job, double *samples, double *steps);

#endif
