/* lc_text_write.c: the prototype's text: time [s], flux, flag, uncertainty, each %.18e. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/path.h"
#include "lightcurve/lc_private.h"
#include "lightcurve/lc_text.h"

enum { OUT_SIZE = 64 << 10 };

typedef struct {
  int fd;
  int gzip;
  int failed; /* errno, or -1: zlib */
  z_stream z;
  unsigned char out[OUT_SIZE];
} sink;

static void sink_put(sink *s, const void *data, size_t n)
{
  int rc = s->failed ? 0 : eas_write_all(s->fd, data, n);
  if (rc < 0) s->failed = -rc;
}

static void sink_deflate(sink *s, const char *data, size_t n, int flush)
{
  s->z.next_in = (Bytef *)(uintptr_t)data;
  s->z.avail_in = (uInt)n;
  do {
    s->z.next_out = s->out;
    s->z.avail_out = OUT_SIZE;
    if (deflate(&s->z, flush) == Z_STREAM_ERROR) s->failed = -1;
    sink_put(s, s->out, OUT_SIZE - s->z.avail_out);
  } while (s->z.avail_out == 0 && !s->failed);
}

static void sink_text(sink *s, const char *data, size_t n, int last)
{
  if (s->gzip)
    sink_deflate(s, data, n, last ? Z_FINISH : Z_NO_FLUSH);
  else
    sink_put(s, data, n);
}

/* Time in seconds to 64 bits: the reader's one rounding then gives the same day back. */
static int format_row(char *out, size_t cap, const eas_lc_columns *c, size_t i)
{
  int n = snprintf(out, cap, "%.18Le %.18e ", (long double)c->time[i] * 86400, c->flux[i]);
  if (c->flag[i] == 0)
    n += snprintf(out + n, cap - (size_t)n, "0.000000000000000000e+00 ");
  else
    n += snprintf(out + n, cap - (size_t)n, "%.18e ", (double)c->flag[i]);
  if (isnan(c->flux_err[i]))
    n += snprintf(out + n, cap - (size_t)n, "nan\n");
  else
    n += snprintf(out + n, cap - (size_t)n, "%.18e\n", c->flux_err[i]);
  return n;
}

static void write_all(sink *s, const eas_lc_columns *c)
{
  enum { BATCH = 32 << 10, ROW = 160 };
  char *text = eas_alloc(BATCH + ROW);
  size_t n = (size_t)snprintf(text, BATCH, "%s\n", EAS_TEXT_MARK);
  for (size_t i = 0; i < c->n && !s->failed; i++) {
    n += (size_t)format_row(text + n, ROW, c, i);
    if (n >= BATCH) {
      sink_text(s, text, n, 0);
      n = 0;
    }
  }
  sink_text(s, text, n, 1);
  free(text);
}

int eas_lc_write_text(const eas_lc *lc, const char *path, int gzip, eas_err *err)
{
  char why[128];
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return eas_fail(err, eas_io_code(errno), "write '%s': %s", path, eas_why(errno, why, sizeof why));
  sink *s = eas_alloc(sizeof *s);
  s->fd = fd;
  s->gzip = gzip;
  /* no name and no time in the gzip header: equal light curves give equal bytes */
  if (gzip && deflateInit2(&s->z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    s->failed = ENOMEM;
  else
    write_all(s, &lc->c);
  if (gzip) deflateEnd(&s->z);
  if (close(fd) != 0 && !s->failed) s->failed = errno;
  int failed = s->failed;
  free(s);
  if (!failed) return 0;
  unlink(path);
  return eas_fail(err, eas_io_code(failed), "write '%s': %s", path,
                  failed < 0 ? "gzip fails" : eas_why(failed, why, sizeof why));
}
