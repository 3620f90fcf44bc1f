/* store_dir.c: a store in a folder: opening, putting in, syncing. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "store/remote.h"

/* glibc of Debian 12 has neither openat2 nor a renameat2 that every kernel knows. */
static long open_beneath(int dirfd, const char *name, int flags)
{
  struct open_how how = { .flags = (unsigned)flags,
                          .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
  return syscall(SYS_openat2, dirfd, name, &how, sizeof how);
}

static int rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
  return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

eas_store_seams eas_store_seam = { fdatasync, fsync, rename_new, eas_write_all, open_beneath };

const char *eas_store_why(int error)
{
  static _Thread_local char text[256];
  char buf[256];
  snprintf(text, sizeof text, "%s", strerror_r(error, buf, sizeof buf));
  if (text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) text[0] = (char)(text[0] + 32);
  return text;
}

void eas_store_name(const eas_digest *d, char out[EAS_OBJECT_NAME])
{
  eas_digest_hex(d, out + 3);
  out[0] = out[3];
  out[1] = out[4];
  out[2] = '/';
}

void eas_store_tmp_name(eas_store *s, char out[64])
{
  uint64_t random;
  eas_random_bytes(&random, sizeof random); /* two stores, hosts or restarts never meet */
  snprintf(out, 64, "%ld-%llu-%016llx", (long)getpid(), (unsigned long long)atomic_fetch_add(&s->serial, 1),
           (unsigned long long)random);
}

void eas_store_touched(eas_store *s, const eas_digest *d)
{
  pthread_mutex_lock(&s->dirty_lock);
  s->dirty[d->b[0]] = 1;
  s->dirty_top |= !s->known[d->b[0]];
  pthread_mutex_unlock(&s->dirty_lock);
}

static int open_folder(int parent, const char *root, const char *name, unsigned mode, int *out, eas_err *err)
{
  if (mkdirat(parent, name, mode) != 0 && errno != EEXIST)
    return eas_fail(err, eas_io_code(errno), "store '%s': make %s: %s", root, name, eas_store_why(errno));
  *out = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (*out < 0) return eas_fail(err, eas_io_code(errno), "store '%s': open %s: %s", root, name, eas_store_why(errno));
  return 0;
}

/* The folder itself: of a directory store all of it, else the cache. */
static int open_folders(eas_store *s, const char *path, int is_cache, eas_err *err)
{
  int rc = eas_path_mkdirs(path, 0755, err);
  if (rc < 0) return rc;
  s->root = realpath(path, NULL);
  s->root_fd = s->root ? open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  rc = s->root_fd < 0 ? eas_fail(err, eas_io_code(errno), "store '%s': %s", path, eas_store_why(errno)) : 0;
  if (rc == 0) rc = open_folder(s->root_fd, s->root, "objects", 0755, &s->objects_fd, err);
  if (rc == 0) rc = open_folder(s->root_fd, s->root, "tmp", 0700, &s->tmp_fd, err);
  if (rc == 0 && !is_cache) rc = open_folder(s->root_fd, s->root, "products", 0755, &s->products_fd, err);
  return rc;
}

int eas_store_open_with(eas_store **out, const char *url_or_path, const eas_store_settings *set, eas_err *err)
{
  const char *path = url_or_path;
  int is_remote = eas_store_is_url(url_or_path);
  if (strncmp(path, "file:", 5) == 0)
    path += strncmp(path, "file://", 7) == 0 ? 7 : 5;
  else if (strstr(path, "://") && !is_remote)
    return eas_fail(err, EAS_EURL,
                    "store '%s': a folder is expected, as /data/store or file:///data/store, or s3://BUCKET/PREFIX",
                    url_or_path);
  if (is_remote) path = set && set->cache ? set->cache : "";
  if (!*path && is_remote)
    return eas_fail(err, EAS_EURL, "store '%s': an object store needs a folder for its cache", url_or_path);
  if (!*path) return eas_fail(err, EAS_EURL, "store '%s': names no folder", url_or_path);
  eas_store *s = eas_alloc(sizeof *s);
  s->root_fd = s->objects_fd = s->tmp_fd = s->products_fd = -1;
  pthread_mutex_init(&s->dirty_lock, NULL);
  pthread_mutex_init(&s->flush_lock, NULL);
  int rc = open_folders(s, path, is_remote, err);
  if (rc == 0 && is_remote) rc = eas_remote_open(s, url_or_path, set, err);
  if (rc < 0) {
    eas_store_close(s);
    return rc;
  }
  *out = s;
  return 0;
}

int eas_store_open(eas_store **out, const char *url_or_path, eas_err *err)
{
  return eas_store_open_with(out, url_or_path, NULL, err);
}

int eas_store_is_url(const char *url_or_path)
{
  return strncmp(url_or_path, "s3://", 5) == 0;
}

void eas_store_close(eas_store *s)
{
  if (!s) return;
  eas_remote_close(s->remote);
  const int fds[] = { s->root_fd, s->objects_fd, s->tmp_fd, s->products_fd };
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0) close(fds[i]);
  pthread_mutex_destroy(&s->dirty_lock);
  pthread_mutex_destroy(&s->flush_lock);
  free(s->root);
  free(s);
}

const char *eas_store_root(const eas_store *s)
{
  return s->root;
}

const char *eas_store_where(const eas_store *s)
{
  return s->remote ? eas_s3_url(eas_remote_server(s->remote)) : s->root;
}

int eas_store_is_remote(const eas_store *s)
{
  return s->remote != NULL;
}

int eas_store_probe(eas_store *s, eas_err *err)
{
  return s->remote ? eas_s3_list(eas_remote_server(s->remote), "objects/", NULL, 1, NULL, NULL, err) : 0;
}

void eas_store_stop(eas_store *s)
{
  if (s->remote) eas_s3_stop(eas_remote_server(s->remote));
}

char *eas_store_path(const eas_store *s, const eas_digest *d)
{
  char name[EAS_OBJECT_NAME];
  eas_store_name(d, name);
  return eas_format("%s/objects/%s", s->root, name);
}

int eas_store_has(const eas_store *s, const eas_digest *d)
{
  char name[EAS_OBJECT_NAME];
  struct stat st;
  if (s->remote) return eas_remote_has(s, d);
  eas_store_name(d, name);
  return fstatat(s->objects_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

int eas_store_expects(const eas_store *s, const eas_digest *d)
{
  return s->remote || eas_store_has(s, d) == 1;
}

int eas_store_open_object(const eas_store *s, const eas_digest *d, int *fd, eas_err *err)
{
  char name[EAS_OBJECT_NAME];
  if (s->remote)
    return eas_store_fetch((eas_store *)(uintptr_t)s, d, 1, fd, err); /* the folder changes, not the store */
  eas_store_name(d, name);
  int got = openat(s->objects_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (got < 0)
    return eas_fail(err, errno == ENOENT ? EAS_ENOENT : EAS_EIO, "store '%s': object %s: %s", s->root, name + 3,
                    eas_store_why(errno));
  *fd = got;
  return 0;
}

int64_t eas_store_free_bytes(const eas_store *s)
{
  struct statvfs v;
  if (fstatvfs(s->root_fd, &v) != 0) return EAS_EIO;
  return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}
