/* transit_model.h: flux that a transiting planet takes from its star.
 *
 * An opaque dark disc before a limb-darkened star (Mandel & Agol 2002, ApJ 580, L171) on a
 * Keplerian orbit (Murray & Correia 2010), integrated over rings of the star by Gauss-Legendre
 * quadrature, good to 1e-12 of the star's flux. With a plan, the flux is tabulated once as a function of
 * the distance and then interpolated, to 1e-10 of the depth. Samples are independent: [i0, i1) may be cut
 * over threads and calls. No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_TRANSIT_MODEL_H
#define EAS_NATIVE_TRANSIT_MODEL_H
#include "eas_native.h"

enum { EAS_TRANSIT_UNIFORM = 0, EAS_TRANSIT_LINEAR = 1, EAS_TRANSIT_QUADRATIC = 2 }; /* limb darkening */
enum {
  EAS_TRANSIT_MIDPOINTS = 0, /* sub-exposures at the middles of equal parts */
  EAS_TRANSIT_PEER = 1       /* as batman: equally spaced, both ends included */
};

typedef struct {
  double t0;           /* day, mid-transit (inferior conjunction) */
  double period;       /* day, > 0 */
  double radius_ratio; /* planet / star; < 0: brightens as much as it would dim */
  double axis;         /* semi-major axis / radius of the star, > 1 */
  double inclination;  /* degree, 90: edge-on */
  double eccentricity; /* 0 <= it < 1 */
  double omega;        /* degree, argument of periastron of the star-centred orbit */
  double u1, u2;       /* I(mu)/I(1) = 1 - u1 (1 - mu) - u2 (1 - mu)^2 */
  double exposure;     /* day, > 0 where supersample > 1 */
  int law;             /* EAS_TRANSIT_UNIFORM ignores u1 and u2, _LINEAR u2 */
  int supersample;     /* 1 .. 10000 instants per exposure */
  int sampling;        /* EAS_TRANSIT_MIDPOINTS, _PEER */
  int every_sample;    /* 1: evaluates every sample; 0: only those that can be in transit, same bits */
} eas_transit_model_settings;

typedef struct {      /* all borrowed; no array may overlap another */
  size_t n;           /* 0 allowed */
  const double *time; /* [n] day, finite, in any order; NULL: start + i step */
  double start, step; /* day, where time is NULL */
  eas_transit_model_settings set;
  double *deficit;  /* [n] 1 - flux; exactly 0 outside of transit */
  double *distance; /* [n] sky separation of the centres in radii of the star at mid-exposure, 100
                           where the planet is behind; NULL: not wanted */
  void *plan;       /* made by eas_transit_model_prepare; NULL: every sample by quadrature */
} eas_transit_model_job;

/* EAS_OK, EAS_EARG (settings, or an intensity that sums to nothing), EAS_EDATA (time not finite). */
EAS_EXPORT int eas_transit_model_check(const eas_transit_model_job *job);

/* Bytes that job->plan must have, aligned to 64. */
EAS_EXPORT size_t eas_transit_model_plan_size(const eas_transit_model_job *job);

/* Fills job->plan of a checked job: some 30 microseconds, worth it from about 50 samples in transit on. To be done
 * again when settings change. A job that a table does not suit (an orbit inside of the star, a planet of no
 * size) is computed without. Returns EAS_OK. */
EAS_EXPORT int eas_transit_model_prepare(eas_transit_model_job *job);

/* 1 if the job's plan holds a table. */
EAS_EXPORT int eas_transit_model_tabulated(const eas_transit_model_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_transit_model_run needs. */
EAS_EXPORT size_t eas_transit_model_work_size(const eas_transit_model_job *job);

/* Fills deficit (and distance) of samples i0 <= i < i1 of a checked job. Returns EAS_OK. */
EAS_EXPORT int eas_transit_model_run(const void *job, size_t i0, size_t i1, void *work);

/* 1 - flux when the centres are `distance` apart; the quadrature behind the kernel. NaN for bad arguments. */
EAS_EXPORT double eas_transit_model_deficit(double distance, double radius_ratio, int law, double u1, double u2);

/* Eccentric anomaly E of mean anomaly M = E - e sin E (radian), M in [-pi, pi], 0 <= e < 1. */
EAS_EXPORT double eas_transit_model_kepler(double mean_anomaly, double eccentricity);

/* Centre of the transit on the sky in radii of the star (impact parameter). */
EAS_EXPORT double eas_transit_model_impact(const eas_transit_model_settings *set);

typedef struct {
  double integrated_power;  /* W: sum of the deficit */
  double pixels_in_transit; /* n: samples with a deficit */
  double pixels_out_of_transit;
  double mes;     /* W / (sigma sqrt(n)); 0 if n is 0; at most 1e8, also where sigma is 0 */
  double snr;     /* of a matched filter: sqrt(sum deficit^2) / sigma; the same limits */
  double deepest; /* largest deficit */
} eas_transit_model_summary;

/* Numbers of one deficit[n] seen with white noise sigma per sample. */
EAS_EXPORT void eas_transit_model_summarize(const double *deficit, size_t n, double sigma,
                                            eas_transit_model_summary *out);

/* out[i] = standard normal number first + i of the stream `seed` (counter-based SplitMix64 and
 * Box-Muller: even numbers take the cosine, odd the sine), so that any part can be made alone. */
EAS_EXPORT void eas_transit_model_noise(uint64_t seed, uint64_t first, size_t n, double *out);

#endif
