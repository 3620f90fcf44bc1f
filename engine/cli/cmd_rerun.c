/* cmd_rerun.c: eas rerun: a job with something changed, of which only what depends on the change runs; or one task anew. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/bells.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/jobs.h"
#include "model/attempt.h"
#include "model/view.h"

/* All --set as one object: path -> value; V is JSON if it parses, else a string. NULL: none; err is set when one is wrong. */
static char *overrides_of(const eas_cli *c, eas_err *err)
{
  json_t *all = json_object();
  const char *one;
  for (int i = 0; (one = eas_cli_nth(c, "--set", i)); i++) {
    const char *eq = strchr(one, '=');
    if (!eq || eq == one) {
      eas_fail(err, EAS_EINVAL, "eas rerun: --set takes PATH=VALUE, not '%s'", one);
      eas_hint(err, "as --set task_list[0].search_settings.period_min=0.6");
      json_decref(all);
      return NULL;
    }
    json_t *value = json_loads(eq + 1, JSON_DECODE_ANY, NULL);
    char *path = eas_strdup(one);
    path[eq - one] = 0;
    json_object_set_new(all, path, value ? value : json_string(eq + 1));
    free(path);
  }
  char *text = json_object_size(all) ? json_dumps(all, JSON_COMPACT) : NULL;
  json_decref(all);
  return text;
}

static int submit_only(eas_cli *c, const eas_jobfile *f, const eas_submit_options *o)
{
  eas_err err = { 0 };
  eas_submitted s = { 0 };
  eas_db_close(c->db);
  c->db = NULL;
  int rc = eas_cli_open_db(c, 0, &err);
  if (rc >= 0) rc = eas_job_submit(c->db, f, c->registry, o, &s, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (c->json)
    printf("{\"job\":\"j%" PRId64 "\",\"origin\":\"j%" PRId64 "\",\"existed\":%s,\"done\":%s}\n", s.job, o->origin,
           s.existed ? "true" : "false", s.done ? "true" : "false");
  else
    printf("j%" PRId64 ", from j%" PRId64 "%s\n", s.job, o->origin, s.existed ? ", was there already" : "");
  return EAS_EXIT_OK;
}

static int rerun_job(eas_cli *c, int64_t job)
{
  eas_err err = { 0 };
  eas_jobfile *f = NULL, *set = NULL;
  eas_submit_options o = { 0 };
  char *overrides = overrides_of(c, &err);
  int rc = err.code ? err.code : eas_job_load(c->db, job, &f, &o, &err), status = 0;
  o.overrides = overrides;
  o.fresh = !overrides; /* nothing is changed but, maybe, the code */
  if (rc >= 0) rc = eas_cli_open_registry(c, &err);
  if (rc >= 0 && overrides) rc = eas_jobfile_override(&set, f, overrides, &err);
  if (rc < 0)
    status = eas_cli_fail(c, &err);
  else
    status = eas_jobs_check(c, set ? set : f, o.prototype_names, &err);
  int here = eas_db_kind(c->db) == EAS_DB_SQLITE && !eas_cli_has(c, "--submit");
  if (status == 0 && here) {
    eas_db_close(c->db);
    c->db = NULL;
    status = eas_run_job(c, f, &o);
  } else if (status == 0) {
    status = submit_only(c, f, &o);
  }
  eas_jobfile_free(f);
  eas_jobfile_free(set);
  free(overrides);
  return status;
}

static int rerun_task(eas_cli *c, int64_t task)
{
  eas_err err = { 0 };
  int n_ready = 0, rc = 0;
  if (eas_cli_nth(c, "--set", 0)) {
    eas_fail(&err, EAS_EINVAL, "eas rerun: --set changes a job, not a task");
    eas_hint(&err, "eas rerun JOB --set PATH=VALUE runs what depends on it, and reuses the rest");
    return eas_cli_fail(c, &err);
  }
  eas_db_close(c->db);
  c->db = NULL;
  rc = eas_cli_open_db(c, 0, &err);
  if (rc >= 0) rc = eas_rerun(c->db, task, eas_cli_has(c, "--downstream"), &n_ready, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  eas_bells_once(c);
  if (c->json)
    printf("{\"task\":\"t%" PRId64 "\",\"revived\":%d,\"queued\":%d}\n", task, rc, n_ready);
  else
    printf("t%" PRId64 ": %d task%s again, %d queued now\n", task, rc, rc == 1 ? "" : "s", n_ready);
  return EAS_EXIT_OK;
}

/* Its task gets a new one. */
static int rerun_attempt(eas_cli *c, int64_t attempt)
{
  eas_err err = { 0 };
  json_t *v = NULL;
  char letter = 0;
  int64_t task = 0;
  int rc = eas_view_attempt(c->db, attempt, &v, &err);
  if (rc == EAS_ENOENT) err.code = EAS_EINVAL;
  if (rc >= 0) rc = eas_id_parse(eas_json_str(v, "task"), &letter, &task, &err);
  json_decref(v);
  return rc < 0 ? eas_cli_fail(c, &err) : rerun_task(c, task);
}

static int cmd_rerun(eas_cli *c)
{
  eas_err err = { 0 };
  char letter = 0;
  int64_t id = 0, job = 0;
  int is_id = eas_id_parse(c->args[0], &letter, &id, NULL) == 0;
  int rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0 && is_id && letter == 't') return rerun_task(c, id);
  if (rc >= 0 && is_id && letter == 'a') return rerun_attempt(c, id);
  if (rc >= 0 && is_id && letter != 'j')
    rc = eas_fail(&err, EAS_EINVAL, "eas rerun: a job, a task or an attempt is wanted, not '%s'", c->args[0]);
  if (rc >= 0) rc = eas_cli_find_job(c, c->args[0], &job, &err);
  return rc < 0 ? eas_cli_fail(c, &err) : rerun_job(c, job);
}

static const eas_option RERUN[] = { { "--set", "PATH=VALUE", NULL,
                                      "a value of the job, as task_list[0].duration=40; may be repeated" },
                                    { "--downstream", NULL, NULL, "of a task: also what hangs on it" },
                                    { "--submit", NULL, NULL, "only store the new job, for workers to run" },
                                    { 0 } };

const eas_command eas_cmd_rerun = {
  .name = "rerun",
  .args = "JOB|TASK|ATTEMPT",
  .summary = "a job with something changed, which reuses the rest; or one task anew",
  .detail = "JOB: makes a new job from it. What does not depend on the change, or on code that changed, is reused; "
            "`eas why` gives the reason for each. On the embedded database it runs here, else workers run it.\n"
            "TASK: runs again what has passed or failed, in its own job; what hangs on it is marked stale.\n"
            "ATTEMPT: the same, of its task: a new attempt; `eas diff` shows what came out otherwise.",
  .examples = "  eas rerun j3 --set task_list[0].search_settings.period_min=0.6\n  eas rerun t418 --downstream",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_WORK,
  .options = RERUN,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_rerun
};
