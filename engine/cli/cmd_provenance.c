/* cmd_provenance.c: eas provenance: what a product was made of, and that it can be made again, bit for bit. */
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/card.h"
#include "cli/commands.h"
#include "cli/diff.h"
#include "cli/ids.h"
#include "model/view.h"
#include "worker/code.h"

extern char **environ;

/* The version that an id means: itself, a product's newest passed one, or the only output of a task or attempt. */
static int find_version(eas_cli *c, const char *text, int64_t *version, eas_err *err)
{
  char letter = 0;
  json_t *v = NULL;
  int rc = eas_card_load(c, text, &letter, &v, err);
  if (rc < 0) return rc;
  const char *found = NULL;
  if (letter == 'v' && eas_id_parse(text, &letter, version, err) == 0) {
    json_decref(v);
    return 0;
  }
  const json_t *outputs = json_object_get(v, "outputs");
  if (letter == 'p')
    found = eas_json_str(v, "passed");
  else if (json_array_size(outputs) == 1)
    found = eas_json_str(json_array_get(outputs, 0), "version");
  if (found)
    *version = strtoll(found + 1, NULL, 10);
  else if (letter != 'p' && json_array_size(outputs) > 1) {
    rc = eas_fail(err, EAS_EINVAL, "%s made %zu products", text, json_array_size(outputs));
    eas_hint(err, "name one: eas show %s lists them", text);
  } else {
    rc = eas_fail(err, EAS_EINVAL, "%s has no product that passed", text);
    eas_hint(err, "eas why %s says what became of it", text);
  }
  json_decref(v);
  return rc;
}

/* "kernel tls 41c0 -> 9be2" of what is another by now; "" when all is as it was. Caller frees. */
static char *code_changes(eas_cli *c, const json_t *a)
{
  const eas_task_type *t = eas_registry_type(c->registry, eas_json_str(a, "type"));
  json_t *then = json_object_get(json_object_get(a, "provenance"), "code"), *now = NULL, *cache = json_object();
  eas_digest d;
  char *text = NULL;
  if (then && (!t || !t->script || !t->qc)) {
    text = eas_strdup("its scripts are not here");
  } else if (then && eas_code_digest((const char *const *)c->packs, cache, t, &now, &d, NULL) >= 0) {
    json_t *was = json_pack("{s:O}", "code", then), *is = json_pack("{s:o}", "code", now);
    text = eas_diff_provenance(was, is, c->utf8);
    json_decref(was);
    json_decref(is);
  }
  json_decref(cache);
  return text ? text : eas_strdup("");
}

static void attempt_lines(eas_cli *c, const json_t *lineage, const json_t *a)
{
  char when[40], wall[32];
  size_t i;
  json_t *v;
  eas_time_format(eas_json_int(a, "ended_at", 0), 0, when);
  when[10] = ' ';
  when[19] = 0;
  eas_duration_text(eas_json_int(a, "wall_us", 0), wall);
  printf("%s%s %s%s  (%s, %s %s)\n", eas_ink(c, EAS_BOLD), eas_json_str(a, "attempt"), eas_json_str(a, "type"),
         eas_ink_off(c), eas_json_str(a, "task"), eas_json_str(a, "job"), eas_json_str(a, "job_name"));
  json_array_foreach(json_object_get(a, "inputs"), i, v) printf(
      "  %-8s%s %s, %s, by %s\n", "from", eas_json_str(v, "version"), eas_json_str(v, "filename"),
      eas_json_str(v, "kind"), eas_json_str(json_array_get(lineage, (size_t)eas_json_int(v, "from", 0)), "attempt"));
  json_array_foreach(json_object_get(a, "needs"), i, v) printf(
      "  %-8sresults of %s, '%s'\n", "from",
      eas_json_str(json_array_get(lineage, (size_t)eas_json_int(v, "from", 0)), "attempt"), eas_json_str(v, "name"));
  json_array_foreach(json_object_get(a, "outputs"), i, v)
      printf("  %-8s%s %s, %s, sha256 %.16s...\n", "made", eas_json_str(v, "version"), eas_json_str(v, "filename"),
             eas_json_str(v, "kind"), eas_json_str(v, "sha256"));
  printf("  %-8s%s UTC on %s, %s, eas %s, %s, seed 0x%" PRIx64 "\n", "ran", when,
         eas_json_str(a, "host") ? eas_json_str(a, "host") : "-", wall,
         eas_json_str(a, "version") ? eas_json_str(a, "version") : "-",
         eas_json_str(json_object_get(a, "provenance"), "simd") ? eas_json_str(json_object_get(a, "provenance"), "simd")
                                                                : "vectors not recorded",
         eas_json_int(a, "seed", 0));
  eas_card_values("  set     ", json_object_get(json_object_get(a, "provenance"), "settings"));
  char *changes = code_changes(c, a);
  if (json_object_get(a, "provenance"))
    printf("  %-8s%s%s%s\n", "code", eas_ink(c, *changes ? EAS_YELLOW : EAS_GREEN),
           *changes ? changes : "the same as now", eas_ink_off(c));
  free(changes);
}

