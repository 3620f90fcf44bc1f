/* buf.c: the growing buffer and the heap helpers that end the process when memory is out. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t size)
{
  fprintf(stderr, "eas: out of memory (%zu bytes wanted)\n", size);
  abort();
}

void *eas_alloc(size_t size)
{
  void *p = calloc(1, size ? size : 1);
  if (!p) out_of_memory(size);
  return p;
}

void *eas_realloc(void *p, size_t size)
{
  void *q = realloc(p, size ? size : 1);
  if (!q) out_of_memory(size);
  return q;
}

char *eas_strdup(const char *s)
{
  if (!s) return NULL;
  size_t n = strlen(s) + 1;
  char *copy = eas_alloc(n);
  memcpy(copy, s, n);
  return copy;
}

char *eas_format(const char *format, ...)
{
  eas_buf b;
  eas_buf_init(&b);
  va_list ap;
  va_start(ap, format);
  eas_buf_vprintf(&b, format, ap);
  va_end(ap);
  return eas_buf_take(&b);
}

void eas_buf_init(eas_buf *b)
{
  *b = (eas_buf){ 0 };
}

void eas_buf_done(eas_buf *b)
{
  free(b->data);
  *b = (eas_buf){ 0 };
}

void eas_buf_clear(eas_buf *b)
{
  b->len = 0;
  if (b->data) b->data[0] = 0;
}

void eas_buf_reserve(eas_buf *b, size_t more)
{
  if (more >= SIZE_MAX / 2 - b->len) out_of_memory(more);
  size_t need = b->len + more + 1;
  if (need <= b->cap) return;
  size_t cap = b->cap ? b->cap : 64;
  while (cap < need) cap *= 2;
  b->data = eas_realloc(b->data, cap);
  b->cap = cap;
  b->data[b->len] = 0;
}

void eas_buf_add(eas_buf *b, const void *bytes, size_t n)
{
  eas_buf_reserve(b, n);
  if (n) memcpy(b->data + b->len, bytes, n);
  b->len += n;
  b->data[b->len] = 0;
}

void eas_buf_str(eas_buf *b, const char *s)
{
  eas_buf_add(b, s, strlen(s));
}

void eas_buf_char(eas_buf *b, char c)
{
  eas_buf_add(b, &c, 1);
}

void eas_buf_printf(eas_buf *b, const char *format, ...)
{
  va_list ap;
  va_start(ap, format);
  eas_buf_vprintf(b, format, ap);
  va_end(ap);
}

void eas_buf_vprintf(eas_buf *b, const char *format, va_list ap)
{
  va_list again;
  va_copy(again, ap);
  eas_buf_reserve(b, 64);
  size_t room = b->cap - b->len;
  int n = vsnprintf(b->data + b->len, room, format, ap);
  if (n < 0) { /* an encoding error: the text stays as it was */
    b->data[b->len] = 0;
    n = 0;
  } else if ((size_t)n >= room) {
    eas_buf_reserve(b, (size_t)n);
    vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
  }
  va_end(again);
  b->len += (size_t)n;
}

char *eas_buf_take(eas_buf *b)
{
  if (!b->data) eas_buf_reserve(b, 0);
  char *data = b->data;
  *b = (eas_buf){ 0 };
  return data;
}
