/* cmd_shell.c: eas shell: the situation of one attempt made anew in a folder, to run, debug and mend it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/front.h"
#include "cli/ids.h"
#include "cli/places.h"
#include "cli/shell_gdb.h"
#include "cli/shell_preset.h"
#include "cli/shell_sh.h"
#include "model/view.h"
#include "worker/replay.h"

enum { STEP_MS = 100 };

typedef struct {
  eas_cli *c;
  int64_t id;
  char *folder;
  int is_ours; /* the folder is a fresh one, to be removed */
  eas_replay *replay;
  json_t *recorded; /* the attempt as the database has it */
  int by_other;     /* the last run was another program's: its result is in the folder */
} shell;

static char *last_file(const shell *s)
{
  return eas_path_join(s->folder, "last.json");
}

/* The last run in this folder, else what the attempt made. */
static int take_recorded(shell *s, eas_err *err)
{
  char *path = last_file(s);
  json_t *last = eas_path_exists(path) ? eas_json_load(path, err) : NULL;
  int rc = last || !eas_path_exists(path) ? 0 : err->code;
  free(path);
  if (rc >= 0) rc = eas_replay_recorded(s->replay, last ? last : s->recorded, s->c->store, err);
  json_decref(last);
  return rc;
}

static int start(shell *s, const json_t *args, eas_err *err)
{
  eas_replay_start_options o = { .is_qc = json_is_true(json_object_get(args, "qc")),
                                 .threads = (int)eas_json_int(args, "threads", 0),
                                 .debug = json_is_true(json_object_get(args, "debug")),
                                 .line = (int)eas_json_int(args, "line", 0),
                                 .gdb = json_is_true(json_object_get(args, "gdb")) };
  json_t *result = eas_replay_result(s->replay);
  int rc = o.gdb ? eas_shell_gdb_there(err) : 0;
  if (rc >= 0 && o.is_qc && (s->by_other || !eas_json_str(result, "ending"))) rc = take_recorded(s, err);
  json_decref(result);
  if (!o.is_qc) s->by_other = 0;
  return rc < 0 ? rc : eas_replay_start(s->replay, &o, err);
}

static int preset(shell *s, const json_t *args, json_t **out, eas_err *err)
{
  int status = 0;
  int rc = eas_shell_preset(s->c, eas_json_str(args, "preset"), eas_json_str(s->recorded, "attempt"), s->folder,
                            (int)eas_json_int(args, "threads", 0), &status, err);
  if (rc < 0) return rc;
  s->by_other = 1;
  *out = json_pack("{s:i}", "status", status);
  return 0;
}

/* The frames that a sanitizer writes have a module and an offset: their file and line are told too. */
static void name_frames(const shell *s, json_t *step)
{
  size_t i;
  json_t *entry;
  json_array_foreach(json_object_get(step, "log"), i, entry)
  {
    const char *text = eas_json_str(entry, "text");
    if (strncmp(text, "    #", 5) != 0) continue;
    char *named = eas_places_text(s->c, text, 0);
    json_object_set_new(entry, "text", json_string(named));
    free(named);
  }
}

/* With places of native code named; what a run gave is kept in the folder, for a later `qc`. */
static json_t *tell_result(const shell *s)
{
  json_t *v = eas_replay_result(s->replay);
  static const char *const texts[] = { "error", "trace" };
  for (size_t i = 0; i < 2; i++) {
    if (!eas_json_str(v, texts[i])) continue;
    char *named = eas_places_text(s->c, eas_json_str(v, texts[i]), 0);
    json_object_set_new(v, texts[i], json_string(named));
    free(named);
  }
  char *path = last_file(s), *text = json_dumps(v, JSON_COMPACT);
  if (text && !eas_json_str(v, "verdict")) eas_file_write(path, text, strlen(text), 0600, NULL);
  free(path);
  free(text);
  return v;
}

