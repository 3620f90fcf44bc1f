/* rescue.c: attempts of workers whose lease is over. */
#include <stdlib.h>

#include "base/buf.h"
#include "model/attempt.h"
#include "model/settle.h"

enum { WORKERS = 32, ATTEMPTS = 512, LOSSES = 20 }; /* a task that takes its worker along 20 times is given up */

/* Others that rescue pass by; a claim that is under way under this name is waited for. */
static const char find_workers[] =
    "SELECT id FROM worker WHERE state = 'active' AND (lease_until < eas_now() OR ($1 <> 0 AND id <> $1))"
    " ORDER BY id LIMIT 32/*pg  FOR NO KEY UPDATE SKIP LOCKED*/";

static const char find_attempts[] = "SELECT a.id, a.task, a.job, a.type, a.number, j.state,"
                                    " (SELECT count(*) FROM attempt x WHERE x.task = a.task AND x.ending = 'lost')"
                                    " FROM attempt a JOIN job j ON j.id = a.job WHERE a.worker " EAS_IN_IDS(
                                        "$1") " AND a.state = 'running'"
                                              " ORDER BY a.id LIMIT 512/*pg  FOR NO KEY UPDATE OF a*/";

static const char lose[] =
    "UPDATE attempt SET state = 'ended', ending = 'lost', verdict = 'fail', token = token + 1, ended_at = eas_now()"
    " WHERE id " EAS_IN_IDS("$1") " AND " EAS_STATE_IS("state", "running");

static const char note[] =
    "INSERT INTO attempt_note (attempt, reason, cause)"
    " SELECT id, 'its worker was lost', 'its worker was lost' FROM attempt WHERE id " EAS_IN_IDS("$1");

static char *ids_of(eas_db *db, const eas_rows *rows, int n)
{
  int64_t *ids = eas_alloc((size_t)(n + 1) * sizeof *ids);
  for (int i = 0; i < n; i++) ids[i] = eas_rows_int(rows, i, 0);
  eas_buf list;
  eas_buf_init(&list);
  eas_db_id_list(db, ids, n, &list);
  free(ids);
  return eas_buf_take(&list);
}

static int end_them(eas_db *db, const eas_rows *rows, int n, int *n_ready, eas_err *err)
{
  char *text = ids_of(db, rows, n);
  eas_val ids = eas_v_text(text);
  eas_settle s = { .db = db, .from = EAS_FROM_RUNNING, .n = n };
  s.list = eas_alloc((size_t)n * sizeof *s.list);
  for (int i = 0; i < n; i++) {
    int cancelled = eas_rows_text(rows, i, 5)[0] == 'c', losses = (int)eas_rows_int(rows, i, 6) + 1;
    s.list[i] = (eas_settled){ .attempt = eas_rows_int(rows, i, 0),
                               .task = eas_rows_int(rows, i, 1),
                               .job = eas_rows_int(rows, i, 2),
                               .type = eas_rows_int(rows, i, 3),
                               .number = eas_rows_int(rows, i, 4),
                               .outcome = cancelled         ? EAS_OUT_CANCELLED
                                          : losses < LOSSES ? EAS_OUT_AGAIN
                                                            : EAS_OUT_FAILED };
  }
  int rc = eas_db_send(db, lose, &ids, 1, NULL, err);
  if (rc >= 0) rc = eas_db_send(db, note, &ids, 1, NULL, err);
  if (rc >= 0) rc = eas_db_send(db, "DELETE FROM progress WHERE attempt " EAS_IN_IDS("$1"), &ids, 1, NULL, err);
  if (rc >= 0) rc = eas_settle_send(&s, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  if (rc >= 0) rc = eas_settle_follow(&s, err);
  if (rc >= 0) rc = eas_counts_apply(&s.counts, db, err);
  *n_ready += s.n_ready;
  eas_settle_done(&s);
  free(text);
  return rc;
}

/* One transaction's worth. Returns attempts lost, and in *n_workers how many workers it looked at. */
static int slice(eas_db *db, int64_t all_but, int *n_workers, int *n_ready, eas_err *err)
{
  eas_rows *workers = NULL, *attempts = NULL;
  char *list = NULL;
  int n = 0, ready = 0;
  int rc = eas_db_query(db, find_workers, EAS_ARGS(eas_v_int(all_but)), &workers, err);
  *n_workers = rc;
  if (rc > 0) {
    list = ids_of(db, workers, rc);
    n = rc = eas_db_query(db, find_attempts, EAS_ARGS(eas_v_text(list)), &attempts, err);
    if (n > 0) rc = end_them(db, attempts, n, &ready, err);
    if (rc >= 0 && n < ATTEMPTS)
      rc = eas_db_send(db, "UPDATE worker SET state = 'lost' WHERE id " EAS_IN_IDS("$1"), EAS_ARGS(eas_v_text(list)),
                       NULL, err);
    if (rc >= 0 && ready) rc = eas_db_ring(db, err);
  }
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc >= 0) *n_ready += ready;
  eas_rows_free(workers);
  eas_rows_free(attempts);
  free(list);
  return rc < 0 ? rc : n;
}

int eas_rescue(eas_db *db, const eas_registry *r, int64_t all_but, int *n_ready, eas_err *err)
{
  (void)r; /* losses are counted alike for all types */
  int lost = 0, ready = 0, n_workers;
  do {
    int rc = eas_db_begin(db, err);
    if (rc >= 0) rc = slice(db, all_but, &n_workers, &ready, err);
    if (rc < 0) {
      eas_db_rollback(db);
      return rc;
    }
    lost += rc;
  } while (n_workers > 0);
  if (n_ready) *n_ready = ready;
  return lost;
}
