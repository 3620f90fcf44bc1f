/* store_take.c: files that children made. Nothing about them is believed: neither name nor kind nor mode. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "store/store_private.h"

/* For kernels and sandboxes without openat2: one step at a time, no step through a link. */
static int open_steps(int dirfd, const char *name, int flags)
{
  char part[256];
  int at = dirfd;
  for (;;) {
    size_t n = strcspn(name, "/");
    if (n >= sizeof part) {
      errno = ENAMETOOLONG;
      break;
    }
    memcpy(part, name, n);
    part[n] = 0;
    int last = name[n] == 0;
    int fd = openat(at, part, last ? flags : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int why = errno;
    if (at != dirfd) close(at);
    errno = why;
    if (fd < 0 || last) return fd;
    at = fd;
    name += n + 1;
  }
  if (at != dirfd) close(at);
  return -1;
}

static int open_beneath(int dirfd, const char *name, int flags)
{
  long fd = eas_store_seam.open_beneath(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return open_steps(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC);
  return (int)fd;
}

static int open_fail(const char *name, eas_err *err)
{
  switch (errno) {
  case ENOENT: return eas_fail(err, EAS_ENOENT, "output '%s': no such file was made", name);
  case ELOOP: return eas_fail(err, EAS_EFORMAT, "output '%s': its path goes through a link", name);
  case EXDEV: return eas_fail(err, EAS_EFORMAT, "output '%s': its path leaves the scratch folder", name);
  case ENOTDIR: return eas_fail(err, EAS_EFORMAT, "output '%s': part of its path is no folder, or a link", name);
  default: return eas_fail(err, eas_io_code(errno), "output '%s': %s", name, eas_store_why(errno));
  }
}

static const char *kind_of(mode_t mode)
{
  switch (mode & S_IFMT) {
  case S_IFDIR: return "a folder";
  case S_IFLNK: return "a symbolic link";
  case S_IFIFO: return "a pipe";
  case S_IFSOCK: return "a socket";
  case S_IFCHR:
  case S_IFBLK: return "a device";
  default: return "no file";
  }
}

/* What S3 takes in one put. */
static const int64_t PUT_MAX = INT64_C(5) * 1000 * 1000 * 1000;

static int check(const char *name, const struct stat *st, int64_t max_bytes, eas_err *err)
{
  if (!S_ISREG(st->st_mode))
    return eas_fail(err, EAS_EFORMAT, "output '%s': is %s, a regular file is expected", name, kind_of(st->st_mode));
  if (st->st_nlink != 1)
    return eas_fail(err, EAS_EFORMAT, "output '%s': has %lu links, one is expected", name, (unsigned long)st->st_nlink);
  if (max_bytes > 0 && st->st_size > max_bytes)
    return eas_fail(err, EAS_ELIMIT, "output '%s': %lld bytes, the limit is %lld", name, (long long)st->st_size,
                    (long long)max_bytes);
  return 0;
}

/* Opens base in the folder parent to read, having looked at it first: opening a pipe or a device does
 * things. A file that its maker made unreadable is opened up: it is about to be ours. */
static int open_checked(int parent, const char *base, const char *name, int64_t max_bytes, struct stat *st,
                        eas_err *err)
{
  int peek = openat(parent, base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (peek < 0) return open_fail(name, err);
  int rc = fstat(peek, st) != 0 ? open_fail(name, err) : check(name, st, max_bytes, err);
  if (rc < 0) {
    close(peek);
    return rc;
  }
  int fd = openat(parent, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) {
    char proc[64];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", peek);
    if (fchmodat(AT_FDCWD, proc, 0400, 0) == 0)
      fd = openat(parent, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    else
      errno = EACCES;
  }
  rc = fd < 0 ? open_fail(name, err) : fd;
  close(peek);
  struct stat again;
  if (fd >= 0 && (fstat(fd, &again) != 0 || again.st_ino != st->st_ino || again.st_dev != st->st_dev)) {
    close(fd);
    return eas_fail(err, EAS_EFORMAT, "output '%s': was exchanged while it was looked at", name);
  }
  return rc;
}

/* Ours, read-only for all, and of now (gc goes by that, and children may set times). 0 if it cannot be made so (another's file, and we are not root): then a copy is stored. */
static int make_ours(int fd, const struct stat *st)
{
  if ((st->st_uid != geteuid() || st->st_gid != getegid()) && fchown(fd, geteuid(), getegid()) != 0) return 0;
  return fchmod(fd, 0444) == 0 && futimens(fd, NULL) == 0;
}

static int is_installed(const eas_store *s, const eas_digest *d, const struct stat *st)
{
  char name[EAS_OBJECT_NAME];
  struct stat now;
  eas_store_name(d, name);
  return fstatat(s->objects_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino &&
         now.st_dev == st->st_dev;
}

/* Moves a checked file into the store. 1; 0 if it has to be copied; or EAS_E. */
static int move_in(eas_store *s, int parent, const char *base, int fd, const char *name, const struct stat *st,
                   eas_digest *d, int64_t *size, eas_err *err)
{
  struct stat tmp;
  if (fstat(s->objects_fd, &tmp) != 0 || tmp.st_dev != st->st_dev || !make_ours(fd, st)) return 0;
  int rc = eas_hash_fd(fd, d, size, err);
  if (rc < 0) return rc;
  rc = eas_store_touch(s, d, *size, err);
  if (rc != 0) {
    if (rc > 0) unlinkat(parent, base, 0);
    return rc;
  }
  rc = eas_store_sync(s, fd, name, err);
  if (rc < 0) return rc;
  rc = eas_store_install(s, parent, base, d, *size, err);
  if (rc > 0 && !s->remote && !is_installed(s, d, st) && eas_store_verify(s, d, err) < 0)
    return EAS_EFORMAT; /* neither our file nor the same bytes from another hand */
  return rc;
}

int eas_store_take(eas_store *s, int dirfd, const char *name, int64_t max_bytes, eas_digest *digest, int64_t *size,
                   eas_err *err)
{
  int rc = eas_path_check_relative(name, err);
  if (rc < 0) return eas_err_prefix(err, "output"), EAS_EFORMAT;
  const char *base = eas_path_base(name);
  int parent = dirfd, fd = -1;
  if (base != name) {
    char *folder = eas_strdup(name);
    folder[base - name - 1] = 0;
    parent = open_beneath(dirfd, folder, O_PATH | O_DIRECTORY);
    free(folder);
    if (parent < 0) return open_fail(name, err);
  }
  struct stat st;
  eas_digest d;
  int64_t n = 0;
  if (s->remote && (max_bytes <= 0 || max_bytes > PUT_MAX)) max_bytes = PUT_MAX;
  fd = rc = open_checked(parent, base, name, max_bytes, &st, err);
  if (rc < 0) goto done;
  rc = move_in(s, parent, base, fd, name, &st, &d, &n, err);
  if (rc == 0) {
    rc = eas_store_copy_in(s, fd, NULL, 0, name, &d, &n, err);
    if (rc == 0) unlinkat(parent, base, 0);
  }
  if (rc < 0) goto done;
  *digest = d;
  if (size) *size = n;
  rc = 0;
done:
  if (fd >= 0) close(fd);
  if (parent != dirfd) close(parent);
  return rc;
}
