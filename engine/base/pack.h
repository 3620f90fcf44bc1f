/* pack.h: values of JSON as bytes, for a process of the same build: nothing to parse, numbers as they are in memory.
 *
 * A value is one byte that says its kind, then: INT 8 bytes; REAL 8 bytes; STRING u32 length and the bytes; LIST u32 count
 * and the values; OBJECT u32 count and, each, a name (u32 length, bytes) and a value. */
#ifndef EAS_BASE_PACK_H
#define EAS_BASE_PACK_H
#include <jansson.h>
#include <stdint.h>
#include "base/buf.h"

enum {
  EAS_PACK_NULL = '0',
  EAS_PACK_TRUE = 'T',
  EAS_PACK_FALSE = 'F',
  EAS_PACK_INT = 'I',
  EAS_PACK_REAL = 'R',
  EAS_PACK_STRING = 'S',
  EAS_PACK_LIST = 'L',
  EAS_PACK_OBJECT = 'O'
};

/* A list or object being written; its count is filled in at the end. */
typedef struct {
  eas_buf *b;
  size_t place;
  uint32_t n;
} eas_pack;

eas_pack eas_pack_begin(eas_buf *b, char kind);                    /* EAS_PACK_LIST or _OBJECT; to be ended */
void eas_pack_end(const eas_pack *p);                              /* writes its count */
eas_pack eas_pack_inside(eas_pack *p, const char *key, char kind); /* key: NULL in a list */

/* Adds to p; key: NULL in a list. */
void eas_pack_str(eas_pack *p, const char *key, const char *s); /* NULL: null */
void eas_pack_int(eas_pack *p, const char *key, int64_t x);
void eas_pack_real(eas_pack *p, const char *key, double x);
void eas_pack_json(eas_pack *p, const char *key, const json_t *v);

/* The whole of one value, for tests and tools. */
void eas_pack_value(eas_buf *b, const json_t *v);

#endif
