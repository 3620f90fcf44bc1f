#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "lightcurve/lc_text.h"
#include "lightcurve/number.h"

static int is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static int is_break(char c)
{
  return is_blank(c) || c == ',' || c == ';';
}

/* A JSON number, else the text itself. The stitching group writes numbers and words bare. */
static json_t *pair_value(const char *p, size_t n)
{
  char *text = eas_alloc(n + 1);
  memcpy(text, p, n);
  char *end;
  json_t *value = NULL;
  double v;
  size_t digits = strspn(text, "+-0123456789");
  if (n > 0 && digits == n && n < 19) {
    long long whole = strtoll(text, &end, 10);
    if (*end == 0) value = json_integer(whole);
  }
  if (!value && n > 0 && eas_number_parse(text, n, &v) == 0) value = json_real(v); /* NULL if not finite: stays text */
  if (!value) value = json_string(text);                                           /* NULL if not UTF-8 */
  free(text);
  return value;
}

static void take_pair(eas_text_head *h, const char *p, const char *end)
{
  const char *equals = memchr(p, '=', (size_t)(end - p));
  if (!equals) return;
  const char *key_end = equals, *value = equals + 1;
  while (p < key_end && is_blank(*p)) p++;
  while (key_end > p && is_blank(key_end[-1])) key_end--;
  while (value < end && is_blank(*value)) value++;
  while (end > value && is_blank(end[-1])) end--;
  if (key_end == p || key_end - p > 255) return;
  char key[256];
  memcpy(key, p, (size_t)(key_end - p));
  key[key_end - p] = 0;
  json_t *v = pair_value(value, (size_t)(end - value));
  if (v && json_object_set_new(h->metadata, key, v) == 0) h->has_pairs = 1;
}

static void keep_line(eas_text_head *h, const char *p, const char *end)
{
  size_t n = (size_t)(end - p);
  n = n < sizeof h->line - 1 ? n : sizeof h->line - 1;
  memcpy(h->line, p, n);
  h->line[n] = 0;
}

void eas_text_comment(eas_text_head *h, const char *p, const char *end)
{
  size_t n = sizeof EAS_TEXT_MARK - 1;
  if ((size_t)(end - p) >= n && memcmp(p, EAS_TEXT_MARK, n) == 0) h->own = 1;
  p++;
  while (p < end && is_blank(*p)) p++;
  if (p < end && *p == '#')
    take_pair(h, p + 1, end);
  else if (p < end && !h->has_names)
    keep_line(h, p, end);
}

int eas_text_names(eas_text_head *h, const char *p, const char *end)
{
  double v;
  char c = *p == '"' ? p[1] : *p;
  int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  if (h->has_names || !letter || eas_number_word(p, &v)) return 0;
  h->has_names = 1;
  keep_line(h, p, end);
  return 1;
}

/* Cuts text in place into words, at commas if there is one; returns their number, at most
 * EAS_TEXT_COLUMNS + 1. */
static int split(char *text, char *word[EAS_TEXT_COLUMNS + 1])
{
  int n = 0, comma = strpbrk(text, ",;") != NULL;
  for (char *p = text; *p && n <= EAS_TEXT_COLUMNS;) {
    while (is_break(*p)) *p++ = 0;
    if (!*p) break;
    word[n++] = p;
    while (*p && (comma ? *p != ',' && *p != ';' : !is_blank(*p))) p++;
    for (char *q = p; q > word[n - 1] && is_blank(q[-1]); q--) q[-1] = 0;
  }
  return n;
}

static int count_columns(const char *p, const char *end, int *comma)
{
  const char *note = memchr(p, '#', (size_t)(end - p));
  end = note ? note : end;
  while (end > p && is_blank(end[-1])) end--;
  int n = 0;
  *comma = 0;
  for (const char *q = p; q < end; q++) *comma |= *q == ',' || *q == ';';
  while (p < end) {
    n++;
    while (p < end && (*comma ? *p != ',' && *p != ';' : !is_blank(*p))) p++;
    p += p < end;
    while (p < end && is_blank(*p)) p++;
  }
  return n;
}

/* Names as "time[days]" "Flux (e-/s)" "bjd": the unit is cut off. */
static void clean_names(char *word[], int n, char *units[])
{
  for (int i = 0; i < n; i++) {
    char *name = word[i];
    size_t len = strlen(name);
    if (*name == '"' && len > 1 && name[len - 1] == '"') {
      name[len - 1] = 0;
      word[i] = ++name;
    }
    char *unit = strpbrk(name, "[(");
    units[i] = NULL;
    if (unit && unit > name) {
      units[i] = eas_strdup(unit);
      while (unit > name && is_blank(unit[-1])) unit--;
      *unit = 0;
    }
  }
}

