/* web_ask.c: the questions of the dashboard's pages: a name and arguments in, rows out. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/ids.h"
#include "cli/web.h"
#include "model/pages.h"
#include "store/store.h"
#include "web/assets.h"

enum { MOST_ROWS = 5000 };

typedef struct {
  eas_cli *c;
  eas_bulks *bulks;
  eas_web_places *places;
  const json_t *args;
  eas_view_filter f;
  int64_t id; /* of whatever letter */
  char letter;
} question;

typedef int ask_fn(question *q, json_t **out, eas_err *err);

static const char *arg_str(const question *q, const char *name)
{
  const char *s = eas_json_str(q->args, name);
  return s ? s : "";
}

/* An id of an argument: 0 if it is not there; anything else than LETTER and a number is refused. */
static int arg_id(const question *q, const char *name, const char *letters, int64_t *out, eas_err *err)
{
  const char *text = arg_str(q, name);
  char *end = NULL;
  *out = 0;
  if (!*text) return 0;
  if (!strchr(letters, text[0]) || text[1] < '0' || text[1] > '9' || strlen(text) > 19)
    return eas_fail(err, EAS_EINVAL, "'%.40s' is no id of this kind (%c1)", text, letters[0]);
  *out = strtoll(text + 1, &end, 10);
  return *end ? eas_fail(err, EAS_EINVAL, "'%.40s' is no id of this kind (%c1)", text, letters[0]) : 0;
}

static int fill(question *q, eas_err *err)
{
  eas_view_filter *f = &q->f;
  int rc = arg_id(q, "job", "j", &f->job, err);
  if (rc == 0) rc = arg_id(q, "task", "t", &f->task, err);
  if (rc == 0) rc = arg_id(q, "attempt", "a", &f->attempt, err);
  if (rc == 0) rc = arg_id(q, "after", "tajv", &f->after, err);
  if (rc == 0) rc = arg_id(q, "id", "pv", &q->id, err);
  q->letter = *arg_str(q, "id");
  f->type = *arg_str(q, "type") ? arg_str(q, "type") : NULL;
  f->state = *arg_str(q, "state") ? arg_str(q, "state") : NULL;
  f->where = json_object_get(q->args, "where");
  f->level = (int)eas_json_int(q->args, "level", 0);
  f->since_us = eas_json_int(q->args, "since", 0);
  f->limit = (int)eas_json_int(q->args, "limit", 100);
  if (f->limit < 1 || f->limit > MOST_ROWS) f->limit = 100;
  return rc;
}

static int ask_jobs(question *q, json_t **out, eas_err *err)
{
  return eas_page_jobs(q->c->db, q->f.after, q->f.limit, out, err);
}

static int ask_job(question *q, json_t **out, eas_err *err)
{
  return eas_page_job(q->c->db, q->f.job, out, err);
}

static int ask_tasks(question *q, json_t **out, eas_err *err)
{
  return eas_page_tasks(q->c->db, &q->f, out, err);
}

static int ask_task(question *q, json_t **out, eas_err *err)
{
  return eas_view_task(q->c->db, q->f.task, out, err);
}

static int ask_children(question *q, json_t **out, eas_err *err)
{
  return eas_view_children(q->c->db, q->f.task, eas_json_int(q->args, "ordinal", -1), q->f.limit, out, err);
}

static int ask_lineage(question *q, json_t **out, eas_err *err)
{
  return eas_page_lineage(q->c->db, q->f.task, out, err);
}

static int ask_attempt(question *q, json_t **out, eas_err *err)
{
  return eas_view_attempt(q->c->db, q->f.attempt, out, err);
}

static int ask_log(question *q, json_t **out, eas_err *err)
{
  return eas_page_log(q->c->db, q->f.attempt, eas_json_int(q->args, "seq", -1), q->f.limit, out, err);
}

static int ask_logs(question *q, json_t **out, eas_err *err)
{
  return eas_page_logs(q->c->db, &q->f, eas_json_int(q->args, "seq", 0), arg_str(q, "text"), out, err);
}

static int ask_errors(question *q, json_t **out, eas_err *err)
{
  return eas_page_errors(q->c->db, q->f.job, out, err);
}

static int ask_running(question *q, json_t **out, eas_err *err)
{
  return eas_page_running(q->c->db, q->f.job, q->f.limit, out, err);
}

static int ask_runs(question *q, json_t **out, eas_err *err)
{
  return eas_page_runs(q->c->db, &q->f, eas_json_int(q->args, "wall_us_min", 0), out, err);
}

static int ask_results(question *q, json_t **out, eas_err *err)
{
  return eas_view_results(q->c->db, q->f.job, q->f.type, q->f.after, q->f.limit, out, err);
}

static int ask_folders(question *q, json_t **out, eas_err *err)
{
  return eas_page_folders(q->c->db, q->f.job, arg_str(q, "from"), q->f.limit, out, err);
}

static int ask_files(question *q, json_t **out, eas_err *err)
{
  return eas_page_files(q->c->db, q->f.job, arg_str(q, "directory"), arg_str(q, "kind"), arg_str(q, "from"), q->f.limit,
                        out, err);
}

