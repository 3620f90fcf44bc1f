/* shell_gdb.c: see shell_gdb.h. */
#include "cli/shell_gdb.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"

enum { TURN_US = 50 * 1000, WORDS = 16 };

int eas_shell_gdb_there(eas_err *err)
{
  const char *path = getenv("PATH");
  char *all = eas_strdup(path ? path : ""), *rest = NULL;
  int found = 0;
  for (char *dir = strtok_r(all, ":", &rest); dir && !found; dir = strtok_r(NULL, ":", &rest)) {
    char *file = eas_path_join(dir, "gdb");
    found = access(file, X_OK) == 0;
    free(file);
  }
  free(all);
  if (found) return 0;
  eas_fail(err, EAS_EINVAL, "gdb is not installed");
  return eas_hint(err, "Debian's package is gdb: apt-get install gdb");
}

/* Whether a process beside the run, as gdb will be, may trace it: 0 or the errno. It is not stopped by this. */
static int refusal(pid_t pid)
{
  int status = 0;
  pid_t beside = fork();
  if (beside == 0) _exit(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 0 : errno);
  while (beside > 0 && waitpid(beside, &status, 0) < 0 && errno == EINTR) continue;
  return beside > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static int yama_scope(void)
{
  char text[16] = "";
  FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
  if (f && !fgets(text, sizeof text, f)) *text = 0;
  if (f) fclose(f);
  return atoi(text);
}

static int explain(int code, eas_err *err)
{
  int scope = yama_scope();
  if (scope >= 2) {
    eas_fail(err, EAS_EREFUSED, "gdb cannot attach: kernel.yama.ptrace_scope is %d", scope);
    return scope == 2 ? eas_hint(err, "sudo sysctl kernel.yama.ptrace_scope=1, or eas shell as root")
                      : eas_hint(err, "3 lasts until the next boot: set 1 in /etc/sysctl.d");
  }
  eas_fail(err, EAS_EREFUSED, "gdb cannot attach: ptrace: %s", strerror(code));
  return eas_hint(err, "a container needs the right to trace: docker run --cap-add SYS_PTRACE, or "
                       "securityContext.capabilities.add SYS_PTRACE");
}

static int is_traced(pid_t pid)
{
  char path[64], line[256];
  int tracer = 0;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "TracerPid: %d", &tracer) == 1) break;
  if (f) fclose(f);
  return tracer > 0;
}

/* Kernels are loaded later, and their files lie for us where they lie for the run. */
static pid_t start_gdb(pid_t pid, const char *commands, int batch)
{
  char number[16];
  const char *argv[WORDS] = {
    "gdb", "-q", "-iex", "set sysroot /", "-iex", "set breakpoint pending on", "-iex", "set confirm off", "-p", number
  };
  int n = 10;
  snprintf(number, sizeof number, "%d", (int)pid);
  if (commands) {
    argv[n++] = "-x";
    argv[n++] = commands;
  }
  if (batch) argv[n++] = "-batch";
  fflush(NULL);
  pid_t gdb = fork();
  if (gdb != 0) return gdb;
  signal(SIGINT, SIG_DFL);
  int null = batch ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
  if (null >= 0) dup2(null, STDIN_FILENO);
  execvp("gdb", (char *const *)(uintptr_t)argv);
  fprintf(stderr, "eas: start 'gdb': %s\n", strerror(errno));
  _exit(127);
}

/* What a step told is put behind what was told before. */
static void gather(json_t **all, json_t *step)
{
  static const char *const lists[] = { "log", "debug" };
  for (int i = 0; *all && i < 2; i++) {
    json_t *list = json_incref(json_object_get(*all, lists[i]));
    json_array_extend(list, json_object_get(step, lists[i]));
    json_object_set_new(step, lists[i], list);
  }
  json_decref(*all);
  *all = step;
}

static int step(eas_replay *p, json_t **all, eas_err *err)
{
  json_t *one = NULL;
  int rc = eas_replay_step(p, TURN_US, &one, err);
  if (rc >= 0) gather(all, one);
  return rc;
}

/* Until gdb has quit. Its events are taken all the while: a full pipe would stop the run where nobody sees why. */
static int follow(eas_replay *p, pid_t pid, pid_t gdb, json_t **all, eas_err *err)
{
  int told = 0, status = 0, rc = 0;
  for (int over = 0; !over && rc >= 0;) {
    over = waitpid(gdb, &status, WNOHANG) == gdb;
    rc = step(p, all, err);
    if (rc >= 0 && !told && is_traced(pid)) {
      rc = eas_replay_say(p, "go", err);
      told = 1;
    }
  }
  if (rc < 0) {
    kill(gdb, SIGTERM);
    while (waitpid(gdb, &status, 0) < 0 && errno == EINTR) continue;
    return rc;
  }
  return told ? 0 : eas_fail(err, EAS_EREFUSED, "gdb ended (%d) and had not attached", WEXITSTATUS(status));
}

int eas_shell_gdb(eas_replay *p, const char *commands, int batch, json_t **out, eas_err *err)
{
  pid_t pid = eas_replay_pid(p);
  json_t *all = NULL;
  int code = pid > 0 ? refusal(pid) : 0, rc = 0;
  if (pid <= 0) return eas_fail(err, EAS_EINVAL, "nothing runs that gdb could attach to");
  if (code) {
    rc = explain(code, err);
  } else {
    void (*before)(int) = signal(SIGINT, SIG_IGN); /* gdb's own matter */
    pid_t gdb = start_gdb(pid, commands, batch);
    rc = gdb > 0 ? follow(p, pid, gdb, &all, err) : eas_fail(err, EAS_EIO, "start 'gdb': %s", strerror(errno));
    signal(SIGINT, before);
  }
  if (rc < 0) {
    eas_replay_stop(p);
    eas_replay_stop(p); /* it waits for a word that does not come */
    while (eas_replay_pid(p) > 0 && step(p, &all, NULL) >= 0) continue;
    json_decref(all);
    return rc;
  }
  *out = all;
  return 0;
}
