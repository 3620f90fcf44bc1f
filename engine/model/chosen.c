/* chosen.c: tasks that somebody chose from a list, ended or tried again: those of them that can be, in one transaction. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/attempt.h"
#include "model/retry.h"
#include "model/settle.h"

/* Flow control is left alone: what it has yet to make would be missed by nobody, and a job without its end is no job. */
static const char find_open[] = "SELECT a.id, a.task, a.job, a.type, a.number, a.state FROM " EAS_OF_IDS(
    "$1") " attempt a ON a.task = s.value"
          " JOIN task_type y ON y.id = a.type WHERE a.job = $2 AND a.ending IS NULL AND y.name NOT LIKE 'execution_%'"
          " ORDER BY a.id/*pg  FOR NO KEY UPDATE OF a*/";
static const char find_waiting[] = "SELECT t.id, t.job, t.type FROM " EAS_OF_IDS(
    "$1") " task t ON t.id = s.value JOIN task_type y ON y.id = t.type"
          " WHERE t.job = $2 AND t.state = 'waiting' AND y.name NOT LIKE 'execution_%'"
          " ORDER BY t.id/*pg  FOR NO KEY UPDATE OF t*/";
static const char find_bad[] = "SELECT " EAS_REVIVE_COLUMNS " FROM " EAS_OF_IDS(
    "$1") " task t ON t.id = s.value WHERE t.job = $2"
          " AND (t.state = 'failed' OR t.state = 'cancelled') ORDER BY t.id/*pg  FOR NO KEY UPDATE OF t*/";

static const char end_them[] = "UPDATE attempt SET state = 'ended', ending = 'cancelled', verdict = 'fail', token = "
                               "token + 1, ended_at = eas_now()"
                               " WHERE id " EAS_IN_IDS("$1") " AND ending IS NULL";

/* The job's row is locked, as by all who change many of its tasks. EAS_EINVAL: it is cancelled as a whole. */
static int lock_job(eas_db *db, int64_t job, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT state FROM job WHERE id = $1/*pg  FOR NO KEY UPDATE*/", EAS_ARGS(eas_v_int(job)),
                        &rows, err);
  int cancelled = rc > 0 && strcmp(eas_rows_text(rows, 0, 0), "cancelled") == 0;
  eas_rows_free(rows);
  if (rc == 0) return eas_fail(err, EAS_ENOENT, "job j%lld: there is none", (long long)job);
  if (!cancelled) return rc;
  eas_fail(err, EAS_EINVAL, "job j%lld is cancelled as a whole", (long long)job);
  return eas_hint(err, "eas retry j%lld takes it up again", (long long)job);
}

/* --- cancel --- */

static int settle(eas_settle *s, int *control, eas_err *err)
{
  int rc = eas_settle_send(s, err);
  if (rc >= 0) rc = eas_db_flush(s->db, err);
  if (rc >= 0) rc = eas_settle_follow(s, err);
  if (rc >= 0) rc = eas_counts_apply(&s->counts, s->db, err);
  *control |= s->control || s->n > 0; /* others are to be skipped */
  return rc;
}

/* Attempts of one state: what follows differs by the counter that the tasks are taken off. */
static int cancel_attempts(eas_db *db, const eas_rows *rows, const char *state, int *control, eas_err *err)
{
  int n = eas_rows_n(rows), rc = 0, running = strcmp(state, "running") == 0;
  int64_t *ids = eas_alloc((size_t)(n + 1) * sizeof *ids);
  eas_settle s = { .db = db, .from = running ? EAS_FROM_RUNNING : EAS_FROM_QUEUED };
  s.list = eas_alloc((size_t)(n + 1) * sizeof *s.list);
  for (int i = 0; i < n; i++) {
    if (strcmp(eas_rows_text(rows, i, 5), state) != 0) continue;
    ids[s.n] = eas_rows_int(rows, i, 0);
    s.list[s.n++] = (eas_settled){ .attempt = eas_rows_int(rows, i, 0),
                                   .task = eas_rows_int(rows, i, 1),
                                   .job = eas_rows_int(rows, i, 2),
                                   .type = eas_rows_int(rows, i, 3),
                                   .number = eas_rows_int(rows, i, 4),
                                   .outcome = EAS_OUT_CANCELLED,
                                   .alone = 1 };
  }
  eas_buf list;
  eas_buf_init(&list);
  eas_val which = eas_v_text(eas_db_id_list(db, ids, s.n, &list));
  if (s.n) rc = eas_db_send(db, end_them, &which, 1, NULL, err);
  if (s.n && rc >= 0 && running)
    rc = eas_db_send(db, "DELETE FROM progress WHERE attempt " EAS_IN_IDS("$1"), &which, 1, NULL, err);
  if (s.n && rc >= 0) rc = settle(&s, control, err);
  eas_buf_done(&list);
  eas_settle_done(&s);
  free(ids);
  return rc;
}

