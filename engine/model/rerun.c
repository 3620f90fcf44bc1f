/* rerun.c: a task that has passed runs again, in its own job; what hangs on it is stale, or runs again too. */
#include <stdlib.h>
#include <string.h>

#include "model/retry.h"

/* "All that hangs on $1": by files and by metadata, whatever its job. */
#define DOWNSTREAM                                                                                                     \
  "WITH RECURSIVE down (id) AS (SELECT CAST($1 AS BIGINT) UNION SELECT e.task FROM down d JOIN ("                      \
  "SELECT p.task AS maker, i.task FROM product p JOIN task_input i ON i.product = p.id"                                \
  " UNION ALL SELECT n.needed, n.task FROM task_need n) e ON e.maker = d.id) "

static const char find_one[] = "SELECT t.job, t.state, y.name FROM task t JOIN task_type y ON y.id = t.type WHERE t.id "
                               "= $1/*pg  FOR NO KEY UPDATE OF t*/";
static const char mark_stale[] = DOWNSTREAM "UPDATE task SET stale = 1 WHERE id <> $1 AND id IN (SELECT id FROM down)";
static const char find_busy[] = DOWNSTREAM "SELECT t.id FROM task t WHERE t.id IN (SELECT id FROM down) AND t.job = $2 "
                                           "AND t.state = 'ready' ORDER BY t.id LIMIT 1";

/* Of the same job, decided, and no flow control: that has made its children, and cannot take them back. */
static const char find_them[] = DOWNSTREAM
    "SELECT " EAS_REVIVE_COLUMNS " FROM task t JOIN task_type y ON y.id = t.type WHERE t.id IN (SELECT id FROM down)"
    " AND t.job = $2 AND ($3 = 1 OR t.id = $1) AND t.state <> 'waiting' AND y.name NOT IN ('execution_chain',"
    " 'execution_for_loop', 'execution_do_while_loop', 'execution_conditional') ORDER BY t.id/*pg  FOR NO KEY UPDATE "
    "OF t*/";

/* Edges between those that run again wait for the new results. */
static const char unmeet_inputs[] = "UPDATE task_input SET met = 0 WHERE task " EAS_IN_IDS(
    "$1") " AND met = 1 AND product IN (SELECT p.id FROM product p WHERE p.task " EAS_IN_IDS("$1") ")";
static const char unmeet_needs[] =
    "UPDATE task_need SET met = 0 WHERE task " EAS_IN_IDS("$1") " AND met = 1 AND needed " EAS_IN_IDS("$1");

static int refuse(eas_db *db, int64_t task, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, find_one, EAS_ARGS(eas_v_int(task)), &rows, err);
  if (rc == 0) rc = eas_fail(err, EAS_ENOENT, "no task t%lld", (long long)task);
  const char *state = rc > 0 ? eas_rows_text(rows, 0, 1) : "", *type = rc > 0 ? eas_rows_text(rows, 0, 2) : "";
  if (rc > 0 && strncmp(type, "execution_", 10) == 0) {
    eas_fail(err, EAS_EINVAL, "task t%lld: %s has made its children, and cannot take them back", (long long)task, type);
    rc = eas_hint(err, "eas rerun JOB makes a new job; what did not change is reused");
  } else if (rc > 0 && strcmp(state, "passed") != 0 && strcmp(state, "failed") != 0) {
    eas_fail(err, EAS_EINVAL, "task t%lld: it is %s, only what has passed or failed runs again", (long long)task,
             state);
    rc = eas_hint(err, "eas why t%lld tells what it waits for", (long long)task);
  }
  int64_t job = rc > 0 ? eas_rows_int(rows, 0, 0) : 0;
  eas_rows_free(rows);
  if (rc < 0) return rc;
  rc = eas_db_query(db, "SELECT state FROM job WHERE id = $1/*pg  FOR NO KEY UPDATE*/", EAS_ARGS(eas_v_int(job)), &rows,
                    err);
  int cancelled = rc > 0 && strcmp(eas_rows_text(rows, 0, 0), "cancelled") == 0;
  eas_rows_free(rows);
  if (rc < 0 || !cancelled) return rc < 0 ? rc : 0;
  eas_fail(err, EAS_EINVAL, "task t%lld: its job j%lld is cancelled", (long long)task, (long long)job);
  return eas_hint(err, "eas retry j%lld takes the whole job up again", (long long)job);
}

static int find_job(eas_db *db, int64_t task, int64_t *job, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT job FROM task WHERE id = $1", EAS_ARGS(eas_v_int(task)), &rows, err);
  if (rc > 0) *job = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}

static int rerun(eas_revival *r, int64_t task, int64_t downstream, eas_err *err)
{
  int64_t job = 0, busy = 0;
  eas_rows *rows = NULL;
  int rc = refuse(r->db, task, err);
  if (rc >= 0) rc = find_job(r->db, task, &job, err);
  if (rc >= 0 && downstream) {
    rc = eas_db_query(r->db, find_busy, EAS_ARGS(eas_v_int(task), eas_v_int(job)), &rows, err);
    if (rc > 0) busy = eas_rows_int(rows, 0, 0);
    eas_rows_free(rows);
    rows = NULL;
  }
  if (busy) {
    eas_fail(err, EAS_EINVAL, "task t%lld: t%lld, which hangs on it, is queued or runs", (long long)task,
             (long long)busy);
    return eas_hint(err, "wait until it has ended, or pause the job and try again");
  }
  if (rc >= 0) rc = eas_db_exec(r->db, mark_stale, EAS_ARGS(eas_v_int(task)), err);
  if (rc >= 0)
    rc = eas_db_query(r->db, find_them, EAS_ARGS(eas_v_int(task), eas_v_int(job), eas_v_int(downstream)), &rows, err);
  if (rc < 0) return rc;
  eas_buf list;
  eas_buf_init(&list);
  int n = eas_rows_n(rows);
  int64_t *ids = eas_alloc((size_t)(n + 1) * sizeof *ids);
  for (int i = 0; i < n; i++) ids[i] = eas_rows_int(rows, i, 0);
  eas_val set = eas_v_text(eas_db_id_list(r->db, ids, n, &list));
  rc = eas_db_exec(r->db, unmeet_inputs, &set, 1, err);
  if (rc >= 0) rc = eas_db_exec(r->db, unmeet_needs, &set, 1, err);
  if (rc >= 0) rc = eas_revive(r, rows, &list, err);
  if (rc >= 0) rc = eas_revive_up(r, err);
  if (rc >= 0) rc = eas_revive_end(r, job, err);
  eas_rows_free(rows);
  eas_buf_done(&list);
  free(ids);
  return rc;
}

int eas_rerun(eas_db *db, int64_t task, int downstream, int *n_ready, eas_err *err)
{
  return eas_revive_all(db, rerun, task, downstream != 0, n_ready, err);
}
