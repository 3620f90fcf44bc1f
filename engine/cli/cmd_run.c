/* cmd_run.c: eas run JOB: submit, work, watch, say what came of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/jobs.h"
#include "cli/notify.h"
#include "cli/progress.h"
#include "cli/recovery.h"
#include "cli/session.h"
#include "model/job.h"
#include "model/view.h"

typedef struct {
  eas_session s;
  eas_progress *progress;
  eas_submitted job;
  int64_t started_us, leave_by_us;
  int done, leaving;
} run;

static void look_if_done(run *r)
{
  if (r->leaving) return;
  if (eas_view_job_done(r->s.c->db, r->job.job, NULL) == 1) r->done = 1;
  int idle = (!r->s.worker || eas_worker_idle(r->s.worker)) && (!r->s.control || eas_control_idle(r->s.control));
  if (r->done || (r->s.stopping && idle)) eas_loop_stop(r->s.loop);
}

static void on_change(void *arg)
{
  run *r = arg;
  if (r->progress) eas_progress_changed(r->progress);
  look_if_done(r);
}

static void on_stop(void *arg, int n_running)
{
  run *r = arg;
  char text[160];
  int64_t grace = eas_conf_duration_us(r->s.c->conf, "drain_grace") / 1000000;
  snprintf(text, sizeof text,
           "stopping: %d running task%s get%s %" PRId64 " s, again to kill; the same command goes on", n_running,
           n_running == 1 ? "" : "s", n_running == 1 ? "s" : "", grace);
  if (r->progress)
    eas_progress_note(r->progress, text);
  else
    fprintf(stderr, "%s\n", text);
}

/* A look now and then, in case a job ends by what no commit of ours tells (cancelled from outside). */
static void on_beat(void *arg)
{
  run *r = arg;
  look_if_done(r);
  eas_loop_after(r->s.loop, r->s.stopping ? 20000 : 500000, on_beat, r);
}

static void on_leaving(void *arg)
{
  run *r = arg;
  if (eas_worker_idle(r->s.worker) || eas_tick_us() > r->leave_by_us)
    eas_loop_stop(r->s.loop);
  else
    eas_loop_after(r->s.loop, 5000, on_leaving, r);
}

/* This job is done, but a child of another one may run, which a killed run left: it is queued again, for its own run. */
static void leave(run *r)
{
  if (!r->done || eas_worker_idle(r->s.worker)) return;
  r->leaving = 1;
  r->leave_by_us = eas_tick_us() + 2000000;
  eas_worker_kill(r->s.worker);
  on_leaving(r);
  eas_loop_run(r->s.loop, NULL);
}

static int exit_status(const eas_job_counts *k)
{
  return k->failed || k->skipped || k->cancelled ? EAS_EXIT_FAILED : EAS_EXIT_OK;
}

/* Flow control is not counted: people think of what their scripts did. */
static int64_t work_passed(const eas_job_counts *k)
{
  return k->work_done - k->work_failed - (k->cancelled > 0 ? k->cancelled : 0);
}

