/* db.c: what both back ends share: URLs, transactions that a failure poisons, results, the schema. */
#include "db/db.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "db/backend.h"

int eas_db_open(eas_db **out, const char *url, int flags, eas_err *err)
{
  if (strncmp(url, "sqlite:", 7) == 0) {
    if (!url[7]) return eas_fail(err, EAS_EURL, "database 'sqlite:': no path after the colon");
    return eas_db_open_sqlite(out, url + 7, flags, err);
  }
  if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0 || strchr(url, '='))
    return eas_db_open_postgres(out, url, flags, err);
  eas_fail(err, EAS_EURL, "database '%.200s': not a database address", url);
  return eas_hint(err, "use sqlite:PATH or postgresql://USER@HOST/NAME"), EAS_EURL;
}

static void drop_kept(eas_db *db, int slots)
{
  for (int i = 0; i < slots; i++) eas_db_keep(db, i, NULL, NULL);
}

static void drop_results(eas_db *db)
{
  for (int i = 0; i < db->n_results; i++) eas_rows_free(db->results[i]);
  db->n_results = 0;
}

void eas_db_close(eas_db *db)
{
  if (!db) return;
  drop_kept(db, EAS_DB_SLOTS);
  drop_results(db);
  free(db->results);
  db->ops->close(db);
}

int eas_db_kind(const eas_db *db)
{
  return db->kind;
}

/* --- transactions --- */

static int poisoned(eas_db *db, eas_err *err)
{
  if (db->poison.code && err) *err = db->poison;
  return db->poison.code;
}

/* Gives rc back; the first failure inside a transaction is kept. */
static int checked(eas_db *db, int rc, const eas_err *why, eas_err *err)
{
  if (rc >= 0) return rc;
  if (db->mode && !db->poison.code) db->poison = *why;
  if (err) *err = *why;
  return rc;
}

static int begin(eas_db *db, int mode, eas_err *err)
{
  if (db->mode) return eas_fail(err, EAS_EBUG, "database: a transaction inside of a transaction");
  int rc = db->ops->begin(db, mode, err);
  if (rc < 0) return rc;
  db->mode = mode;
  db->ring = 0;
  db->poison.code = 0;
  return 0;
}

int eas_db_begin(eas_db *db, eas_err *err)
{
  return begin(db, EAS_TX_WRITE, err);
}
int eas_db_begin_read(eas_db *db, eas_err *err)
{
  return begin(db, EAS_TX_READ, err);
}
int eas_db_begin_lax(eas_db *db, eas_err *err)
{
  return begin(db, EAS_TX_LAX, err);
}

int eas_db_commit(eas_db *db, eas_err *err)
{
  if (!db->mode) return eas_fail(err, EAS_EBUG, "database: commit outside of a transaction");
  int rc = poisoned(db, err);
  if (rc == 0) {
    eas_err why = { 0 };
    rc = checked(db, db->ops->commit(db, &why), &why, err);
  }
  if (rc < 0) {
    eas_db_rollback(db);
    return rc;
  }
  db->mode = EAS_TX_NONE;
  db->flushed = 1; /* results of what travelled with the commit can be taken */
  db->commits++;
  if (db->ring) db->ops->rung(db);
  db->ring = 0;
  return 0;
}

void eas_db_rollback(eas_db *db)
{
  if (!db->mode) return;
  db->ops->rollback(db);
  db->mode = EAS_TX_NONE;
  db->poison.code = 0;
  db->ring = 0;
  drop_results(db);
  drop_kept(db, EAS_DB_LASTING);
}

int eas_db_again(const eas_db *db, int rc, int *tries)
{
  enum { MOST = 8, STEP_US = 500 };
  if (rc != EAS_EBUSY || db->kind != EAS_DB_POSTGRES || db->mode || ++*tries > MOST) return 0;
  uint32_t dice;
  eas_random_bytes(&dice, sizeof dice);
  long us = (long)(dice % (uint32_t)(STEP_US << *tries));
  nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
  return 1;
}

/* --- statements --- */

int eas_db_exec(eas_db *db, const char *sql, const eas_val *args, int n, eas_err *err)
{
  eas_err why = { 0 };
  int rc = poisoned(db, err);
  return rc ? rc : checked(db, db->ops->run(db, sql, args, n, NULL, &why), &why, err);
}

