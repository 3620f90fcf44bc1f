/* cmd_service.c: eas init, submit, control, worker: the roles of a cluster, and on SQLite the same roles apart. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/jobs.h"
#include "cli/notify.h"
#include "cli/scaler.h"
#include "cli/session.h"

static int cmd_init(eas_cli *c)
{
  eas_err err = { 0 };
  int found = 0, newest = 0;
  const char *url = eas_conf_str(c->conf, "database");
  int is_file = strncmp(url, "sqlite:", 7) == 0; /* of a server, opening refuses a schema that is not there yet */
  int rc = is_file ? eas_cli_open_db(c, EAS_DB_CREATE, &err) : eas_db_open(&c->db, url, EAS_DB_CREATE, &err);
  if (rc >= 0) rc = eas_db_schema(c->db, &found, &newest, &err);
  if (rc >= 0) rc = eas_db_migrate(c->db, &err);
  if (rc >= 0) rc = eas_cli_open_store(c, &err);
  if (rc >= 0) rc = eas_store_probe(c->store, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  char *shown = eas_conf_shown(c->conf, "database");
  if (c->json)
    eas_print_json(json_pack("{s:s,s:i,s:i,s:s}", "database", shown, "schema", newest, "schema_before", found, "store",
                             eas_store_where(c->store)));
  else
    printf("database %s: schema %d\nstore    %s\n", shown, newest, eas_store_where(c->store));
  free(shown);
  return EAS_EXIT_OK;
}

const eas_command eas_cmd_init = {
  .name = "init",
  .args = "",
  .summary = "makes the database schema and the store's folders",
  .detail = "Keeps what is there: an existing database is brought to the newest schema, never emptied.",
  .examples = "",
  .groups = EAS_O_DATA | EAS_O_JSON,
  .max_args = 0,
  .run = cmd_init
};

static int cmd_submit(eas_cli *c)
{
  eas_jobfile *f = NULL;
  eas_submit_options o = { 0 };
  eas_submitted s = { 0 };
  eas_err err = { 0 };
  int status = eas_jobs_load(c, c->args[0], &f, &o, &err);
  if (status == 0 && eas_cli_has(c, "--check")) {
    if (!c->json) printf("%s: no errors, nothing was stored\n", c->args[0]);
    eas_jobfile_free(f);
    return status;
  }
  int rc = status ? -1 : eas_cli_open_db(c, EAS_DB_CREATE, &err);
  if (rc >= 0) rc = eas_job_submit(c->db, f, c->registry, &o, &s, &err);
  if (rc >= 0) rc = eas_db_ring(c->db, &err);
  eas_jobfile_free(f);
  if (status) return status;
  if (rc < 0) return eas_cli_fail(c, &err);
  eas_log_context(s.job, 0, 0, NULL);
  eas_log_trace(s.trace_id);
  eas_log(EAS_DEBUG, s.existed ? "submitted: it was there already" : "submitted");
  if (c->json)
    printf("{\"job\":\"j%" PRId64 "\",\"existed\":%s,\"done\":%s,\"trace_id\":%s%s%s}\n", s.job,
           s.existed ? "true" : "false", s.done ? "true" : "false", *s.trace_id ? "\"" : "",
           *s.trace_id ? s.trace_id : "null", *s.trace_id ? "\"" : "");
  else
    printf("j%" PRId64 "%s\n", s.job,
           s.done      ? " is done already; --fresh runs it anew"
           : s.existed ? " was there already and goes on"
                       : "");
  return EAS_EXIT_OK;
}

static const eas_option SUBMIT[] = {
  { "--check", NULL, NULL, "only check the file; store nothing" },
  { "--fresh", NULL, NULL, "a new job even if this one was submitted before" },
  { "--seed", "N", NULL, "seed of all random numbers (default: the job's \"seed\", else 1)" },
  { "--priority", "N", NULL, "higher first (default: the job's \"priority\", else 0)" },
  { "--prototype-names", NULL, NULL, "numbers in file names as the Python prototype wrote them: 0.0, not 0" },
  { 0 }
};

const eas_command eas_cmd_submit = { .name = "submit",
                                     .args = "JOB",
                                     .summary = "stores a job for workers to run; prints its id",
                                     .detail = "Submitting the same job twice is harmless: it is found again.",
                                     .examples = "  eas submit survey.json --check",
                                     .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_WORK,
                                     .options = SUBMIT,
                                     .min_args = 1,
                                     .max_args = 1,
                                     .run = cmd_submit };

