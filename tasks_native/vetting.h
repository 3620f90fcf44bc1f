/* vetting.h: is a transit candidate credible? Checks on the light curve folded at its period.
 *
 * Red noise after Pont, Zucker & Queloz 2006 (MNRAS 373, 231); the others are those of the Kepler and TLS
 * pipelines, each with its limit beside it. Noise is white, sigma = 1.4826 MAD outside of transit, plus a red
 * part per transit. A number that cannot be had gives EAS_VETTING_SKIP; a comparison with NaN never passes.
 * O(n). The range of trials is one: [0, 1). No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_VETTING_H
#define EAS_NATIVE_VETTING_H
#include "eas_native.h"

enum { /* verdicts */
       EAS_VETTING_PASS = 0,
       EAS_VETTING_WARN = 1,
       EAS_VETTING_FAIL = 2,
       EAS_VETTING_SKIP = 3, /* the data do not suffice, or the search did not say */
       EAS_VETTING_NOTE = 4  /* told, judged by nobody */
};

enum {                        /* checks, in this order in out; eas_vetting_name gives their names */
       EAS_VETTING_CANDIDATE, /* 1 if period, t0 and duration are finite and 0 < duration < period / 2 */
       EAS_VETTING_SDE,       /* of the search; below sde_fail fails, below sde_pass warns */
       EAS_VETTING_SNR,       /* depth over its white error: 7.1 */
       EAS_VETTING_RED_SNR,   /* depth over its error with red noise: 7, below 5 fails */
       EAS_VETTING_TRANSITS,  /* with half of their samples: 3; 2 warns */
       EAS_VETTING_EMPTY,     /* share of expected transits without a sample: 0.33 warns */
       EAS_VETTING_ODD_EVEN,  /* difference of depths in sigmas (which hold the transit's shape): 3 warns, 5 fails */
       EAS_VETTING_SECONDARY, /* significance of the deepest other dip: 4 warns; 7.1 fails if above 0.25 of the depth */
       EAS_VETTING_OPPOSITE,  /* depth half a period away over depth; a note */
       EAS_VETTING_SHAPE,     /* depth of the middle third over the outer ones: 2.5 warns (V shape) */
       EAS_VETTING_DURATION, /* over that of a central transit of a star like the Sun: limits of 0.05 .. 50 densities */
       EAS_VETTING_DEPTH,    /* 0.05 warns, 0.2 fails; negative fails */
       EAS_VETTING_SCATTER,  /* chance of depths that differ so much from transit to transit: 1e-3 warns */
       EAS_VETTING_SHARE,    /* largest share of one transit in the gain of all: 0.6 fails (0.9 of two) */
       EAS_VETTING_LEAVE_OUT, /* loss of SNR without that transit: 0.5 fails */
       EAS_VETTING_SINE,      /* log-likelihood of a sine over the box: > 0 fails */
       EAS_VETTING_EDGES,     /* share of samples in transit near a gap, an end, a mask update: 0.25 warns, 0.5 fails */
       EAS_VETTING_COVERAGE,  /* share of transits with samples before and after: below 0.5 warns */
       EAS_VETTING_ALIAS,     /* period that suits better over the period: not 1 warns */
       EAS_VETTING_ARTEFACT,  /* relative distance from a period of the instrument: 0.001 warns */
       EAS_VETTING_INVERTED, /* strongest brightening over strongest dip, searched alike, at most 1000: 0.9 fails (red noise) */
       EAS_VETTING_RADIUS, /* of the planet, in Jupiter's: 2.5 warns; skipped without the star's */
       EAS_VETTING_CHECKS
};

typedef struct {
  double period, t0, duration; /* day; t0 is any mid-transit */
  double sde;                  /* NaN: not known */
  double sde_pass, sde_fail;   /* 9 and 7 for TLS, 6 and 6 for BLS */
  double star_radius;          /* of the sun's; NaN: not known */
  int brief;                   /* not 0: without EAS_VETTING_INVERTED, which takes most of the time */
} eas_vetting_settings;

typedef struct {
  double value, limit; /* the limit that decided */
  int verdict;         /* EAS_VETTING_* */
} eas_vetting_check_result;

typedef struct {           /* measured on the way; NaN where not */
  double depth, depth_err; /* with red noise in the error */
  double sigma, sigma_red; /* per sample; per transit */
  double depth_odd, depth_even, depth_secondary;
  double phase_secondary; /* 0 .. 1 after t0 */
  double n_transits, n_expected, n_in_transit;
} eas_vetting_numbers;

typedef struct {        /* all borrowed */
  size_t n;             /* 0 allowed */
  const double *time;   /* [n] day, finite, strictly increasing */
  const double *flux;   /* [n] relative to 1, finite */
  const uint32_t *flag; /* [n], bit 1 (value 2): mask update; NULL: none */
  eas_vetting_settings set;
  eas_vetting_check_result *out; /* [EAS_VETTING_CHECKS] */
  eas_vetting_numbers *numbers;  /* one */
} eas_vetting_job;

/* EAS_OK, EAS_EARG (NULL; over 1e7 periods in the light curve), EAS_EDATA (not finite, not increasing). A
 * candidate that is none (NaN) is no error: its first check fails and the others are skipped. */
EAS_EXPORT int eas_vetting_check(const eas_vetting_job *job);

/* Bytes of scratch, aligned to 64: grows with n and the number of periods. */
EAS_EXPORT size_t eas_vetting_work_size(const eas_vetting_job *job);

/* Fills out and numbers when 0 is in [i0, i1). Returns EAS_OK. */
EAS_EXPORT int eas_vetting_run(const void *job, size_t i0, size_t i1, void *work);

/* "candidate", "sde", ...; NULL outside of 0 .. EAS_VETTING_CHECKS - 1. Constant text. */
EAS_EXPORT const char *eas_vetting_name(int check);

#endif
