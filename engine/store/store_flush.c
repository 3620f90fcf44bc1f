/* store_flush.c: one sync of each folder touched; and what looks after the store: walk, verify, sweep. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/remote.h"

static int sync_folder(eas_store *s, const char *name, eas_err *err)
{
  int fd = openat(s->objects_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return eas_fail(err, eas_io_code(errno), "store '%s': open objects/%s: %s", s->root, name, eas_store_why(errno));
  int rc = 0;
  if (eas_store_seam.fsync(fd) != 0)
    rc = eas_fail(err, eas_io_code(errno), "store '%s': sync objects/%s: %s", s->root, name, eas_store_why(errno));
  close(fd);
  return rc;
}

static int sync_all(eas_store *s, unsigned char dirty[256], int *top, eas_err *err)
{
  char name[4];
  for (int i = 0; i < 256; i++) {
    if (!dirty[i]) continue;
    snprintf(name, sizeof name, "%02x", i);
    int rc = sync_folder(s, name, err);
    if (rc < 0) return rc;
  }
  if (*top) {
    int rc = sync_folder(s, ".", err);
    if (rc < 0) return rc;
  }
  return 0;
}

int eas_store_flush(eas_store *s, eas_err *err)
{
  unsigned char dirty[256];
  if (s->remote) return eas_remote_flush(s, err);
  pthread_mutex_lock(&s->flush_lock);
  pthread_mutex_lock(&s->dirty_lock);
  memcpy(dirty, s->dirty, sizeof dirty);
  memset(s->dirty, 0, sizeof s->dirty);
  int top = s->dirty_top;
  s->dirty_top = 0;
  pthread_mutex_unlock(&s->dirty_lock);

  int rc = sync_all(s, dirty, &top, err);

  pthread_mutex_lock(&s->dirty_lock);
  for (int i = 0; i < 256; i++) {
    s->dirty[i] |= rc < 0 && dirty[i]; /* failed: the next flush has it all to do again */
    s->known[i] |= rc == 0 && dirty[i];
  }
  s->dirty_top |= rc < 0 && top;
  pthread_mutex_unlock(&s->dirty_lock);
  pthread_mutex_unlock(&s->flush_lock);
  return rc;
}

int eas_store_verify(const eas_store *s, const eas_digest *d, eas_err *err)
{
  int fd;
  if (s->remote) return eas_remote_verify(s, d, err);
  int rc = eas_store_open_object(s, d, &fd, err);
  if (rc < 0) return rc;
  eas_digest now;
  char is[65], was[65];
  rc = eas_hash_fd(fd, &now, NULL, err);
  close(fd);
  if (rc < 0 || eas_digest_equal(&now, d)) return rc < 0 ? rc : 0;
  eas_digest_hex(&now, is);
  eas_digest_hex(d, was);
  return eas_fail(err, EAS_EFORMAT, "store '%s': object %s is damaged: its bytes hash to %s", s->root, was, is);
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
  for (size_t i = 0; i < n; i++) free(names[i]);
  free(names);
}

/* Sorted names in a folder of objects/; -1 where it cannot be read (errno). */
static ssize_t list(int parent, const char *folder, char ***out)
{
  int fd = openat(parent, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
  if (!dir) {
    if (fd >= 0) close(fd);
    return -1;
  }
  char **names = NULL;
  size_t n = 0, cap = 0;
  const struct dirent *e;
  while ((e = readdir(dir))) {
    if (e->d_name[0] == '.') continue;
    if (n == cap) {
      cap = cap ? cap * 2 : 64;
      names = eas_realloc(names, cap * sizeof *names);
    }
    names[n++] = eas_strdup(e->d_name);
  }
  closedir(dir);
  if (n > 0) qsort(names, n, sizeof *names, by_name);
  *out = names;
  return (ssize_t)n;
}

int eas_store_walk(eas_store *s, const eas_digest *after, eas_store_walk_fn *fn, void *arg, eas_err *err)
{
  return s->remote ? eas_remote_walk(s, after, fn, arg, err) : eas_store_walk_folder(s, after, fn, arg, err);
}

int eas_store_walk_folder(eas_store *s, const eas_digest *after, eas_store_walk_fn *fn, void *arg, eas_err *err)
{
  for (int i = after ? after->b[0] : 0; i < 256; i++) {
    char folder[4], **names;
    snprintf(folder, sizeof folder, "%02x", i);
    ssize_t n = list(s->objects_fd, folder, &names);
    if (n < 0 && errno == ENOENT) continue;
    if (n < 0)
      return eas_fail(err, eas_io_code(errno), "store '%s': read objects/%s: %s", s->root, folder,
                      eas_store_why(errno));
    int rc = 0;
    for (ssize_t k = 0; k < n && rc == 0; k++) {
      eas_digest d;
      char name[EAS_OBJECT_NAME];
      struct stat st;
      if (eas_digest_parse(names[k], &d) < 0 || d.b[0] != i) continue;
      if (after && memcmp(d.b, after->b, sizeof d.b) <= 0) continue;
      eas_store_name(&d, name);
      if (fstatat(s->objects_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue; /* gone since the folder was read */
      rc = fn(arg, &d, st.st_size, (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000);
    }
    free_names(names, (size_t)n);
    if (rc != 0) return rc;
  }
  return 0;
}

int eas_store_sweep_tmp(eas_store *s, int64_t older_than_us, eas_err *err)
{
  char **names;
  ssize_t n = list(s->root_fd, "tmp", &names);
  if (n < 0) return eas_fail(err, eas_io_code(errno), "store '%s': read tmp: %s", s->root, eas_store_why(errno));
  int removed = 0;
  int64_t limit = eas_now_us() - older_than_us;
  for (ssize_t k = 0; k < n; k++) {
    struct stat st;
    if (fstatat(s->tmp_fd, names[k], &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode)) continue;
    if ((int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000 <= limit)
      removed += unlinkat(s->tmp_fd, names[k], 0) == 0;
  }
  free_names(names, (size_t)n);
  return removed;
}
