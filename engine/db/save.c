/* save.c: a whole database as one SQLite file, and back: from and to either back end, row by row.
 *
 * The file is a database of the embedded kind, so that it can be looked at, restored on a server, or run from. SQLite makes
 * it by itself (VACUUM INTO); a server is read within one snapshot, so neither holds up who works. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/backend.h"

enum { PAGE = 1000, AT_ONCE = 20, FLUSH_EVERY = 100 };

typedef struct {
  eas_db *from, *to;
  const char *table;
  char *columns; /* "id, name" */
  int n_columns;
  char *insert_one, *insert_many;
  int64_t n_rows;
  int n_sent;
} copy;

/* --- one table --- */

static char *insert_of(const copy *c, int n)
{
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_printf(&b, "INSERT INTO %s (%s) VALUES ", c->table, c->columns);
  for (int row = 0, at = 1; row < n; row++)
    for (int i = 0; i < c->n_columns; i++)
      eas_buf_printf(&b, "%s$%d%s", i ? ", " : row ? ", (" : "(", at++, i + 1 < c->n_columns ? "" : ")");
  return eas_buf_take(&b);
}

/* Writes a page; its first `skip` columns are not the table's. */
static int put(copy *c, const eas_rows *r, int skip, eas_err *err)
{
  int n = eas_rows_n(r), rc = 0;
  eas_val *values = eas_alloc((size_t)(AT_ONCE * c->n_columns) * sizeof *values);
  for (int row = 0; row < n && rc >= 0;) {
    int many = n - row >= AT_ONCE ? AT_ONCE : 1;
    for (int i = 0; i < many; i++)
      for (int k = 0; k < c->n_columns; k++) values[i * c->n_columns + k] = eas_rows_value(r, row + i, skip + k);
    rc = eas_db_send(c->to, many == 1 ? c->insert_one : c->insert_many, values, many * c->n_columns, NULL, err);
    if (rc >= 0 && ++c->n_sent % FLUSH_EVERY == 0) rc = eas_db_flush(c->to, err);
    row += many;
  }
  c->n_rows += n;
  free(values);
  return rc < 0 ? rc : 0;
}

static int from_server(copy *c, eas_err *err)
{
  char *sql = eas_format("DECLARE eas_copy_%s NO SCROLL CURSOR FOR SELECT %s FROM %s", c->table, c->columns, c->table);
  int rc = eas_db_exec(c->from, sql, EAS_NOARGS, err), n = 1;
  free(sql);
  sql = eas_format("FETCH %d FROM eas_copy_%s", PAGE, c->table);
  while (rc >= 0 && n > 0) {
    eas_rows *rows = NULL;
    n = rc = eas_db_query(c->from, sql, EAS_NOARGS, &rows, err);
    if (n > 0) rc = put(c, rows, 0, err);
    eas_rows_free(rows);
  }
  free(sql);
  return rc;
}

/* In the order of rowid; of tasks those of one depth, since a server wants parents first. depth -1: all. */
static int from_file(copy *c, int depth, eas_err *err)
{
  char *sql = eas_format("SELECT rowid, %s FROM %s WHERE rowid > $1%s ORDER BY rowid LIMIT %d", c->columns, c->table,
                         depth < 0 ? "" : " AND depth = $2", PAGE);
  int rc = 0, n = 1;
  for (int64_t last = -1; rc >= 0 && n > 0;) {
    eas_rows *rows = NULL;
    n = rc = eas_db_query(c->from, sql, EAS_ARGS(eas_v_int(last), eas_v_int(depth)), &rows, err);
    if (n > 0) {
      last = eas_rows_int(rows, n - 1, 0);
      rc = put(c, rows, 1, err);
    }
    eas_rows_free(rows);
  }
  free(sql);
  return rc;
}

static int number(eas_db *db, const char *sql, int64_t *out, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, sql, EAS_NOARGS, &rows, err);
  if (rc > 0) *out = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}

static int all_depths(copy *c, eas_err *err)
{
  int64_t deepest = -1;
  int rc = number(c->from, "SELECT coalesce(max(depth), -1) FROM task", &deepest, err);
  for (int depth = 0; depth <= deepest && rc >= 0; depth++) rc = from_file(c, depth, err);
  return rc;
}

