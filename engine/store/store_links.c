/* store_links.c: products/<directory>/<filename>: relative symbolic links for people. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "store/store_private.h"

enum { DEPTH_MAX = 64 };

static int check_names(const char *directory, const char *filename, eas_err *err)
{
  int rc = *directory ? eas_path_check_relative(directory, err) : 0;
  if (rc == 0) rc = eas_path_check_relative(filename, err);
  if (rc == 0 && strchr(filename, '/'))
    rc = eas_fail(err, EAS_EINVAL, "file name '%s' has a '/'; folders are part of the working directory", filename);
  return rc;
}

/* Opens products/directory step by step, never through a link, making what is missing if make.
 * *depth is the number of steps. */
static int open_directory(const eas_store *s, const char *directory, int make, int *depth, eas_err *err)
{
  int at = fcntl(s->products_fd, F_DUPFD_CLOEXEC, 0);
  *depth = 0;
  for (const char *p = directory; at >= 0 && *p; ++*depth) {
    char part[256];
    size_t n = strcspn(p, "/");
    memcpy(part, p, n); /* at most 255: checked */
    part[n] = 0;
    p += n + (p[n] == '/');
    if (*depth == DEPTH_MAX) errno = ENAMETOOLONG;
    int bad = *depth == DEPTH_MAX || (make && mkdirat(at, part, 0755) != 0 && errno != EEXIST);
    int next = bad ? -1 : openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int why = errno;
    close(at);
    errno = why;
    at = next;
  }
  if (at >= 0) return at;
  if (errno == ENOTDIR || errno == ELOOP)
    return eas_fail(err, EAS_EEXIST, "store '%s': products/%s: part of it is a product, not a folder", s->root,
                    directory);
  return eas_fail(err, errno == ENOENT ? EAS_ENOENT : EAS_EIO, "store '%s': products/%s: %s", s->root, directory,
                  eas_store_why(errno));
}

int eas_store_link(eas_store *s, const char *directory, const char *filename, const eas_digest *d, eas_err *err)
{
  int depth, rc = check_names(directory, filename, err);
  if (rc < 0 || s->remote) return rc; /* an object store has no links */
  int dir = open_directory(s, directory, 1, &depth, err);
  if (dir < 0) return dir;
  struct stat st;
  if (fstatat(dir, filename, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode)) {
    rc = eas_fail(err, EAS_EEXIST, "store '%s': products/%s/%s is there and no link of the store's", s->root, directory,
                  filename);
    goto done;
  }
  char target[3 * DEPTH_MAX + 96], tmp[64], name[EAS_OBJECT_NAME];
  size_t at = 0;
  for (int i = 0; i <= depth; i++, at += 3) memcpy(target + at, "../", 3);
  eas_store_name(d, name);
  snprintf(target + at, sizeof target - at, "objects/%s", name);
  eas_store_tmp_name(s, tmp);
  if (symlinkat(target, s->tmp_fd, tmp) != 0)
    rc = eas_fail(err, eas_io_code(errno), "store '%s': link tmp/%s: %s", s->root, tmp, eas_store_why(errno));
  else if (renameat(s->tmp_fd, tmp, dir, filename) != 0) {
    rc = eas_fail(err, eas_io_code(errno), "store '%s': link products/%s/%s: %s", s->root, directory, filename,
                  eas_store_why(errno));
    unlinkat(s->tmp_fd, tmp, 0);
  }
done:
  close(dir);
  return rc;
}

/* Removes folders from the bottom while they are empty. */
static void remove_empty(eas_store *s, const char *directory)
{
  char *path = eas_strdup(directory);
  while (*path && unlinkat(s->products_fd, path, AT_REMOVEDIR) == 0) {
    char *slash = strrchr(path, '/');
    *(slash ? slash : path) = 0;
  }
  free(path);
}

int eas_store_unlink(eas_store *s, const char *directory, const char *filename, eas_err *err)
{
  int depth, rc = check_names(directory, filename, err);
  if (rc < 0 || s->remote) return rc;
  int dir = open_directory(s, directory, 0, &depth, err);
  if (dir < 0) return dir;
  struct stat st;
  if (fstatat(dir, filename, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode))
    rc =
        eas_fail(err, EAS_EEXIST, "store '%s': products/%s/%s is no link of the store's", s->root, directory, filename);
  else if (unlinkat(dir, filename, 0) != 0)
    rc = eas_fail(err, errno == ENOENT ? EAS_ENOENT : EAS_EIO, "store '%s': remove products/%s/%s: %s", s->root,
                  directory, filename, eas_store_why(errno));
  close(dir);
  if (rc == 0) remove_empty(s, directory);
  return rc;
}

typedef struct {
  eas_store_links_fn *fn;
  void *arg;
  char path[PATH_MAX]; /* below products/ */
} walk;

/* The object that a link names; 0 if it is one of ours. */
static int link_digest(int dir, const char *name, eas_digest *d)
{
  char target[512];
  ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
  if (n < 0) return -1;
  target[n] = 0;
  if (strncmp(target, "../", 3) != 0 || !strstr(target, "/objects/")) return -1;
  return eas_digest_parse(eas_path_base(target), d);
}

static int walk_folder(walk *w, int fd, size_t len, int depth)
{
  DIR *dir = fdopendir(fd);
  if (!dir) {
    close(fd);
    return 0;
  }
  int rc = 0;
  const struct dirent *e;
  while (rc == 0 && (e = readdir(dir))) {
    struct stat st;
    eas_digest d;
    size_t n = strlen(e->d_name);
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || len + n + 2 > sizeof w->path) continue;
    if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
      int sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (sub < 0) continue;
      snprintf(w->path + len, sizeof w->path - len, "%s%s", len ? "/" : "", e->d_name);
      rc = walk_folder(w, sub, strlen(w->path), depth + 1);
      w->path[len] = 0;
    } else if (S_ISLNK(st.st_mode) && link_digest(fd, e->d_name, &d) == 0) {
      rc = w->fn(w->arg, w->path, e->d_name, &d);
    }
  }
  closedir(dir);
  return rc;
}

int eas_store_links(eas_store *s, eas_store_links_fn *fn, void *arg, eas_err *err)
{
  if (s->remote) return 0;
  int fd = openat(s->root_fd, "products", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return eas_fail(err, eas_io_code(errno), "store '%s': read products: %s", s->root, eas_store_why(errno));
  walk *w = eas_alloc(sizeof *w);
  w->fn = fn;
  w->arg = arg;
  int rc = walk_folder(w, fd, 0, 0);
  free(w);
  return rc;
}
