/* tls.h: transit least squares: a transit of a limb-darkened star fitted at every trial period.
 *
 * Hippke & Heller 2019 (A&A 623, A39); periods by Ofir 2014 (A&A 561, A138). Light curves are folded,
 * put in order of phase and compared with one template at several widths (in samples) and all phases; the
 * depth is not fitted but set by the mean of the samples that the template covers.
 * Trial periods are independent: [i0, i1) may be cut over threads and calls (progress, cancelling) and
 * the result is the same bit for bit. No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_TLS_H
#define EAS_NATIVE_TLS_H
#include "eas_native.h"

enum { EAS_TLS_MODEL_SAMPLES = 10000, EAS_TLS_DURATIONS_MAX = 4096 };
enum {
  EAS_TLS_PATH_FAST = 0,      /* the fastest that suits the data */
  EAS_TLS_PATH_REFERENCE = 1, /* the definition, slow and obvious */
  EAS_TLS_PATH_SORT = 2,      /* as fast as can be at any cadence */
  EAS_TLS_PATH_UNIFORM = 3    /* uniform cadence, gaps allowed; else as _SORT */
};

typedef struct {       /* in units of the Sun */
  double r, m;         /* of the period grid */
  double r_min, m_min; /* bound the durations tried at a period: those of this star, small planet, */
  double r_max, m_max; /* to those of this one with a planet of two Jupiter radii */
} eas_tls_star;

typedef struct {
  double span;           /* day, last minus first time */
  double r, m;           /* star, solar units */
  double period_min;     /* day, exclusive; 0: none */
  double period_max;     /* day, inclusive; infinity: none */
  double oversampling;   /* > 0; 3 */
  double n_transits_min; /* > 0; 2 */
} eas_tls_grid_settings;

/* Trial periods, ascending, into out (NULL: only counted); 0 where there is none or a setting makes no
 * sense. r and m are kept within [0.01, 10000] (r below 0.01 becomes 0.1) and [0.01, 1000]. */
EAS_EXPORT size_t eas_tls_grid(const eas_tls_grid_settings *set, double *out);

/* Longest transit over the period, at most 0.12; r, m of the star (Sun = 1), of a planet of no size or two Jupiters'. */
EAS_EXPORT double eas_tls_fraction(double r, double m, double period, int small);

/* Durations over period that a search from period_min to period_max tries, each step times the one before, into
 * out[EAS_TLS_DURATIONS_MAX]; returns how many, 0 where step <= 1 or they are too many. */
EAS_EXPORT size_t eas_tls_durations(double period_min, double period_max, double step, double *out);

/* The peer's template: out[EAS_TLS_MODEL_SAMPLES] 1 - flux at equally spaced times in [-0.5, 0.5] day, circular orbit
 * (period day, axis stellar radii, inclination degree). Its elliptic integrals have the peer's precision of 1e-8. */
EAS_EXPORT void eas_tls_peer_model(double period, double radius_ratio, double axis, double inclination, double u1,
                                   double u2, double *out);

typedef struct {
  eas_tls_star star;
  double depth_min; /* shallower mean depths are not tried */
  double margin;    /* 0 .. 0.1: starts skipped and epochs tried, in durations */
  int peer;         /* 1: a period without fit has chi2 n, one without durations infinity; 0: that of a flat line */
  int path;         /* EAS_TLS_PATH_* */
} eas_tls_settings;

typedef struct {
  double chi2;   /* least of all durations and phases */
  double depth;  /* of the template's deepest point, fraction of flux; 0 if nothing fits */
  int32_t row;   /* of the duration */
  int32_t start; /* sample in order of phase where the template begins; -1 if nothing fits */
} eas_tls_trial;

typedef struct {                  /* all borrowed; no array may overlap another */
  size_t n, n_period, n_duration; /* n >= 3 */
  const double *time;             /* [n] day, finite, strictly increasing */
  const double *flux;             /* [n] 1 out of transit, finite, > 0 if peer */
  const double *ivar;             /* [n] > 0 (1/sigma^2); NULL: 1 over the variance of flux */
  const double *period;           /* [n_period] day, > 0; neighbours in order: faster */
  const double *duration;         /* [n_duration] over period, increasing, <= 0.5, see eas_tls_durations */
  const double *model;            /* [EAS_TLS_MODEL_SAMPLES] 1 - flux, symmetric, equally spaced in time */
  eas_tls_settings set;
  void *plan;         /* eas_tls_plan_size bytes, aligned to 64, filled by eas_tls_prepare */
  eas_tls_trial *out; /* [n_period] */
} eas_tls_job;

/* Checks a job once, in O(n + n_period): EAS_OK, EAS_EFEW (n < 3), EAS_EGRID (no period, no duration of a sample),
 * EAS_EARG (settings, sizes), EAS_EDATA (not finite, time not increasing, ivar <= 0, flux constant or of a variance that
 * has no inverse, no transit in the model). The plan is not needed. */
EAS_EXPORT int eas_tls_check(const eas_tls_job *job);

/* Bytes of the plan that all threads share. */
EAS_EXPORT size_t eas_tls_plan_size(const eas_tls_job *job);

