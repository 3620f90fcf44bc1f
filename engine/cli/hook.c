/* hook.c: see hook.h. */
#include "cli/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"

extern char **environ;

enum { PIPE_BYTES = 60 * 1024 }; /* what a pipe holds before anybody reads */

/* The environment without what is secret: names of ours that end so. */
static char **clean_environment(void)
{
  static const char *const secrets[] = { "EAS_DATABASE_PASSWORD=", "EAS_QUEUE_PASSWORD=", "EAS_WEB_TOKEN=",
                                         "EAS_HOOK_URL=", "PGPASSWORD=" };
  size_t n = 0, k = 0;
  while (environ[n]) n++;
  char **out = eas_alloc((n + 1) * sizeof *out);
  for (size_t i = 0; i < n; i++) {
    int secret = 0;
    for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++)
      secret |= strncmp(environ[i], secrets[j], strlen(secrets[j])) == 0;
    if (!secret) out[k++] = environ[i];
  }
  return out;
}

static int spawn(char **argv, int in, pid_t *pid)
{
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attr;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attr);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setsigmask(&attr, &none); /* control blocks what its loop reads */
  posix_spawnattr_setsigdefault(&attr, &all);
  posix_spawnattr_setpgroup(&attr, 0);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  char **env = clean_environment();
  int rc = posix_spawnp(pid, argv[0], &actions, &attr, argv, env);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attr);
  free(env);
  return rc;
}

/* All of the text is in the pipe before the program starts: nobody waits for it to be read. */
static int start(char **argv, const char *text, pid_t *pid, eas_err *err)
{
  int ends[2];
  size_t n = strlen(text);
  if (n > PIPE_BYTES) return eas_fail(err, EAS_ELIMIT, "the event is too long");
  if (pipe2(ends, O_CLOEXEC) < 0) return eas_fail(err, EAS_EIO, "pipe: %s", strerror(errno));
  int rc = write(ends[1], text, n) == (ssize_t)n ? 0 : EIO;
  close(ends[1]);
  if (rc == 0) rc = spawn(argv, ends[0], pid);
  close(ends[0]);
  return rc ? eas_fail(err, EAS_EIO, "%s: %s", argv[0], strerror(rc)) : 0;
}

int eas_hook_command(const char *program, const json_t *event, pid_t *pid, eas_err *err)
{
  char *text = json_dumps(event, JSON_COMPACT), *name = eas_strdup(program),
       *state = eas_strdup(eas_json_str(event, "state")), *job = eas_strdup(eas_json_str(event, "job"));
  char *argv[] = { name, state, job, NULL };
  int rc = start(argv, text, pid, err);
  free(text);
  free(name);
  free(state);
  free(job);
  return rc;
}

static void quoted(eas_buf *b, const char *name, const char *value)
{
  eas_buf_printf(b, "%s = \"", name);
  for (; *value; value++) {
    if (*value == '"' || *value == '\\') eas_buf_char(b, '\\');
    eas_buf_char(b, *value);
  }
  eas_buf_str(b, "\"\n");
}

int eas_hook_url(const char *url, const json_t *event, int64_t timeout_us, pid_t *pid, eas_err *err)
{
  eas_buf b;
  char *text = json_dumps(event, JSON_COMPACT),
       *argv[] = { (char[]){ "curl" }, (char[]){ "-q" }, (char[]){ "-K" }, (char[]){ "-" }, NULL };
  eas_buf_init(&b);
  if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
    free(text);
    return eas_fail(err, EAS_EURL, "hook_url: http:// or https:// is wanted");
  }
  quoted(&b, "url", url);
  quoted(&b, "data-binary", text);
  quoted(&b, "header", "Content-Type: application/json");
  quoted(&b, "proto", "=http,https");
  quoted(&b, "output", "/dev/null");
  eas_buf_printf(&b, "silent\nshow-error\nfail\nmax-time = %lld\n",
                 (long long)(timeout_us / 1000000 > 0 ? timeout_us / 1000000 : 1));
  int rc = start(argv, b.data, pid, err);
  if (b.data) explicit_bzero(b.data, b.len);
  eas_buf_done(&b);
  free(text);
  return rc;
}
