/* cmd_status.c: eas status: where a job stands, from counters. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/select.h"
#include "cli/table.h"
#include "model/view.h"

static const char *state_of(const eas_job_counts *k)
{
  if (!k->done_at)
    return strcmp(k->state, "active") == 0 ? (k->running || k->queued ? "running" : "waiting") : k->state;
  return k->failed || k->skipped ? "failed" : k->cancelled ? "cancelled" : "passed";
}

static json_t *counts_json(const eas_job_counts *k)
{
  char id[32];
  snprintf(id, sizeof id, "j%" PRId64, k->job);
  json_t *types = json_array();
  for (int i = 0; i < k->n_types; i++)
    json_array_append_new(
        types, json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "type", k->types[i].type, "waiting",
                         (json_int_t)k->types[i].waiting, "queued", (json_int_t)k->types[i].queued, "running",
                         (json_int_t)k->types[i].running, "passed", (json_int_t)k->types[i].passed, "reused",
                         (json_int_t)k->types[i].reused, "failed", (json_int_t)k->types[i].failed, "skipped",
                         (json_int_t)k->types[i].skipped, "cancelled", (json_int_t)k->types[i].cancelled));
  json_t *v = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o}", "job", id, "name", k->name, "state", state_of(k),
                        "gate", k->state, "created_at", (json_int_t)k->created_at, "tasks", (json_int_t)k->work_total,
                        "ended", (json_int_t)k->work_done, "failed", (json_int_t)k->failed, "skipped",
                        (json_int_t)k->skipped, "types", types);
  json_object_set_new(v, "trace_id", *k->trace_id ? json_string(k->trace_id) : json_null());
  json_object_set_new(v, "done_at", k->done_at ? json_integer(k->done_at) : json_null());
  return v;
}

static void head_line(eas_cli *c, const eas_job_counts *k)
{
  char wall[32], done[32], total[32];
  const char *state = state_of(k);
  int64_t us = (k->done_at ? k->done_at : eas_now_us()) - k->created_at;
  eas_duration_text(us, wall);
  eas_count_text(c, k->work_done, done);
  eas_count_text(c, k->work_total, total);
  printf("j%" PRId64 " %s   %s%s %s%s %s   %s of %s tasks", k->job, k->name, eas_ink(c, eas_state_ink(state)),
         eas_state_symbol(c, state), state, eas_ink_off(c), wall, done, total);
  double rate = us > 0 ? (double)k->work_done / ((double)us / 1e6) : 0;
  if (!k->done_at && rate > 0) {
    char left[32];
    eas_duration_text((int64_t)((double)(k->work_total - k->work_done) / rate * 1e6), left);
    printf("   %.1f/s   %s left", rate, left);
  }
  printf("\n");
}

static void type_table(eas_cli *c, const eas_job_counts *k)
{
  static const char *const states[] = { "passed",  "reused", "running", "queued",
                                        "waiting", "failed", "skipped", "cancelled" };
  eas_table *t = eas_table_new(c);
  eas_table_column(t, "type", EAS_LEFT);
  for (int s = 0; s < 8; s++)
    eas_table_column(t, c->csv || !c->utf8 ? states[s] : eas_state_symbol(c, states[s]), EAS_RIGHT);
  for (int i = 0; i < k->n_types; i++) {
    if (k->types[i].flow && !c->verbose && !c->csv) continue;
    const int64_t n[] = { k->types[i].passed,  k->types[i].reused, k->types[i].running, k->types[i].queued,
                          k->types[i].waiting, k->types[i].failed, k->types[i].skipped, k->types[i].cancelled };
    eas_table_cell(t, EAS_PLAIN, k->types[i].type);
    for (int s = 0; s < 8; s++) {
      char text[32];
      eas_count_text(c, n[s], text);
      eas_table_cell(t, n[s] ? eas_state_ink(states[s]) : EAS_DIM, text);
    }
  }
  eas_table_print(t, "no task yet: eas control or eas run expands the job");
}

static void tail_line(eas_cli *c, const eas_job_counts *k)
{
  json_t *groups = NULL, *workers = NULL;
  eas_view_filter f = { .job = k->job };
  if (k->failed && eas_view_errors(c->db, &f, &groups, NULL) >= 0) {
    size_t i;
    json_t *v;
    printf("failed   ");
    json_t *kinds = json_object();
    const char *kind;
    json_array_foreach(groups, i, v)
    {
      kind = eas_json_str(v, "kind");
      json_object_set_new(kinds, kind, json_integer(eas_json_int(kinds, kind, 0) + eas_json_int(v, "n", 0)));
    }
    i = 0;
    json_object_foreach(kinds, kind, v)
        printf("%s%" PRId64 " %s", i++ ? ", " : "", (int64_t)json_integer_value(v), kind);
    json_decref(kinds);
    printf(": eas errors j%" PRId64 "\n", k->job);
  }
  if (!k->done_at && eas_view_workers(c->db, &workers, NULL) >= 0) {
    int64_t n = eas_json_int(workers, "active", 0);
    if (n == 0)
      printf("no worker: eas worker, or eas run with the same job\n");
    else
      printf("%" PRId64 " worker%s, %" PRId64 " of %" PRId64 " slots busy\n", n, n == 1 ? "" : "s",
             eas_json_int(workers, "busy", 0), eas_json_int(workers, "slots", 0));
  }
  json_decref(groups);
  json_decref(workers);
}

static int list_jobs(eas_cli *c)
{
  json_t *jobs = NULL;
  eas_err err = { 0 };
  int64_t limit = 20;
  int rc = eas_cli_int(c, "--limit", 20, &limit, &err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0) rc = eas_view_jobs(c->db, eas_select_wanted(c) ? 0 : (int)limit, &jobs, &err);
  if (rc >= 0) rc = eas_select_rows(c, &jobs, limit, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (c->json) return eas_print_json(jobs);
  static const char *const states[] = { "passed",  "reused", "running", "queued",
                                        "waiting", "failed", "skipped", "cancelled" };
  eas_table *t = eas_table_new(c);
  eas_table_column(t, "job", EAS_LEFT);
  eas_table_column(t, "name", EAS_LEFT);
  eas_table_column(t, "state", EAS_LEFT);
  for (int s = 0; s < 8; s++)
    eas_table_column(t, c->csv || !c->utf8 ? states[s] : eas_state_symbol(c, states[s]), EAS_RIGHT);
  size_t i;
  json_t *v;
  json_array_foreach(jobs, i, v)
  {
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "job"));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "name"));
    eas_table_cell(t, EAS_PLAIN, json_is_null(json_object_get(v, "done_at")) ? eas_json_str(v, "state") : "done");
    for (int s = 0; s < 8; s++) eas_table_cellf(t, EAS_PLAIN, "%" PRId64, eas_json_int(v, states[s], 0));
  }
  eas_table_print(t, "no job yet: eas run JOB, or eas submit JOB");
  json_decref(jobs);
  return EAS_EXIT_OK;
}

/* What a cluster's scheduler, or a person, starts more of. */
static int list_needed(eas_cli *c)
{
  json_t *list = NULL, *v, *name;
  eas_err err = { 0 };
  int rc = eas_cli_open_registry(c, &err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0) rc = eas_view_needed(c->db, c->registry, &list, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (c->json) return eas_print_json(list);
  static const char *const numbers[] = { "queued", "workers", "slots", "busy", "missing" };
  eas_table *t = eas_table_new(c);
  eas_table_column(t, "container", EAS_LEFT);
  for (int k = 0; k < 5; k++) eas_table_column(t, numbers[k], EAS_RIGHT);
  eas_table_column(t, "types that wait", EAS_LEFT | EAS_MINOR);
  size_t i, j;
  json_array_foreach(list, i, v)
  {
    if (!c->csv && !eas_json_int(v, "queued", 0) && !eas_json_int(v, "busy", 0)) continue;
    eas_buf types;
    eas_buf_init(&types);
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "container"));
    for (int k = 0; k < 5; k++)
      eas_table_cellf(t, k == 4 && eas_json_int(v, "missing", 0) ? EAS_YELLOW : EAS_PLAIN, "%" PRId64,
                      eas_json_int(v, numbers[k], 0));
    json_array_foreach(json_object_get(v, "types"), j, name)
        eas_buf_printf(&types, "%s%s", j ? " " : "", json_string_value(name));
    eas_table_cell(t, EAS_PLAIN, types.data);
    eas_buf_done(&types);
  }
  eas_table_print(t, "nothing waits or runs: no container is needed");
  json_decref(list);
  return EAS_EXIT_OK;
}

