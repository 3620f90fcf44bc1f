/* cmd_timings.c: eas timings: how long tasks ran and waited; eas queues: what waits now, and who could run it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/inner.h"
#include "cli/meter.h"
#include "cli/select.h"
#include "cli/table.h"
#include "model/view.h"

/* For people "18.2 s", for programs seconds. */
static void time_cell(eas_table *t, const eas_cli *c, const json_t *v, const char *key)
{
  char text[32];
  int64_t us = eas_json_int(v, key, 0);
  eas_duration_text(us, text);
  if (c->csv)
    eas_table_cellf(t, EAS_PLAIN, "%.6f", (double)us / 1e6);
  else
    eas_table_cell(t, EAS_PLAIN, text);
}

static void type_table(eas_cli *c, const json_t *rows)
{
  static const struct {
    const char *name, *csv;
    int flags;
  } columns[] = { { "type", "type", 0 },
                  { "n", "n", EAS_RIGHT },
                  { "wall median", "wall_median_seconds", EAS_RIGHT },
                  { "p95", "wall_p95_seconds", EAS_RIGHT },
                  { "max", "wall_max_seconds", EAS_RIGHT },
                  { "CPU/wall", "cpu_per_wall", EAS_RIGHT | EAS_MINOR },
                  { "queued median", "queued_median_seconds", EAS_RIGHT | EAS_MINOR },
                  { "p99", "queued_p99_seconds", EAS_RIGHT | EAS_MINOR },
                  { "peak", "peak_mb", EAS_RIGHT | EAS_MINOR },
                  { "total CPU", "cpu_seconds", EAS_RIGHT } };
  eas_table *t = eas_table_new(c);
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    eas_table_column(t, c->csv ? columns[i].csv : columns[i].name, columns[i].flags);
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)rows, i, v)
  {
    char n[32], peak[32];
    int64_t wall = eas_json_int(v, "wall_us", 0), kb = eas_json_int(v, "peak_kb", 0);
    eas_count_text(c, eas_json_int(v, "n", 0), n);
    eas_size_text(kb * 1024, peak);
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "type"));
    eas_table_cell(t, EAS_PLAIN, n);
    time_cell(t, c, v, "wall_median_us");
    time_cell(t, c, v, "wall_p95_us");
    time_cell(t, c, v, "wall_max_us");
    eas_table_cellf(t, EAS_PLAIN, "%.2f", wall > 0 ? (double)eas_json_int(v, "cpu_us", 0) / (double)wall : 0);
    time_cell(t, c, v, "queued_median_us");
    time_cell(t, c, v, "queued_p99_us");
    if (c->csv)
      eas_table_cellf(t, EAS_PLAIN, "%.3f", (double)kb / 1024);
    else
      eas_table_cell(t, EAS_PLAIN, peak);
    time_cell(t, c, v, "cpu_us");
  }
  eas_table_print(t, "no task of this job has run yet");
}

/* A row each: loop variables after what all have. */
static void each_table(eas_cli *c, const json_t *rows)
{
  enum { MOST = 12 };
  const char *names[MOST], *key;
  int n = 0;
  size_t i;
  json_t *v, *x;
  json_array_foreach((json_t *)(uintptr_t)rows, i, v) json_object_foreach(json_object_get(v, "parameters"), key, x)
  {
    size_t len = strlen(key);
    int known = !c->csv && len > 6 && strcmp(key + len - 6, "_index") == 0;
    for (int k = 0; k < n; k++) known |= strcmp(names[k], key) == 0;
    if (!known && n < MOST && !json_is_object(x) && !json_is_array(x)) names[n++] = key;
  }
  const size_t digits = c->csv ? 17 : 6;
  static const char *const first[] = {
    "attempt", "task", "type", "started", "wall", "cpu", "queued", "ending", "host"
  };
  eas_table *t = eas_table_new(c);
  for (size_t k = 0; k < sizeof first / sizeof *first; k++)
    eas_table_column(t, first[k], k >= 4 && k <= 6 ? EAS_RIGHT : k == 8 ? EAS_MINOR : EAS_LEFT);
  for (int k = 0; k < n; k++) eas_table_column(t, names[k], EAS_RIGHT | EAS_MINOR);
  json_array_foreach((json_t *)(uintptr_t)rows, i, v)
  {
    char stamp[40];
    eas_time_format(eas_json_int(v, "started_at", 0), 0, stamp);
    if (!c->csv) memmove(stamp, stamp + 11, 9), stamp[8] = 0;
    for (int k = 0; k < 3; k++) eas_table_cell(t, EAS_PLAIN, eas_json_str(v, first[k]));
    eas_table_cell(t, EAS_PLAIN, stamp);
    time_cell(t, c, v, "wall_us");
    time_cell(t, c, v, "cpu_us");
    time_cell(t, c, v, "queued_us");
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "ending"));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "host"));
    for (int k = 0; k < n; k++) {
      x = json_object_get(json_object_get(v, "parameters"), names[k]);
      char *text = !x                  ? eas_strdup("")
                   : json_is_string(x) ? eas_strdup(json_string_value(x))
                                       : json_dumps(x, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
      eas_table_cell(t, EAS_PLAIN, text);
      free(text);
    }
  }
  eas_table_print(t, "no task of this job has run yet");
}

