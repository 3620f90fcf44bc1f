/* spec.c: format specifications: [[fill]align][sign][#][0][width][,_][.precision][type]. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expr/ex.h"

enum { MAX_NUMBER = 1000 }; /* of a width, and of a precision */

static const char TOO_WIDE[] = "a width or precision is above 1000";

static int is_align(char c)
{
  return c == '<' || c == '>' || c == '^' || c == '=';
}

/* A number at s[*i], -1 if none; 1 too many when too large. */
static int read_number(const char *s, size_t n, size_t *i)
{
  int v = -1;
  for (; *i < n && s[*i] >= '0' && s[*i] <= '9'; ++*i) v = v > MAX_NUMBER ? v : (v < 0 ? 0 : v * 10) + (s[*i] - '0');
  return v;
}

const char *eas_ex_spec_parse(const char *s, size_t n, eas_ex_spec *out)
{
  size_t i = 0, fill = eas_ex_utf8_skip(s, n, 1);
  int fill_given = 0;
  *out = (eas_ex_spec){ .fill = " ", .fill_len = 1, .precision = -1 };
  if (fill && fill < n && fill <= sizeof out->fill && is_align(s[fill])) {
    memcpy(out->fill, s, fill);
    out->fill_len = fill;
    out->align = s[fill];
    fill_given = 1;
    i = fill + 1;
  } else if (n && is_align(s[0])) {
    out->align = s[0];
    i = 1;
  }
  if (i < n && strchr("+- ", s[i])) out->sign = s[i++];
  if (i < n && s[i] == '#') out->alternate = 1, i++;
  if (i < n && s[i] == '0') {
    i++;
    if (!fill_given) out->fill[0] = '0';
    if (!out->align) out->align = '0'; /* as '=', but for text, which has no sign, as '<' */
  }
  int width = read_number(s, n, &i);
  out->width = width < 0 ? 0 : width;
  if (i < n && (s[i] == ',' || s[i] == '_')) out->group = s[i++];
  if (i < n && s[i] == '.') {
    i++;
    out->precision = read_number(s, n, &i);
    if (out->precision < 0) return "a number must follow '.'";
  }
  if (i < n) out->type = s[i++];
  if (i < n) return "expected [align][sign][#][0][width][,][.precision][type]";
  if (out->width > MAX_NUMBER || out->precision > MAX_NUMBER) return TOO_WIDE;
  return NULL;
}

/* ---- padding */

static void put_fill(const eas_ex_spec *spec, size_t count, eas_buf *b)
{
  while (count--) eas_buf_add(b, spec->fill, spec->fill_len);
}

/* sign stands before the fill when align is '='; length counts characters. */
static void put_padded(const eas_ex_spec *spec, char align, const char *sign, const char *s, size_t n, size_t length,
                       eas_buf *b)
{
  size_t all = strlen(sign) + length, width = (size_t)spec->width;
  size_t pad = width > all ? width - all : 0;
  size_t left = align == '>' ? pad : align == '^' ? pad / 2 : 0;
  put_fill(spec, left, b);
  eas_buf_str(b, sign);
  if (align == '=') {
    put_fill(spec, pad, b);
    left = pad;
  }
  eas_buf_add(b, s, n);
  put_fill(spec, pad - left, b);
}

void eas_ex_spec_text(const eas_ex_spec *spec, const char *s, size_t n, eas_buf *b)
{
  if (spec->precision >= 0) n = eas_ex_utf8_skip(s, n, (size_t)spec->precision);
  char align = spec->align && spec->align != '0' ? spec->align : '<';
  put_padded(spec, align, "", s, n, eas_ex_utf8_length(s, n), b);
}

/* digits with a separator every `every` of them, before a point or exponent */
static void put_grouped(const char *digits, char separator, size_t every, eas_buf *b)
{
  size_t n = strspn(digits, "0123456789abcdefABCDEF");
  size_t decimal = strspn(digits, "0123456789");
  if (every == 3) n = decimal; /* "1e+20" */
  for (size_t i = 0; i < n; i++) {
    if (i && (n - i) % every == 0) eas_buf_char(b, separator);
    eas_buf_char(b, digits[i]);
  }
  eas_buf_str(b, digits + n);
}

void eas_ex_spec_number(const eas_ex_spec *spec, int negative, const char *prefix, const char *digits, eas_buf *b)
{
  char sign[8];
  snprintf(sign, sizeof sign, "%s%s", negative ? "-" : spec->sign == '+' ? "+" : spec->sign == ' ' ? " " : "", prefix);
  eas_buf grouped;
  eas_buf_init(&grouped);
  if (spec->group) {
    int hex = spec->type && strchr("boxX", spec->type);
    put_grouped(digits, spec->group, hex ? 4 : 3, &grouped);
    digits = grouped.data ? grouped.data : "";
  }
  char align = spec->align == '0' ? '=' : spec->align ? spec->align : '>';
  put_padded(spec, align, sign, digits, strlen(digits), strlen(digits), b);
  eas_buf_done(&grouped);
}

/* ---- values */

