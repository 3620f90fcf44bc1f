/* cmd_report.c: eas report: gathers what a job did; eas.view.report makes one page of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/meter.h"
#include "cli/places.h"
#include "cli/report_folds.h"
#include "cli/results.h"
#include "model/job.h"
#include "model/view.h"

enum { PAGE = 1000, ROWS = 2000, CAUSES = 30 };

static int add_job(eas_cli *c, int64_t job, json_t *q, eas_err *err)
{
  eas_job_counts k;
  eas_jobfile *f = NULL;
  eas_submit_options o = { 0 };
  int rc = eas_view_counts(c->db, job, &k, err);
  if (rc >= 0) rc = eas_job_load(c->db, job, &f, &o, err);
  if (rc < 0) return rc;
  json_t *types = json_array();
  for (int i = 0; i < k.n_types; i++) {
    int64_t open = k.types[i].waiting + k.types[i].queued + k.types[i].running;
    if (!k.types[i].flow)
      json_array_append_new(types,
                            json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "type", k.types[i].type, "passed",
                                      (json_int_t)k.types[i].passed, "reused", (json_int_t)k.types[i].reused, "failed",
                                      (json_int_t)k.types[i].failed, "skipped", (json_int_t)k.types[i].skipped,
                                      "cancelled", (json_int_t)k.types[i].cancelled, "open", (json_int_t)open));
  }
  json_object_set_new(q, "job",
                      json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:s,s:s,s:I,s:b}", "id", (json_int_t)job, "name",
                                k.name, "state", k.state, "created_at", (json_int_t)k.created_at, "done_at",
                                (json_int_t)k.done_at, "total", (json_int_t)k.work_total, "done",
                                (json_int_t)k.work_done, "failed", (json_int_t)k.work_failed, "types", types, "file",
                                f->file, "document", f->text, "seed", (json_int_t)o.seed, "prototype_names",
                                o.prototype_names));
  eas_jobfile_free(f);
  return 0;
}

/* The first rows for the table, all of them for the choice of folds. */
static int add_results(eas_cli *c, int64_t job, json_t *q, eas_err *err)
{
  eas_folds *folds = eas_folds_new();
  json_t *list = json_array(), *row;
  eas_meter m = eas_meter_new(c, "results read", eas_meter_tasks(c, job));
  int64_t after = 0, total = 0, seen = 0;
  int n;
  do {
    json_t *rows = NULL;
    size_t i;
    n = eas_view_results(c->db, job, NULL, after, PAGE, &rows, err);
    json_array_foreach(rows, i, row)
    {
      after = strtoll(eas_json_str(row, "task") + 1, NULL, 10);
      eas_folds_add(folds, row);
      if (!json_object_get(json_object_get(row, "result"), "outcome")) continue;
      if (total++ < ROWS) {
        json_t *o = eas_results_flat(row);
        json_array_append_new(list, json_pack("{s:O,s:o}", "parameters", json_object_get(row, "parameters"), "row", o));
      }
    }
    json_decref(rows);
    eas_meter_seen(&m, seen += n > 0 ? n : 0);
  } while (n == PAGE);
  eas_meter_end(&m);
  json_object_set_new(q, "folds", eas_folds_take(folds, c));
  json_object_set_new(q, "results", list);
  json_object_set_new(q, "n_results", json_integer(total));
  return n < 0 ? n : 0;
}

/* Failures by cause, each with what its example said, and where. */
static int add_errors(eas_cli *c, int64_t job, json_t *q, eas_err *err)
{
  static const char *const keys[] = { "error", "reason", "ended_at", "host", "description" };
  eas_view_filter f = { .job = job };
  json_t *groups = NULL, *g;
  size_t i;
  int rc = eas_view_errors(c->db, &f, &groups, err);
  json_array_foreach(groups, i, g)
  {
    json_t *a = NULL;
    if (rc < 0 || i >= CAUSES) break;
    rc = eas_view_attempt(c->db, strtoll(eas_json_str(g, "attempt") + 1, NULL, 10), &a, err);
    if (rc < 0) break;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) json_object_set(g, keys[k], json_object_get(a, keys[k]));
    if (eas_json_str(a, "trace")) {
      char *text = eas_places_text(c, eas_json_str(a, "trace"), eas_json_int(a, "ended_at", 0));
      json_object_set_new(g, "trace", json_string(text));
      free(text);
    }
    json_decref(a);
  }
  json_object_set_new(q, "errors", groups ? groups : json_array());
  return rc < 0 ? rc : 0;
}