static void print_json(const eas_cli *c, const eas_job_counts *k, int64_t wall_us)
{
  (void)c;
  json_t *v =
      json_pack("{s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:f}", "job", "", "name", k->name, "done", k->done_at != 0,
                "passed", (json_int_t)work_passed(k), "reused", (json_int_t)k->reused, "failed", (json_int_t)k->failed,
                "skipped", (json_int_t)k->skipped, "cancelled", (json_int_t)k->cancelled, "tasks",
                (json_int_t)k->work_total, "wall_seconds", (double)wall_us / 1e6);
  char id[32];
  snprintf(id, sizeof id, "j%" PRId64, k->job);
  json_object_set_new(v, "job", json_string(id));
  json_dumpf(v, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
  fputc('\n', stdout);
  json_decref(v);
}

static void print_end(eas_cli *c, const eas_job_counts *k, int64_t wall_us)
{
  char wall[32];
  int bad = exit_status(k) != 0;
  eas_duration_text(wall_us, wall);
  const char *state = bad ? "failed" : "passed";
  int64_t passed = work_passed(k);
  printf("%s%s%s j%" PRId64 " %s: %" PRId64 " %s passed", eas_ink(c, eas_state_ink(state)), eas_state_symbol(c, state),
         eas_ink_off(c), k->job, k->name, passed, passed == 1 ? "task" : "tasks");
  if (k->reused) printf(" (%" PRId64 " reused)", k->reused);
  printf(", %" PRId64 " failed", k->failed);
  if (k->skipped) printf(", %" PRId64 " skipped", k->skipped);
  if (k->cancelled) printf(", %" PRId64 " cancelled", k->cancelled);
  if (wall_us > 0) printf(", %s", wall);
  printf("\n");
  eas_recovery_print(c, k->job, stdout);
  char flag[512] = "";
  int narrow = c->tty && c->width < 80;
  if (strcmp(eas_conf_source(c->conf, "data"), "default") != 0)
    snprintf(flag, sizeof flag, " --data %s", eas_conf_str(c->conf, "data"));
  if (!bad && eas_store_is_url(eas_conf_str(c->conf, "store")))
    printf("\nFiles    %s     eas files j%" PRId64 "%s --into FOLDER\n", eas_conf_str(c->conf, "store"), k->job, flag);
  if (bad)
    printf("\nNext     eas errors j%" PRId64 "%s\n", k->job, flag);
  else if (eas_store_is_url(eas_conf_str(c->conf, "store")))
    printf("Next     eas results j%" PRId64 "%s\n", k->job, flag);
  else
    printf("\nFiles    %s/products/%s\nReport   eas report j%" PRId64 "%s%s\nNext     eas results j%" PRId64 "%s\n",
           eas_conf_str(c->conf, "store"), narrow ? "" : "     open in TOPCAT, astropy, lightkurve", k->job, flag,
           narrow ? "" : "     one HTML page", k->job, flag);
}

static int finish(run *r)
{
  eas_cli *c = r->s.c;
  eas_job_counts k;
  eas_err err = { 0 };
  int64_t wall = eas_tick_us() - r->started_us;
  if (eas_view_counts(c->db, r->job.job, &k, &err) < 0) return eas_cli_fail(c, &err);
  if (!r->done && r->s.stopping) {
    fprintf(stderr, "stopped: %" PRId64 " of %" PRId64 " tasks are done; the same command goes on\n", k.work_done,
            k.work_total);
    return EAS_EXIT_INTERRUPTED;
  }
  if (c->json)
    print_json(c, &k, wall);
  else
    print_end(c, &k, wall);
  return exit_status(&k);
}

static int show_done(eas_cli *c, int64_t job)
{
  eas_job_counts k;
  eas_err err = { 0 };
  if (eas_view_counts(c->db, job, &k, &err) < 0) return eas_cli_fail(c, &err);
  if (c->json) {
    print_json(c, &k, 0);
  } else {
    printf("j%" PRId64 " is done already; --fresh runs it anew\n", job);
    print_end(c, &k, 0);
  }
  return exit_status(&k);
}

int eas_run_job(eas_cli *c, const eas_jobfile *f, const eas_submit_options *o)
{
  run r = { .s = { .c = c, .lock_fd = -1, .on_change = on_change, .on_stop = on_stop }, .started_us = eas_tick_us() };
  eas_err err = { 0 };
  r.s.arg = &r;
  int rc = eas_session_lock(&r.s, &err);
  if (rc >= 0) eas_session_tidy(&r.s);
  if (rc >= 0) rc = eas_cli_open_registry(c, &err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_CREATE, &err);
  if (rc >= 0) rc = eas_job_submit(c->db, f, c->registry, o, &r.job, &err);
  if (rc >= 0 && r.job.done) {
    int n_again = eas_jobs_again(c, r.job.job, &err);
    if (n_again <= 0) {
      int status = n_again < 0 ? eas_cli_fail(c, &err) : show_done(c, r.job.job);
      eas_session_close(&r.s);
      return status;
    }
  }
  if (rc >= 0) rc = eas_session_open(&r.s, c, EAS_ROLE_WORKER | EAS_ROLE_CONTROL, &err);
  if (rc < 0) {
    eas_session_close(&r.s);
    return eas_cli_fail(c, &err);
  }
  if (!c->quiet && !c->json && r.job.existed) fprintf(stderr, "j%" PRId64 " goes on where it stopped\n", r.job.job);
  r.progress = c->json && !c->progress ? NULL : eas_progress_new(&r.s, r.job.job);
  eas_notify_start(&r.s);
  eas_control_look(r.s.control);
  on_beat(&r);
  rc = eas_loop_run(r.s.loop, &err);
  if (rc >= 0) leave(&r);
  if (rc >= 0 && r.done) eas_notify_end(&r.s);
  if (r.progress) eas_progress_end(r.progress, r.done);
  int status = rc < 0 ? eas_cli_fail(c, &err) : finish(&r);
  eas_session_close(&r.s);
  return status;
}

static int cmd_run(eas_cli *c)
{
  eas_jobfile *f = NULL;
  eas_submit_options o = { 0 };
  eas_err err = { 0 };
  int status = eas_jobs_load(c, c->args[0], &f, &o, &err);
  if (status == 0) status = eas_cli_has(c, "--explain") ? eas_jobs_explain(c, f, &o) : eas_run_job(c, f, &o);
  eas_jobfile_free(f);
  return status;
}

const eas_command eas_cmd_run = {
  .name = "run",
  .args = "JOB",
  .summary = "runs a job file here until it is done, on the embedded database",
  .detail = "JOB is a JSON file, or a Lua file that returns the same table. It is checked as a whole before anything "
            "is stored.\n"
            "The same command again goes on where it stopped, or shows the result. Ctrl-C stops cleanly (exit 130).",
  .examples = "  eas run examples/first_planets.json --data first_planets\n  eas run survey.json --slots 8 --json",
  .groups = EAS_O_DATA | EAS_O_WORK | EAS_O_JSON,
  .options = eas_job_options,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_run
};
