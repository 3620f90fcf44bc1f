/* scratch.c: see scratch.h. */
#include "worker/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"

enum { ENTRIES_MAX = 200000, BLOCK = 512 };

char *eas_scratch_path(const char *root, int64_t worker, int slot)
{
  return eas_format("%s/w%lld.%d.s%d", root, (long long)worker, (int)getpid(), slot);
}

/* Entries of a folder but `but`; -1 when it cannot be read as what it should be. */
static int count_entries(int at, const char *name, const char *but)
{
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) {
    int missing = errno == ENOENT;
    if (fd >= 0) close(fd);
    return missing ? 0 : -1;
  }
  int n = 0;
  for (struct dirent *e = readdir(dir); e; e = readdir(dir))
    n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !(but && strcmp(e->d_name, but) == 0);
  closedir(dir);
  return n;
}

static int same_time(const struct timespec *a, const struct timespec *b)
{
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Nothing was made or removed since it was seen clean. */
static int is_untouched(const eas_scratch_mark *mark)
{
  struct stat root, out;
  return mark->valid && fstat(mark->fd, &root) == 0 && same_time(&root.st_ctim, &mark->root) &&
         fstatat(mark->fd, "out", &out, AT_SYMLINK_NOFOLLOW) == 0 && same_time(&out.st_ctim, &mark->out);
}

void eas_scratch_forget(eas_scratch_mark *mark)
{
  if (mark->valid) close(mark->fd);
  mark->valid = 0;
}

/* A change within a tick of the clock that stamps files would not show: only older stamps are trusted. */
static void remember(int fd, eas_scratch_mark *mark)
{
  struct stat root, out;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  int seen = fstat(fd, &root) == 0 && fstatat(fd, "out", &out, AT_SYMLINK_NOFOLLOW) == 0 &&
             now.tv_sec > root.st_ctim.tv_sec + 1 && now.tv_sec > out.st_ctim.tv_sec + 1;
  if (!seen) return;
  mark->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  mark->valid = mark->fd >= 0;
  mark->root = root.st_ctim;
  mark->out = out.st_ctim;
}

static int is_clean(const char *path, uid_t owner, eas_scratch_mark *mark)
{
  struct stat st;
  if (is_untouched(mark)) return 1;
  eas_scratch_forget(mark);
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return 0;
  int ok = fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700 && (owner == (uid_t)-1 || st.st_uid == owner) &&
           count_entries(fd, ".", "out") == 0 && count_entries(fd, "out", NULL) == 0;
  if (ok && fstatat(fd, "out", &st, AT_SYMLINK_NOFOLLOW) == 0) ok = S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700;
  if (ok) remember(fd, mark);
  close(fd);
  return ok;
}

int eas_scratch_fresh(const char *path, uid_t owner, eas_scratch_mark *mark, eas_err *err)
{
  if (is_clean(path, owner, mark)) return 0;
  int rc = eas_path_exists(path) ? eas_path_remove_tree(path, err) : 0;
  if (rc < 0) return rc;
  if (mkdir(path, 0700) != 0) return eas_fail(err, eas_io_code(errno), "make '%s': %s", path, strerror(errno));
  char *out = eas_path_join(path, "out");
  const char *made = path;
  int ok = mkdir(out, 0700) == 0;
  if (!ok) made = out;
  if (ok && owner != (uid_t)-1) ok = chown(out, owner, (gid_t)-1) == 0 && chown(path, owner, (gid_t)-1) == 0;
  rc = ok ? 0 : eas_fail(err, eas_io_code(errno), "make '%s': %s", made, strerror(errno));
  free(out);
  return rc;
}

void eas_scratch_sweep(const char *root)
{
  DIR *dir = opendir(root);
  if (!dir) return;
  for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
    long long worker;
    int pid, slot;
    if (sscanf(e->d_name, "w%lld.%d.s%d", &worker, &pid, &slot) != 3 || kill(pid, 0) == 0 || errno != ESRCH) continue;
    char *path = eas_path_join(root, e->d_name);
    eas_path_remove_tree(path, NULL);
    free(path);
  }
  closedir(dir);
}

int64_t eas_scratch_bytes(const char *path)
{
  char *roots[] = { (char *)(uintptr_t)path, 0 };
  int64_t sum = 0;
  int n = 0;
  FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
  if (!walk) return 0;
  for (FTSENT *e = fts_read(walk); e && n < ENTRIES_MAX; e = fts_read(walk), n++)
    if (e->fts_info == FTS_F || e->fts_info == FTS_D) sum += (int64_t)e->fts_statp->st_blocks * BLOCK;
  fts_close(walk);
  return sum;
}