char *eas_ex_digits(uint64_t value, unsigned base, int upper, char out[68])
{
  const char *figures = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  char *p = out + 67;
  *p = 0;
  do *--p = figures[value % base];
  while (value /= base);
  return p;
}

static const char *put_whole(const eas_ex_value *v, const eas_ex_spec *spec, eas_buf *b)
{
  char space[68];
  int64_t i = v->u.i;
  unsigned base = spec->type == 'b' ? 2 : spec->type == 'o' ? 8 : spec->type == 'x' || spec->type == 'X' ? 16 : 10;
  if (spec->precision >= 0) return "a whole number takes no precision";
  if (spec->group == ',' && base != 10) return "',' goes with decimal numbers only";
  uint64_t size = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  char prefix[3] = { '0', spec->type, 0 };
  eas_ex_spec_number(spec, i < 0, spec->alternate && base != 10 ? prefix : "",
                     eas_ex_digits(size, base, spec->type == 'X', space), b);
  return NULL;
}

/* Without type but with precision: as g, but with a point, and an exponent one digit sooner. */
static void general(double r, int precision, char *out, size_t size)
{
  if (precision == 0) precision = 1;
  char text[1100];
  snprintf(text, sizeof text, "%.*e", precision - 1, r);
  int exponent = atoi(strchr(text, 'e') + 1);
  if (exponent >= precision - 1) {
    /* like g, which strips zeros only in its own exponent form */
    snprintf(out, size, "%.*g", precision, r);
    if (strchr(out, 'e')) return;
    char *e = strchr(text, 'e'), *last = e;
    while (memchr(text, '.', (size_t)(last - text)) && (last[-1] == '0' || last[-1] == '.')) last--;
    snprintf(out, size, "%.*s%s", (int)(last - text), text, e);
    return;
  }
  snprintf(out, size, "%.*g", precision, r);
  if (!strpbrk(out, "e.")) strcat(out, ".0");
}

static const char *put_real(double r, const eas_ex_spec *spec, eas_buf *b)
{
  char text[1600], pattern[16]; /* 309 digits before the point, 1000 after */
  char type = spec->type == '%' ? 'f' : spec->type == 'n' ? 'g' : spec->type;
  int negative = signbit(r) && !isnan(r), upper = type && strchr("EFG", type) != NULL;
  double size = spec->type == '%' ? fabs(r) * 100 : fabs(r);
  if (!isfinite(size)) {
    snprintf(text, sizeof text, "%s", isnan(size) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"));
  } else if (!type && spec->precision < 0) {
    eas_buf shortest;
    eas_buf_init(&shortest);
    eas_ex_put_real(&shortest, size);
    snprintf(text, sizeof text, "%s", shortest.data);
    eas_buf_done(&shortest);
  } else if (!type) {
    general(size, spec->precision, text, sizeof text - 4);
  } else {
    snprintf(pattern, sizeof pattern, "%%%s.*%c", spec->alternate ? "#" : "", type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, pattern, spec->precision < 0 ? 6 : spec->precision, size);
#pragma GCC diagnostic pop
  }
  if (spec->type == '%') strcat(text, "%");
  eas_ex_spec_number(spec, negative, "", text, b);
  return NULL;
}

static const char *put_character(const eas_ex_value *v, const eas_ex_spec *spec, eas_buf *b)
{
  if (v->u.i < 32 || v->u.i > 126) return "'c' takes the number of a printable ASCII character";
  char c = (char)v->u.i;
  if (spec->sign || spec->precision >= 0 || spec->group) return "'c' takes no sign, precision or separator";
  put_padded(spec, spec->align && spec->align != '0' ? spec->align : '>', "", &c, 1, 1, b);
  return NULL;
}

const char *eas_ex_spec_put(eas_ex *x, const eas_ex_value *v, const eas_ex_spec *spec, eas_buf *b)
{
  (void)x;
  char type = spec->type;
  if (spec->group && type == 'n') return "a separator does not go with the type n";
  if (spec->group && ((spec->align == '0' || (spec->align == '=' && spec->fill[0] == '0')) && spec->width))
    return "a separator does not go with a zero-padded width here";
  if (v->type == EX_STR) {
    if (type && type != 's') return "text takes the type s or none";
    if (spec->sign || spec->alternate || spec->group || spec->align == '=')
      return "text takes no sign, '#', '=' or separator";
    eas_ex_spec_text(spec, v->u.s, v->n, b);
    return NULL;
  }
  if (!eas_ex_is_number(v)) return "only text and numbers take a format";
  if (type && strchr("eEfFgG%", type)) return put_real(eas_ex_real(v), spec, b);
  if (eas_ex_is_whole(v)) {
    if (type == 'c') return put_character(v, spec, b);
    return type && !strchr("dnboxX", type) ? "a whole number takes one of the types d n b o x X c e E f F g G %"
                                           : put_whole(v, spec, b);
  }
  if (!type && spec->alternate) return "'#' needs a type after it";
  return type && type != 'n' ? "a real number takes one of the types e E f F g G % n" : put_real(v->u.r, spec, b);
}
