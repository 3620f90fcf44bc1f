/* qats.h: quasi-periodic automated transit search: transits whose intervals may vary.
 *
 * Carter & Agol 2013 (ApJ 765, 132) after Kel'manov & Jeon 2004 (IEEE Trans. Signal Process. 52, 645).
 * A train is a row of boxes of `width` cadences whose starts are step_min .. step_max cadences apart, so that no
 * box more would fit before the first or behind the last. Of M boxes it scores S = sum(D) / sqrt(M width), D being
 * minus the sum of the sequence under a box: in a sequence of unit variance, S is the signal-to-noise of all.
 * Trials are independent: [i0, i1) may be cut over threads and calls, and the result is the same bit for bit.
 * O(n) a trial. No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_QATS_H
#define EAS_NATIVE_QATS_H
#include "eas_native.h"

enum {
  EAS_QATS_PATH_FAST = 0,     /* single precision, vectors: S to 1e-6; needs job.plan */
  EAS_QATS_PATH_EXACT = 1,    /* double precision, a sliding maximum */
  EAS_QATS_PATH_REFERENCE = 2 /* double precision, each window looked through: the definition */
};

typedef struct {
  uint32_t width;              /* index into job.width */
  uint32_t step_min, step_max; /* cadences between starts: width <= step_min <= step_max < 2^31 */
} eas_qats_trial;

typedef struct {
  double s;          /* best score of all numbers of transits; 0: no train has a positive one */
  uint32_t transits; /* that number; the least of equals; 0 where s is 0 */
  uint32_t last;     /* start of the last box, 0 .. n - width; not set by EAS_QATS_PATH_FAST */
} eas_qats_peak;

typedef struct {               /* all borrowed; no array may overlap another */
  size_t n, n_width, n_trial;  /* 1 <= n < 2^31 */
  const double *y;             /* [n] even cadence, median 0, unit variance, 0 where there is no sample; |y| <= 1e12 */
  const uint32_t *width;       /* [n_width] cadences, 1 .. n; n_width <= 1000 */
  const eas_qats_trial *trial; /* [n_trial] */
  int path;                    /* EAS_QATS_PATH_* */
  void *plan;                  /* eas_qats_plan_size bytes, aligned to 64, filled by eas_qats_prepare; NULL: exact */
  eas_qats_peak *out;          /* [n_trial] */
} eas_qats_job;

/* EAS_OK, EAS_EFEW (n < 3), EAS_EGRID (no trial), EAS_EARG (a width or a step; a trial of over 2^32 operations),
 * EAS_EDATA (not finite, too large). */
EAS_EXPORT int eas_qats_check(const eas_qats_job *job);

/* Bytes of the plan that threads share: D of each width, 4 bytes a sample. */
EAS_EXPORT size_t eas_qats_plan_size(const eas_qats_job *job);

/* Fills job->plan of a checked job; once, before any run. */
EAS_EXPORT int eas_qats_prepare(const eas_qats_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_qats_run needs. */
EAS_EXPORT size_t eas_qats_work_size(const eas_qats_job *job);

/* Best train of each trial i0 <= i < i1 of a checked job, into job->out[i].
 *   work [eas_qats_work_size] scratch, one per thread. Returns EAS_OK. */
EAS_EXPORT int eas_qats_run(const void *job, size_t i0, size_t i1, void *work);

/* The best train of one trial of a checked job, in double precision. start[max_start] gets the starts of its boxes;
 * of equal trains that with the last box first, then the box before it first, and so on.
 *   work [eas_qats_train_work_size]. EAS_OK, EAS_NONE (*peak is 0), EAS_EARG (max_start is too small). */
EAS_EXPORT size_t eas_qats_train_work_size(const eas_qats_job *job, size_t trial);
EAS_EXPORT int eas_qats_train(const eas_qats_job *job, size_t trial, eas_qats_peak *peak, uint32_t *start,
                              size_t max_start, void *work);

/* Spans of steps: with a_k = floor(base ratio^k), the pairs a_k, a_(k+1) of 0 <= k < count that differ. How many; and,
 * where the pointers are not NULL, the pairs. 0 where base < 1, ratio <= 1, or a step would be over 2^31. */
EAS_EXPORT size_t eas_qats_grid(double base, double ratio, size_t count, uint32_t *step_min, uint32_t *step_max);

#endif
