/* store_fetch.c: objects to read: at hand already, or fetched, checked and kept in the folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/remote.h"

typedef struct {
  char tmp[64];
  int at; /* which of the list */
} coming;

/* A file for what comes, locked from the start; its name in tmp/ becomes the object's. */
static int begin_file(eas_store *s, char tmp[64], eas_err *err)
{
  eas_store_tmp_name(s, tmp);
  int fd = openat(s->tmp_fd, tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return eas_fail(err, eas_io_code(errno), "store '%s': make tmp/%s: %s", s->root, tmp, eas_store_why(errno));
  eas_cache_lock(fd);
  return fd;
}

/* Gives it its name; another's file of the same name is replaced: its bytes are the same. */
static int end_file(eas_store *s, const char *tmp, int fd, const eas_digest *d, int64_t size, eas_err *err)
{
  char name[EAS_OBJECT_NAME];
  eas_store_name(d, name);
  int bad = fchmod(fd, 0444) != 0;
  for (int turn = 0; !bad && turn < 2; turn++) {
    if (renameat(s->tmp_fd, tmp, s->objects_fd, name) == 0) {
      eas_cache_good(eas_remote_cache(s->remote), d, size, 1);
      return 0;
    }
    if (errno != ENOENT) break;
    name[2] = 0;
    bad = mkdirat(s->objects_fd, name, 0755) != 0 && errno != EEXIST;
    name[2] = '/';
  }
  return eas_fail(err, eas_io_code(errno), "store '%s': keep object %s: %s", s->root, name + 3, eas_store_why(errno));
}

static int take_in(eas_store *s, const coming *c, const eas_s3_request *q, const eas_digest *d, int *pin, eas_err *err)
{
  eas_err own = { 0 };
  int rc = q->rc;
  if (rc < 0)
    own = q->err;
  else
    rc = end_file(s, c->tmp, q->into, d, q->size, &own);
  if (rc < 0) {
    unlinkat(s->tmp_fd, c->tmp, 0);
    close(q->into);
    if (err) *err = own;
    return rc;
  }
  *pin = q->into;
  return 0;
}

static int fetch_missing(eas_store *s, const eas_digest *list, coming *want, int n, int *pins, eas_err *err)
{
  eas_s3_request *q = eas_alloc((size_t)n * sizeof *q);
  int made = 0, rc = 0;
  for (; made < n; made++) {
    int fd = begin_file(s, want[made].tmp, err);
    if (fd < 0) {
      rc = fd;
      break;
    }
    eas_s3_request_init(&q[made], "GET");
    eas_remote_key(eas_remote_server(s->remote), &list[want[made].at], q[made].key);
    q[made].digest = &list[want[made].at];
    q[made].into = fd;
  }
  if (made > 0) eas_s3_run(eas_remote_server(s->remote), q, made, NULL);
  for (int i = 0; i < made; i++) {
    int bad = take_in(s, &want[i], &q[i], q[i].digest, &pins[want[i].at], rc == 0 ? err : NULL);
    if (rc == 0) rc = bad;
    eas_buf_done(&q[i].text);
  }
  free(q);
  eas_cache_trim(s, eas_remote_cache(s->remote));
  return rc;
}

int eas_store_fetch(eas_store *s, const eas_digest *list, int n, int *pins, eas_err *err)
{
  int missing = 0, rc = 0;
  for (int i = 0; i < n; i++) pins[i] = -1;
  if (!s->remote) return 0;
  coming *want = eas_alloc(((size_t)n + 1) * sizeof *want);
  for (int i = 0; i < n; i++) {
    pins[i] = eas_cache_pin(s, eas_remote_cache(s->remote), &list[i]);
    if (pins[i] < 0) want[missing++].at = i;
  }
  if (missing > 0) rc = fetch_missing(s, list, want, missing, pins, err);
  free(want);
  if (rc < 0) eas_store_unpin(pins, n);
  return rc;
}

void eas_store_unpin(int *pins, int n)
{
  for (int i = 0; i < n; i++) {
    if (pins[i] >= 0) close(pins[i]);
    pins[i] = -1;
  }
}

int eas_store_have(const eas_store *s, const eas_digest *d, eas_err *err)
{
  int pin, fd,
      rc = s->remote ? eas_store_fetch((eas_store *)(uintptr_t)s, d, 1, &pin, err)
                     : eas_store_open_object(s, d, &fd, err);
  if (rc == 0) close(s->remote ? pin : fd);
  return rc;
}
