/* postgres_link.c: the connection to a server: opening, opening again, its bell, its rows. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "db/postgres.h"

/* Plans of prepared statements are made once, perhaps while tables are empty: only plans that stay good
 * when tables grow are wanted, which is by index and nested loop. A bitmap of an index has no order: what wants
 * the oldest few would read and sort all that wait. */
static const char session[] =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;"
    "SET jit = off;"
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET client_min_messages = warning;"
    "SET plan_cache_mode = force_generic_plan; SET max_parallel_workers_per_gather = 0;"
    /* Whoever stops in the middle of a transaction lets go of its rows; who waits for them says so, and comes again. */
    "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '4s'";

enum { WAIT_MIN_US = 100 * 1000, WAIT_MAX_US = 5000 * 1000 };

const char *eas_pg_words(const char *message)
{
  static _Thread_local char line[512];
  static const char *const heads[] = { "ERROR:", "FATAL:", "PANIC:" };
  for (size_t i = 0; i < 3; i++) {
    const char *at = strstr(message, heads[i]);
    if (at) message = at + strlen(heads[i]);
  }
  while (*message == ' ' || *message == '\n') message++;
  size_t n = strcspn(message, "\n");
  snprintf(line, sizeof line, "%.*s", (int)(n > 500 ? 500 : n), n ? message : "no answer");
  return line;
}

static void forget_statements(pg_db *p)
{
  eas_stmts_clear(&p->stmts, free);
  p->n_sent = 0;
}

static int start_session(pg_db *p, eas_err *err)
{
  if (PQstatus(p->conn) != CONNECTION_OK)
    return eas_fail(err, EAS_ECONNECT, "database server: %s", eas_pg_words(PQerrorMessage(p->conn)));
  int rc = 0;
  const char *extra = p->bell >= 0 ? "LISTEN eas_bell" : NULL;
  const char *scripts[] = { session, p->db.flags & EAS_DB_READ ? "SET default_transaction_read_only = on" : NULL,
                            extra };
  for (size_t i = 0; i < 3 && rc == 0; i++) {
    if (!scripts[i]) continue;
    PGresult *res = PQexec(p->conn, scripts[i]);
    if (PQresultStatus(res) != PGRES_COMMAND_OK)
      rc = eas_fail(err, EAS_ECONNECT, "database server: %s", eas_pg_words(PQerrorMessage(p->conn)));
    PQclear(res);
  }
  if (rc == 0 && (PQsetnonblocking(p->conn, 1) < 0 || !PQenterPipelineMode(p->conn)))
    rc = eas_fail(err, EAS_ECONNECT, "database server: %s", eas_pg_words(PQerrorMessage(p->conn)));
  return rc;
}

static int watch_socket(pg_db *p, eas_err *err)
{
  struct epoll_event on = { .events = EPOLLIN };
  if (p->bell >= 0 && epoll_ctl(p->bell, EPOLL_CTL_ADD, PQsocket(p->conn), &on) < 0 && errno != EEXIST)
    return eas_fail(err, EAS_EIO, "watch the database's socket: %s", strerror(errno));
  return 0;
}

/* With jitter, so that not all workers come at once to a server that is up again. */
static void back_off(pg_db *p)
{
  p->wait_us = p->wait_us == 0 ? WAIT_MIN_US : 2 * p->wait_us > WAIT_MAX_US ? WAIT_MAX_US : 2 * p->wait_us;
  uint32_t dice;
  eas_random_bytes(&dice, sizeof dice);
  p->down_until = eas_tick_us() + p->wait_us / 2 + (int64_t)(dice % 1024) * p->wait_us / 2048;
}

int eas_pg_ready(pg_db *p, eas_err *err)
{
  if (PQstatus(p->conn) == CONNECTION_OK) return 0;
  if (p->db.mode) return eas_fail(err, EAS_ECONNECT, "database server: %s", eas_pg_words(PQerrorMessage(p->conn)));
  int64_t now = eas_tick_us();
  if (now < p->down_until) {
    if (err) *err = p->down;
    return p->down.code;
  }
  forget_statements(p);
  PQreset(p->conn);
  p->down = (eas_err){ 0 };
  int rc = start_session(p, &p->down);
  if (rc == 0) rc = watch_socket(p, &p->down);
  if (rc < 0) {
    back_off(p);
    if (err) *err = p->down;
    return rc;
  }
  p->down_until = p->wait_us = 0;
  if (p->wake >= 0) eventfd_write(p->wake, 1); /* a bell may have been missed */
  return 0;
}

void eas_pg_close(eas_db *db)
{
  pg_db *p = (pg_db *)(void *)db;
  forget_statements(p);
  PQfinish(p->conn);
  if (p->bell >= 0) close(p->bell);
  if (p->wake >= 0) close(p->wake);
  free(p->sent);
  free(p->params);
  free(p->values);
  free(p->lengths);
  free(p->formats);
  free(p);
}

