/* text.c: values as Python's str() writes them; real numbers with the fewest digits that read back. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "expr/ex.h"

enum { DIGITS = 17, NESTED = 64 };

/* Next decimal after "d.ddde±xx". The result may be no neighbour after a carry out of the first
 * digit; the caller reads it back anyway. */
static void count_up(char *text)
{
  for (char *p = strchr(text, 'e') - 1; p >= text; p--) {
    if (*p < '0' || *p > '9') continue;
    if (*p != '9') {
      ++*p;
      return;
    }
    *p = '0';
  }
}

/* Shortest "d.ddde±xx" of |r| that reads back as r. */
static void shortest(double r, char out[32])
{
  int digits = fabs(r) < 0x1p-1022 ? 1 : 15; /* 15 digits always survive, but for subnormal numbers */
  for (; digits < DIGITS; digits++) {
    int exponent;
    snprintf(out, 32, "%.*e", digits - 1, r);
    if (strtod(out, NULL) == r) return;
    if (digits == 16 && frexp(r, &exponent) == 0.5) { /* below a power of two, gaps are half as wide */
      count_up(out);
      if (strtod(out, NULL) == r) return;
    }
  }
  snprintf(out, 32, "%.*e", DIGITS - 1, r);
}

/* Digits without point and trailing zeros, and the place of the point: 0.d1d2... x 10^point. */
static int split(const char *text, char digits[32], int *point)
{
  int n = 0;
  const char *e = strchr(text, 'e');
  for (const char *p = text; p < e; p++)
    if (*p != '.') digits[n++] = *p;
  while (n > 1 && digits[n - 1] == '0') n--;
  *point = atoi(e + 1) + 1;
  return n;
}

void eas_ex_put_real(eas_buf *b, double r)
{
  char text[32], digits[32];
  int point, n;
  if (!isfinite(r)) {
    eas_buf_str(b, isnan(r) ? "nan" : r < 0 ? "-inf" : "inf");
    return;
  }
  if (signbit(r)) eas_buf_char(b, '-');
  r = fabs(r);
  if (r < 1e15 && r == floor(r)) {
    eas_buf_printf(b, "%" PRId64 ".0", (int64_t)r);
    return;
  }
  shortest(r, text);
  n = split(text, digits, &point);
  if (point > 16 || point < -3) {
    eas_buf_char(b, digits[0]);
    if (n > 1) eas_buf_char(b, '.');
    eas_buf_add(b, digits + 1, (size_t)n - 1);
    eas_buf_printf(b, "e%c%02d", point > 0 ? '+' : '-', abs(point - 1));
    return;
  }
  if (point <= 0) eas_buf_str(b, "0.");
  for (int i = point; i < 0; i++) eas_buf_char(b, '0');
  for (int i = 0; i < n || i < point; i++) {
    if (i == point && point > 0) eas_buf_char(b, '.');
    eas_buf_char(b, i < n ? digits[i] : '0');
  }
  if (n <= point) eas_buf_str(b, ".0");
}

/* Text in quotes, as inside of a list. */
static void put_quoted(const char *s, size_t n, eas_buf *b)
{
  char quote = memchr(s, '\'', n) && !memchr(s, '"', n) ? '"' : '\'';
  eas_buf_char(b, quote);
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)s[i];
    if (c == (unsigned char)quote || c == '\\')
      eas_buf_printf(b, "\\%c", c);
    else if (c == '\n' || c == '\r' || c == '\t')
      eas_buf_str(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else if (c < ' ' || c == 127)
      eas_buf_printf(b, "\\x%02x", c);
    else
      eas_buf_char(b, (char)c);
  }
  eas_buf_char(b, quote);
}

/* What has no parts; 0 if v has some. */
static int put_single(const eas_ex_value *v, eas_buf *b, int quoted)
{
  switch (v->type) {
  case EX_NONE: eas_buf_str(b, "None"); return 1;
  case EX_BOOL: eas_buf_str(b, v->u.i ? "True" : "False"); return 1;
  case EX_INT: {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRId64, v->u.i);
    eas_buf_add(b, digits, (size_t)n);
    return 1;
  }
  case EX_REAL: eas_ex_put_real(b, v->u.r); return 1;
  case EX_STR:
    if (quoted)
      put_quoted(v->u.s, v->n, b);
    else
      eas_buf_add(b, v->u.s, v->n);
    return 1;
  default: return 0;
  }
}

int eas_ex_put(eas_ex *x, const eas_ex_value *v, eas_buf *b, int quoted, int depth)
{
  if (put_single(v, b, quoted)) return 0;
  if (depth > NESTED) return eas_ex_fail(x, EAS_ELIMIT, 0, x->size, "a list is nested deeper than %d", NESTED);
  if (v->type == EX_DICT) {
    eas_ex_put_json(v->u.dict, 0, b, 1, depth);
    return 0;
  }
  int rc = eas_ex_step(x, v->n);
  eas_buf_char(b, v->type == EX_LIST ? '[' : '(');
  for (size_t i = 0; i < v->n && rc == 0; i++) {
    if (i) eas_buf_str(b, ", ");
    rc = eas_ex_put(x, &v->u.item[i], b, 1, depth + 1);
    if (b->len > EX_MAX_TEXT) break;
  }
  eas_buf_str(b, v->type == EX_LIST ? "]" : v->n == 1 ? ",)" : ")");
  return rc;
}

static void put_object(const json_t *v, int prototype, eas_buf *b, int depth)
{
  const char *key;
  json_t *item;
  int first = 1;
  eas_buf_char(b, '{');
  json_object_foreach((json_t *)v, key, item)
  {
    if (b->len > EX_MAX_TEXT) break;
    if (!first) eas_buf_str(b, ", ");
    first = 0;
    put_quoted(key, strlen(key), b);
    eas_buf_str(b, ": ");
    eas_ex_put_json(item, prototype, b, 1, depth + 1);
  }
  eas_buf_char(b, '}');
}

void eas_ex_put_json(const json_t *v, int prototype, eas_buf *b, int quoted, int depth)
{
  if (depth > NESTED) {
    eas_buf_str(b, "...");
    return;
  }
  switch (json_typeof(v)) {
  case JSON_TRUE: eas_buf_str(b, "True"); break;
  case JSON_FALSE: eas_buf_str(b, "False"); break;
  case JSON_INTEGER:
    if (prototype)
      eas_ex_put_real(b, (double)json_integer_value(v));
    else
      eas_buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    break;
  case JSON_REAL: eas_ex_put_real(b, json_real_value(v)); break;
  case JSON_STRING:
    if (quoted)
      put_quoted(json_string_value(v), json_string_length(v), b);
    else
      eas_buf_add(b, json_string_value(v), json_string_length(v));
    break;
  case JSON_OBJECT: put_object(v, prototype, b, depth); break;
  case JSON_ARRAY:
    eas_buf_char(b, '[');
    for (size_t i = 0; i < json_array_size(v) && b->len <= EX_MAX_TEXT; i++) {
      if (i) eas_buf_str(b, ", ");
      eas_ex_put_json(json_array_get(v, i), prototype, b, 1, depth + 1);
    }
    eas_buf_char(b, ']');
    break;
  case JSON_NULL:
  default: eas_buf_str(b, "None"); break;
  }
}
