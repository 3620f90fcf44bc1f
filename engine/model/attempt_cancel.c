/* attempt_cancel.c: queued attempts of cancelled jobs end; running ones hear of it from their workers. */
#include <stdlib.h>

#include "base/buf.h"
#include "model/attempt.h"
#include "model/settle.h"

/* In this order (CROSS): not by all queued attempts of all jobs. */
static const char find_queued[] =
    "SELECT a.id, a.task, a.job, a.type, a.number FROM job j /*sqlite CROSS */JOIN job_type q ON q.job = j.id AND "
    "q.queued > 0"
    " /*sqlite CROSS */JOIN attempt a ON a.type = q.type AND a.job = q.job AND a.state = 'queued'"
    " WHERE j.state = 'cancelled' LIMIT $1/*pg  FOR NO KEY UPDATE OF a SKIP LOCKED*/";

static const char end_them[] = "UPDATE attempt SET state = 'ended', ending = 'cancelled', verdict = 'fail', token = "
                               "token + 1, ended_at = eas_now()"
                               " WHERE id " EAS_IN_IDS("$1") " AND " EAS_STATE_IS("state", "queued");

static int sweep(eas_db *db, int limit, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db, find_queued, EAS_ARGS(eas_v_int(limit)), &rows, err), rc = n;
  if (n > 0) {
    int64_t *ids = eas_alloc((size_t)n * sizeof *ids);
    eas_buf list;
    eas_buf_init(&list);
    eas_settle s = { .db = db, .from = EAS_FROM_QUEUED, .n = n };
    s.list = eas_alloc((size_t)n * sizeof *s.list);
    for (int i = 0; i < n; i++) {
      ids[i] = eas_rows_int(rows, i, 0);
      s.list[i] = (eas_settled){ .attempt = ids[i],
                                 .task = eas_rows_int(rows, i, 1),
                                 .job = eas_rows_int(rows, i, 2),
                                 .type = eas_rows_int(rows, i, 3),
                                 .number = eas_rows_int(rows, i, 4),
                                 .outcome = EAS_OUT_CANCELLED };
    }
    rc = eas_db_send(db, end_them, EAS_ARGS(eas_v_text(eas_db_id_list(db, ids, n, &list))), NULL, err);
    if (rc >= 0) rc = eas_settle_send(&s, err);
    if (rc >= 0) rc = eas_db_flush(db, err);
    if (rc >= 0) rc = eas_settle_follow(&s, err);
    if (rc >= 0) rc = eas_counts_apply(&s.counts, db, err);
    eas_settle_done(&s);
    eas_buf_done(&list);
    free(ids);
  }
  eas_rows_free(rows);
  return rc < 0 ? rc : n;
}

static int cancel_sweep_once(eas_db *db, int limit, eas_err *err)
{
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  int n = rc = sweep(db, limit > 0 ? limit : 1000, err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) {
    eas_db_rollback(db);
    return rc;
  }
  return n;
}

int eas_cancel_sweep(eas_db *db, int limit, eas_err *err)
{
  int tries = 0, rc;
  do rc = cancel_sweep_once(db, limit, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}
