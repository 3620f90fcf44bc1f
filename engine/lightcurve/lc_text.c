/* lc_text.c: rows of text to columns, a block at a time, no copy of a line. */
#include "lightcurve/lc_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lightcurve/lc_blocks.h"
#include "lightcurve/lc_private.h"
#include "lightcurve/number.h"

enum { FIRST_ROWS = 4 << 20 };
_Static_assert((int)EAS_BLOCK_PAD > (int)EAS_NUMBER_PAD, "numbers read ahead");

typedef struct {
  eas_bytes *bytes;
  const char *name;
  eas_lc *lc;
  size_t cap;
  size_t row_bytes; /* of the first row, to guess their number */
  size_t line_no;
  double last;        /* latest time */
  size_t n_duplicate; /* rows of the same time as one before them */
  int began;          /* format is known */
  int as_flux;        /* of the first 16 rows: third column bitwise equal to the flux */
  int third_fraction; /* some value of a nameless third column is no whole number */
  eas_text_format f;
  eas_text_head head;
  eas_err *err;
} reader;

static int is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Seconds to days with one rounding, so that what was written from days comes back: the digits
 * (64 bits) times 10^q / 86400 in 64-bit precision. */
static double days_of(const eas_decimal *d, const char *p, const char *end)
{
  static const long double scale[] = { 1e-27L / 86400, 1e-26L / 86400, 1e-25L / 86400, 1e-24L / 86400, 1e-23L / 86400,
                                       1e-22L / 86400, 1e-21L / 86400, 1e-20L / 86400, 1e-19L / 86400, 1e-18L / 86400,
                                       1e-17L / 86400, 1e-16L / 86400, 1e-15L / 86400, 1e-14L / 86400, 1e-13L / 86400,
                                       1e-12L / 86400, 1e-11L / 86400, 1e-10L / 86400, 1e-9L / 86400,  1e-8L / 86400,
                                       1e-7L / 86400,  1e-6L / 86400,  1e-5L / 86400,  1e-4L / 86400,  1e-3L / 86400,
                                       1e-2L / 86400,  1e-1L / 86400,  1e0L / 86400 };
  if (d->many || d->q < -27 || d->q > 0) return eas_decimal_double(d, p, end) / 86400;
  double v = (double)((long double)d->w * scale[d->q + 27]);
  return d->neg ? -v : v;
}

static int row_fail(reader *r, const char *p, const char *what)
{
  size_t n = 0;
  char word[41];
  for (; n < 40 && p[n] && p[n] != '\n' && p[n] != ',' && !is_blank(p[n]); n++)
    word[n] = p[n] >= 32 && p[n] < 127 ? p[n] : '?';
  word[n] = 0;
  int rc = eas_fail(r->err, EAS_EFORMAT, "%s: line %zu: '%s' is %s", r->name, r->line_no, word, what);
  if (r->lc->c.n == 0)
    eas_hint(r->err, "a light curve is FITS or text (also gzip): the prototype's time[s] flux flag flux_err, "
                     "time,flux,flag or two or three columns in days; '#' begins a comment");
  return rc;
}

/* One value at p into v[role]; returns its end, or NULL with r->err set. */
static const char *read_value(reader *r, const char *p, int role, double v[EAS_ROLES])
{
  eas_decimal d;
  const char *end = eas_decimal_scan(p, &d);
  if (end) {
    if (role == EAS_ROLE_TIME && r->f.seconds)
      v[role] = days_of(&d, p, end);
    else
      v[role] = eas_decimal_double(&d, p, end);
  } else if (*p == ',' || *p == ';') {
    v[role] = NAN; /* an empty field */
    return p;
  } else {
    end = eas_number_word(p, &v[role]);
  }
  if (end && (is_blank(*end) || *end == '\n' || *end == ',' || *end == ';' || *end == '#')) return end;
  row_fail(r, p, "not a number");
  return NULL;
}

