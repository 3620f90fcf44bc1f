/* view_rows.c: see view_rows.h. */
#include "model/view_rows.h"

#include <stdio.h>
#include <string.h>

static json_t *hex_text(const eas_rows *r, int row, int column)
{
  size_t n = 0;
  const unsigned char *b = eas_rows_blob(r, row, column, &n);
  char hex[129];
  if (n > 64) n = 64;
  for (size_t i = 0; i < n; i++) snprintf(hex + 2 * i, 3, "%02x", b[i]);
  return json_stringn(hex, 2 * n);
}

static json_t *plain(const eas_rows *r, int row, int column)
{
  switch (eas_rows_type(r, row, column)) {
  case EAS_V_INT: return json_integer(eas_rows_int(r, row, column));
  case EAS_V_REAL: return json_real(eas_rows_real(r, row, column));
  case EAS_V_BLOB: return hex_text(r, row, column);
  default: return json_string(eas_rows_text(r, row, column));
  }
}

static json_t *value_of(const eas_rows *r, int row, int column, char prefix)
{
  if (eas_rows_null(r, row, column)) return json_null();
  if (prefix == 'x') return hex_text(r, row, column);
  if (prefix == 'o') {
    json_t *v = json_loads(eas_rows_text(r, row, column), JSON_DECODE_ANY, NULL);
    return v ? v : json_null();
  }
  if (prefix) {
    char id[32];
    snprintf(id, sizeof id, "%c%lld", prefix, (long long)eas_rows_int(r, row, column));
    return json_string(id);
  }
  return plain(r, row, column);
}

json_t *eas_view_row(const eas_rows *r, int row)
{
  json_t *o = json_object();
  for (int i = 0; i < eas_rows_columns(r); i++) {
    const char *name = eas_rows_name(r, i);
    char prefix = name[0] && name[1] == ':' ? name[0] : 0;
    json_object_set_new(o, prefix ? name + 2 : name, value_of(r, row, i, prefix));
  }
  return o;
}

int eas_view_list(eas_db *db, const char *sql, const eas_val *args, int n, json_t **out, eas_err *err)
{
  eas_rows *r = NULL;
  int rows = eas_db_query(db, sql, args, n, &r, err);
  if (rows < 0) return rows;
  *out = json_array();
  for (int i = 0; i < rows; i++) json_array_append_new(*out, eas_view_row(r, i));
  eas_rows_free(r);
  return rows;
}

int eas_view_one(eas_db *db, const char *sql, const eas_val *args, int n, const char *what, json_t **out, eas_err *err)
{
  eas_rows *r = NULL;
  int rows = eas_db_query(db, sql, args, n, &r, err);
  if (rows < 0) return rows;
  if (rows > 0) *out = eas_view_row(r, 0);
  eas_rows_free(r);
  if (rows == 0) return eas_fail(err, EAS_ENOENT, "there is no %s%lld", what, (long long)args[0].i);
  return 0;
}

int eas_view_add(eas_db *db, json_t *object, const char *key, const char *sql, const eas_val *args, int n, eas_err *err)
{
  json_t *list = NULL;
  int rc = eas_view_list(db, sql, args, n, &list, err);
  if (rc < 0) return rc;
  json_object_set_new(object, key, list);
  return 0;
}
