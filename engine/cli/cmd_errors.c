/* cmd_errors.c: eas errors: failures grouped by cause. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/inner.h"
#include "cli/select.h"
#include "cli/table.h"
#include "model/view.h"

static void time_cell(eas_table *t, const json_t *v, const char *key)
{
  char text[40];
  int64_t us = eas_json_int(v, key, 0);
  if (!us) {
    eas_table_cell(t, EAS_DIM, "-");
    return;
  }
  eas_time_format(us, 0, text);
  text[19] = 0;
  eas_table_cell(t, EAS_PLAIN, text + 11); /* the day is in --json */
}

int eas_cli_filter(eas_cli *c, eas_view_filter *f, eas_err *err)
{
  int64_t limit = 0, since = 0, group = 0;
  f->type = eas_cli_get(c, "--type");
  f->state = eas_cli_get(c, "--state");
  int rc = eas_cli_int(c, "--limit", 0, &limit, err);
  if (rc >= 0) rc = eas_cli_int(c, "--group", 0, &group, err);
  if (rc >= 0 && eas_cli_get(c, "--since")) rc = eas_since_parse(eas_cli_get(c, "--since"), &since, err);
  f->limit = (int)limit;
  f->group = (int)group;
  if (since) f->since_us = eas_now_us() - since;
  return rc;
}

static void errors_table(eas_cli *c, const json_t *groups)
{
  eas_table *t = eas_table_new(c);
  static const struct {
    const char *name;
    int flags;
  } columns[] = { { "group", EAS_RIGHT }, { "n", EAS_RIGHT }, { "kind", 0 },          { "type", 0 },
                  { "first message", 0 }, { "example", 0 },   { "first", EAS_MINOR }, { "last", EAS_MINOR } };
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) eas_table_column(t, columns[i].name, columns[i].flags);
  size_t i;
  json_t *v;
  json_array_foreach(groups, i, v)
  {
    eas_table_cellf(t, EAS_PLAIN, "%" PRId64, eas_json_int(v, "group", 0));
    eas_table_cellf(t, EAS_PLAIN, "%" PRId64, eas_json_int(v, "n", 0));
    eas_table_cell(t, EAS_RED, eas_json_str(v, "kind"));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "type"));
    eas_table_cellf(t, EAS_PLAIN, "%.*s", c->tty ? 90 : 4096, eas_json_str(v, "message"));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "attempt"));
    time_cell(t, v, "first");
    time_cell(t, v, "last");
  }
  eas_table_print(t, "nothing failed");
}

static void tasks_table(eas_cli *c, const json_t *tasks)
{
  eas_table *t = eas_table_new(c);
  eas_table_column(t, "task", EAS_LEFT);
  eas_table_column(t, "attempt", EAS_LEFT);
  eas_table_column(t, "attempts", EAS_RIGHT | EAS_MINOR);
  eas_table_column(t, "message", EAS_LEFT);
  eas_table_column(t, "ended", EAS_MINOR);
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)tasks, i, v)
  {
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "task"));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "attempt"));
    eas_table_cellf(t, EAS_PLAIN, "%" PRId64, eas_json_int(v, "attempts", 0));
    eas_table_cellf(t, EAS_PLAIN, "%.*s", c->tty ? 90 : 4096, eas_json_str(v, "message"));
    time_cell(t, v, "ended_at");
  }
  eas_table_print(t, "no task matches");
}

static int cmd_errors(eas_cli *c)
{
  eas_view_filter f = { 0 };
  eas_err err = { 0 };
  json_t *rows = NULL;
  int rc = eas_cli_filter(c, &f, &err);
  if (rc >= 0) rc = eas_cli_job(c, c->n_args ? c->args[0] : eas_cli_get(c, "--job"), &f.job, &err);
  if (rc >= 0) rc = f.group ? eas_view_error_tasks(c->db, &f, &rows, &err) : eas_view_errors(c->db, &f, &rows, &err);
  for (size_t i = 0; !f.group && i < json_array_size(rows); i++)
    json_object_set_new(json_array_get(rows, i), "group", json_integer((json_int_t)i + 1));
  if (rc >= 0) rc = eas_select_rows(c, &rows, f.limit, &err);
  if (rc < 0) {
    json_decref(rows);
    return eas_cli_fail(c, &err);
  }
  if (c->json) return eas_print_json(rows);
  if (f.group)
    tasks_table(c, rows);
  else
    errors_table(c, rows);
  const json_t *first = json_array_get(rows, 0);
  if (!c->csv && first) {
    const char *a = eas_json_str(first, "attempt"), *type = eas_json_str(first, "type");
    if (!f.group)
      printf("tasks: eas errors j%" PRId64 " --group %" PRId64 "\n", f.job, eas_json_int(first, "group", 0));
    printf("one: eas show %s     its log: eas logs %s\n", a, a);
    if (!type || strncmp(type, "execution_", 10) != 0)
      printf("debug: eas shell %s     again: eas retry j%" PRId64 "\n", a, f.job);
  }
  json_decref(rows);
  return EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = { { "--group", "N", NULL, "the tasks of this group, a row each" }, { 0 } };

const eas_command eas_cmd_errors = { .name = "errors",
                                     .args = "[JOB]",
                                     .summary = "failures of a job, grouped by cause",
                                     .detail = "",
                                     .examples = "  eas errors j3 --type detrend\n  eas errors j3 --group 1",
                                     .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_TYPE |
                                               EAS_O_SINCE | EAS_O_ROWS,
                                     .options = OPTIONS,
                                     .max_args = 1,
                                     .run = cmd_errors };
