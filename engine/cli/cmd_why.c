/* cmd_why.c: eas why: the reason for the state a task is in, and what to do. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/card.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/why.h"
#include "model/view.h"

static json_t *last_attempt(const json_t *t)
{
  json_t *list = json_object_get(t, "attempts");
  return json_array_get(list, json_array_size(list) - 1);
}

void eas_why_line(json_t *lines, const char *label, char *text)
{
  json_array_append_new(lines, json_pack("{s:s,s:s}", "label", label, "text", text));
  free(text);
}

static int is(const json_t *o, const char *key, const char *value)
{
  const char *s = eas_json_str(o, key);
  return s && strcmp(s, value) == 0;
}

/* What a maker did instead of making: a line, and where it went wrong. */
static void maker_lines(json_t *lines, const json_t *e)
{
  const char *maker = eas_json_str(e, "maker"), *state = eas_json_str(e, "maker_state"),
             *reason = eas_json_str(e, "maker_reason");
  if (is(e, "maker_state", "failed") && eas_json_str(e, "maker_attempt"))
    eas_why_line(lines, maker,
                 eas_format("failed in %s, attempt %" PRId64 "%s%s", eas_json_str(e, "maker_attempt"),
                            eas_json_int(e, "maker_number", 0), reason ? ": " : "", reason ? reason : ""));
  else
    eas_why_line(lines, maker,
                 eas_format("is %s%s%s", strcmp(state, "ready") == 0 ? "queued or running" : state, reason ? ": " : "",
                            reason ? reason : ""));
}

static int unmet(const json_t *t, json_t *lines, const char **culprit)
{
  size_t i;
  json_t *e;
  int n = 0;
  json_array_foreach(json_object_get(t, "inputs"), i, e)
  {
    if (eas_json_int(e, "met", 0)) continue;
    eas_why_line(lines, "needs",
                 eas_format("%s (%s), made by %s %s", eas_json_str(e, "filename"), eas_json_str(e, "product"),
                            eas_json_str(e, "maker"), eas_json_str(e, "maker_type")));
    maker_lines(lines, e);
    *culprit = eas_json_str(e, "maker");
    n++;
  }
  json_array_foreach(json_object_get(t, "needs"), i, e)
  {
    if (eas_json_int(e, "met", 0)) continue;
    eas_why_line(lines, "needs",
                 eas_format("the metadata of %s (%s %s)", eas_json_str(e, "name"), eas_json_str(e, "maker"),
                            eas_json_str(e, "maker_type")));
    maker_lines(lines, e);
    *culprit = eas_json_str(e, "maker");
    n++;
  }
  return n;
}

