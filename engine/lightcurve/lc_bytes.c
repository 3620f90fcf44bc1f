#include "lightcurve/lc_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/path.h"

enum { IN_SIZE = 128 << 10, PEEK_SIZE = 4096 };

struct eas_bytes {
  char *name;
  int fd; /* -1: memory */
  const unsigned char *mem;
  size_t mem_left;
  size_t size; /* as stored; 0: not known */
  int gzip;
  int ended; /* the gzip stream, or the file */
  z_stream z;
  int z_made;
  size_t head_n, head_at; /* peeked contents that are not consumed yet */
  unsigned char head[PEEK_SIZE];
  unsigned char in[IN_SIZE];
};

/* Bytes as they are stored. */
static ptrdiff_t raw_read(eas_bytes *b, void *data, size_t cap, eas_err *err)
{
  if (b->fd < 0) {
    size_t n = cap < b->mem_left ? cap : b->mem_left;
    if (n > 0) memcpy(data, b->mem, n);
    b->mem += n;
    b->mem_left -= n;
    return (ptrdiff_t)n;
  }
  for (;;) {
    ssize_t n = read(b->fd, data, cap);
    if (n >= 0) return n;
    if (errno != EINTR) {
      char why[128];
      return eas_fail(err, EAS_EIO, "read '%s': %s", b->name, eas_why(errno, why, sizeof why));
    }
  }
}

static int refill(eas_bytes *b, eas_err *err)
{
  ptrdiff_t n = raw_read(b, b->in, IN_SIZE, err);
  if (n < 0) return (int)n;
  b->z.next_in = b->in;
  b->z.avail_in = (uInt)n;
  return n > 0;
}

static int gzip_fail(const eas_bytes *b, int z, eas_err *err)
{
  if (z == Z_MEM_ERROR) return eas_fail(err, EAS_ENOMEM, "%s: no memory to gunzip it", b->name);
  return eas_fail(err, EAS_EFORMAT, "%s: gzip data are damaged: %s", b->name, b->z.msg ? b->z.msg : "unexpected bytes");
}

/* After one gzip member: another may follow at once (as `cat a.gz b.gz` makes); zeros and
 * whatever else are padding, as gunzip has it. Returns 1 when another begins. */
static int next_member(eas_bytes *b, eas_err *err)
{
  if (b->z.avail_in == 0) {
    int rc = refill(b, err);
    if (rc <= 0) return rc;
  }
  return b->z.next_in[0] == 0x1f && inflateReset(&b->z) == Z_OK;
}

static ptrdiff_t gzip_read(eas_bytes *b, void *data, size_t cap, eas_err *err)
{
  b->z.next_out = data;
  b->z.avail_out = cap < (1u << 30) ? (uInt)cap : 1u << 30;
  uInt want = b->z.avail_out;
  while (!b->ended && b->z.avail_out == want) {
    if (b->z.avail_in == 0) {
      int rc = refill(b, err);
      if (rc < 0) return rc;
      if (rc == 0) return eas_fail(err, EAS_EFORMAT, "%s: gzip data end early: the file is cut short", b->name);
    }
    int z = inflate(&b->z, Z_NO_FLUSH);
    if (z == Z_STREAM_END) {
      int rc = next_member(b, err);
      if (rc < 0) return rc;
      b->ended = rc == 0;
    } else if (z != Z_OK && z != Z_BUF_ERROR) {
      return gzip_fail(b, z, err);
    }
  }
  return want - b->z.avail_out;
}

static ptrdiff_t body_read(eas_bytes *b, void *data, size_t cap, eas_err *err)
{
  if (b->gzip) return gzip_read(b, data, cap, err);
  if (b->z.avail_in > 0) { /* plain bytes that were looked at for the gzip mark */
    size_t n = cap < b->z.avail_in ? cap : b->z.avail_in;
    memcpy(data, b->z.next_in, n);
    b->z.next_in += n;
    b->z.avail_in -= (uInt)n;
    return (ptrdiff_t)n;
  }
  return raw_read(b, data, cap, err);
}

