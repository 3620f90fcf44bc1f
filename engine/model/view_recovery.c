/* view_recovery.c: what was found against what was injected, as maps over the loop variables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "model/recovery.h"
#include "model/view.h"

enum { CELLS_MAX = 16, BINS = 10, SPLIT_VALUES = 6, SPLITS_MAX = 12, PANELS_MAX = 96 };

/* A side of the map: cells of one parameter, a value each or (many values) a range each. */
typedef struct {
  int parameter; /* -1: none, one cell */
  int n;
  double edge[CELLS_MAX + 1]; /* of ranges */
  int binned;
} side;

typedef struct {
  const eas_trials *t;
  side columns, rows;
  int split[EAS_PARAMETERS_MAX], n_splits; /* parameters with a panel for each value */
  int n_panels;                            /* of a type */
  int same[EAS_PARAMETERS_MAX];            /* 1: it says what the type does */
} shape;

static int varies(const eas_trials *t, int k)
{
  return k >= 0 && t->parameters[k].n_values > 1;
}

static int named(const eas_trials *t, int not, const char *const *words)
{
  for (; *words; words++)
    for (int k = 0; k < t->n_parameters; k++)
      if (k != not &&varies(t, k) && !t->parameters[k].is_text && strstr(t->parameters[k].name, *words)) return k;
  return -1;
}

/* The last of those that are left: the innermost loop. */
static int last_number(const eas_trials *t, int not )
{
  for (int k = t->n_parameters - 1; k >= 0; k--)
    if (k != not &&varies(t, k) && !t->parameters[k].is_text) return k;
  return -1;
}

static side make_side(const eas_trials *t, int k)
{
  side s = { .parameter = k, .n = 1 };
  if (k < 0) return s;
  const eas_parameter *p = &t->parameters[k];
  s.n = p->n_values;
  if (s.n <= CELLS_MAX) return s;
  double low = p->values[0], high = p->values[s.n - 1];
  int log = low > 0 && high / low > 20;
  s.n = BINS;
  s.binned = 1;
  for (int i = 0; i <= BINS; i++) {
    double x = (double)i / BINS;
    s.edge[i] = log ? low * pow(high / low, x) : low + (high - low) * x;
  }
  return s;
}

static int value_at(const eas_parameter *p, double v)
{
  for (int i = 0; i < p->n_values; i++)
    if (fabs(p->values[i] - v) <= 2e-9 * fabs(v)) return i;
  return -1;
}

static int place(const shape *s, const side *a, const eas_trial *x)
{
  if (a->parameter < 0) return 0;
  double v = x->at[a->parameter];
  if (isnan(v)) return -1;
  if (!a->binned) return value_at(&s->t->parameters[a->parameter], v);
  int i = 0;
  while (i < a->n - 1 && v >= a->edge[i + 1]) i++;
  return i;
}

/* A text that only repeats which search it is ("transit_search_{detector}"): the panels have that already. */
static int names_the_type(const eas_trials *t, int k)
{
  const eas_parameter *p = &t->parameters[k];
  if (!p->is_text) return 0;
  for (size_t i = 0; i < t->n; i++) {
    if (isnan(t->list[i].at[k])) continue;
    const char *text = json_string_value(json_array_get(p->names, (size_t)t->list[i].at[k]));
    if (!*text || !strstr(t->types[t->list[i].type], text)) return 0;
  }
  return 1;
}

/* What the loop itself calls its variable: its field "label". */
static const char *label_of(const json_t *v, const char *name)
{
  const char *key, *found = NULL, *parameter = eas_json_str(v, "parameter");
  json_t *below;
  size_t i;
  if (json_is_object(v) && parameter && strcmp(parameter, name) == 0 && eas_json_str(v, "label"))
    return eas_json_str(v, "label");
  if (json_is_object(v)) {
    json_object_foreach((json_t *)(uintptr_t)v, key, below) if (!found) found = label_of(below, name);
  } else if (json_is_array(v)) {
    json_array_foreach((json_t *)(uintptr_t)v, i, below) if (!found) found = label_of(below, name);
  }
  return found;
}

