/* cgroup.c: the groups of one slot, v1 (one folder per controller) or v2 (one folder); made once, used by attempt after attempt. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "sandbox/own.h"

enum { MEMORY, PIDS, CPU, N_CONTROLLERS };

struct eas_slot_group {
  int version;
  char *dir[N_CONTROLLERS];       /* NULL: not used; v2: all the same */
  int procs[N_CONTROLLERS];       /* where processes join, -1 unless it is the first with this folder */
  int oom_fd, events_fd, peak_fd; /* held open: they are asked for with each attempt */
  int64_t oom, refused;           /* the kernel's counters when the limits were set */
  int peak_known;                 /* v1: the peak can be set back */
  int is_set;                     /* to these limits; what is the same is not written again */
  eas_limits limits;
};

static int put(const char *dir, const char *file, const char *value)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int rc = write(fd, value, strlen(value)) < 0 ? -errno : 0;
  close(fd);
  return rc;
}

/* The number after word at the start of a line of a small file; word "": the first number. -1 if there is none. */
static int64_t number(int fd, const char *word)
{
  char text[4096];
  ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (n <= 0) return -1;
  text[n] = 0;
  size_t len = strlen(word);
  for (const char *p = text; p; p = strchr(p, '\n')) {
    if (*p == '\n') p++;
    if (strncmp(p, word, len) == 0 && (len == 0 || p[len] == ' ')) return strtoll(p + len, NULL, 10);
  }
  return -1;
}

static int hold(const char *dir, const char *file, int flags)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  return open(path, flags | O_CLOEXEC);
}

/* Groups whose worker is gone: nobody else would remove them. */
static void sweep(const char *folder)
{
  DIR *d = opendir(folder);
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));) {
    int pid, slot, n = 0;
    if (sscanf(e->d_name, "eas.%d.slot%d%n", &pid, &slot, &n) != 2 || e->d_name[n]) continue;
    if (kill(pid, 0) == 0 || errno != ESRCH) continue;
    unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
  }
  closedir(d);
}

static int open_one(eas_slot_group *g, int which, const char *folder, int slot, eas_err *err)
{
  char procs[512];
  if (slot == 0) sweep(folder);
  g->dir[which] = eas_format("%s/eas.%d.slot%d", folder, (int)getpid(), slot);
  if (mkdir(g->dir[which], 0755) < 0 && errno != EEXIST)
    return eas_fail(err, EAS_EIO, "make cgroup '%s': %s", g->dir[which], strerror(errno));
  for (int i = 0; i < which; i++)
    if (g->dir[i] && strcmp(g->dir[i], g->dir[which]) == 0) return 0;
  /* By v1's `tasks` a thread that joins by itself holds up no fork or exit of the whole machine, as by cgroup.procs it would. */
  snprintf(procs, sizeof procs, "%s/%s", g->dir[which], g->version == 1 ? "tasks" : "cgroup.procs");
  g->procs[which] = open(procs, O_WRONLY | O_CLOEXEC);
  return g->procs[which] < 0 ? eas_fail(err, EAS_EIO, "open '%s': %s", procs, strerror(errno)) : 0;
}

int eas_slot_group_open(eas_slot_group **out, const eas_probe *p, int slot, eas_err *err)
{
  const char *folders[N_CONTROLLERS] = { p->cgroup, p->cgroup_pids, p->cgroup_cpu };
  static const unsigned bits[N_CONTROLLERS] = { EAS_LAYER_CGROUP_MEMORY, EAS_LAYER_CGROUP_PIDS, EAS_LAYER_CGROUP_CPU };
  eas_slot_group *g = eas_alloc(sizeof *g);
  g->version = p->cgroup_version;
  int rc = 0, n = 0;
  for (int i = 0; i < N_CONTROLLERS; i++) g->procs[i] = -1;
  g->oom_fd = g->events_fd = g->peak_fd = -1;
  for (int i = 0; rc == 0 && i < N_CONTROLLERS; i++)
    if ((p->layers & bits[i]) && folders[i][0]) {
      rc = open_one(g, i, folders[i], slot, err);
      n++;
    }
  if (rc == 0 && n == 0) rc = eas_fail(err, EAS_ENOENT, "no cgroup is to be had here");
  if (rc < 0) {
    eas_slot_group_close(g);
    return rc;
  }
  if (g->dir[MEMORY])
    g->oom_fd = hold(g->dir[MEMORY], g->version == 2 ? "memory.events" : "memory.oom_control", O_RDONLY);
  if (g->dir[MEMORY] && g->version == 1) g->peak_fd = hold(g->dir[MEMORY], "memory.max_usage_in_bytes", O_RDWR);
  if (g->dir[PIDS]) g->events_fd = hold(g->dir[PIDS], "pids.events", O_RDONLY);
  *out = g;
  return 0;
}

static int set_memory(eas_slot_group *g, const eas_limits *l)
{
  const char *dir = g->dir[MEMORY];
  char bytes[32];
  snprintf(bytes, sizeof bytes, "%lld", (long long)(l->memory_bytes > 0 ? l->memory_bytes : -1));
  if (g->version == 2) {
    put(dir, "memory.swap.max", "0");
    return put(dir, "memory.max", l->memory_bytes > 0 ? bytes : "max");
  }
  put(dir, "memory.memsw.limit_in_bytes", "-1"); /* must never be below the other, which may grow now */
  int rc = put(dir, "memory.limit_in_bytes", bytes);
  put(dir, "memory.memsw.limit_in_bytes", bytes);
  return rc;
}

