#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "model/job.h"

static int newest(eas_db *db, int64_t *job, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT id FROM job ORDER BY id DESC LIMIT 1", EAS_NOARGS, &rows, err);
  if (rc > 0) *job = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  if (rc == 0) {
    eas_fail(err, EAS_ENOENT, "no jobs here");
    return eas_hint(err, "eas submit FILE");
  }
  return rc < 0 ? rc : 0;
}

/* "3" or "j3": 1 with *id set. */
static int is_number(const char *name, int64_t *id)
{
  const char *s = *name == 'j' || *name == 'J' ? name + 1 : name;
  if (!*s || strspn(s, "0123456789") != strlen(s) || strlen(s) > 18) return 0;
  *id = strtoll(s, NULL, 10);
  return 1;
}

static int not_found(eas_db *db, const char *name, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db, "SELECT id, name FROM job ORDER BY id DESC LIMIT 8", EAS_NOARGS, &rows, err);
  if (n < 0) return n;
  eas_fail(err, EAS_ENOENT, "no job '%s'", name);
  const char *names[8];
  eas_buf b;
  eas_buf_init(&b);
  for (int i = 0; i < n; i++) {
    names[i] = eas_rows_text(rows, i, 1);
    eas_buf_printf(&b, "%sj%lld %s", i ? ", " : "there are ", (long long)eas_rows_int(rows, i, 0), names[i]);
  }
  const char *near = eas_nearest(name, names, (size_t)n);
  if (near)
    eas_hint(err, "use %s", near);
  else if (n)
    eas_hint(err, "%s", b.data);
  else
    eas_hint(err, "no jobs here: eas submit FILE");
  eas_buf_done(&b);
  eas_rows_free(rows);
  return EAS_ENOENT;
}

static int ambiguous(const eas_rows *rows, int n, const char *name, eas_err *err)
{
  eas_fail(err, EAS_EINVAL, "%s%d jobs are called '%s'", n == 9 ? "over " : "", n == 9 ? 8 : n, name);
  eas_buf b;
  eas_buf_init(&b);
  for (int i = 0; i < n && i < 8; i++)
    eas_buf_printf(&b, "%sj%lld", i ? ", " : "", (long long)eas_rows_int(rows, i, 0));
  eas_hint(err, "name one by its id: %s", b.data);
  eas_buf_done(&b);
  return EAS_EINVAL;
}

int eas_job_find(eas_db *db, const char *name, int64_t *job, eas_err *err)
{
  if (!name) return newest(db, job, err);
  eas_rows *rows = NULL;
  int64_t id;
  int n = is_number(name, &id)
              ? eas_db_query(db, "SELECT id FROM job WHERE id = $1", EAS_ARGS(eas_v_int(id)), &rows, err)
              : eas_db_query(db, "SELECT id FROM job WHERE name = $1 ORDER BY id DESC LIMIT 9",
                             EAS_ARGS(eas_v_text(name)), &rows, err);
  int rc = n < 0 ? n : 0;
  if (n == 1) *job = eas_rows_int(rows, 0, 0);
  if (n == 0) rc = not_found(db, name, err);
  if (n > 1) rc = ambiguous(rows, n, name, err);
  eas_rows_free(rows);
  return rc;
}

static int job_set_state_once(eas_db *db, int64_t job, const char *state, eas_err *err)
{
  static const char *const states[] = { "active", "paused", "cancelled" };
  int known = 0;
  for (size_t i = 0; i < 3; i++) known |= strcmp(state, states[i]) == 0;
  if (!known) return eas_fail(err, EAS_EINVAL, "no job state '%s'", state);

  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  eas_rows *rows = NULL;
  rc = eas_db_query(db, "UPDATE job SET state = $2 WHERE id = $1 AND (done_at IS NULL OR $2 = 'active') RETURNING id",
                    EAS_ARGS(eas_v_int(job), eas_v_text(state)), &rows, err);
  eas_rows_free(rows);
  if (rc == 0) {
    rows = NULL;
    rc = eas_db_query(db, "SELECT id FROM job WHERE id = $1", EAS_ARGS(eas_v_int(job)), &rows, err);
    eas_rows_free(rows);
    if (rc == 0)
      rc = eas_fail(err, EAS_ENOENT, "no job j%lld", (long long)job);
    else if (rc > 0)
      rc = eas_fail(err, EAS_EINVAL, "j%lld is done already", (long long)job);
  }
  if (rc >= 0) rc = eas_db_ring(db, err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) eas_db_rollback(db);
  return rc < 0 ? rc : 0;
}

int eas_job_set_state(eas_db *db, int64_t job, const char *state, eas_err *err)
{
  int tries = 0, rc;
  do rc = job_set_state_once(db, job, state, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}
