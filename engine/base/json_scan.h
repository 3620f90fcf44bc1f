/* json_scan.h: tokens of a JSON text with their places; private to base/json*.c. */
#ifndef EAS_BASE_JSON_SCAN_H
#define EAS_BASE_JSON_SCAN_H
#include <stddef.h>
#include "base/buf.h"

typedef struct {
  const char *text;
  size_t len, at;
} eas_scan;

typedef struct {
  char kind;         /* { } [ ] : ,  s string, n number, w true false null; 0 end; ? none of these */
  size_t start, end; /* bytes [start, end) of the text */
  const char *why;   /* of kind ?: what is wrong, NULL: just not a token */
} eas_token;

eas_token eas_scan_next(eas_scan *s);
void eas_scan_line(const char *text, size_t at, int *line, int *column);

/* First fault of grammar: 1 with its place and message, 0 if there is none. */
int eas_scan_fault(const char *text, size_t len, size_t *at, eas_buf *message);
/* Start of the last token that ends at or before `end`. */
size_t eas_scan_before(const char *text, size_t len, size_t end);

/* Takes one step off a path ("$" is already off): 1 with *key set (caller frees) or *index, 0 at the
 * end, EAS_EFORMAT if it is no path. */
int eas_path_step(const char **path, char **key, size_t *index);

#endif
