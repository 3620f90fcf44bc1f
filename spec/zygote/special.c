/* special.c: scenes with more than one process to look at. Each prints one line of JSON. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "scene.h"

static int fail(const char *what, const eas_err *err)
{
  fprintf(stderr, "%s: %s\n", what, err->text);
  return 1;
}

/* A killed zygote: the next request says so, what runs goes on, a new one serves. */
static int zygote_dies(scene *s)
{
  eas_child held, next;
  eas_err err = { 0 };
  act a, b;
  if (scene_spawn(s, "hold", NULL, &held, &err) < 0) return fail("hold", &err);
  scene_until_stage(&held, 3);
  syscall(SYS_pidfd_send_signal, eas_zygote_pidfd(s->zygote), SIGKILL, NULL, 0);
  struct pollfd p = { .fd = eas_zygote_fd(s->zygote), .events = POLLIN };
  int seen = poll(&p, 1, 2000) > 0;
  int rc = scene_spawn(s, "well", NULL, &next, &err);
  eas_zygote_stop(s->zygote);
  s->zygote = NULL;
  held.page->cancel = 1;
  scene_wait(s, &held, &a);
  if (scene_start(s, s->use, 0, &err) < 0) return fail("start again", &err);
  if (scene_act(s, "well", &b) != 0) return 1;
  printf("{\"seen\":%d,\"code\":%d,\"held_ended\":%d,\"next_ended\":%d}\n", seen, rc, a.ended, b.ended);
  json_decref(a.events);
  json_decref(b.events);
  return 0;
}

/* A zygote that is stopped (new scripts): its child runs on. */
static int stopped(scene *s)
{
  eas_child held;
  eas_err err = { 0 };
  act a;
  if (scene_spawn(s, "hold", NULL, &held, &err) < 0) return fail("hold", &err);
  scene_until_stage(&held, 3);
  double start = scene_now();
  eas_zygote_stop(s->zygote);
  s->zygote = NULL;
  double took = scene_now() - start;
  held.page->cancel = 1;
  scene_wait(s, &held, &a);
  printf("{\"took\":%.3f,\"ended\":%d,\"status\":%d}\n", took, a.ended, a.status);
  json_decref(a.events);
  return scene_start(s, s->use, 0, &err) < 0 ? fail("start again", &err) : 0;
}

static int pid_of(int pidfd)
{
  char path[64], line[128];
  int pid = 0;
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "Pid: %d", &pid) == 1) break;
  if (f) fclose(f);
  return pid;
}

/* A zombie has nothing left but its number; whoever inherited it may take a while to ask. */
static int is_dead(pid_t pid)
{
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n <= 0) return 1;
  text[n] = 0;
  const char *end = strrchr(text, ')');
  return end && (end[2] == 'Z' || end[2] == 'X');
}

/* A supervisor that is killed takes zygote and children with it. */
static int supervisor_dies(scene *s)
{
  int ready[2];
  if (pipe(ready) < 0) return 1;
  pid_t pid = fork();
  if (pid == 0) {
    eas_child child;
    eas_err err = { 0 };
    if (scene_start(s, s->use, 0, &err) < 0 || scene_spawn(s, "ignore_term", NULL, &child, &err) < 0)
      _exit(fail("start", &err));
    scene_until_stage(&child, 3);
    int pids[2] = { child.pid, pid_of(eas_zygote_pidfd(s->zygote)) };
    if (write(ready[1], pids, sizeof pids) < 0) _exit(1);
    for (;;) pause();
  }
  int pids[2] = { 0, 0 };
  close(ready[1]);
  ssize_t n = read(ready[0], pids, sizeof pids);
  close(ready[0]);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  double start = scene_now();
  while (n > 0 && !(is_dead(pids[0]) && is_dead(pids[1])) && scene_now() - start < 5) usleep(1000);
  printf("{\"started\":%d,\"child_gone\":%d,\"zygote_gone\":%d,\"seconds\":%.3f}\n", n > 0, is_dead(pids[0]),
         is_dead(pids[1]), scene_now() - start);
  return 0;
}

static int has(const char *path, const char *word)
{
  eas_buf text;
  eas_buf_init(&text);
  int rc = eas_file_read(path, 0, &text, NULL);
  int found = rc == 0 && text.data && memmem(text.data, text.len, word, strlen(word)) != NULL;
  eas_buf_done(&text);
  return rc < 0 ? rc : found;
}