static int cmd_status(eas_cli *c)
{
  eas_err err = { 0 };
  int64_t job = 0;
  eas_job_counts k;
  const char *name = c->n_args ? c->args[0] : eas_cli_get(c, "--job");
  if (eas_cli_has(c, "--all")) return list_jobs(c);
  if (eas_cli_has(c, "--needed")) return list_needed(c);
  if (eas_select_wanted(c) || eas_cli_get(c, "--limit"))
    return eas_cli_usage(c, "--where, --sort and --limit go with --all");
  int rc = eas_cli_job(c, name, &job, &err);
  if (rc >= 0) rc = eas_view_counts(c->db, job, &k, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (c->json) return eas_print_json(counts_json(&k));
  if (!c->csv) head_line(c, &k);
  type_table(c, &k);
  if (!c->csv) tail_line(c, &k);
  return EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = { { "--all", NULL, NULL, "a row for each job, newest first" },
                                      { "--needed", NULL, NULL,
                                        "the containers that could work now: slots there are, and missing ones" },
                                      { 0 } };

const eas_command eas_cmd_status = { .name = "status",
                                     .args = "[JOB]",
                                     .summary = "where a job stands: its tasks by type and state",
                                     .detail = "Without JOB: the newest.",
                                     .examples = "  eas status --all\n  eas status --needed\n  eas status j3 --json",
                                     .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_ROWS,
                                     .options = OPTIONS,
                                     .max_args = 1,
                                     .run = cmd_status };
