/* lc_sidecar.c: X.metadata.cfg, the INI file that tells the prototype about X. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "lightcurve/lc.h"
#include "lightcurve/number.h"

enum { SIDECAR_MAX_BYTES = 1 << 20 };

static char *trim(char *p)
{
  while (*p == ' ' || *p == '\t') p++;
  size_t n = strlen(p);
  while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t' || p[n - 1] == '\r')) p[--n] = 0;
  return p;
}

static json_t *value_of(const char *text)
{
  size_t n = strlen(text);
  size_t sign = *text == '-' || *text == '+';
  double v;
  if (n > sign && n < 19 && strspn(text + sign, "0123456789") == n - sign) return json_integer(strtoll(text, NULL, 10));
  json_t *real = eas_number_parse(text, n, &v) == 0 ? json_real(v) : NULL; /* NULL: nan, inf */
  return real ? real : json_string(text);
}

/* One line of the section: "key: value" or "key = value", whichever mark comes first. */
static int take_line(char *line, const char *where, int line_no, json_t *out, eas_err *err)
{
  size_t at = strcspn(line, ":=");
  if (!line[at]) return eas_fail(err, EAS_EFORMAT, "%s:%d: 'key: value' expected", where, line_no);
  line[at] = 0;
  const char *key = trim(line);
  if (!*key) return eas_fail(err, EAS_EFORMAT, "%s:%d: a value without a key", where, line_no);
  if (json_object_get(out, key)) return eas_fail(err, EAS_EFORMAT, "%s:%d: '%s' is there twice", where, line_no, key);
  if (json_object_set_new(out, key, value_of(trim(line + at + 1))) != 0)
    return eas_fail(err, EAS_EFORMAT, "%s:%d: text is not UTF-8", where, line_no);
  return 0;
}

static int take_text(char *text, const char *where, json_t *out, eas_err *err)
{
  int inside = 0, found = 0, line_no = 0;
  char *next;
  for (char *line = text; line; line = next) {
    next = strchr(line, '\n');
    if (next) *next++ = 0;
    line_no++;
    line = trim(line);
    if (!*line || *line == '#' || *line == ';') continue;
    if (*line == '[') {
      inside = strcmp(line, "[metadata]") == 0;
      found |= inside;
    } else if (inside) {
      int rc = take_line(line, where, line_no, out, err);
      if (rc < 0) return rc;
    }
  }
  return found ? 0 : eas_fail(err, EAS_EFORMAT, "%s: no section [metadata]", where);
}

int eas_lc_read_sidecar(const char *path, json_t **out, eas_err *err)
{
  char *name = eas_format("%s.metadata.cfg", path);
  json_t *object = json_object();
  eas_buf text;
  eas_buf_init(&text);
  int rc = 0;
  if (eas_path_exists(name)) {
    rc = eas_file_read(name, SIDECAR_MAX_BYTES, &text, err);
    if (rc >= 0) rc = take_text(text.data ? text.data : (char[]){ "" }, name, object, err);
  }
  eas_buf_done(&text);
  free(name);
  if (rc < 0) {
    json_decref(object);
    return rc;
  }
  *out = object;
  return 0;
}
