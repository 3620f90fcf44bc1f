/* conf_value.c: the types of configuration values, and passwords within URLs. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_table.h"

typedef struct {
  const char *name;
  double factor;
} unit;

static const unit times[] = { { "us", 1 },    { "ms", 1e3 },    { "s", 1e6 }, { "min", 6e7 },
                              { "h", 3.6e9 }, { "d", 8.64e10 }, { NULL, 0 } };
static const unit sizes[] = {
  { "B", 1 },     { "kB", 1e3 },     { "KB", 1e3 },        { "MB", 1e6 },           { "GB", 1e9 },
  { "TB", 1e12 }, { "KiB", 1024.0 }, { "MiB", 1048576.0 }, { "GiB", 1073741824.0 }, { "TiB", 1099511627776.0 },
  { NULL, 0 }
};

/* "NUMBER UNIT", the blank may be left out, the unit may not. */
static int quantity(const char *text, const unit *units, int64_t *out)
{
  if (!isdigit((unsigned char)*text)) return EAS_EFORMAT; /* strtod also takes hex, inf, signs */
  char *end;
  double x = strtod(text, &end);
  if (strspn(text, "0123456789.") != (size_t)(end - text)) return EAS_EFORMAT;
  while (*end == ' ') end++;
  for (; units->name; units++)
    if (strcmp(units->name, end) == 0) {
      if (!(x * units->factor < 9e18)) return EAS_EFORMAT;
      *out = (int64_t)(x * units->factor + 0.5);
      return 0;
    }
  return EAS_EFORMAT;
}

int eas_conf_parse_duration(const char *text, int64_t *us)
{
  return quantity(text, times, us);
}

int eas_conf_parse_size(const char *text, int64_t *bytes)
{
  return quantity(text, sizes, bytes);
}

/* Is word one of those in the list, which blanks divide? */
static int listed(const char *list, const char *word)
{
  size_t n = strlen(word);
  while (n > 0 && *list) {
    size_t m = strcspn(list, " ");
    if (m == n && memcmp(list, word, n) == 0) return 1;
    list += m;
    list += strspn(list, " ");
  }
  return 0;
}

int eas_conf_check(const eas_conf_key *key, const char *text, eas_err *err)
{
  int64_t number;
  const char *type = key->type, *expected = NULL;
  for (const char *p = text; *p; p++)
    if ((unsigned char)*p < 0x20) return eas_fail(err, EAS_EINVAL, "%s: the value holds a control byte", key->name);
  if (strcmp(type, "int") == 0) {
    char *end;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)*text))
      expected = "a whole number";
    else if (number < 0 || number > 1000000)
      expected = "0 to 1000000";
  } else if (strcmp(type, "bool") == 0) {
    if (!listed("on off yes no true false 1 0", text)) expected = "on or off";
  } else if (strcmp(type, "duration") == 0) {
    if (eas_conf_parse_duration(text, &number) < 0) expected = "a time with its unit, as 500 ms, 60 s, 10 min, 24 h";
  } else if (strcmp(type, "size") == 0) {
    if (eas_conf_parse_size(text, &number) < 0) expected = "a size with its unit, as 64 MB, 16 GB";
  } else if (strncmp(type, "choice ", 7) == 0) {
    if (!listed(type + 7, text))
      return eas_fail(err, EAS_EINVAL, "%s: expected one of %s, found '%.100s'", key->name, type + 7, text);
  } else if (!*text && *key->initial) {
    expected = "a value";
  }
  return expected ? eas_fail(err, EAS_EINVAL, "%s: expected %s, found '%.100s'", key->name, expected, text) : 0;
}

static void encode(eas_buf *b, const char *s)
{
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (isalnum(c) || strchr("-._~*", c))
      eas_buf_char(b, (char)c);
    else
      eas_buf_printf(b, "%%%02X", c);
  }
}

/* password=... among a URL's parameters or in a string of keywords: where its value starts, or NULL. */
static const char *parameter(const char *text)
{
  for (const char *p = strstr(text, "password="); p; p = strstr(p + 1, "password="))
    if (p == text || strchr("?& ", p[-1])) return p + strlen("password=");
  return NULL;
}

char *eas_conf_url_password(const char *url, const char *with, int *had)
{
  eas_buf b;
  eas_buf_init(&b);
  *had = 0;
  const char *rest = url, *authority = strstr(url, "://");
  if (authority) {
    authority += 3;
    size_t n = strcspn(authority, "/?");
    const char *at = memrchr(authority, '@', n);
    const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (colon) {
      *had = 1;
      eas_buf_add(&b, url, (size_t)(colon + 1 - url));
      encode(&b, with);
      rest = at;
    }
  }
  for (const char *p; (p = parameter(rest)) != NULL;) {
    *had = 1;
    eas_buf_add(&b, rest, (size_t)(p - rest));
    encode(&b, with);
    rest = *p == '\'' ? p + 1 + strcspn(p + 1, "'") : p + strcspn(p, "& ");
    if (*p == '\'' && *rest) rest++;
  }
  eas_buf_str(&b, rest);
  return eas_buf_take(&b);
}
