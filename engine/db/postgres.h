/* postgres.h: the parts of the PostgreSQL back end: db_postgres.c (statements), postgres_link.c (connection, bell, rows). */
#ifndef EAS_DB_POSTGRES_H
#define EAS_DB_POSTGRES_H
#include <libpq-fe.h>
#include <stdio.h>

#include "db/backend.h"

enum { PG_PREPARE, PG_RUN };
enum { PG_NO_ROWS = -1, PG_OWN_ROWS = -2 }; /* tickets */
typedef struct {
  int what, ticket;
  eas_stmt *stmt;
} pg_sent;

typedef struct {
  eas_db db;
  PGconn *conn;
  eas_stmts stmts; /* handle: the statement's name on the server */
  int64_t next_name;
  pg_sent *sent; /* what the next flush has to take */
  int n_sent, cap_sent;
  size_t unsent; /* bytes of text given to libpq since it was last made to send what it has */
  void *params;  /* of the statement being sent: see reserve() */
  const char **values;
  int *lengths, *formats, cap_params;
  eas_rows *own;               /* of run() */
  int changed;                 /* by the last statement taken */
  int bell, wake;              /* epoll over socket and eventfd; -1: nobody listens */
  int64_t down_until, wait_us; /* a server that does not answer is asked again then, later and later; 0: it answers */
  eas_err down;
} pg_db;

extern const eas_db_ops eas_pg_ops;

const char *
eas_pg_words(const char *message);        /* first line, without "ERROR:"; valid until the next call in this thread */
int eas_pg_ready(pg_db *p, eas_err *err); /* connects again, outside of a transaction */
void eas_pg_close(eas_db *db);
int eas_pg_bell_fd(eas_db *db, eas_err *err);
void eas_pg_bell_clear(eas_db *db);
void eas_pg_heard(pg_db *p); /* notifications that came with answers ring, too */
eas_rows *eas_pg_rows(const PGresult *res, int changed);

#endif
