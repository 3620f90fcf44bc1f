/* diff.c: see diff.h. */
#include "cli/diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { SHOWN = 6, LONG = 40 };

static char *joined(const char *path, const char *key)
{
  return *path ? eas_format("%s.%s", path, key) : eas_strdup(key);
}

static void diff_objects(const char *path, const json_t *was, const json_t *is, eas_diff_fn *fn, void *arg)
{
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)was, key, v)
  {
    char *at = joined(path, key);
    eas_diff(at, v, json_object_get(is, key), fn, arg);
    free(at);
  }
  json_object_foreach((json_t *)(uintptr_t)is, key, v)
  {
    if (json_object_get(was, key)) continue;
    char *at = joined(path, key);
    eas_diff(at, NULL, v, fn, arg);
    free(at);
  }
}

void eas_diff(const char *path, const json_t *was, const json_t *is, eas_diff_fn *fn, void *arg)
{
  if (was && is && json_equal(was, is)) return;
  if (json_is_object(was) && json_is_object(is)) {
    diff_objects(path, was, is, fn, arg);
  } else if (json_is_array(was) && json_is_array(is) && json_array_size(was) == json_array_size(is)) {
    for (size_t i = 0; i < json_array_size(was); i++) {
      char *at = eas_format("%s[%zu]", path, i);
      eas_diff(at, json_array_get(was, i), json_array_get(is, i), fn, arg);
      free(at);
    }
  } else {
    fn(arg, path, was, is);
  }
}

static int is_digest(const char *s)
{
  return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static char *value_text(const json_t *v)
{
  if (!v) return eas_strdup("none");
  if (json_is_string(v) && is_digest(json_string_value(v))) return eas_format("%.4s", json_string_value(v));
  char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
  if (strlen(s) > LONG) memcpy(s + LONG - 3, "...", 4);
  return s;
}

char *eas_diff_text(const json_t *was, const json_t *is, int utf8)
{
  char *a = value_text(was), *b = value_text(is);
  char *text = eas_format("%s %s %s", a, utf8 ? "→" : "->", b);
  free(a);
  free(b);
  return text;
}

typedef struct {
  eas_buf text;
  int n, utf8;
} listing;

static const char *after(const char *path, const char *prefix)
{
  size_t n = strlen(prefix);
  return strncmp(path, prefix, n) == 0 ? path + n : NULL;
}

/* Paths of a provenance as people know the things. An input's metadata changes with its bytes, and says no more. */
static void on_difference(void *arg, const char *path, const json_t *was, const json_t *is)
{
  listing *l = arg;
  const char *rest, *end;
  char *name;
  if (strcmp(path, "code.task") == 0 || strcmp(path, "code.qc") == 0)
    name = eas_strdup(path[5] == 't' ? "task script" : "QC script");
  else if ((rest = after(path, "code.")) || (rest = after(path, "settings.")))
    name = eas_strdup(rest);
  else if ((rest = after(path, "inputs.")) && (end = strstr(rest, ".digest")) && !end[7])
    name = eas_format("input %.*s", (int)(end - rest), rest);
  else if (strstr(path, ".metadata."))
    return;
  else
    name = eas_strdup(path);
  if (l->n++ < SHOWN) {
    char *text = eas_diff_text(was, is, l->utf8);
    eas_buf_printf(&l->text, "%s%s %s", l->n > 1 ? ", " : "", name, text);
    free(text);
  }
  free(name);
}

char *eas_diff_provenance(const json_t *was, const json_t *is, int utf8)
{
  listing l = { .utf8 = utf8 };
  if (!json_is_object(was) || !json_is_object(is)) return NULL;
  eas_buf_init(&l.text);
  eas_diff("", was, is, on_difference, &l);
  if (l.n > SHOWN) eas_buf_printf(&l.text, ", and %d more", l.n - SHOWN);
  if (l.n > 0) return eas_buf_take(&l.text);
  eas_buf_done(&l.text);
  return NULL;
}
