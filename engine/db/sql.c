/* sql.c: one text for two back ends, and the statements prepared from it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "db/backend.h"

/* A token or a comment that is meant for one back end, at p: adds what this one sees; returns the end, or NULL. */
static const char *special(int kind, const char *p, eas_buf *out)
{
  static const struct {
    const char *token, *sqlite, *pg;
  } tokens[] = {
    { "{id}", "INTEGER PRIMARY KEY", "BIGSERIAL PRIMARY KEY" },
    { "{blob}", "BLOB", "BYTEA" },
  };
  for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
    size_t n = strlen(tokens[i].token);
    if (strncmp(p, tokens[i].token, n) == 0) {
      eas_buf_str(out, kind == EAS_DB_SQLITE ? tokens[i].sqlite : tokens[i].pg);
      return p + n;
    }
  }
  int pg = strncmp(p, "/*pg ", 5) == 0, sqlite = strncmp(p, "/*sqlite ", 9) == 0;
  if (!pg && !sqlite) return NULL;
  const char *start = p + (pg ? 5 : 9), *end = strstr(start, "*/");
  if (!end) return NULL;
  if (pg == (kind == EAS_DB_POSTGRES)) eas_buf_add(out, start, (size_t)(end - start));
  return end + 2;
}

/* The end of a quoted text that starts at p, or of a comment to the end of its line. */
static const char *skip_quoted(const char *p)
{
  if (p[0] == '-' && p[1] == '-') {
    while (*p && *p != '\n') p++;
    return p;
  }
  char quote = *p++;
  while (*p && *p != quote) p++;
  return *p ? p + 1 : p;
}

static int is_quoted(const char *p)
{
  return *p == '\'' || *p == '"' || (p[0] == '-' && p[1] == '-');
}

char *eas_sql_for(int kind, const char *sql)
{
  eas_buf out;
  eas_buf_init(&out);
  for (const char *p = sql; *p;) {
    const char *end = NULL;
    if (*p == '{' || *p == '/') end = special(kind, p, &out);
    if (!end && is_quoted(p)) {
      end = skip_quoted(p);
      eas_buf_add(&out, p, (size_t)(end - p));
    }
    if (!end) {
      eas_buf_char(&out, *p);
      end = p + 1;
    }
    p = end;
  }
  return eas_buf_take(&out);
}

int eas_sql_params(const char *sql)
{
  long most = 0;
  for (const char *p = sql; *p;) {
    if (is_quoted(p)) {
      p = skip_quoted(p);
    } else if (*p == '$' && isdigit((unsigned char)p[1])) {
      char *end;
      long n = strtol(p + 1, &end, 10);
      if (n > most) most = n;
      p = end;
    } else {
      p++;
    }
  }
  return (int)most;
}

static size_t hash(const char *s)
{
  size_t h = 1469598103934665603u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  return h;
}

static size_t near_slot(const char *sql)
{
  return ((size_t)sql >> 3 ^ (size_t)sql >> 11) & 255;
}

eas_stmt *eas_stmts_find(eas_stmts *c, const char *sql)
{
  size_t s = near_slot(sql);
  if (c->near_by[s].address == sql && strcmp(c->near_by[s].stmt->key, sql) == 0) return c->near_by[s].stmt;
  if (!c->n_table) return NULL;
  size_t mask = (size_t)c->n_table - 1;
  for (size_t i = hash(sql) & mask; c->table[i] >= 0; i = (i + 1) & mask) {
    eas_stmt *stmt = c->list[c->table[i]];
    if (strcmp(stmt->key, sql) == 0) {
      c->near_by[s].address = sql;
      c->near_by[s].stmt = stmt;
      return stmt;
    }
  }
  return NULL;
}

static void place(eas_stmts *c, int index)
{
  size_t mask = (size_t)c->n_table - 1, i = hash(c->list[index]->key) & mask;
  while (c->table[i] >= 0) i = (i + 1) & mask;
  c->table[i] = index;
}

eas_stmt *eas_stmts_add(eas_stmts *c, int kind, const char *sql)
{
  if (c->n == c->cap) {
    c->cap = c->cap ? 2 * c->cap : 64;
    c->list = eas_realloc(c->list, (size_t)c->cap * sizeof *c->list);
    c->n_table = 4 * c->cap;
    c->table = eas_realloc(c->table, (size_t)c->n_table * sizeof *c->table);
    memset(c->table, 0xff, (size_t)c->n_table * sizeof *c->table);
    for (int i = 0; i < c->n; i++) place(c, i);
  }
  eas_stmt *stmt = eas_alloc(sizeof *stmt);
  stmt->key = eas_strdup(sql);
  stmt->sql = eas_sql_for(kind, sql);
  stmt->n_params = eas_sql_params(stmt->sql);
  c->list[c->n] = stmt;
  place(c, c->n++);
  return stmt;
}

void eas_stmts_clear(eas_stmts *c, void (*free_handle)(void *))
{
  for (int i = 0; i < c->n; i++) {
    if (free_handle) free_handle(c->list[i]->handle);
    free(c->list[i]->key);
    free(c->list[i]->sql);
    free(c->list[i]->numbers);
    eas_heads_free(c->list[i]->heads);
    free(c->list[i]);
  }
  free(c->list);
  free(c->table);
  memset(c, 0, sizeof *c);
}