static int cancel_waiting(eas_db *db, const eas_rows *rows, int *control, eas_err *err)
{
  int n = eas_rows_n(rows), rc = 0;
  eas_settle s = { .db = db, .from = EAS_FROM_WAITING, .n = n };
  s.list = eas_alloc((size_t)(n + 1) * sizeof *s.list);
  for (int i = 0; i < n; i++)
    s.list[i] = (eas_settled){ .task = eas_rows_int(rows, i, 0),
                               .job = eas_rows_int(rows, i, 1),
                               .type = eas_rows_int(rows, i, 2),
                               .outcome = EAS_OUT_CANCELLED,
                               .alone = 1 };
  if (n) rc = settle(&s, control, err);
  eas_settle_done(&s);
  return rc;
}

static int cancel_them(eas_db *db, int64_t job, const char *list, eas_err *err)
{
  eas_rows *open = NULL, *waiting = NULL;
  int control = 0, n = 0, rc = lock_job(db, job, err);
  if (rc >= 0) n = rc = eas_db_query(db, find_open, EAS_ARGS(eas_v_text(list), eas_v_int(job)), &open, err);
  if (rc > 0) rc = cancel_attempts(db, open, "queued", &control, err);
  if (n > 0 && rc >= 0) rc = cancel_attempts(db, open, "running", &control, err);
  if (rc >= 0) rc = eas_db_query(db, find_waiting, EAS_ARGS(eas_v_text(list), eas_v_int(job)), &waiting, err);
  if (rc > 0) {
    n += rc;
    rc = cancel_waiting(db, waiting, &control, err);
  }
  if (rc >= 0 && control) rc = eas_db_ring(db, err);
  eas_rows_free(open);
  eas_rows_free(waiting);
  return rc < 0 ? rc : n;
}

/* --- retry --- */

static int retry_them(eas_db *db, int64_t job, const char *list, eas_err *err)
{
  eas_revival r = { .db = db };
  eas_rows *rows = NULL;
  int n = 0, rc = lock_job(db, job, err);
  if (rc >= 0) n = rc = eas_db_query(db, find_bad, EAS_ARGS(eas_v_text(list), eas_v_int(job)), &rows, err);
  if (rc > 0)
    rc = eas_revive_down(&r, rows, err);
  else
    eas_rows_free(rows);
  if (rc >= 0) rc = eas_revive_up(&r, err);
  if (rc >= 0) rc = eas_revive_end(&r, job, err);
  eas_revival_done(&r);
  return rc < 0 ? rc : n;
}

/* --- both --- */

typedef int chosen_fn(eas_db *db, int64_t job, const char *list, eas_err *err);

static int in_one(eas_db *db, int64_t job, const int64_t *tasks, int n, chosen_fn *fn, eas_err *err)
{
  int tries = 0, rc;
  eas_buf list;
  if (n <= 0) return 0;
  eas_buf_init(&list);
  eas_db_id_list(db, tasks, n, &list);
  do {
    rc = eas_db_begin(db, err);
    int done = rc >= 0 ? rc = fn(db, job, list.data, err) : 0;
    if (rc >= 0) rc = eas_db_commit(db, err);
    if (rc < 0)
      eas_db_rollback(db);
    else
      rc = done;
  } while (eas_db_again(db, rc, &tries));
  eas_buf_done(&list);
  return rc;
}

int eas_cancel_chosen(eas_db *db, int64_t job, const int64_t *tasks, int n, eas_err *err)
{
  return in_one(db, job, tasks, n, cancel_them, err);
}

int eas_retry_chosen(eas_db *db, int64_t job, const int64_t *tasks, int n, eas_err *err)
{
  return in_one(db, job, tasks, n, retry_them, err);
}
