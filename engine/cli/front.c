/* front.c: see front.h. */
#include "cli/front.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/ids.h"
#include "model/job.h"
#include "model/view.h"

typedef struct {
  eas_cli *c;
  const json_t *args;
  eas_view_filter filter;
} question;

/* An id as a number or as people write it, of that letter; absent: 0. */
static int id_of(const question *q, const char *name, char letter, int64_t *out, eas_err *err)
{
  const json_t *v = json_object_get(q->args, name);
  char found = letter;
  *out = 0;
  if (!v || json_is_null(v)) return 0;
  if (json_is_integer(v)) {
    *out = json_integer_value(v);
    return 0;
  }
  const char *text = json_string_value(v);
  if (!text) return eas_fail(err, EAS_EINVAL, "%s: an id is wanted, as %c12", name, letter);
  if (letter == 'j') return eas_job_find(q->c->db, text, out, err);
  int rc = eas_id_parse(text, &found, out, err);
  if (rc < 0) return rc;
  if (found != letter && text[0] == found)
    return eas_fail(err, EAS_EINVAL, "%s: an id as %c12 is wanted, not '%s'", name, letter, text);
  return 0;
}

static int read_filter(question *q, eas_err *err)
{
  eas_view_filter *f = &q->filter;
  int rc = id_of(q, "job", 'j', &f->job, err);
  if (rc >= 0) rc = id_of(q, "task", 't', &f->task, err);
  if (rc >= 0) rc = id_of(q, "attempt", 'a', &f->attempt, err);
  if (rc < 0) return rc;
  f->type = eas_json_str(q->args, "type");
  f->state = eas_json_str(q->args, "state");
  f->level = (int)eas_json_int(q->args, "level", 0);
  f->since_us = eas_json_int(q->args, "since_us", 0);
  f->after = eas_json_int(q->args, "after", 0);
  f->group = (int)eas_json_int(q->args, "group", 0);
  f->limit = (int)eas_json_int(q->args, "limit", 100);
  return 0;
}

static int ask_jobs(question *q, json_t **out, eas_err *err)
{
  return eas_view_jobs(q->c->db, q->filter.limit, out, err);
}

/* Of the newest job if none is named. */
static int some_job(question *q, eas_err *err)
{
  return q->filter.job || q->filter.task || q->filter.attempt ? 0 : eas_job_find(q->c->db, NULL, &q->filter.job, err);
}

static int ask_tasks(question *q, json_t **out, eas_err *err)
{
  int rc = some_job(q, err);
  return rc < 0 ? rc : eas_view_tasks(q->c->db, &q->filter, out, err);
}

static int ask_attempts(question *q, json_t **out, eas_err *err)
{
  return eas_view_attempts(q->c->db, &q->filter, out, err);
}

static int ask_task(question *q, json_t **out, eas_err *err)
{
  int64_t id = 0;
  int rc = id_of(q, "id", 't', &id, err);
  return rc < 0 ? rc : eas_view_task(q->c->db, id, out, err);
}

static int ask_attempt(question *q, json_t **out, eas_err *err)
{
  int64_t id = 0;
  int rc = id_of(q, "id", 'a', &id, err);
  return rc < 0 ? rc : eas_view_attempt(q->c->db, id, out, err);
}

/* A product, or with "v12" a version. */
static int ask_file(question *q, json_t **out, eas_err *err)
{
  int64_t id = 0;
  const char *text = eas_json_str(q->args, "id");
  int is_version = text && *text == 'v';
  int rc = id_of(q, "id", is_version ? 'v' : 'p', &id, err);
  return rc < 0 ? rc : eas_view_file(q->c->db, id, is_version, out, err);
}

static int ask_errors(question *q, json_t **out, eas_err *err)
{
  int rc = some_job(q, err);
  return rc < 0 ? rc : eas_view_errors(q->c->db, &q->filter, out, err);
}

static int ask_error_tasks(question *q, json_t **out, eas_err *err)
{
  int rc = some_job(q, err);
  return rc < 0 ? rc : eas_view_error_tasks(q->c->db, &q->filter, out, err);
}

static int ask_logs(question *q, json_t **out, eas_err *err)
{
  int rc = some_job(q, err);
  return rc < 0 ? rc : eas_view_logs(q->c->db, &q->filter, out, err);
}

static int ask_files(question *q, json_t **out, eas_err *err)
{
  int rc = some_job(q, err);
  return rc < 0 ? rc : eas_view_files(q->c->db, &q->filter, out, err);
}

