/* json.h: small things beside jansson: strict reading with line and column, canonical text, places. */
#ifndef EAS_BASE_JSON_H
#define EAS_BASE_JSON_H
#ifndef EAS_CDEF
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#else
typedef struct json_t json_t;
#endif

/* Parses text (duplicate keys refused, ints up to 2^63, reals). On failure err reads
 * "NAME:LINE:COL: WHY" and, for an unclosed bracket, where it was opened. */
json_t *eas_json_parse(const char *text, size_t len, const char *name, eas_err *err);
json_t *eas_json_load(const char *path, eas_err *err);

/* Sorted keys, no blanks, shortest round-trip reals: equal values give equal text. Caller frees. */
char *eas_json_canonical(const json_t *v);

/* Line and column (1-based, columns in bytes) of the value at a path such as
 * "$.task_list[0].inputs.lightcurve" in a text that parsed; key != 0: of its key.
 * Returns 0, or EAS_ENOENT. */
int eas_json_where(const char *text, size_t len, const char *path, int key, int *line, int *column);
/* The value at such a path below root; borrowed, NULL if there is none. Keys that hold . [ ] are
 * written ["like this"]. */
json_t *eas_json_at(json_t *root, const char *path);

const char *eas_json_str(const json_t *object, const char *key);                /* NULL unless a string */
int64_t eas_json_int(const json_t *object, const char *key, int64_t otherwise); /* otherwise: no integer */

/* Nearest of n names by edit distance <= 2 (and less than the length); NULL if none. */
const char *eas_nearest(const char *word, const char *const *names, size_t n);

#endif
