/* expand_rows.c: new rows, several to a statement: that costs a third of one by one, and on a server, which looks a table's
 * constraints up for each statement, a tenth. */
#include <stdlib.h>
#include <string.h>

#include "model/expand_state.h"

enum { HELD = 512, FLUSH_EVERY = 2000, SIZES = 3 };
static const int sizes[SIZES] = { 64, 8, 1 }; /* rows of a statement */

static const struct {
  const char *into;
  int columns;
} tables[EAS_ROWS_TABLES] = {
  [EAS_ROWS_TASK] = { "task (id, job, parent, ordinal, depth, type, node, name, directory, label, state, pending, "
                      "attempts, accepted,"
                      " open_children, done, spread, cursor, turn, seed, metadata, gathered)",
                      22 },
  [EAS_ROWS_PRODUCT] = { "product (id, job, task, kind, directory, filename)", 6 },
  [EAS_ROWS_INPUT] = { "task_input (task, kind, product, met)", 4 },
  [EAS_ROWS_NEED] = { "task_need (task, name, needed, met)", 4 },
  [EAS_ROWS_GATHER] = { "task_gather (task, name, needed, least, met)", 5 },
  [EAS_ROWS_ATTEMPT] = { "attempt (id, task, job, type, number, state, ending, verdict, token, worker, queued_at, "
                         "started_at, ended_at,"
                         " wall_us)",
                         14 },
};

/* The text of an INSERT of n rows; statements are prepared by it. Caller frees. */
static char *insert_of(int table, int n)
{
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_printf(&b, "INSERT INTO %s VALUES ", tables[table].into);
  for (int row = 0, at = 1; row < n; row++) {
    for (int i = 0; i < tables[table].columns; i++) eas_buf_printf(&b, "%s$%d", i ? ", " : row ? ", (" : "(", at++);
    eas_buf_char(&b, ')');
  }
  return eas_buf_take(&b);
}

static int send(eas_expansion *x, int table, const eas_val *values, int size, eas_err *err)
{
  char **sql = &x->insert[table][size];
  if (!*sql) *sql = insert_of(table, sizes[size]);
  int rc = eas_db_send(x->db, *sql, values, sizes[size] * tables[table].columns, NULL, err);
  return rc < 0 ? rc : eas_expand_sent(x, err);
}

int eas_expand_sent(eas_expansion *x, eas_err *err)
{
  if (++x->n_sent < FLUSH_EVERY) return 0;
  x->n_sent = 0;
  return eas_db_flush(x->db, err);
}

int eas_expand_put(eas_expansion *x, int table, const eas_val *values, eas_err *err)
{
  struct eas_rows_held *h = &x->held[table];
  int columns = tables[table].columns;
  if (h->n == h->cap) {
    h->cap = h->cap ? 2 * h->cap : 64;
    h->values = eas_realloc(h->values, (size_t)(h->cap * columns) * sizeof *h->values);
  }
  eas_val *to = h->values + (size_t)h->n++ * (size_t)columns;
  memcpy(to, values, (size_t)columns * sizeof *to);
  for (int i = 0; i < columns; i++)
    if (to[i].type == EAS_V_TEXT) to[i].s = eas_strdup(to[i].s);
  return ++x->n_held < HELD ? 0 : eas_expand_write(x, err);
}

static void forget(eas_expansion *x, int table)
{
  struct eas_rows_held *h = &x->held[table];
  for (int i = 0; i < h->n * tables[table].columns; i++)
    if (h->values[i].type == EAS_V_TEXT) free((char *)(uintptr_t)h->values[i].s);
  h->n = 0;
}

int eas_expand_write(eas_expansion *x, eas_err *err)
{
  int rc = 0;
  int first = eas_db_kind(x->db) == EAS_DB_SQLITE;        /* gains nothing by the largest */
  for (int table = 0; table < EAS_ROWS_TABLES; table++) { /* in the order of their references */
    struct eas_rows_held *h = &x->held[table];
    int at = 0;
    for (int size = first; size < SIZES; size++)
      for (; at + sizes[size] <= h->n && rc >= 0; at += sizes[size])
        rc = send(x, table, h->values + (size_t)at * (size_t)tables[table].columns, size, err);
    forget(x, table);
  }
  x->n_held = 0;
  return rc < 0 ? rc : 0;
}

void eas_expand_rows_done(eas_expansion *x)
{
  for (int table = 0; table < EAS_ROWS_TABLES; table++) {
    forget(x, table);
    free(x->held[table].values);
    for (int size = 0; size < SIZES; size++) free(x->insert[table][size]);
  }
}
