/* bell.c: the file `bell` beside a SQLite database: whoever rings sets its time, whoever listens watches it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/backend.h"

void eas_bell_init(eas_bell *b, const char *database_path)
{
  const char *slash = strrchr(database_path, '/');
  int n = slash ? (int)(slash - database_path) + 1 : 0;
  *b = (eas_bell){ .path = eas_format("%.*sbell", n, database_path), .file = -1, .watch = -1 };
}

void eas_bell_done(eas_bell *b)
{
  if (b->file >= 0) close(b->file);
  if (b->watch >= 0) close(b->watch);
  free(b->path);
  *b = (eas_bell){ .file = -1, .watch = -1 };
}

static int open_file(eas_bell *b, eas_err *err)
{
  struct stat st;
  if (b->file >= 0 && fstat(b->file, &st) == 0 && st.st_nlink == 0) { /* somebody cleared the folder */
    close(b->file);
    b->file = -1;
  }
  if (b->file < 0) b->file = open(b->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  return b->file < 0 ? eas_fail(err, EAS_EIO, "open '%s': %s", b->path, strerror(errno)) : 0;
}

int eas_bell_ring(eas_bell *b, eas_err *err)
{
  int rc = open_file(b, err);
  if (rc == 0 && futimens(b->file, NULL) < 0) rc = eas_fail(err, EAS_EIO, "touch '%s': %s", b->path, strerror(errno));
  return rc;
}

int eas_bell_fd(eas_bell *b, eas_err *err)
{
  if (b->watch >= 0) return b->watch;
  int rc = open_file(b, err);
  if (rc < 0) return rc;
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return eas_fail(err, EAS_EIO, "watch '%s': %s", b->path, strerror(errno));
  if (inotify_add_watch(fd, b->path, IN_ATTRIB | IN_MODIFY) < 0) {
    rc = eas_fail(err, EAS_EIO, "watch '%s': %s", b->path, strerror(errno));
    close(fd);
    return rc;
  }
  return b->watch = fd;
}

void eas_bell_clear(eas_bell *b)
{
  char events[4096];
  while (b->watch >= 0 && read(b->watch, events, sizeof events) > 0)
    ;
}