static int print_lineage(eas_cli *c, const char *id, const json_t *lineage)
{
  size_t i;
  json_t *a;
  json_array_foreach((json_t *)(uintptr_t)lineage, i, a) attempt_lines(c, lineage, a);
  printf("rebuild eas provenance %s --rebuild DIR     runs %s again in DIR, compares the bytes\n", id,
         json_array_size(lineage) == 1 ? "this" : "these");
  return EAS_EXIT_OK;
}

/* The same program, with the same packs and folders, on a data folder of its own, whatever the configuration says of database
 * and store. Its exit status. */
static int run_again(eas_cli *c, const char *job, const char *dir, const char *simd)
{
  char *database = eas_format("sqlite:%s/eas.db", dir), *store = eas_path_join(dir, "store");
  const char *config = eas_cli_get(c, "--config");
  const char *words[] = { "eas",           "run",     job,
                          "--data",        dir,       "--database",
                          database,        "--store", store,
                          "--queue",       "sql:",    "--quiet",
                          "--no-progress", "--json",  config ? "--config" : NULL,
                          config,          NULL };
  char *argv[sizeof words / sizeof *words];
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) argv[i] = (char *)(uintptr_t)words[i];
  static const struct {
    const char *env, *key;
  } keep[] = { { "EAS_TASK_PATH", "task_path" }, { "EAS_INPUT_PATH", "input_path" }, { "EAS_SLOTS", "slots" } };
  posix_spawn_file_actions_t actions;
  pid_t pid;
  int status = -1;
  for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) {
    const char *value = eas_conf_str(c->conf, keep[i].key);
    if (value && *value) setenv(keep[i].env, value, 1);
  }
  static const char *const gone[] = { "EAS_DATABASE", "EAS_STORE", "EAS_QUEUE", "EAS_DATA", "EAS_CONTAINER" };
  for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) unsetenv(gone[i]);
  if (simd) setenv("EAS_SIMD", simd, 1);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
  int failed = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  free(database);
  free(store);
  if (failed || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status)) return EAS_EXIT_FAILED;
  return WEXITSTATUS(status);
}

/* SHA-256 of a file of the rebuilt job, or NULL; borrowed from rows. */
static const char *rebuilt_digest(const json_t *rows, const char *filename)
{
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)rows, i,
                     v) if (strcmp(eas_json_str(v, "filename"), filename) == 0) return eas_json_str(v, "sha256");
  return NULL;
}

/* Each version of the lineage against what was made now. Returns how many differ. */
static int compare(eas_cli *c, const json_t *lineage, const json_t *files, const json_t *rows, json_t *out)
{
  size_t i, k;
  json_t *a, *v;
  int bad = 0;
  json_array_foreach((json_t *)(uintptr_t)lineage, i, a) json_array_foreach(json_object_get(a, "outputs"), k, v)
  {
    const char *version = eas_json_str(v, "version"), *was = eas_json_str(v, "sha256"),
               *is = rebuilt_digest(rows, eas_json_str(files, version));
    int same = is && strcmp(was, is) == 0;
    char *changes = same ? eas_strdup("") : code_changes(c, a);
    bad += !same;
    json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:s?,s:b,s:s}", "version", version, "filename",
                                         eas_json_str(v, "filename"), "sha256", was, "rebuilt", is, "same", same,
                                         "code_changed", changes));
    if (!c->json)
      printf("%s%s%s %s %s: %s%s%s\n", eas_ink(c, same ? EAS_GREEN : EAS_RED),
             eas_state_symbol(c, same ? "passed" : "failed"), eas_ink_off(c), version, eas_json_str(v, "filename"),
             same ? "the same bytes, sha256 "
             : is ? "other bytes"
                  : "not made",
             same ? was : "",
             same       ? ""
             : *changes ? "; code changed since: "
             : is       ? "; the code is the same: another machine, or a program from outside"
                        : "");
    if (!c->json && *changes) printf("   %s\n", changes);
    free(changes);
  }
  return bad;
}

static int look_at(eas_cli *c, const char *dir, json_t **rows, eas_err *err)
{
  char *url = eas_format("sqlite:%s/eas.db", dir);
  eas_db *db = NULL;
  eas_view_filter f = { .job = 1 };
  (void)c;
  int rc = eas_db_open(&db, url, EAS_DB_READ, err);
  if (rc >= 0) rc = eas_view_files(db, &f, rows, err);
  eas_db_close(db);
  free(url);
  return rc;
}