static int cmd_timings(eas_cli *c)
{
  eas_view_filter f = { 0 };
  eas_err err = { 0 };
  json_t *rows = NULL;
  int each = eas_cli_has(c, "--each"), rc = eas_cli_filter(c, &f, &err);
  int limit = f.limit;
  if (each && !limit && c->tty && !c->csv && !c->json) limit = 50;
  if (rc >= 0) rc = eas_cli_job(c, c->n_args ? c->args[0] : eas_cli_get(c, "--job"), &f.job, &err);
  f.limit = eas_select_wanted(c) ? 0 : limit;
  eas_meter m = eas_meter_new(c, "tasks looked at", rc >= 0 ? eas_meter_tasks(c, f.job) : 0);
  f.seen = eas_meter_seen;
  f.seen_arg = &m;
  if (rc >= 0) rc = each ? eas_view_runs(c->db, &f, &rows, &err) : eas_view_timings(c->db, &f, &rows, &err);
  eas_meter_end(&m);
  if (rc >= 0) rc = eas_select_rows(c, &rows, limit, &err);
  if (rc < 0) {
    json_decref(rows);
    return eas_cli_fail(c, &err);
  }
  if (c->json) return eas_print_json(rows);
  if (each)
    each_table(c, rows);
  else
    type_table(c, rows);
  if (each && !c->csv && limit && (int)json_array_size(rows) == limit)
    printf("the first %d; all: --limit 0, --csv\n", limit);
  json_decref(rows);
  return EAS_EXIT_OK;
}

static const eas_option TIMINGS[] = { { "--each", NULL, NULL, "a row for each attempt, with its loop variables" },
                                      { 0 } };

const eas_command eas_cmd_timings = { .name = "timings",
                                      .args = "[JOB]",
                                      .summary = "how long tasks ran and waited, by type",
                                      .detail = "wall is an attempt's own time, queued what it waited for a slot after "
                                                "all it needs was there. --csv and --json: seconds and microseconds.",
                                      .examples = "  eas timings j3\n  eas timings j3 --each --type transit_search_tls "
                                                  "--sort -wall_us --limit 10",
                                      .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_TYPE |
                                                EAS_O_SINCE | EAS_O_ROWS,
                                      .options = TIMINGS,
                                      .max_args = 1,
                                      .run = cmd_timings };

/* Slots of the workers that may run a type, by its containers. */
static int64_t slots_for(const eas_cli *c, const json_t *workers, const char *type)
{
  int64_t sum = 0;
  size_t i;
  json_t *w;
  const eas_task_type *t = eas_registry_type(c->registry, type);
  json_array_foreach((json_t *)(uintptr_t)workers, i, w)
  {
    const char *container = eas_json_str(w, "container");
    if (eas_json_int(w, "lease_us", 0) < 0) continue; /* it is gone */
    int fits = !container || !*container || !t;
    for (int k = 0; !fits && t->containers[k]; k++) fits = strcmp(t->containers[k], container) == 0;
    if (fits) sum += eas_json_int(w, "slots", 0);
  }
  return sum;
}

static json_t *queue_rows(const eas_cli *c, const json_t *load)
{
  static const char *const keys[] = { "type", "startable", "queued", "running", "waiting" };
  size_t i;
  json_t *v, *list = json_array();
  json_array_foreach(json_object_get(load, "types"), i, v)
  {
    const char *type = eas_json_str(v, "type");
    if (eas_json_int(v, "queued", 0) + eas_json_int(v, "running", 0) + eas_json_int(v, "waiting", 0) == 0) continue;
    json_t *row = json_object();
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) json_object_set(row, keys[k], json_object_get(v, keys[k]));
    json_object_set_new(row, "slots",
                        strncmp(type, "execution_", 10) == 0
                            ? json_null()
                            : json_integer(slots_for(c, json_object_get(load, "workers"), type)));
    json_array_append_new(list, row);
  }
  return list;
}

static int cmd_queues(eas_cli *c)
{
  eas_err err = { 0 };
  json_t *load = NULL, *v;
  int rc = eas_cli_open_registry(c, &err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0) rc = eas_view_load(c->db, &load, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  json_t *rows = queue_rows(c, load);
  json_decref(load);
  if (c->json) return eas_print_json(rows);
  static const char *const numbers[] = { "queued", "running", "waiting", "slots" };
  eas_table *t = eas_table_new(c);
  eas_table_column(t, "type", EAS_LEFT);
  for (int k = 0; k < 4; k++) eas_table_column(t, numbers[k], EAS_RIGHT);
  size_t i;
  int starved = 0;
  json_array_foreach(rows, i, v)
  {
    int64_t queued = eas_json_int(v, "queued", 0), slots = eas_json_int(v, "slots", -1);
    int nobody = eas_json_int(v, "startable", 0) > 0 && slots == 0;
    starved += nobody;
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "type"));
    eas_table_cellf(t, queued ? EAS_YELLOW : EAS_DIM, "%" PRId64, queued);
    eas_table_cellf(t, eas_json_int(v, "running", 0) ? EAS_CYAN : EAS_DIM, "%" PRId64, eas_json_int(v, "running", 0));
    eas_table_cellf(t, EAS_DIM, "%" PRId64, eas_json_int(v, "waiting", 0));
    if (slots < 0)
      eas_table_cell(t, EAS_DIM, c->csv ? "" : "-");
    else
      eas_table_cellf(t, nobody ? EAS_RED : EAS_PLAIN, "%" PRId64, slots);
  }
  eas_table_print(t, "nothing is queued, runs or waits");
  if (starved && !c->csv) printf("no worker runs %d of these: eas worker, or eas status --needed\n", starved);
  json_decref(rows);
  return EAS_EXIT_OK;
}

const eas_command eas_cmd_queues = { .name = "queues",
                                     .args = "",
                                     .summary = "what is queued, runs and waits, by type, over all jobs",
                                     .detail = "queued: could start now, but for a free slot (or its job is paused). "
                                               "waiting: something it needs is not there yet.\n"
                                               "slots: of the workers that run this type; control runs execution_*.",
                                     .examples = "",
                                     .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV,
                                     .max_args = 0,
                                     .run = cmd_queues };
