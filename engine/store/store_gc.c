/* store_gc.c: objects that nothing names go; who uses the store. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/remote.h"

static int64_t mtime_us(const struct stat *st)
{
  return (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
}

/* Taken out of the way first and looked at then: whoever stores the same bytes meanwhile either touched it before, and it
 * comes back, or finds nothing and stores them anew. */
int eas_store_remove(eas_store *s, const eas_digest *d, int64_t untouched_since_us, eas_err *err)
{
  char name[EAS_OBJECT_NAME], tmp[64];
  struct stat st;
  if (s->remote) return eas_remote_remove(s, d, untouched_since_us, err);
  eas_store_name(d, name);
  eas_store_tmp_name(s, tmp);
  if (renameat(s->objects_fd, name, s->tmp_fd, tmp) != 0)
    return eas_fail(err, errno == ENOENT ? EAS_ENOENT : eas_io_code(errno), "store '%s': remove object %s: %s", s->root,
                    name + 3, eas_store_why(errno));
  if (fstatat(s->tmp_fd, tmp, &st, AT_SYMLINK_NOFOLLOW) != 0 || mtime_us(&st) > untouched_since_us) {
    if (renameat(s->tmp_fd, tmp, s->objects_fd, name) == 0) return 0;
    return eas_fail(err, eas_io_code(errno), "store '%s': put object %s back: %s", s->root, name + 3,
                    eas_store_why(errno));
  }
  if (unlinkat(s->tmp_fd, tmp, 0) == 0) return 1;
  return eas_fail(err, eas_io_code(errno), "store '%s': remove object %s: %s", s->root, name + 3, eas_store_why(errno));
}

int64_t eas_store_now_us(eas_store *s)
{
  char tmp[64];
  struct stat st;
  if (s->remote) return eas_remote_now_us(s);
  eas_store_tmp_name(s, tmp);
  int fd = openat(s->tmp_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return eas_now_us(); /* nothing can be written: nothing will be removed */
  int64_t now = fstat(fd, &st) == 0 ? mtime_us(&st) : eas_now_us();
  close(fd);
  unlinkat(s->tmp_fd, tmp, 0);
  return now;
}

/* --- users/ --- */

static int cannot(eas_store *s, const char *what, eas_err *err)
{
  return eas_fail(err, eas_io_code(errno), "store '%s': %s users: %s", s->root, what, eas_store_why(errno));
}

int eas_store_join(eas_store *s, const char *mark, eas_err *err)
{
  if (s->remote) return eas_remote_join(s, mark, err);
  if (mkdirat(s->root_fd, "users", 0755) != 0 && errno != EEXIST) return cannot(s, "make", err);
  int dir = openat(s->root_fd, "users", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int fd = dir < 0 ? -1 : openat(dir, mark, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444);
  int rc = fd < 0 ? cannot(s, "write", err) : 0;
  if (fd >= 0) close(fd);
  if (dir >= 0) close(dir);
  return rc;
}

int eas_store_users(eas_store *s, const char *mark, eas_err *err)
{
  if (s->remote) return eas_remote_users(s, mark, err);
  int fd = openat(s->root_fd, "users", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), n = 0;
  if (fd < 0 && errno == ENOENT) return 0;
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) {
    if (fd >= 0) close(fd);
    return cannot(s, "read", err);
  }
  const struct dirent *e;
  while ((e = readdir(dir))) n += e->d_name[0] != '.' && strcmp(e->d_name, mark) != 0;
  closedir(dir);
  return n;
}
