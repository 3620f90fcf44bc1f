/* hash.c: SHA-256 by libcrypto, the mixer, random bytes.
 *
 * By the plain functions: the EVP ones bring in every algorithm and its tables, and every attempt is a copy of a process
 * that has them in its memory. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"

struct eas_hasher {
  SHA256_CTX ctx;
};

/* libcrypto fails here only when it is broken: nothing to go on with. */
static void must(int ok)
{
  if (ok) return;
  fputs("eas: libcrypto: SHA-256 is not available\n", stderr);
  abort();
}

eas_hasher *eas_hasher_new(void)
{
  eas_hasher *h = eas_alloc(sizeof *h);
  must(SHA256_Init(&h->ctx));
  return h;
}

void eas_hasher_add(eas_hasher *h, const void *data, size_t n)
{
  must(SHA256_Update(&h->ctx, data, n));
}

void eas_hasher_add_str(eas_hasher *h, const char *s)
{
  uint8_t head[8];
  uint64_t n = s ? (uint64_t)strlen(s) : UINT64_MAX; /* no string is that long: NULL's own value */
  for (int i = 0; i < 8; i++) head[i] = (uint8_t)(n >> (8 * i));
  eas_hasher_add(h, head, sizeof head);
  if (s) eas_hasher_add(h, s, (size_t)n);
}

void eas_hasher_end(eas_hasher *h, eas_digest *out)
{
  must(SHA256_Final(out->b, &h->ctx));
  free(h);
}

void eas_hash(const void *data, size_t n, eas_digest *out)
{
  eas_hasher *h = eas_hasher_new();
  eas_hasher_add(h, data, n);
  eas_hasher_end(h, out);
}

static int hash_fd(int fd, const char *name, eas_digest *out, int64_t *size, eas_err *err)
{
  enum { CHUNK = 1 << 18 };
  eas_hasher *h = eas_hasher_new();
  char *chunk = eas_alloc(CHUNK);
  eas_digest digest;
  int64_t total = 0;
  ssize_t n;
  while ((n = read(fd, chunk, CHUNK)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    eas_hasher_add(h, chunk, (size_t)n);
    total += n;
  }
  int why = errno;
  eas_hasher_end(h, &digest);
  free(chunk);
  if (n < 0) return eas_fail(err, EAS_EIO, "read '%s': %s", name, strerror(why));
  *out = digest;
  if (size) *size = total;
  return 0;
}

int eas_hash_fd(int fd, eas_digest *out, int64_t *size, eas_err *err)
{
  char name[32];
  snprintf(name, sizeof name, "descriptor %d", fd);
  return hash_fd(fd, name, out, size, err);
}

int eas_hash_file(const char *path, eas_digest *out, int64_t *size, eas_err *err)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return eas_fail(err, EAS_EIO, "open '%s': %s", path, strerror(errno));
  int rc = hash_fd(fd, path, out, size, err);
  close(fd);
  return rc;
}

void eas_digest_hex(const eas_digest *d, char out[65])
{
  static const char hex[] = "0123456789abcdef";
  for (int i = 0; i < 32; i++) {
    out[2 * i] = hex[d->b[i] >> 4];
    out[2 * i + 1] = hex[d->b[i] & 15];
  }
  out[64] = 0;
}

static int nibble(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1; /* capitals too: one digest has one spelling */
}

int eas_digest_parse(const char *hex, eas_digest *out)
{
  eas_digest d;
  for (int i = 0; i < 32; i++) {
    int high = nibble(hex[2 * i]);
    int low = high < 0 ? -1 : nibble(hex[2 * i + 1]);
    if (low < 0) return EAS_EFORMAT;
    d.b[i] = (uint8_t)(high << 4 | low);
  }
  if (hex[64]) return EAS_EFORMAT;
  *out = d;
  return 0;
}

int eas_digest_equal(const eas_digest *a, const eas_digest *b)
{
  return memcmp(a->b, b->b, sizeof a->b) == 0;
}

uint64_t eas_mix64(uint64_t a, uint64_t b)
{
  uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void eas_random_bytes(void *out, size_t n)
{
  char *p = out;
  while (n > 0) {
    ssize_t got = getrandom(p, n, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fprintf(stderr, "eas: getrandom: %s\n", strerror(errno));
      abort();
    }
    p += got;
    n -= (size_t)got;
  }
}
