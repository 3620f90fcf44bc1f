/* chore.c: see chore.h. */
#include "model/chore.h"

#include <stdio.h>

int eas_chore_read(eas_db *db, const char *name, eas_chore *out, eas_err *err)
{
  eas_rows *r = NULL;
  int rc = eas_db_query(db, "SELECT due_at, due_at - eas_now(), place, mark FROM chore WHERE name = $1",
                        EAS_ARGS(eas_v_text(name)), &r, err);
  if (rc == 1) {
    *out = (eas_chore){ .due_at = eas_rows_int(r, 0, 0), .due_in_us = eas_rows_int(r, 0, 1) };
    snprintf(out->place, sizeof out->place, "%s", eas_rows_text(r, 0, 2));
    snprintf(out->mark, sizeof out->mark, "%s", eas_rows_text(r, 0, 3));
  }
  eas_rows_free(r);
  return rc;
}

int eas_chore_move(eas_db *db, const char *name, const eas_chore *c, int64_t by_us, const char *place, eas_err *err)
{
  int rc = eas_db_begin_lax(db, err);
  if (rc < 0) return rc;
  int changed = rc =
      eas_db_exec(db, "UPDATE chore SET due_at = eas_now() + $3, place = $4 WHERE name = $1 AND due_at = $2",
                  EAS_ARGS(eas_v_text(name), eas_v_int(c->due_at), eas_v_int(by_us), eas_v_text(place)), err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) eas_db_rollback(db);
  return rc < 0 ? rc : changed;
}

int eas_chore_make(eas_db *db, const char *name, const char *place, eas_err *err)
{
  int rc = eas_db_begin_lax(db, err);
  if (rc < 0) return rc;
  rc = eas_db_exec(db,
                   "INSERT INTO chore (name, due_at, place, mark) VALUES ($1, 1, $2, '') ON CONFLICT (name) DO NOTHING",
                   EAS_ARGS(eas_v_text(name), eas_v_text(place)), err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) eas_db_rollback(db);
  return rc < 0 ? rc : 0;
}