int eas_db_query(eas_db *db, const char *sql, const eas_val *args, int n, eas_rows **out, eas_err *err)
{
  eas_err why = { 0 };
  int rc = poisoned(db, err);
  if (rc) return rc;
  eas_rows *rows = NULL;
  rc = checked(db, db->ops->run(db, sql, args, n, &rows, &why), &why, err);
  if (rc < 0) return rc;
  *out = rows;
  return eas_rows_n(rows);
}

int eas_db_send(eas_db *db, const char *sql, const eas_val *args, int n, int *ticket, eas_err *err)
{
  int rc = poisoned(db, err);
  if (rc) return rc;
  if (db->flushed) {
    drop_results(db);
    db->flushed = 0;
  }
  int index = -1;
  if (ticket) {
    if (db->n_results == db->cap_results) {
      db->cap_results = db->cap_results ? 2 * db->cap_results : 64;
      db->results = eas_realloc(db->results, (size_t)db->cap_results * sizeof *db->results);
    }
    index = db->n_results++;
    db->results[index] = NULL;
    *ticket = index;
  }
  eas_err why = { 0 };
  return checked(db, db->ops->send(db, sql, args, n, index, &why), &why, err);
}

int eas_db_flush(eas_db *db, eas_err *err)
{
  int rc = poisoned(db, err);
  eas_err why = { 0 };
  if (rc == 0) rc = checked(db, db->ops->flush(db, &why), &why, err);
  db->flushed = 1;
  return rc < 0 ? rc : 0;
}

eas_rows *eas_db_result(eas_db *db, int ticket)
{
  return ticket >= 0 && ticket < db->n_results ? db->results[ticket] : NULL;
}

eas_rows *eas_db_take(eas_db *db, int ticket)
{
  eas_rows *r = eas_db_result(db, ticket);
  if (r) db->results[ticket] = NULL;
  return r;
}

int eas_db_ids(eas_db *db, const char *table, int n, int64_t *out, eas_err *err)
{
  if (n <= 0) return 0;
  eas_err why = { 0 };
  int rc = poisoned(db, err);
  return rc ? rc : checked(db, db->ops->ids(db, table, n, out, &why), &why, err);
}

const char *eas_db_id_list(const eas_db *db, const int64_t *ids, int n, eas_buf *out)
{
  int pg = db->kind == EAS_DB_POSTGRES;
  eas_buf_clear(out);
  eas_buf_char(out, pg ? '{' : '[');
  for (int i = 0; i < n; i++) {
    char digits[24];
    int at = sizeof digits;
    uint64_t left = ids[i] < 0 ? 0 - (uint64_t)ids[i] : (uint64_t)ids[i];
    do digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    if (ids[i] < 0) digits[--at] = '-';
    if (i) digits[--at] = ',';
    eas_buf_add(out, digits + at, sizeof digits - (size_t)at);
  }
  eas_buf_char(out, pg ? '}' : ']');
  return out->data;
}

/* --- what others keep here --- */

void *eas_db_kept(const eas_db *db, int slot)
{
  return db->kept[slot].data;
}

void eas_db_keep(eas_db *db, int slot, void *data, void (*free_data)(void *))
{
  void *old = db->kept[slot].data;
  void (*free_old)(void *) = db->kept[slot].free_data;
  db->kept[slot].data = data;
  db->kept[slot].free_data = free_data;
  if (old && free_old) free_old(old);
}

/* --- bell, counts --- */

int eas_db_ring(eas_db *db, eas_err *err)
{
  int rc = poisoned(db, err);
  if (rc) return rc;
  if (db->mode && db->ring) return 0;
  eas_err why = { 0 };
  rc = checked(db, db->ops->ring(db, &why), &why, err);
  if (rc < 0) return rc;
  if (db->mode)
    db->ring = 1;
  else
    db->ops->rung(db);
  return 0;
}

int eas_db_bell_fd(eas_db *db, eas_err *err)
{
  return db->ops->bell_fd(db, err);
}
void eas_db_bell_clear(eas_db *db)
{
  db->ops->bell_clear(db);
}

const char *eas_db_statement(const eas_db *db, int i)
{
  return db->ops->statement(db, i);
}

void eas_db_counts(const eas_db *db, int64_t *round_trips, int64_t *commits)
{
  if (round_trips) *round_trips = db->round_trips;
  if (commits) *commits = db->commits;
}