static int ask_file(question *q, json_t **out, eas_err *err)
{
  return eas_view_file(q->c->db, q->id, q->letter == 'v', out, err);
}

/* Where an object is, for the pages to read; the name is made here, of nothing but 64 hexadecimal digits. */
static int ask_object(question *q, json_t **out, eas_err *err)
{
  eas_digest d;
  if (eas_digest_parse(arg_str(q, "sha256"), &d) < 0) return eas_fail(err, EAS_EINVAL, "no digest");
  int rc = eas_cli_open_store(q->c, err);
  if (rc < 0) return rc;
  rc = eas_store_have(q->c->store, &d, err);
  if (rc == EAS_ENOENT) return eas_fail(err, EAS_ENOENT, "its bytes are not in the store");
  if (rc < 0) return rc;
  char *path = eas_store_path(q->c->store, &d);
  *out = json_pack("{s:s}", "path", path);
  free(path);
  return 0;
}

static int ask_workers(question *q, json_t **out, eas_err *err)
{
  json_t *workers = NULL, *needed = NULL;
  int rc = eas_view_workers(q->c->db, &workers, err);
  if (rc >= 0) rc = eas_view_needed(q->c->db, q->c->registry, &needed, err);
  if (rc >= 0)
    json_object_set_new(workers, "needed", needed);
  else
    json_decref(workers);
  if (rc >= 0) *out = workers;
  return rc;
}

static int ask_load(question *q, json_t **out, eas_err *err)
{
  return eas_view_load(q->c->db, out, err);
}

static int ask_registry(question *q, json_t **out, eas_err *err)
{
  (void)err;
  *out = eas_registry_json(q->c->registry);
  return 0;
}

static int ask_pulse(question *q, json_t **out, eas_err *err)
{
  return eas_page_pulse(q->c->db, q->f.job, q->f.attempt, out, err);
}

static int ask_act(question *q, json_t **out, eas_err *err)
{
  return eas_web_act(q->c, q->args, out, err);
}

static int ask_bulk(question *q, json_t **out, eas_err *err)
{
  return eas_bulks_begin(q->bulks, q->args, out, err);
}

static int ask_bulks(question *q, json_t **out, eas_err *err)
{
  (void)err;
  *out = eas_bulks_list(q->bulks, q->f.job);
  return 0;
}

/* A traceback with files and lines. */
static int ask_places(question *q, json_t **out, eas_err *err)
{
  (void)err;
  char *text = eas_web_places_text(q->places, q->c, arg_str(q, "text"), eas_json_int(q->args, "at", 0));
  *out = json_string(text);
  free(text);
  return 0;
}

static int ask_about(question *q, json_t **out, eas_err *err)
{
  (void)err;
  const eas_conf *c = q->c->conf;
  char *shown = eas_conf_shown(c, "database");
  const char *type;
  *out = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:s,s:I}", "version", EAS_VERSION, "database", shown, "data",
                   eas_conf_str(c, "data"), "listen", eas_conf_str(c, "web_listen"), "assets", eas_web_asset_tag(),
                   "uplot", eas_web_asset("/static/uPlot.iife.min.js", &type) != NULL, "actions",
                   eas_conf_int(c, "web_actions") != 0, "token", eas_conf_str(c, "web_token"), "now",
                   (json_int_t)eas_now_us());
  free(shown);
  return 0;
}

static const struct {
  const char *name;
  ask_fn *fn;
} QUESTIONS[] = { { "jobs", ask_jobs },       { "job", ask_job },           { "tasks", ask_tasks },
                  { "task", ask_task },       { "children", ask_children }, { "lineage", ask_lineage },
                  { "attempt", ask_attempt }, { "log", ask_log },           { "logs", ask_logs },
                  { "errors", ask_errors },   { "running", ask_running },   { "runs", ask_runs },
                  { "results", ask_results }, { "folders", ask_folders },   { "files", ask_files },
                  { "file", ask_file },       { "object", ask_object },     { "workers", ask_workers },
                  { "load", ask_load },       { "registry", ask_registry }, { "pulse", ask_pulse },
                  { "act", ask_act },         { "bulk", ask_bulk },         { "bulks", ask_bulks },
                  { "places", ask_places },   { "about", ask_about } };

json_t *eas_web_ask(void *arg, const char *name, const json_t *args)
{
  eas_web_desk *desk = arg;
  question q = { .c = desk->c, .bulks = desk->bulks, .places = desk->places, .args = args };
  eas_err err = { 0 };
  json_t *value = NULL;
  ask_fn *fn = NULL;
  for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++)
    if (strcmp(QUESTIONS[i].name, name) == 0) fn = QUESTIONS[i].fn;
  int rc = fn ? fill(&q, &err) : eas_fail(&err, EAS_EBUG, "a page asks for '%s', which nothing answers", name);
  if (rc >= 0) rc = fn(&q, &value, &err);
  if (rc >= 0) return json_pack("{s:o}", "value", value ? value : json_null());
  return json_pack("{s:{s:i,s:s,s:s}}", "error", "code", rc, "message", err.text, "hint", err.hint);
}