int eas_db_open_postgres(eas_db **out, const char *url, int flags, eas_err *err)
{
  pg_db *p = eas_alloc(sizeof *p);
  p->db = (eas_db){ .ops = &eas_pg_ops, .kind = EAS_DB_POSTGRES, .flags = flags };
  p->bell = p->wake = -1;
  /* What the address says itself stands last and wins. */
  const char *keys[] = { "connect_timeout",  "fallback_application_name", "keepalives_idle", "keepalives_interval",
                         "keepalives_count", "tcp_user_timeout",          "dbname",          NULL };
  const char *values[] = { "5", "eas", "5", "2", "3", "10000", url, NULL };
  char *parse_error = NULL;
  PQconninfoOption *options = PQconninfoParse(url, &parse_error);
  if (!options) {
    int rc =
        eas_fail(err, EAS_EURL, "database address: %s", eas_pg_words(parse_error ? parse_error : "not understood"));
    PQfreemem(parse_error);
    free(p);
    return rc;
  }
  PQconninfoFree(options);
  p->conn = PQconnectdbParams(keys, values, 1);
  int rc = p->conn ? start_session(p, err) : eas_fail(err, EAS_ENOMEM, "database server: out of memory");
  if (rc < 0) {
    eas_pg_close(&p->db);
    return rc;
  }
  *out = &p->db;
  return 0;
}

/* --- bell: the socket is also where answers come from, so what they bring along is passed on by an eventfd --- */

int eas_pg_bell_fd(eas_db *db, eas_err *err)
{
  pg_db *p = (pg_db *)(void *)db;
  if (p->bell >= 0) return p->bell;
  p->bell = epoll_create1(EPOLL_CLOEXEC);
  p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event on = { .events = EPOLLIN };
  int rc = 0;
  if (p->bell < 0 || p->wake < 0 || epoll_ctl(p->bell, EPOLL_CTL_ADD, p->wake, &on) < 0)
    rc = eas_fail(err, EAS_EIO, "watch the database's bell: %s", strerror(errno));
  if (rc == 0) rc = watch_socket(p, err);
  if (rc == 0) rc = eas_db_exec(db, "LISTEN eas_bell", EAS_NOARGS, err);
  if (rc >= 0) return p->bell;
  if (p->bell >= 0) close(p->bell);
  if (p->wake >= 0) close(p->wake);
  p->bell = p->wake = -1;
  return rc;
}

void eas_pg_heard(pg_db *p)
{
  PGnotify *note;
  int others = 0;
  while ((note = PQnotifies(p->conn))) {
    others += note->be_pid != PQbackendPID(p->conn);
    PQfreemem(note);
  }
  if (others && p->wake >= 0) eventfd_write(p->wake, 1);
}

void eas_pg_bell_clear(eas_db *db)
{
  pg_db *p = (pg_db *)(void *)db;
  eventfd_t n;
  if (p->bell < 0) return;
  int fd = PQsocket(p->conn);
  if (!PQconsumeInput(p->conn)) epoll_ctl(p->bell, EPOLL_CTL_DEL, fd, NULL); /* gone: must not ring forever */
  eas_pg_heard(p);
  while (eventfd_read(p->wake, &n) == 0)
    ;
}

/* --- rows --- */

static const char *column_name(void *arg, int i)
{
  return PQfname(arg, i);
}

static int hex(char c)
{
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void add_bytea(eas_rows *rows, const char *text, int len)
{
  size_t n = len >= 2 ? (size_t)(len - 2) / 2 : 0; /* \x00ff... */
  unsigned char *bytes = eas_alloc(n + 1);
  for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)(hex(text[2 + 2 * i]) << 4 | hex(text[3 + 2 * i]));
  eas_rows_add_bytes(rows, EAS_V_BLOB, bytes, n);
  free(bytes);
}

static void add_value(eas_rows *rows, Oid type, const char *text, int len)
{
  enum {
    BOOLEAN = 16,
    BYTEA = 17,
    INT8 = 20,
    INT2 = 21,
    INT4 = 23,
    OID = 26,
    FLOAT4 = 700,
    FLOAT8 = 701,
    NUMERIC = 1700
  };
  switch (type) {
  case INT8:
  case INT2:
  case INT4:
  case OID: eas_rows_add_int(rows, strtoll(text, NULL, 10)); break;
  case NUMERIC: /* what sum() of whole numbers gives */
    if (strchr(text, '.') || strchr(text, 'N'))
      eas_rows_add_real(rows, strtod(text, NULL));
    else
      eas_rows_add_int(rows, strtoll(text, NULL, 10));
    break;
  case FLOAT4:
  case FLOAT8: eas_rows_add_real(rows, strtod(text, NULL)); break;
  case BOOLEAN: eas_rows_add_int(rows, text[0] == 't'); break;
  case BYTEA: add_bytea(rows, text, len); break;
  default: eas_rows_add_bytes(rows, EAS_V_TEXT, text, (size_t)len);
  }
}

eas_rows *eas_pg_rows(const PGresult *res, int changed)
{
  int columns = PQnfields(res), n = PQntuples(res);
  eas_heads *heads = eas_heads_new(columns, column_name, (void *)(uintptr_t)res);
  eas_rows *rows = eas_rows_new(heads);
  eas_heads_free(heads);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < columns; j++) {
      if (PQgetisnull(res, i, j))
        eas_rows_add_null(rows);
      else
        add_value(rows, PQftype(res, j), PQgetvalue(res, i, j), PQgetlength(res, i, j));
    }
  }
  eas_rows_set_changed(rows, changed);
  return rows;
}
