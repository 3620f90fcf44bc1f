/* buf.h: a growing byte buffer, always zero-terminated; and one arena-free string helper.
 *
 * Out of memory ends the process with a message: what grows here is bounded by callers. */
#ifndef EAS_BASE_BUF_H
#define EAS_BASE_BUF_H
#ifndef EAS_CDEF
#include <stdarg.h>
#include <stddef.h>
#endif

typedef struct {
  char *data; /* NULL until the first byte */
  size_t len;
  size_t cap;
} eas_buf;

void eas_buf_init(eas_buf *b);                             /* empty; holds no memory yet */
void eas_buf_done(eas_buf *b);                             /* frees what it holds; b is empty after */
void eas_buf_clear(eas_buf *b);                            /* length 0; the memory stays */
void eas_buf_reserve(eas_buf *b, size_t more);             /* room for so many bytes more */
void eas_buf_add(eas_buf *b, const void *bytes, size_t n); /* appends n bytes, which may be any */
void eas_buf_str(eas_buf *b, const char *s);               /* appends a text */
void eas_buf_char(eas_buf *b, char c);                     /* appends one byte */
void eas_buf_printf(eas_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3))); /* appends */
void eas_buf_vprintf(eas_buf *b, const char *format, va_list ap);                               /* as eas_buf_printf */
char *eas_buf_take(eas_buf *b); /* the caller frees it; never NULL; b is empty after */

/* Heap helpers that end the process when memory is out. */
void *eas_alloc(size_t size); /* zeroed */
void *eas_realloc(void *p, size_t size);
char *eas_strdup(const char *s); /* NULL gives NULL */
char *eas_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
