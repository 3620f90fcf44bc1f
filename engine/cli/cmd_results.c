/* cmd_results.c: eas results: what tasks found, a row each, with the loop variables that led to them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/meter.h"
#include "cli/results.h"
#include "cli/results_file.h"
#include "cli/select.h"
#include "cli/table.h"
#include "model/view.h"

enum { PAGE = 1000, COLUMNS_MAX = 60, OTHERS_MAX = 10 };

/* Columns a person wants first; the rest is in --json and --csv. */
static const char *const SHOWN[] = { "period", "target_period", "sde",   "power",    "depth",       "duration",
                                     "t0",     "recovered",     "alias", "credible", "verification" };

/* People look for what was found: where a job searched, its other tasks' numbers are left to --type, --csv and --json. */
static int only_searches(const eas_cli *c, json_t *all)
{
  size_t i, n = 0;
  json_t *row;
  if (c->csv || c->json || eas_cli_get(c, "--type") || eas_cli_get(c, "--fits") || eas_cli_get(c, "--votable"))
    return 0;
  json_array_foreach(all, i, row) n += json_object_get(row, "recovered") != NULL;
  if (n == 0 || n == json_array_size(all)) return 0;
  for (i = json_array_size(all); i-- > 0;)
    if (!json_object_get(json_array_get(all, i), "recovered")) json_array_remove(all, i);
  return 1;
}

static int gather_rows(eas_cli *c, int64_t job, json_t *all, eas_meter *m, eas_err *err)
{
  int64_t after = 0;
  int n, n_rows = 0, n_without = 0;
  do {
    json_t *rows = NULL, *row;
    size_t i;
    n = eas_view_results(c->db, job, eas_cli_get(c, "--type"), after, PAGE, &rows, err);
    int rc = n;
    json_array_foreach(rows, i, row)
    {
      if (rc < 0) break;
      int keep = 0;
      json_t *o = eas_results_flat(row);
      after = strtoll(eas_json_str(row, "task") + 1, NULL, 10);
      rc = eas_select_keep(c, o, &keep, err);
      if (rc >= 0 && keep == 1) json_array_append(all, o);
      n_rows++;
      n_without += keep < 0;
      json_decref(o);
    }
    json_decref(rows);
    if (rc < 0) return rc;
    eas_meter_seen(m, n_rows);
  } while (n == PAGE);
  if (n_rows == 0 || n_without < n_rows) return 0;
  return eas_select_no_column(c, err);
}

static int gather(eas_cli *c, int64_t job, json_t *all, eas_err *err)
{
  eas_meter m = eas_meter_new(c, "results read", eas_meter_tasks(c, job));
  int rc = gather_rows(c, job, all, &m, err);
  eas_meter_end(&m);
  return rc;
}

/* As many digits as it takes to read the same number again. */
static void real_cell(eas_table *t, double v)
{
  char text[40];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, v);
    if (strtod(text, NULL) == v) break;
  }
  eas_table_cell(t, EAS_PLAIN, text);
}

static void value_cell(eas_table *t, const eas_cli *c, const json_t *v)
{
  if (json_is_real(v) && !c->csv)
    eas_table_cellf(t, EAS_PLAIN, "%.6g", json_real_value(v));
  else if (json_is_real(v))
    real_cell(t, json_real_value(v));
  else if (json_is_string(v))
    eas_table_cell(t, EAS_PLAIN, json_string_value(v));
  else if (json_is_boolean(v))
    eas_table_cell(t,
                   c->csv            ? EAS_PLAIN
                   : json_is_true(v) ? EAS_GREEN
                                     : EAS_RED,
                   c->csv            ? (json_is_true(v) ? "1" : "0")
                   : json_is_true(v) ? "yes"
                                     : "no");
  else if (!v || json_is_null(v))
    eas_table_cell(t, EAS_DIM, c->csv ? "" : "-");
  else {
    char *text = json_dumps(v, JSON_ENCODE_ANY);
    eas_table_cell(t, EAS_PLAIN, text);
    free(text);
  }
}

static int is_index(const char *key)
{
  size_t n = strlen(key);
  return n > 6 && strcmp(key + n - 6, "_index") == 0;
}

static int is_shown(const char *key)
{
  for (size_t k = 0; k < sizeof SHOWN / sizeof *SHOWN; k++)
    if (strcmp(SHOWN[k], key) == 0) return 1;
  return 0;
}

static int any_shown(const json_t *all)
{
  size_t i;
  json_t *row, *v;
  const char *key;
  json_array_foreach((json_t *)(uintptr_t)all, i, row) json_object_foreach(row, key, v) if (is_shown(key)) return 1;
  return 0;
}

