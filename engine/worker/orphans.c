/* orphans.c: without a pid namespace a child's daemons outlive it. They come to the supervisor then, since it is the
 * subreaper; a living child is one itself and keeps its own. So what has this process for a parent, a session that is
 * not ours, and is no known child was left behind by a dead one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "worker/zygote_own.h"

enum { ROUNDS = 1000, TRUST_US = 1000000 };

static struct {
  pid_t *pid;
  int n, cap;
} known;

void eas_orphans_known(pid_t pid)
{
  if (known.n == known.cap) {
    known.cap = known.cap ? 2 * known.cap : 64;
    known.pid = eas_realloc(known.pid, (size_t)known.cap * sizeof *known.pid);
  }
  known.pid[known.n++] = pid;
}

static int is_known(pid_t pid)
{
  for (int i = 0; i < known.n; i++)
    if (known.pid[i] == pid) return 1;
  return 0;
}

void eas_orphans_forget(pid_t pid)
{
  for (int i = 0; i < known.n; i++)
    if (known.pid[i] == pid) known.pid[i--] = known.pid[--known.n];
}

/* Parent and session of a process. */
static int family(pid_t pid, int *parent, int *session)
{
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  const char *end = strrchr(text, ')'); /* the name in front may hold anything */
  return end && sscanf(end + 1, " %*c %d %*d %d", parent, session) == 2;
}

static int kill_if_left(pid_t pid)
{
  int parent = 0, session = 0;
  if (is_known(pid) || !family(pid, &parent, &session) || parent != getpid() || session == (int)getsid(0)) return 0;
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return 1;
}

static int kill_round(void)
{
  DIR *d = opendir("/proc");
  int found = 0;
  for (struct dirent *e; d && (e = readdir(d));)
    if (e->d_name[0] >= '1' && e->d_name[0] <= '9') found += kill_if_left((pid_t)strtol(e->d_name, NULL, 10));
  if (d) closedir(d);
  return found;
}

/* A walk over /proc costs more than a whole attempt. A child that ended in order, and said that it had no children then,
 * is believed for a second; by then whatever lied is gone too. */
void eas_orphans_kill(pid_t pid, int is_childless)
{
  static int64_t walked_us;
  if (!is_known(pid)) return;
  eas_orphans_forget(pid);
  int64_t now = eas_tick_us();
  if (is_childless && now - walked_us < TRUST_US) return;
  walked_us = now;
  for (int i = 0; i < ROUNDS && kill_round() > 0; i++) continue;
}
