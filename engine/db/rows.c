/* rows.c: the answer of a statement, held in one array of cells and one of bytes. */
#include <stdlib.h>
#include <string.h>

#include "db/backend.h"

typedef struct {
  int type;
  size_t len;
  union {
    int64_t i;
    double d;
    size_t at;
  } v; /* at: offset in bytes, which may move */
} cell;

struct eas_rows {
  int columns, changed;
  eas_heads *heads;
  size_t n_cells, cap;
  cell *cells;
  eas_buf bytes;
};

eas_heads *eas_heads_new(int columns, const char *(*name)(void *arg, int i), void *arg)
{
  eas_heads *h = eas_alloc(sizeof *h);
  h->refs = 1;
  h->n = columns;
  h->names = eas_alloc((size_t)(columns ? columns : 1) * sizeof *h->names);
  for (int i = 0; i < columns; i++) h->names[i] = eas_strdup(name(arg, i));
  return h;
}

void eas_heads_free(eas_heads *h)
{
  if (!h || --h->refs > 0) return;
  for (int i = 0; i < h->n; i++) free(h->names[i]);
  free(h->names);
  free(h);
}

eas_rows *eas_rows_new(eas_heads *heads)
{
  eas_rows *r = eas_alloc(sizeof *r);
  r->columns = heads->n;
  r->heads = heads;
  heads->refs++;
  return r;
}

eas_val eas_rows_value(const eas_rows *r, int row, int column)
{
  size_t n = 0;
  switch (eas_rows_type(r, row, column)) {
  case EAS_V_INT: return eas_v_int(eas_rows_int(r, row, column));
  case EAS_V_REAL: return eas_v_real(eas_rows_real(r, row, column));
  case EAS_V_TEXT: return eas_v_text(eas_rows_text(r, row, column));
  case EAS_V_BLOB: {
    const void *p = eas_rows_blob(r, row, column, &n);
    return eas_v_blob(p, n);
  }
  default: return eas_v_null();
  }
}

void eas_rows_free(eas_rows *r)
{
  if (!r) return;
  eas_buf_done(&r->bytes);
  free(r->cells);
  eas_heads_free(r->heads);
  free(r);
}

static cell *add(eas_rows *r, int type)
{
  if (r->n_cells == r->cap) {
    r->cap = r->cap ? 2 * r->cap : (size_t)r->columns * 2;
    r->cells = eas_realloc(r->cells, r->cap * sizeof *r->cells);
  }
  cell *c = &r->cells[r->n_cells++];
  *c = (cell){ .type = type };
  return c;
}

void eas_rows_set_changed(eas_rows *r, int changed)
{
  r->changed = changed;
}
void eas_rows_add_null(eas_rows *r)
{
  add(r, EAS_V_NULL);
}
void eas_rows_add_int(eas_rows *r, int64_t v)
{
  add(r, EAS_V_INT)->v.i = v;
}
void eas_rows_add_real(eas_rows *r, double v)
{
  add(r, EAS_V_REAL)->v.d = v;
}

void eas_rows_add_bytes(eas_rows *r, int type, const void *p, size_t n)
{
  cell *c = add(r, type);
  c->len = n;
  c->v.at = r->bytes.len;
  eas_buf_add(&r->bytes, p, n);
  eas_buf_add(&r->bytes, "", 1);
}

int eas_rows_n(const eas_rows *r)
{
  return r->columns ? (int)(r->n_cells / (size_t)r->columns) : 0;
}
int eas_rows_columns(const eas_rows *r)
{
  return r->columns;
}
int eas_rows_changed(const eas_rows *r)
{
  return r->changed;
}

const char *eas_rows_name(const eas_rows *r, int column)
{
  return r->heads->names[column];
}

static const cell *at(const eas_rows *r, int row, int column)
{
  return &r->cells[(size_t)row * (size_t)r->columns + (size_t)column];
}

int eas_rows_type(const eas_rows *r, int row, int column)
{
  return at(r, row, column)->type;
}
int eas_rows_null(const eas_rows *r, int row, int column)
{
  return at(r, row, column)->type == EAS_V_NULL;
}

int64_t eas_rows_int(const eas_rows *r, int row, int column)
{
  const cell *c = at(r, row, column);
  switch (c->type) {
  case EAS_V_INT: return c->v.i;
  case EAS_V_REAL: return c->v.d >= -9.2e18 && c->v.d <= 9.2e18 ? (int64_t)c->v.d : 0;
  case EAS_V_TEXT: return strtoll(r->bytes.data + c->v.at, NULL, 10);
  default: return 0;
  }
}

double eas_rows_real(const eas_rows *r, int row, int column)
{
  const cell *c = at(r, row, column);
  switch (c->type) {
  case EAS_V_INT: return (double)c->v.i;
  case EAS_V_REAL: return c->v.d;
  case EAS_V_TEXT: return strtod(r->bytes.data + c->v.at, NULL);
  default: return 0;
  }
}

const char *eas_rows_text(const eas_rows *r, int row, int column)
{
  const cell *c = at(r, row, column);
  return c->type == EAS_V_TEXT || c->type == EAS_V_BLOB ? r->bytes.data + c->v.at : NULL;
}

const void *eas_rows_blob(const eas_rows *r, int row, int column, size_t *n)
{
  const cell *c = at(r, row, column);
  int bytes = c->type == EAS_V_TEXT || c->type == EAS_V_BLOB;
  *n = bytes ? c->len : 0;
  return bytes ? r->bytes.data + c->v.at : NULL;
}
