/* room.c: is there room on the disks that attempts write to? On a full one each would end badly, one after the other. */
#include <stdio.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/inner.h"

enum { LOOK_US = 100 * 1000, TELL_AGAIN_US = 60 * 1000 * 1000 };
enum { MEGABYTE = 1000 * 1000, LEAST = MEGABYTE, MOST = 256 * MEGABYTE };

/* Bytes that are missing: a disk is full when less than a hundredth is free (at least 1 MB, at most 256 MB). */
static int64_t missing(const char *path, int64_t *wanted)
{
  struct statvfs v;
  if (statvfs(path, &v) != 0 || v.f_blocks == 0) return 0; /* what is wrong with it shows where it is used */
  int64_t least = (int64_t)v.f_blocks * (int64_t)v.f_frsize / 100, avail = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
  *wanted = least < LEAST ? LEAST : least > MOST ? MOST : least;
  return avail < *wanted ? *wanted - avail : 0;
}

static void tell(eas_worker *w, const char *path, int64_t wanted)
{
  int64_t now = eas_tick_us();
  if (w->no_room_us && now - w->no_room_us < TELL_AGAIN_US) return;
  w->no_room_us = now;
  eas_log(EAS_WARN,
          "the disk of '%s' is full: %.1f MB must be free to start a task; free some space, it goes on by itself", path,
          (double)wanted / MEGABYTE);
}

int eas_worker_has_room(eas_worker *w)
{
  int64_t now = eas_tick_us(), wanted = 0;
  if (w->room_us && now - w->room_us < LOOK_US) return !w->no_room_us;
  w->room_us = now;
  const char *paths[] = { w->scratch_root, w->data_root, eas_store_root(w->o.store) };
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (missing(paths[i], &wanted) > 0) {
      tell(w, paths[i], wanted);
      return 0;
    }
  if (w->no_room_us) eas_log(EAS_INFO, "there is room on the disks again");
  w->no_room_us = 0;
  return 1;
}
