/* recovery.c: see recovery.h. */
#include "cli/recovery.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/view.h"

enum { AXIS_MAX = 40, PAGE = 1000, PANELS_MAX = 16 };

typedef struct {
  int n, found, alias;
} cell;

typedef struct {
  char name[64]; /* of the loop variable */
  double value[AXIS_MAX];
  int n;
} axis;

typedef struct {
  char type[64];
  cell cells[AXIS_MAX][AXIS_MAX]; /* row, column */
  int n, found;
} panel;

typedef struct {
  axis rows, columns;
  panel *panels[PANELS_MAX];
  int n_panels;
} map;

static int axis_at(axis *a, double v, int add)
{
  int i = 0;
  while (i < a->n && a->value[i] < v - 1e-12 * fabs(v)) i++;
  if (i < a->n && fabs(a->value[i] - v) <= 1e-12 * fabs(v)) return i;
  if (!add || a->n == AXIS_MAX) return -1;
  memmove(a->value + i + 1, a->value + i, (size_t)(a->n - i) * sizeof *a->value);
  a->value[i] = v;
  a->n++;
  return i;
}

static int is_index(const char *name)
{
  size_t n = strlen(name);
  return n > 6 && strcmp(name + n - 6, "_index") == 0;
}

/* Columns: the loop variable that is a period, else the last; rows: the first other one. */
static void choose_axes(map *m, const json_t *rows)
{
  size_t i;
  json_t *row, *v;
  const char *key;
  const char *names[8];
  int n = 0, column = -1;
  json_array_foreach(rows, i, row)
  {
    if (!json_object_get(json_object_get(row, "result"), "outcome")) continue;
    json_object_foreach(json_object_get(row, "parameters"), key, v)
    {
      if (json_is_number(v) && !is_index(key) && n < 8) names[n++] = key;
    }
    break;
  }
  for (int k = 0; k < n; k++)
    if (strstr(names[k], "period")) column = k;
  if (column < 0) column = n - 1;
  if (n > 0) snprintf(m->columns.name, sizeof m->columns.name, "%s", names[column]);
  for (int k = 0; k < n; k++)
    if (k != column) {
      snprintf(m->rows.name, sizeof m->rows.name, "%s", names[k]);
      break;
    }
}

static panel *panel_of(map *m, const char *type)
{
  for (int i = 0; i < m->n_panels; i++)
    if (strcmp(m->panels[i]->type, type) == 0) return m->panels[i];
  if (m->n_panels == PANELS_MAX) return NULL;
  panel *p = m->panels[m->n_panels++] = eas_alloc(sizeof *p);
  snprintf(p->type, sizeof p->type, "%s", type);
  return p;
}

static double number_of(const json_t *row, const char *name)
{
  return *name ? json_number_value(json_object_get(json_object_get(row, "parameters"), name)) : 0;
}

static int has_truth(const json_t *row)
{
  const char *outcome = eas_json_str(json_object_get(row, "result"), "outcome");
  return outcome && strcmp(outcome, "UNDEFINED") != 0;
}

static void add_row(map *m, const json_t *row, int axes)
{
  if (!has_truth(row)) return;
  int r = axis_at(&m->rows, number_of(row, m->rows.name), axes),
      c = axis_at(&m->columns, number_of(row, m->columns.name), axes);
  if (axes || r < 0 || c < 0) return;
  panel *p = panel_of(m, eas_json_str(row, "type"));
  if (!p) return;
  const json_t *result = json_object_get(row, "result");
  int found = strcmp(eas_json_str(result, "outcome"), "PASS") == 0;
  p->n++;
  p->found += found;
  p->cells[r][c].n++;
  p->cells[r][c].found += found;
  p->cells[r][c].alias += !found && json_is_string(json_object_get(result, "alias"));
}

static const char *short_type(const char *type)
{
  return strncmp(type, "transit_search_", 15) == 0 ? type + 15 : type;
}

static void print_cell(const eas_cli *c, const cell *v, FILE *out)
{
  char text[24];
  if (v->n == 0) {
    fprintf(out, "%7s", "");
  } else if (v->n > 1) {
    snprintf(text, sizeof text, "%d/%d", v->found, v->n);
    fprintf(out, "%7s", text);
  } else {
    const char *symbol = v->found ? (c->utf8 ? "●" : "#") : v->alias ? (c->utf8 ? "◐" : "/") : c->utf8 ? "○" : ".";
    fprintf(out, "      %s%s%s",
            eas_ink(c, v->found   ? EAS_GREEN
                       : v->alias ? EAS_YELLOW
                                  : EAS_DIM),
            symbol, eas_ink_off(c));
  }
}

static void print_panel(const eas_cli *c, const map *m, const panel *p, FILE *out)
{
  char left[80];
  fprintf(out, "\n %-26s %s", short_type(p->type), m->columns.name);
  fprintf(out, "\n %-16s", m->rows.name);
  for (int i = 0; i < m->columns.n; i++) fprintf(out, "%7.4g", m->columns.value[i]);
  for (int r = m->rows.n - 1; r >= 0; r--) {
    snprintf(left, sizeof left, "%.4g", m->rows.value[r]);
    fprintf(out, "\n %16s", *m->rows.name ? left : "");
    for (int i = 0; i < m->columns.n; i++) print_cell(c, &p->cells[r][i], out);
  }
  fprintf(out, "\n found %d of %d\n", p->found, p->n);
}

static int each_page(eas_cli *c, int64_t job, map *m, int axes)
{
  int64_t after = 0;
  int n;
  do {
    json_t *rows = NULL;
    n = eas_view_results(c->db, job, NULL, after, PAGE, &rows, NULL);
    if (n < 0) return n;
    if (axes && !*m->columns.name) choose_axes(m, rows);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
      add_row(m, row, axes);
      after = strtoll(eas_json_str(row, "task") + 1, NULL, 10);
    }
    json_decref(rows);
  } while (n == PAGE);
  return 0;
}

void eas_recovery_print(eas_cli *c, int64_t job, FILE *out)
{
  map m = { .n_panels = 0 };
  if (each_page(c, job, &m, 1) < 0 || each_page(c, job, &m, 0) < 0) return;
  if (m.n_panels > 0)
    fprintf(out, "\nRecovered (period within 3 %%)   %s found   %s alias   %s missed\n", c->utf8 ? "●" : "#",
            c->utf8 ? "◐" : "/", c->utf8 ? "○" : ".");
  for (int i = 0; i < m.n_panels; i++) {
    print_panel(c, &m, m.panels[i], out);
    free(m.panels[i]);
  }
}
