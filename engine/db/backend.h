/* backend.h: what db.c asks of a back end. Inside engine/db only. */
#ifndef EAS_DB_BACKEND_H
#define EAS_DB_BACKEND_H
#include "base/buf.h"
#include "base/embed.h"
#include "db/db.h"

enum { EAS_TX_NONE, EAS_TX_WRITE, EAS_TX_READ, EAS_TX_LAX };

typedef struct {
  void (*close)(eas_db *db);
  int (*script)(eas_db *db, const char *sql, eas_err *err); /* many statements, no parameters */
  /* Runs now, after what was sent; *out NULL: rows are not wanted. Returns rows changed. */
  int (*run)(eas_db *db, const char *sql, const eas_val *args, int n, eas_rows **out, eas_err *err);
  /* Queues; *slot (may be NULL) gets the rows by the next flush at the latest. */
  int (*send)(eas_db *db, const char *sql, const eas_val *args, int n, int ticket, eas_err *err);
  int (*flush)(eas_db *db, eas_err *err);
  int (*begin)(eas_db *db, int mode, eas_err *err);
  int (*commit)(eas_db *db, eas_err *err);
  void (*rollback)(eas_db *db);
  int (*has_schema)(eas_db *db, eas_err *err); /* 1: our table is there; 0: empty; EAS_EFORMAT: somebody else's */
  int (*ids)(eas_db *db, const char *table, int n, int64_t *out, eas_err *err);
  int (*ring)(eas_db *db, eas_err *err); /* in a transaction: before its commit */
  void (*rung)(eas_db *db);              /* after a commit that had a ring */
  int (*bell_fd)(eas_db *db, eas_err *err);
  void (*bell_clear)(eas_db *db);
  const char *(*statement)(const eas_db *db, int i);
  const char *before; /* script run once before the first migration */
} eas_db_ops;

struct eas_db { /* the first member of each back end's own struct */
  const eas_db_ops *ops;
  int kind, flags;
  int mode;           /* EAS_TX_... */
  eas_err poison;     /* code 0: the transaction is sound */
  int ring;           /* rung in this transaction */
  eas_rows **results; /* by ticket */
  int n_results, cap_results;
  int flushed; /* results are those of a finished flush */
  int64_t round_trips, commits;
  struct {
    void *data;
    void (*free_data)(void *);
  } kept[EAS_DB_SLOTS];
};

int eas_db_open_sqlite(eas_db **out, const char *path, int flags, eas_err *err);
int eas_db_open_postgres(eas_db **out, const char *url, int flags, eas_err *err);

/* --- rows.c --- */
/* Names of columns, which all answers of a statement share. */
typedef struct {
  int refs, n;
  char **names;
} eas_heads;
eas_heads *eas_heads_new(int columns, const char *(*name)(void *arg, int i), void *arg); /* one reference, yours */
void eas_heads_free(eas_heads *h);                                                       /* drops one; NULL allowed */
eas_rows *eas_rows_new(eas_heads *heads);                                                /* adds a reference */
void eas_rows_set_changed(eas_rows *r, int changed);
void eas_rows_add_null(eas_rows *r);
void eas_rows_add_int(eas_rows *r, int64_t v);
void eas_rows_add_real(eas_rows *r, double v);
void eas_rows_add_bytes(eas_rows *r, int type, const void *p, size_t n);

/* --- statements: sql.c --- */
char *eas_sql_for(int kind, const char *sql); /* tokens and comments of this back end; caller frees */
int eas_sql_params(const char *sql);          /* highest $n */

/* Prepared statements by their text, found by address first. A back end drops them all when there are too many. */
enum { EAS_STMTS_MOST = 1000 };
typedef struct {
  char *key;
  char *sql;
  void *handle;
  int n_params;
  int *numbers; /* SQLite: which argument each of its parameters is, from 0; they count in order of appearance */
  int n_numbers;
  eas_heads *heads;
} eas_stmt;
typedef struct {
  eas_stmt **list;
  int n, cap;
  int *table;
  int n_table; /* open addressing by hash of key; -1 free */
  struct {
    const char *address;
    eas_stmt *stmt;
  } near_by[256];
} eas_stmts;
eas_stmt *eas_stmts_find(eas_stmts *c, const char *sql);
eas_stmt *eas_stmts_add(eas_stmts *c, int kind, const char *sql); /* handle NULL, to be prepared */
void eas_stmts_clear(eas_stmts *c, void (*free_handle)(void *));

/* --- bell.c: a file and inotify --- */
typedef struct {
  char *path;
  int file, watch;
} eas_bell;
void eas_bell_init(eas_bell *b, const char *database_path);
void eas_bell_done(eas_bell *b);
int eas_bell_ring(eas_bell *b, eas_err *err);
int eas_bell_fd(eas_bell *b, eas_err *err);
void eas_bell_clear(eas_bell *b);

#endif
