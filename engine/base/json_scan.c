/* json_scan.c: the tokenizer that finds places; jansson does not keep them. */
#include "base/json_scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

void eas_scan_line(const char *text, size_t at, int *line, int *column)
{
  *line = 1;
  size_t start = 0;
  for (const char *p = text; (p = memchr(p, '\n', at - (size_t)(p - text))) != NULL; p++) {
    ++*line;
    start = (size_t)(p - text) + 1;
  }
  *column = (int)(at - start) + 1;
}

static eas_token string_token(eas_scan *s)
{
  eas_token t = { .kind = 's', .start = s->at };
  for (size_t i = s->at + 1; i < s->len; i++) {
    unsigned char c = (unsigned char)s->text[i];
    t.end = i + 1;
    if (c == '"') return t;
    if (c == '\n') break;
    if (c < 0x20) return (eas_token){ '?', i, i + 1, "a control byte in a string; write \\t, \\n or \\u00XX" };
    if (c != '\\') continue;
    char e = ++i < s->len ? s->text[i] : 0;
    if (e == 'u') {
      for (int k = 1; k <= 4; k++)
        if (i + (size_t)k >= s->len || !isxdigit((unsigned char)s->text[i + (size_t)k]))
          return (eas_token){ '?', i - 1, i, "\\u needs four hexadecimal digits" };
    } else if (!e || !strchr("\"\\/bfnrt", e)) {
      return (eas_token){ '?', i - 1, i, "an escape that JSON has not; a backslash itself is \\\\" };
    }
  }
  return (eas_token){ '?', s->at, s->at + 1, "a string is not closed on its line" };
}

static const char *number_fault(const char *p, const char *end)
{
  if (p < end && *p == '-') p++;
  if (p == end || !isdigit((unsigned char)*p)) return "a number needs a digit first";
  if (*p == '0' && p + 1 < end && isdigit((unsigned char)p[1])) return "a number with a leading zero";
  while (p < end && isdigit((unsigned char)*p)) p++;
  if (p < end && *p == '.') {
    p++;
    if (p == end || !isdigit((unsigned char)*p)) return "a number needs a digit after its point";
    while (p < end && isdigit((unsigned char)*p)) p++;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    if (p == end || !isdigit((unsigned char)*p)) return "a number needs digits in its exponent";
    while (p < end && isdigit((unsigned char)*p)) p++;
  }
  return p == end ? NULL : "no number";
}

static eas_token word_token(const eas_scan *s)
{
  size_t end = s->at;
  while (end < s->len && (isalnum((unsigned char)s->text[end]) || strchr("+-._", s->text[end])) && s->text[end]) end++;
  const char *p = s->text + s->at;
  size_t n = end - s->at;
  if (n == 0) {
    const char *why = *p == '\''               ? "strings take double quotes"
                      : *p == '/' || *p == '#' ? "JSON has no comments"
                                               : NULL;
    return (eas_token){ '?', s->at, s->at + 1, why };
  }
  if ((n == 4 && (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)) || (n == 5 && memcmp(p, "false", 5) == 0))
    return (eas_token){ 'w', s->at, end, NULL };
  const char *why = NULL;
  if (isdigit((unsigned char)*p) || *p == '-' || *p == '+' || *p == '.') {
    why = number_fault(p, p + n);
    if (!why) return (eas_token){ 'n', s->at, end, NULL };
  } else if (n <= 5 &&
             (strncasecmp(p, "true", n) == 0 || strncasecmp(p, "false", n) == 0 || strncmp(p, "None", n) == 0)) {
    why = "JSON writes true, false, null";
  }
  return (eas_token){ '?', s->at, end, why };
}

eas_token eas_scan_next(eas_scan *s)
{
  while (s->at < s->len && s->text[s->at] && strchr(" \t\r\n", s->text[s->at])) s->at++;
  eas_token t = { .kind = 0, .start = s->at, .end = s->at };
  if (s->at >= s->len) return t;
  char c = s->text[s->at];
  if (c && strchr("{}[]:,", c))
    t = (eas_token){ c, s->at, s->at + 1, NULL };
  else
    t = c == '"' ? string_token(s) : word_token(s);
  s->at = t.end;
  return t;
}

