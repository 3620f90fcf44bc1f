/* job_due.c: what there is to do for control, asked in one question. */
#include "model/job.h"
#include "model/settle.h"

int eas_job_due(eas_db *db, int64_t worker, eas_due *out, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc =
      eas_db_query(db,
                   "SELECT CASE WHEN EXISTS (SELECT 1 FROM task WHERE spread = 1) THEN 1 ELSE 0 END,"
                   " CASE WHEN EXISTS (SELECT 1 FROM job j JOIN job_type q ON q.job = j.id WHERE j.state = "
                   "'cancelled' AND j.done_at IS NULL"
                   " AND q.queued > 0) THEN 1 ELSE 0 END,"
                   " CASE WHEN EXISTS (SELECT 1 FROM task WHERE " EAS_TO_TELL(
                       "") ") THEN 1 ELSE 0 END,"
                           " (SELECT MIN(lease_until) FROM worker WHERE state = 'active' AND id <> $1) - eas_now()",
                   EAS_ARGS(eas_v_int(worker)), &rows, err);
  if (rc < 0) return rc;
  *out = (eas_due){ .skips = (int)eas_rows_int(rows, 0, 0),
                    .cancels = (int)eas_rows_int(rows, 0, 1),
                    .gathers = (int)eas_rows_int(rows, 0, 2),
                    .others = !eas_rows_null(rows, 0, 3),
                    .lease_us = eas_rows_int(rows, 0, 3) };
  eas_rows_free(rows);
  return 0;
}
