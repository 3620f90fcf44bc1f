/* lexer.c: tokens of an expression; numbers as Python writes and reads them. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "expr/ex.h"

static int is_name_start(char c)
{
  return isalpha((unsigned char)c) || c == '_';
}
static int is_name(char c)
{
  return isalnum((unsigned char)c) || c == '_';
}
static int is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* ---- numbers */

static int digit_value(char c)
{
  if (is_digit(c)) return c - '0';
  c = (char)tolower((unsigned char)c);
  return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Digits of a base with single underscores between them. -1: no number, -2: beyond 64 bits. */
static int read_digits(const char *s, size_t n, int base, uint64_t *out)
{
  uint64_t v = 0;
  int after_digit = 0, too_big = 0;
  for (size_t i = 0; i < n; i++) {
    if (s[i] == '_') {
      if (!after_digit) return -1;
      after_digit = 0;
      continue;
    }
    int d = digit_value(s[i]);
    if (d >= base) return -1;
    after_digit = 1;
    if (v > ((uint64_t)INT64_MAX + 1 - (uint64_t)d) / (uint64_t)base)
      too_big = 1;
    else
      v = v * (uint64_t)base + (uint64_t)d;
  }
  if (!after_digit) return -1;
  *out = v;
  return too_big ? -2 : 0;
}

static void trim(const char **s, size_t *n)
{
  while (*n && isspace((unsigned char)**s)) (*s)++, (*n)--;
  while (*n && isspace((unsigned char)(*s)[*n - 1])) (*n)--;
}

int eas_ex_read_int(const char *s, size_t n, int64_t *out)
{
  trim(&s, &n);
  int negative = n && *s == '-';
  if (n && (*s == '-' || *s == '+')) s++, n--;
  uint64_t v;
  if (read_digits(s, n, 10, &v) < 0 || (!negative && v > INT64_MAX)) return -1;
  *out = negative ? (int64_t)(0 - v) : (int64_t)v;
  return 0;
}

/* Length of a decimal number with an optional fraction and exponent at s; 0: none is there. */
static size_t scan_real(const char *s, size_t n, int *real)
{
  size_t i = 0, digits = 0;
  *real = 0;
  for (; i < n && (is_digit(s[i]) || (s[i] == '_' && i && is_digit(s[i - 1]) && i + 1 < n && is_digit(s[i + 1]))); i++)
    digits += s[i] != '_';
  if (i < n && s[i] == '.') {
    *real = 1;
    i++;
    size_t start = i;
    for (; i < n && (is_digit(s[i]) || (s[i] == '_' && i > start && i + 1 < n && is_digit(s[i + 1]))); i++)
      digits += s[i] != '_';
  }
  if (!digits) return 0;
  if (i < n && (s[i] == 'e' || s[i] == 'E')) {
    size_t k = i + 1;
    if (k < n && (s[k] == '+' || s[k] == '-')) k++;
    if (k < n && is_digit(s[k])) {
      *real = 1;
      for (i = k; i < n && is_digit(s[i]);) i++;
    }
  }
  return i;
}

/* strtod of n bytes that scan_real accepted. */
static double convert(const char *s, size_t n)
{
  char small[128];
  char *copy = n < sizeof small ? small : eas_alloc(n + 1);
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    if (s[i] != '_') copy[k++] = s[i];
  copy[k] = 0;
  double r = strtod(copy, NULL);
  if (copy != small) free(copy);
  return r;
}

static int equals(const char *s, size_t n, const char *word)
{
  return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

int eas_ex_read_real(const char *s, size_t n, double *out)
{
  trim(&s, &n);
  int negative = n && *s == '-';
  if (n && (*s == '-' || *s == '+')) s++, n--;
  int real;
  double r;
  if (equals(s, n, "inf") || equals(s, n, "infinity"))
    r = INFINITY;
  else if (equals(s, n, "nan"))
    r = NAN;
  else if (n && scan_real(s, n, &real) == n)
    r = convert(s, n);
  else
    return -1;
  *out = negative ? -r : r;
  return 0;
}

static int lex_number(eas_ex *x, size_t at, eas_ex_token *t)
{
  const char *s = x->text + at;
  size_t left = x->size - at, n = 0;
  int base = 10, real = 0, rc;
  uint64_t v = 0;
  if (left > 1 && s[0] == '0' && isalpha((unsigned char)s[1])) {
    char c = (char)tolower((unsigned char)s[1]);
    base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
  }
  if (base != 10) {
    for (n = 2; n < left && is_name(s[n]);) n++;
    size_t skip = n > 2 && s[2] == '_' ? 3 : 2; /* Python allows 0x_ff */
    rc = read_digits(s + skip, n - skip, base, &v);
  } else {
    n = scan_real(s, left, &real);
    rc = real ? 0 : read_digits(s, n, 10, &v);
  }
  t->len = n;
  if (rc == -1 || (n < left && is_name(s[n]))) {
    while (n < left && is_name(s[n])) n++;
    return eas_ex_fail(x, EAS_EFORMAT, at, n, "'%.*s' is no number", n > 40 ? 40 : (int)n, s);
  }
  if (rc == -2 || (!real && v > INT64_MAX)) {
    eas_ex_fail(x, EAS_ELIMIT, at, n, "the whole number %.*s is beyond 64 bits", n > 40 ? 40 : (int)n, s);
    return eas_hint(x->err, "write it as a real: with a point or an exponent");
  }
  if (!real && base == 10 && n > 1 && s[0] == '0' && v) {
    eas_ex_fail(x, EAS_EFORMAT, at, n, "a whole number does not start with 0");
    return eas_hint(x->err, "write %llu", (unsigned long long)v);
  }
  t->kind = real ? TK_REAL : TK_INT;
  t->value = real ? eas_ex_float(convert(s, n)) : eas_ex_int((int64_t)v);
  return 0;
}

/* ---- strings */

static size_t put_utf8(char *out, uint32_t c)
{
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xC0 | (c >> 6));
    out[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xE0 | (c >> 12));
    out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | (c >> 18));
  out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
  out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
  out[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}

/* The character of \xhh, \uhhhh, \Uhhhhhhhh or \ooo at s; sets *used. -1: none. */
static int64_t escaped_code(const char *s, size_t n, size_t *used)
{
  size_t digits = s[0] == 'x' ? 2 : s[0] == 'u' ? 4 : s[0] == 'U' ? 8 : 0;
  int64_t c = 0;
  size_t i = digits ? 1 : 0;
  size_t end = digits ? 1 + digits : 3;
  int base = digits ? 16 : 8;
  for (; i < end && i < n && digit_value(s[i]) < base; i++) c = c * base + digit_value(s[i]);
  if ((digits && i < end) || i == 0) return -1;
  *used = i;
  return c;
}

/* One escape after a backslash at s; the bytes go to out. Returns bytes written, or -1. */
static int unescape(const char *s, size_t n, char *out, size_t *used)
{
  static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
  const char *p = strchr(from, s[0]);
  *used = 1;
  if (s[0] == '\n') return 0;
  if (p && *p) {
    out[0] = to[p - from];
    return 1;
  }
  if (strchr("xuU01234567", s[0])) {
    int64_t c = escaped_code(s, n, used);
    if (c <= 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return -1;
    return (int)put_utf8(out, (uint32_t)c);
  }
  out[0] = '\\'; /* as Python: an unknown escape stands for itself */
  out[1] = s[0];
  return 2;
}

static int lex_string(eas_ex *x, size_t at, eas_ex_token *t)
{
  const char *s = x->text + at + 1;
  size_t left = x->size - at - 1, n = 0;
  char quote = x->text[at];
  t->plain = 1;
  while (n < left && s[n] != quote) {
    if (s[n] == '\n') break;
    if (s[n] == '\\' && n + 1 < left) t->plain = 0, n++;
    n++;
  }
  if (n >= left || s[n] != quote)
    return eas_ex_fail(x, EAS_EFORMAT, at, 1, "the text is not closed: no %c ends it", quote);
  t->kind = TK_STR;
  t->len = n + 2;
  t->value = (eas_ex_value){ .type = EX_STR, .n = n, .u.s = s };
  if (t->plain) return 0;
  char *out = eas_ex_alloc(x, n + 1); /* no escape is shorter than what it stands for */
  if (!out) return EAS_ELIMIT;
  size_t k = 0;
  for (size_t i = 0; i < n;) {
    if (s[i] != '\\') {
      out[k++] = s[i++];
      continue;
    }
    size_t used;
    char made[4];
    int wrote = unescape(s + i + 1, n - i - 1, made, &used);
    if (wrote < 0) return eas_ex_fail(x, EAS_EFORMAT, at + 1 + i, 2, "'\\%c' stands for no character", s[i + 1]);
    memcpy(out + k, made, (size_t)wrote);
    k += (size_t)wrote;
    i += 1 + used;
  }
  t->value.u.s = out;
  t->value.n = k;
  return 0;
}

/* ---- names, operators */

static int lex_name(eas_ex *x, size_t at, eas_ex_token *t)
{
  static const struct {
    const char *word;
    int kind;
  } words[] = { { "and", TK_AND }, { "or", TK_OR }, { "not", TK_NOT },
                { "in", TK_IN },   { "if", TK_IF }, { "else", TK_ELSE } };
  size_t n = 1;
  while (at + n < x->size && is_name(x->text[at + n])) n++;
  t->len = n;
  t->kind = TK_NAME;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i].word) == n && memcmp(words[i].word, x->text + at, n) == 0) t->kind = words[i].kind;
  if (t->kind == TK_NAME && n <= 2 && at + n < x->size && (x->text[at + n] == '\'' || x->text[at + n] == '"')) {
    eas_ex_fail(x, EAS_EFORMAT, at, n, "'%.*s' before a text means nothing here", (int)n, x->text + at);
    return eas_hint(x->err, "write '{name}'.format(**metadata)");
  }
  return 0;
}

