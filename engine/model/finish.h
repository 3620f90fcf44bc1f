/* finish.h: what follows when tasks are decided; shared by commits, expansion and skipping.
 *
 * All of it happens inside the caller's open transaction, in the lock order of DESIGN.md section 12:
 * job, attempts, tasks, products; then eas_finish_children; eas_counts_add last. */
#ifndef EAS_MODEL_FINISH_H
#define EAS_MODEL_FINISH_H
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"
#include "model/words.h"

/* Counters of one transaction, gathered to be applied at its end. */
typedef struct {
  eas_count *list;
  int n, cap;
} eas_counts;
eas_count *eas_counts_of(eas_counts *c, int64_t job, int64_t type); /* zeroed when new; borrowed until the next call */
int eas_counts_apply(eas_counts *c, eas_db *db, eas_err *err);      /* eas_counts_add, then empty */
void eas_counts_done(eas_counts *c);

/* A task that was decided (passed, failed, skipped, cancelled) and has no open children: it is done. */
typedef struct {
  int64_t parent; /* 0: it is the root */
  int64_t job;
  int failed; /* 1: not passed itself, or something below it is not */
} eas_done_task;

/* Takes done tasks off their parents' open_children, and what gets done by that off theirs, up to the root;
 * a job whose root is done gets its done_at. The tasks' own `done` was set by the caller. */
int eas_finish_children(eas_db *db, const eas_done_task *list, int n, eas_err *err);

/* The task lost an unmet edge; at zero it becomes ready, with its first (or next) attempt. */
int eas_finish_edge(eas_db *db, int64_t task, eas_counts *counts, int *n_ready, eas_err *err);

/* The task got its first passed attempt: meets the edges of tasks that need its metadata. Those whose last unmet
 * edge it was become ready with a queued attempt; counts and *n_ready hear of them. */
int eas_finish_needs(eas_db *db, int64_t task, eas_counts *counts, int *n_ready, eas_err *err);

#endif