static int set_cpu(eas_slot_group *g, const eas_limits *l)
{
  char text[64];
  if (g->version == 2) {
    snprintf(text, sizeof text, l->cpus > 0 ? "%d 100000" : "max 100000", l->cpus * 100000);
    return put(g->dir[CPU], "cpu.max", text);
  }
  snprintf(text, sizeof text, "%d", l->cpus > 0 ? l->cpus * 100000 : -1);
  return put(g->dir[CPU], "cpu.cfs_quota_us", text);
}

static int set_pids(eas_slot_group *g, const eas_limits *l)
{
  char text[32];
  snprintf(text, sizeof text, "%d", l->processes);
  return put(g->dir[PIDS], "pids.max", l->processes > 0 ? text : "max");
}

int eas_slot_group_set(eas_slot_group *g, const eas_limits *l, eas_err *err)
{
  const eas_limits *was = g->is_set ? &g->limits : NULL;
  int rc = g->dir[MEMORY] && (!was || was->memory_bytes != l->memory_bytes) ? set_memory(g, l) : 0;
  if (rc < 0) return eas_fail(err, EAS_EIO, "limit memory in '%s': %s", g->dir[MEMORY], strerror(-rc));
  rc = g->dir[PIDS] && (!was || was->processes != l->processes) ? set_pids(g, l) : 0;
  if (rc < 0) return eas_fail(err, EAS_EIO, "limit processes in '%s': %s", g->dir[PIDS], strerror(-rc));
  rc = g->dir[CPU] && (!was || was->cpus != l->cpus) ? set_cpu(g, l) : 0;
  if (rc < 0) return eas_fail(err, EAS_EIO, "limit CPUs in '%s': %s", g->dir[CPU], strerror(-rc));
  g->oom = number(g->oom_fd, "oom_kill");
  g->refused = number(g->events_fd, "max");
  g->peak_known = g->peak_fd >= 0 && pwrite(g->peak_fd, "0", 1, 0) == 1;
  g->limits = *l;
  g->is_set = 1;
  return 0;
}

int eas_slot_group_add(eas_slot_group *g, pid_t pid, eas_err *err)
{
  char text[32];
  int n = snprintf(text, sizeof text, "%d", (int)pid);
  for (int i = 0; i < N_CONTROLLERS; i++)
    if (g->procs[i] >= 0 && write(g->procs[i], text, (size_t)n) < 0 && errno != ESRCH)
      return eas_fail(err, EAS_EIO, "put process %d into '%s': %s", (int)pid, g->dir[i], strerror(errno));
  return 0;
}

int eas_slot_group_fds(const eas_slot_group *g, int fds[3])
{
  int n = 0;
  for (int i = 0; i < N_CONTROLLERS; i++) {
    if (i == CPU && g->version == 1 && g->limits.cpus == 0) continue; /* without a quota it is only a cost */
    if (g->procs[i] >= 0) fds[n++] = g->procs[i];
  }
  return n;
}

/* One round over a v1 group; returns how many processes were there. */
static int kill_listed(const char *dir)
{
  char path[512];
  int pid, n = 0;
  snprintf(path, sizeof path, "%s/cgroup.procs", dir);
  FILE *f = fopen(path, "re");
  while (f && fscanf(f, "%d", &pid) == 1) {
    kill(pid, SIGKILL);
    n++;
  }
  if (f) fclose(f);
  return n;
}

/* Returns how many rounds still found somebody: 0 when the group was empty. */
int eas_slot_group_kill(eas_slot_group *g)
{
  const char *dir = g->dir[PIDS] ? g->dir[PIDS] : g->dir[MEMORY] ? g->dir[MEMORY] : g->dir[CPU];
  int rounds = 0;
  if (!dir || kill_listed(dir) == 0) return 0;
  if (g->version == 2) put(dir, "cgroup.kill", "1");
  while (++rounds < 100 && kill_listed(dir) > 0) nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
  return rounds;
}

int eas_slot_group_oom(eas_slot_group *g)
{
  return number(g->oom_fd, "oom_kill") > g->oom;
}

int eas_slot_group_forks_refused(eas_slot_group *g)
{
  return number(g->events_fd, "max") > g->refused;
}

int64_t eas_slot_group_peak(eas_slot_group *g)
{
  int64_t peak = g->peak_known ? number(g->peak_fd, "") : 0;
  return peak > 0 ? peak : 0;
}

void eas_slot_group_close(eas_slot_group *g)
{
  if (!g) return;
  eas_slot_group_kill(g);
  const int held[] = { g->oom_fd, g->events_fd, g->peak_fd };
  for (int i = 0; i < 3; i++)
    if (held[i] >= 0) close(held[i]);
  for (int i = 0; i < N_CONTROLLERS; i++) {
    if (g->procs[i] >= 0) close(g->procs[i]);
    for (int try = 0; g->dir[i] && try < 50 && rmdir(g->dir[i]) < 0 && errno == EBUSY; try++)
      nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); /* the dead take a moment to leave */
    free(g->dir[i]);
  }
  free(g);
}
