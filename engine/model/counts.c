/* counts.c: the counters per (job, type), which everything that ends or begins touches: one row each, in one order, last. */
#include <stdlib.h>

#include "model/born.h"
#include "model/words.h"

static int by_key(const void *a, const void *b)
{
  const eas_count *x = a, *y = b;
  if (x->job != y->job) return x->job < y->job ? -1 : 1;
  return (x->type > y->type) - (x->type < y->type);
}

static void merge(eas_count *to, const eas_count *c)
{
  to->waiting += c->waiting;
  to->queued += c->queued;
  to->running += c->running;
  to->passed += c->passed;
  to->reused += c->reused;
  to->failed += c->failed;
  to->skipped += c->skipped;
  to->cancelled += c->cancelled;
  to->wall_us += c->wall_us;
  to->ended += c->ended;
}

static int zero(const eas_count *c)
{
  return !(c->waiting || c->queued || c->running || c->passed || c->reused || c->failed || c->skipped || c->cancelled ||
           c->wall_us || c->ended);
}

int eas_counts_add(eas_db *db, eas_count *counts, int n, eas_err *err)
{
  if (n <= 0) return 0;
  qsort(counts, (size_t)n, sizeof *counts, by_key);
  int kept = 0;
  for (int i = 1; i < n; i++) {
    if (by_key(&counts[kept], &counts[i]) == 0)
      merge(&counts[kept], &counts[i]);
    else
      counts[++kept] = counts[i];
  }
  for (int i = 0; i <= kept; i++) {
    const eas_count *c = &counts[i];
    if (zero(c)) continue;
    if (c->queued > 0) eas_born_note(db, c->job, c->type, c->queued);
    int rc = eas_db_send(
        db,
        "INSERT INTO job_type (job, type, waiting, queued, running, passed, reused, failed, skipped, cancelled, "
        "wall_us, ended)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (job, type) DO UPDATE SET"
        " waiting = job_type.waiting + excluded.waiting, queued = job_type.queued + excluded.queued,"
        " running = job_type.running + excluded.running, passed = job_type.passed + excluded.passed,"
        " reused = job_type.reused + excluded.reused, failed = job_type.failed + excluded.failed,"
        " skipped = job_type.skipped + excluded.skipped, cancelled = job_type.cancelled + excluded.cancelled,"
        " wall_us = job_type.wall_us + excluded.wall_us, ended = job_type.ended + excluded.ended",
        EAS_ARGS(eas_v_int(c->job), eas_v_int(c->type), eas_v_int(c->waiting), eas_v_int(c->queued),
                 eas_v_int(c->running), eas_v_int(c->passed), eas_v_int(c->reused), eas_v_int(c->failed),
                 eas_v_int(c->skipped), eas_v_int(c->cancelled), eas_v_int(c->wall_us), eas_v_int(c->ended)),
        NULL, err);
    if (rc < 0) return rc;
  }
  return 0;
}