static int idle_too_long(eas_session *s, int idle)
{
  if (!idle || !s->idle_us) {
    s->idle_since = 0;
    return 0;
  }
  if (!s->idle_since) s->idle_since = eas_tick_us();
  return eas_tick_us() - s->idle_since >= s->idle_us;
}

/* Stops the loop when the role has nothing left: --once, --idle, or draining. */
static void on_beat(void *arg)
{
  eas_session *s = arg;
  int idle = (!s->worker || eas_worker_idle(s->worker)) && (!s->control || eas_control_idle(s->control));
  if (idle && (s->stopping || eas_cli_has(s->c, "--once") || idle_too_long(s, idle))) {
    eas_loop_stop(s->loop);
    return;
  }
  eas_loop_after(s->loop, s->stopping ? 20000 : 200000, on_beat, s);
}

static void on_change(void *arg)
{
  (void)arg;
}

static void on_stop(void *arg, int n_running)
{
  eas_session *s = arg;
  eas_log(EAS_INFO, "stopping: %d running, %" PRId64 " s grace", n_running,
          eas_conf_duration_us(s->c->conf, "drain_grace") / 1000000);
  if (s->worker)
    eas_loop_after(s->loop, 0, on_beat, s); /* only now: an idle worker has no clock that ticks */
  else
    eas_loop_stop(s->loop);
}

static int serve(eas_cli *c, int roles)
{
  eas_session s = { .lock_fd = -1, .on_change = on_change, .on_stop = on_stop };
  eas_err err = { 0 };
  s.arg = &s;
  int rc = 0;
  const char *idle = eas_cli_get(c, "--idle");
  if (idle && (rc = eas_conf_parse_duration(idle, &s.idle_us)) < 0)
    return eas_cli_usage(c, "--idle takes a time, not '%s'", idle);
  rc = eas_session_open(&s, c, roles, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  eas_log(EAS_INFO, roles & EAS_ROLE_WORKER ? "worker w%" PRId64 " is up" : "control is up",
          s.worker ? eas_worker_id(s.worker) : 0);
  if (s.control) eas_control_look(s.control);
  if (eas_cli_has(c, "--once") || s.idle_us) eas_loop_after(s.loop, 200000, on_beat, &s);
  eas_scaler_start(&s);
  eas_notify_start(&s);
  rc = eas_loop_run(s.loop, &err);
  eas_worker_status st = { 0 };
  if (s.worker) eas_worker_status_get(s.worker, &st);
  int64_t id = s.worker ? eas_worker_id(s.worker) : 0;
  eas_session_close(&s);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (c->json && id)
    printf("{\"role\":\"worker\",\"worker\":\"w%" PRId64 "\",\"ended\":%" PRId64 "}\n", id, st.ended);
  else if (c->json)
    printf("{\"role\":\"control\"}\n");
  return EAS_EXIT_OK;
}

static int cmd_worker(eas_cli *c)
{
  return serve(c, EAS_ROLE_WORKER);
}

static int cmd_control(eas_cli *c)
{
  return serve(c, EAS_ROLE_CONTROL);
}

static const eas_option WORKER[] = { { "--container", "NAME", "container",
                                       "container of the registry that this worker is" },
                                     { "--once", NULL, NULL, "end when nothing is left that could be started" },
                                     { "--idle", "TIME", NULL, "end after so long with nothing to do: 90 s, 5 min" },
                                     { 0 } };
static const eas_option CONTROL[] = { { "--once", NULL, NULL, "do what is to be done, then end (for cron)" }, { 0 } };

const eas_command eas_cmd_control = { .name = "control",
                                      .args = "",
                                      .summary = "expands flow control, recovers what is lost, skips, retries",
                                      .detail = "Several may run. SIGTERM ends it.",
                                      .examples = "",
                                      .groups = EAS_O_DATA | EAS_O_WORK | EAS_O_JSON,
                                      .options = CONTROL,
                                      .max_args = 0,
                                      .run = cmd_control };

const eas_command eas_cmd_worker = { .name = "worker",
                                     .args = "",
                                     .summary = "claims attempts and runs them in isolated processes",
                                     .detail = "SIGTERM drains: running attempts get drain_grace, the rest is handed "
                                               "back. An edited script is used by the next attempt.",
                                     .examples = "  eas worker --slots 8 --container eas_worker_tls",
                                     .groups = EAS_O_DATA | EAS_O_WORK | EAS_O_JSON,
                                     .options = WORKER,
                                     .max_args = 0,
                                     .run = cmd_worker };
