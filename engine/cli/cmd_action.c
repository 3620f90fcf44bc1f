/* cmd_action.c: eas pause, resume, cancel, retry: what a user does to a job that is under way. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/bells.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "model/attempt.h"
#include "model/job.h"
#include "model/view.h"

/* The database to write to; there must be one. */
static int open_to_act(eas_cli *c, eas_err *err)
{
  int rc = eas_cli_open_db(c, EAS_DB_READ, err);
  if (rc < 0) return rc;
  eas_db_close(c->db);
  c->db = NULL;
  return eas_cli_open_db(c, 0, err);
}

static int find_job(eas_cli *c, const char *name, eas_job_counts *k, eas_err *err)
{
  int64_t job = 0;
  int rc = open_to_act(c, err);
  if (rc >= 0) rc = eas_cli_find_job(c, name, &job, err);
  return rc < 0 ? rc : eas_view_counts(c->db, job, k, err);
}

static int tell(eas_cli *c, const eas_job_counts *k, const char *state, const char *more)
{
  if (c->json)
    printf("{\"job\":\"j%" PRId64 "\",\"name\":\"%s\",\"state\":\"%s\",\"running\":%" PRId64 "}\n", k->job, k->name,
           state, k->running);
  else
    printf("j%" PRId64 " %s: %s%s\n", k->job, k->name, state, more);
  return EAS_EXIT_OK;
}

static int set_state(eas_cli *c, const eas_job_counts *k, const char *state, eas_err *err)
{
  if (strcmp(k->state, "cancelled") == 0 && strcmp(state, "cancelled") != 0) {
    eas_fail(err, EAS_EINVAL, "j%" PRId64 " is cancelled", k->job);
    return eas_hint(err, "eas retry j%" PRId64 " takes it up again", k->job);
  }
  if (k->done_at) return eas_fail(err, EAS_EINVAL, "j%" PRId64 " is done already", k->job);
  return eas_job_set_state(c->db, k->job, state, err);
}

