/* archive.c: see archive.h. The tables are those that the schema has: what a later migration adds is copied too, by the
 * column that ties it to the job. */
#include "model/archive.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 500, FLUSH_EVERY = 200 };

typedef struct {
  eas_db *from, *to;
  int64_t job, n_rows;
  int n_sent;
  const char *table;
  char *columns, *insert;
  int n_columns;
  eas_archive_tell_fn *tell;
  void *arg;
} archive;

/* What is shared by jobs, and what is only of the moment. */
static const struct {
  const char *table, *where; /* NULL: not copied */
} special[] = {
  { "job", "id = $1" },
  { "document", "id IN (SELECT document FROM job WHERE id = $1)" },
  { "task_type", "$1 = $1" },
  { "word", "id IN (SELECT name FROM task WHERE job = $1 UNION SELECT directory FROM task WHERE job = $1"
            " UNION SELECT label FROM task WHERE job = $1 UNION SELECT directory FROM product WHERE job = $1"
            " UNION SELECT kind FROM product WHERE job = $1"
            " UNION SELECT e.kind FROM task_input e JOIN task t ON t.id = e.task WHERE t.job = $1"
            " UNION SELECT e.name FROM task_need e JOIN task t ON t.id = e.task WHERE t.job = $1"
            " UNION SELECT e.name FROM task_gather e JOIN task t ON t.id = e.task WHERE t.job = $1"
            " UNION SELECT e.kind FROM attempt_input e JOIN attempt a ON a.id = e.attempt WHERE a.job = $1"
            " UNION SELECT w.host FROM worker w JOIN attempt a ON a.worker = w.id WHERE a.job = $1"
            " UNION SELECT w.container FROM worker w JOIN attempt a ON a.worker = w.id WHERE a.job = $1)" },
  { "worker", "id IN (SELECT worker FROM attempt WHERE job = $1)" },
  { "job_type", "job = $1" },
  { "progress", NULL },
  { "chore", NULL },
};

/* Rows of a table that hangs on another, by the ids of the other. also: edges to other jobs stay out. */
static const struct {
  const char *column, *owner;
} owners[] = { { "id", NULL }, { "attempt", "attempt" }, { "task", "task" }, { "product", "product" } };

static const char *also(const char *table)
{
  if (strcmp(table, "task_input") == 0) return " AND (SELECT p.job FROM product p WHERE p.id = product) = $1";
  if (strcmp(table, "attempt_input") == 0)
    return " AND (SELECT p.job FROM version v JOIN product p ON p.id = v.product WHERE v.id = version) = $1";
  if (strcmp(table, "task_need") == 0 || strcmp(table, "task_gather") == 0)
    return " AND (SELECT t.job FROM task t WHERE t.id = needed) = $1";
  return "";
}

static int put_rows(archive *a, const char *where, const eas_val *args, int n_args, eas_err *err)
{
  eas_rows *r = NULL;
  char *sql = eas_format("SELECT %s FROM %s WHERE %s", a->columns, a->table, where);
  int n = eas_db_query(a->from, sql, args, n_args, &r, err), rc = n < 0 ? n : 0;
  eas_val *v = eas_alloc((size_t)a->n_columns * sizeof *v);
  for (int i = 0; i < n && rc >= 0; i++) {
    for (int k = 0; k < a->n_columns; k++) v[k] = eas_rows_value(r, i, k);
    rc = eas_db_send(a->to, a->insert, v, a->n_columns, NULL, err);
    if (rc >= 0 && ++a->n_sent % FLUSH_EVERY == 0) rc = eas_db_flush(a->to, err);
    a->n_rows++;
  }
  if (a->tell) a->tell(a->arg, a->n_rows);
  free(v);
  free(sql);
  eas_rows_free(r);
  return rc < 0 ? rc : 0;
}

/* The next page of ids that the job has in a table of its own: up to *hi. 0: there are no more. */
static int next_page(archive *a, const char *owner, int64_t lo, int64_t *hi, eas_err *err)
{
  eas_rows *r = NULL;
  char *sql = eas_format("SELECT max(id) FROM (SELECT id FROM %s WHERE job = $1 AND id > $2 ORDER BY id LIMIT %d) k",
                         owner, PAGE);
  int rc = eas_db_query(a->from, sql, EAS_ARGS(eas_v_int(a->job), eas_v_int(lo)), &r, err);
  int more = rc > 0 && !eas_rows_null(r, 0, 0);
  if (more) *hi = eas_rows_int(r, 0, 0);
  eas_rows_free(r);
  free(sql);
  return rc < 0 ? rc : more;
}

static int copy_pages(archive *a, const char *column, const char *owner, eas_err *err)
{
  char *where = strcmp(column, "id") == 0
                    ? eas_strdup("job = $1 AND id > $2 AND id <= $3")
                    : eas_format("%s IN (SELECT id FROM %s WHERE job = $1 AND id > $2 AND id <= $3)%s", column, owner,
                                 also(a->table));
  int64_t lo = 0, hi = 0;
  int rc;
  while ((rc = next_page(a, owner, lo, &hi, err)) > 0) {
    rc = put_rows(a, where, EAS_ARGS(eas_v_int(a->job), eas_v_int(lo), eas_v_int(hi)), err);
    if (rc < 0) break;
    lo = hi;
  }
  free(where);
  return rc;
}

