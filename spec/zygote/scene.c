/* scene.c: see scene.h. */
#include "scene.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacks.h"
#include "base/buf.h"
#include "base/path.h"
#include "worker/scratch.h"

enum { NOBODY = 65534, SOFT_MS = 300, HARD_MS = 600, KILL_MS = 1500 };
static const unsigned ALONE = EAS_LAYER_RLIMITS | EAS_LAYER_NO_NEW_PRIVS | EAS_LAYER_SECCOMP | EAS_LAYER_LANDLOCK;
static const unsigned SPACES = EAS_LAYER_MOUNT_NS | EAS_LAYER_PID_NS | EAS_LAYER_NET_NS | EAS_LAYER_IPC_NS;

double scene_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int put(const char *dir, const char *name, const char *text, mode_t mode)
{
  char path[600];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0) return -errno;
  return close(fd);
}

static int make_folders(scene *s)
{
  const char *tmp = getenv("TMPDIR");
  snprintf(s->root, sizeof s->root, "%.200s/eas-scene-XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(s->root) || chmod(s->root, 0755) < 0) return -errno;
  snprintf(s->data, sizeof s->data, "%s/data", s->root);
  snprintf(s->scratch_root, sizeof s->scratch_root, "%s/scratch", s->data);
  snprintf(s->scratch, sizeof s->scratch, "%s/a1", s->scratch_root);
  char store[320], other[340];
  snprintf(store, sizeof store, "%s/store", s->data);
  snprintf(other, sizeof other, "%s/other", s->scratch_root);
  snprintf(s->input, sizeof s->input, "%s/aa01", store);
  snprintf(s->foreign, sizeof s->foreign, "%s/bb02", store);
  if (mkdir(s->data, 0755) < 0 || mkdir(store, 0755) < 0 || mkdir(s->scratch_root, 0755) < 0 || mkdir(other, 0700) < 0)
    return -errno;
  int rc = put(s->data, "secret", "password", 0600);
  if (rc == 0) rc = put(s->data, "victim", "intact", 0666);
  if (rc == 0) rc = put(s->root, "pack.txt", "of the pack", 0644);
  if (rc == 0) rc = put(store, "aa01", "own input", 0444);
  if (rc == 0) rc = put(store, "bb02", "of others", 0444);
  if (rc == 0) rc = put(other, "mine", "of another attempt", 0600);
  return rc;
}

static int become(uid_t uid)
{
  if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0) return -errno;
  return prctl(PR_SET_DUMPABLE, 1) < 0 ? -errno : 0; /* or /proc/self would be root's */
}

static int choose_mode(scene *s, const char *mode)
{
  size_t n = strcspn(mode, "-");
  const char *why = NULL;
  int plain = strncmp(mode, "userns", n) == 0 || strncmp(mode, "basic", n) == 0;
  if (plain && geteuid() == 0 && become(NOBODY) < 0) why = "cannot become another user";
  int rc = make_folders(s);
  if (rc < 0) {
    fprintf(stderr, "make '%s': %s\n", s->root, strerror(-rc));
    return 1;
  }
  eas_sandbox_probe(&s->probe);
  unsigned need = ALONE;
  s->use = s->probe.layers;
  if (strncmp(mode, "full", n) == 0) need |= EAS_LAYER_UID | EAS_LAYER_PID_NS | EAS_LAYER_NET_NS | EAS_LAYER_IPC_NS;
  if (strncmp(mode, "userns", n) == 0) need |= EAS_LAYER_USER_NS | SPACES;
  if (strncmp(mode, "basic", n) == 0) s->use = ALONE;
  if (strncmp(mode, "control", n) == 0) need = s->use = EAS_LAYER_RLIMITS;
  for (const char *p = mode + n; *p; p += n) {
    char word[64];
    unsigned bit = 0;
    n = strcspn(++p, "-");
    snprintf(word, sizeof word, "%.*s", (int)n, p);
    if (eas_layer_parse(word, &bit, NULL) < 0) return 2;
    s->use &= ~bit;
    need &= ~bit;
  }
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if ((need >> i & 1) && !(s->probe.layers >> i & 1)) why = s->probe.reason[i];
  if (!why) return 0;
  fprintf(stderr, "%s: %s\n", mode, why);
  return 3;
}

