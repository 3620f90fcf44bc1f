/* db_sqlite.c: the embedded back end: one file in WAL mode, every commit flushed. */
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "db/backend.h"
#include "db/sqlite_ids.h"

enum { BUSY_DEADLINE_US = 5000000, BACK_OFF_MIN_US = 200, BACK_OFF_MAX_US = 500 };

typedef struct {
  eas_db db;
  sqlite3 *handle;
  char *path;
  eas_stmts stmts;
  eas_bell bell;
  int64_t busy_since;
  uint64_t dice;
  int lax;      /* synchronous stands at NORMAL */
  int starting; /* a transaction, which has said how */
} sqlite_db;

static sqlite_db *of(eas_db *db)
{
  return (sqlite_db *)(void *)db;
}

static int fail(sqlite_db *s, eas_err *err, const char *sql)
{
  int code = sqlite3_errcode(s->handle);
  const char *why = sqlite3_errmsg(s->handle);
  if ((code & 0xff) == SQLITE_IOERR && eas_io_code(sqlite3_system_errno(s->handle)) == EAS_ENOSPC) code = SQLITE_FULL;
  switch (code & 0xff) {
  case SQLITE_BUSY:
    eas_fail(err, EAS_EBUSY, "database '%s': another process holds it for over 5 s", s->path);
    return EAS_EBUSY;
  case SQLITE_FULL:
    eas_fail(err, EAS_ENOSPC, "database '%s': the disk is full", s->path);
    eas_hint(err, "free some space there, or choose another folder with --data");
    return EAS_ENOSPC;
  case SQLITE_IOERR: return eas_fail(err, EAS_EIO, "database '%s': %s", s->path, why);
  case SQLITE_CANTOPEN: return eas_fail(err, EAS_ECONNECT, "database '%s': %s", s->path, why);
  case SQLITE_NOTADB:
  case SQLITE_CORRUPT: return eas_fail(err, EAS_EFORMAT, "database '%s': %s", s->path, why);
  case SQLITE_NOMEM: return eas_fail(err, EAS_ENOMEM, "database '%s': %s", s->path, why);
  default: return eas_fail(err, EAS_EDB, "database '%s': %s%s%.300s", s->path, why, sql ? ": " : "", sql ? sql : "");
  }
}

/* Random back-off; the built-in one starves a waiting writer for seconds (docs/state_machine.md tells of locks). */
static int wait_busy(void *arg, int tries)
{
  sqlite_db *s = arg;
  int64_t now = eas_tick_us();
  if (tries == 0) s->busy_since = now;
  if (now - s->busy_since > BUSY_DEADLINE_US) return 0;
  s->dice = eas_mix64(s->dice, (uint64_t)now);
  long us = BACK_OFF_MIN_US + (long)(s->dice % (BACK_OFF_MAX_US - BACK_OFF_MIN_US + 1));
  nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
  return 1;
}

static void sql_now(sqlite3_context *ctx, int n, sqlite3_value **args)
{
  (void)n;
  (void)args;
  sqlite3_result_int64(ctx, eas_now_us());
}

