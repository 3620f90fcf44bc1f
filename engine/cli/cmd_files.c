/* cmd_files.c: eas files: products, and whether their bytes are still what was stored. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
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

static int copy_out(eas_cli *c, const eas_digest *d, const char *path, eas_err *err)
{
  char buf[1 << 16];
  int fd, to, bad = 0, rc = eas_store_open_object(c->store, d, &fd, err);
  if (rc < 0) return rc;
  to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  ssize_t n = 0;
  while (to >= 0 && bad == 0 && (n = read(fd, buf, sizeof buf)) > 0) bad = eas_write_all(to, buf, (size_t)n);
  int why = to < 0 || n < 0 ? errno : -bad;
  close(fd);
  if (to >= 0 && close(to) != 0 && why == 0) why = errno;
  return why ? eas_fail(err, eas_io_code(why), "write '%s': %s", path, strerror(why)) : 0;
}

/* Plain copies of what passed, under its names: what the links of a directory store show, for others and for elsewhere. */
static int save(eas_cli *c, const json_t *rows, const char *folder, int64_t *n, eas_err *err)
{
  size_t i;
  json_t *v;
  int rc = 0;
  json_array_foreach((json_t *)(uintptr_t)rows, i, v)
  {
    eas_digest d;
    const char *hex = eas_json_str(v, "sha256"), *verdict = eas_json_str(v, "verdict");
    if (!hex || !verdict || strcmp(verdict, "pass") != 0 || eas_digest_parse(hex, &d) < 0) continue;
    char *dir =
        *eas_json_str(v, "directory") ? eas_path_join(folder, eas_json_str(v, "directory")) : eas_strdup(folder);
    char *path = eas_path_join(dir, eas_json_str(v, "filename"));
    rc = eas_path_mkdirs(dir, 0755, err);
    if (rc >= 0) rc = copy_out(c, &d, path, err);
    free(dir);
    free(path);
    if (rc < 0) return rc;
    ++*n;
  }
  return rc;
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
  const char *folder = eas_cli_get(c, "--into");
  int64_t saved = 0;
  if (rc >= 0 && (check || folder)) rc = eas_cli_open_store(c, &err);
  if (rc >= 0 && check) rc = eas_store_probe(c->store, &err);
  if (rc >= 0 && folder) rc = save(c, rows, folder, &saved, &err);
  if (rc < 0) {
    json_decref(rows);
    return eas_cli_fail(c, &err);
  }
  if (check) bad = verify(c, rows);
  if (c->json) {
    eas_print_json(rows);
  } else {
    print_rows(c, rows, check);
    if (folder && !c->csv) printf("%" PRId64 " files in %s\n", saved, folder);
    if (check && !c->csv) printf("%zu files, %" PRId64 " bad\n", json_array_size(rows), bad);
    json_decref(rows);
  }
  return bad ? EAS_EXIT_FAILED : EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = {
  { "--verify", NULL, NULL, "read every file again and compare its SHA-256; exit 1 if one differs" },
  { "--into", "FOLDER", NULL, "copy those that passed there, as WORKING-DIRECTORY/FILENAME" },
  { 0 }
};

const eas_command eas_cmd_files = { .name = "files",
                                    .args = "[JOB|TASK]",
                                    .summary = "the products of a job or task",
                                    .detail = "",
                                    .examples = "  eas files j3 --verify\n  eas files j3 --into survey",
                                    .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_TYPE | EAS_O_ROWS,
                                    .options = OPTIONS,
                                    .max_args = 1,
                                    .run = cmd_files };