int scene_start(scene *s, unsigned use, int require, eas_err *err)
{
  static const char *const none[] = { NULL };
  const char *packs[] = { s->root, NULL }; /* the data folder stands in it, as it may */
  eas_zygote_options o = { .probe = &s->probe,
                           .use = use,
                           .packs = packs,
                           .data_dir = s->data,
                           .scratch_root = s->scratch_root,
                           .exec_path = none,
                           .exe = "/proc/self/exe",
                           .require = require };
  char store[320];
  snprintf(store, sizeof store, "%s/store", s->data);
  o.store_root = store;
  return eas_zygote_start(&s->zygote, &o, err);
}

int scene_open(scene *s, const char *mode)
{
  eas_err err = { 0 };
  memset(s, 0, sizeof *s);
  s->shm = -1;
  setenv("EAS_DATABASE", "postgresql://eas:hunter2-environ@db/eas", 1);
  int rc = choose_mode(s, mode);
  if (rc == 0) {
    s->shm = shmget(ATTACK_SHM + getpid(), 4096, IPC_CREAT | 0666);
    rc = scene_start(s, s->use, 0, &err) < 0 ? 1 : 0;
    if (rc == 0 && (s->use & (EAS_LAYER_CGROUP_MEMORY | EAS_LAYER_CGROUP_PIDS)))
      rc = eas_slot_group_open(&s->group, &s->probe, 0, &err) < 0 ? 1 : 0;
    if (rc) fprintf(stderr, "%s\n", err.text);
  }
  if (rc) scene_close(s);
  return rc;
}

void scene_close(scene *s)
{
  eas_zygote_stop(s->zygote);
  eas_slot_group_close(s->group);
  if (s->shm >= 0) shmctl(s->shm, IPC_RMID, NULL);
  if (s->root[0]) eas_path_remove_tree(s->root, NULL);
}

int scene_spawn(scene *s, const char *name, const char *padding, eas_child *out, eas_err *err)
{
  eas_scratch_mark unknown = { .valid = 0 };
  uid_t owner = eas_zygote_layers(s->zygote) & EAS_LAYER_UID ? eas_slot_uid(0) : (uid_t)-1;
  eas_path_remove_tree(s->scratch, NULL);
  int rc = eas_scratch_fresh(s->scratch, owner, &unknown, err);
  if (rc < 0) return rc;
  const char *readable[] = { s->input, NULL };
  char *request = eas_format(
      "{\"script\":\"%s\",\"data\":\"%s\",\"input\":\"%s\",\"foreign\":\"%s\",\"supervisor\":%d,\"padding\":\"%s\"}",
      name, s->data, s->input, s->foreign, (int)getpid(), padding ? padding : "");
  eas_limits limits = { .wall_ms = SOFT_MS,
                        .cpu_s = 1,
                        .memory_bytes = 256 << 20,
                        .file_bytes = 16 << 20,
                        .processes = 24,
                        .files = 64,
                        .cpus = 1 };
  if (strcmp(name, "loop_on_cpu") != 0) limits.cpu_s = 20;
  eas_spawn spawn = { .slot = 0,
                      .scratch = s->scratch,
                      .readable = readable,
                      .limits = limits,
                      .request = request,
                      .request_len = strlen(request),
                      .group = s->group };
  if (s->group) rc = eas_slot_group_set(s->group, &limits, err);
  if (rc == 0) rc = eas_zygote_spawn(s->zygote, &spawn, out, err);
  free(request);
  return rc;
}

