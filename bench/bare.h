/* bare.h: children with nothing in them, and the folders and zygotes that they need. Of spawn_bench and children_bench. */
#ifndef EAS_BENCH_BARE_H
#define EAS_BENCH_BARE_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/zygote.h"

/* A runner's run: the end marker, and nothing else. */
static inline int bare_run(void *arg, const eas_run *run)
{
  (void)arg;
  return eas_event_write(run->fd, EAS_EV_END, 0, "", 0);
}

/* A folder of its own in /tmp, with one for scratch in it. */
static inline int bare_folders(char root[64], char scratch_root[80], eas_err *err)
{
  strcpy(root, "/tmp/eas-bench-XXXXXX");
  if (!mkdtemp(root) || chmod(root, 0755) < 0) return eas_fail(err, EAS_EIO, "make '%s': %s", root, strerror(errno));
  snprintf(scratch_root, 80, "%s/scratch", root);
  if (mkdir(scratch_root, 0755) < 0) return eas_fail(err, EAS_EIO, "make '%s': %s", scratch_root, strerror(errno));
  return 0;
}

/* Starts this program as a zygote. */
static inline int bare_zygote(eas_zygote **out, const eas_probe *probe, unsigned use, const char *root,
                              const char *scratch_root, eas_err *err)
{
  static const char *const none[] = { NULL };
  eas_zygote_options o = { .probe = probe,
                           .use = use,
                           .packs = none,
                           .exec_path = none,
                           .exe = "/proc/self/exe",
                           .data_dir = root,
                           .scratch_root = scratch_root,
                           .store_root = root };
  return eas_zygote_start(out, &o, err);
}

/* What a child is asked for; the caller adds slot, scratch, what it may read, and its group. */
static inline eas_spawn bare_spawn(void)
{
  return (eas_spawn){ .request = "{}",
                      .request_len = 2,
                      .limits = { .wall_ms = 1000,
                                  .cpu_s = 60,
                                  .memory_bytes = 1 << 30,
                                  .file_bytes = 1 << 30,
                                  .processes = 64,
                                  .files = 256 } };
}

/* Waits for a child that has ended, or ends. */
static inline int bare_reap(eas_child *c, eas_err *err)
{
  siginfo_t info;
  int rc = 0;
  if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED) < 0 || info.si_status != 0)
    rc = eas_fail(err, EAS_EIO, "a child ended with status %d", info.si_status);
  eas_child_done(c);
  return rc;
}

#endif
