/* db.h: one face for SQLite and PostgreSQL; knows statements, not what they mean.
 *
 * SQL is written once, with parameters $1 $2 ...; a part written as a comment beginning with "pg" is
 * only seen by PostgreSQL (it is unwrapped there), one beginning with "sqlite" only by SQLite (unwrapped there).
 * eas_now() is a function of the database in both: UTC microseconds, its own clock. Statements
 * are prepared once per connection, keyed by the address and text of sql. One eas_db serves one thread.
 *
 * A round trip is dear on a server: eas_db_send queues statements (PostgreSQL: pipeline; SQLite: run
 * at once), eas_db_flush waits for all of them. Between begin and commit the first failure poisons
 * the transaction (what follows fails with the same words); eas_db_rollback ends it. Includes: base/ only. */
#ifndef EAS_DB_DB_H
#define EAS_DB_DB_H
#ifndef EAS_CDEF
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#endif

typedef struct eas_db eas_db;
typedef struct eas_rows eas_rows;

enum { EAS_DB_SQLITE = 1, EAS_DB_POSTGRES = 2 };
enum { EAS_DB_READ = 1, EAS_DB_CREATE = 2 }; /* flags of eas_db_open */

enum { EAS_V_NULL, EAS_V_INT, EAS_V_REAL, EAS_V_TEXT, EAS_V_BLOB };
typedef struct {
  int type;
  int64_t i;
  double d;
  const char *s; /* TEXT (zero-terminated), BLOB; borrowed until the statement has run (send copies) */
  size_t len;    /* BLOB */
} eas_val;

#ifndef EAS_CDEF
/* Values to bind: a NULL, a number, a text or bytes, which are borrowed until the statement has run. NULL is NULL. */
static inline eas_val eas_v_null(void)
{
  return (eas_val){ .type = EAS_V_NULL };
}
static inline eas_val eas_v_int(int64_t i)
{
  return (eas_val){ .type = EAS_V_INT, .i = i };
}
static inline eas_val eas_v_id(int64_t i)
{
  return i ? eas_v_int(i) : eas_v_null();
} /* 0: NULL */
static inline eas_val eas_v_real(double d)
{
  return (eas_val){ .type = EAS_V_REAL, .d = d };
}
static inline eas_val eas_v_text(const char *s)
{
  return s ? (eas_val){ .type = EAS_V_TEXT, .s = s } : eas_v_null();
}
static inline eas_val eas_v_blob(const void *p, size_t n)
{
  return (eas_val){ .type = EAS_V_BLOB, .s = (const char *)p, .len = n };
}

#define EAS_ARGS(...)                                                                                                  \
  (const eas_val[]){ __VA_ARGS__ }, (int)(sizeof((const eas_val[]){ __VA_ARGS__ }) / sizeof(eas_val))
#define EAS_NOARGS NULL, 0
#endif

/* "WHERE id " EAS_IN_IDS("$1"): a set of ids as one parameter, its text made by eas_db_id_list. */
#define EAS_IN_IDS(p) "/*pg = ANY (CAST(" p " AS BIGINT[])) *//*sqlite IN (SELECT value FROM eas_ids(" p ")) */"
/* The same as the table s, column value, to be read first: "FROM " EAS_OF_IDS("$1") " attempt a ON a.id = s.value". */
#define EAS_OF_IDS(p) "/*pg unnest(CAST(" p " AS BIGINT[])) AS s (value) JOIN*//*sqlite eas_ids(" p ") s CROSS JOIN*/"
/* The same for texts: a JSON list of strings in both. */
#define EAS_IN_TEXTS(p)                                                                                                \
  "IN (SELECT /*pg json_array_elements_text(CAST(" p " AS JSON)) *//*sqlite value FROM json_each(" p ") */)"

/* "sqlite:PATH" or "postgresql://..." (and any libpq string). EAS_EURL, EAS_ECONNECT; EAS_ENOENT: no such file, and no
 * EAS_DB_CREATE. The schema is not touched. A lost connection gives EAS_ECONNECT once; the next begin or statement
 * outside of a transaction tries to connect again. */
int eas_db_open(eas_db **out, const char *url, int flags, eas_err *err);
void eas_db_close(eas_db *db);
int eas_db_kind(const eas_db *db);

/* Schema: version found (0: empty), newest known, and bringing it up in one transaction each. */
int eas_db_schema(eas_db *db, int *found, int *newest, eas_err *err);
int eas_db_migrate(eas_db *db, eas_err *err); /* refuses a newer schema: EAS_EFORMAT */

/* The whole database, of one moment, as one new SQLite file, while others work on. EAS_EEXIST: path is there already. */
int eas_db_save(eas_db *db, const char *path, eas_err *err);
int eas_db_copy(eas_db *db, const char *path, eas_err *err); /* the same of SQLite, whatever version its schema has */
void eas_db_unlink(const char *path); /* an SQLite file that is closed, with its companions; it need not be there */
/* Fills a database that holds no job from such a file, of either kind; an older schema is brought up to date on the way, a
 * newer one refused (EAS_EFORMAT). EAS_EEXIST: it holds jobs; EAS_EBUSY: somebody is at work on it. All or nothing. */
