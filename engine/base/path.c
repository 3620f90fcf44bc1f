/* path.c: names, whole files, folders. */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

char *eas_path_join(const char *dir, const char *name)
{
  if (name[0] == '/' || !dir[0]) return eas_strdup(name);
  size_t n = strlen(dir);
  return eas_format("%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}

const char *eas_path_base(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

int eas_path_exists(const char *path)
{
  struct stat st;
  return stat(path, &st) == 0;
}

int eas_path_mkdirs(const char *path, unsigned mode, eas_err *err)
{
  struct stat whole; /* a sandbox may hide the folders above one that is there */
  if (stat(path, &whole) == 0 && S_ISDIR(whole.st_mode)) return 0;
  char *copy = eas_strdup(path);
  int rc = 0;
  for (char *p = copy; rc == 0 && *p;) {
    while (*p == '/') p++;
    while (*p && *p != '/') p++;
    char keep = *p;
    *p = 0;
    struct stat st;
    if (mkdir(copy, (mode_t)mode) < 0) {
      int why = errno; /* on a read-only disk a folder that is there gives EROFS */
      if (stat(copy, &st) < 0)
        rc = eas_fail(err, eas_io_code(why), "make folder '%s': %s", copy, strerror(why));
      else if (!S_ISDIR(st.st_mode))
        rc = eas_fail(err, EAS_EIO, "make folder '%s': '%s' is there and is no folder", path, copy);
    }
    *p = keep;
  }
  free(copy);
  return rc;
}

int eas_path_check_relative(const char *name, eas_err *err)
{
  const char *why = NULL;
  if (!name[0]) return eas_fail(err, EAS_EINVAL, "file name is empty");
  if (name[0] == '/') why = "is absolute; names are relative to their folder";
  for (const char *p = name; *p && !why; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f)
      return eas_fail(err, EAS_EINVAL, "file name holds a control byte (0x%02x at byte %d)", (unsigned char)*p,
                      (int)(p - name) + 1);
  for (const char *part = name; !why; part++) {
    size_t n = strcspn(part, "/");
    if (n == 0)
      why = "has an empty part";
    else if (n == 1 && part[0] == '.')
      why = "has a part '.'; one file has one name";
    else if (n == 2 && part[0] == '.' && part[1] == '.')
      why = "has a part '..', which leaves its folder";
    else if (n > 255)
      why = "has a part of more than 255 bytes";
    part += n;
    if (!*part) break;
  }
  return why ? eas_fail(err, EAS_EINVAL, "file name '%.300s' %s", name, why) : 0;
}

int eas_write_all(int fd, const void *data, size_t n)
{
  const char *p = data;
  while (n > 0) {
    ssize_t put = write(fd, p, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -errno;
    p += put;
    n -= (size_t)put;
  }
  return 0;
}

static int read_fd(int fd, const char *path, size_t limit, eas_buf *out, eas_err *err)
{
  struct stat st;
  if (fstat(fd, &st) < 0) return eas_fail(err, EAS_EIO, "read '%s': %s", path, strerror(errno));
  if (S_ISDIR(st.st_mode)) return eas_fail(err, EAS_EIO, "%s: is a folder, not a file", path);
  size_t start = out->len;
  for (;;) {
    if (limit && out->len - start > limit)
      return eas_fail(err, EAS_ELIMIT, "read '%s': more than %zu bytes", path, limit);
    size_t want = 1 << 16;
    if (S_ISREG(st.st_mode) && (size_t)st.st_size > out->len - start)
      want = (size_t)st.st_size - (out->len - start) + 1;
    if (limit && want > limit + 1) want = limit + 1;
    eas_buf_reserve(out, want);
    ssize_t n = read(fd, out->data + out->len, want);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return eas_fail(err, EAS_EIO, "read '%s': %s", path, strerror(errno));
    if (n == 0) return 0;
    out->len += (size_t)n;
    out->data[out->len] = 0;
  }
}

int eas_file_read(const char *path, size_t limit, eas_buf *out, eas_err *err)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return eas_open_failed(path, errno, err);
  size_t start = out->len;
  int rc = read_fd(fd, path, limit, out, err);
  if (rc < 0 && out->data) { /* nothing half-read is left behind */
    out->len = start;
    out->data[start] = 0;
  }
  close(fd);
  return rc;
}

/* The folder's own entry must reach the disk too, or the name is gone after a power cut. */
static int sync_folder(const char *path)
{
  const char *slash = strrchr(path, '/');
  char *dir = !slash          ? eas_strdup(".")
              : slash == path ? eas_strdup("/")
                              : eas_format("%.*s", (int)(slash - path), path);
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(dir);
  if (fd < 0) return -errno;
  int rc = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
  close(fd);
  return rc;
}

int eas_file_write(const char *path, const void *data, size_t n, unsigned mode, eas_err *err)
{
  uint64_t nonce;
  eas_random_bytes(&nonce, sizeof nonce);
  const char *base = eas_path_base(path);
  char *temporary = eas_format("%.*s.eas-%016llx.tmp", (int)(base - path), path, (unsigned long long)nonce);
  int rc = 0;
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
  if (fd < 0) {
    rc = eas_fail(err, eas_io_code(errno), "write '%s': %s", path, strerror(errno));
    goto done;
  }
  int put = eas_write_all(fd, data, n);
  if (put == 0 && fsync(fd) < 0) put = -errno;
  if (close(fd) < 0 && put == 0) put = -errno;
  if (put == 0 && rename(temporary, path) < 0) put = -errno;
  if (put < 0) {
    unlink(temporary);
    rc = eas_fail(err, eas_io_code(-put), "write '%s': %s", path, strerror(-put));
    goto done;
  }
  put = sync_folder(path);
  if (put < 0) rc = eas_fail(err, EAS_EIO, "sync the folder of '%s': %s", path, strerror(-put));
done:
  free(temporary);
  return rc;
}

static char *home_share, *home_native;
static pthread_once_t home_once = PTHREAD_ONCE_INIT;

static void find_home(void)
{
  char exe[4096];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  const char *prefix = EAS_PREFIX; /* without /proc: where the build was told that it would be */
  if (n > 0) {
    exe[n] = 0;
    for (int up = 0; up < 2; up++) { /* <prefix>/bin/eas */
      char *slash = strrchr(exe, '/');
      if (slash) *slash = 0;
    }
    prefix = exe;
  }
  home_share = eas_format("%s/share/eas", prefix);
  home_native = eas_format("%s/" EAS_LIBDIR "/eas/native", prefix);
}

const char *eas_home_share(void)
{
  pthread_once(&home_once, find_home);
  return home_share;
}

const char *eas_home_native(void)
{
  pthread_once(&home_once, find_home);
  return home_native;
}