/* Splits the row at p into v[]; returns 0, or an EAS_E code. */
static int read_row(reader *r, const char *p, double v[EAS_ROLES])
{
  int n = 0;
  for (;;) {
    int role = n < r->f.n_columns ? r->f.role[n] : EAS_ROLE_SKIP;
    if (role == EAS_ROLE_SKIP) { /* words; between commas they may hold blanks */
      while (*p != ',' && *p != ';' && *p != '\n' && *p != '#' && (r->f.comma || !is_blank(*p))) p++;
    } else {
      p = read_value(r, p, role, v);
      if (!p) return EAS_EFORMAT;
    }
    n++;
    while (is_blank(*p)) p++;
    if (*p == ',' || *p == ';') {
      p++;
      while (is_blank(*p)) p++;
    }
    if (*p == '\n' || *p == '#') break;
  }
  if (n != r->f.n_columns)
    return eas_fail(r->err, EAS_EFORMAT, "%s: line %zu: %d columns, %d expected", r->name, r->line_no, n,
                    r->f.n_columns);
  return 0;
}

static uint32_t flag_bits(const reader *r, double v)
{
  if (!(v >= 0 && v <= UINT32_MAX) || v != floor(v)) return EAS_LC_BAD;
  uint32_t bits = (uint32_t)v;
  const char *quality = r->head.options ? r->head.options->quality : NULL;
  if (r->f.kind == EAS_TEXT_PLAIN) /* whoever's flags: only that there is one is known */
    bits = bits != 0;
  if (quality && strcmp(quality, "none") == 0) bits &= ~(uint32_t)EAS_LC_BAD;
  return bits;
}

static int grow(reader *r)
{
  if (r->lc->c.n >= EAS_LC_MAX_ROWS)
    return eas_fail(r->err, EAS_ELIMIT, "%s: more than %d rows", r->name, EAS_LC_MAX_ROWS);
  size_t guess = eas_bytes_size(r->bytes) / (r->row_bytes + 1) + 1024;
  r->cap = r->cap ? r->cap * 2 : guess < FIRST_ROWS ? guess : FIRST_ROWS;
  if (r->cap > EAS_LC_MAX_ROWS) r->cap = EAS_LC_MAX_ROWS;
  if (eas_lc_resize(r->lc, r->cap) < 0)
    return eas_fail(r->err, EAS_ENOMEM, "%s: no memory for %zu rows", r->name, r->cap);
  return 0;
}

static int time_back(const reader *r, double t)
{
  int rc = eas_fail(r->err, EAS_EFORMAT, "%s: line %zu: time goes back from %.9f to %.9f d", r->name, r->line_no,
                    r->last, t);
  eas_hint(r->err, "sort the file by time");
  return rc;
}

/* A row of values into the columns. */
static inline int put_row(reader *r, const double v[EAS_ROLES])
{
  eas_lc_columns *c = &r->lc->c;
  int rc;
  if (c->n == r->cap && (rc = grow(r)) < 0) return rc;
  double t = r->f.seconds ? v[EAS_ROLE_TIME] : v[EAS_ROLE_TIME] * r->f.unit;
  double flag = v[EAS_ROLE_FLAG];
  uint32_t bits = flag == 0 ? 0 : flag_bits(r, flag);
  if (!isfinite(t) || !isfinite(v[EAS_ROLE_FLUX])) bits |= EAS_LC_BAD;
  if (isfinite(t)) {
    if (t < r->last) return time_back(r, t);
    if (t == r->last) {
      r->n_duplicate++;
      return 0;
    }
    r->last = t;
  }
  size_t i = c->n++;
  c->time[i] = t;
  c->flux[i] = v[EAS_ROLE_FLUX];
  c->flux_err[i] = v[EAS_ROLE_ERR];
  c->flag[i] = bits;
  if (i < 16 && flag != 0) r->as_flux += flag == v[EAS_ROLE_FLUX];
  if (r->f.third && isfinite(v[EAS_ROLE_ERR])) r->third_fraction |= v[EAS_ROLE_ERR] != floor(v[EAS_ROLE_ERR]);
  return 0;
}