/* Fills job->plan of a checked job; once, before all that follows. */
EAS_EXPORT int eas_tls_prepare(const eas_tls_job *job);

/* The path that a prepared job takes: EAS_TLS_PATH_REFERENCE, _SORT or _UNIFORM. */
EAS_EXPORT int eas_tls_path(const eas_tls_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_tls_run needs; of a prepared job. */
EAS_EXPORT size_t eas_tls_work_size(const eas_tls_job *job);

/* Best transit at each trial i0 <= i < i1 of a prepared job, into job->out[i]. Of equal chi2 the shortest duration
 * wins, then the first start.   work [eas_tls_work_size] scratch, one per thread. Returns EAS_OK. */
EAS_EXPORT int eas_tls_run(const void *job, size_t i0, size_t i1, void *work);

/* Trials whose period is so near to a multiple of a fraction of the cadence that samples tie in phase and the rounding of
 * t / period decides their order: there the chi2 of another program may differ. 0 unless the path is _UNIFORM: at an
 * irregular cadence phases tie by chance alone. work: eas_tls_work_size bytes. */
EAS_EXPORT size_t eas_tls_ties(const eas_tls_job *job, void *work);

/* Rows of a prepared job: one for each duration that has a width of its own. */
EAS_EXPORT size_t eas_tls_rows(const eas_tls_job *job);

typedef struct {
  double duration;     /* over period */
  double overshoot;    /* depth over mean depth */
  size_t width;        /* samples */
  const double *shape; /* [width] 0 out of transit, 0.5 deepest */
} eas_tls_row;

/* One row of the templates that a prepared job tries, for tests and plots: EAS_OK, or EAS_EARG when there is no such row. */
EAS_EXPORT int eas_tls_row_of(const eas_tls_job *job, size_t row, eas_tls_row *out);

/* Chi2 of a flat line at 1. */
EAS_EXPORT double eas_tls_flat(const eas_tls_job *job);

typedef struct {
  size_t index;      /* of the highest power */
  size_t index_chi2; /* of the least chi2 */
  double chi2_min, sde_raw, sde;
  double uncertainty; /* day, of the period; infinite where the peak runs off the grid */
} eas_tls_spectrum;

/* From chi2 to the signal detection efficiency. kernel: trials of the running median, odd.
 *   sr, raw, power [n]: chi2_min / chi2, before and after the median is taken off; work [n + kernel].
 * EAS_NONE where no trial is better than another: arrays are 0 and the numbers NaN. */
EAS_EXPORT int eas_tls_spectrum_of(const eas_tls_trial *trial, const double *period, size_t n, size_t kernel,
                                   double *sr, double *raw, double *power, double *work, eas_tls_spectrum *out);

/* Running median of odd width `kernel` <= n, ends repeated. work [kernel]. */
EAS_EXPORT void eas_tls_running_median(const double *x, size_t n, size_t kernel, double *work, double *out);

/* Chance that white noise reaches this SDE: NaN below 5.65, 8.0e-5 (or less) at and above 9.1. */
EAS_EXPORT double eas_tls_fap(double sde);

enum { EAS_TLS_EPOCH_PLAIN = 0, EAS_TLS_EPOCH_PEER = 1, EAS_TLS_EPOCH_IVAR = 2 }; /* weights of the fit */

/* Mid-transit in [time[0], time[0] + period] by shifting the template of one row over the folded curve.
 * depth as in eas_tls_trial. work: eas_tls_work_size bytes. EAS_OK or EAS_EARG. */
EAS_EXPORT int eas_tls_epoch_of(const eas_tls_job *job, double period, size_t row, double depth, int weights,
                                void *work, double *t0);

typedef struct {
  double time;             /* mid-transit, day */
  double depth, depth_err; /* 1 - mean flux and its standard error; NaN without samples */
  double snr, snr_pink;
  size_t n; /* samples */
} eas_tls_transit;

typedef struct {
  double duration; /* day, of gaps corrected */
  double depth_mean, depth_mean_err;
  double depth_odd, depth_odd_err, depth_even, depth_even_err; /* the first transit is even */
  double odd_even_mismatch;                                    /* difference over the sum of the errors */
  double snr;                    /* depth_mean over the scatter outside, times the root of the samples */
  double noise;                  /* scatter of the samples out of transit */
  double noise_pink;             /* of means over as many samples as a transit has */
  size_t n_transits, n_distinct; /* expected in the span; with samples */
  size_t n_in_transit;
  size_t n_before, n_inside, n_after; /* samples one duration before, in and after, of transits away from the ends */
} eas_tls_stats;

/* Numbers of one candidate. Transits into list[max_transits]. peer: samples count as outside from twice row's *fraction*
 * in days, not from twice the duration. work: eas_tls_work_size bytes. EAS_OK or EAS_EARG. */
EAS_EXPORT int eas_tls_stats_of(const eas_tls_job *job, double period, double t0, size_t row, int peer, void *work,
                                eas_tls_transit *list, size_t max_transits, eas_tls_stats *out);

/* How many transits eas_tls_stats_of lists. */
EAS_EXPORT size_t eas_tls_transit_count(const eas_tls_job *job, double period, double t0);

#endif
