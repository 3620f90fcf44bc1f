/* json.c: reading with good errors, canonical text, places in a value, near names. */
#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/path.h"

/* Faults that are none of the grammar, in words that need no jansson; at: the token, len its length. */
static void explain(const json_error_t *why, const char *token, size_t len, eas_buf *out)
{
  int shown = (int)(len > 60 ? 60 : len);
  switch (json_error_code(why)) {
  case json_error_duplicate_key: eas_buf_printf(out, "key %.*s stands here twice", shown, token); break;
  case json_error_numeric_overflow: eas_buf_printf(out, "number %.*s is out of range", shown, token); break;
  case json_error_null_character:
  case json_error_null_byte_in_key: eas_buf_str(out, "a string holds the character \\u0000"); break;
  case json_error_invalid_utf8: eas_buf_str(out, "bytes that are not UTF-8"); break;
  case json_error_stack_overflow: eas_buf_str(out, "nested deeper than 2048"); break;
  default: eas_buf_str(out, why->text);
  }
}

static int report(const char *text, size_t len, const char *name, const json_error_t *why, eas_err *err)
{
  eas_buf message;
  eas_buf_init(&message);
  size_t at = 0;
  if (!eas_scan_fault(text, len, &at, &message)) { /* the grammar is right: duplicates, UTF-8, sizes */
    size_t end = why->position < 0 ? 0 : (size_t)why->position;
    if (end > len) end = len;
    at = eas_scan_before(text, len, end);
    explain(why, text + at, end - at, &message);
  }
  int line, column;
  eas_scan_line(text, at, &line, &column);
  int rc = eas_fail(err, EAS_EFORMAT, "%s:%d:%d: %s", name, line, column, message.data);
  eas_buf_done(&message);
  return rc;
}

json_t *eas_json_parse(const char *text, size_t len, const char *name, eas_err *err)
{
  json_error_t why = { .position = 0 };
  size_t bom = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* some editors begin files so */
  json_t *v = NULL; /* jansson takes a number with a zero byte behind it */
  if (!memchr(text, 0, len)) v = json_loadb(text + bom, len - bom, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
  if (!v) report(text + bom, len - bom, name, &why, err);
  return v;
}

json_t *eas_json_load(const char *path, eas_err *err)
{
  eas_buf text;
  eas_buf_init(&text);
  json_t *v = NULL;
  if (eas_file_read(path, 0, &text, err) == 0) v = eas_json_parse(text.data ? text.data : "", text.len, path, err);
  eas_buf_done(&text);
  return v;
}

static void put_string(eas_buf *b, const char *s, size_t n)
{
  size_t from = 0; /* what needs no escape goes in one piece */
  eas_buf_char(b, '"');
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)s[i];
    if (c != '"' && c != '\\' && c >= 0x20) continue;
    eas_buf_add(b, s + from, i - from);
    from = i + 1;
    if (c < 0x20)
      eas_buf_printf(b, "\\u%04x", c);
    else
      eas_buf_add(b, c == '"' ? "\\\"" : "\\\\", 2);
  }
  eas_buf_add(b, s + from, n - from);
  eas_buf_char(b, '"');
}

/* The fewest digits that read back as the same number; always marked as a real. */
static void put_real(eas_buf *b, double x)
{
  char text[40];
  int least = fabs(x) < DBL_MIN ? 1 : 15; /* up to 15 are exact, and %g drops zeros; not so below the normal numbers */
  for (int digits = least; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, x);
    double back = strtod(text, NULL);
    if (memcmp(&back, &x, sizeof x) == 0) break;
  }
  eas_buf_str(b, text);
  if (!strpbrk(text, ".e")) eas_buf_str(b, ".0");
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_value(eas_buf *b, const json_t *v);

static void put_object(eas_buf *b, const json_t *v)
{
  size_t n = json_object_size(v), i = 0;
  const char **keys = eas_alloc(n * sizeof *keys);
  json_t *object = (json_t *)(uintptr_t)v; /* jansson's iterators want it; nothing is changed */
  for (void *it = json_object_iter(object); it && i < n; it = json_object_iter_next(object, it))
    keys[i++] = json_object_iter_key(it);
  qsort(keys, n, sizeof *keys, by_name);
  eas_buf_char(b, '{');
  for (i = 0; i < n; i++) {
    if (i > 0) eas_buf_char(b, ',');
    put_string(b, keys[i], strlen(keys[i]));
    eas_buf_char(b, ':');
    put_value(b, json_object_get(v, keys[i]));
  }
  eas_buf_char(b, '}');
  free(keys);
}

