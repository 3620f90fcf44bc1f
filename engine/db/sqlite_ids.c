/* sqlite_ids.c: eas_ids('[1,2,3]'), a table of one column `value`: the ids of a list that is given as one parameter.
 * json_each does the same at five times the cost, and every claim and commit asks for ten such lists. */
#include <sqlite3.h>
#include <stdlib.h>

#include "db/backend.h"
#include "db/sqlite_ids.h"

typedef struct {
  sqlite3_vtab_cursor base;
  int64_t *ids;
  int n, cap, at;
} cursor;

static cursor *of(sqlite3_vtab_cursor *base)
{
  return (cursor *)(void *)base;
}

static int connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **why)
{
  (void)aux;
  (void)argc;
  (void)argv;
  (void)why;
  int rc = sqlite3_declare_vtab(db, "CREATE TABLE x (value INTEGER, list HIDDEN)");
  if (rc == SQLITE_OK) *out = eas_alloc(sizeof **out);
  return rc;
}

static int disconnect(sqlite3_vtab *table)
{
  free(table);
  return SQLITE_OK;
}

/* The list must be known: it is a parameter, so every plan has it. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
  (void)table;
  for (int i = 0; i < info->nConstraint; i++) {
    if (info->aConstraint[i].iColumn != 1 || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (!info->aConstraint[i].usable) return SQLITE_CONSTRAINT;
    info->aConstraintUsage[i].argvIndex = 1;
    info->aConstraintUsage[i].omit = 1;
    info->estimatedCost = 32;
    info->estimatedRows = 32;
    return SQLITE_OK;
  }
  return SQLITE_CONSTRAINT;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
  (void)table;
  cursor *c = eas_alloc(sizeof *c);
  *out = &c->base;
  return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
  free(of(base)->ids);
  free(of(base));
  return SQLITE_OK;
}

static void add(cursor *c, int64_t id)
{
  if (c->n == c->cap) {
    c->cap = c->cap ? 2 * c->cap : 64;
    c->ids = eas_realloc(c->ids, (size_t)c->cap * sizeof *c->ids);
  }
  c->ids[c->n++] = id;
}

/* As eas_db_id_list writes it: digits, a sign, and what stands between the numbers. */
static int filter(sqlite3_vtab_cursor *base, int number, const char *name, int argc, sqlite3_value **argv)
{
  (void)number;
  (void)name;
  cursor *c = of(base);
  c->n = c->at = 0;
  const char *p = argc == 1 ? (const char *)sqlite3_value_text(argv[0]) : NULL;
  while (p && *p) {
    int negative = *p == '-';
    if (negative) p++;
    if (*p < '0' || *p > '9') {
      p += *p != 0;
      continue;
    }
    uint64_t id = 0;
    for (; *p >= '0' && *p <= '9'; p++) id = 10 * id + (uint64_t)(*p - '0');
    add(c, negative ? -(int64_t)id : (int64_t)id);
  }
  return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
  of(base)->at++;
  return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
  return of(base)->at >= of(base)->n;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
  if (i == 0) sqlite3_result_int64(out, of(base)->ids[of(base)->at]);
  return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
  *id = of(base)->at;
  return SQLITE_OK;
}

int eas_sqlite_ids(sqlite3 *handle)
{
  static const sqlite3_module module = { .xConnect = connect, /* no xCreate: it is there by its name alone */
                                         .xDisconnect = disconnect,
                                         .xBestIndex = best_index,
                                         .xOpen = open_cursor,
                                         .xClose = close_cursor,
                                         .xFilter = filter,
                                         .xNext = next,
                                         .xEof = at_end,
                                         .xColumn = column,
                                         .xRowid = row_id };
  return sqlite3_create_module(handle, "eas_ids", &module, NULL);
}
