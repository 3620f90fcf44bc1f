/* tally.h: what a worker counts of itself, for metrics. Times in microseconds; all since it started. */
#ifndef EAS_WORKER_TALLY_H
#define EAS_WORKER_TALLY_H
#include <stdint.h>

enum { EAS_TALLY_BUCKETS = 12, EAS_TALLY_ENDINGS = 11 };
extern const int64_t eas_tally_bounds_us[EAS_TALLY_BUCKETS];   /* upper bounds, the last one is missing: everything */
extern const char *const eas_tally_endings[EAS_TALLY_ENDINGS]; /* DESIGN.md section 12 */

typedef struct {
  int64_t n, sum_us;
  int64_t bucket[EAS_TALLY_BUCKETS]; /* not cumulative */
} eas_histogram;
void eas_histogram_add(eas_histogram *h, int64_t us);

typedef struct {
  eas_histogram claim, commit; /* of a group: how long the database took */
  int64_t claims, claimed;     /* questions for work, found or not; attempts they gave */
  int64_t ended[EAS_TALLY_ENDINGS], passed;
  int64_t log_bytes;  /* of ended attempts */
  int64_t renewed_us; /* eas_tick_us of the last lease */
} eas_tally;
void eas_tally_ended(eas_tally *t, const char *ending, int passed, int64_t log_bytes);

#endif