int scene_left(void)
{
  DIR *d = opendir("/proc");
  char comm[16];
  int n = 0;
  snprintf(comm, sizeof comm, "eas-of-%d", (int)getpid() % 10000000);
  for (struct dirent *e; d && (e = readdir(d));) {
    char path[300], name[64] = "";
    if (e->d_name[0] < '1' || e->d_name[0] > '9') continue;
    snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
    FILE *f = fopen(path, "re");
    if (f && fgets(name, sizeof name, f) && strcspn(name, "\n") == strlen(comm) &&
        strncmp(name, comm, strlen(comm)) == 0)
      n++;
    if (f) fclose(f);
  }
  if (d) closedir(d);
  return n;
}

int scene_until_stage(eas_child *c, unsigned stage)
{
  for (int i = 0; i < 5000 && c->page->stage < stage; i++) usleep(1000);
  return c->page->stage >= stage;
}

static int drain(int fd, int64_t *bytes, eas_event_reader *reader)
{
  static char block[1 << 16];
  ssize_t n = fd < 0 ? 0 : read(fd, block, sizeof block);
  if (n > 0) {
    *bytes += n;
    if (reader) eas_event_feed(reader, block, (size_t)n);
  }
  return n > 0;
}

static void take(eas_event_reader *r, act *out)
{
  eas_event_head head;
  const char *payload;
  while (eas_event_next(r, &head, &payload) == 1) {
    json_array_append_new(out->events, json_pack("[i, s]", head.type, payload));
    if (head.type == EAS_EV_END) out->ended = 1;
  }
  out->garbage = r->garbage;
}

/* As the supervisor does it: reads pipes, waits for the pidfd alone, asks at the soft limit, insists at the hard one, kills. */
void scene_wait(scene *s, eas_child *c, act *out)
{
  static const struct {
    int ms, signo;
  } steps[] = { { SOFT_MS, SIGUSR1 }, { HARD_MS, SIGUSR2 }, { KILL_MS, SIGKILL } };
  double start = scene_now();
  int step = 0, over = 0;
  int64_t events = 0;
  eas_event_reader reader;
  eas_event_reader_init(&reader);
  memset(out, 0, sizeof *out);
  out->events = json_array();
  while (!over) {
    struct pollfd p[4] = {
      { c->pidfd, POLLIN, 0 }, { c->events, POLLIN, 0 }, { c->output, POLLIN, 0 }, { c->errors, POLLIN, 0 }
    };
    poll(p, p[1].revents & POLLHUP ? 1 : 4, 5);
    drain(c->events, &events, &reader);
    drain(c->output, &out->output, NULL);
    drain(c->errors, &out->output, NULL);
    take(&reader, out);
    over = p[0].revents & POLLIN;
    if (!over && step < 3 && c->page->stage >= 3 && (scene_now() - start) * 1000 > steps[step].ms)
      syscall(SYS_pidfd_send_signal, c->pidfd, steps[step++].signo, NULL, 0);
  }
  siginfo_t info = { 0 };
  waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED);
  while (drain(c->events, &events, &reader)) take(&reader, out);
  while (drain(c->output, &out->output, NULL) || drain(c->errors, &out->output, NULL)) continue;
  out->seconds = scene_now() - start;
  out->status = info.si_code == CLD_EXITED ? info.si_status : -1;
  out->signo = info.si_code == CLD_EXITED ? 0 : info.si_status;
  out->layers = c->page->layers;
  out->oom = s->group ? eas_slot_group_oom(s->group) : 0;
  out->refused = s->group ? eas_slot_group_forks_refused(s->group) : 0;
  out->peak = s->group ? eas_slot_group_peak(s->group) : 0;
  out->left_before = scene_left();
  eas_child_done(c);
  if (s->group) eas_slot_group_kill(s->group);
  out->left = scene_left();
  eas_event_reader_done(&reader);
}

int scene_act(scene *s, const char *name, act *out)
{
  eas_child child;
  eas_err err = { 0 };
  if (scene_spawn(s, name, NULL, &child, &err) < 0) {
    fprintf(stderr, "%s: %s\n", name, err.text);
    return 1;
  }
  scene_wait(s, &child, out);
  return 0;
}