static int take_row(reader *r, const char *p)
{
  double v[EAS_ROLES] = { 0, 0, 0, NAN, 0 };
  int rc = read_row(r, p, v);
  return rc < 0 ? rc : put_row(r, v);
}

/* The rows of [p, end), whole lines, that are nothing but numbers with one blank or comma between: most of what is
 * read, at twice the speed of the general way. Stops at a row that is not and gives where. */
static char *take_plain_rows(reader *r, char *p, const char *end, int *rc)
{
  static const char zero[] = "0.000000000000000000e+00 "; /* most flags of the prototype */
  enum { ZERO = sizeof zero - 1 };
  if (!r->began || r->f.n_columns > 4) return p;
  const int n = r->f.n_columns;
  const char between = r->f.comma ? ',' : ' ';
  while (p < end) {
    double v[EAS_ROLES] = { 0, 0, 0, NAN, 0 };
    const char *q = p;
    for (int k = 0; k < n; k++) {
      int role = r->f.role[k];
      if (role >= EAS_ROLE_ERR && k + 1 < n && memcmp(q, zero, ZERO) == 0) {
        v[role] = 0;
        q += ZERO;
        continue;
      }
      eas_decimal d;
      const char *to = eas_decimal_scan(q, &d);
      if (!to || *to != (k + 1 < n ? between : '\n')) return p;
      if (role == EAS_ROLE_TIME && r->f.seconds)
        v[role] = days_of(&d, q, to);
      else if (!eas_decimal_fast(&d, &v[role]))
        v[role] = eas_number_slow(q, to);
      q = to + 1;
    }
    r->line_no++;
    p += q - p;
    *rc = put_row(r, v);
    if (*rc < 0) return p;
  }
  return p;
}

/* The line [p, end), *end is '\n'. */
static int take_line(reader *r, const char *p, const char *end)
{
  r->line_no++;
  while (is_blank(*p)) p++;
  if (p == end) return 0;
  if (*p == '#') {
    if (!r->began) eas_text_comment(&r->head, p, end);
    return 0;
  }
  if (!r->began) {
    if (eas_text_names(&r->head, p, end)) return 0;
    eas_decimal d;
    double v;
    int number = eas_decimal_scan(p, &d) || eas_number_word(p, &v);
    if (!number && !r->head.has_names) return row_fail(r, p, "not a number");
    int rc = eas_text_decide(&r->head, p, end, r->line_no, &r->f, r->err);
    if (rc < 0) /* a row of words below a line of words is not worth a word on columns */
      return number || rc == EAS_EINVAL ? rc : row_fail(r, p, "not a number");
    r->row_bytes = (size_t)(end - p);
    r->began = 1;
  }
  return take_row(r, p);
}

/* The whole lines of a block; *p moves to what is left of it. */
static int take_block(reader *r, char **at, const char *end)
{
  char *p = *at, *last = memrchr(p, '\n', (size_t)(end - p));
  while (last && p <= last) {
    int rc = 0;
    p = take_plain_rows(r, p, last + 1, &rc);
    if (rc < 0) return rc;
    if (p > last) break;
    char *nl = memchr(p, '\n', (size_t)(end - p));
    rc = take_line(r, p, nl);
    if (rc < 0) return rc;
    p = nl + 1;
  }
  *at = p;
  if (end - p <= EAS_BLOCK_REST) return 0;
  r->line_no++;
  return row_fail(r, p, "on a line of more than 64 KB: this is no light curve");
}

static int read_blocks(reader *r, eas_blocks *blocks)
{
  char *p = NULL;
  size_t n = 0;
  for (int first = 1;; first = 0) {
    int rc = eas_blocks_next(blocks, p, n, &p, &n, r->err);
    if (rc < 0) return rc;
    if (first && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) memset(p, ' ', 3); /* byte order mark */
    char *end = p + n;
    memset(end, 0, EAS_BLOCK_PAD);
    if (rc == 0 && n > 0) { /* a last line without its end */
      *end = '\n';
      return take_line(r, p, end);
    }
    if (rc == 0) return 0;
    rc = take_block(r, &p, end);
    if (rc < 0) return rc;
    n = (size_t)(end - p);
  }
}