/* Code, host and layers of one accepted attempt of each type. */
static int add_provenance(eas_cli *c, int64_t job, json_t *q, eas_err *err)
{
  json_t *list = NULL;
  int rc = eas_view_samples(c->db, job, &list, err);
  if (rc >= 0) json_object_set_new(q, "provenance", list);
  return rc;
}

static int gather(eas_cli *c, int64_t job, json_t *q, eas_err *err)
{
  json_t *recovery = NULL, *timings = NULL;
  eas_meter m = eas_meter_new(c, "tasks looked at", eas_meter_tasks(c, job));
  eas_view_filter f = { .job = job, .seen = eas_meter_seen, .seen_arg = &m };
  int rc = add_job(c, job, q, err);
  if (rc >= 0) rc = eas_view_recovery(c->db, job, &recovery, err);
  if (recovery) json_object_set_new(q, "recovery", recovery);
  if (rc >= 0) rc = add_results(c, job, q, err);
  if (rc >= 0) rc = add_errors(c, job, q, err);
  m.started_us = eas_tick_us(); /* the steps before have meters of their own */
  if (rc >= 0) rc = eas_view_timings(c->db, &f, &timings, err);
  eas_meter_end(&m);
  if (timings) json_object_set_new(q, "timings", timings);
  if (rc >= 0) rc = add_provenance(c, job, q, err);
  char *database = eas_conf_shown(c->conf, "database");
  json_object_set_new(q, "database", json_string(database));
  json_object_set_new(q, "version", json_string(EAS_VERSION));
  json_object_set_new(q, "made_at", json_integer(eas_now_us()));
  free(database);
  return rc;
}

/* report.html in the data folder, unless a file is named. */
static int write_page(eas_cli *c, int64_t job, const char *page, size_t n, eas_err *err)
{
  const char *given = eas_cli_get(c, "--output");
  if (given && strcmp(given, "-") == 0) {
    if (fwrite(page, 1, n, stdout) == n && fflush(stdout) == 0) return 0;
    return eas_fail(err, EAS_EIO, "standard output: the page could not be written");
  }
  char *path = given ? eas_strdup(given) : eas_path_join(eas_conf_str(c->conf, "data"), "report.html"), id[32];
  int rc = eas_file_write(path, page, n, 0644, err);
  if (rc < 0) {
    err->code = rc = EAS_EINVAL;
    eas_hint(err, "name a file that can be written: -o FILE");
  } else if (c->json) {
    snprintf(id, sizeof id, "j%" PRId64, job);
    eas_print_json(json_pack("{s:s,s:s,s:I}", "job", id, "file", path, "bytes", (json_int_t)n));
  } else {
    printf("%s   open in a browser; needs no network\n", path);
  }
  free(path);
  return rc;
}

static int cmd_report(eas_cli *c)
{
  eas_err err = { 0 };
  int64_t job = 0;
  size_t n = 0;
  char *page = NULL;
  json_t *q = json_object();
  if (!c->runner->view) return eas_cli_usage(c, "this program was built without scripts");
  int rc = eas_cli_job(c, c->n_args ? c->args[0] : eas_cli_get(c, "--job"), &job, &err);
  if (rc >= 0) rc = gather(c, job, q, &err);
  char *text = rc >= 0 ? json_dumps(q, JSON_COMPACT) : NULL;
  if (text) page = c->runner->view(c->runner->arg, "report", text, &n, &err);
  if (text && !page) rc = err.code;
  if (page) rc = write_page(c, job, page, n, &err);
  free(page);
  free(text);
  json_decref(q);
  return rc < 0 ? eas_cli_fail(c, &err) : EAS_EXIT_OK;
}

static const eas_option REPORT[] = {
  { "--output", "FILE", NULL,
    "also -o: where to write; - is standard output (default report.html in the data folder)" },
  { 0 }
};

const eas_command eas_cmd_report = {
  .name = "report",
  .args = "[JOB]",
  .summary = "one HTML file that shows what a job found: maps, folds, failures, timings, provenance",
  .detail =
      "Needs no network to be read: pictures are in it, and it prints. Recovery maps show, for each search, the share "
      "of "
      "what was injected that was found (period within 3 %), over the loop variables; a loop's field \"label\" names "
      "its axis. The table has the first 2000 results, eas results all.",
  .examples = "  eas report j3 -o survey.html\n  eas report -o - | gzip >report.html.gz",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_JOB,
  .options = REPORT,
  .max_args = 1,
  .run = cmd_report
};
