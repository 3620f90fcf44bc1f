/* arena.c: memory, bounds and errors of one evaluation. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "expr/ex.h"

enum { CHUNK = 16 * 1024, ALIGN = 8, SHOWN = 8 };

struct eas_ex_chunk {
  eas_ex_chunk *next;
  double bytes[]; /* aligned for any value */
};

void eas_ex_init(eas_ex *x, const char *text, size_t size, eas_expr_scope *scope, eas_expr_info *info, eas_err *err)
{
  x->text = text;
  x->size = size;
  x->scope = scope;
  x->info = info;
  x->own_info = 0;
  x->err = err;
  x->depth = 0;
  x->steps = 0;
  x->chunks = NULL;
  x->arena = 0;
  x->used = 0;
  x->room = sizeof x->first.bytes;
  x->at = x->first.bytes;
}

void eas_ex_done(eas_ex *x)
{
  while (x->chunks) {
    eas_ex_chunk *next = x->chunks->next;
    free(x->chunks);
    x->chunks = next;
  }
}

void *eas_ex_alloc(eas_ex *x, size_t size)
{
  size = (size + ALIGN - 1) / ALIGN * ALIGN;
  if (size > EX_MAX_ARENA - x->arena) {
    eas_ex_fail(x, EAS_ELIMIT, 0, 1, "it needs more than %d MB of memory", EX_MAX_ARENA / 1024 / 1024);
    return NULL;
  }
  if (size > x->room - x->used) {
    size_t room = size > CHUNK ? size : CHUNK;
    eas_ex_chunk *chunk = eas_alloc(sizeof *chunk + room);
    chunk->next = x->chunks;
    x->chunks = chunk;
    x->at = (char *)chunk->bytes;
    x->room = room;
    x->used = 0;
  }
  void *p = x->at + x->used;
  x->used += size;
  x->arena += size;
  return p;
}

int eas_ex_step(eas_ex *x, size_t n)
{
  if (n > (size_t)(EX_MAX_STEPS - x->steps))
    return eas_ex_fail(x, EAS_ELIMIT, 0, 1, "it takes more than %d steps", EX_MAX_STEPS);
  x->steps += (int)n;
  return 0;
}

static int fail(eas_ex *x, int code, size_t at, size_t len, const char *format, va_list ap)
{
  char why[512];
  vsnprintf(why, sizeof why, format, ap);
  if (len > x->size - at) len = x->size - at;
  x->info->column = (int)at + 1;
  x->info->length = len ? (int)len : 1;
  if (x->own_info) return eas_fail(x->err, code, "expression, column %d: %s", x->info->column, why);
  return eas_fail(x->err, code, "expression: %s", why);
}

int eas_ex_fail(eas_ex *x, int code, size_t at, size_t len, const char *format, ...)
{
  va_list ap;
  va_start(ap, format);
  int rc = fail(x, code, at < x->size ? at : x->size, len, format, ap);
  va_end(ap);
  return rc;
}

int eas_ex_fail_at(eas_ex *x, int code, const eas_ex_node *nd, const char *format, ...)
{
  va_list ap;
  va_start(ap, format);
  int rc = fail(x, code, nd->op_at ? nd->op_at : nd->at, nd->op_at ? 1 : nd->len, format, ap);
  va_end(ap);
  return rc;
}

int eas_ex_string(eas_ex *x, eas_buf *b, eas_ex_value *out)
{
  int rc = 0;
  if (b->len > EX_MAX_TEXT) {
    rc = eas_ex_fail(x, EAS_ELIMIT, 0, x->size, "it makes a text of more than %d KB", EX_MAX_TEXT / 1024);
  } else {
    char *s = eas_ex_alloc(x, b->len + 1);
    if (!s) {
      rc = EAS_ELIMIT;
    } else {
      if (b->len) memcpy(s, b->data, b->len);
      *out = (eas_ex_value){ .type = EX_STR, .n = b->len, .u.s = s };
    }
  }
  eas_buf_done(b);
  return rc;
}

void eas_ex_hint_names(eas_ex *x, const char *word, size_t len, const char *const *names, size_t n, const char *lead)
{
  char copy[128];
  snprintf(copy, sizeof copy, "%.*s", len < 100 ? (int)len : 100, word);
  const char *near = n > SHOWN ? eas_nearest(copy, names, n) : NULL;
  if (near) {
    eas_hint(x->err, "use %s; %s %zu names", near, lead, n);
    return;
  }
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_printf(&b, "%s ", lead);
  for (size_t i = 0; i < n && i < SHOWN; i++) eas_buf_printf(&b, "%s%.60s", i ? ", " : "", names[i]);
  if (n > SHOWN) eas_buf_printf(&b, " and %zu more", n - SHOWN);
  if (n == 0) eas_buf_str(&b, "no name");
  eas_hint(x->err, "%s", b.data);
  eas_buf_done(&b);
}
