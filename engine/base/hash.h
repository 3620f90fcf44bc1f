/* hash.h: SHA-256 (libcrypto) of bytes and files; a cheap 64-bit mixer; random bytes. */
#ifndef EAS_BASE_HASH_H
#define EAS_BASE_HASH_H
#ifndef EAS_CDEF
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#endif

typedef struct {
  uint8_t b[32];
} eas_digest;
typedef struct eas_hasher eas_hasher;

eas_hasher *eas_hasher_new(void);                               /* of SHA-256; eas_hasher_end frees it */
void eas_hasher_add(eas_hasher *h, const void *data, size_t n); /* n bytes more */
/* Adds the length first, so that ("ab","c") and ("a","bc") differ. NULL counts as its own value. */
void eas_hasher_add_str(eas_hasher *h, const char *s);
void eas_hasher_end(eas_hasher *h, eas_digest *out); /* frees h */

void eas_hash(const void *data, size_t n, eas_digest *out);            /* of n bytes in memory */
int eas_hash_fd(int fd, eas_digest *out, int64_t *size, eas_err *err); /* from the current offset to the end */
int eas_hash_file(const char *path, eas_digest *out, int64_t *size, eas_err *err); /* 0 or EAS_EIO */

void eas_digest_hex(const eas_digest *d, char out[65]);         /* 64 digits and a zero */
int eas_digest_parse(const char *hex, eas_digest *out);         /* 0, or EAS_EFORMAT */
int eas_digest_equal(const eas_digest *a, const eas_digest *b); /* 1 or 0 */

/* SplitMix64 finaliser over (a, b): seeds of tasks derive from their parents' with it. */
uint64_t eas_mix64(uint64_t a, uint64_t b);
void eas_random_bytes(void *out, size_t n);

#endif