static int script(eas_db *db, const char *sql, eas_err *err)
{
  sqlite_db *s = of(db);
  return sqlite3_exec(s->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(s, err, NULL);
}

/* --- statements --- */

static void finalize(void *handle)
{
  sqlite3_finalize(handle);
}

static const char *column_name(void *arg, int i)
{
  return sqlite3_column_name(arg, i);
}

/* Looking a parameter's name up at each execution costs more than binding it. */
static void number(eas_stmt *stmt)
{
  stmt->n_numbers = sqlite3_bind_parameter_count(stmt->handle);
  stmt->numbers = eas_alloc((size_t)(stmt->n_numbers + 1) * sizeof *stmt->numbers);
  for (int at = 0; at < stmt->n_numbers; at++)
    stmt->numbers[at] = (int)strtol(sqlite3_bind_parameter_name(stmt->handle, at + 1) + 1, NULL, 10) - 1;
}

static int prepare(sqlite_db *s, const char *sql, eas_stmt **out, eas_err *err)
{
  eas_stmt *stmt = eas_stmts_find(&s->stmts, sql);
  if (!stmt && s->stmts.n >= EAS_STMTS_MOST) eas_stmts_clear(&s->stmts, finalize); /* none is running */
  if (!stmt) {
    stmt = eas_stmts_add(&s->stmts, EAS_DB_SQLITE, sql);
  }
  if (!stmt->handle) {
    sqlite3_stmt *handle = NULL;
    if (sqlite3_prepare_v3(s->handle, stmt->sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) != SQLITE_OK)
      return fail(s, err, stmt->sql);
    if (!handle) return eas_fail(err, EAS_EBUG, "database: empty statement");
    stmt->handle = handle;
    number(stmt);
    stmt->heads = eas_heads_new(sqlite3_column_count(handle), column_name, handle);
  }
  *out = stmt;
  return 0;
}

static int bind(sqlite_db *s, const eas_stmt *stmt, const eas_val *args, int n, eas_err *err)
{
  sqlite3_stmt *h = stmt->handle;
  if (stmt->n_params > n)
    return eas_fail(err, EAS_EBUG, "database: %d parameters given, $%d is used: %.300s", n, stmt->n_params, stmt->sql);
  for (int at = stmt->n_numbers; at > 0; at--) {
    const eas_val *v = &args[stmt->numbers[at - 1]];
    int rc = SQLITE_OK;
    switch (v->type) {
    case EAS_V_INT: rc = sqlite3_bind_int64(h, at, v->i); break;
    case EAS_V_REAL: rc = sqlite3_bind_double(h, at, v->d); break;
    case EAS_V_TEXT: rc = sqlite3_bind_text(h, at, v->s, -1, SQLITE_STATIC); break;
    case EAS_V_BLOB: rc = sqlite3_bind_blob64(h, at, v->s ? v->s : "", v->len, SQLITE_STATIC); break;
    default: rc = sqlite3_bind_null(h, at);
    }
    if (rc != SQLITE_OK) return fail(s, err, stmt->sql);
  }
  return 0;
}

static void add_row(eas_rows *rows, sqlite3_stmt *h, int columns)
{
  for (int i = 0; i < columns; i++) {
    int kind = sqlite3_column_type(h, i);
    switch (kind) {
    case SQLITE_INTEGER: eas_rows_add_int(rows, sqlite3_column_int64(h, i)); break;
    case SQLITE_FLOAT: eas_rows_add_real(rows, sqlite3_column_double(h, i)); break;
    case SQLITE_NULL: eas_rows_add_null(rows); break;
    default: {
      int type = kind == SQLITE_TEXT ? EAS_V_TEXT : EAS_V_BLOB;
      const void *p = type == EAS_V_TEXT ? (const void *)sqlite3_column_text(h, i) : sqlite3_column_blob(h, i);
      eas_rows_add_bytes(rows, type, p ? p : "", (size_t)sqlite3_column_bytes(h, i));
    }
    }
  }
}

/* How soon a commit is on the disk; outside of a transaction only. A flushed one takes along all that was before it. */
static int set_lax(sqlite_db *s, int lax, eas_err *err)
{
  if (lax == s->lax) return 0;
  int rc = script(&s->db, lax ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL", err);
  if (rc == 0) s->lax = lax;
  return rc;
}

static int run(eas_db *db, const char *sql, const eas_val *args, int n, eas_rows **out, eas_err *err)
{
  sqlite_db *s = of(db);
  eas_stmt *stmt = NULL;
  int rc = prepare(s, sql, &stmt, err);
  if (rc == 0) rc = bind(s, stmt, args, n, err);
  if (rc == 0 && s->lax && sqlite3_get_autocommit(s->handle) && !sqlite3_stmt_readonly(stmt->handle) && !s->starting)
    rc = set_lax(s, 0, err); /* alone, it is a commit */
  if (rc < 0) return rc;

  sqlite3_stmt *h = stmt->handle;
  int before = sqlite3_total_changes(s->handle), columns = stmt->heads->n, step;
  eas_rows *rows = out ? eas_rows_new(stmt->heads) : NULL;
  while ((step = sqlite3_step(h)) == SQLITE_ROW)
    if (rows) add_row(rows, h, columns);
  int changed = sqlite3_stmt_readonly(h) || sqlite3_total_changes(s->handle) == before ? 0 : sqlite3_changes(s->handle);
  if (step != SQLITE_DONE) rc = fail(s, err, stmt->sql);
  sqlite3_reset(h);
  if (!db->mode) {
    db->round_trips++;
    db->commits += changed > 0;
  }
  if (rc < 0) {
    eas_rows_free(rows);
    return rc;
  }
  if (out) {
    eas_rows_set_changed(rows, changed);
    *out = rows;
  }
  return changed;
}

static int send_now(eas_db *db, const char *sql, const eas_val *args, int n, int ticket, eas_err *err)
{
  return run(db, sql, args, n, ticket < 0 ? NULL : &db->results[ticket], err);
}

static int flush_none(eas_db *db, eas_err *err)
{
  (void)err;
  db->round_trips++;
  return 0;
}

static const char *statement(const eas_db *db, int i)
{
  const sqlite_db *s = (const sqlite_db *)(const void *)db;
  return i < s->stmts.n ? s->stmts.list[i]->sql : NULL;
}

/* --- transactions --- */

static int begin(eas_db *db, int mode, eas_err *err)
{
  sqlite_db *s = of(db);
  int rc = mode == EAS_TX_READ ? 0 : set_lax(s, mode == EAS_TX_LAX, err);
  if (rc < 0) return rc;
  s->starting = 1;
  rc = run(db, mode == EAS_TX_READ ? "BEGIN" : "BEGIN IMMEDIATE", EAS_NOARGS, NULL, err);
  s->starting = 0;
  return rc < 0 ? rc : 0;
}

static int commit(eas_db *db, eas_err *err)
{
  int rc = run(db, "COMMIT", EAS_NOARGS, NULL, err);
  return rc < 0 ? rc : 0;
}

static void rollback(eas_db *db)
{
  sqlite_db *s = of(db);
  if (!sqlite3_get_autocommit(s->handle)) /* a full disk rolls back by itself */
    sqlite3_exec(s->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* --- schema, ids --- */

static int has_schema(eas_db *db, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = run(db,
               "SELECT count(*), sum(CASE WHEN name = 'eas_schema' THEN 1 ELSE 0 END)"
               " FROM sqlite_master WHERE type = 'table'",
               EAS_NOARGS, &rows, err);
  if (rc < 0) return rc;
  int64_t tables = eas_rows_int(rows, 0, 0), ours = eas_rows_int(rows, 0, 1);
  eas_rows_free(rows);
  if (tables && !ours) return eas_fail(err, EAS_EFORMAT, "database '%s': holds tables of something else", of(db)->path);
  return ours > 0;
}

/* A block from the table next_id, which starts above what is there. */
static int ids(eas_db *db, const char *table, int n, int64_t *out, eas_err *err)
{
  static const char more[] = "UPDATE next_id SET next = next + $2 WHERE name = $1 RETURNING next - $2";
  eas_val args[] = { eas_v_text(table), eas_v_int(n) };
  eas_rows *rows = NULL;
  int rc = run(db, more, args, 2, &rows, err);
  if (rc == 0) {
    eas_rows_free(rows);
    rows = NULL;
    char *first = eas_format("INSERT INTO next_id (name, next) SELECT '%s', coalesce(max(id), 0) + 1 FROM \"%s\""
                             " WHERE true ON CONFLICT DO NOTHING",
                             table, table);
    rc = run(db, first, EAS_NOARGS, NULL, err);
    free(first);
    if (rc >= 0) rc = run(db, more, args, 2, &rows, err);
  }
  if (rc < 0) return rc;
  for (int i = 0; i < n; i++) out[i] = eas_rows_int(rows, 0, 0) + i;
  eas_rows_free(rows);
  return 0;
}

/* --- bell --- */

static int ring(eas_db *db, eas_err *err)
{
  (void)db;
  (void)err;
  return 0;
}

static void rung(eas_db *db)
{
  eas_bell_ring(&of(db)->bell, NULL);
} /* a hint: a lost one is rung again */
static int bell_fd(eas_db *db, eas_err *err)
{
  return eas_bell_fd(&of(db)->bell, err);
}
static void bell_clear(eas_db *db)
{
  eas_bell_clear(&of(db)->bell);
}

/* --- opening --- */

static void close_db(eas_db *db)
{
  sqlite_db *s = of(db);
  eas_stmts_clear(&s->stmts, finalize);
  sqlite3_close(s->handle);
  eas_bell_done(&s->bell);
  free(s->path);
  free(s);
}

static const eas_db_ops ops = {
  .close = close_db,
  .script = script,
  .run = run,
  .send = send_now,
  .flush = flush_none,
  .begin = begin,
  .commit = commit,
  .rollback = rollback,
  .has_schema = has_schema,
  .ids = ids,
  .ring = ring,
  .rung = rung,
  .bell_fd = bell_fd,
  .bell_clear = bell_clear,
  .statement = statement,
  .before =
      "CREATE TABLE IF NOT EXISTS eas_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL);"
      "CREATE TABLE IF NOT EXISTS next_id (name TEXT PRIMARY KEY, next BIGINT NOT NULL) WITHOUT ROWID;"
};

static int set_up(sqlite_db *s, eas_err *err)
{
  sqlite3_busy_handler(s->handle, wait_busy, s);
  sqlite3_extended_result_codes(s->handle, 1);
  if (sqlite3_create_function(s->handle, "eas_now", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL, sql_now, NULL, NULL) !=
      SQLITE_OK)
    return fail(s, err, NULL);
  if (eas_sqlite_ids(s->handle) != SQLITE_OK) return fail(s, err, NULL);
  if (s->db.flags & EAS_DB_READ)
    return script(&s->db, "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536", err);
  return script(&s->db,
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
                "PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864",
                err);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* SQLite's books of its memory cost a lock at each allocation; nobody reads them. */
static void configure(void)
{
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int eas_db_open_sqlite(eas_db **out, const char *path, int flags, eas_err *err)
{
  if (!(flags & EAS_DB_CREATE) && access(path, F_OK) < 0) {
    if (errno == ENOENT) return eas_fail(err, EAS_ENOENT, "database '%s': there is none", path);
    return eas_fail(err, EAS_ECONNECT, "database '%s': %s", path, strerror(errno));
  }
  pthread_once(&once, configure);
  sqlite_db *s = eas_alloc(sizeof *s);
  s->db = (eas_db){ .ops = &ops, .kind = EAS_DB_SQLITE, .flags = flags };
  s->path = eas_strdup(path);
  s->dice = (uint64_t)getpid();
  eas_bell_init(&s->bell, path);
  int mode = flags & EAS_DB_READ ? SQLITE_OPEN_READONLY
                                 : SQLITE_OPEN_READWRITE | (flags & EAS_DB_CREATE ? SQLITE_OPEN_CREATE : 0);
  int rc = 0;
  if (sqlite3_open_v2(path, &s->handle, mode | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) rc = fail(s, err, NULL);
  if (rc == 0) rc = set_up(s, err);
  if (rc < 0) {
    close_db(&s->db);
    return rc;
  }
  *out = &s->db;
  return 0;
}
