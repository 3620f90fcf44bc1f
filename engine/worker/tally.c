/* tally.c: see tally.h. */
#include "worker/tally.h"

#include <string.h>

#include "worker/inner.h"

const int64_t eas_tally_bounds_us[EAS_TALLY_BUCKETS] = { 500,   1000,   2500,   5000,    10000,   25000,
                                                         50000, 100000, 250000, 1000000, 5000000, 25000000 };
const char *const eas_tally_endings[EAS_TALLY_ENDINGS] = { "ok",   "error",     "crashed", "timeout",
                                                           "cpu",  "memory",    "disk",    "processes",
                                                           "lost", "cancelled", "reused" };

void eas_histogram_add(eas_histogram *h, int64_t us)
{
  h->n++;
  h->sum_us += us;
  for (int i = 0; i < EAS_TALLY_BUCKETS; i++)
    if (us <= eas_tally_bounds_us[i]) {
      h->bucket[i]++;
      return;
    }
}

void eas_tally_ended(eas_tally *t, const char *ending, int passed, int64_t log_bytes)
{
  for (int i = 0; i < EAS_TALLY_ENDINGS; i++) t->ended[i] += strcmp(ending, eas_tally_endings[i]) == 0;
  t->passed += passed;
  t->log_bytes += log_bytes;
}

void eas_worker_status_get(const eas_worker *w, eas_worker_status *out)
{
  int children = 0;
  for (int i = 0; i < w->running.n; i++) children += w->running.list[i]->p.alive;
  *out = (eas_worker_status){ .busy = w->busy,
                              .claimed = w->n_waiting,
                              .slots = w->o.slots,
                              .ended = w->ended,
                              .zygotes = w->zygotes,
                              .draining = w->draining,
                              .children = children,
                              .uncommitted = w->finished.n,
                              .lease_us = w->lease_us,
                              .tally = &w->tally };
}
