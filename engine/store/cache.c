/* cache.c: the folder of a store whose objects are elsewhere: checked once, pinned while in use, bounded. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/remote.h"

enum { SET_SIZE = 1 << 14 }; /* of digests that need not be hashed again; a full set is begun anew */

typedef struct {
  eas_digest d;
  int64_t size;
} good;

struct eas_cache {
  pthread_mutex_t lock;
  int64_t limit, used;
  int n_good;
  good good[SET_SIZE]; /* open addressing; a digest of zeros: free */
};

typedef struct {
  eas_digest d;
  int64_t size, used_us;
} file;

typedef struct {
  file *list;
  size_t n, cap;
  int64_t bytes;
} files;

static int on_file(void *arg, const eas_digest *d, int64_t size, int64_t mtime_us)
{
  files *f = arg;
  if (f->n == f->cap) {
    f->cap = f->cap ? 2 * f->cap : 256;
    f->list = eas_realloc(f->list, f->cap * sizeof *f->list);
  }
  f->list[f->n++] = (file){ *d, size, mtime_us };
  f->bytes += size;
  return 0;
}

eas_cache *eas_cache_open(eas_store *s, int64_t limit)
{
  eas_cache *c = eas_alloc(sizeof *c);
  files f = { 0 };
  pthread_mutex_init(&c->lock, NULL);
  eas_store_walk_folder(s, NULL, on_file, &f, NULL);
  c->used = f.bytes;
  c->limit = limit;
  free(f.list);
  return c;
}

void eas_cache_close(eas_cache *c)
{
  if (!c) return;
  pthread_mutex_destroy(&c->lock);
  free(c);
}

/* Where d is, or where it would be. */
static good *slot_of(eas_cache *c, const eas_digest *d)
{
  static const eas_digest none;
  size_t at;
  memcpy(&at, d->b, sizeof at);
  for (;; at++) {
    good *g = &c->good[at % SET_SIZE];
    if (eas_digest_equal(&g->d, d) || eas_digest_equal(&g->d, &none)) return g;
  }
}

static int is_good(eas_cache *c, const eas_digest *d, int64_t size)
{
  pthread_mutex_lock(&c->lock);
  const good *g = slot_of(c, d);
  int yes = eas_digest_equal(&g->d, d) && g->size == size;
  pthread_mutex_unlock(&c->lock);
  return yes;
}

void eas_cache_good(eas_cache *c, const eas_digest *d, int64_t size, int is_new)
{
  pthread_mutex_lock(&c->lock);
  if (is_new) c->used += size;
  good *g = slot_of(c, d);
  if (!eas_digest_equal(&g->d, d) && ++c->n_good > SET_SIZE / 2) {
    memset(c->good, 0, sizeof c->good);
    c->n_good = 1;
    g = slot_of(c, d);
  }
  *g = (good){ *d, size };
  pthread_mutex_unlock(&c->lock);
}

/* Read again, a file on a disk that lies is noticed before a task reads it. */
static int check(eas_cache *c, int fd, const eas_digest *d, int64_t size)
{
  eas_digest is;
  if (is_good(c, d, size)) return 1;
  if (eas_hash_fd(fd, &is, NULL, NULL) < 0 || !eas_digest_equal(&is, d)) return 0;
  lseek(fd, 0, SEEK_SET);
  eas_cache_good(c, d, size, 0);
  return 1;
}

int eas_cache_pin(eas_store *s, eas_cache *c, const eas_digest *d)
{
  char name[EAS_OBJECT_NAME];
  struct stat st;
  eas_store_name(d, name);
  int fd = openat(s->objects_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_SH) != 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0) {
    close(fd); /* it went while it was opened */
    return -1;
  }
  if (!check(c, fd, d, st.st_size)) {
    unlinkat(s->objects_fd, name, 0);
    close(fd);
    return -1;
  }
  utimensat(s->objects_fd, name, NULL, AT_SYMLINK_NOFOLLOW);
  return fd;
}

void eas_cache_lock(int fd)
{
  flock(fd, LOCK_SH);
}

static int oldest_first(const void *a, const void *b)
{
  const file *x = a, *y = b;
  return (x->used_us > y->used_us) - (x->used_us < y->used_us);
}

static int remove_unused(eas_store *s, const eas_digest *d)
{
  char name[EAS_OBJECT_NAME];
  eas_store_name(d, name);
  int fd = openat(s->objects_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return 0;
  int gone = flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(s->objects_fd, name, 0) == 0;
  close(fd);
  return gone;
}

void eas_cache_trim(eas_store *s, eas_cache *c)
{
  pthread_mutex_lock(&c->lock);
  int full = c->limit > 0 && c->used > c->limit;
  pthread_mutex_unlock(&c->lock);
  if (!full) return;
  files f = { 0 };
  eas_store_walk_folder(s, NULL, on_file, &f, NULL); /* others may share the folder: counted anew */
  if (f.n > 0) qsort(f.list, f.n, sizeof *f.list, oldest_first);
  const int64_t aim = c->limit - c->limit / 10; /* a tenth of room, so that the folder is not read for every file */
  for (size_t i = 0; i < f.n && f.bytes > aim; i++)
    if (remove_unused(s, &f.list[i].d)) f.bytes -= f.list[i].size;
  pthread_mutex_lock(&c->lock);
  c->used = f.bytes;
  pthread_mutex_unlock(&c->lock);
  free(f.list);
}