/* Terminal: task, parameters, and what SHOWN names, or else whatever there is. CSV: every field. */
static int columns_of(const eas_cli *c, const json_t *all, const json_t *first_row, const char **names)
{
  size_t i;
  json_t *row, *v;
  const char *key;
  int n = 0;
  int others = !any_shown(all);
  json_t *seen = json_object();
  names[n++] = "task";
  json_object_set_new(seen, "task", json_true());
  const json_t *params = json_object_get(first_row, "parameters");
  json_array_foreach((json_t *)(uintptr_t)all, i, row) json_object_foreach(row, key, v)
  {
    if (n == COLUMNS_MAX || json_object_get(seen, key)) continue;
    int is_param = params && json_object_get(params, key) && !is_index(key);
    int other = others && n < OTHERS_MAX && !is_index(key) && strcmp(key, "type") != 0;
    if (!c->csv && !is_param && !other && !is_shown(key)) continue;
    names[n++] = key;
    json_object_set_new(seen, key, json_true());
  }
  json_decref(seen);
  return n;
}

static int minor(const char *name)
{
  static const char *const first[] = { "period", "sde", "recovered", "credible", "verification" };
  for (size_t k = 0; k < sizeof first / sizeof *first; k++)
    if (strcmp(first[k], name) == 0) return 0;
  return is_shown(name) ? EAS_MINOR : 0;
}

static void print_table(eas_cli *c, const json_t *all, const json_t *first_row, int64_t limit)
{
  const char *names[COLUMNS_MAX];
  size_t i, shown = 0;
  json_t *row;
  int n = columns_of(c, all, first_row, names);
  eas_table *t = eas_table_new(c);
  for (int k = 0; k < n; k++) eas_table_column(t, names[k], k ? EAS_RIGHT | minor(names[k]) : EAS_LEFT);
  json_array_foreach((json_t *)(uintptr_t)all, i, row)
  {
    if (limit && (int64_t)i >= limit) break;
    for (int k = 0; k < n; k++) value_cell(t, c, json_object_get(row, names[k]));
    shown++;
  }
  eas_table_print(t, eas_cli_get(c, "--where") ? "no row matches --where"
                                               : "no task of this job has ended with results yet");
  if (!c->csv && shown < json_array_size(all))
    printf("%zu of %zu rows; all: --limit 0, --csv, --fits FILE, --votable FILE\n", shown, json_array_size(all));
}

/* --fits, --votable: every field of every row that is left. 1: a file was written. */
static int write_files(eas_cli *c, int64_t job, const json_t *all, eas_err *err)
{
  static const struct {
    const char *option;
    eas_table_form form;
  } forms[] = { { "--fits", EAS_TABLE_FITS }, { "--votable", EAS_TABLE_VOTABLE } };
  int n = 0, rc = 0;
  char *about = eas_format("results of j%" PRId64 ", eas %s", job, EAS_VERSION);
  for (size_t i = 0; i < sizeof forms / sizeof *forms && rc >= 0; i++) {
    const char *path = eas_cli_get(c, forms[i].option);
    if (!path) continue;
    rc = eas_results_write(all, about, forms[i].form, path, err);
    if (rc >= 0 && !c->json && !c->csv) printf("%s   %zu rows\n", path, json_array_size(all));
    n++;
  }
  free(about);
  return rc < 0 ? rc : n > 0;
}

static int cmd_results(eas_cli *c)
{
  eas_err err = { 0 };
  int64_t job = 0, limit = 0;
  json_t *all = json_array(), *first = NULL;
  int rc = eas_cli_int(c, "--limit", c->tty && !c->csv && !c->json ? 50 : 0, &limit, &err);
  if (rc >= 0) rc = eas_cli_job(c, c->n_args ? c->args[0] : eas_cli_get(c, "--job"), &job, &err);
  if (rc >= 0) rc = gather(c, job, all, &err);
  if (rc >= 0) rc = eas_view_results(c->db, job, eas_cli_get(c, "--type"), 0, 1, &first, &err);
  int left_out = rc >= 0 && only_searches(c, all);
  if (rc >= 0) rc = eas_select_sort(c, &all, &err);
  int wrote = rc >= 0 ? write_files(c, job, all, &err) : 0;
  if (wrote < 0) rc = wrote;
  if (rc < 0) {
    json_decref(all);
    json_decref(first);
    return eas_cli_fail(c, &err);
  }
  if (c->json) {
    json_decref(first);
    return eas_print_json(all);
  }
  if (!wrote || c->csv) print_table(c, all, json_array_get(first, 0), limit);
  if (left_out) printf("searches only; others: --type TYPE\n");
  json_decref(all);
  json_decref(first);
  return EAS_EXIT_OK;
}

static const eas_option FILES[] = { { "--fits", "FILE", NULL, "write all rows as a FITS binary table" },
                                    { "--votable", "FILE", NULL, "write all rows as a VOTable" },
                                    { 0 } };

const eas_command eas_cmd_results = {
  .name = "results",
  .args = "[JOB]",
  .summary = "what tasks found, a row each, with their loop variables",
  .detail = "--where takes an expression over the columns: names bare, strings in quotes, true and false.\n--csv, "
            "--json, --fits and --votable hold every field.",
  .examples = "  eas results j3 --where \"recovered == false and size >= 2\" --limit 10\n  eas results --csv "
              ">results.csv\n  eas results --fits results.fits",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_TYPE | EAS_O_ROWS,
  .options = FILES,
  .max_args = 1,
  .run = cmd_results
};
