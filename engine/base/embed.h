/* embed.h: files built into the binary (migrations, schemas). Ends with a NULL name. */
#ifndef EAS_BASE_EMBED_H
#define EAS_BASE_EMBED_H
#ifndef EAS_CDEF
#include <stddef.h>
#endif
typedef struct {
  const char *name;
  const char *text; /* zero-terminated */
  size_t size;      /* without the zero */
} eas_embedded;
#endif
