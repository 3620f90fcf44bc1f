/* db_postgres.c: the server back end: libpq in pipeline mode, so that what is sent together costs one round trip. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "db/postgres.h"

static pg_db *of(eas_db *db)
{
  return (pg_db *)(void *)db;
}

static int lost(pg_db *p, eas_err *err)
{
  return eas_fail(err, EAS_ECONNECT, "database server: %s", eas_pg_words(PQerrorMessage(p->conn)));
}

static int refused(const PGresult *res, const char *sql, eas_err *err)
{
  const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
  const char *why = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
  if (!state) state = "";
  if (!why) why = eas_pg_words(PQresultErrorMessage(res));
  if (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0 || strcmp(state, "55P03") == 0)
    return eas_fail(err, EAS_EBUSY, "database: %s", why);
  if (strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0)
    return eas_fail(err, EAS_ECONNECT, "database server: %s", why);
  if (strncmp(state, "53", 2) == 0 || strncmp(state, "58", 2) == 0)
    return eas_fail(err, EAS_EIO, "database server: %s", why);
  return eas_fail(err, EAS_EDB, "database: %s%s%.300s", why, sql ? ": " : "", sql ? sql : "");
}

/* --- the pipeline --- */

enum { PUSH_BYTES = 8192 };

static void note_sent(pg_db *p, int what, int ticket, eas_stmt *stmt)
{
  if (p->n_sent == p->cap_sent) {
    p->cap_sent = p->cap_sent ? 2 * p->cap_sent : 64;
    p->sent = eas_realloc(p->sent, (size_t)p->cap_sent * sizeof *p->sent);
  }
  p->sent[p->n_sent++] = (pg_sent){ what, ticket, stmt };
}

