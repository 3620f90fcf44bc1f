/* rescue.c: attempts of workers whose lease is over. */
#include <stdlib.h>

#include "base/buf.h"
#include "model/claim.h"
#include "model/settle.h"

enum { LONGEST_US = 30 * 1000 * 1000 };
enum { ATTEMPTS = 512, EMBEDDED_LOSSES = 20 }; /* `eas run` is mostly stopped by its user, not by a task */

/* Others that rescue pass by; a claim that is under way under this name is waited for. */
static const char find_workers[] =
    "SELECT id FROM worker WHERE state = 'active' AND (lease_until < eas_now() OR ($1 <> 0 AND id <> $1))"
    " ORDER BY id LIMIT 32/*pg  FOR NO KEY UPDATE SKIP LOCKED*/";

static const char find_attempts[] =
    "SELECT a.id, a.task, a.job, a.type, a.number, j.state,"
    " (SELECT count(*) FROM attempt x WHERE x.task = a.task AND x.ending = 'lost'), j.document, y.name"
    " FROM attempt a JOIN job j ON j.id = a.job JOIN task_type y ON y.id = a.type"
    " WHERE a.worker " EAS_IN_IDS(
        "$1") " AND a.state = 'running' ORDER BY a.id LIMIT 512/*pg  FOR NO KEY UPDATE OF a*/";

static const char lose[] =
    "UPDATE attempt SET state = 'ended', ending = 'lost', verdict = 'fail', token = token + 1, ended_at = eas_now()"
    " WHERE id " EAS_IN_IDS("$1") " AND " EAS_STATE_IS("state", "running");

static const char note[] =
    "INSERT INTO attempt_note (attempt, reason, cause)"
    " SELECT a.id, 'its worker was lost: w' || w.id || ' on ' || h.text, 'its worker was lost'"
    " FROM attempt a JOIN worker w ON w.id = a.worker JOIN word h ON h.id = w.host WHERE a.id " EAS_IN_IDS("$1");

static const char note_quarantine[] =
    "UPDATE attempt_note SET reason = 'quarantined: ' || CAST($2 AS TEXT) || ' workers were lost with it; ' || reason,"
    " cause = 'quarantined: N workers were lost with it' WHERE attempt = $1";

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

typedef struct {
  eas_db *db;
  const eas_registry *registry;
  int64_t all_but;
} rescue;

/* What becomes of the task of a lost attempt; *quarantined: how many workers it took along, if that is too many. */
static int judge(const rescue *r, const eas_rows *rows, int i, eas_settled *out, int *quarantined, eas_err *err)
{
  json_t *job = NULL;
  eas_policy p;
  const eas_task_type *type = r->registry ? eas_registry_type(r->registry, eas_rows_text(rows, i, 8)) : NULL;
  int rc = eas_document_entry(r->db, eas_rows_int(rows, i, 7), "$", &job, err);
  if (rc < 0) return rc;
  eas_policy_of(type, json_object_get(job, "retry"), &p);
  json_decref(job);
  int losses = (int)eas_rows_int(rows, i, 6) + 1, most = p.max_losses;
  if (r->all_but && most < EMBEDDED_LOSSES) most = EMBEDDED_LOSSES;
  *out = (eas_settled){ .attempt = eas_rows_int(rows, i, 0),
                        .task = eas_rows_int(rows, i, 1),
                        .job = eas_rows_int(rows, i, 2),
                        .type = eas_rows_int(rows, i, 3),
                        .number = eas_rows_int(rows, i, 4),
                        .outcome = EAS_OUT_AGAIN };
  if (losses > 1 && !r->all_but) out->delay_us = eas_policy_delay(&p, losses - 1);
  if (out->delay_us > LONGEST_US) out->delay_us = LONGEST_US; /* losing workers is mostly no fault of the task */
  if (eas_rows_text(rows, i, 5)[0] == 'c')
    out->outcome = EAS_OUT_CANCELLED;
  else if (losses >= most || !(p.kinds & EAS_RETRY_LOST))
    out->outcome = EAS_OUT_FAILED;
  *quarantined = out->outcome == EAS_OUT_FAILED && (p.kinds & EAS_RETRY_LOST) ? losses : 0;
  return 0;
}

static int end_them(const rescue *r, const eas_rows *rows, int n, int *n_ready, eas_err *err)
{
  eas_db *db = r->db;
  char *text = ids_of(db, rows, n);
  eas_val ids = eas_v_text(text);
  eas_settle s = { .db = db, .from = EAS_FROM_RUNNING, .n = n };
  s.list = eas_alloc((size_t)n * sizeof *s.list);
  int *quarantined = eas_alloc((size_t)n * sizeof *quarantined), rc = 0;
  for (int i = 0; i < n && rc >= 0; i++) rc = judge(r, rows, i, &s.list[i], &quarantined[i], err);
  if (rc >= 0) rc = eas_db_send(db, note, &ids, 1, NULL, err);
  for (int i = 0; i < n && rc >= 0; i++)
    if (quarantined[i])
      rc = eas_db_send(db, note_quarantine, EAS_ARGS(eas_v_int(s.list[i].attempt), eas_v_int(quarantined[i])), NULL,
                       err);
  if (rc >= 0) rc = eas_db_send(db, lose, &ids, 1, NULL, err);
  if (rc >= 0) rc = eas_db_send(db, "DELETE FROM progress WHERE attempt " EAS_IN_IDS("$1"), &ids, 1, NULL, err);
  if (rc >= 0) rc = eas_settle_send(&s, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  if (rc >= 0) rc = eas_settle_follow(&s, err);
  if (rc >= 0) rc = eas_counts_apply(&s.counts, db, err);
  *n_ready += s.n_ready;
  eas_settle_done(&s);
  free(quarantined);
  free(text);
  return rc;
}

/* One transaction's worth. Returns attempts lost, and in *n_workers how many workers it looked at. */
static int slice(const rescue *r, int *n_workers, int *n_ready, eas_err *err)
{
  eas_db *db = r->db;
  eas_rows *workers = NULL, *attempts = NULL;
  char *list = NULL;
  int n = 0, ready = 0;
  int rc = eas_db_query(db, find_workers, EAS_ARGS(eas_v_int(r->all_but)), &workers, err);
  *n_workers = rc;
  if (rc > 0) {
    list = ids_of(db, workers, rc);
    n = rc = eas_db_query(db, find_attempts, EAS_ARGS(eas_v_text(list)), &attempts, err);
    if (n > 0) rc = end_them(r, attempts, n, &ready, err);
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
  rescue self = { db, r, all_but };
  int lost = 0, ready = 0, n_workers, tries = 0;
  do {
    int rc = eas_db_begin(db, err);
    if (rc >= 0) rc = slice(&self, &n_workers, &ready, err);
    if (rc < 0) {
      eas_db_rollback(db);
      n_workers = eas_db_again(db, rc, &tries);
      if (!n_workers) return rc;
      rc = 0;
    }
    lost += rc;
  } while (n_workers > 0);
  if (n_ready) *n_ready = ready;
  return lost;
}
