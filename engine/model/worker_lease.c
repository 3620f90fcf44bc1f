/* worker_lease.c: workers: one row each, whose lease they renew. */
#include "model/attempt.h"
#include "model/words.h"

static int store(eas_db *db, const eas_worker_info *w, int64_t *id, eas_err *err)
{
  int64_t host, container = 0;
  int rc = eas_word_id(db, w->host, &host, err);
  if (rc >= 0 && w->container) rc = eas_word_id(db, w->container, &container, err);
  if (rc >= 0) rc = eas_db_ids(db, "worker", 1, id, err);
  if (rc >= 0)
    rc = eas_db_exec(
        db,
        "INSERT INTO worker (id, host, pid, container, slots, version, state, started_at, beat_at, lease_until)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'active', eas_now(), eas_now(), eas_now() + $7)",
        EAS_ARGS(eas_v_int(*id), eas_v_int(host), eas_v_int(w->pid), eas_v_id(container), eas_v_int(w->slots),
                 eas_v_text(w->version), eas_v_int(w->lease_us)),
        err);
  return rc;
}

static int worker_register_once(eas_db *db, const eas_worker_info *w, int64_t *id, eas_err *err)
{
  int64_t mine = 0;
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  rc = store(db, w, &mine, err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) {
    eas_db_rollback(db);
    return rc;
  }
  *id = mine;
  return 0;
}

int eas_worker_register(eas_db *db, const eas_worker_info *w, int64_t *id, eas_err *err)
{
  int tries = 0, rc;
  do rc = worker_register_once(db, w, id, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}

static int worker_renew_once(eas_db *db, int64_t worker, int64_t lease_us, eas_err *err)
{
  int rc = eas_db_begin_lax(db, err);
  if (rc < 0) return rc;
  int changed = rc = eas_db_exec(db,
                                 "UPDATE worker SET beat_at = eas_now(), lease_until = eas_now() + $2 WHERE id = $1 "
                                 "AND state = 'active' AND lease_until > eas_now()",
                                 EAS_ARGS(eas_v_int(worker), eas_v_int(lease_us)), err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) {
    eas_db_rollback(db);
    return rc;
  }
  return changed ? 0 : eas_fail(err, EAS_ESTALE, "worker %lld: its lease is over", (long long)worker);
}

int eas_worker_renew(eas_db *db, int64_t worker, int64_t lease_us, eas_err *err)
{
  int tries = 0, rc;
  do rc = worker_renew_once(db, worker, lease_us, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}

/* With attempts still under its name its lease is over instead, so that rescue takes them at once. */
int eas_worker_end(eas_db *db, int64_t worker, eas_err *err)
{
  int rc = eas_db_exec(db,
                       "UPDATE worker SET beat_at = eas_now(),"
                       " lease_until = CASE WHEN EXISTS (SELECT 1 FROM attempt a WHERE a.worker = worker.id AND "
                       "a.state = 'running') THEN 0 ELSE eas_now() END,"
                       " state = CASE WHEN EXISTS (SELECT 1 FROM attempt a WHERE a.worker = worker.id AND a.state = "
                       "'running') THEN 'active' ELSE 'ended' END"
                       " WHERE id = $1 AND state = 'active'",
                       EAS_ARGS(eas_v_int(worker)), err);
  return rc < 0 ? rc : 0;
}
