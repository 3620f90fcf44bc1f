/* lc_bytes.h: bytes of a file or of memory, gunzipped when they are gzip. Private to lightcurve/. */
#ifndef EAS_LIGHTCURVE_LC_BYTES_H
#define EAS_LIGHTCURVE_LC_BYTES_H
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"

typedef struct eas_bytes eas_bytes;

/* Opens a regular file or a pipe; a folder, a device or nothing at all is an error that says so. */
int eas_bytes_open(eas_bytes **out, const char *path, eas_err *err);
/* Over borrowed memory; name stands in errors. */
eas_bytes *eas_bytes_over(const void *data, size_t n, const char *name);
void eas_bytes_close(eas_bytes *b);

const char *eas_bytes_name(const eas_bytes *b);
/* About how many bytes the contents have: a guess for making room, 0 if nothing is known. */
size_t eas_bytes_size(const eas_bytes *b);
int eas_bytes_is_gzip(const eas_bytes *b);
/* The first n <= 4096 bytes of the contents (gunzipped), without consuming them; fewer at the end. */
int eas_bytes_peek(eas_bytes *b, const char **data, size_t *n, eas_err *err);
/* Next up to cap bytes: count, 0 at the end, or an EAS_E code (EAS_EFORMAT: gzip damaged or cut). */
ptrdiff_t eas_bytes_read(eas_bytes *b, void *data, size_t cap, eas_err *err);
/* All that is left, at most limit bytes (else EAS_ELIMIT). */
int eas_bytes_rest(eas_bytes *b, size_t limit, eas_buf *out, eas_err *err);

#endif
