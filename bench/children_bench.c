/* children_bench.c: how many isolated children this machine starts and ends a second, with nothing around them.
 *
 *   children_bench SECONDS OUTSTANDING      prints the rate; the children run nothing and have all layers, cgroups included */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "worker/zygote.h"

enum { SLOTS_MAX = 64 };

typedef struct {
  eas_probe probe;
  eas_zygote *zygote;
  eas_slot_group *group[SLOTS_MAX];
  char root[64], scratch_root[80];
  eas_child child[SLOTS_MAX];
  struct pollfd wait[SLOTS_MAX];
  int n;
} bench;

static int run_nothing(void *arg, const eas_run *run)
{
  (void)arg;
  return eas_event_write(run->fd, EAS_EV_END, 0, "", 0);
}

static int load_nothing(void *arg, const char *share, const char *const *packs, eas_err *err)
{
  (void)arg;
  (void)share;
  (void)packs;
  (void)err;
  return 0;
}

static const eas_runner runner = { .load = load_nothing, .run = run_nothing };

static int open_all(bench *b, eas_err *err)
{
  static const char *const none[] = { NULL };
  strcpy(b->root, "/tmp/eas-bench-XXXXXX");
  if (!mkdtemp(b->root) || chmod(b->root, 0755) < 0)
    return eas_fail(err, EAS_EIO, "make '%s': %s", b->root, strerror(errno));
  snprintf(b->scratch_root, sizeof b->scratch_root, "%s/scratch", b->root);
  if (mkdir(b->scratch_root, 0755) < 0)
    return eas_fail(err, EAS_EIO, "make '%s': %s", b->scratch_root, strerror(errno));
  eas_sandbox_probe(&b->probe);
  eas_zygote_options o = { .probe = &b->probe,
                           .use = b->probe.layers,
                           .packs = none,
                           .exec_path = none,
                           .exe = "/proc/self/exe",
                           .data_dir = b->root,
                           .scratch_root = b->scratch_root,
                           .store_root = b->root };
  for (int i = 0; i < b->n; i++) eas_slot_group_open(&b->group[i], &b->probe, i, NULL); /* a machine without has none */
  return eas_zygote_start(&b->zygote, &o, err);
}

static int spawn(bench *b, int slot, eas_err *err)
{
  static const char *const none[] = { NULL };
  char scratch[128];
  snprintf(scratch, sizeof scratch, "%s/s%d", b->scratch_root, slot);
  if (mkdir(scratch, 0700) == 0 && (b->probe.layers & EAS_LAYER_UID) &&
      chown(scratch, eas_slot_uid(slot), (gid_t)-1) < 0)
    return eas_fail(err, EAS_EIO, "chown '%s': %s", scratch, strerror(errno));
  eas_spawn s = { .slot = slot,
                  .scratch = scratch,
                  .readable = none,
                  .request = "{}",
                  .request_len = 2,
                  .group = b->group[slot],
                  .limits = { .wall_ms = 1000,
                              .cpu_s = 60,
                              .memory_bytes = 1 << 30,
                              .file_bytes = 1 << 30,
                              .processes = 64,
                              .files = 256 } };
  if (b->group[slot] && eas_slot_group_set(b->group[slot], &s.limits, err) < 0) return err->code;
  int rc = eas_zygote_spawn(b->zygote, &s, &b->child[slot], err);
  b->wait[slot] = (struct pollfd){ .fd = rc < 0 ? -1 : b->child[slot].pidfd, .events = POLLIN };
  return rc;
}

static int reap(bench *b, int slot, eas_err *err)
{
  siginfo_t info;
  if (waitid(P_PIDFD, (id_t)b->child[slot].pidfd, &info, WEXITED) < 0 || info.si_status != 0)
    return eas_fail(err, EAS_EIO, "a child ended with status %d", info.si_status);
  eas_child_done(&b->child[slot]);
  return 0;
}

static int measure(bench *b, double seconds, eas_err *err)
{
  int64_t start = eas_tick_us(), end = start + (int64_t)(seconds * 1e6), n = 0;
  int rc = 0;
  for (int i = 0; i < b->n && rc >= 0; i++) rc = spawn(b, i, err);
  while (rc >= 0 && eas_tick_us() < end) {
    if (poll(b->wait, (nfds_t)b->n, -1) < 0 && errno != EINTR)
      return eas_fail(err, EAS_EIO, "poll: %s", strerror(errno));
    for (int i = 0; i < b->n && rc >= 0; i++) {
      if (!b->wait[i].revents) continue;
      rc = reap(b, i, err);
      if (rc >= 0) rc = spawn(b, i, err);
      n++;
    }
  }
  double took = (double)(eas_tick_us() - start) / 1e6;
  for (int i = 0; i < b->n && rc >= 0; i++) rc = reap(b, i, err);
  if (rc >= 0) printf("%.1f isolated children/s, %d outstanding\n", (double)n / took, b->n);
  return rc;
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--zygote") == 0) return eas_zygote_main(atoi(argv[2]), &runner);
  static bench b;
  eas_err err = { 0 };
  double seconds = argc == 3 ? atof(argv[1]) : 0;
  b.n = argc == 3 ? atoi(argv[2]) : 0;
  if (seconds <= 0 || b.n < 1 || b.n > SLOTS_MAX) {
    fprintf(stderr, "usage: children_bench SECONDS OUTSTANDING\n");
    return 2;
  }
  int rc = open_all(&b, &err);
  if (rc >= 0) rc = measure(&b, seconds, &err);
  if (rc < 0) fprintf(stderr, "children_bench: %s\n", err.text);
  eas_zygote_stop(b.zygote);
  for (int i = 0; i < b.n; i++) eas_slot_group_close(b.group[i]);
  eas_path_remove_tree(b.root, NULL);
  return rc < 0;
}
