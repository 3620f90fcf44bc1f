/* cmd_task.c: eas task: one task stand-alone, as the prototype's test configurations. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/cfg.h"
#include "cli/commands.h"
#include "cli/jobs.h"
#include "cli/session.h"
#include "lightcurve/lc.h"
#include "model/import.h"
#include "model/view.h"

/* As written, else beside the .cfg file. */
static char *find_input(const eas_cfg *cfg, const char *path)
{
  if (eas_path_exists(path)) return eas_strdup(path);
  char *dir = eas_strdup(cfg->file);
  dir[eas_path_base(dir) - dir] = 0;
  char *beside = eas_path_join(*dir ? dir : ".", path);
  free(dir);
  if (eas_path_exists(beside)) return beside;
  free(beside);
  return NULL;
}

static int import_one(eas_cli *c, const eas_cfg *cfg, const char *kind, const char *written, eas_import_file *out,
                      eas_err *err)
{
  char *path = find_input(cfg, written);
  if (!path)
    return eas_fail(err, EAS_EINVAL, "%s: [inputs] %s: no file '%s' here or beside the .cfg file", cfg->file, kind,
                    written);
  json_t *meta = NULL;
  int rc = eas_lc_read_sidecar(path, &meta, err);
  if (rc >= 0) rc = eas_store_copy(c->store, path, &out->digest, &out->size, err);
  out->kind = kind;
  out->filename = eas_path_base(written);
  out->metadata = meta;
  free(path);
  return rc;
}

/* Two inputs with one path are imported once; two files with one name clash. */
static int import_inputs(eas_cli *c, const eas_cfg *cfg, eas_err *err)
{
  size_t n = json_object_size(cfg->inputs);
  if (n == 0) return 0;
  eas_import_file *files = eas_alloc(n * sizeof *files);
  const char **from = eas_alloc(n * sizeof *from);
  const char *kind;
  json_t *v;
  int k = 0, rc = 0;
  int64_t job = 0;
  json_object_foreach(cfg->inputs, kind, v)
  {
    const char *path = json_string_value(v), *base = eas_path_base(path);
    int known = 0;
    for (int i = 0; i < k && rc >= 0; i++) {
      if (strcmp(files[i].filename, base) != 0) continue;
      known = 1;
      if (strcmp(from[i], path) != 0)
        rc = eas_fail(err, EAS_EINVAL, "%s: [inputs] '%s' and '%s' have the same base name", cfg->file, from[i], path);
    }
    if (rc < 0 || known) continue;
    rc = import_one(c, cfg, kind, path, &files[k], err);
    from[k++] = path;
  }
  if (rc >= 0) rc = eas_store_flush(c->store, err);
  if (rc >= 0) rc = eas_import(c->db, cfg->directory, files, k, &job, err);
  for (int i = 0; i < k; i++) json_decref((json_t *)(uintptr_t)files[i].metadata);
  free(files);
  free((void *)(uintptr_t)from);
  return rc;
}

static char *job_text(const eas_cfg *cfg)
{
  const char *kind;
  json_t *v, *inputs = json_object(), *task = json_deep_copy(cfg->task);
  json_object_foreach(cfg->inputs, kind, v)
      json_object_set_new(inputs, kind, json_string(eas_path_base(json_string_value(v))));
  if (json_object_size(inputs)) json_object_set(task, "inputs", inputs);
  json_decref(inputs);
  json_t *job =
      json_pack("{s:s,s:s,s:[o]}", "job_name", cfg->job_name, "working_directory", cfg->directory, "task_list", task);
  char *text = json_dumps(job, JSON_INDENT(2));
  json_decref(job);
  return text;
}

/* "key : value" sorted, as the prototype printed it. */
static void print_metadata(eas_cli *c)
{
  eas_rows *r = NULL;
  if (eas_task_last_metadata(c->db, &r, NULL) <= 0) {
    eas_rows_free(r);
    return;
  }
  const char *text = eas_rows_text(r, 0, 0);
  json_t *meta = text ? json_loads(text, 0, NULL) : NULL;
  if (meta) {
    char *sorted = eas_json_canonical(meta);
    json_t *o = json_loads(sorted, 0, NULL), *v;
    const char *key;
    puts("Output metadata:");
    json_object_foreach(o, key, v)
    {
      if (json_is_array(v) || json_is_object(v)) continue; /* eas show has them */
      char *value = json_is_string(v) ? eas_strdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY);
      printf("%s : %s\n", key, value);
      free(value);
    }
    json_decref(o);
    free(sorted);
  }
  json_decref(meta);
  eas_rows_free(r);
}

static int prepare(eas_cli *c, const eas_cfg *cfg, eas_err *err)
{
  int rc = eas_cli_open_registry(c, err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_CREATE, err);
  if (rc >= 0) rc = eas_cli_open_store(c, err);
  return rc < 0 ? rc : import_inputs(c, cfg, err);
}

static int cmd_task(eas_cli *c)
{
  eas_err err = { 0 };
  eas_cfg cfg = { 0 };
  const char *file = eas_cli_get(c, "--config");
  if (!file) return eas_cli_usage(c, "--config FILE.cfg is missing");
  if (eas_cfg_read(&cfg, file, c->n_args ? c->args[0] : NULL, &err) < 0) return eas_cli_fail(c, &err);
  int status = prepare(c, &cfg, &err) < 0 ? eas_cli_fail(c, &err) : 0;
  eas_jobfile *f = NULL;
  if (status == 0) {
    char *text = job_text(&cfg);
    eas_problems problems = { 0 };
    eas_check_options k = { .input_path = eas_conf_str(c->conf, "input_path"), .db = c->db };
    int rc = eas_jobfile_parse(&f, cfg.file, text, strlen(text), &err);
    if (rc >= 0) rc = eas_job_check(f, c->registry, &k, &problems, &err);
    for (size_t i = 0; i < problems.n; i++)
      fprintf(stderr, "%s: %s\n   at %s\n%s%s%s", cfg.file, problems.list[i].what, problems.list[i].path,
              problems.list[i].fix ? "   " : "", problems.list[i].fix ? problems.list[i].fix : "",
              problems.list[i].fix ? "\n" : "");
    if (rc < 0) status = problems.n ? EAS_EXIT_USAGE : eas_cli_fail(c, &err);
    eas_problems_done(&problems);
    free(text);
  }
  if (status == 0) {
    eas_submit_options o = { .fresh = 1 };
    status = eas_run_job(c, f, &o);
    if (status == EAS_EXIT_OK && !c->json) print_metadata(c);
  }
  eas_jobfile_free(f);
  eas_cfg_done(&cfg);
  return status;
}

const eas_command eas_cmd_task = {
  .name = "task",
  .args = "[TYPE]",
  .summary = "runs one task from a .cfg file, as the prototype's tests",
  .detail = "--config FILE.cfg: sections [task], [inputs], [outputs]; any other section becomes a nested object of "
            "settings.\n"
            "Input files are stored and used as passed products; X.metadata.cfg beside an input X gives its metadata.\n"
            "Prints the output metadata, sorted. Exit 1 when the task fails.",
  .examples = "  eas task --config test_verify.cfg --data /tmp/try",
  .groups = EAS_O_DATA | EAS_O_WORK | EAS_O_JSON,
  .max_args = 1,
  .run = cmd_task
};
