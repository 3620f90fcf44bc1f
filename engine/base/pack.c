/* pack.c: see pack.h. */
#include "base/pack.h"
#include <string.h>

static void put_size(eas_buf *b, size_t n)
{
  uint32_t size = (uint32_t)n;
  eas_buf_add(b, &size, sizeof size);
}

static void put_text(eas_buf *b, const char *s, size_t n)
{
  put_size(b, n);
  eas_buf_add(b, s, n);
}

eas_pack eas_pack_begin(eas_buf *b, char kind)
{
  eas_buf_char(b, kind);
  eas_pack p = { b, b->len, 0 };
  put_size(b, 0);
  return p;
}

void eas_pack_end(const eas_pack *p)
{
  memcpy(p->b->data + p->place, &p->n, sizeof p->n);
}

static void put_key(eas_pack *p, const char *key)
{
  p->n++;
  if (key) put_text(p->b, key, strlen(key));
}

eas_pack eas_pack_inside(eas_pack *p, const char *key, char kind)
{
  put_key(p, key);
  return eas_pack_begin(p->b, kind);
}

static void put_string(eas_buf *b, const char *s, size_t n)
{
  eas_buf_char(b, EAS_PACK_STRING);
  put_text(b, s, n);
}

static void put_number(eas_buf *b, char kind, const void *x)
{
  eas_buf_char(b, kind);
  eas_buf_add(b, x, 8);
}

void eas_pack_str(eas_pack *p, const char *key, const char *s)
{
  put_key(p, key);
  if (s)
    put_string(p->b, s, strlen(s));
  else
    eas_buf_char(p->b, EAS_PACK_NULL);
}

void eas_pack_int(eas_pack *p, const char *key, int64_t x)
{
  put_key(p, key);
  put_number(p->b, EAS_PACK_INT, &x);
}

void eas_pack_real(eas_pack *p, const char *key, double x)
{
  put_key(p, key);
  put_number(p->b, EAS_PACK_REAL, &x);
}

static void put_object(eas_buf *b, const json_t *v)
{
  eas_pack p = eas_pack_begin(b, EAS_PACK_OBJECT);
  const char *key;
  json_t *item;
  json_object_foreach((json_t *)(uintptr_t)v, key, item) eas_pack_json(&p, key, item); /* it changes nothing */
  eas_pack_end(&p);
}

static void put_list(eas_buf *b, const json_t *v)
{
  eas_pack p = eas_pack_begin(b, EAS_PACK_LIST);
  for (size_t i = 0; i < json_array_size(v); i++) eas_pack_json(&p, NULL, json_array_get(v, i));
  eas_pack_end(&p);
}

void eas_pack_value(eas_buf *b, const json_t *v)
{
  int64_t whole = json_integer_value(v);
  double real = json_real_value(v);
  switch (v ? json_typeof(v) : JSON_NULL) {
  case JSON_OBJECT: put_object(b, v); break;
  case JSON_ARRAY: put_list(b, v); break;
  case JSON_STRING: put_string(b, json_string_value(v), json_string_length(v)); break;
  case JSON_INTEGER: put_number(b, EAS_PACK_INT, &whole); break;
  case JSON_REAL: put_number(b, EAS_PACK_REAL, &real); break;
  case JSON_TRUE: eas_buf_char(b, EAS_PACK_TRUE); break;
  case JSON_FALSE: eas_buf_char(b, EAS_PACK_FALSE); break;
  case JSON_NULL: eas_buf_char(b, EAS_PACK_NULL); break;
  }
}

void eas_pack_json(eas_pack *p, const char *key, const json_t *v)
{
  put_key(p, key);
  eas_pack_value(p->b, v);
}