/* Of what it waits for to be done: how much of it has passed, and what has not. */
static int gathered(const json_t *t, json_t *lines, const char **culprit)
{
  size_t i, k;
  json_t *g, *m;
  int n = 0;
  json_array_foreach(json_object_get(t, "waits"), i, g)
  {
    const json_t *o = json_object_get(g, "outcome"), *missing = json_object_get(o, "missing");
    int64_t children = eas_json_int(o, "children", 0), passed = eas_json_int(o, "passed", 0);
    int met = (int)eas_json_int(g, "met", 0);
    const char *maker = eas_json_str(g, "maker"), *name = eas_json_str(g, "name");
    double least = (double)eas_json_int(g, "least", 0) / 1e4;
    if (!json_is_object(o))
      eas_why_line(lines, "waits",
                   eas_format("until %s (%s) is done; %" PRId64 " below it are not", name, maker,
                              eas_json_int(g, "open_children", 0)));
    else
      eas_why_line(
          lines, met ? "had" : "needs",
          eas_format("%.4g %% of %s (%s): %" PRId64 " of %" PRId64 " passed", least, name, maker, passed, children));
    json_array_foreach(missing, k, m)
    {
      char *text = json_dumps(m, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
      if (k < 8) eas_why_line(lines, "missing", eas_strdup(text));
      free(text);
    }
    if (json_array_size(missing) > 8)
      eas_why_line(lines, "missing", eas_format("and %zu more", json_array_size(missing) - 8));
    if (met) continue;
    *culprit = maker;
    n++;
  }
  return n;
}

/* Reuse is across jobs: the first question to a task of a job made from another. */
static void explain_run(eas_cli *c, const json_t *t, const json_t *attempt, json_t *lines)
{
  json_t *origin = NULL, *a = NULL;
  char letter = 0;
  int64_t task = 0, id = 0;
  eas_err err = { 0 };
  if (eas_id_parse(eas_json_str(t, "task"), &letter, &task, NULL) < 0 ||
      eas_id_parse(eas_json_str(attempt, "attempt"), &letter, &id, NULL) < 0 || !is(attempt, "state", "ended") ||
      strncmp(eas_json_str(t, "type"), "execution_", 10) == 0)
    return;
  if (eas_view_origin(c->db, task, &origin, &err) == 1 && eas_view_attempt(c->db, id, &a, &err) >= 0)
    eas_why_ran(origin, a, lines);
  json_decref(origin);
  json_decref(a);
}

static void explain(eas_cli *c, const json_t *t, json_t *lines)
{
  const char *culprit = NULL;
  const json_t *a = last_attempt(t);
  if (is(t, "state", "waiting") || is(t, "state", "skipped")) {
    unmet(t, lines, &culprit);
    gathered(t, lines, &culprit);
    if (culprit && is(t, "state", "skipped"))
      eas_why_line(lines, "then",
                   eas_format("mend it, and eas retry what failed; this one then waits again and starts by itself"));
    else if (culprit)
      eas_why_line(lines, "then", eas_format("it starts by itself when that has passed"));
    return;
  }
  if (is(t, "state", "ready")) {
    if (a && is(a, "state", "running"))
      eas_why_line(lines, "runs",
                   eas_format("in %s, attempt %" PRId64, eas_json_str(a, "attempt"), eas_json_int(a, "number", 0)));
    else if (!is(t, "job_state", "active"))
      eas_why_line(lines, "held", eas_format("its job is %s", eas_json_str(t, "job_state")));
    else
      eas_why_line(lines, "queued",
                   eas_format("all it needs is there; it waits for a free slot of a worker that runs %s",
                              eas_json_str(t, "type")));
    return;
  }
  if (eas_json_int(t, "stale", 0))
    eas_why_line(lines, "stale",
                 eas_format("what it was made from was made anew since; eas rerun %s", eas_json_str(t, "task")));
  if (is(t, "state", "cancelled"))
    eas_why_line(lines, "by", eas_strdup(is(t, "job_state", "cancelled") ? "a user, with its job" : "a user"));
  if (!a) return;
  const char *reason = eas_json_str(a, "error") ? eas_json_str(a, "error") : eas_json_str(a, "reason");
  if (is(t, "state", "failed")) {
    eas_why_line(lines, "because",
                 eas_format("%s in %s, attempt %" PRId64 ": %s",
                            is(a, "ending", "ok") ? "failed QC" : eas_json_str(a, "ending"), eas_json_str(a, "attempt"),
                            eas_json_int(a, "number", 0), reason ? reason : "no reason was given"));
    explain_run(c, t, a, lines);
    eas_why_line(lines, "more",
                 eas_format("eas show %s     eas logs %s", eas_json_str(a, "attempt"), eas_json_str(a, "attempt")));
  }
  if (is(t, "state", "passed") && is(a, "ending", "reused")) {
    eas_why_line(
        lines, "reused",
        eas_format("the results of %s: type, settings, inputs and code are the same", eas_json_str(a, "reused")));
  } else if (is(t, "state", "passed")) {
    eas_why_line(lines, "passed",
                 eas_format("in %s, attempt %" PRId64, eas_json_str(a, "attempt"), eas_json_int(a, "number", 0)));
    gathered(t, lines, &culprit);
    explain_run(c, t, a, lines);
    if (eas_json_int(t, "open_children", 0))
      eas_why_line(lines, "open", eas_format("%" PRId64 " children are not done", eas_json_int(t, "open_children", 0)));
    if (eas_json_int(t, "failed_children", 0))
      eas_why_line(lines, "children",
                   eas_format("%" PRId64 " did not pass: eas tree %s", eas_json_int(t, "failed_children", 0),
                              eas_json_str(t, "task")));
  }
}

static int cmd_why(eas_cli *c)
{
  eas_err err = { 0 };
  char letter = 0;
  json_t *v = NULL, *task = NULL;
  if (eas_card_load(c, c->args[0], &letter, &v, &err) < 0) return eas_cli_fail(c, &err);
  const char *owner = letter == 't' ? NULL : eas_json_str(v, "task"); /* of an attempt or a product: its task */
  if (owner) {
    char other = 0;
    int rc = eas_card_load(c, owner, &other, &task, &err);
    json_decref(v);
    v = task;
    if (rc < 0) return eas_cli_fail(c, &err);
  }
  json_t *lines = json_array(), *line;
  size_t i;
  explain(c, v, lines);
  if (c->json) {
    json_t *out = json_pack("{s:s,s:s,s:s,s:o}", "task", eas_json_str(v, "task"), "type", eas_json_str(v, "type"),
                            "state", eas_json_str(v, "state"), "why", lines);
    json_decref(v);
    return eas_print_json(out);
  }
  const char *state = eas_json_str(v, "state");
  printf("%s %s: %s%s%s\n", eas_json_str(v, "task"), eas_json_str(v, "type"), eas_ink(c, eas_state_ink(state)), state,
         eas_ink_off(c));
  json_array_foreach(lines, i, line) printf("  %-9s%s\n", eas_json_str(line, "label"), eas_json_str(line, "text"));
  json_decref(lines);
  json_decref(v);
  return EAS_EXIT_OK;
}

const eas_command eas_cmd_why = { .name = "why",
                                  .args = "ID",
                                  .summary = "why a task waits, failed, was skipped, ran or was reused",
                                  .detail = "",
                                  .examples = "  eas why t420",
                                  .groups = EAS_O_DATA | EAS_O_JSON,
                                  .min_args = 1,
                                  .max_args = 1,
                                  .run = cmd_why };
