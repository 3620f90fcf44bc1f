/* recovery.c: see recovery.h. */
#include "cli/recovery.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/view.h"

static const char *short_type(const char *type)
{
  return strncmp(type, "transit_search_", 15) == 0 ? type + 15 : type;
}

static void print_cell(const eas_cli *c, const json_t *v, int width, FILE *out)
{
  char text[48];
  int64_t n = eas_json_int(v, "n", 0), found = eas_json_int(v, "found", 0);
  if (n == 0) {
    fprintf(out, "%*s", width, "");
  } else if (n > 1) {
    snprintf(text, sizeof text, "%" PRId64 "/%" PRId64, found, n);
    fprintf(out, "%*s", width, text);
  } else {
    int alias = eas_json_int(v, "alias", 0) > 0;
    const char *symbol = found ? (c->utf8 ? "●" : "#") : alias ? (c->utf8 ? "◐" : "/") : c->utf8 ? "○" : ".";
    fprintf(out, "%*s%s%s%s", width - 1, "",
            eas_ink(c, found   ? EAS_GREEN
                       : alias ? EAS_YELLOW
                               : EAS_DIM),
            symbol, eas_ink_off(c));
  }
}

static void value_text(const json_t *side, size_t i, char *text, size_t size)
{
  const json_t *v = json_array_get(json_object_get(side, "values"), i);
  if (json_is_string(v))
    snprintf(text, size, "%s", json_string_value(v));
  else if (v)
    snprintf(text, size, "%.4g", json_number_value(v));
  else
    *text = 0;
}

/* "bls_reference, cadence 600" */
static void head_text(const json_t *p, char *text, size_t size)
{
  const char *key;
  json_t *v;
  size_t at = (size_t)snprintf(text, size, "%s", short_type(eas_json_str(p, "type")));
  json_object_foreach(json_object_get(p, "where"), key, v)
  {
    if (at >= size) return;
    if (json_is_string(v))
      at += (size_t)snprintf(text + at, size - at, ", %s %s", key, json_string_value(v));
    else
      at += (size_t)snprintf(text + at, size - at, ", %s %.4g", key, json_number_value(v));
  }
}

enum { LABEL = 16, CELL = 7, CELL_LEAST = 5 };

/* On a narrow terminal the names of rows take what they need, and cells share the rest. */
static void fit(const eas_cli *c, const json_t *rows, int n_columns, int *label, int *cell)
{
  char text[128];
  const char *name = eas_json_str(rows, "name");
  *label = LABEL;
  *cell = CELL;
  if (c->width <= 0 || n_columns == 0 || c->width > 1 + LABEL + CELL * n_columns) return;
  size_t most = name ? strlen(name) : 1;
  for (size_t i = 0; i < json_array_size(json_object_get(rows, "values")); i++) {
    value_text(rows, i, text, sizeof text);
    if (strlen(text) > most) most = strlen(text);
  }
  if (most < LABEL) *label = (int)most;
  int share = (c->width - 1 - *label) / n_columns;
  *cell = share > CELL ? CELL : share < CELL_LEAST ? CELL_LEAST : share;
}

static void print_panel(const eas_cli *c, const json_t *m, const json_t *p, FILE *out)
{
  char left[128];
  int label, cell;
  const json_t *columns = json_object_get(m, "columns"), *rows = json_object_get(m, "rows"),
               *cells = json_object_get(p, "cells");
  const char *across = eas_json_str(columns, "name"), *up = eas_json_str(rows, "name");
  head_text(p, left, sizeof left);
  fit(c, rows, (int)json_array_size(json_object_get(columns, "values")), &label, &cell);
  fprintf(out, "\n %-*s %s", label + 10, left, across ? across : "");
  fprintf(out, "\n %-*s", label, up ? up : "");
  for (size_t i = 0; i < json_array_size(json_object_get(columns, "values")); i++) {
    value_text(columns, i, left, sizeof left);
    fprintf(out, "%*.*s", cell, cell < CELL ? cell - 1 : CELL, left);
  }
  for (size_t r = json_array_size(cells); r-- > 0;) {
    value_text(rows, r, left, sizeof left);
    fprintf(out, "\n %*.*s", label, label, left);
    for (size_t k = 0; k < json_array_size(json_array_get(cells, r)); k++)
      print_cell(c, json_array_get(json_array_get(cells, r), k), cell, out);
  }
  fprintf(out, "\n found %" PRId64 " of %" PRId64 "\n", eas_json_int(p, "found", 0), eas_json_int(p, "n", 0));
}

void eas_recovery_print(eas_cli *c, int64_t job, FILE *out)
{
  json_t *m = NULL, *p;
  size_t i;
  int n = 0;
  if (eas_view_recovery(c->db, job, &m, NULL) < 0) return;
  json_array_foreach(json_object_get(m, "panels"), i, p)
  {
    if (eas_json_int(p, "n", 0) == 0) continue; /* nothing is known to be there */
    if (n++ == 0)
      fprintf(out, "\nRecovered (period within 3 %%)%s   %s found   %s alias   %s missed\n",
              c->width > 0 && c->width < 66 ? "\n" : "", c->utf8 ? "●" : "#", c->utf8 ? "◐" : "/", c->utf8 ? "○" : ".");
    print_panel(c, m, p, out);
  }
  json_decref(m);
}