static int copy_table(copy *c, eas_db *file, eas_err *err)
{
  eas_rows *rows = NULL;
  eas_buf columns;
  eas_buf_init(&columns);
  int rc = eas_db_query(file, "SELECT name FROM pragma_table_info($1) ORDER BY cid", EAS_ARGS(eas_v_text(c->table)),
                        &rows, err);
  for (int i = 0; i < rc; i++) eas_buf_printf(&columns, "%s%s", i ? ", " : "", eas_rows_text(rows, i, 0));
  eas_rows_free(rows);
  if (rc < 0) return eas_buf_done(&columns), rc;
  c->n_columns = rc;
  c->columns = eas_buf_take(&columns);
  c->insert_one = insert_of(c, 1);
  c->insert_many = insert_of(c, AT_ONCE);
  if (eas_db_kind(c->from) == EAS_DB_POSTGRES)
    rc = from_server(c, err);
  else
    rc = strcmp(c->table, "task") == 0 && eas_db_kind(c->to) == EAS_DB_POSTGRES ? all_depths(c, err)
                                                                                : from_file(c, -1, err);
  if (rc >= 0) rc = eas_db_flush(c->to, err);
  free(c->columns);
  free(c->insert_one);
  free(c->insert_many);
  return rc < 0 ? eas_err_prefix(err, "table %s", c->table) : 0;
}

/* --- all tables --- */

/* In the order they were made, so that what is referred to comes first. */
static int tables_of(eas_db *file, eas_rows **out, eas_err *err)
{
  return eas_db_query(file,
                      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                      " AND name <> 'eas_schema' AND name <> 'next_id' AND name <> 'chore' ORDER BY rowid",
                      EAS_NOARGS, out, err);
}

/* Both are in a transaction. file: the one of the two that is a file. */
static int copy_all(eas_db *from, eas_db *to, eas_db *file, int64_t *n_rows, eas_err *err)
{
  eas_rows *tables = NULL;
  int n = tables_of(file, &tables, err), rc = n < 0 ? n : 0;
  if (rc == 0 && eas_db_kind(to) == EAS_DB_SQLITE)
    rc = eas_db_exec(to, "PRAGMA defer_foreign_keys = ON", EAS_NOARGS, err);
  for (int i = 0; i < n && rc >= 0; i++) {
    copy c = { .from = from, .to = to, .table = eas_rows_text(tables, i, 0) };
    rc = copy_table(&c, file, err);
    *n_rows += c.n_rows;
  }
  eas_rows_free(tables);
  return rc;
}

static int check_schema(eas_db *db, const char *what, eas_err *err)
{
  int found = 0, newest = 0;
  int rc = eas_db_schema(db, &found, &newest, err);
  if (rc < 0 || found == newest) return rc < 0 ? rc : 0;
  eas_fail(err, EAS_EFORMAT, "%s: schema %d, this eas knows %d", what, found, newest);
  return eas_hint(err, found > newest ? "use a newer eas" : found ? "eas db migrate first" : "there is nothing in it");
}

/* --- save --- */

/* What is not on the disk is no copy. */
static int settle_file(const char *part, const char *path, eas_err *err)
{
  int fd = open(part, O_RDONLY | O_CLOEXEC);
  int bad = fd < 0 || fsync(fd) < 0 || rename(part, path) < 0;
  if (bad) eas_fail(err, EAS_EIO, "write '%s': %s", path, strerror(errno));
  if (fd >= 0) close(fd);
  return bad ? EAS_EIO : 0;
}

static int save_server(eas_db *db, const char *part, int64_t *n_rows, eas_err *err)
{
  eas_db *file = NULL;
  int rc = eas_db_open_sqlite(&file, part, EAS_DB_CREATE, err);
  if (rc >= 0) rc = eas_db_migrate(file, err);
  if (rc >= 0) rc = eas_db_begin_read(db, err);
  if (rc >= 0) {
    rc = eas_db_begin(file, err);
    if (rc >= 0) rc = copy_all(db, file, file, n_rows, err);
    if (rc >= 0) rc = eas_db_commit(file, err);
    eas_db_rollback(db);
  }
  if (rc >= 0) rc = file->ops->script(file, "PRAGMA journal_mode = DELETE", err); /* one file, without companions */
  if (file) eas_db_rollback(file);
  eas_db_close(file);
  return rc;
}

void eas_db_unlink(const char *path)
{
  static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    char *name = eas_format("%s%s", path, endings[i]);
    unlink(name);
    free(name);
  }
}

static int save(eas_db *db, const char *path, eas_err *err)
{
  if (access(path, F_OK) == 0) {
    eas_fail(err, EAS_EEXIST, "%s: is there already", path);
    return eas_hint(err, "name a new file; nothing is overwritten");
  }
  char *part = eas_format("%s.part", path);
  eas_db_unlink(part);
  int64_t n_rows = 0;
  int rc = eas_db_kind(db) == EAS_DB_SQLITE ? eas_db_exec(db, "VACUUM INTO $1", EAS_ARGS(eas_v_text(part)), err)
                                            : save_server(db, part, &n_rows, err);
  if (rc >= 0) rc = settle_file(part, path, err);
  if (rc < 0) eas_db_unlink(part);
  free(part);
  return rc < 0 ? rc : 0;
}

int eas_db_save(eas_db *db, const char *path, eas_err *err)
{
  int rc = check_schema(db, "database", err);
  return rc < 0 ? rc : save(db, path, err);
}

