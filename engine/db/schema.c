/* schema.c: numbered migrations, each in a transaction of its own, but those of a new file. */
#include <stdlib.h>
#include <string.h>

#include "db/backend.h"

extern const eas_embedded eas_migrations[]; /* sorted by name: 0001_core.sql, ... */

static int newest_known(void)
{
  int n = 0;
  while (eas_migrations[n].name) n++;
  return n;
}

static int version_found(eas_db *db, int *found, eas_err *err)
{
  int rc = db->ops->has_schema(db, err);
  *found = 0;
  if (rc <= 0) return rc;
  eas_rows *rows = NULL;
  rc = eas_db_query(db, "SELECT coalesce(max(version), 0) FROM eas_schema", EAS_NOARGS, &rows, err);
  if (rc < 0) return rc;
  *found = (int)eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  return 0;
}

int eas_db_schema(eas_db *db, int *found, int *newest, eas_err *err)
{
  if (newest) *newest = newest_known();
  return version_found(db, found, err);
}

/* Takes the schema from version `found` to the next. */
static int take(eas_db *db, int found, eas_err *err)
{
  const eas_embedded *m = &eas_migrations[found];
  char *sql = eas_sql_for(db->kind, m->text);
  int rc = db->ops->script(db, sql, err);
  if (rc == 0)
    rc = eas_db_exec(db, "INSERT INTO eas_schema (version, name, at) VALUES ($1, $2, eas_now())",
                     EAS_ARGS(eas_v_int(found + 1), eas_v_text(m->name)), err);
  free(sql);
  return rc < 0 ? eas_err_prefix(err, "migration %s", m->name) : 0;
}

/* One step, unless somebody else took it meanwhile; returns the version that stands then. A new file of SQLite takes all at
 * once: each transaction waits for the disk. */
static int step(eas_db *db, eas_err *err)
{
  int found = 0;
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  rc = db->ops->script(db, db->ops->before, err);
  if (rc == 0) rc = version_found(db, &found, err);
  if (rc == 0 && found > newest_known()) {
    rc = eas_fail(err, EAS_EFORMAT, "database: its schema has version %d, this eas knows up to %d", found,
                  newest_known());
    eas_hint(err, "use the eas that wrote it, or a newer one");
  }
  int at_once = found == 0 && db->kind == EAS_DB_SQLITE;
  while (rc == 0 && found < newest_known()) {
    rc = take(db, found, err);
    if (rc == 0) found++;
    if (!at_once) break;
  }
  if (rc < 0) {
    eas_db_rollback(db);
    return rc;
  }
  rc = eas_db_commit(db, err);
  return rc < 0 ? rc : found;
}

int eas_db_migrate(eas_db *db, eas_err *err)
{
  int found = 0;
  int rc = version_found(db, &found, err);
  if (rc < 0 || found == newest_known()) return rc;
  do {
    rc = step(db, err);
  } while (rc >= 0 && rc < newest_known());
  return rc < 0 ? rc : 0;
}
