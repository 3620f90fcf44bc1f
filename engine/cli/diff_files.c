/* diff_files.c: see diff_files.h. */
#include "cli/diff_files.h"

#include <fitsio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "lightcurve/lc.h"

enum { COLUMNS_MAX = 100 };
#define FILE_MAX_BYTES ((size_t)4 << 30)

static int same_number(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

static void add_column(json_t *columns, const char *name, const double *a, const double *b, size_t n)
{
  size_t differ = 0, row = 0;
  double most = -1;
  for (size_t i = 0; i < n; i++) {
    if (same_number(a[i], b[i])) continue;
    double d = fabs(a[i] - b[i]);
    if (isnan(d)) d = INFINITY; /* a number became none: no difference is larger */
    if (d > most) {
      most = d;
      row = i;
    }
    differ++;
  }
  if (differ == 0) return;
  json_t *v = json_pack("{s:I,s:I}", "differ", (json_int_t)differ, "row", (json_int_t)row);
  const double values[] = { most, a[row], b[row] };
  static const char *const names[] = { "most", "was", "is" };
  for (int i = 0; i < 3; i++)
    json_object_set_new(v, names[i], isfinite(values[i]) ? json_real(values[i]) : json_null());
  json_object_set_new(columns, name, v);
}

static json_t *of_rows(size_t na, size_t nb, json_t *columns)
{
  return json_pack("{s:b,s:[I,I],s:o}", "same", na == nb && json_object_size(columns) == 0, "rows", (json_int_t)na,
                   (json_int_t)nb, "columns", columns);
}

static double *flags_of(const eas_lc_columns *c)
{
  double *list = eas_alloc((c->n + 1) * sizeof *list);
  for (size_t i = 0; i < c->n; i++) list[i] = (double)c->flag[i];
  return list;
}

static json_t *diff_curves(const char *a, const char *b)
{
  eas_lc *p = NULL, *q = NULL;
  static const eas_lc_options as_is = { .quality = "none" };
  json_t *found = NULL;
  if (eas_lc_read(&p, a, &as_is, NULL) >= 0 && eas_lc_read(&q, b, &as_is, NULL) >= 0) {
    size_t n = p->c.n < q->c.n ? p->c.n : q->c.n;
    json_t *columns = json_object();
    double *f = flags_of(&p->c), *g = flags_of(&q->c);
    add_column(columns, "time", p->c.time, q->c.time, n);
    add_column(columns, "flux", p->c.flux, q->c.flux, n);
    add_column(columns, "flux_err", p->c.flux_err, q->c.flux_err, n);
    add_column(columns, "flag", f, g, n);
    free(f);
    free(g);
    found = of_rows(p->c.n, q->c.n, columns);
  }
  eas_lc_free(p);
  eas_lc_free(q);
  return found;
}

/* The first table of a file. */
static fitsfile *open_table(const char *path, long *rows)
{
  fitsfile *f = NULL;
  int status = 0;
  if (fits_open_diskfile(&f, path, READONLY, &status) || fits_movabs_hdu(f, 2, NULL, &status) ||
      fits_get_num_rows(f, rows, &status)) {
    int ignored = 0;
    if (f) fits_close_file(f, &ignored);
    return NULL;
  }
  return f;
}

static double *read_column(fitsfile *f, const char *name, long n)
{
  int column = 0, status = 0, any = 0;
  double none = NAN, *list = eas_alloc((size_t)(n + 1) * sizeof *list);
  if (fits_get_colnum(f, CASEINSEN, (char *)(uintptr_t)name, &column, &status) ||
      (n > 0 && fits_read_col(f, TDOUBLE, column, 1, 1, n, &none, list, &any, &status))) {
    free(list);
    return NULL;
  }
  return list;
}

static json_t *diff_tables(const char *a, const char *b)
{
  long na = 0, nb = 0;
  fitsfile *p = open_table(a, &na), *q = open_table(b, &nb);
  json_t *columns = p && q ? json_object() : NULL;
  int n_columns = 0, status = 0, read = 0;
  if (columns) fits_get_num_cols(p, &n_columns, &status);
  for (int i = 1; i <= n_columns && i <= COLUMNS_MAX && status == 0; i++) {
    char number[16], name[80] = "";
    int column = 0, ignored = 0;
    snprintf(number, sizeof number, "%d", i);
    if (fits_get_colname(p, CASEINSEN, number, name, &column, &ignored)) break;
    long n = na < nb ? na : nb;
    double *x = read_column(p, name, n), *y = read_column(q, name, n);
    if (x && y) {
      add_column(columns, name, x, y, (size_t)n);
      read++;
    }
    free(x);
    free(y);
  }
  int ignored = 0;
  if (p) fits_close_file(p, &ignored);
  ignored = 0;
  if (q) fits_close_file(q, &ignored);
  if (read > 0) return of_rows((size_t)na, (size_t)nb, columns);
  json_decref(columns);
  return NULL;
}

json_t *eas_diff_files(const char *a, const char *b)
{
  eas_buf x, y;
  eas_buf_init(&x);
  eas_buf_init(&y);
  json_t *found = NULL;
  if (eas_file_read(a, FILE_MAX_BYTES, &x, NULL) >= 0 && eas_file_read(b, FILE_MAX_BYTES, &y, NULL) >= 0) {
    size_t n = x.len < y.len ? x.len : y.len, at = 0;
    while (at < n && x.data[at] == y.data[at]) at++;
    if (at == x.len && at == y.len) found = json_pack("{s:b}", "same", 1);
    if (!found) found = diff_curves(a, b);
    if (!found) found = diff_tables(a, b);
    if (!found)
      found = json_pack("{s:b,s:[I,I],s:I}", "same", 0, "bytes", (json_int_t)x.len, (json_int_t)y.len, "first",
                        (json_int_t)at);
  }
  eas_buf_done(&x);
  eas_buf_done(&y);
  return found;
}