static int answer(shell *s, const char *what, const json_t *args, json_t **out, eas_err *err)
{
  int rc = 0;
  if (strcmp(what, "about") == 0)
    *out = eas_replay_about(s->replay);
  else if (strcmp(what, "start") == 0)
    rc = start(s, args, err);
  else if (strcmp(what, "step") == 0)
    rc = eas_replay_step(s->replay, eas_json_int(args, "ms", STEP_MS) * 1000, out, err);
  else if (strcmp(what, "preset") == 0)
    rc = preset(s, args, out, err);
  else if (strcmp(what, "say") == 0)
    rc = eas_replay_say(s->replay, eas_json_str(args, "line") ? eas_json_str(args, "line") : "", err);
  else if (strcmp(what, "gdb") == 0)
    rc = eas_shell_gdb(s->replay, eas_json_str(args, "commands"), json_is_true(json_object_get(args, "batch")), out,
                       err);
  else if (strcmp(what, "stop") == 0)
    eas_replay_stop(s->replay);
  else if (strcmp(what, "result") == 0)
    *out = tell_result(s);
  else
    rc = eas_fail(err, EAS_EINVAL, "there is no question 'shell.%s'", what);
  if (rc >= 0 && *out) name_frames(s, *out);
  if (rc >= 0 && !*out) *out = json_object();
  return rc;
}

static char *ask(void *arg, const char *what, const char *json, eas_err *err)
{
  shell *s = arg;
  if (strncmp(what, "shell.", 6) != 0) return eas_front_ask(s->c, what, json, err);
  json_t *args = eas_json_parse(json, strlen(json), what, err), *out = NULL;
  char *text = NULL;
  if (args && answer(s, what + 6, args, &out, err) >= 0) text = json_dumps(out, JSON_COMPACT);
  json_decref(args);
  json_decref(out);
  return text;
}

static int parse_id(shell *s, eas_err *err)
{
  eas_cli *c = s->c;
  const char *given = eas_cli_get(c, "--attempt") ? eas_cli_get(c, "--attempt") : c->n_args ? c->args[0] : NULL;
  char letter = 0;
  if (!given) {
    eas_fail(err, EAS_EINVAL, "eas shell: which attempt?");
    return eas_hint(err, "as eas shell a533; eas errors names those that failed");
  }
  int rc = eas_id_parse(given, &letter, &s->id, err);
  if (rc < 0 || letter == 'a' || *given != letter) return rc;
  eas_fail(err, EAS_EINVAL, "eas shell: an attempt is wanted, as a533, not '%s'", given);
  return letter == 't' ? eas_hint(err, "eas show %s lists its attempts", given) : EAS_EINVAL;
}