static int has(const eas_rows *columns, const char *name)
{
  for (int i = 0; i < eas_rows_n(columns); i++)
    if (strcmp(eas_rows_text(columns, i, 0), name) == 0) return 1;
  return 0;
}

static int copy_by_column(archive *a, const eas_rows *columns, eas_err *err)
{
  int of_job = has(columns, "job");
  for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
    if (!has(columns, owners[i].column) || (!owners[i].owner && !of_job)) continue;
    return copy_pages(a, owners[i].column, owners[i].owner ? owners[i].owner : a->table, err);
  }
  return eas_fail(err, EAS_EBUG, "table %s: nothing ties it to a job", a->table);
}

static int copy_table(archive *a, eas_err *err)
{
  eas_rows *columns = NULL;
  int rc = eas_db_query(a->to, "SELECT name FROM pragma_table_info($1) ORDER BY cid", EAS_ARGS(eas_v_text(a->table)),
                        &columns, err);
  if (rc < 0) return rc;
  eas_buf names, marks;
  eas_buf_init(&names);
  eas_buf_init(&marks);
  for (int i = 0; i < rc; i++) {
    eas_buf_printf(&names, "%s%s", i ? ", " : "", eas_rows_text(columns, i, 0));
    eas_buf_printf(&marks, "%s$%d", i ? ", " : "", i + 1);
  }
  a->n_columns = rc;
  a->columns = eas_buf_take(&names);
  /* types and words of a new schema may be there already */
  a->insert = eas_format("INSERT OR REPLACE INTO %s (%s) VALUES (%s)", a->table, a->columns, marks.data);
  size_t i = 0;
  while (i < sizeof special / sizeof *special && strcmp(special[i].table, a->table) != 0) i++;
  if (i == sizeof special / sizeof *special)
    rc = copy_by_column(a, columns, err);
  else
    rc = special[i].where ? put_rows(a, special[i].where, EAS_ARGS(eas_v_int(a->job)), err) : 0;
  if (rc >= 0) rc = eas_db_flush(a->to, err);
  eas_buf_done(&marks);
  free(a->columns);
  free(a->insert);
  eas_rows_free(columns);
  return rc < 0 ? eas_err_prefix(err, "table %s", a->table) : 0;
}

static int copy_tables(archive *a, eas_err *err)
{
  eas_rows *tables = NULL;
  int n = eas_db_query(
      a->to,
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
      " AND name NOT LIKE 'archive\\_%' ESCAPE '\\' AND name <> 'eas_schema' AND name <> 'next_id' ORDER BY rowid",
      EAS_NOARGS, &tables, err);
  int rc = n < 0 ? n : eas_db_exec(a->to, "PRAGMA defer_foreign_keys = ON", EAS_NOARGS, err);
  for (int i = 0; i < n && rc >= 0; i++) {
    a->table = eas_rows_text(tables, i, 0);
    rc = copy_table(a, err);
  }
  eas_rows_free(tables);
  return rc < 0 ? rc : 0;
}

int eas_archive_rows(eas_db *db, int64_t job, eas_db *file, eas_archive_tell_fn *tell, void *arg, int64_t *n_rows,
                     eas_err *err)
{
  archive a = { .from = db, .to = file, .job = job, .tell = tell, .arg = arg };
  int rc = eas_db_begin_read(db, err);
  if (rc >= 0) rc = eas_db_begin(file, err);
  if (rc >= 0) rc = copy_tables(&a, err);
  if (rc >= 0) rc = eas_db_commit(file, err);
  eas_db_rollback(file);
  eas_db_rollback(db);
  *n_rows = a.n_rows;
  return rc < 0 ? rc : 0;
}

int eas_archive_objects(eas_db *file, eas_archive_object_fn *fn, void *arg, eas_err *err)
{
  eas_digest last = { 0 };
  for (int rc = 1, n = 1; n > 0;) {
    eas_rows *r = NULL;
    n = eas_db_query(
        file,
        "SELECT digest FROM version WHERE digest > $1 UNION SELECT digest FROM attempt_log WHERE digest > $1"
        " ORDER BY 1 LIMIT 500",
        EAS_ARGS(eas_v_blob(last.b, sizeof last.b)), &r, err);
    rc = n < 0 ? n : 0;
    for (int i = 0; i < n && rc == 0; i++) {
      size_t size = 0;
      const void *bytes = eas_rows_blob(r, i, 0, &size);
      if (size != sizeof last.b) continue;
      memcpy(last.b, bytes, size);
      rc = fn(arg, &last);
    }
    eas_rows_free(r);
    if (rc != 0) return rc;
  }
  return 0;
}
