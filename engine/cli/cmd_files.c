/* cmd_files.c: eas files: products, and whether their bytes are still what was stored. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/select.h"
#include "cli/table.h"
#include "model/view.h"

/* Rehashes what the rows name; adds "check" to each. Returns how many are bad. */
static int verify(eas_cli *c, json_t *rows)
{
  size_t i;
  json_t *v;
  int bad = 0;
  json_array_foreach(rows, i, v)
  {
    eas_digest d;
    eas_err err = { 0 };
    const char *hex = eas_json_str(v, "sha256");
    if (!hex) continue;
    int ok = eas_digest_parse(hex, &d) >= 0 && eas_store_verify(c->store, &d, &err) >= 0;
    json_object_set_new(v, "check", json_string(ok ? "ok" : *err.text ? err.text : "wrong"));
    bad += !ok;
  }
  return bad;
}

static void print_rows(eas_cli *c, const json_t *rows, int checked)
{
  static const struct {
    const char *name;
    int flags;
  } columns[] = { { "product", 0 },      { "file", 0 },           { "kind", 0 },
                  { "qc", 0 },           { "size", EAS_RIGHT },   { "versions", EAS_RIGHT | EAS_MINOR },
                  { "task", EAS_MINOR }, { "version", EAS_MINOR } };
  eas_table *t = eas_table_new(c);
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) eas_table_column(t, columns[i].name, columns[i].flags);
  if (checked) eas_table_column(t, "check", EAS_LEFT);
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)rows, i, v)
  {
    char size[32] = "-";
    const char *verdict = eas_json_str(v, "verdict"), *dir = eas_json_str(v, "directory");
    const char *state = !verdict ? "waiting" : strcmp(verdict, "pass") == 0 ? "passed" : "failed";
    if (eas_json_str(v, "version")) eas_size_text(eas_json_int(v, "size", 0), size);
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "product"));
    eas_table_cellf(t, EAS_PLAIN, "%s%s%s", dir, *dir ? "/" : "", eas_json_str(v, "filename"));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "kind"));
    eas_table_cell(t, eas_state_ink(state), c->csv ? (verdict ? verdict : "") : eas_state_symbol(c, state));
    if (c->csv)
      eas_table_cellf(t, EAS_PLAIN, "%" PRId64, eas_json_int(v, "size", 0));
    else
      eas_table_cell(t, EAS_PLAIN, size);
    eas_table_cellf(t, EAS_PLAIN, "%" PRId64, eas_json_int(v, "versions", 0));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "task"));
    eas_table_cell(t, EAS_PLAIN, eas_json_str(v, "version"));
    if (checked)
      eas_table_cell(t, eas_json_str(v, "check") && strcmp(eas_json_str(v, "check"), "ok") != 0 ? EAS_RED : EAS_PLAIN,
                     eas_json_str(v, "check"));
  }
  eas_table_print(t, "no product here yet");
}

static int cmd_files(eas_cli *c)
{
  eas_view_filter f = { .type = eas_cli_get(c, "--type") };
  eas_err err = { 0 };
  json_t *rows = NULL;
  char letter = 0;
  int64_t id = 0, limit = 0, bad = 0;
  const char *name = c->n_args ? c->args[0] : eas_cli_get(c, "--job");
  int rc = eas_cli_int(c, "--limit", 0, &limit, &err);
  f.limit = eas_select_wanted(c) ? 0 : (int)limit;
  if (rc >= 0 && name && name[0] == 't' && eas_id_parse(name, &letter, &id, NULL) == 0) {
    json_t *task = NULL;
    rc = eas_cli_open_db(c, EAS_DB_READ, &err);
    if (rc >= 0) rc = eas_view_task(c->db, id, &task, &err);
    if (rc >= 0) f.job = strtoll(eas_json_str(task, "job") + 1, NULL, 10);
    f.task = id;
    json_decref(task);
  } else if (rc >= 0) {
    rc = eas_cli_job(c, name, &f.job, &err);
  }
  if (rc >= 0) rc = eas_view_files(c->db, &f, &rows, &err);
  if (rc >= 0) rc = eas_select_rows(c, &rows, limit, &err);
  int check = eas_cli_has(c, "--verify");
  if (rc >= 0 && check) rc = eas_cli_open_store(c, &err);
  if (rc < 0) {
    json_decref(rows);
    return eas_cli_fail(c, &err);
  }
  if (check) bad = verify(c, rows);
  if (c->json) {
    eas_print_json(rows);
  } else {
    print_rows(c, rows, check);
    if (check && !c->csv) printf("%zu files, %" PRId64 " bad\n", json_array_size(rows), bad);
    json_decref(rows);
  }
  return bad ? EAS_EXIT_FAILED : EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = {
  { "--verify", NULL, NULL, "read every file again and compare its SHA-256; exit 1 if one differs" }, { 0 }
};

const eas_command eas_cmd_files = { .name = "files",
                                    .args = "[JOB|TASK]",
                                    .summary = "the products of a job or task",
                                    .detail = "",
                                    .examples = "  eas files j3 --verify",
                                    .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_TYPE | EAS_O_ROWS,
                                    .options = OPTIONS,
                                    .max_args = 1,
                                    .run = cmd_files };