static int cmd_pause(eas_cli *c)
{
  eas_job_counts k;
  eas_err err = { 0 };
  char more[80] = "; nothing of it runs";
  int rc = find_job(c, c->n_args ? c->args[0] : NULL, &k, &err);
  if (rc >= 0) rc = set_state(c, &k, "paused", &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (k.running)
    snprintf(more, sizeof more, "; what runs (%" PRId64 ") goes on to its end, nothing new starts", k.running);
  return tell(c, &k, "paused", more);
}

static int cmd_resume(eas_cli *c)
{
  eas_job_counts k;
  eas_err err = { 0 };
  int rc = find_job(c, c->n_args ? c->args[0] : NULL, &k, &err);
  if (rc >= 0) rc = set_state(c, &k, "active", &err);
  return rc < 0 ? eas_cli_fail(c, &err) : tell(c, &k, "active", "");
}

static int cmd_cancel(eas_cli *c)
{
  eas_job_counts k;
  eas_err err = { 0 };
  int rc = find_job(c, c->args[0], &k, &err);
  int yes = eas_cli_has(c, "--yes");
  if (rc >= 0 && yes) rc = set_state(c, &k, "cancelled", &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (yes) return tell(c, &k, "cancelled", "; what runs is stopped. eas retry takes it up again");
  if (c->json) return tell(c, &k, k.state, "");
  printf("j%" PRId64 " %s: %" PRId64 " of %" PRId64 " tasks are done; %" PRId64 " that run would be stopped, %" PRId64
         " that are queued would not start\n   --yes does it\n",
         k.job, k.name, k.work_done, k.work_total, k.running, k.queued);
  return EAS_EXIT_OK;
}

const eas_command eas_cmd_pause = { .name = "pause",
                                    .args = "[JOB]",
                                    .summary = "starts nothing more of a job; what runs goes on to its end",
                                    .detail = "JOB: id or unambiguous name, default the newest.",
                                    .examples = "  eas pause j3",
                                    .groups = EAS_O_DATA | EAS_O_JSON,
                                    .max_args = 1,
                                    .run = cmd_pause };

const eas_command eas_cmd_resume = { .name = "resume",
                                     .args = "[JOB]",
                                     .summary = "lets a paused job go on",
                                     .detail = "JOB: id or unambiguous name, default the newest.",
                                     .examples = "  eas resume j3",
                                     .groups = EAS_O_DATA | EAS_O_JSON,
                                     .max_args = 1,
                                     .run = cmd_resume };

const eas_command eas_cmd_cancel = { .name = "cancel",
                                     .args = "JOB",
                                     .summary = "stops a job: running children within two seconds, wherever they are",
                                     .detail = "Without --yes it says what it would do.",
                                     .examples = "  eas cancel j3 --yes",
                                     .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_YES,
                                     .min_args = 1,
                                     .max_args = 1,
                                     .run = cmd_cancel };

/* --- retry --- */

static int64_t job_of(eas_db *db, int64_t task, eas_err *err)
{
  json_t *v = NULL;
  if (eas_view_task(db, task, &v, err) < 0) return -1;
  int64_t job = strtoll(eas_json_str(v, "job") + 1, NULL, 10);
  json_decref(v);
  return job;
}

/* The tasks of a group of failures, as eas errors numbers them. */
static int retry_group(eas_cli *c, int64_t job, int64_t group, int *n_ready, eas_err *err)
{
  json_t *rows = NULL, *row;
  size_t i;
  int n = 0;
  eas_view_filter f = { .job = job, .group = (int)group };
  int rc = eas_view_error_tasks(c->db, &f, &rows, err);
  json_array_foreach(rows, i, row)
  {
    int ready = 0;
    if (rc < 0) break;
    rc = eas_retry(c->db, job, strtoll(eas_json_str(row, "task") + 1, NULL, 10), &ready, err);
    *n_ready += ready;
    n += rc > 0 ? rc : 0;
  }
  json_decref(rows);
  return rc < 0 ? rc : n;
}

static int cmd_retry(eas_cli *c)
{
  eas_err err = { 0 };
  char letter = 'j';
  int64_t id = 0, job = 0, group = 0;
  int n_ready = 0, rc = open_to_act(c, &err);
  if (rc >= 0) rc = eas_cli_int(c, "--group", 0, &group, &err);
  if (rc >= 0 && (!c->n_args || eas_id_parse(c->args[0], &letter, &id, NULL) < 0 || letter == 'j')) {
    letter = 'j';
    rc = eas_cli_find_job(c, c->n_args ? c->args[0] : NULL, &job, &err);
  } else if (rc >= 0 && letter == 't') {
    job = job_of(c->db, id, &err);
    if (job < 0) rc = err.code;
  } else if (rc >= 0) {
    rc = eas_fail(&err, EAS_EINVAL, "eas retry: a job or a task is wanted, not '%s'", c->args[0]);
  }
  if (rc >= 0)
    rc = group ? retry_group(c, job, group, &n_ready, &err)
               : eas_retry(c->db, job, letter == 't' ? id : 0, &n_ready, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  eas_bells_once(c);
  if (c->json)
    printf("{\"job\":\"j%" PRId64 "\",\"revived\":%d,\"queued\":%d}\n", job, rc, n_ready);
  else if (rc == 0)
    printf("j%" PRId64 ": nothing has failed\n", job);
  else
    printf("j%" PRId64 ": %d task%s again, %d of them queued now\n", job, rc, rc == 1 ? "" : "s", n_ready);
  return EAS_EXIT_OK;
}

static const eas_option RETRY[] = {
  { "--group", "N", NULL, "only this group of failures, as `eas errors` numbers them" }, { 0 }
};

const eas_command eas_cmd_retry = {
  .name = "retry",
  .args = "[JOB|TASK]",
  .summary = "tries again what failed; what was skipped because of it waits again",
  .detail = "A cancelled job is taken up again. Workers, or the same `eas run`, do the work.\n"
            "For what has passed see `eas rerun`.",
  .examples = "  eas retry j3\n  eas retry t418\n  eas retry j3 --group 2",
  .groups = EAS_O_DATA | EAS_O_JSON,
  .options = RETRY,
  .max_args = 1,
  .run = cmd_retry
};