size_t eas_scan_before(const char *text, size_t len, size_t end)
{
  eas_scan s = { text, len, 0 };
  size_t start = 0;
  for (eas_token t = eas_scan_next(&s); t.kind && t.kind != '?' && t.end <= end; t = eas_scan_next(&s)) start = t.start;
  return start;
}

/* One string, JSON-escaped, as its bytes; NULL if it is none. */
static char *unescape(const char *text, size_t n)
{
  json_t *v = json_loadb(text, n, JSON_DECODE_ANY, NULL);
  char *out = v ? eas_strdup(json_string_value(v)) : NULL;
  json_decref(v);
  return out;
}

int eas_path_step(const char **path, char **key, size_t *index)
{
  const char *p = *path;
  *key = NULL;
  if (!*p) return 0;
  if (*p == '.') {
    size_t n = strcspn(++p, ".[]");
    if (n == 0) return EAS_EFORMAT;
    *key = eas_format("%.*s", (int)n, p);
    *path = p + n;
    return 1;
  }
  if (*p != '[') return EAS_EFORMAT;
  eas_scan s = { p, strlen(p), 1 };
  eas_token t = eas_scan_next(&s);
  if (p[t.end] != ']' || t.start != 1) return EAS_EFORMAT;
  if (t.kind == 's')
    *key = unescape(p + t.start, t.end - t.start);
  else if (t.kind == 'n' && strspn(p + 1, "0123456789") == t.end - 1 && t.end < 20)
    *index = (size_t)strtoull(p + 1, NULL, 10);
  else
    return EAS_EFORMAT;
  if (t.kind == 's' && !*key) return EAS_EFORMAT;
  *path = p + t.end + 1;
  return 1;
}

/* Over the value that starts with t. */
static void skip_value(eas_scan *s, eas_token t)
{
  for (size_t depth = 0;; t = eas_scan_next(s)) {
    if (t.kind == '{' || t.kind == '[') depth++;
    if ((t.kind == '}' || t.kind == ']') && depth > 0) depth--;
    if (depth == 0 || t.kind == 0 || t.kind == '?') return;
  }
}

/* From the token that opens a container to the value of a key or an index in it. */
static int enter(eas_scan *s, eas_token *value, eas_token *name, const char *key, size_t index)
{
  if (value->kind != (key ? '{' : '[')) return EAS_ENOENT;
  for (size_t i = 0;; i++) {
    eas_token t = eas_scan_next(s);
    *name = t;
    if (key) {
      if (t.kind != 's') return EAS_ENOENT;
      char *found = unescape(s->text + t.start, t.end - t.start);
      int same = found && strcmp(found, key) == 0;
      free(found);
      if (eas_scan_next(s).kind != ':') return EAS_ENOENT;
      *value = eas_scan_next(s);
      if (same) return 0;
      t = *value;
    } else {
      if (t.kind == ']' || t.kind == 0 || t.kind == '?') return EAS_ENOENT;
      *value = t;
      if (i == index) return 0;
    }
    skip_value(s, t);
    if (eas_scan_next(s).kind != ',') return EAS_ENOENT;
  }
}

int eas_json_where(const char *text, size_t len, const char *path, int key, int *line, int *column)
{
  if (*path++ != '$') return EAS_ENOENT;
  eas_scan s = { text, len, 0 };
  eas_token value = eas_scan_next(&s), name = value;
  char *step = NULL;
  size_t index = 0;
  int rc;
  while ((rc = eas_path_step(&path, &step, &index)) == 1) {
    int in = enter(&s, &value, &name, step, index);
    free(step);
    if (in < 0) return in;
  }
  if (rc < 0 || value.kind == 0 || value.kind == '?') return EAS_ENOENT;
  eas_scan_line(text, key ? name.start : value.start, line, column);
  return 0;
}
