/* purge.c: see purge.h. */
#include "model/purge.h"

#include <stdio.h>
#include <string.h>

static int number(eas_db *db, const char *sql, int64_t job, int64_t *out, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db, sql, EAS_ARGS(eas_v_int(job)), &r, err);
  if (n > 0) *out = eas_rows_int(r, 0, 0);
  eas_rows_free(r);
  return n < 0 ? n : 0;
}

/* Neither running nor able to: done or cancelled, and no child is left over from before. */
static int is_still(eas_db *db, int64_t job, char name[128], eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db, "SELECT name, state, done_at FROM job WHERE id = $1", EAS_ARGS(eas_v_int(job)), &r, err);
  if (n < 0) return n;
  int open = n > 0 && strcmp(eas_rows_text(r, 0, 1), "cancelled") != 0 && eas_rows_null(r, 0, 2);
  if (n > 0) snprintf(name, 128, "%s", eas_rows_text(r, 0, 0));
  eas_rows_free(r);
  if (n == 0) return eas_fail(err, EAS_ENOENT, "no job j%lld", (long long)job);
  int64_t running = 0;
  int rc =
      number(db, "SELECT CAST(coalesce(sum(running), 0) AS BIGINT) FROM job_type WHERE job = $1", job, &running, err);
  if (rc < 0) return rc;
  if (!open && running == 0) return 0;
  eas_fail(err, EAS_EBUSY, open ? "j%lld %s is not done" : "j%lld %s: tasks of it still run", (long long)job, name);
  return eas_hint(err, open ? "wait for it, or cancel it first: eas cancel j%lld --yes" : "j%lld: wait a moment",
                  (long long)job);
}

static int used_by(int64_t job, int64_t user, eas_err *err)
{
  if (user == 0) return 0;
  eas_fail(err, EAS_EINVAL, "j%lld reads what j%lld made", (long long)user, (long long)job);
  return eas_hint(err, "purge j%lld first, or keep both", (long long)user);
}

static int is_unused(eas_db *db, int64_t job, eas_err *err)
{
  int64_t user = 0;
  int rc = number(db,
                  "SELECT min(t.job) FROM product p JOIN task_input e ON e.product = p.id JOIN task t ON t.id = e.task "
                  "WHERE p.job = $1 AND t.job <> $1",
                  job, &user, err);
  return rc < 0 ? rc : used_by(job, user, err);
}

int eas_purge_look(eas_db *db, int64_t job, eas_purge *out, eas_err *err)
{
  eas_purge p = { .job = job };
  int rc = is_still(db, job, p.name, err);
  if (rc >= 0) rc = is_unused(db, job, err);
  if (rc >= 0) rc = number(db, "SELECT count(*) FROM task WHERE job = $1", job, &p.tasks, err);
  if (rc >= 0) rc = number(db, "SELECT count(*) FROM product WHERE job = $1", job, &p.products, err);
  eas_rows *r = NULL;
  if (rc >= 0)
    rc = eas_db_query(db,
                      "SELECT count(*), CAST(coalesce(sum(v.size), 0) AS BIGINT) FROM product p JOIN version v ON "
                      "v.product = p.id WHERE p.job = $1",
                      EAS_ARGS(eas_v_int(job)), &r, err);
  if (rc > 0) {
    p.versions = eas_rows_int(r, 0, 0);
    p.bytes = eas_rows_int(r, 0, 1);
  }
  eas_rows_free(r);
  if (rc < 0) return rc;
  *out = p;
  return 0;
}

/* The tasks of a slice: the newest ones of the job. */
#define SLICE "SELECT id FROM task WHERE job = $1 ORDER BY id DESC LIMIT $2"

/* Of a slice alone: what the whole job made would be looked through again for every slice. */
static int slice_is_unused(eas_db *db, int64_t job, int limit, eas_err *err)
{
  eas_rows *r = NULL;
  int n =
      eas_db_query(db,
                   "SELECT min(u) FROM (SELECT (SELECT min(t.job) FROM product p JOIN task_input e ON e.product = "
                   "p.id JOIN task t ON t.id = e.task WHERE p.task = s.id AND t.job <> $1) AS u FROM (" SLICE ") s) x",
                   EAS_ARGS(eas_v_int(job), eas_v_int(limit)), &r, err);
  int64_t user = n > 0 && !eas_rows_null(r, 0, 0) ? eas_rows_int(r, 0, 0) : 0;
  eas_rows_free(r);
  return n < 0 ? n : used_by(job, user, err);
}

/* Files of the slice, and the newest passed version of each that is left. */
static int tell_files(eas_db *db, int64_t job, int limit, eas_purge_fn *fn, void *arg, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db,
                       "SELECT d.text, p.filename, (SELECT v.digest FROM product o JOIN version v ON v.id = o.passed "
                       "WHERE o.filename = p.filename AND o.directory = p.directory AND o.passed IS NOT NULL AND o.job "
                       "<> $1 ORDER BY o.id DESC LIMIT 1) FROM (" SLICE
                       ") s JOIN product p ON p.task = s.id JOIN word d ON d.id = p.directory",
                       EAS_ARGS(eas_v_int(job), eas_v_int(limit)), &r, err);
  for (int i = 0; i < n; i++) {
    eas_digest left;
    size_t size = 0;
    const void *bytes = eas_rows_null(r, i, 2) ? NULL : eas_rows_blob(r, i, 2, &size);
    if (bytes && size == sizeof left.b) memcpy(left.b, bytes, size);
    fn(arg, eas_rows_text(r, i, 0), eas_rows_text(r, i, 1), bytes && size == sizeof left.b ? &left : NULL);
  }
  eas_rows_free(r);
  return n < 0 ? n : 0;
}

static int delete_some(eas_db *db, int64_t job, int limit, eas_purge_fn *fn, void *arg, eas_err *err)
{
  char name[128];
  int rc = eas_db_exec(db, "UPDATE job SET state = 'cancelled' WHERE id = $1", EAS_ARGS(eas_v_int(job)), err);
  if (rc == 0) return 0; /* gone */
  if (rc > 0) rc = is_still(db, job, name, err);
  if (rc >= 0) rc = slice_is_unused(db, job, limit, err);
  if (rc >= 0 && fn) rc = tell_files(db, job, limit, fn, arg, err);
  if (rc >= 0)
    rc = eas_db_exec(db, "DELETE FROM task WHERE id IN (" SLICE ")", EAS_ARGS(eas_v_int(job), eas_v_int(limit)), err);
  if (rc < 0 || rc >= limit) return rc;
  int last = eas_db_exec(db, "DELETE FROM job WHERE id = $1", EAS_ARGS(eas_v_int(job)), err);
  return last < 0 ? last : rc + 1;
}

int eas_purge_some(eas_db *db, int64_t job, int limit, eas_purge_fn *fn, void *arg, eas_err *err)
{
  int tries = 0, rc;
  do {
    rc = eas_db_begin(db, err);
    if (rc >= 0) rc = delete_some(db, job, limit, fn, arg, err);
    int end = rc >= 0 ? eas_db_commit(db, err) : rc;
    if (rc < 0) eas_db_rollback(db);
    if (end < 0) rc = end;
  } while (eas_db_again(db, rc, &tries));
  return rc;
}
