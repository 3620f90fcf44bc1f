/* jobs.c: see jobs.h. */
#include "cli/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "model/attempt.h"
#include "model/view.h"
#include "worker/code.h"

const eas_option eas_job_options[] = {
  { "--fresh", NULL, NULL, "a new job even if this one was run before" },
  { "--explain", NULL, NULL, "only say what would run, and why" },
  { "--seed", "N", NULL, "seed of all random numbers (default: the job's \"seed\", else 1)" },
  { "--priority", "N", NULL, "higher first (default: the job's \"priority\", else 0)" },
  { "--prototype-names", NULL, NULL, "numbers in file names as the Python prototype wrote them: 0.0, not 0" },
  { 0 }
};

static int read_options(const eas_cli *c, eas_submit_options *o, eas_err *err)
{
  int64_t seed = 0;
  o->fresh = eas_cli_has(c, "--fresh");
  o->prototype_names = eas_cli_has(c, "--prototype-names");
  o->has_seed = eas_cli_has(c, "--seed");
  o->has_priority = eas_cli_has(c, "--priority");
  int rc = eas_cli_int(c, "--seed", 1, &seed, err);
  if (rc >= 0 && seed < 0) rc = eas_fail(err, EAS_EINVAL, "eas %s: --seed is not negative", c->command->name);
  o->seed = (uint64_t)seed;
  return rc < 0 ? rc : eas_cli_int(c, "--priority", 0, &o->priority, err);
}

/* The database as it is, if there is one: an input may name a product of an earlier job. */
eas_db *eas_jobs_look(const eas_cli *c)
{
  const char *url = eas_conf_str(c->conf, "database");
  eas_db *db = NULL;
  int found = 0, newest = 0;
  if (strncmp(url, "sqlite:", 7) == 0 && !eas_path_exists(url + 7)) return NULL;
  if (eas_db_open(&db, url, EAS_DB_READ, NULL) < 0) return NULL;
  if (eas_db_schema(db, &found, &newest, NULL) < 0 || found != newest) {
    eas_db_close(db);
    return NULL;
  }
  return db;
}

static void print_problems(eas_cli *c, const eas_problems *p, const eas_jobfile *f)
{
  if (c->json) {
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++) {
      json_t *v =
          json_pack("{s:s,s:s,s:s?}", "path", p->list[i].path, "message", p->list[i].what, "hint", p->list[i].fix);
      int line = 0, column = 0;
      if (!f->is_lua && eas_json_where(f->text, f->len, p->list[i].path, p->list[i].key, &line, &column) == 0) {
        json_object_set_new(v, "line", json_integer(line));
        json_object_set_new(v, "column", json_integer(column));
      }
      json_array_append_new(list, v);
    }
    json_t *all = json_pack("{s:{s:s,s:s,s:o}}", "error", "message", "the job has errors, nothing was stored", "file",
                            f->file, "problems", list);
    json_dumpf(all, stdout, JSON_COMPACT);
    fputc('\n', stdout);
    json_decref(all);
  }
  eas_buf text;
  eas_buf_init(&text);
  eas_problems_print(p, f, &text);
  fputs(text.data ? text.data : "", stderr);
  eas_buf_done(&text);
}

int eas_jobs_check(eas_cli *c, const eas_jobfile *f, int prototype_names, eas_err *err)
{
  eas_problems problems = { 0 };
  eas_check_options k = { .input_path = eas_conf_str(c->conf, "input_path"),
                          .db = eas_jobs_look(c),
                          .prototype_names = prototype_names };
  int rc = eas_job_check(f, c->registry, &k, &problems, err);
  eas_db_close(k.db);
  if (rc < 0 && problems.n > 0)
    print_problems(c, &problems, f);
  else if (rc < 0)
    eas_cli_fail(c, err);
  eas_problems_done(&problems);
  return rc < 0 ? EAS_EXIT_USAGE : 0;
}

int eas_jobs_load(eas_cli *c, const char *path, eas_jobfile **out, eas_submit_options *o, eas_err *err)
{
  int rc = read_options(c, o, err);
  if (rc >= 0) rc = eas_jobfile_load(out, path, c->runner->job, c->runner->arg, err);
  if (rc >= 0) rc = eas_cli_open_registry(c, err);
  if (rc < 0) {
    eas_cli_fail(c, err);
    return EAS_EXIT_USAGE;
  }
  return eas_jobs_check(c, *out, o->prototype_names, err);
}

int eas_jobs_code_changed(const eas_cli *c, json_t *cache, const json_t *row, json_t **is)
{
  const eas_task_type *t = eas_registry_type(c->registry, eas_json_str(row, "type"));
  const json_t *then = json_object_get(json_object_get(row, "provenance"), "code");
  json_t *now = NULL;
  eas_digest d;
  if (!t || !t->script || !t->qc || !then ||
      eas_code_digest((const char *const *)c->packs, cache, t, &now, &d, NULL) < 0)
    return 0;
  int changed = !json_equal(then, now);
  if (is)
    *is = now;
  else
    json_decref(now);
  return changed;
}

int eas_jobs_again(eas_cli *c, int64_t job, eas_err *err)
{
  json_t *rows = NULL, *row, *cache = json_object();
  size_t i;
  int rc = eas_view_failed(c->db, job, &rows, err), n = 0, n_ready = 0;
  json_array_foreach(rows, i, row)
  {
    if (rc < 0) break;
    if (!eas_jobs_code_changed(c, cache, row, NULL)) continue;
    rc = eas_retry(c->db, job, strtoll(eas_json_str(row, "task") + 1, NULL, 10), &n_ready, err);
    n++;
  }
  if (n > 0 && rc >= 0 && !c->quiet)
    fprintf(stderr, "%d failed task%s tried again: code changed since\n", n, n == 1 ? " is" : "s are");
  json_decref(rows);
  json_decref(cache);
  return rc < 0 ? rc : n;
}
