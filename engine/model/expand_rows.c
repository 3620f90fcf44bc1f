/* expand_rows.c: new rows, several to a statement: that costs SQLite a third of one by one. A server, which looks a table's
 * constraints up for each statement and makes ready every VALUES by itself, gets all that is held as one array a column. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/expand_state.h"

enum { HELD = 512, HELD_OF_SERVER = 4096, FLUSH_EVERY = 2000, SIZES = 2, MOST_COLUMNS = 23 };
static const int sizes[SIZES] = { 8, 1 }; /* rows of a statement */

static const struct {
  const char *into;
  int columns;
  uint32_t texts; /* bit i: column i is text, else a whole number */
} tables[EAS_ROWS_TABLES] = {
  [EAS_ROWS_TASK] = { "task (id, job, parent, ordinal, depth, type, node, name, directory, label, state, pending, "
                      "attempts, accepted,"
                      " open_children, done, spread, cursor, turn, seed, metadata, gathered, ties)",
                      23, 1 << 10 | 1 << 20 },
  [EAS_ROWS_PRODUCT] = { "product (id, job, task, kind, directory, filename)", 6, 1 << 5 },
  [EAS_ROWS_INPUT] = { "task_input (task, kind, product, met)", 4, 0 },
  [EAS_ROWS_NEED] = { "task_need (task, name, needed, met)", 4, 0 },
  [EAS_ROWS_GATHER] = { "task_gather (task, name, needed, least, met)", 5, 0 },
  [EAS_ROWS_ATTEMPT] = { "attempt (id, task, job, type, number, state, ending, verdict, token, worker, queued_at, "
                         "started_at, ended_at,"
                         " wall_us)",
                         14, 1 << 5 | 1 << 6 | 1 << 7 },
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

/* --- a server: one array a column --- */

static char *insert_arrays(int table)
{
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_printf(&b, "INSERT INTO %s SELECT * FROM unnest(", tables[table].into);
  for (int i = 0; i < tables[table].columns; i++)
    eas_buf_printf(&b, "%sCAST($%d AS %s[])", i ? ", " : "", i + 1, tables[table].texts >> i & 1 ? "TEXT" : "BIGINT");
  eas_buf_char(&b, ')');
  return eas_buf_take(&b);
}

static void add_element(eas_buf *out, const eas_val *v)
{
  if (v->type == EAS_V_INT) {
    eas_buf_printf(out, "%" PRId64, v->i);
  } else if (v->type == EAS_V_TEXT) {
    eas_buf_char(out, '"');
    for (const char *s = v->s; *s; s++) {
      if (*s == '"' || *s == '\\') eas_buf_char(out, '\\');
      eas_buf_char(out, *s);
    }
    eas_buf_char(out, '"');
  } else {
    eas_buf_str(out, "NULL");
  }
}

static int send_arrays(eas_expansion *x, int table, eas_err *err)
{
  const struct eas_rows_held *h = &x->held[table];
  char **sql = &x->insert[table][0];
  int columns = tables[table].columns;
  if (h->n == 0) return 0;
  if (!*sql) *sql = insert_arrays(table);
  eas_buf text[MOST_COLUMNS];
  eas_val args[MOST_COLUMNS];
  for (int i = 0; i < columns; i++) {
    eas_buf_init(&text[i]);
    for (int row = 0; row < h->n; row++) {
      eas_buf_char(&text[i], row ? ',' : '{');
      add_element(&text[i], &h->values[row * columns + i]);
    }
    eas_buf_char(&text[i], '}');
    args[i] = eas_v_text(text[i].data);
  }
  int rc = eas_db_send(x->db, *sql, args, columns, NULL, err);
  for (int i = 0; i < columns; i++) eas_buf_done(&text[i]);
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
  int most = eas_db_kind(x->db) == EAS_DB_SQLITE ? HELD : HELD_OF_SERVER;
  return ++x->n_held < most ? 0 : eas_expand_write(x, err);
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
  int rc = 0, server = eas_db_kind(x->db) != EAS_DB_SQLITE;
  for (int table = 0; table < EAS_ROWS_TABLES; table++) { /* in the order of their references */
    struct eas_rows_held *h = &x->held[table];
    int at = 0;
    if (server && rc >= 0) rc = send_arrays(x, table, err);
    for (int size = 0; size < SIZES && !server; size++)
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