static int ask_results(question *q, json_t **out, eas_err *err)
{
  int rc = some_job(q, err);
  if (rc < 0) return rc;
  return eas_view_results(q->c->db, q->filter.job, q->filter.type, q->filter.after, q->filter.limit, out, err);
}

static int ask_workers(question *q, json_t **out, eas_err *err)
{
  json_t *all = NULL;
  int rc = eas_view_workers(q->c->db, &all, err);
  if (rc < 0) return rc;
  *out = json_incref(json_object_get(all, "list"));
  json_decref(all);
  return 0;
}

static int ask_types(question *q, json_t **out, eas_err *err)
{
  int n = 0, rc = eas_cli_open_registry(q->c, err);
  if (rc < 0) return rc;
  const eas_task_type *t = eas_registry_types(q->c->registry, &n);
  *out = json_array();
  for (int i = 0; i < n; i++)
    json_array_append_new(
        *out, json_pack("{s:s,s:s,s:b}", "type", t[i].name, "description", t[i].description, "flow", t[i].flow));
  return 0;
}

static int ask_path(question *q, json_t **out, eas_err *err)
{
  eas_digest d;
  const char *hex = eas_json_str(q->args, "sha256");
  if (!hex || eas_digest_parse(hex, &d) < 0) return eas_fail(err, EAS_EINVAL, "path: sha256 is wanted, 64 hex digits");
  int rc = eas_cli_open_store(q->c, err);
  if (rc < 0) return rc;
  rc = eas_store_have(q->c->store, &d, err);
  if (rc < 0 && rc != EAS_ENOENT) return rc;
  if (rc < 0) {
    eas_fail(err, EAS_ENOENT, "object %.12s is not in the store", hex);
    return eas_hint(err, "eas fsck --verify lists what is missing");
  }
  char *path = eas_store_path(q->c->store, &d);
  *out = json_string(path);
  free(path);
  return 0;
}

static const struct {
  const char *name;
  int (*ask)(question *q, json_t **out, eas_err *err);
  int needs_db;
} questions[] = { { "jobs", ask_jobs, 1 },     { "tasks", ask_tasks, 1 },     { "attempts", ask_attempts, 1 },
                  { "task", ask_task, 1 },     { "attempt", ask_attempt, 1 }, { "file", ask_file, 1 },
                  { "errors", ask_errors, 1 }, { "logs", ask_logs, 1 },       { "error_tasks", ask_error_tasks, 1 },
                  { "files", ask_files, 1 },   { "results", ask_results, 1 }, { "workers", ask_workers, 1 },
                  { "types", ask_types, 0 },   { "path", ask_path, 0 } };

char *eas_front_ask(void *cli, const char *what, const char *json, eas_err *err)
{
  question q = { .c = cli };
  json_t *args = eas_json_parse(json, strlen(json), what, err), *answer = NULL;
  int rc = args ? EAS_EINVAL : err->code;
  q.args = args;
  for (size_t i = 0; args && i < sizeof questions / sizeof *questions; i++) {
    if (strcmp(questions[i].name, what) != 0) continue;
    rc = questions[i].needs_db ? eas_cli_open_db(q.c, EAS_DB_READ, err) : 0;
    if (rc >= 0) rc = read_filter(&q, err);
    if (rc >= 0) rc = questions[i].ask(&q, &answer, err);
  }
  if (rc < 0 && !err->code) eas_fail(err, rc, "there is no question '%s'", what);
  char *text = rc >= 0 ? json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  json_decref(args);
  json_decref(answer);
  return text;
}

/* $XDG_STATE_HOME/eas/history; NULL: there is no home. */
static char *history_file(void)
{
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  if ((!state || *state != '/') && (!home || *home != '/')) return NULL;
  char *folder = state && *state == '/' ? eas_format("%s/eas", state) : eas_format("%s/.local/state/eas", home);
  char *file = eas_path_mkdirs(folder, 0700, NULL) < 0 ? NULL : eas_path_join(folder, "history");
  free(folder);
  return file;
}

char *eas_front_request(const eas_cli *c, const char *kind, json_t *more)
{
  char *history = history_file(), *database = eas_conf_shown(c->conf, "database");
  json_t *v = more ? more : json_object();
  json_t *common = json_pack("{s:s,s:b,s:b,s:i,s:b,s:I,s:s?,s:s}", "kind", kind, "color", c->color, "utf8", c->utf8,
                             "width", c->width, "progress", c->progress, "threads",
                             (json_int_t)eas_conf_int(c->conf, "slots"), "history", history, "database", database);
  json_object_update_missing(v, common);
  char *text = json_dumps(v, JSON_COMPACT);
  json_decref(common);
  json_decref(v);
  free(history);
  free(database);
  return text;
}