/* Whole numbers in a row from 0 or 1, without a label, count repetitions. */
static int is_repetition(const eas_parameter *p, const json_t *doc)
{
  if (p->is_text || label_of(doc, p->name) || !(p->values[0] >= 0 && p->values[0] <= 1)) return 0;
  for (int i = 0; i < p->n_values; i++)
    if (p->values[i] - p->values[0] < i || p->values[i] - p->values[0] > i) return 0;
  return p->values[0] >= 1 || p->values[0] <= 0;
}

/* Periods go to the right, sizes up; what else has few values gets panels of its own, while these stay few. */
static shape choose(const eas_trials *t, const json_t *doc)
{
  static const char *const across[] = { "period", NULL }, *const up[] = { "radius", "size", "depth", "mes", NULL };
  shape s = { .t = t, .n_panels = 1 };
  for (int k = 0; k < t->n_parameters; k++) s.same[k] = names_the_type(t, k);
  int column = named(t, -1, across), row = named(t, column, up);
  if (column < 0) column = last_number(t, row);
  if (row < 0) row = last_number(t, column);
  s.columns = make_side(t, column);
  s.rows = make_side(t, row);
  for (int k = 0; k < t->n_parameters; k++) {
    int n = t->parameters[k].n_values;
    if (k == column || k == row || s.same[k] || n < 2 || n > SPLIT_VALUES || s.n_panels * n > SPLITS_MAX ||
        is_repetition(&t->parameters[k], doc) || (int64_t)t->n < 2 * (int64_t)t->n_types * s.n_panels * n)
      continue;
    s.split[s.n_splits++] = k;
    s.n_panels *= n;
  }
  return s;
}

typedef struct {
  int64_t n, found, alias, open, failed;
} cell;

typedef struct {
  cell *cells, sum; /* [rows][columns] */
  int64_t no_truth, no_truth_credible, found_credible, false_alarms;
} panel;

static int panel_of(const shape *s, const eas_trial *x)
{
  int at = 0;
  for (int i = 0; i < s->n_splits; i++) {
    const eas_parameter *p = &s->t->parameters[s->split[i]];
    int v = isnan(x->at[s->split[i]]) ? -1 : value_at(p, x->at[s->split[i]]);
    if (v < 0) return -1;
    at = at * p->n_values + v;
  }
  return x->type * s->n_panels + at;
}

static void count(cell *c, const eas_trial *x)
{
  c->n += x->result == EAS_TRIAL_FOUND || x->result == EAS_TRIAL_MISSED;
  c->found += x->result == EAS_TRIAL_FOUND;
  c->alias += x->alias;
  c->open += x->result == EAS_TRIAL_OPEN;
  c->failed += x->result == EAS_TRIAL_FAILED;
}

static panel *fill(const shape *s)
{
  int n = s->t->n_types * s->n_panels;
  panel *list = eas_alloc((size_t)(n + 1) * sizeof *list);
  for (int i = 0; i < n; i++) list[i].cells = eas_alloc((size_t)(s->columns.n * s->rows.n) * sizeof *list[i].cells);
  for (size_t i = 0; i < s->t->n; i++) {
    const eas_trial *x = &s->t->list[i];
    int at = panel_of(s, x), r = place(s, &s->rows, x), k = place(s, &s->columns, x);
    if (at < 0) continue;
    panel *p = &list[at];
    count(&p->sum, x);
    p->no_truth += x->result == EAS_TRIAL_NO_TRUTH;
    p->no_truth_credible += x->result == EAS_TRIAL_NO_TRUTH && x->credible;
    p->found_credible += x->result == EAS_TRIAL_FOUND && x->credible;
    p->false_alarms += x->result == EAS_TRIAL_MISSED && x->credible;
    if (r >= 0 && k >= 0) count(&p->cells[r * s->columns.n + k], x);
  }
  return list;
}

static json_t *text_of(const eas_parameter *p, int i)
{
  return p->is_text ? json_incref(json_array_get(p->names, (size_t)p->values[i])) : json_real(p->values[i]);
}

static json_t *side_json(const shape *s, const side *a, const json_t *doc)
{
  if (a->parameter < 0) return json_null();
  const eas_parameter *p = &s->t->parameters[a->parameter];
  const char *label = label_of(doc, p->name);
  json_t *values = json_array(), *edges = a->binned ? json_array() : NULL;
  for (int i = 0; i < a->n; i++)
    json_array_append_new(values, a->binned ? json_real((a->edge[i] + a->edge[i + 1]) / 2) : text_of(p, i));
  for (int i = 0; edges && i <= a->n; i++) json_array_append_new(edges, json_real(a->edge[i]));
  return json_pack("{s:s,s:s?,s:o,s:o*}", "name", p->name, "label", label, "values", values, "edges", edges);
}

