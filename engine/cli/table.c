/* table.c: see table.h. */
#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { COLUMNS_MAX = 64, GAP = 2, TEXT_MIN = 16 };

struct eas_table {
  eas_cli *c;
  int n_columns;
  struct {
    char *name;
    int flags, width, hidden;
  } columns[COLUMNS_MAX];
  struct {
    char *text;
    int ink;
  } * cells;
  size_t n, cap;
};

eas_table *eas_table_new(eas_cli *c)
{
  eas_table *t = eas_alloc(sizeof *t);
  t->c = c;
  return t;
}

void eas_table_column(eas_table *t, const char *name, int flags)
{
  if (t->n_columns == COLUMNS_MAX) return;
  t->columns[t->n_columns].name = eas_strdup(name);
  t->columns[t->n_columns++].flags = flags;
}

void eas_table_cell(eas_table *t, int ink, const char *text)
{
  if (t->n == t->cap) {
    t->cap = t->cap ? 2 * t->cap : 128;
    t->cells = eas_realloc(t->cells, t->cap * sizeof *t->cells);
  }
  t->cells[t->n].text = eas_strdup(text ? text : "");
  t->cells[t->n++].ink = ink;
}

void eas_table_cellf(eas_table *t, int ink, const char *format, ...)
{
  va_list ap;
  eas_buf b;
  eas_buf_init(&b);
  va_start(ap, format);
  eas_buf_vprintf(&b, format, ap);
  va_end(ap);
  eas_table_cell(t, ink, b.data);
  eas_buf_done(&b);
}

int eas_table_rows(const eas_table *t)
{
  return t->n_columns ? (int)(t->n / (size_t)t->n_columns) : 0;
}

static void csv_field(const char *s)
{
  if (!strpbrk(s, ",\"\n\r")) {
    fputs(s, stdout);
    return;
  }
  putchar('"');
  for (; *s; s++) {
    if (*s == '"') putchar('"');
    putchar(*s);
  }
  putchar('"');
}

static void print_csv(const eas_table *t)
{
  for (int i = 0; i < t->n_columns; i++) {
    if (i) putchar(',');
    csv_field(t->columns[i].name);
  }
  putchar('\n');
  for (size_t k = 0; k < t->n; k++) {
    csv_field(t->cells[k].text);
    putchar((int)(k % (size_t)t->n_columns) == t->n_columns - 1 ? '\n' : ',');
  }
}

static int total_width(const eas_table *t)
{
  int sum = 0;
  for (int i = 0; i < t->n_columns; i++)
    if (!t->columns[i].hidden) sum += t->columns[i].width + GAP;
  return sum - GAP;
}

static void measure(eas_table *t)
{
  for (int i = 0; i < t->n_columns; i++) t->columns[i].width = eas_text_columns(t->columns[i].name);
  for (size_t k = 0; k < t->n; k++) {
    int i = (int)(k % (size_t)t->n_columns), w = eas_text_columns(t->cells[k].text);
    if (w > t->columns[i].width) t->columns[i].width = w;
  }
  for (int i = t->n_columns - 1; i >= 0 && t->c->width && total_width(t) > t->c->width; i--)
    if (t->columns[i].flags & EAS_MINOR) t->columns[i].hidden = 1;
}

/* What is still too wide: the widest column of text loses its middle. 0: even so it does not fit. */
static int squeeze(eas_table *t)
{
  while (t->c->width && total_width(t) > t->c->width) {
    int widest = -1;
    for (int i = 0; i < t->n_columns; i++) {
      int wider = widest < 0 || t->columns[i].width > t->columns[widest].width;
      if (!t->columns[i].hidden && !(t->columns[i].flags & EAS_RIGHT) && wider) widest = i;
    }
    if (widest < 0 || t->columns[widest].width <= TEXT_MIN) return 0;
    int room = t->columns[widest].width - (total_width(t) - t->c->width);
    t->columns[widest].width = room < TEXT_MIN ? TEXT_MIN : room;
  }
  return 1;
}

/* On a screen too narrow for a row: a line for each value. */
static void print_blocks(const eas_table *t)
{
  for (size_t k = 0; k < t->n; k++) {
    int i = (int)(k % (size_t)t->n_columns);
    int nothing =
        t->cells[k].ink == EAS_DIM && (strcmp(t->cells[k].text, "0") == 0 || strcmp(t->cells[k].text, "-") == 0);
    if (!t->columns[i].hidden && !nothing)
      printf("%s: %s%s%s\n", t->columns[i].name, eas_ink(t->c, t->cells[k].ink), t->cells[k].text,
             t->cells[k].ink == EAS_PLAIN ? "" : eas_ink_off(t->c));
    if (i == t->n_columns - 1 && k + 1 < t->n) putchar('\n');
  }
}

static void print_cell(const eas_table *t, int i, const char *full, int ink, int last)
{
  char cut[512];
  const char *text = full;
  if (eas_text_columns(full) > t->columns[i].width) {
    eas_text_fit(full, t->columns[i].width, cut, sizeof cut);
    text = cut;
  }
  int pad = t->columns[i].width - eas_text_columns(text);
  if (t->columns[i].flags & EAS_RIGHT) printf("%*s", pad, "");
  printf("%s%s%s", eas_ink(t->c, ink), text, ink == EAS_PLAIN ? "" : eas_ink_off(t->c));
  if (!last) printf("%*s", GAP + (t->columns[i].flags & EAS_RIGHT ? 0 : pad), "");
}

static void print_text(eas_table *t)
{
  measure(t);
  if (!squeeze(t)) {
    print_blocks(t);
    return;
  }
  int last = t->n_columns - 1;
  while (last > 0 && t->columns[last].hidden) last--;
  for (int i = 0; i < t->n_columns; i++)
    if (!t->columns[i].hidden) print_cell(t, i, t->columns[i].name, EAS_DIM, i == last);
  putchar('\n');
  for (size_t k = 0; k < t->n; k++) {
    int i = (int)(k % (size_t)t->n_columns);
    if (!t->columns[i].hidden) print_cell(t, i, t->cells[k].text, t->cells[k].ink, i == last);
    if (i == t->n_columns - 1) putchar('\n');
  }
}

void eas_table_print(eas_table *t, const char *empty)
{
  if (t->c->csv)
    print_csv(t);
  else if (t->n == 0)
    printf("%s\n", empty);
  else
    print_text(t);
  for (size_t k = 0; k < t->n; k++) free(t->cells[k].text);
  for (int i = 0; i < t->n_columns; i++) free(t->columns[i].name);
  free(t->cells);
  free(t);
}
