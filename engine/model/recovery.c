/* recovery.c: see recovery.h. */
#include "model/recovery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "model/view_rows.h"

enum { PAGE = 1000 };

static int ends_with(const char *text, const char *end)
{
  size_t n = strlen(text), m = strlen(end);
  return n > m && strcmp(text + n - m, end) == 0;
}

/* The index of a loop variable says nothing that the variable does not; a do-while loop has only its counter. */
static int is_shadow(const json_t *all, const char *name)
{
  for (int k = 0; k < 2; k++) {
    const char *end = k ? "_name" : "_index";
    if (!ends_with(name, end)) continue;
    char *base = eas_format("%.*s", (int)(strlen(name) - strlen(end)), name);
    int there = json_object_get(all, base) != NULL;
    free(base);
    if (there) return 1;
  }
  return 0;
}

static eas_parameter *parameter_of(eas_trials *t, const char *name, int is_text)
{
  for (int i = 0; i < t->n_parameters; i++)
    if (strcmp(t->parameters[i].name, name) == 0) return &t->parameters[i];
  if (t->n_parameters == EAS_PARAMETERS_MAX) return NULL;
  eas_parameter *p = &t->parameters[t->n_parameters++];
  p->name = eas_strdup(name);
  p->is_text = is_text;
  p->names = is_text ? json_array() : NULL;
  return p;
}

static double number_of(eas_parameter *p, const json_t *v)
{
  if (!p->is_text) return json_is_number(v) ? json_number_value(v) : NAN;
  if (!json_is_string(v)) return NAN;
  int64_t i = (int64_t)json_array_size(p->names);
  if (eas_map_get(&p->texts, json_string_value(v), &i)) return (double)i;
  eas_map_set(&p->texts, json_string_value(v), i);
  json_array_append(p->names, (json_t *)(uintptr_t)v);
  return (double)i;
}

static int type_of(eas_trials *t, const char *name)
{
  for (int i = 0; i < t->n_types; i++)
    if (strcmp(t->types[i], name) == 0) return i;
  t->types = eas_realloc(t->types, (size_t)(t->n_types + 1) * sizeof *t->types);
  t->types[t->n_types] = eas_strdup(name);
  return t->n_types++;
}

static int result_of(const char *state, const json_t *result)
{
  const char *outcome = eas_json_str(result, "outcome");
  if (strcmp(state, "passed") != 0)
    return strcmp(state, "waiting") == 0 || strcmp(state, "ready") == 0 ? EAS_TRIAL_OPEN : EAS_TRIAL_FAILED;
  if (outcome && strcmp(outcome, "PASS") == 0) return EAS_TRIAL_FOUND;
  return outcome && strcmp(outcome, "FAIL") == 0 ? EAS_TRIAL_MISSED : EAS_TRIAL_NO_TRUTH;
}

static void add(eas_trials *t, const char *type, const char *state, const json_t *parameters, const json_t *result)
{
  if (t->n == t->cap) {
    t->cap = t->cap ? 2 * t->cap : 256;
    t->list = eas_realloc(t->list, t->cap * sizeof *t->list);
  }
  eas_trial *x = &t->list[t->n++];
  const char *credible = eas_json_str(result, "credible"), *key;
  json_t *v;
  *x = (eas_trial){ .type = type_of(t, type), .result = result_of(state, result) };
  x->alias = x->result == EAS_TRIAL_MISSED && json_is_string(json_object_get(result, "alias"));
  x->credible = credible && strcmp(credible, "fail") != 0;
  for (int i = 0; i < EAS_PARAMETERS_MAX; i++) x->at[i] = NAN;
  json_object_foreach((json_t *)(uintptr_t)parameters, key, v)
  {
    if ((!json_is_number(v) && !json_is_string(v)) || is_shadow(parameters, key)) continue;
    eas_parameter *p = parameter_of(t, key, json_is_string(v));
    if (p) x->at[p - t->parameters] = number_of(p, v);
  }
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Distinct values of each parameter; those that differ by rounding are one. */
static void order(eas_trials *t)
{
  for (int k = 0; k < t->n_parameters; k++) {
    eas_parameter *p = &t->parameters[k];
    double *v = eas_alloc((t->n + 1) * sizeof *v);
    int n = 0, m = 0;
    for (size_t i = 0; i < t->n; i++)
      if (!isnan(t->list[i].at[k])) v[n++] = t->list[i].at[k];
    qsort(v, (size_t)n, sizeof *v, by_value);
    for (int i = 0; i < n; i++)
      if (m == 0 || v[i] - v[m - 1] > 1e-9 * fabs(v[i])) v[m++] = v[i];
    p->values = v;
    p->n_values = m;
  }
}

static int add_rows(eas_trials *t, eas_db *db, json_t *cache, const eas_rows *r, int n, eas_err *err)
{
  for (int i = 0; i < n; i++) {
    const char *type = eas_rows_text(r, i, 2), *text = eas_rows_text(r, i, 4);
    json_t *result = text ? json_loads(text, 0, NULL) : NULL;
    if (strncmp(type, "transit_search_", 15) == 0 || json_object_get(result, "outcome")) {
      json_t *parameters = eas_view_parameters(db, cache, eas_rows_int(r, i, 0), eas_rows_int(r, i, 1), err);
      if (!parameters) {
        json_decref(result);
        return err ? err->code : EAS_EDB;
      }
      add(t, type, eas_rows_text(r, i, 3), parameters, result);
      json_decref(parameters);
    }
    json_decref(result);
  }
  return 0;
}

int eas_trials_read(eas_db *db, int64_t job, eas_trials *out, eas_err *err)
{
  eas_trials t = { 0 };
  int64_t after = 0;
  int n, rc = 0;
  do {
    eas_rows *r = NULL;
    json_t *cache = json_object();
    n = eas_db_query(db,
                     "SELECT t.id, coalesce(t.parent, 0), y.name, t.state, a.metadata FROM task t JOIN task_type y ON "
                     "y.id = t.type LEFT JOIN attempt a ON a.id = t.accepted WHERE t.job = $1 AND t.id > $2 AND y.name "
                     "NOT LIKE 'execution_%' ORDER BY t.id LIMIT $3",
                     EAS_ARGS(eas_v_int(job), eas_v_int(after), eas_v_int(PAGE)), &r, err);
    if (n > 0) after = eas_rows_int(r, n - 1, 0);
    rc = n < 0 ? n : add_rows(&t, db, cache, r, n, err);
    eas_rows_free(r);
    json_decref(cache);
  } while (rc >= 0 && n == PAGE);
  if (rc < 0) {
    eas_trials_done(&t);
    return rc;
  }
  order(&t);
  *out = t;
  return 0;
}

void eas_trials_done(eas_trials *t)
{
  for (int k = 0; k < t->n_parameters; k++) {
    free(t->parameters[k].name);
    free(t->parameters[k].values);
    json_decref(t->parameters[k].names);
    eas_map_done(&t->parameters[k].texts);
  }
  for (int i = 0; i < t->n_types; i++) free(t->types[i]);
  free(t->types);
  free(t->list);
  *t = (eas_trials){ 0 };
}
