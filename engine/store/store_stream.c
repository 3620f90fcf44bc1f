/* store_stream.c: objects that grow by pieces, packed on the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buf.h"
#include "store/store_private.h"

enum { LEVEL = 3 };

struct eas_store_stream {
  eas_store *store;
  int fd;
  ZSTD_CStream *pack;
  size_t cap;
  char *bytes; /* [cap] */
};

int eas_store_stream_open(eas_store_stream **out, eas_store *s, eas_err *err)
{
  char name[64];
  eas_store_tmp_name(s, name);
  int fd = openat(s->tmp_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return eas_fail(err, eas_io_code(errno), "store '%s': make tmp/%s: %s", s->root, name, eas_store_why(errno));
  unlinkat(s->tmp_fd, name, 0);
  eas_store_stream *t = eas_alloc(sizeof *t);
  t->store = s;
  t->fd = fd;
  t->cap = ZSTD_CStreamOutSize();
  t->bytes = eas_alloc(t->cap);
  t->pack = ZSTD_createCStream();
  if (!t->pack || ZSTD_isError(ZSTD_CCtx_setParameter(t->pack, ZSTD_c_compressionLevel, LEVEL)) ||
      ZSTD_isError(ZSTD_CCtx_setParameter(t->pack, ZSTD_c_checksumFlag, 1))) {
    eas_store_stream_close(t);
    return eas_fail(err, EAS_ENOMEM, "store '%s': zstd: out of memory", s->root);
  }
  *out = t;
  return 0;
}

static int pack(eas_store_stream *t, const void *data, size_t n, ZSTD_EndDirective how, eas_err *err)
{
  const char *root = t->store->root;
  ZSTD_inBuffer in = { data, n, 0 };
  size_t left;
  do {
    ZSTD_outBuffer to = { t->bytes, t->cap, 0 };
    left = ZSTD_compressStream2(t->pack, &to, &in, how);
    if (ZSTD_isError(left)) return eas_fail(err, EAS_EIO, "store '%s': zstd: %s", root, ZSTD_getErrorName(left));
    int bad = to.pos ? eas_store_seam.write_all(t->fd, t->bytes, to.pos) : 0;
    if (bad < 0) return eas_fail(err, eas_io_code(-bad), "store '%s': write a log: %s", root, eas_store_why(-bad));
  } while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
  return 0;
}

int eas_store_stream_add(eas_store_stream *t, const void *data, size_t n, eas_err *err)
{
  return pack(t, data, n, ZSTD_e_continue, err);
}

int eas_store_stream_end(eas_store_stream *t, eas_digest *digest, int64_t *size, eas_err *err)
{
  int rc = pack(t, NULL, 0, ZSTD_e_end, err);
  return rc < 0 ? rc : eas_store_copy_in(t->store, t->fd, NULL, 0, "log", digest, size, err);
}

void eas_store_stream_close(eas_store_stream *t)
{
  if (!t) return;
  ZSTD_freeCStream(t->pack);
  close(t->fd);
  free(t->bytes);
  free(t);
}

typedef struct {
  eas_store_unpack_fn *fn;
  void *arg;
  char *out;
  size_t cap;
  size_t left; /* 0: the end of what was packed is reached */
} unpacking;

/* 0; what fn said; or EAS_EFORMAT. */
static int unpack_piece(ZSTD_DStream *z, unpacking *u, const char *data, size_t n)
{
  ZSTD_inBuffer in = { data, n, 0 };
  size_t got;
  do {
    ZSTD_outBuffer to = { u->out, u->cap, 0 };
    u->left = ZSTD_decompressStream(z, &to, &in);
    if (ZSTD_isError(u->left)) return EAS_EFORMAT;
    got = to.pos;
    int rc = got ? u->fn(u->arg, u->out, got) : 0;
    if (rc != 0) return rc;
  } while (in.pos < in.size || got == u->cap);
  return 0;
}

int eas_store_unpack(const eas_store *s, const eas_digest *d, eas_store_unpack_fn *fn, void *arg, eas_err *err)
{
  int fd = -1, rc = eas_store_open_object(s, d, &fd, err);
  if (rc < 0) return rc;
  unpacking u = { .fn = fn, .arg = arg, .cap = ZSTD_DStreamOutSize(), .left = 1 };
  size_t size = ZSTD_DStreamInSize();
  char *in = eas_alloc(size);
  u.out = eas_alloc(u.cap);
  ZSTD_DStream *z = ZSTD_createDStream();
  ssize_t n = 0;
  rc = z ? 0 : eas_fail(err, EAS_ENOMEM, "store '%s': zstd: out of memory", s->root);
  while (rc == 0 && ((n = read(fd, in, size)) > 0 || (n < 0 && errno == EINTR)))
    if (n > 0) rc = unpack_piece(z, &u, in, (size_t)n);
  if (rc == 0 && n < 0) rc = eas_fail(err, eas_io_code(errno), "store '%s': read: %s", s->root, eas_store_why(errno));
  if (rc == EAS_EFORMAT || (rc == 0 && u.left != 0)) {
    char name[EAS_OBJECT_NAME];
    eas_store_name(d, name);
    rc = eas_fail(err, EAS_EFORMAT, "store '%s': object %s is damaged: no whole zstd stream", s->root, name + 3);
    eas_hint(err, "eas fsck --verify");
  }
  ZSTD_freeDStream(z);
  free(in);
  free(u.out);
  close(fd);
  return rc;
}