static int lex_operator(eas_ex *x, size_t at, eas_ex_token *t)
{
  static const struct {
    const char *word;
    int kind;
  } pairs[] = { { "**", TK_POW }, { "//", TK_FLOORDIV }, { "==", TK_EQ },
                { "!=", TK_NE },  { "<=", TK_LE },       { ">=", TK_GE } };
  const char *s = x->text + at;
  for (size_t i = 0; at + 1 < x->size && i < sizeof pairs / sizeof *pairs; i++)
    if (s[0] == pairs[i].word[0] && s[1] == pairs[i].word[1]) {
      t->kind = pairs[i].kind;
      t->len = 2;
      return 0;
    }
  t->kind = (unsigned char)s[0];
  t->len = 1;
  if (s[0] && strchr("+-*/%()[],.<>=", s[0])) return 0;
  if (s[0] > ' ' && s[0] < 127) return eas_ex_fail(x, EAS_EFORMAT, at, 1, "'%c' means nothing here", s[0]);
  return eas_ex_fail(x, EAS_EFORMAT, at, 1, "a character outside of quotes that is no letter of a name");
}

int eas_ex_lex(eas_ex *x, size_t at, eas_ex_token *t)
{
  while (at < x->size && isspace((unsigned char)x->text[at])) at++;
  t->at = at;
  t->len = 0;
  t->plain = 0;
  if (at >= x->size) {
    t->kind = TK_END;
    return 0;
  }
  char c = x->text[at];
  if (c == '\'' || c == '"') return lex_string(x, at, t);
  if (is_digit(c) || (c == '.' && at + 1 < x->size && is_digit(x->text[at + 1]))) return lex_number(x, at, t);
  if (is_name_start(c)) return lex_name(x, at, t);
  return lex_operator(x, at, t);
}