/* Children with a uid of their own pass through it. */
static int make_folder(shell *s, eas_err *err)
{
  const char *given = eas_cli_get(s->c, "--folder"), *tmp = getenv("TMPDIR");
  if (given) {
    int rc = eas_path_mkdirs(given, 0711, err);
    s->folder = rc < 0 ? NULL : realpath(given, NULL);
    return rc < 0 || s->folder ? rc : eas_fail(err, EAS_EIO, "open '%s': %s", given, strerror(errno));
  }
  s->folder = eas_format("%s/eas-shell-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
  if (!mkdtemp(s->folder)) {
    int rc = eas_fail(err, EAS_EIO, "make '%s': %s", s->folder, strerror(errno));
    free(s->folder);
    s->folder = NULL;
    return rc;
  }
  s->is_ours = 1;
  return chmod(s->folder, 0711) == 0 ? 0 : eas_fail(err, EAS_EIO, "chmod '%s': %s", s->folder, strerror(errno));
}

static int open_shell(shell *s, eas_err *err)
{
  eas_cli *c = s->c;
  eas_claim claim = { 0 };
  int rc = parse_id(s, err);
  if (rc >= 0) rc = eas_cli_open_registry(c, err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_READ, err);
  if (rc >= 0) rc = eas_view_attempt(c->db, s->id, &s->recorded, err);
  if (rc == EAS_ENOENT) err->code = rc = EAS_EINVAL;
  if (rc >= 0) rc = eas_cli_open_store(c, err);
  if (rc >= 0) rc = make_folder(s, err);
  if (rc >= 0) rc = eas_attempt_again(c->db, c->registry, s->id, &claim, err);
  if (rc < 0) return rc;
  eas_replay_options o = { .registry = c->registry,
                           .conf = c->conf,
                           .packs = (const char *const *)c->packs,
                           .store = c->store,
                           .folder = s->folder };
  return eas_replay_open(&s->replay, &o, &claim, err);
}

static int prompt(shell *s)
{
  eas_cli *c = s->c;
  const char *once = eas_cli_has(c, "--run") ? "run" : eas_cli_has(c, "--qc") ? "qc" : NULL;
  const eas_task_type *t = eas_registry_type(c->registry, eas_json_str(s->recorded, "type"));
  char *last = last_file(s);
  json_t *packs = json_array();
  for (int i = 0; c->packs[i]; i++) json_array_append_new(packs, json_string(c->packs[i]));
  char *request =
      eas_front_request(c, "shell",
                        json_pack("{s:o,s:b,s:s,s:s,s:s,s:s?,s:b}", "packs", packs, "last", eas_path_exists(last),
                                  "attempt", eas_json_str(s->recorded, "attempt"), "script", t->script, "qc", t->qc,
                                  "once", once, "judge", eas_cli_has(c, "--run") && !eas_cli_has(c, "--no-qc")));
  free(last);
  eas_front front = { .request = request, .arg = s, .ask = ask };
  int status = c->runner->repl(c->runner->arg, eas_home_share(), (const char *const *)c->packs, &front);
  free(request);
  return status;
}

static int cmd_shell(eas_cli *c)
{
  shell s = { .c = c };
  eas_err err = { 0 };
  if (!c->runner->repl) return eas_cli_usage(c, "this program was built without scripts");
  int status = 0;
  if (open_shell(&s, &err) < 0)
    status = eas_cli_fail(c, &err);
  else if (eas_cli_has(c, "--sh"))
    status = eas_shell_sh(c, s.replay, s.recorded, s.folder, &s.is_ours);
  else
    status = prompt(&s);
  eas_replay_close(s.replay);
  if (s.is_ours) eas_path_remove_tree(s.folder, NULL);
  free(s.folder);
  json_decref(s.recorded);
  return status;
}

static const eas_option SHELL[] = {
  { "--attempt", "ID", NULL, "this attempt; the same as ID alone" },
  { "--run", NULL, NULL, "run the task and its QC once, and end: exit 1 while it fails" },
  { "--qc", NULL, NULL, "judge what the attempt made (or the last run in --folder) once, and end" },
  { "--no-qc", NULL, NULL, "with --run: the task alone" },
  { "--sh", NULL, NULL, "a shell in the folder, where `run` and `qc` are commands" },
  { "--folder", "DIR", NULL, "work there, and leave it (default: a temporary folder)" },
  { "--task-path", "DIRS", "task_path", "packs beside the core, divided by ':'" },
  { "--slots", "N", "slots", "threads at most (default: one per CPU)" },
  { 0 }
};

const eas_command eas_cmd_shell = {
  .name = "shell",
  .args = "ID",
  .summary = "an attempt as it was, to run again, debug and mend; changes no database",
  .detail =
      "Its inputs (hashes checked), description, metadata, seed, sandbox and limits (but for the time limit), in a "
      "folder of its own. At the prompt: run() runs the task script, qc() its quality check, edit() a copy of the "
      "script, save() a patch; eas.debug() in the script, or run { breakpoint = 24 }, stops there. Says what code "
      "has changed since. All of `eas repl` is there too. docs/debugging.md shows an example.",
  .examples = "  eas shell a533\n  eas shell a533 --run          for git bisect run",
  .groups = EAS_O_DATA,
  .options = SHELL,
  .max_args = 1,
  .run = cmd_shell
};