/* 1: word is in a writable or file-less mapping of the process; pages is how many bytes were looked at. */
static int memory_has(pid_t pid, const char *word, size_t *looked)
{
  char path[64], line[512];
  int found = 0;
  snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
  int mem = open(path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
  FILE *maps = fopen(path, "re");
  while (mem >= 0 && maps && fgets(line, sizeof line, maps)) {
    unsigned long from, to;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || rights[0] != 'r' || to - from > (64ul << 20)) continue;
    char *copy = eas_alloc(to - from);
    ssize_t n = pread(mem, copy, to - from, (off_t)from);
    if (n > 0) *looked += (size_t)n;
    if (n > 0 && memmem(copy, (size_t)n, word, strlen(word))) found = 1;
    free(copy);
  }
  if (maps) fclose(maps);
  if (mem >= 0) close(mem);
  return found;
}

static int count_fds(pid_t pid)
{
  char path[64];
  int n = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  DIR *d = opendir(path);
  for (struct dirent *e; d && (e = readdir(d));)
    if (e->d_name[0] != '.') n++;
  if (d) closedir(d);
  return d ? n : -1;
}

/* The supervisor's secrets are in its memory and environment: are they in the child's? Looked at from outside, as root. */
static int password(scene *s)
{
  eas_child held;
  eas_err err = { 0 };
  act a;
  char word[32], environ_path[64];
  snprintf(word, sizeof word, "hunter2-%s", "memory"); /* not a constant: those are in the binary's text */
  char *secret = eas_strdup(word);
  if (scene_spawn(s, "hold", NULL, &held, &err) < 0) return fail("hold", &err);
  scene_until_stage(&held, 3);
  snprintf(environ_path, sizeof environ_path, "/proc/%d/environ", (int)held.pid);
  size_t looked = 0, own = 0;
  int in_environ = has(environ_path, "hunter2-environ");
  int in_memory = memory_has(held.pid, secret, &looked);
  int in_own = memory_has(getpid(), secret, &own); /* the method finds it where it is */
  int fds = count_fds(held.pid);
  held.page->cancel = 1;
  scene_wait(s, &held, &a);
  printf("{\"environ\":%d,\"memory\":%d,\"own\":%d,\"looked\":%zu,\"fds\":%d}\n", in_environ, in_memory, in_own, looked,
         fds);
  free(secret);
  json_decref(a.events);
  return 0;
}

/* A layer that is required and switched off. */
static int required(scene *s)
{
  eas_err err = { 0 };
  eas_zygote *kept = s->zygote;
  int rc = scene_start(s, s->use & ~(unsigned)EAS_LAYER_SECCOMP, EAS_LAYER_SECCOMP, &err);
  if (rc == 0) eas_zygote_stop(s->zygote);
  s->zygote = kept;
  printf("{\"code\":%d,\"text\":\"%s\"}\n", rc, err.text);
  return 0;
}

/* A request of 1 MB. */
static int large(scene *s)
{
  eas_child child;
  eas_err err = { 0 };
  act a;
  char *padding = eas_alloc((1 << 20) + 1);
  for (int i = 0; i < 1 << 20; i++) padding[i] = (char)('a' + i % 26);
  int rc = scene_spawn(s, "checksum", padding, &child, &err);
  free(padding);
  if (rc < 0) return fail("large", &err);
  scene_wait(s, &child, &a);
  json_dumpf(a.events, stdout, JSON_COMPACT);
  printf("\n");
  json_decref(a.events);
  return 0;
}

/* Stopped before its time was over. */
static int cancelled(scene *s)
{
  eas_child child;
  eas_err err = { 0 };
  act a;
  if (scene_spawn(s, "ignore_term", NULL, &child, &err) < 0) return fail("cancelled", &err);
  scene_until_stage(&child, 3);
  syscall(SYS_pidfd_send_signal, child.pidfd, SIGUSR2, NULL, 0);
  scene_wait(s, &child, &a);
  json_dumpf(a.events, stdout, JSON_COMPACT);
  printf("\n");
  json_decref(a.events);
  return 0;
}

int scene_special(scene *s, const char *name, int *rc)
{
  static const struct {
    const char *name;
    int (*run)(scene *);
  } all[] = {
    { "zygote_dies", zygote_dies }, { "stopped", stopped },   { "supervisor_dies", supervisor_dies },
    { "password", password },       { "required", required }, { "large", large },
    { "cancelled", cancelled },
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp(all[i].name, name) == 0) {
      *rc = all[i].run(s);
      fflush(stdout);
      return 1;
    }
  return 0;
}