/* 1 if the names say all; 0 if they do not (*wanted: what is missing); or EAS_EFORMAT. */
static int decide_by_names(const eas_text_head *h, eas_text_format *f, char wanted[80], eas_err *err)
{
  char line[sizeof h->line];
  char *word[EAS_TEXT_COLUMNS + 1], *units[EAS_TEXT_COLUMNS];
  int at[EAS_ROLES];
  memcpy(line, h->line, sizeof line);
  snprintf(wanted, 80, "time");
  int n = split(line, word);
  if (n != f->n_columns || n > EAS_TEXT_COLUMNS) return 0;
  clean_names(word, n, units);
  eas_lc_options only = { NULL, NULL, h->options ? h->options->columns : NULL };
  int rc = eas_lc_pick((const char *const *)word, n, &only, at, wanted) == 0;
  if (rc == 1) {
    for (int role = EAS_ROLE_TIME; role < EAS_ROLES; role++)
      if (at[role] >= 0) f->role[at[role]] = (unsigned char)role;
    const char *unit = units[at[EAS_ROLE_TIME]];
    f->unit = unit ? eas_lc_time_unit(unit) : 1;
    f->seconds = f->unit == 1 / 86400.0;
    f->kind = EAS_TEXT_PLAIN;
    if (f->unit == 0)
      rc = eas_fail(err, EAS_EFORMAT, "%s: time in '%.40s': days, hours, minutes, seconds are known", h->name, unit);
  }
  for (int i = 0; i < n; i++) free(units[i]);
  return rc;
}

static int decide_by_numbers(const eas_text_head *h, eas_text_format *f, const char *where, eas_err *err)
{
  const char *p = h->options->columns;
  for (int role = EAS_ROLE_TIME; *p && role <= EAS_ROLE_FLAG; role++) {
    char *end;
    long k = strtol(p, &end, 10);
    if (end == p || (*end && *end != ',')) {
      int rc = eas_fail(err, EAS_EINVAL, "%s: no column '%.*s'", where, (int)strcspn(p, ","), p);
      eas_hint(err, "columns of text without a line of names are numbers, as --columns 1,2,3");
      return rc;
    }
    if (k < 1 || k > f->n_columns)
      return eas_fail(err, EAS_EINVAL, "%s: no column %ld: it has %d columns", where, k, f->n_columns);
    f->role[k - 1] = (unsigned char)role;
    p = *end ? end + 1 : end;
    if (role == EAS_ROLE_ERR) break;
  }
  f->kind = EAS_TEXT_PLAIN;
  return 0;
}

static int odd_count(const eas_text_format *f, const char *where, eas_err *err)
{
  int rc = eas_fail(err, EAS_EFORMAT, "%s: %d column%s: which is time, which is flux?", where, f->n_columns,
                    f->n_columns == 1 ? "" : "s");
  eas_hint(err, "name them in a line above (# time flux flux_err) or use --columns 1,2,3; "
                "without names 2 or 3 columns (days) or the prototype's 4 (seconds) are read");
  return rc;
}

static int decide_by_count(const eas_text_head *h, eas_text_format *f, const char *where, eas_err *err)
{
  static const unsigned char prototype[] = { EAS_ROLE_TIME, EAS_ROLE_FLUX, EAS_ROLE_FLAG, EAS_ROLE_ERR };
  static const unsigned char days[] = { EAS_ROLE_TIME, EAS_ROLE_FLUX, EAS_ROLE_ERR };
  int n = f->n_columns;
  if (n == 4 && !f->comma) {
    memcpy(f->role, prototype, 4);
    f->kind = h->own ? EAS_TEXT_OWN : EAS_TEXT_PROTOTYPE;
    f->seconds = 1;
    return 0;
  }
  if (n != 2 && n != 3) return odd_count(f, where, err);
  memcpy(f->role, days, (size_t)n);
  f->kind = EAS_TEXT_PLAIN;
  if (f->comma && h->has_pairs) {
    f->kind = EAS_TEXT_LCSG;
    if (n == 3) f->role[2] = EAS_ROLE_FLAG;
  } else if (f->comma && n == 3) {
    f->third = 1;
  }
  return 0;
}

int eas_text_decide(const eas_text_head *h, const char *p, const char *end, size_t line_no, eas_text_format *out,
                    eas_err *err)
{
  eas_text_format f = { .unit = 1 };
  char where[300], wanted[80];
  snprintf(where, sizeof where, "%.250s: line %zu", h->name, line_no);
  f.n_columns = count_columns(p, end, &f.comma);
  const char *columns = h->options ? h->options->columns : NULL;
  int rc = 0;
  if (f.n_columns > EAS_TEXT_COLUMNS)
    return eas_fail(err, EAS_EFORMAT, "%s: more than %d columns", where, EAS_TEXT_COLUMNS);
  if (columns && eas_digit(*columns))
    rc = decide_by_numbers(h, &f, where, err);
  else if (h->own && f.n_columns == 4)
    rc = decide_by_count(h, &f, where, err);
  else {
    rc = decide_by_names(h, &f, wanted, err);
    if (rc == 0 && columns) {
      rc = eas_fail(err, EAS_EINVAL, "%s: no column '%s'", h->name, wanted);
      eas_hint(err, "the line of names is '%.200s'", h->line);
    } else if (rc == 0) {
      rc = decide_by_count(h, &f, where, err);
    }
  }
  if (rc < 0) return rc;
  int have = 0;
  for (int i = 0; i < f.n_columns; i++) have |= 1 << f.role[i];
  if (!(have & 1 << EAS_ROLE_TIME) || !(have & 1 << EAS_ROLE_FLUX))
    return eas_fail(err, EAS_EINVAL, "%s: --columns '%s' names no time and flux", where, columns ? columns : "");
  *out = f;
  return 0;
}
