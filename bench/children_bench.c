/* children_bench.c: how many isolated children this machine starts and ends a second, with nothing around them.
 *
 *   children_bench SECONDS OUTSTANDING      prints the rate; the children run nothing and have all layers, cgroups included */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bare.h"
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

static int load_nothing(void *arg, const char *share, const char *const *packs, eas_err *err)
{
  (void)arg;
  (void)share;
  (void)packs;
  (void)err;
  return 0;
}

static const eas_runner runner = { .load = load_nothing, .run = bare_run };

static int open_all(bench *b, eas_err *err)
{
  int rc = bare_folders(b->root, b->scratch_root, err);
  if (rc < 0) return rc;
  eas_sandbox_probe(&b->probe);
  for (int i = 0; i < b->n; i++) eas_slot_group_open(&b->group[i], &b->probe, i, NULL); /* a machine without has none */
  return bare_zygote(&b->zygote, &b->probe, b->probe.layers, b->root, b->scratch_root, err);
}

static int spawn(bench *b, int slot, eas_err *err)
{
  static const char *const none[] = { NULL };
  char scratch[128];
  snprintf(scratch, sizeof scratch, "%s/s%d", b->scratch_root, slot);
  if (mkdir(scratch, 0700) == 0 && (b->probe.layers & EAS_LAYER_UID) &&
      chown(scratch, eas_slot_uid(slot), (gid_t)-1) < 0)
    return eas_fail(err, EAS_EIO, "chown '%s': %s", scratch, strerror(errno));
  eas_spawn s = bare_spawn();
  s.slot = slot;
  s.scratch = scratch;
  s.readable = none;
  s.group = b->group[slot];
  if (b->group[slot] && eas_slot_group_set(b->group[slot], &s.limits, err) < 0) return err->code;
  int rc = eas_zygote_spawn(b->zygote, &s, &b->child[slot], err);
  b->wait[slot] = (struct pollfd){ .fd = rc < 0 ? -1 : b->child[slot].pidfd, .events = POLLIN };
  return rc;
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
      rc = bare_reap(&b->child[i], err);
      if (rc >= 0) rc = spawn(b, i, err);
      n++;
    }
  }
  double took = (double)(eas_tick_us() - start) / 1e6;
  for (int i = 0; i < b->n && rc >= 0; i++) rc = bare_reap(&b->child[i], err);
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
