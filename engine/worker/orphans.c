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
#include "worker/zygote_own.h"

enum { ROUNDS = 1000 };

static struct { pid_t *pid; int n, cap; } known;

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

static int family(const char *pid, int *parent, int *session)
{
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  const char *end = strrchr(text, ')'); /* the name in front may hold anything */
  return end && sscanf(end + 1, " %*c %d %*d %d", parent, session) == 2;
}

static int kill_round(void)
{
  DIR *d = opendir("/proc");
  int found = 0, own = (int)getsid(0);
  if (!d) return 0;
  for (struct dirent *e; (e = readdir(d));) {
    int parent = 0, session = 0;
    if (e->d_name[0] < '1' || e->d_name[0] > '9' || !family(e->d_name, &parent, &session)) continue;
    pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
    if (parent != getpid() || session == own || is_known(pid)) continue;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    found++;
  }
  closedir(d);
  return found;
}

void eas_orphans_kill(pid_t pid)
{
  if (!is_known(pid)) return;
  eas_orphans_forget(pid);
  for (int i = 0; i < ROUNDS && kill_round() > 0; i++) continue;
}
