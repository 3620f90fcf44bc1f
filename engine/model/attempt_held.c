/* attempt_held.c: what a worker says of attempts it holds: handed back, alive, still wanted? */
#include <stdlib.h>

#include "base/buf.h"
#include "model/attempt.h"
#include "model/commit.h"
#include "model/finish.h"
#include "model/settle.h"

/* --- hand back --- */

static const char hand_back[] =
    "UPDATE attempt SET state = 'queued', worker = NULL, slot = NULL, started_at = NULL"
    " WHERE id = $1 AND token = $2 AND worker = $3 AND state = 'running' RETURNING job, type";
static const char forget_usage[] =
    "DELETE FROM attempt_usage WHERE attempt IN (SELECT id FROM attempt WHERE id = $1 AND "
    "token = $2 AND state = 'queued')";

/* Inside a transaction. */
static int queue_again(eas_db *db, int64_t worker, const eas_held *held, int n, eas_err *err)
{
  int *tickets = eas_alloc((size_t)(n + 1) * sizeof *tickets), rc = 0;
  eas_counts counts = { 0 };
  for (int i = 0; i < n && rc >= 0; i++)
    rc = eas_db_send(db, hand_back, EAS_ARGS(eas_v_int(held[i].attempt), eas_v_int(held[i].token), eas_v_int(worker)),
                     &tickets[i], err);
  for (int i = 0; i < n && rc >= 0; i++)
    rc = eas_db_send(db, forget_usage, EAS_ARGS(eas_v_int(held[i].attempt), eas_v_int(held[i].token)), NULL, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  for (int i = 0; i < n && rc >= 0; i++) {
    const eas_rows *r = eas_db_result(db, tickets[i]);
    if (eas_rows_n(r) == 0) continue; /* lost meanwhile: another has it */
    eas_count *c = eas_counts_of(&counts, eas_rows_int(r, 0, 0), eas_rows_int(r, 0, 1));
    c->running--;
    c->queued++;
  }
  int any = counts.n > 0;
  if (rc >= 0) rc = eas_counts_apply(&counts, db, err);
  if (rc >= 0 && any) rc = eas_db_ring(db, err);
  eas_counts_done(&counts);
  free(tickets);
  return rc;
}

static int finish(eas_db *db, int rc, eas_err *err)
{
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) eas_db_rollback(db);
  return rc < 0 ? rc : 0;
}

static int by_attempt(const void *a, const void *b)
{
  const eas_held *x = a, *y = b;
  return (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static int attempt_hand_back_once(eas_db *db, int64_t worker, const eas_held *held, int n, eas_err *err)
{
  if (n <= 0) return 0;
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  eas_held *sorted = eas_alloc((size_t)n * sizeof *sorted);
  for (int i = 0; i < n; i++) sorted[i] = held[i];
  qsort(sorted, (size_t)n, sizeof *sorted, by_attempt);
  rc = queue_again(db, worker, sorted, n, err);
  free(sorted);
  return finish(db, rc, err);
}

int eas_attempt_hand_back(eas_db *db, int64_t worker, const eas_held *held, int n, eas_err *err)
{
  int tries = 0, rc;
  do rc = attempt_hand_back_once(db, worker, held, n, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}

static int attempt_hand_back_unknown_once(eas_db *db, int64_t worker, const eas_held *known, int n, eas_err *err)
{
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  eas_rows *rows = NULL;
  int found = rc = eas_db_query(
      db, "SELECT id, token FROM attempt WHERE worker = $1 AND state = 'running' ORDER BY id/*pg  FOR NO KEY UPDATE*/",
      EAS_ARGS(eas_v_int(worker)), &rows, err);
  eas_held *unknown = eas_alloc((size_t)(found > 0 ? found : 1) * sizeof *unknown);
  int n_unknown = 0;
  for (int i = 0; i < found; i++) {
    eas_held h = { eas_rows_int(rows, i, 0), eas_rows_int(rows, i, 1) };
    int is_known = 0;
    for (int k = 0; k < n && !is_known; k++) is_known = known[k].attempt == h.attempt && known[k].token == h.token;
    if (!is_known) unknown[n_unknown++] = h;
  }
  eas_rows_free(rows);
  if (rc >= 0 && n_unknown) rc = queue_again(db, worker, unknown, n_unknown, err);
  free(unknown);
  return finish(db, rc, err);
}

int eas_attempt_hand_back_unknown(eas_db *db, int64_t worker, const eas_held *known, int n, eas_err *err)
{
  int tries = 0, rc;
  do rc = attempt_hand_back_unknown_once(db, worker, known, n, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}

/* --- alive --- */

static int attempt_live_once(eas_db *db, const eas_live *live, int n, eas_err *err)
{
  if (n <= 0) return 0;
  int rc = eas_db_begin_lax(db, err);
  for (int i = 0; i < n && rc >= 0; i++) {
    const eas_live *l = &live[i];
    rc = eas_log_send(db, l->attempt, l->token, l->first_seq, l->log, l->n_log, err);
    if (rc >= 0 && l->total > 0)
      rc = eas_db_send(db,
                       "INSERT INTO progress (attempt, at, done, total) SELECT id, eas_now(), $3, $4 FROM attempt"
                       " WHERE id = $1 AND token = $2 AND " EAS_STATE_IS(
                           "state", "running") " ON CONFLICT (attempt) DO UPDATE SET at = excluded.at, done = "
                                               "excluded.done, total = excluded.total",
                       EAS_ARGS(eas_v_int(l->attempt), eas_v_int(l->token), eas_v_int(l->done), eas_v_int(l->total)),
                       NULL, err);
    if (rc >= 0 && l->usage)
      rc =
          eas_db_send(db,
                      "INSERT INTO attempt_usage (attempt, points) SELECT id, CAST($3 AS TEXT) FROM attempt WHERE id = "
                      "$1 AND token = $2 AND " EAS_STATE_IS("state", "running") " ON CONFLICT (attempt) DO UPDATE SET "
                                                                                "points = excluded.points",
                      EAS_ARGS(eas_v_int(l->attempt), eas_v_int(l->token), eas_v_text(l->usage)), NULL, err);
  }
  return finish(db, rc, err);
}

int eas_attempt_live(eas_db *db, const eas_live *live, int n, eas_err *err)
{
  int tries = 0, rc;
  do rc = attempt_live_once(db, live, n, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}

/* --- still wanted? --- */

int eas_attempt_wanted(eas_db *db, const eas_held *held, int n, int *stop, eas_err *err)
{
  if (n <= 0) return 0;
  int64_t *ids = eas_alloc((size_t)n * sizeof *ids);
  for (int i = 0; i < n; i++) ids[i] = held[i].attempt;
  eas_buf list;
  eas_buf_init(&list);
  eas_rows *rows = NULL;
  int found = eas_db_query(
      db,
      "SELECT a.id, a.token FROM attempt a JOIN job j ON j.id = a.job"
      " WHERE a.id " EAS_IN_IDS("$1") " AND " EAS_STATE_IS("a.state", "running") " AND j.state <> 'cancelled'",
      EAS_ARGS(eas_v_text(eas_db_id_list(db, ids, n, &list))), &rows, err);
  for (int i = 0; i < n && found >= 0; i++) {
    stop[i] = 1;
    for (int k = 0; k < found && stop[i]; k++)
      if (eas_rows_int(rows, k, 0) == held[i].attempt && eas_rows_int(rows, k, 1) == held[i].token) stop[i] = 0;
  }
  eas_rows_free(rows);
  eas_buf_done(&list);
  free(ids);
  return found < 0 ? found : 0;
}
