/* shell_sh.c: see shell_sh.h. */
#include "cli/shell_sh.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/path.h"

/* Text as one word of a shell. */
static void add_word(eas_buf *b, const char *text)
{
  eas_buf_char(b, '\'');
  for (const char *p = text; *p; p++)
    if (*p == '\'')
      eas_buf_str(b, "'\\''");
    else
      eas_buf_char(b, *p);
  eas_buf_char(b, '\'');
}

static int write_command(const char *folder, const char *name, const char *id, const char *config, eas_err *err)
{
  char exe[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n < 0) return eas_fail(err, EAS_EIO, "read /proc/self/exe: %s", strerror(errno));
  exe[n] = 0;
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_str(&b, "#!/bin/sh\nexec ");
  add_word(&b, exe);
  eas_buf_printf(&b, " shell %s --folder ", id);
  add_word(&b, folder);
  eas_buf_str(&b, strcmp(name, "run") == 0 ? " --run --no-qc" : " --qc");
  if (config) {
    eas_buf_str(&b, " --config ");
    add_word(&b, config);
  }
  eas_buf_str(&b, " \"$@\"\n");
  char *path = eas_format("%s/bin/%s", folder, name);
  int rc = eas_file_write(path, b.data, b.len, 0755, err);
  free(path);
  eas_buf_done(&b);
  return rc;
}

/* A script as FOLDER/pack/KIND/NAME.lua, unless it is there from an earlier time. */
static int copy_script(const char *folder, const char *kind, const char *script, eas_err *err)
{
  char *dir = eas_format("%s/pack/%s", folder, kind), *path = eas_path_join(dir, eas_path_base(script));
  eas_buf text;
  eas_buf_init(&text);
  int rc = eas_path_mkdirs(dir, 0755, err);
  if (rc >= 0 && !eas_path_exists(path)) {
    rc = eas_file_read(script, 0, &text, err);
    if (rc >= 0) rc = eas_file_write(path, text.data ? text.data : "", text.len, 0644, err);
  }
  eas_buf_done(&text);
  free(dir);
  free(path);
  return rc;
}

static int is_edited(const char *folder, const char *kind, const char *script)
{
  char *path = eas_format("%s/pack/%s/%s", folder, kind, eas_path_base(script));
  eas_digest a, b;
  int other = eas_hash_file(script, &a, NULL, NULL) >= 0 && eas_hash_file(path, &b, NULL, NULL) >= 0 &&
              !eas_digest_equal(&a, &b);
  free(path);
  return other;
}

static int write_about(eas_replay *replay, const char *folder, eas_err *err)
{
  json_t *about = eas_replay_about(replay);
  char *text = json_dumps(about, JSON_INDENT(2)), *path = eas_path_join(folder, "attempt.json");
  int rc = eas_file_write(path, text, strlen(text), 0644, err);
  json_decref(about);
  free(text);
  free(path);
  return rc;
}

/* What was said on the command line counts for `run` and `qc` too; the folder is another there. */
void eas_shell_environment(const eas_cli *c, const char *folder)
{
  char *data = realpath(eas_conf_str(c->conf, "data"), NULL), *path = eas_format("%s/bin:%s", folder, getenv("PATH"));
  for (int i = 0; i < c->n_given; i++) {
    const char *key = c->given[i].option->conf;
    if (!key) continue;
    char *name = eas_format("EAS_%s", key);
    for (char *p = name; *p; p++) *p = (char)toupper((unsigned char)*p);
    setenv(name, c->given[i].value, 1);
    free(name);
  }
  eas_buf packs;
  eas_buf_init(&packs);
  for (int i = 1; c->packs[i]; i++) eas_buf_printf(&packs, "%s%s", i > 1 ? ":" : "", c->packs[i]);
  if (packs.len) setenv("EAS_TASK_PATH", packs.data, 1);
  eas_buf_done(&packs);
  if (data) setenv("EAS_DATA", data, 1);
  setenv("PATH", path, 1);
  free(data);
  free(path);
}

static int run_shell(const char *folder)
{
  const char *shell = getenv("SHELL") && *getenv("SHELL") ? getenv("SHELL") : "/bin/sh";
  fflush(stdout);
  void (*before)(int) = signal(SIGINT, SIG_IGN); /* the shell's own matter */
  pid_t pid = fork();
  if (pid == 0) {
    signal(SIGINT, SIG_DFL);
    if (chdir(folder) == 0) execl(shell, shell, (char *)NULL);
    fprintf(stderr, "eas: start '%s': %s\n", shell, strerror(errno));
    _exit(127);
  }
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  signal(SIGINT, before);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int eas_shell_sh(eas_cli *c, eas_replay *replay, const json_t *attempt, const char *folder, int *is_ours)
{
  eas_err err = { 0 };
  const eas_task_type *t = eas_registry_type(c->registry, eas_json_str(attempt, "type"));
  const char *id = eas_json_str(attempt, "attempt"), *given = eas_cli_get(c, "--config");
  char *bin = eas_path_join(folder, "bin"), *config = given ? realpath(given, NULL) : NULL;
  int rc = eas_path_mkdirs(bin, 0755, &err);
  if (rc >= 0) rc = write_command(folder, "run", id, config, &err);
  if (rc >= 0) rc = write_command(folder, "qc", id, config, &err);
  if (rc >= 0) rc = copy_script(folder, "tasks_lua", t->script, &err);
  if (rc >= 0) rc = copy_script(folder, "qc_lua", t->qc, &err);
  if (rc >= 0) rc = write_about(replay, folder, &err);
  free(bin);
  free(config);
  if (rc < 0) return eas_cli_fail(c, &err);
  eas_shell_environment(c, folder);
  printf("%s in %s\nrun   runs pack/tasks_lua/%s.lua, edited or not\nqc    judges what it made\nattempt.json, inputs/, "
         "outputs/ are "
         "what it was told, given, and made; nothing here changes the database\n",
         id, folder, t->name);
  int status = run_shell(folder);
  if (*is_ours && (is_edited(folder, "tasks_lua", t->script) || is_edited(folder, "qc_lua", t->qc))) {
    *is_ours = 0;
    printf("edited scripts are in %s/pack\n", folder);
  }
  return status;
}