/* Reads the first bytes as stored, and prepares to gunzip if they say so. */
static int begin(eas_bytes *b, eas_err *err)
{
  b->z.next_in = b->in;
  while (b->z.avail_in < 2) {
    ptrdiff_t n = raw_read(b, b->in + b->z.avail_in, IN_SIZE - b->z.avail_in, err);
    if (n < 0) return (int)n;
    if (n == 0) break;
    b->z.avail_in += (uInt)n;
  }
  b->gzip = b->z.avail_in >= 2 && b->in[0] == 0x1f && b->in[1] == 0x8b;
  if (b->gzip) {
    if (inflateInit2(&b->z, 15 + 16) != Z_OK) return eas_fail(err, EAS_ENOMEM, "%s: no memory to gunzip it", b->name);
    b->z_made = 1;
  }
  return 0;
}

int eas_bytes_open(eas_bytes **out, const char *path, eas_err *err)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return eas_open_failed(path, errno, err);
  struct stat st;
  if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode)) {
    close(fd);
    return eas_fail(err, EAS_EFORMAT, "%s: a light curve is a file, this is a folder or device", path);
  }
  eas_bytes *b = eas_alloc(sizeof *b);
  b->name = eas_strdup(path);
  b->fd = fd;
  b->size = S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
  int rc = begin(b, err);
  if (rc < 0) {
    eas_bytes_close(b);
    return rc;
  }
  *out = b;
  return 0;
}

eas_bytes *eas_bytes_over(const void *data, size_t n, const char *name)
{
  eas_bytes *b = eas_alloc(sizeof *b);
  b->name = eas_strdup(name);
  b->fd = -1;
  b->mem = data;
  b->mem_left = b->size = n;
  if (begin(b, NULL) < 0) /* only for want of memory; eas_alloc ends the process for that */
    abort();
  return b;
}

void eas_bytes_close(eas_bytes *b)
{
  if (!b) return;
  if (b->z_made) inflateEnd(&b->z);
  if (b->fd >= 0) close(b->fd);
  free(b->name);
  free(b);
}

const char *eas_bytes_name(const eas_bytes *b)
{
  return b->name;
}

size_t eas_bytes_size(const eas_bytes *b)
{
  return b->gzip ? b->size * 3 : b->size; /* numbers as text shrink to about a third, or to less */
}

int eas_bytes_is_gzip(const eas_bytes *b)
{
  return b->gzip;
}

int eas_bytes_peek(eas_bytes *b, const char **data, size_t *n, eas_err *err)
{
  while (b->head_at == 0 && b->head_n < PEEK_SIZE) {
    ptrdiff_t got = body_read(b, b->head + b->head_n, PEEK_SIZE - b->head_n, err);
    if (got < 0) return (int)got;
    if (got == 0) break;
    b->head_n += (size_t)got;
  }
  *data = (const char *)b->head + b->head_at;
  *n = b->head_n - b->head_at;
  return 0;
}

ptrdiff_t eas_bytes_read(eas_bytes *b, void *data, size_t cap, eas_err *err)
{
  size_t n = b->head_n - b->head_at;
  if (n == 0) return body_read(b, data, cap, err);
  n = cap < n ? cap : n;
  memcpy(data, b->head + b->head_at, n);
  b->head_at += n;
  return (ptrdiff_t)n;
}

int eas_bytes_rest(eas_bytes *b, size_t limit, eas_buf *out, eas_err *err)
{
  for (;;) {
    eas_buf_reserve(out, 1 << 20);
    ptrdiff_t n = eas_bytes_read(b, out->data + out->len, 1 << 20, err);
    if (n <= 0) return (int)n;
    out->len += (size_t)n;
    out->data[out->len] = 0;
    if (out->len > limit) return eas_fail(err, EAS_ELIMIT, "%s: more than %zu MB when unpacked", b->name, limit >> 20);
  }
}
