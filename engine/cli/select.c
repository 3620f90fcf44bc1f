/* select.c: see select.h. */
#include "cli/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "expr/expr.h"

int eas_select_keep(const eas_cli *c, json_t *row, int *keep, eas_err *err)
{
  const char *where = eas_cli_get(c, "--where");
  *keep = 1;
  if (!where) return 0;
  eas_expr_scope scope = { .metadata = row, .names = row };
  eas_expr_info info = { 0 };
  json_t *v = NULL;
  char *text = eas_format("(%s)", where);
  int rc = eas_expr_eval(text, &scope, &v, &info, err);
  free(text);
  if (rc == EAS_ENOENT) {
    *keep = -1;
    return 0;
  }
  if (rc < 0) {
    eas_err_prefix(err, "--where, column %d", info.column > 1 ? info.column - 1 : 1);
    err->code = EAS_EINVAL;
    return EAS_EINVAL;
  }
  *keep = eas_expr_truth(v);
  json_decref(v);
  return 0;
}

int eas_select_no_column(const eas_cli *c, eas_err *err)
{
  eas_err_prefix(err, "--where"); /* that of the last row: a name that no row has is a typing error */
  eas_hint(err, "eas %s --csv shows all columns", c->command->name);
  return err->code = EAS_EINVAL;
}

static int check_sort(const eas_cli *c, const json_t *all, const char *key, eas_err *err)
{
  size_t i;
  json_t *row;
  if (*key == '-') key++;
  json_array_foreach((json_t *)(uintptr_t)all, i, row) if (json_object_get(row, key)) return 0;
  if (json_array_size(all) == 0) return 0;
  eas_fail(err, EAS_EINVAL, "--sort: no row has a column '%s'", key);
  return eas_hint(err, "eas %s --csv shows all columns", c->command->name);
}

static const char *sort_key;
static int sort_down;

static int compare(const void *a, const void *b)
{
  const json_t *x = json_object_get(*(json_t *const *)a, sort_key), *y = json_object_get(*(json_t *const *)b, sort_key);
  int r;
  if (json_is_number(x) && json_is_number(y))
    r = (json_number_value(x) > json_number_value(y)) - (json_number_value(x) < json_number_value(y));
  else if (json_is_string(x) && json_is_string(y))
    r = strcmp(json_string_value(x), json_string_value(y));
  else
    r = (json_is_number(y) || json_is_string(y)) - (json_is_number(x) || json_is_string(x)); /* missing ones last */
  return sort_down ? -r : r;
}

static json_t *sorted(json_t *all, const char *key)
{
  size_t n = json_array_size(all), i;
  json_t **list = eas_alloc((n + 1) * sizeof *list), *out = json_array();
  for (i = 0; i < n; i++) list[i] = json_array_get(all, i);
  sort_down = *key == '-';
  sort_key = key + sort_down;
  qsort(list, n, sizeof *list, compare);
  for (i = 0; i < n; i++) json_array_append(out, list[i]);
  free(list);
  json_decref(all);
  return out;
}

int eas_select_sort(const eas_cli *c, json_t **rows, eas_err *err)
{
  const char *key = eas_cli_get(c, "--sort");
  int rc = key ? check_sort(c, *rows, key, err) : 0;
  if (key && rc >= 0) *rows = sorted(*rows, key);
  return rc;
}

int eas_select_wanted(const eas_cli *c)
{
  return eas_cli_get(c, "--where") || eas_cli_get(c, "--sort");
}

int eas_select_rows(const eas_cli *c, json_t **rows, int64_t limit, eas_err *err)
{
  size_t n = json_array_size(*rows), n_without = 0;
  json_t *left = json_array();
  int rc = 0;
  for (size_t i = 0; i < n && rc >= 0; i++) {
    int keep = 0;
    json_t *row = json_array_get(*rows, i);
    rc = eas_select_keep(c, row, &keep, err);
    if (rc >= 0 && keep == 1) json_array_append(left, row);
    n_without += keep < 0;
  }
  if (rc >= 0 && n > 0 && n_without == n) rc = eas_select_no_column(c, err);
  if (rc >= 0) rc = eas_select_sort(c, &left, err);
  if (rc < 0) {
    json_decref(left);
    return rc;
  }
  while (limit > 0 && json_array_size(left) > (size_t)limit) json_array_remove(left, json_array_size(left) - 1);
  json_decref(*rows);
  *rows = left;
  return 0;
}
