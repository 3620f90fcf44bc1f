/* web_act.c: what the dashboard may do if it is allowed to: one short transaction on a connection of its own, then the bell. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/web.h"
#include "model/attempt.h"
#include "model/job.h"
#include "model/view.h"

/* As eas pause, resume and cancel: only what is under way. */
static int gate(eas_db *db, int64_t job, const char *state, const char *verb, json_t **out, eas_err *err)
{
  eas_job_counts k;
  int rc = eas_view_counts(db, job, &k, err);
  if (rc < 0) return rc;
  if (k.done_at) return eas_fail(err, EAS_EINVAL, "j%" PRId64 " is done already", job);
  if (strcmp(k.state, "cancelled") == 0 && strcmp(state, "cancelled") != 0) {
    eas_fail(err, EAS_EINVAL, "j%" PRId64 " is cancelled", job);
    return eas_hint(err, "retry takes it up again");
  }
  rc = eas_job_set_state(db, job, state, err);
  if (rc >= 0) *out = json_sprintf("j%" PRId64 " %s", job, verb);
  return rc;
}

static int again(eas_db *db, const char *id, json_t **out, eas_err *err)
{
  json_t *task = NULL;
  int n_ready = 0, rc = 0;
  int64_t n = strtoll(id + 1, NULL, 10), job = n;
  if (*id == 't') {
    rc = eas_view_task(db, n, &task, err);
    if (rc < 0) return rc;
    job = strtoll(eas_json_str(task, "job") + 1, NULL, 10);
    json_decref(task);
  }
  rc = eas_retry(db, job, *id == 't' ? n : 0, &n_ready, err);
  if (rc >= 0) *out = json_sprintf("%d tasks of j%" PRId64 " run again, %d of them now", rc, job, n_ready);
  return rc;
}

static int act(eas_db *db, const char *what, const char *id, json_t **out, eas_err *err)
{
  int64_t n = strtoll(id + 1, NULL, 10);
  if (strcmp(what, "retry") == 0) return again(db, id, out, err);
  if (*id != 'j') return eas_fail(err, EAS_EINVAL, "'%.30s' is no job", id);
  if (strcmp(what, "pause") == 0)
    return gate(db, n, "paused", "starts nothing more; what runs goes on to its end", out, err);
  if (strcmp(what, "resume") == 0) return gate(db, n, "active", "goes on", out, err);
  if (strcmp(what, "cancel") == 0) return gate(db, n, "cancelled", "is cancelled; what runs is stopped", out, err);
  return eas_fail(err, EAS_EINVAL, "'%.30s' is none of retry, pause, resume, cancel", what);
}

int eas_web_act(eas_cli *c, const json_t *request, json_t **out, eas_err *err)
{
  const char *what = eas_json_str(request, "do"), *id = eas_json_str(request, "target");
  eas_db *db = NULL;
  json_t *text = NULL;
  if (!eas_conf_int(c->conf, "web_actions")) return eas_fail(err, EAS_EREFUSED, "actions are off");
  if (!what || !id || !strchr("jt", *id) || strspn(id + 1, "0123456789") != strlen(id) - 1 || strlen(id) < 2 ||
      strlen(id) > 19)
    return eas_fail(err, EAS_EINVAL, "an action needs what to do, and an id (j3, t4)");
  int rc = eas_db_open(&db, eas_conf_str(c->conf, "database"), 0, err);
  if (rc >= 0) rc = act(db, what, id, &text, err);
  if (rc >= 0) rc = eas_db_ring(db, err);
  eas_db_close(db);
  if (rc >= 0)
    *out = json_pack("{s:o}", "done", text);
  else
    json_decref(text);
  return rc;
}
