/* store_put.c: bytes to objects: copied into tmp/, hashed on the way, synced, renamed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/remote.h"

int eas_store_touch(eas_store *s, const eas_digest *d, int64_t size, eas_err *err)
{
  char name[EAS_OBJECT_NAME];
  struct stat st;
  if (s->remote) return eas_remote_add(s, d, 0);
  eas_store_name(d, name);
  if (utimensat(s->objects_fd, name, NULL, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) return 0;
  if (fstatat(s->objects_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return 0; /* taken away between the two */
  if (!S_ISREG(st.st_mode) || st.st_size != size) {
    int rc = eas_fail(err, EAS_EFORMAT, "store '%s': object %s is damaged: %lld bytes, %lld expected", s->root,
                      name + 3, (long long)st.st_size, (long long)size);
    eas_hint(err, "eas fsck");
    return rc;
  }
  eas_store_touched(s, d); /* whoever made it may not have synced its name yet */
  return 1;
}

int eas_store_install(eas_store *s, int from_dir, const char *from, const eas_digest *d, int64_t size, eas_err *err)
{
  char name[EAS_OBJECT_NAME];
  eas_store_name(d, name);
  for (int turn = 0; turn < 4; turn++) {
    if (eas_store_seam.rename(from_dir, from, s->objects_fd, name) == 0) {
      if (s->remote && !eas_remote_add(s, d, 1))
        return eas_fail(err, EAS_EIO, "store '%s': object %s went while it was stored", s->root, name + 3);
      eas_store_touched(s, d);
      return 1;
    }
    if (errno == EXDEV) return 0;
    if (errno == ENOENT) {
      name[2] = 0;
      if (mkdirat(s->objects_fd, name, 0755) != 0 && errno != EEXIST)
        return eas_fail(err, eas_io_code(errno), "store '%s': make objects/%s: %s", s->root, name,
                        eas_store_why(errno));
      name[2] = '/';
      continue;
    }
    if (errno != EEXIST)
      return eas_fail(err, eas_io_code(errno), "store '%s': rename to object %s: %s", s->root, name + 3,
                      eas_store_why(errno));
    int rc = eas_store_touch(s, d, size, err);
    if (rc < 0) return rc;
    if (rc > 0) {
      unlinkat(from_dir, from, 0);
      return 1;
    }
  }
  return eas_fail(err, EAS_EIO, "store '%s': object %s comes and goes, or '%s' is gone", s->root, name + 3, from);
}

int eas_store_sync(eas_store *s, int fd, const char *what, eas_err *err)
{
  if (eas_store_seam.fdatasync(fd) == 0) return 0;
  return eas_fail(err, eas_io_code(errno), "store '%s': sync '%s': %s", s->root, what, eas_store_why(errno));
}

int eas_store_copy_in(eas_store *s, int fd, const void *data, size_t n, const char *what, eas_digest *digest,
                      int64_t *size, eas_err *err)
{
  enum { CHUNK = 1 << 20 };
  char name[64];
  eas_store_tmp_name(s, name);
  int to = openat(s->tmp_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (to < 0)
    return eas_fail(err, eas_io_code(errno), "store '%s': make tmp/%s: %s", s->root, name, eas_store_why(errno));
  char *buf = fd >= 0 ? eas_alloc(CHUNK) : NULL;
  eas_hasher *h = eas_hasher_new();
  int64_t total = 0;
  int rc = 0;
  do {
    ssize_t got = fd >= 0 ? pread(fd, buf, CHUNK, total) : (ssize_t)(total ? 0 : n);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      rc = eas_fail(err, eas_io_code(errno), "store '%s': read '%s': %s", s->root, what, eas_store_why(errno));
    if (got <= 0) break;
    const void *bytes = fd >= 0 ? buf : data;
    eas_hasher_add(h, bytes, (size_t)got);
    int bad = eas_store_seam.write_all(to, bytes, (size_t)got);
    if (bad < 0)
      rc = eas_fail(err, eas_io_code(-bad), "store '%s': write '%s': %s", s->root, what, eas_store_why(-bad));
    total += got;
  } while (rc == 0);
  eas_digest d;
  eas_hasher_end(h, &d);
  free(buf);
  if (rc == 0 && fchmod(to, 0444) != 0)
    rc = eas_fail(err, eas_io_code(errno), "store '%s': chmod '%s': %s", s->root, what, eas_store_why(errno));
  if (rc == 0) rc = eas_store_sync(s, to, what, err);
  if (close(to) != 0 && rc == 0)
    rc = eas_fail(err, eas_io_code(errno), "store '%s': close '%s': %s", s->root, what, eas_store_why(errno));
  if (rc == 0) rc = eas_store_install(s, s->tmp_fd, name, &d, total, err);
  if (rc == 0) rc = eas_fail(err, EAS_EIO, "store '%s': tmp and objects are on two disks", s->root);
  if (rc < 0) {
    unlinkat(s->tmp_fd, name, 0);
    return rc;
  }
  *digest = d;
  if (size) *size = total;
  return 0;
}

int eas_store_put(eas_store *s, const void *data, size_t n, eas_digest *digest, eas_err *err)
{
  eas_digest d;
  eas_hash(data, n, &d);
  int rc = eas_store_touch(s, &d, (int64_t)n, err);
  if (rc == 0) rc = eas_store_copy_in(s, -1, data, n, "bytes", &d, NULL, err);
  if (rc < 0) return rc;
  *digest = d;
  return 0;
}

int eas_store_copy(eas_store *s, const char *path, eas_digest *digest, int64_t *size, eas_err *err)
{
  struct stat st;
  eas_digest d;
  int64_t n = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return eas_fail(err, errno == ENOENT ? EAS_ENOENT : EAS_EIO, "open '%s': %s", path, eas_store_why(errno));
  int rc = 0;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) rc = eas_fail(err, EAS_EFORMAT, "'%s': not a regular file", path);
  if (rc == 0) rc = eas_hash_fd(fd, &d, &n, err); /* first, since an input is mostly known already */
  if (rc >= 0) rc = eas_store_touch(s, &d, n, err);
  if (rc == 0) rc = eas_store_copy_in(s, fd, NULL, 0, path, &d, &n, err);
  close(fd);
  if (rc < 0) return rc;
  *digest = d;
  if (size) *size = n;
  return 0;
}
