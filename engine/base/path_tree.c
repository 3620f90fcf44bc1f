/* path_tree.c: removing what a child left: links, closed folders, trees deeper than our descriptors. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

enum { DEPTH_MAX = 48 }; /* folders open at once; what is deeper is first moved up to the root */

typedef struct {
  const char *path;
  int root;
  unsigned moved;
  eas_err *err;
} removal;

static int failed(removal *r, const char *name)
{
  return eas_fail(r->err, EAS_EIO, "remove '%s': '%s': %s", r->path, name, strerror(errno));
}

/* Opens a folder that may be closed to us, never through a link. */
static int open_folder(int parent, const char *name)
{
  int handle = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (handle < 0) return -1;
  struct stat st;
  int fd = -1;
  char self[32];
  snprintf(self, sizeof self, "/proc/self/fd/%d", handle);
  if (fstat(handle, &st) == 0) {
    if ((st.st_mode & 0700) != 0700) chmod(self, 0700); /* if that fails, what follows says why */
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  int why = errno;
  close(handle);
  errno = why;
  return fd;
}

static int move_up(removal *r, int parent, const char *name)
{
  char up[32];
  int fd = open_folder(parent, name); /* a folder must be writable to get another parent */
  if (fd >= 0) close(fd);
  do snprintf(up, sizeof up, ".eas-deep-%u", r->moved++);
  while (renameat(parent, name, r->root, up) < 0 && (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) &&
         r->moved < 1000000);
  struct stat st;
  return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? failed(r, name) : 0;
}

/* Empties the folder that fd holds, and closes fd. */
static int empty_folder(removal *r, int fd, int depth);

static int remove_entry(removal *r, int parent, const char *name, int depth)
{
  struct stat st;
  if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : failed(r, name);
  if (!S_ISDIR(st.st_mode)) return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? failed(r, name) : 0;
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return 0;
  if (depth >= DEPTH_MAX) return move_up(r, parent, name);
  int fd = open_folder(parent, name);
  if (fd < 0) return failed(r, name);
  unsigned moved = r->moved;
  int rc = empty_folder(r, fd, depth + 1);
  if (rc == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && !(errno == ENOTEMPTY && r->moved != moved))
    rc = failed(r, name);
  return rc;
}

static int empty_folder(removal *r, int fd, int depth)
{
  DIR *dir = fdopendir(fd);
  if (!dir) {
    int rc = failed(r, ".");
    close(fd);
    return rc;
  }
  int rc = 0;
  struct dirent *e;
  while (rc == 0 && (e = readdir(dir)) != NULL)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) rc = remove_entry(r, dirfd(dir), e->d_name, depth);
  closedir(dir);
  return rc;
}

int eas_path_remove_tree(const char *path, eas_err *err)
{
  struct stat st;
  if (lstat(path, &st) < 0)
    return errno == ENOENT ? 0 : eas_fail(err, EAS_EIO, "remove '%s': %s", path, strerror(errno));
  if (!S_ISDIR(st.st_mode))
    return unlink(path) < 0 ? eas_fail(err, EAS_EIO, "remove '%s': %s", path, strerror(errno)) : 0;
  int root = open_folder(AT_FDCWD, path);
  if (root < 0) return eas_fail(err, EAS_EIO, "remove '%s': %s", path, strerror(errno));
  removal r = { .path = path, .root = root, .err = err };
  int rc;
  unsigned before;
  do { /* again while something was moved up into the root meanwhile */
    before = r.moved;
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd < 0 ? failed(&r, ".") : empty_folder(&r, fd, 0);
  } while (rc == 0 && r.moved != before);
  close(root);
  if (rc == 0 && rmdir(path) < 0) rc = eas_fail(err, EAS_EIO, "remove '%s': %s", path, strerror(errno));
  return rc;
}
