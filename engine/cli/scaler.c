/* scaler.c: see scaler.h. */
#include "cli/scaler.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

extern char **environ;

static int start(const char *program, pid_t *pid)
{
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attr;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attr);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask(&attr, &none); /* control blocks what its loop reads */
  posix_spawnattr_setsigdefault(&attr, &all);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  char *name = eas_strdup(program), *argv[] = { name, NULL };
  int rc = posix_spawn(pid, program, &actions, &attr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attr);
  free(name);
  return rc;
}

/* 1 while the last one still runs. */
static int still_runs(eas_session *s, const char *program)
{
  int status = 0;
  if (!s->scaler) return 0;
  pid_t got = waitpid(s->scaler, &status, WNOHANG);
  if (got == 0) return 1;
  if (got > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
    eas_log(EAS_WARN, "scale_command %s: %s %d", program, WIFEXITED(status) ? "exit" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  s->scaler = 0;
  return 0;
}

static void on_time(void *arg)
{
  eas_session *s = arg;
  const char *program = eas_conf_str(s->c->conf, "scale_command");
  if (s->stopping) return;
  if (!still_runs(s, program)) {
    int rc = start(program, &s->scaler);
    if (rc != 0) {
      eas_log(EAS_WARN, "scale_command %s: %s", program, strerror(rc));
      s->scaler = 0;
    }
  }
  eas_loop_after(s->loop, eas_conf_duration_us(s->c->conf, "scale_every"), on_time, s);
}

void eas_scaler_start(eas_session *s)
{
  if (s->control && *eas_conf_str(s->c->conf, "scale_command")) on_time(s);
}