int eas_db_copy(eas_db *db, const char *path, eas_err *err)
{
  if (eas_db_kind(db) != EAS_DB_SQLITE) return eas_fail(err, EAS_EINVAL, "database: a server is saved by eas db save");
  return save(db, path, err);
}

/* --- restore --- */

/* A database that nobody has used: words and types may stand in it, and workers that ended. */
static int check_empty(eas_db *db, eas_err *err)
{
  int64_t jobs = 0, workers = 0;
  int rc = number(db, "SELECT count(*) FROM (SELECT 1 FROM job LIMIT 1) j", &jobs, err);
  if (rc >= 0)
    rc = number(db, "SELECT count(*) FROM worker WHERE state = 'active' AND lease_until > eas_now()", &workers, err);
  if (rc < 0) return rc;
  if (jobs) eas_fail(err, EAS_EEXIST, "the database holds jobs already");
  if (jobs) return eas_hint(err, "restore into an empty one: eas init on a new database, or another --data DIR");
  if (workers)
    return eas_fail(err, EAS_EBUSY, "%lld workers or controls are at work on the database", (long long)workers);
  return 0;
}

static int empty_tables(eas_db *db, eas_db *file, eas_err *err)
{
  eas_rows *tables = NULL;
  int n = tables_of(file, &tables, err), rc = n < 0 ? n : 0;
  for (int i = n; i-- > 0 && rc >= 0;) {
    char *sql = eas_format("DELETE FROM %s", eas_rows_text(tables, i, 0));
    rc = eas_db_exec(db, sql, EAS_NOARGS, err);
    free(sql);
  }
  eas_rows_free(tables);
  return rc < 0 ? rc : 0;
}

/* Ids go on above what was restored. */
static int set_ids(eas_db *db, eas_db *file, eas_err *err)
{
  if (eas_db_kind(db) == EAS_DB_SQLITE) return eas_db_exec(db, "DELETE FROM next_id", EAS_NOARGS, err);
  eas_rows *tables = NULL;
  int n = tables_of(file, &tables, err), rc = n < 0 ? n : 0;
  for (int i = 0; i < n && rc >= 0; i++) {
    const char *t = eas_rows_text(tables, i, 0);
    int64_t has_id = 0;
    char *sql = eas_format("SELECT count(*) FROM pragma_table_info('%s') WHERE name = 'id'", t);
    rc = number(file, sql, &has_id, err);
    free(sql);
    if (rc < 0 || !has_id) continue;
    sql = eas_format("SELECT setval('%s_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM %s), false)", t, t);
    rc = eas_db_exec(db, sql, EAS_NOARGS, err);
    free(sql);
  }
  eas_rows_free(tables);
  return rc < 0 ? rc : 0;
}

static int fill(eas_db *db, eas_db *file, eas_err *err)
{
  int64_t n_rows = 0;
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  rc = check_empty(db, err);
  if (rc >= 0) rc = empty_tables(db, file, err);
  if (rc >= 0) rc = copy_all(file, db, file, &n_rows, err);
  if (rc >= 0) rc = set_ids(db, file, err);
  if (rc >= 0) return eas_db_commit(db, err);
  eas_db_rollback(db);
  return rc;
}

/* An older file is brought up to date in a copy; the file itself is never touched. */
static int updated(eas_db **file, char **copy_path, eas_err *err)
{
  const char *folder = getenv("TMPDIR");
  char *path = eas_format("%s/eas-restore-XXXXXX", folder && *folder ? folder : "/tmp");
  int fd = mkstemp(path);
  if (fd < 0) {
    int rc = eas_fail(err, EAS_EIO, "write '%s': %s", path, strerror(errno));
    free(path);
    return rc;
  }
  close(fd);
  *copy_path = path;
  int rc = (*file)->ops->script(*file, "PRAGMA query_only = OFF", err); /* of the other file */
  if (rc >= 0) rc = eas_db_exec(*file, "VACUUM INTO $1", EAS_ARGS(eas_v_text(path)), err);
  eas_db_close(*file);
  *file = NULL;
  if (rc >= 0) rc = eas_db_open_sqlite(file, path, 0, err);
  return rc < 0 ? rc : eas_db_migrate(*file, err);
}

int eas_db_restore(eas_db *db, const char *path, eas_err *err)
{
  eas_db *file = NULL;
  char *copy_path = NULL;
  int found = 0, newest = 0;
  int rc = eas_db_open_sqlite(&file, path, EAS_DB_READ, err);
  if (rc >= 0) rc = eas_db_schema(file, &found, &newest, err);
  if (rc >= 0 && (found == 0 || found > newest)) rc = check_schema(file, path, err);
  if (rc >= 0) rc = check_schema(db, "database", err);
  if (rc >= 0 && found < newest) rc = updated(&file, &copy_path, err);
  if (rc >= 0) rc = fill(db, file, err);
  eas_db_close(file);
  if (copy_path) eas_db_unlink(copy_path);
  free(copy_path);
  return rc < 0 ? rc : 0;
}
