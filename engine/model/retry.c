/* retry.c: failed and cancelled tasks run again; what was skipped because of them waits again. */
#include <stdlib.h>
#include <string.h>

#include "model/retry.h"

static const char find_failed[] = "SELECT " EAS_REVIVE_COLUMNS " FROM task t WHERE job = $1 AND /*sqlite state IN "
                                  "('failed', 'skipped')*//*pg bad = 1*/ AND state = 'failed'"
                                  " ORDER BY id/*pg  FOR NO KEY UPDATE*/";
static const char find_cancelled[] =
    "SELECT " EAS_REVIVE_COLUMNS " FROM task t WHERE job = $1 AND /*pg bad = 2 AND */state = "
    "'cancelled' ORDER BY id/*pg  FOR NO KEY UPDATE*/";
static const char find_one[] = "SELECT " EAS_REVIVE_COLUMNS " FROM task t WHERE id = $1/*pg  FOR NO KEY UPDATE*/";

static int retry_job(eas_revival *r, int64_t job, int cancelled, eas_err *err)
{
  int rc = 0;
  eas_rows *rows = NULL;
  if (cancelled)
    rc = eas_db_exec(r->db, "UPDATE job SET state = 'active' WHERE id = $1", EAS_ARGS(eas_v_int(job)), err);
  if (rc >= 0) rc = eas_db_query(r->db, find_failed, EAS_ARGS(eas_v_int(job)), &rows, err);
  if (rc > 0)
    rc = eas_revive_down(r, rows, err);
  else
    eas_rows_free(rows);
  rows = NULL;
  if (rc >= 0) rc = eas_db_query(r->db, find_cancelled, EAS_ARGS(eas_v_int(job)), &rows, err);
  if (rc > 0)
    rc = eas_revive_down(r, rows, err);
  else
    eas_rows_free(rows);
  return rc;
}

static int retry_task(eas_revival *r, int64_t job, int64_t task, int cancelled, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(r->db, find_one, EAS_ARGS(eas_v_int(task)), &rows, err);
  const char *state = rc > 0 ? eas_rows_text(rows, 0, 3) : "";
  if (rc == 0 || (rc > 0 && eas_rows_int(rows, 0, 1) != job)) {
    rc = eas_fail(err, EAS_ENOENT, "task t%lld: job j%lld has no such task", (long long)task, (long long)job);
  } else if (rc > 0 && cancelled) {
    eas_fail(err, EAS_EINVAL, "task t%lld: its job j%lld is cancelled", (long long)task, (long long)job);
    rc = eas_hint(err, "eas retry j%lld takes the whole job up again", (long long)job);
  } else if (rc > 0 && strcmp(state, "failed") != 0 && strcmp(state, "cancelled") != 0) {
    eas_fail(err, EAS_EINVAL, "task t%lld: it is %s, only failed and cancelled tasks are tried again", (long long)task,
             state);
    rc = strcmp(state, "skipped") == 0 ? eas_hint(err, "eas why t%lld shows what it waited for", (long long)task)
                                       : EAS_EINVAL;
  }
  if (rc > 0) return eas_revive_down(r, rows, err);
  eas_rows_free(rows);
  return rc;
}

static int retry_all(eas_revival *r, int64_t job, int64_t task, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(r->db, "SELECT state FROM job WHERE id = $1/*pg  FOR NO KEY UPDATE*/", EAS_ARGS(eas_v_int(job)),
                        &rows, err);
  int cancelled = rc > 0 && strcmp(eas_rows_text(rows, 0, 0), "cancelled") == 0;
  eas_rows_free(rows);
  if (rc == 0) return eas_fail(err, EAS_ENOENT, "job j%lld: there is none", (long long)job);
  if (rc > 0) rc = task ? retry_task(r, job, task, cancelled, err) : retry_job(r, job, cancelled, err);
  if (rc >= 0) rc = eas_revive_up(r, err);
  if (rc >= 0) rc = eas_revive_end(r, job, err);
  return rc;
}

int eas_retry(eas_db *db, int64_t job, int64_t task, int *n_ready, eas_err *err)
{
  return eas_revive_all(db, retry_all, job, task, n_ready, err);
}
