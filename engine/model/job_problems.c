#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/job.h"

enum { SHOWN = 20, WINDOW = 140 };

static void problem_done(eas_problem *p)
{
  free(p->path);
  free(p->what);
  free(p->fix);
}

void eas_problems_done(eas_problems *p)
{
  for (size_t i = 0; i < p->n; i++) problem_done(&p->list[i]);
  free(p->list);
  *p = (eas_problems){ 0 };
}

/* A loop meets the same fault at each of its values, with other names in it: one is enough. */
static int same_kind(const eas_problem *a, const eas_problem *b)
{
  size_t n = strcspn(a->what, "'");
  return a->key == b->key && n == strcspn(b->what, "'") && strncmp(a->what, b->what, n) == 0 &&
         strcmp(a->path, b->path) == 0 && ((!a->key && !strstr(a->what, "field '")) || strcmp(a->what, b->what) == 0);
}

void eas_problems_add(eas_problems *p, eas_problem problem)
{
  for (size_t i = 0; i < p->n; i++) {
    if (same_kind(&p->list[i], &problem)) {
      problem_done(&problem);
      return;
    }
  }
  if (p->n == p->cap) {
    p->cap = p->cap ? 2 * p->cap : 8;
    p->list = eas_realloc(p->list, p->cap * sizeof *p->list);
  }
  p->list[p->n++] = problem;
}

typedef struct {
  const eas_problem *p;
  int line, column;
  size_t order;
} place;

static int by_line(const void *a, const void *b)
{
  const place *x = a, *y = b;
  if (x->line != y->line) return x->line < y->line ? -1 : 1;
  if (x->column != y->column) return x->column < y->column ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

/* Line and column of a path, or of the nearest thing around it that is there. */
static void locate(const eas_jobfile *f, const eas_problem *p, int *line, int *column)
{
  char *path = eas_strdup(p->path);
  int key = p->key;
  while (eas_json_where(f->text, f->len, path, key, line, column) < 0) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] != '.' && path[n - 1] != '[') n--;
    if (n <= 1) {
      *line = *column = 1;
      break;
    }
    path[n - 1] = 0;
    key = 0;
  }
  free(path);
}

static size_t start_of_line(const eas_jobfile *f, int line)
{
  size_t at = 0;
  while (line > 1 && at < f->len)
    if (f->text[at++] == '\n') line--;
  return at;
}

/* Bytes of the escape or plain byte at s, and how many decoded bytes it stands for. */
static size_t raw_unit(const char *s, size_t *decoded)
{
  *decoded = 1;
  if (s[0] != '\\') return 1;
  if (s[1] != 'u') return 2;
  char hex[5] = { 0 };
  memcpy(hex, s + 2, 4);
  unsigned long v = strtoul(hex, NULL, 16);
  if (v >= 0xd800 && v < 0xdc00) {
    *decoded = 4;
    return 12;
  }
  *decoded = v < 0x80 ? 1 : v < 0x800 ? 2 : 3;
  return 6;
}

/* Bytes to underline for the token at text[at]; `offset` decoded bytes into a string move *column there. */
static int measure(const eas_jobfile *f, size_t at, const eas_problem *p, int *column)
{
  const char *s = f->text + at;
  size_t left = f->len - at, n = 1;
  if (left == 0 || s[0] == '{' || s[0] == '[') return 1;
  if (s[0] != '"') {
    while (n < left && !strchr(",]} \t\r\n", s[n])) n++;
    return (int)n;
  }
  if (p->key || !p->expression) {
    while (n < left && s[n] != '"') n += s[n] == '\\' ? 2 : 1;
    return (int)n + 1;
  }
  size_t decoded = 0, one;
  while (n < left && s[n] != '"' && decoded < (size_t)p->offset) {
    n += raw_unit(s + n, &one);
    decoded += one;
  }
  *column += (int)n;
  return p->length > 0 ? p->length : 1;
}

static void put_source(const eas_jobfile *f, const place *at, int column, int length, eas_buf *out)
{
  size_t start = start_of_line(f, at->line), end = start;
  while (end < f->len && f->text[end] != '\n' && f->text[end] != '\r') end++;
  int from = column > WINDOW - 40 ? column - 60 : 0; /* long lines: what is around the place */
  int width = (int)(end - start) - from;
  if (width > WINDOW) width = WINDOW;
  if (width < 0) width = 0;
  eas_buf_printf(out, "%5d | %s%.*s\n", at->line, from ? "... " : "", width, f->text + start + from);
  int blanks = column - 1 - from;
  if (length > width - blanks) length = width - blanks;
  eas_buf_printf(out, "      | %s", from ? "    " : "");
  for (int i = 0; i < blanks; i++) /* a tab stays one, so that the caret stands below */
    eas_buf_char(out, f->text[start + (size_t)(from + i)] == '\t' ? '\t' : ' ');
  for (int i = 0; i < (length > 0 ? length : 1); i++) eas_buf_char(out, '^');
  if (at->p->expression) eas_buf_printf(out, " column %d of the expression", at->p->offset + 1);
  eas_buf_char(out, '\n');
}

static void put_problem(const eas_jobfile *f, const place *at, eas_buf *out)
{
  const eas_problem *p = at->p;
  if (f->is_lua) {
    eas_buf_printf(out, "%s: %s\n   at %s\n", f->file, p->what, p->path);
    if (p->expression) eas_buf_printf(out, "   column %d of the expression\n", p->offset + 1);
  } else {
    int column = at->column;
    size_t start = start_of_line(f, at->line) + (size_t)(column - 1);
    int length = measure(f, start, p, &column);
    eas_buf_printf(out, "%s:%d:%d: %s\n   at %s\n", f->file, at->line, column, p->what, p->path);
    put_source(f, at, column, length, out);
  }
  if (p->fix) eas_buf_printf(out, "   %s\n", p->fix);
}

void eas_problems_print(const eas_problems *p, const eas_jobfile *f, eas_buf *out)
{
  place *places = eas_alloc((p->n + 1) * sizeof *places);
  for (size_t i = 0; i < p->n; i++) {
    places[i] = (place){ &p->list[i], 0, 0, i };
    if (!f->is_lua) locate(f, &p->list[i], &places[i].line, &places[i].column);
  }
  qsort(places, p->n, sizeof *places, by_line);
  for (size_t i = 0; i < p->n && i < SHOWN; i++) put_problem(f, &places[i], out);
  if (p->n > SHOWN) eas_buf_printf(out, "and %zu more\n", p->n - SHOWN);
  eas_buf_printf(out, "eas: %s: %zu error%s, nothing was stored\n", f->file, p->n, p->n == 1 ? "" : "s");
  free(places);
}