static void put_value(eas_buf *b, const json_t *v)
{
  switch (json_typeof(v)) {
  case JSON_OBJECT: put_object(b, v); break;
  case JSON_ARRAY:
    eas_buf_char(b, '[');
    for (size_t i = 0; i < json_array_size(v); i++) {
      if (i > 0) eas_buf_char(b, ',');
      put_value(b, json_array_get(v, i));
    }
    eas_buf_char(b, ']');
    break;
  case JSON_STRING: put_string(b, json_string_value(v), json_string_length(v)); break;
  case JSON_INTEGER: eas_buf_printf(b, "%lld", (long long)json_integer_value(v)); break;
  case JSON_REAL: put_real(b, json_real_value(v)); break;
  case JSON_TRUE: eas_buf_str(b, "true"); break;
  case JSON_FALSE: eas_buf_str(b, "false"); break;
  case JSON_NULL: eas_buf_str(b, "null"); break;
  }
}

char *eas_json_canonical(const json_t *v)
{
  eas_buf b;
  eas_buf_init(&b);
  if (v)
    put_value(&b, v);
  else
    eas_buf_str(&b, "null");
  return eas_buf_take(&b);
}

json_t *eas_json_at(json_t *root, const char *path)
{
  if (*path++ != '$') return NULL;
  json_t *v = root;
  char *key = NULL;
  size_t index = 0;
  int rc;
  while ((rc = eas_path_step(&path, &key, &index)) == 1) {
    v = key ? json_object_get(v, key) : json_array_get(v, index);
    free(key);
    if (!v) return NULL;
  }
  return rc == 0 ? v : NULL;
}

const char *eas_json_str(const json_t *object, const char *key)
{
  return json_string_value(json_object_get(object, key));
}

int64_t eas_json_int(const json_t *object, const char *key, int64_t otherwise)
{
  const json_t *v = json_object_get(object, key);
  return json_is_integer(v) ? (int64_t)json_integer_value(v) : otherwise;
}

/* Insertions, deletions, replacements and swaps of neighbours, each 1; over `most`: most + 1. */
static size_t distance(const char *a, size_t n, const char *b, size_t m, size_t most)
{
  enum { LONGEST = 128 };
  if (n > LONGEST || m > LONGEST || (n > m ? n - m : m - n) > most) return most + 1;
  size_t rows[3][LONGEST + 1];
  size_t *last2 = rows[0], *last = rows[1], *row = rows[2];
  for (size_t j = 0; j <= m; j++) last[j] = j;
  for (size_t i = 1; i <= n; i++) {
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
      if (last[j] + 1 < best) best = last[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && last2[j - 2] + 1 < best)
        best = last2[j - 2] + 1;
      row[j] = best;
    }
    size_t *spare = last2;
    last2 = last;
    last = row;
    row = spare;
  }
  return last[m];
}

/* Of two names as near, the one that goes on or ends where the word does is likelier meant; then one that begins as it does. */
static int kinship(const char *word, const char *name)
{
  size_t same = 0;
  while (word[same] && word[same] == name[same]) same++;
  if (!word[same] || !name[same]) return 1000;
  return (int)(same < 999 ? same : 999);
}

const char *eas_nearest(const char *word, const char *const *names, size_t n)
{
  enum { LONG = 8 }; /* two slips in a short word, one of them its first letter, are another word */
  size_t length = strlen(word), best = 2;
  int kin = -1;
  const char *nearest = NULL;
  for (size_t i = 0; i < n; i++) {
    if (!names[i]) continue;
    size_t d = distance(word, length, names[i], strlen(names[i]), 2);
    int near = kinship(word, names[i]);
    if (d >= length || d > best || (d == best && near <= kin) || (d > 1 && !near && length < LONG)) continue;
    best = d;
    kin = near;
    nearest = names[i];
  }
  return nearest;
}