/* Keeps both directions moving, so that neither side waits for the other to read. */
static int pump(pg_db *p, eas_err *err)
{
  for (;;) {
    int left = PQflush(p->conn);
    if (left < 0) return lost(p, err);
    if (left == 0) return 0;
    struct pollfd fd = { .fd = PQsocket(p->conn), .events = POLLIN | POLLOUT };
    if (poll(&fd, 1, -1) < 0 && errno != EINTR)
      return eas_fail(err, EAS_ECONNECT, "database server: %s", strerror(errno));
    if ((fd.revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(p->conn)) return lost(p, err);
  }
}

static int send_prepare(pg_db *p, eas_stmt *stmt, eas_err *err)
{
  char name[24];
  snprintf(name, sizeof name, "s%lld", (long long)p->next_name++);
  if (!PQsendPrepare(p->conn, name, stmt->sql, 0, NULL)) return lost(p, err);
  stmt->handle = eas_strdup(name);
  note_sent(p, PG_PREPARE, -1, stmt);
  return 0;
}

typedef struct {
  const char *value;
  int length, format;
  char number[32];
} bound;

static void bind(bound *b, const eas_val *v)
{
  b->format = v->type == EAS_V_BLOB;
  b->length = b->format ? (int)v->len : 0;
  b->value = b->number;
  if (v->type == EAS_V_INT)
    snprintf(b->number, sizeof b->number, "%lld", (long long)v->i);
  else if (v->type == EAS_V_REAL)
    snprintf(b->number, sizeof b->number, "%.17g", v->d);
  else
    b->value = v->type == EAS_V_NULL ? NULL : v->s ? v->s : "";
}

/* Arrays for the parameters of one statement, kept from one to the next. */
static void reserve(pg_db *p, int n)
{
  if (n <= p->cap_params) return;
  p->cap_params = n < 64 ? 64 : n;
  size_t cap = (size_t)p->cap_params;
  p->params = eas_realloc(p->params, cap * sizeof(bound));
  p->values = eas_realloc(p->values, cap * sizeof *p->values);
  p->lengths = eas_realloc(p->lengths, cap * sizeof *p->lengths);
  p->formats = eas_realloc(p->formats, cap * sizeof *p->formats);
}

static int send_bound(pg_db *p, eas_stmt *stmt, const eas_val *args, int ticket, eas_err *err)
{
  int n = stmt->n_params;
  reserve(p, n);
  bound *list = p->params;
  for (int i = 0; i < n; i++) {
    bind(&list[i], &args[i]);
    if (args[i].type == EAS_V_TEXT && args[i].s) p->unsent += strlen(args[i].s);
    p->values[i] = list[i].value;
    p->lengths[i] = list[i].length;
    p->formats[i] = list[i].format;
  }
  if (!PQsendQueryPrepared(p->conn, stmt->handle, n, p->values, p->lengths, p->formats, 0)) return lost(p, err);
  note_sent(p, PG_RUN, ticket, stmt);
  return 0;
}

/* The server forgets its statements; ours go with them. */
static int drop_statements(pg_db *p, eas_err *err)
{
  if (!PQsendQueryParams(p->conn, "DEALLOCATE ALL", 0, NULL, NULL, NULL, NULL, 0)) return lost(p, err);
  note_sent(p, PG_RUN, PG_NO_ROWS, NULL);
  eas_stmts_clear(&p->stmts, free);
  return 0;
}

static int send(eas_db *db, const char *sql, const eas_val *args, int n, int ticket, eas_err *err)
{
  pg_db *p = of(db);
  int rc = eas_pg_ready(p, err);
  if (rc < 0) return rc;
  eas_stmt *stmt = eas_stmts_find(&p->stmts, sql);
  if (!stmt && p->stmts.n >= EAS_STMTS_MOST && p->n_sent == 0) rc = drop_statements(p, err);
  if (rc < 0) return rc;
  if (!stmt) stmt = eas_stmts_add(&p->stmts, EAS_DB_POSTGRES, sql);
  if (stmt->n_params > 65535) return eas_fail(err, EAS_EBUG, "database: over 65535 parameters: %.300s", stmt->sql);
  if (stmt->n_params > n)
    return eas_fail(err, EAS_EBUG, "database: %d parameters given, $%d is used: %.300s", n, stmt->n_params, stmt->sql);
  if (!stmt->handle) rc = send_prepare(p, stmt, err);
  if (rc == 0) rc = send_bound(p, stmt, args, ticket, err);
  /* the server works on what is large while more is made ready here */
  if (rc == 0 && (p->n_sent % 32 == 0 || p->unsent > PUSH_BYTES)) {
    p->unsent = 0;
    rc = pump(p, err);
  }
  return rc;
}

/* Takes what one sent thing answered; the first failure of the flush is kept in why. */
static void take_one(pg_db *p, const pg_sent *sent, eas_err *why)
{
  PGresult *res;
  while ((res = PQgetResult(p->conn))) {
    ExecStatusType status = PQresultStatus(res);
    int bad = status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
    if (bad && status != PGRES_PIPELINE_ABORTED && !why->code) refused(res, sent->stmt ? sent->stmt->sql : NULL, why);
    if (bad && sent->what == PG_PREPARE) {
      free(sent->stmt->handle);
      sent->stmt->handle = NULL;
    }
    if (!bad && sent->what == PG_RUN) {
      const char *tuples = PQcmdTuples(res);
      p->changed = strncmp(PQcmdStatus(res), "SELECT", 6) == 0 ? 0 : (int)strtol(tuples, NULL, 10);
      if (sent->ticket == PG_OWN_ROWS)
        p->own = eas_pg_rows(res, p->changed);
      else if (sent->ticket >= 0)
        p->db.results[sent->ticket] = eas_pg_rows(res, p->changed);
    }
    PQclear(res);
    if (PQstatus(p->conn) == CONNECTION_BAD) return;
  }
}

static int flush(eas_db *db, eas_err *err)
{
  pg_db *p = of(db);
  if (p->n_sent == 0) return 0;
  eas_err why = { 0 };
  if (!PQpipelineSync(p->conn)) lost(p, &why);
  if (!why.code) pump(p, &why);
  for (int i = 0; i < p->n_sent && PQstatus(p->conn) == CONNECTION_OK; i++) take_one(p, &p->sent[i], &why);
  if (PQstatus(p->conn) == CONNECTION_OK) {
    PGresult *res = PQgetResult(p->conn); /* of the sync */
    if (!res || PQresultStatus(res) != PGRES_PIPELINE_SYNC)
      if (!why.code) eas_fail(&why, EAS_EDB, "database server: the answers are out of step");
    PQclear(res);
  }
  if (PQstatus(p->conn) != CONNECTION_OK) lost(p, &why);
  p->n_sent = 0;
  db->round_trips++;
  eas_pg_heard(p);
  if (why.code && err) *err = why;
  return why.code;
}

static int run(eas_db *db, const char *sql, const eas_val *args, int n, eas_rows **out, eas_err *err)
{
  pg_db *p = of(db);
  int rc = send(db, sql, args, n, out ? PG_OWN_ROWS : PG_NO_ROWS, err);
  if (rc == 0) rc = flush(db, err);
  eas_rows *own = p->own;
  p->own = NULL;
  if (rc < 0) {
    eas_rows_free(own);
    return rc;
  }
  if (!db->mode) db->commits += p->changed > 0;
  if (out) *out = own;
  return p->changed;
}

/* Outside of the pipeline: only migrations and session settings are scripts. */
static int script(eas_db *db, const char *sql, eas_err *err)
{
  pg_db *p = of(db);
  int rc = eas_pg_ready(p, err);
  if (rc == 0) rc = flush(db, err);
  if (rc < 0) return rc;
  if (!PQexitPipelineMode(p->conn)) return lost(p, err);
  PGresult *res = PQexec(p->conn, sql);
  ExecStatusType status = PQresultStatus(res);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    rc = PQstatus(p->conn) == CONNECTION_OK ? refused(res, NULL, err) : lost(p, err);
  PQclear(res);
  if (PQstatus(p->conn) == CONNECTION_OK) PQenterPipelineMode(p->conn);
  db->round_trips++;
  return rc;
}

/* --- transactions: begin travels with the first statement, commit with the last --- */

static int begin(eas_db *db, int mode, eas_err *err)
{
  static const char *const words[] = {
    [EAS_TX_WRITE] = "BEGIN", [EAS_TX_LAX] = "BEGIN", [EAS_TX_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
  };
  int rc = send(db, words[mode], EAS_NOARGS, PG_NO_ROWS, err);
  if (rc == 0 && mode == EAS_TX_LAX) rc = send(db, "SET LOCAL synchronous_commit = off", EAS_NOARGS, PG_NO_ROWS, err);
  return rc;
}

static int commit(eas_db *db, eas_err *err)
{
  int rc = send(db, "COMMIT", EAS_NOARGS, PG_NO_ROWS, err);
  return rc == 0 ? flush(db, err) : rc;
}

static void rollback(eas_db *db)
{
  pg_db *p = of(db);
  if (PQstatus(p->conn) != CONNECTION_OK) {
    p->n_sent = 0;
    return;
  }
  flush(db, NULL);
  if (PQstatus(p->conn) == CONNECTION_OK && PQtransactionStatus(p->conn) != PQTRANS_IDLE)
    run(db, "ROLLBACK", EAS_NOARGS, NULL, NULL);
}

/* --- schema, ids --- */

static int has_schema(eas_db *db, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = run(db,
               "SELECT count(*), coalesce(sum(CASE WHEN tablename = 'eas_schema' THEN 1 ELSE 0 END), 0)"
               " FROM pg_tables WHERE schemaname = current_schema()",
               EAS_NOARGS, &rows, err);
  if (rc < 0) return rc;
  int64_t tables = eas_rows_int(rows, 0, 0), ours = eas_rows_int(rows, 0, 1);
  eas_rows_free(rows);
  if (tables && !ours)
    return eas_fail(err, EAS_EFORMAT, "database '%s': holds tables of something else", PQdb(of(db)->conn));
  return ours > 0;
}

static int ids(eas_db *db, const char *table, int n, int64_t *out, eas_err *err)
{
  char *sequence = eas_format("%s_id_seq", table);
  eas_rows *rows = NULL;
  int rc = run(db, "SELECT nextval(CAST(CAST($1 AS TEXT) AS REGCLASS)) FROM generate_series(1, CAST($2 AS INTEGER))",
               EAS_ARGS(eas_v_text(sequence), eas_v_int(n)), &rows, err);
  free(sequence);
  if (rc < 0) return rc;
  for (int i = 0; i < n; i++) out[i] = eas_rows_int(rows, i, 0);
  eas_rows_free(rows);
  return 0;
}

/* --- bell --- */

static int ring(eas_db *db, eas_err *err)
{
  int rc = send(db, "NOTIFY eas_bell", EAS_NOARGS, PG_NO_ROWS, err);
  return rc == 0 && !db->mode ? flush(db, err) : rc;
}

static void rung(eas_db *db)
{
  (void)db;
}

static const char *statement(const eas_db *db, int i)
{
  const pg_db *p = (const pg_db *)(const void *)db;
  return i < p->stmts.n ? p->stmts.list[i]->sql : NULL;
}

const eas_db_ops eas_pg_ops = {
  .close = eas_pg_close,
  .script = script,
  .run = run,
  .send = send,
  .flush = flush,
  .begin = begin,
  .commit = commit,
  .rollback = rollback,
  .has_schema = has_schema,
  .ids = ids,
  .ring = ring,
  .rung = rung,
  .bell_fd = eas_pg_bell_fd,
  .bell_clear = eas_pg_bell_clear,
  .statement = statement,
  .before =
      "SELECT pg_advisory_xact_lock(716835219);" /* one migrates, others wait and find it done */
      "CREATE TABLE IF NOT EXISTS eas_schema (version BIGINT PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL);"
      "CREATE OR REPLACE FUNCTION eas_now() RETURNS BIGINT LANGUAGE SQL STABLE"
      " AS 'SELECT CAST(extract(epoch FROM statement_timestamp()) * 1000000 AS BIGINT)'"
};