/* A nameless third column after commas: flags if all whole (the stitching group's), else errors. */
static void settle_third(reader *r)
{
  eas_lc_columns *c = &r->lc->c;
  if (!r->f.third || r->third_fraction) return;
  r->f.kind = EAS_TEXT_LCSG;
  for (size_t i = 0; i < c->n; i++) {
    c->flag[i] |= flag_bits(r, c->flux_err[i]);
    c->flux_err[i] = NAN;
  }
}

/* The prototype wrote the flux into its column of flags: then nothing is known of them. */
static void settle_flags(reader *r)
{
  eas_lc_columns *c = &r->lc->c;
  int rows = c->n < 16 ? (int)c->n : 16;
  if (r->f.kind != EAS_TEXT_PROTOTYPE || rows == 0 || r->as_flux != rows) return;
  for (size_t i = 0; i < c->n; i++) c->flag[i] = isfinite(c->time[i]) && isfinite(c->flux[i]) ? 0 : EAS_LC_BAD;
  json_object_set_new(r->lc->metadata, "flags_repaired", json_true());
}

static int settle(reader *r)
{
  static const char *const formats[] = { "text", "prototype", "prototype", "lcsg", "text" };
  if (!r->began) {
    const char *why = r->line_no == 0     ? "the file is empty"
                      : r->head.has_names ? "no line of numbers"
                                          : "only comments or blank lines";
    return eas_fail(r->err, EAS_EFORMAT, "%s: no rows: %s", r->name, why);
  }
  settle_third(r);
  settle_flags(r);
  json_object_set_new(r->lc->metadata, "format", json_string(formats[r->f.kind]));
  eas_lc_columns *c = &r->lc->c;
  c->n_rows = c->n;
  int rc = 0;
  if (r->f.kind == EAS_TEXT_PROTOTYPE) {
    eas_lc_snap(c);
    eas_lc_order order = EAS_LC_ORDER; /* what was snapped may be double now */
    eas_lc_look(c, 0, c->n, &order);
    rc = eas_lc_settle(r->lc, &order, r->err);
  }
  if (c->n < r->cap / 2 && rc == 0) eas_lc_resize(r->lc, c->n); /* without memory for less, it stays as large */
  c->n_rows += r->n_duplicate;
  c->n_duplicate += r->n_duplicate;
  return rc;
}

int eas_lc_text_bytes(eas_lc **out, eas_bytes *bytes, const eas_lc_options *options, eas_err *err)
{
  eas_lc *lc;
  int rc = eas_lc_new(&lc, 0, err);
  if (rc < 0) return rc;
  reader r = { .bytes = bytes, .name = eas_bytes_name(bytes), .lc = lc, .last = -INFINITY, .err = err };
  r.head = (eas_text_head){ .name = r.name, .options = options, .metadata = lc->metadata };
  eas_blocks *blocks = eas_blocks_open(bytes);
  rc = read_blocks(&r, blocks);
  eas_blocks_close(blocks);
  if (rc == 0) rc = settle(&r);
  if (rc < 0) {
    eas_lc_free(lc);
    return rc;
  }
  *out = lc;
  return 0;
}

int eas_lc_read_text(eas_lc **out, const char *path, const eas_lc_options *options, eas_err *err)
{
  eas_bytes *bytes;
  int rc = eas_bytes_open(&bytes, path, err);
  if (rc < 0) return rc;
  rc = eas_lc_text_bytes(out, bytes, options, err);
  eas_bytes_close(bytes);
  return rc;
}

int eas_lc_parse_text(eas_lc **out, const char *data, size_t n, const char *name, const eas_lc_options *options,
                      eas_err *err)
{
  eas_bytes *bytes = eas_bytes_over(data, n, name);
  int rc = eas_lc_text_bytes(out, bytes, options, err);
  eas_bytes_close(bytes);
  return rc;
}
