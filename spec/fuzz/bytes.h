/* bytes.h: numbers from the bytes that a fuzzer gives, for targets that test kernels. */
#ifndef EAS_FUZZ_BYTES_H
#define EAS_FUZZ_BYTES_H
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *data;
  size_t size;
} bytes;

static inline unsigned bytes_one(bytes *b)
{
  if (b->size == 0) return 0;
  b->size--;
  return *b->data++;
}

/* Mostly small and round; now and then any bits at all. */
static inline double bytes_number(bytes *b)
{
  static const double odd[] = { 0, -0.0, 1e-300, 1e300, -1e300, NAN, INFINITY, -INFINITY };
  unsigned kind = bytes_one(b);
  if (kind >= 250) return odd[kind % 8];
  if (kind == 249 && b->size >= 8) {
    double x;
    memcpy(&x, b->data, 8);
    b->data += 8;
    b->size -= 8;
    return x;
  }
  return ((double)kind - 125) / 8 + (double)bytes_one(b) / 1024;
}

/* n doubles of exactly so much memory: a read beside it shows. rising: mostly greater than the one before. */
static inline double *bytes_numbers(bytes *b, size_t n, int rising)
{
  double *x = malloc(n ? n * sizeof *x : 1);
  if (x == NULL) abort();
  for (size_t i = 0; i < n; i++) {
    x[i] = bytes_number(b);
    if (rising && fabs(x[i]) < 100) x[i] = (i > 0 ? x[i - 1] : 0) + fabs(x[i]) / 64;
  }
  return x;
}

/* Scratch of exactly so many bytes, aligned and full of rubbish. */
static inline void *bytes_scratch(size_t size)
{
  void *p = NULL;
  if (posix_memalign(&p, 64, size ? size : 1) != 0) abort();
  memset(p, 0xA5, size);
  return p;
}

static inline void must(int ok)
{
  if (!ok) abort();
}

#endif
