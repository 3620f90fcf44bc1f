/* explain.c: eas run --explain: what a run would do, and why, before it is done. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/diff.h"
#include "cli/ids.h"
#include "cli/jobs.h"
#include "model/view.h"

enum { DIFFERENCES = 10 };

typedef struct {
  eas_cli *c;
  json_t *lines; /* texts */
  const char *action;
  char job[32]; /* "": a new one */
  int n;
} explanation;

static void say(explanation *x, char *text)
{
  json_array_append_new(x->lines, json_string(text));
  free(text);
}

static void on_difference(void *arg, const char *path, const json_t *was, const json_t *is)
{
  explanation *x = arg;
  if (x->n++ >= DIFFERENCES) return;
  char *change = eas_diff_text(was, is, x->c->utf8);
  say(x, eas_format("%s %s", path, change));
  free(change);
}

/* Against the newest job of its name: that is the one people changed. */
static void new_job(explanation *x, eas_db *db, const eas_jobfile *f, const eas_submit_options *o, const char *name)
{
  int64_t job = 0;
  json_t *doc = NULL;
  x->action = "new";
  if (o->fresh) say(x, eas_strdup("all of it, as a new job: --fresh"));
  if (!o->fresh && db && eas_view_document(db, name, &job, &doc, NULL) > 0) {
    say(x, eas_format("all of it, as a new job; what differs from j%" PRId64 ":", job));
    eas_diff("$", doc, f->doc, on_difference, x);
    if (x->n == 0) say(x, eas_strdup("--seed, --set or --prototype-names"));
    if (x->n > DIFFERENCES) say(x, eas_format("and %d more", x->n - DIFFERENCES));
  } else if (!o->fresh) {
    say(x, eas_format("all of it: there is no job '%s' yet", name));
  }
  if (db) say(x, eas_strdup("a task is reused if its type, settings, inputs and code are those of a passed one"));
  json_decref(doc);
}

static void goes_on(explanation *x, eas_db *db, int64_t job)
{
  eas_job_counts k;
  x->action = "go on";
  if (eas_view_counts(db, job, &k, NULL) < 0) return;
  say(x, eas_format("%s goes on where it stopped", x->job));
  for (int i = 0; i < k.n_types; i++) {
    int64_t open = k.types[i].queued + k.types[i].running + k.types[i].waiting;
    if (open && !k.types[i].flow)
      say(x, eas_format("%s: %" PRId64 " left, %" PRId64 " of them can start now", k.types[i].type, open,
                        k.types[i].queued + k.types[i].running));
    else if (open)
      say(x, eas_format("%s: %" PRId64 " to be expanded, whose tasks are not counted yet", k.types[i].type, open));
  }
  if (k.work_failed) say(x, eas_format("%" PRId64 " that ended otherwise stay so", k.work_failed));
}

/* Done: failed tasks whose code is another by now. */
static int done(explanation *x, eas_db *db, int64_t job, eas_err *err)
{
  json_t *rows = NULL, *row, *cache = json_object();
  size_t i;
  int rc = eas_view_failed(db, job, &rows, err), n = 0;
  json_array_foreach(rows, i, row)
  {
    json_t *is = NULL;
    if (eas_jobs_code_changed(x->c, cache, row, &is) && n++ < DIFFERENCES) {
      json_t *was = json_pack("{s:O}", "code", json_object_get(json_object_get(row, "provenance"), "code")),
             *now = json_pack("{s:O}", "code", is);
      char *change = eas_diff_provenance(was, now, x->c->utf8);
      say(x, eas_format("%s %s, which failed: %s", eas_json_str(row, "task"), eas_json_str(row, "type"), change));
      free(change);
      json_decref(was);
      json_decref(now);
    }
    json_decref(is);
  }
  size_t failed = json_array_size(rows);
  json_decref(rows);
  json_decref(cache);
  if (rc < 0) return rc;
  x->action = n ? "again" : "nothing";
  if (n > DIFFERENCES) say(x, eas_format("and %d more", n - DIFFERENCES));
  if (n == 0) say(x, eas_format("nothing: %s is done; --fresh runs it anew", x->job));
  if (failed > (size_t)n)
    say(x, eas_format("%zu failed task%s not tried again: code and settings are the same", failed - (size_t)n,
                      failed - (size_t)n == 1 ? " is" : "s are"));
  return 0;
}

int eas_jobs_explain(eas_cli *c, const eas_jobfile *f, const eas_submit_options *o)
{
  explanation x = { .c = c, .lines = json_array() };
  eas_submitted same = { 0 };
  eas_err err = { 0 };
  char *name = NULL;
  eas_db *db = eas_jobs_look(c);
  int rc = eas_job_same(db, f, o, &same, &name, &err);
  if (rc > 0 && !o->fresh) {
    snprintf(x.job, sizeof x.job, "j%" PRId64, same.job);
    if (same.done)
      rc = done(&x, db, same.job, &err);
    else
      goes_on(&x, db, same.job);
  } else if (rc >= 0) {
    new_job(&x, db, f, o, name);
  }
  eas_db_close(db);
  free(name);
  if (rc < 0) {
    json_decref(x.lines);
    return eas_cli_fail(c, &err);
  }
  if (c->json)
    return eas_print_json(json_pack("{s:s?,s:s,s:o}", "job", *x.job ? x.job : NULL, "would", x.action, "why", x.lines));
  for (size_t i = 0; i < json_array_size(x.lines); i++)
    printf("%s%s\n", i ? "  " : "would run: ", json_string_value(json_array_get(x.lines, i)));
  json_decref(x.lines);
  return EAS_EXIT_OK;
}
