/* shell_preset.c: see shell_preset.h. */
#include "cli/shell_preset.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "cli/shell_sh.h"

/* A build tree has bin, share and its cache side by side; those of other presets stand beside it. Caller frees. */
static char *program_of(const char *preset, const char *attempt, eas_err *err)
{
  char *cache = eas_format("%s/../../CMakeCache.txt", eas_home_share()), tree[PATH_MAX];
  char *program = eas_format("%s/../../../%s/bin/eas", eas_home_share(), preset);
  int is_build = eas_path_exists(cache), is_name = *preset && !strpbrk(preset, "/.");
  char *beside = eas_format("%s/../../..", eas_home_share());
  if (!is_build) {
    eas_fail(err, EAS_EINVAL, "run { preset = \"%s\" } needs a checkout; this eas is an installed one", preset);
    eas_hint(err, "there: cmake --preset %s && cmake --build --preset %s && build/%s/bin/eas shell %s", preset, preset,
             preset, attempt);
  } else if (!is_name || access(program, X_OK) != 0) {
    eas_fail(err, EAS_EINVAL, "there is no build '%s' in %s", preset, realpath(beside, tree) ? tree : beside);
    eas_hint(err, "cmake --preset %s && cmake --build --preset %s makes it", preset, preset);
  }
  if (!is_build || !is_name || access(program, X_OK) != 0) {
    free(program);
    program = NULL;
  }
  free(cache);
  free(beside);
  return program;
}

static _Noreturn void become(eas_cli *c, char *program, const char *attempt, const char *folder, int threads)
{
  const char *config = eas_cli_get(c, "--config"),
             *argv[16] = { program, "shell", attempt, "--folder", folder, "--run", "--no-qc" };
  char number[16], *whole = config ? realpath(config, NULL) : NULL;
  int n = 7;
  if (threads > 0) {
    snprintf(number, sizeof number, "%d", threads);
    argv[n++] = "--slots";
    argv[n++] = number;
  }
  if (whole) {
    argv[n++] = "--config";
    argv[n++] = whole;
  }
  signal(SIGINT, SIG_DFL);
  eas_shell_environment(c, folder);
  const char *given = getenv("ASAN_OPTIONS");
  char *options = eas_format("%s%sabort_on_error=1:print_legend=0", given ? given : "", given ? ":" : "");
  setenv("ASAN_OPTIONS", options, 1); /* aborted, it tells the Lua lines too */
  setenv("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1", 0);
  execv(program, (char *const *)(uintptr_t)argv);
  fprintf(stderr, "eas: start '%s': %s\n", program, strerror(errno));
  _exit(127);
}

int eas_shell_preset(eas_cli *c, const char *preset, const char *attempt, const char *folder, int threads, int *status,
                     eas_err *err)
{
  char *program = program_of(preset, attempt, err);
  int ended = 0;
  if (!program) return err->code;
  fflush(NULL);
  void (*before)(int) = signal(SIGINT, SIG_IGN); /* it hears Ctrl-C itself */
  pid_t pid = fork();
  if (pid == 0) become(c, program, attempt, folder, threads);
  while (pid > 0 && waitpid(pid, &ended, 0) < 0 && errno == EINTR) continue;
  signal(SIGINT, before);
  free(program);
  if (pid < 0) return eas_fail(err, EAS_EIO, "fork: %s", strerror(errno));
  *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
  return 0;
}