static int rebuild(eas_cli *c, const json_t *lineage, const char *dir, const json_t *job, const json_t *files)
{
  eas_err err = { 0 };
  json_t *rows = NULL, *out = json_array();
  char *database = eas_format("%s/eas.db", dir), *path = eas_path_join(dir, "rebuild.json");
  char *text = json_dumps(job, JSON_INDENT(1));
  int rc = 0, bad = 0;
  if (eas_path_exists(database)) {
    eas_fail(&err, EAS_EINVAL, "%s: there is a database already", dir);
    rc = eas_hint(&err, "name a folder that is new or empty: --rebuild DIR");
  }
  if (rc >= 0) rc = eas_path_mkdirs(dir, 0755, &err);
  if (rc >= 0) rc = eas_file_write(path, text, strlen(text), 0644, &err);
  if (rc >= 0) {
    const json_t *last = json_array_get(lineage, json_array_size(lineage) - 1);
    int status = run_again(c, path, dir, eas_json_str(json_object_get(last, "provenance"), "simd"));
    if (status > EAS_EXIT_FAILED)
      rc = eas_fail(&err, EAS_EINVAL, "eas run %s --data %s ended with %d", path, dir, status);
  }
  if (rc >= 0) rc = look_at(c, dir, &rows, &err);
  if (rc >= 0) bad = compare(c, lineage, files, rows, out);
  if (rc >= 0 && c->json) eas_print_json(json_pack("{s:b,s:s,s:O}", "same", bad == 0, "data", dir, "versions", out));
  json_decref(rows);
  json_decref(out);
  free(database);
  free(path);
  free(text);
  return rc < 0 ? eas_cli_fail(c, &err) : bad ? EAS_EXIT_FAILED : EAS_EXIT_OK;
}

static int write_job(eas_cli *c, const char *path, const json_t *job)
{
  eas_err err = { 0 };
  char *text = json_dumps(job, JSON_INDENT(1));
  int rc = 0;
  if (strcmp(path, "-") == 0)
    puts(text);
  else
    rc = eas_file_write(path, text, strlen(text), 0644, &err);
  free(text);
  if (rc < 0) {
    err.code = EAS_EINVAL;
    return eas_cli_fail(c, &err);
  }
  if (!c->json && strcmp(path, "-") != 0) printf("%s   eas run %s --data DIR makes it again\n", path, path);
  return EAS_EXIT_OK;
}

static int cmd_provenance(eas_cli *c)
{
  eas_err err = { 0 };
  int64_t version = 0;
  json_t *lineage = NULL, *job = NULL, *files = NULL;
  const char *dir = eas_cli_get(c, "--rebuild"), *path = eas_cli_get(c, "--job-file");
  char id[32];
  int rc = find_version(c, c->args[0], &version, &err), status = EAS_EXIT_OK;
  if (rc >= 0) rc = eas_cli_open_registry(c, &err);
  if (rc >= 0) rc = eas_view_lineage(c->db, version, &lineage, &err);
  snprintf(id, sizeof id, "v%" PRId64, version);
  if (rc >= 0 && (dir || path)) rc = eas_lineage_job(lineage, id, &job, &files, &err);
  if (rc < 0)
    status = eas_cli_fail(c, &err);
  else if (dir)
    status = rebuild(c, lineage, dir, job, files);
  else if (path)
    status = write_job(c, path, job);
  else if (c->json)
    status = eas_print_json(json_incref(lineage));
  else
    status = print_lineage(c, id, lineage);
  json_decref(lineage);
  json_decref(job);
  json_decref(files);
  return status;
}

static const eas_option OPTIONS[] = {
  { "--rebuild", "DIR", NULL,
    "run what made it again, in a new data folder, and compare the bytes; exit 1 if they differ" },
  { "--job-file", "FILE", NULL, "write the job that makes it again; - is standard output" },
  { 0 }
};

const eas_command eas_cmd_provenance = {
  .name = "provenance",
  .args = "ID",
  .summary = "what a product was made of, and the command that makes it again, bit for bit",
  .detail =
      "ID: a version (v91), a product (p77: its newest passed version), or a task or attempt with one output.\n"
      "Shown is each attempt of its lineage, makers first: inputs, seed, settings, machine, and whether the code is "
      "still what it was. --rebuild runs these tasks with their recorded settings, seeds and metadata.",
  .examples = "  eas provenance v91\n  eas provenance v91 --rebuild /tmp/again",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_WORK,
  .options = OPTIONS,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_provenance
};
