/* report_folds.c: see report_folds.h. */
#include "cli/report_folds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "model/view.h"

enum { GROUPS = 4, KEPT = 2 };

/* Of each group the rows with the highest score; the borderline of what was found has the lowest significance. */
static const struct {
  const char *name;
  int found, sign;
} groups[GROUPS] = { { "best", 1, 1 }, { "borderline", 1, -1 }, { "nearly", 0, 1 }, { "worst", 0, -1 } };

struct eas_folds {
  struct {
    double score;
    json_t *row;
  } kept[GROUPS][KEPT];
};

eas_folds *eas_folds_new(void)
{
  return eas_alloc(sizeof(eas_folds));
}

static int number(const json_t *o, const char *key, double *out)
{
  const json_t *v = json_object_get(o, key);
  if (!json_is_number(v)) return 0;
  *out = json_number_value(v);
  return isfinite(*out);
}

static void keep(eas_folds *f, int g, double score, const json_t *row)
{
  int at = KEPT;
  while (at > 0 && (!f->kept[g][at - 1].row || f->kept[g][at - 1].score < score)) at--;
  if (at == KEPT) return;
  json_decref(f->kept[g][KEPT - 1].row);
  memmove(&f->kept[g][at + 1], &f->kept[g][at], (size_t)(KEPT - 1 - at) * sizeof f->kept[g][0]);
  f->kept[g][at].score = score;
  f->kept[g][at].row = json_incref((json_t *)(uintptr_t)row);
}

/* Where nothing is known to be there, vetting says what counts as found. */
static int was_found(const json_t *result)
{
  const char *outcome = eas_json_str(result, "outcome"), *credible = eas_json_str(result, "credible");
  if (outcome && strcmp(outcome, "UNDEFINED") != 0) return strcmp(outcome, "PASS") == 0;
  return credible && strcmp(credible, "fail") != 0;
}

void eas_folds_add(eas_folds *f, const json_t *row)
{
  const json_t *result = json_object_get(row, "result");
  double period, t0, score;
  if (!number(result, "period", &period) || !number(result, "t0", &t0) || !(period > 0)) return;
  if (!number(result, "sde", &score) && !number(result, "power", &score)) return;
  int found = was_found(result);
  for (int g = 0; g < GROUPS; g++)
    if (groups[g].found == found) keep(f, g, groups[g].sign * score, row);
}

/* The light curve that the task's accepted attempt read. */
static int add_source(eas_cli *c, const json_t *row, json_t *out)
{
  json_t *task = NULL, *attempt = NULL, *v;
  size_t i;
  int found = 0;
  eas_digest d;
  if (eas_view_task(c->db, strtoll(eas_json_str(row, "task") + 1, NULL, 10), &task, NULL) < 0) return 0;
  const char *accepted = eas_json_str(task, "accepted");
  if (accepted && eas_view_attempt(c->db, strtoll(accepted + 1, NULL, 10), &attempt, NULL) >= 0) {
    json_array_foreach(json_object_get(attempt, "inputs"), i, v)
    {
      if (found || strcmp(eas_json_str(v, "kind"), "lightcurve") != 0) continue;
      if (eas_digest_parse(eas_json_str(v, "sha256"), &d) < 0 || eas_store_have(c->store, &d, NULL) < 0) continue;
      char *path = eas_store_path(c->store, &d);
      json_object_set_new(out, "path", json_string(path));
      json_object_set(out, "filename", json_object_get(v, "filename"));
      free(path);
      found = 1;
    }
    double days;
    if (number(json_object_get(attempt, "description"), "lc_duration", &days))
      json_object_set_new(out, "lc_duration", json_real(days));
  }
  json_decref(task);
  json_decref(attempt);
  return found;
}

static json_t *fold_json(eas_cli *c, const char *group, const json_t *row)
{
  static const char *const keys[] = {
    "period", "t0", "duration", "depth", "sde", "target_period", "alias", "credible"
  };
  const json_t *result = json_object_get(row, "result");
  json_t *o = json_pack("{s:s,s:O,s:O,s:O}", "group", group, "task", json_object_get(row, "task"), "type",
                        json_object_get(row, "type"), "parameters", json_object_get(row, "parameters"));
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
    if (json_object_get(result, keys[k])) json_object_set(o, keys[k], json_object_get(result, keys[k]));
  if (add_source(c, row, o)) return o;
  json_decref(o);
  return NULL;
}

static int is_listed(const json_t *list, const json_t *row)
{
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)list, i,
                     v) if (json_equal(json_object_get(v, "task"), json_object_get(row, "task"))) return 1;
  return 0;
}

json_t *eas_folds_take(eas_folds *f, eas_cli *c)
{
  json_t *list = json_array();
  int store = eas_cli_open_store(c, NULL) >= 0;
  for (int g = 0; g < GROUPS; g++)
    for (int k = 0; k < KEPT; k++) {
      json_t *row = f->kept[g][k].row, *o = NULL;
      if (row && store && !is_listed(list, row)) o = fold_json(c, groups[g].name, row);
      if (o) json_array_append_new(list, o);
      json_decref(row);
    }
  free(f);
  return list;
}