static json_t *cell_json(const cell *c)
{
  if (!c->n && !c->open && !c->failed) return json_null();
  return json_pack("{s:I,s:I,s:I,s:I,s:I}", "n", (json_int_t)c->n, "found", (json_int_t)c->found, "alias",
                   (json_int_t)c->alias, "open", (json_int_t)c->open, "failed", (json_int_t)c->failed);
}

static json_t *where_json(const shape *s, int at)
{
  json_t *o = json_object();
  for (int i = s->n_splits - 1; i >= 0; i--) {
    const eas_parameter *p = &s->t->parameters[s->split[i]];
    json_object_set_new(o, p->name, text_of(p, at % p->n_values));
    at /= p->n_values;
  }
  return o;
}

static json_t *panel_json(const shape *s, const panel *p, int at)
{
  json_t *rows = json_array();
  for (int r = 0; r < s->rows.n; r++) {
    json_t *row = json_array();
    for (int k = 0; k < s->columns.n; k++) json_array_append_new(row, cell_json(&p->cells[r * s->columns.n + k]));
    json_array_append_new(rows, row);
  }
  json_t *o = json_pack("{s:s,s:o,s:o}", "type", s->t->types[at / s->n_panels], "where",
                        where_json(s, at % s->n_panels), "cells", rows);
  json_t *sum =
      p->sum.n + p->sum.open + p->sum.failed ? cell_json(&p->sum) : json_pack("{s:i,s:i}", "n", 0, "found", 0);
  json_object_update(o, sum);
  json_decref(sum);
  json_object_set_new(o, "found_credible", json_integer(p->found_credible));
  json_object_set_new(o, "false_alarms", json_integer(p->false_alarms));
  json_object_set_new(o, "no_truth", json_integer(p->no_truth));
  json_object_set_new(o, "no_truth_credible", json_integer(p->no_truth_credible));
  return o;
}

/* What the cells are averages over: parameters that vary and have neither a side nor panels. */
static json_t *averaged(const shape *s)
{
  json_t *list = json_array();
  for (int k = 0; k < s->t->n_parameters; k++) {
    int used = k == s->columns.parameter || k == s->rows.parameter || s->same[k];
    for (int i = 0; i < s->n_splits; i++) used |= s->split[i] == k;
    if (!used && varies(s->t, k)) json_array_append_new(list, json_string(s->t->parameters[k].name));
  }
  return list;
}

static int read_document(eas_db *db, int64_t job, json_t **doc, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db, "SELECT d.body FROM job j JOIN document d ON d.id = j.document WHERE j.id = $1",
                       EAS_ARGS(eas_v_int(job)), &r, err);
  *doc = n > 0 ? json_loads(eas_rows_text(r, 0, 0), 0, NULL) : NULL;
  eas_rows_free(r);
  return n;
}

int eas_view_recovery(eas_db *db, int64_t job, json_t **out, eas_err *err)
{
  eas_trials t;
  json_t *doc = NULL, *panels = json_array();
  int rc = read_document(db, job, &doc, err);
  if (rc >= 0) rc = eas_trials_read(db, job, &t, err);
  if (rc < 0) {
    json_decref(doc);
    json_decref(panels);
    return rc;
  }
  shape s = choose(&t, doc);
  panel *list = fill(&s);
  for (int i = 0; i < t.n_types * s.n_panels; i++) {
    const panel *p = &list[i];
    if (json_array_size(panels) < PANELS_MAX && p->sum.n + p->sum.open + p->sum.failed + p->no_truth > 0)
      json_array_append_new(panels, panel_json(&s, p, i));
    free(p->cells);
  }
  free(list);
  int n = (int)json_array_size(panels);
  *out = json_pack("{s:o,s:o,s:o,s:o}", "columns", side_json(&s, &s.columns, doc), "rows", side_json(&s, &s.rows, doc),
                   "averaged", averaged(&s), "panels", panels);
  eas_trials_done(&t);
  json_decref(doc);
  return n;
}