int eas_db_restore(eas_db *db, const char *path, eas_err *err);

/* BEGIN IMMEDIATE / BEGIN; SQLite retries a busy database with random back-off of 0.2-0.5 ms for 5 s (EAS_EBUSY). */
int eas_db_begin(eas_db *db, eas_err *err);
int eas_db_begin_read(eas_db *db, eas_err *err); /* one snapshot for several queries */
int eas_db_begin_lax(eas_db *db, eas_err *err);  /* as begin, but a power failure may take it back: logs, progress */
int eas_db_commit(eas_db *db, eas_err *err);     /* EAS_ECONNECT: outcome unknown */
void eas_db_rollback(eas_db *db);                /* harmless outside of a transaction */
/* After a whole transaction gave rc: 1 when it was one of two that waited for each other on a server, and is to be made
 * again; a short random wait has passed then. *tries is 0 at first. */
int eas_db_again(const eas_db *db, int rc, int *tries);

/* One statement, waited for. exec returns rows changed; query returns rows found, *out to be freed. */
int eas_db_exec(eas_db *db, const char *sql, const eas_val *args, int n, eas_err *err);
int eas_db_query(eas_db *db, const char *sql, const eas_val *args, int n, eas_rows **out, eas_err *err);

/* Queued statements, in order. ticket (may be NULL) names the result for eas_db_result after the flush. */
int eas_db_send(eas_db *db, const char *sql, const eas_val *args, int n, int *ticket, eas_err *err);
int eas_db_flush(eas_db *db, eas_err *err);
eas_rows *eas_db_result(eas_db *db,
                        int ticket); /* borrowed until the next send after a flush (or commit); rows and rows changed */
eas_rows *eas_db_take(eas_db *db, int ticket); /* the same, yours to free */

/* n fresh ids for a table, into out[n]; inside or outside of a transaction; gaps may be. */
int eas_db_ids(eas_db *db, const char *table, int n, int64_t *out, eas_err *err);
#ifndef EAS_CDEF
/* Text for EAS_IN_IDS; out is emptied first. Returns its data. */
const char *eas_db_id_list(const eas_db *db, const int64_t *ids, int n, eas_buf *out);
#endif

/* What a layer above keeps with a connection (caches). Dropped, by its free function, at close, and those before
 * EAS_DB_LASTING at every rollback. */
enum { EAS_DB_WORDS, EAS_DB_DOCUMENTS, EAS_DB_ANCESTORS, EAS_DB_LASTING, EAS_DB_BORN = EAS_DB_LASTING, EAS_DB_SLOTS };
void *eas_db_kept(const eas_db *db, int slot); /* NULL: nothing */
void eas_db_keep(eas_db *db, int slot, void *data, void (*free_data)(void *));

int eas_rows_n(const eas_rows *r);                                            /* rows, from 0 */
int eas_rows_columns(const eas_rows *r);                                      /* columns, from 0 */
const char *eas_rows_name(const eas_rows *r, int column);                     /* borrowed */
int eas_rows_changed(const eas_rows *r);                                      /* by INSERT, UPDATE, DELETE */
int eas_rows_type(const eas_rows *r, int row, int column);                    /* EAS_V_... as stored */
int eas_rows_null(const eas_rows *r, int row, int column);                    /* 1 or 0 */
int64_t eas_rows_int(const eas_rows *r, int row, int column);                 /* 0 if null */
double eas_rows_real(const eas_rows *r, int row, int column);                 /* 0 if null */
const char *eas_rows_text(const eas_rows *r, int row, int column);            /* NULL if null; borrowed */
const void *eas_rows_blob(const eas_rows *r, int row, int column, size_t *n); /* borrowed */
eas_val eas_rows_value(const eas_rows *r, int row, int column);               /* to be written elsewhere; borrowed */
void eas_rows_free(eas_rows *r);                                              /* NULL is fine */

/* Waking others: SQLite touches the bell file beside the database, PostgreSQL NOTIFY in this transaction
 * (sent by commit). fd becomes readable when somebody rang; eas_db_bell_clear empties it. -1: none. */
int eas_db_ring(eas_db *db, eas_err *err);
int eas_db_bell_fd(eas_db *db, eas_err *err);
void eas_db_bell_clear(eas_db *db);

/* For tests: the i-th statement prepared so far as this back end sees it; NULL after the last. */
const char *eas_db_statement(const eas_db *db, int i);
/* For benchmarks: round trips and commits since opening. */
void eas_db_counts(const eas_db *db, int64_t *round_trips, int64_t *commits);

#endif
