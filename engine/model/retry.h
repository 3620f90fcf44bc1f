/* retry.h: decided tasks run again: retry.c and rerun.c say which, revive.c does it. Private to engine/model. */
#ifndef EAS_MODEL_RETRY_H
#define EAS_MODEL_RETRY_H
#include "base/buf.h"
#include "model/attempt.h"
#include "model/finish.h"

/* Columns of the rows that eas_revive takes, of "task t". */
#define EAS_REVIVE_COLUMNS                                                                                             \
  "t.id, t.job, t.type, t.state, t.done, t.parent, t.failed_children, CASE WHEN EXISTS (SELECT 1 FROM attempt r"       \
  " WHERE r.id = t.accepted AND r.ending = 'reused') THEN 1 ELSE 0 END"

typedef struct {
  int64_t parent;
  int failed; /* 1: it counted as failed */
} eas_undone;

typedef struct {
  eas_db *db;
  eas_counts counts;
  eas_undone *undone; /* revived tasks that had been done and have a parent */
  int n_undone, cap_undone;
  int n_revived, n_ready;
} eas_revival;

/* Makes the tasks of rows ready, or waiting if an edge is unmet; *list becomes their ids (EAS_IN_IDS). */
int eas_revive(eas_revival *r, const eas_rows *rows, eas_buf *list, eas_err *err);
/* Revives rows (freed), then level by level what was skipped because of them. */
int eas_revive_down(eas_revival *r, eas_rows *rows, eas_err *err);
/* Opens the parents again, and what was skipped because too few below one of them had passed. */
int eas_revive_up(eas_revival *r, eas_err *err);
/* Counters, the job's done_at, the bell: the last of the transaction. */
int eas_revive_end(eas_revival *r, int64_t job, eas_err *err);

void eas_revival_done(eas_revival *r);
/* One transaction of such steps, made again when it met another; a and b are the step's. Returns how many were revived. */
typedef int eas_revive_fn(eas_revival *r, int64_t a, int64_t b, eas_err *err);
int eas_revive_all(eas_db *db, eas_revive_fn *step, int64_t a, int64_t b, int *n_ready, eas_err *err);

#endif
