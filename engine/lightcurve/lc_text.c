/* lc_text.c: rows of text to columns: 256 KB at a time, no copy of a line. */
#include "lightcurve/lc_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lightcurve/lc_private.h"
#include "lightcurve/number.h"

enum { CHUNK = 256 << 10, PAD = 32, LINE_MAX_BYTES = 64 << 10 };

typedef struct {
  eas_bytes *bytes;
  const char *name;
  eas_lc *lc;
  size_t cap;
  size_t line_no;
  double last;        /* latest time */
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
  static const long double scale[] = {
      1e-27L / 86400, 1e-26L / 86400, 1e-25L / 86400, 1e-24L / 86400, 1e-23L / 86400, 1e-22L / 86400, 1e-21L / 86400,
      1e-20L / 86400, 1e-19L / 86400, 1e-18L / 86400, 1e-17L / 86400, 1e-16L / 86400, 1e-15L / 86400, 1e-14L / 86400,
      1e-13L / 86400, 1e-12L / 86400, 1e-11L / 86400, 1e-10L / 86400, 1e-9L / 86400,  1e-8L / 86400,  1e-7L / 86400,
      1e-6L / 86400,  1e-5L / 86400,  1e-4L / 86400,  1e-3L / 86400,  1e-2L / 86400,  1e-1L / 86400,  1e0L / 86400};
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
  r->cap = r->cap ? r->cap * 2 : 16384;
  if (eas_lc_resize(r->lc, r->cap) < 0)
    return eas_fail(r->err, EAS_ENOMEM, "%s: no memory for %zu rows", r->name, r->cap);
  return 0;
}

static int take_row(reader *r, const char *p)
{
  double v[EAS_ROLES] = {0, 0, 0, NAN, 0};
  int rc = read_row(r, p, v);
  if (rc < 0) return rc;
  eas_lc_columns *c = &r->lc->c;
  if (c->n == r->cap && (rc = grow(r)) < 0) return rc;
  double t = r->f.seconds ? v[EAS_ROLE_TIME] : v[EAS_ROLE_TIME] * r->f.unit;
  if (isfinite(t)) {
    if (t < r->last) {
      rc = eas_fail(r->err, EAS_EFORMAT, "%s: line %zu: time goes back from %.9f to %.9f d", r->name, r->line_no,
                    r->last, t);
      eas_hint(r->err, "sort the file by time");
      return rc;
    }
    r->last = t;
  }
  size_t i = c->n++;
  c->time[i] = t;
  c->flux[i] = v[EAS_ROLE_FLUX];
  c->flux_err[i] = v[EAS_ROLE_ERR];
  c->flag[i] = flag_bits(r, v[EAS_ROLE_FLAG]);
  if (i < 16 && v[EAS_ROLE_FLAG] != 0) r->as_flux += v[EAS_ROLE_FLAG] == v[EAS_ROLE_FLUX];
  if (r->f.third && isfinite(v[EAS_ROLE_ERR])) r->third_fraction |= v[EAS_ROLE_ERR] != floor(v[EAS_ROLE_ERR]);
  return 0;
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
    r->began = 1;
  }
  return take_row(r, p);
}

static int take_chunk(reader *r, char *buf, size_t n, size_t *left)
{
  char *p = buf, *end = buf + n;
  while (p < end) {
    char *nl = memchr(p, '\n', (size_t)(end - p));
    if (!nl) break;
    int rc = take_line(r, p, nl);
    if (rc < 0) return rc;
    p = nl + 1;
  }
  *left = (size_t)(end - p);
  if (*left > LINE_MAX_BYTES) {
    r->line_no++;
    return row_fail(r, p, "on a line of more than 64 KB: this is no light curve");
  }
  memmove(buf, p, *left);
  return 0;
}

static int read_all(reader *r, char *buf)
{
  size_t have = 0;
  int first = 1;
  for (;;) {
    ptrdiff_t n = eas_bytes_read(r->bytes, buf + have, CHUNK - have, r->err);
    if (n < 0) return (int)n;
    if (n == 0) break;
    have += (size_t)n;
    if (first && have >= 3 && memcmp(buf, "\xef\xbb\xbf", 3) == 0) /* byte order mark */
      memset(buf, ' ', 3);
    first = 0;
    memset(buf + have, 0, PAD);
    int rc = take_chunk(r, buf, have, &have);
    if (rc < 0) return rc;
  }
  if (have > 0) { /* a last line without its end */
    buf[have] = '\n';
    memset(buf + have + 1, 0, PAD - 1);
    return take_line(r, buf, buf + have);
  }
  return 0;
}

/* A nameless third column after commas: flags if all whole (the stitching group's), else errors. */
static void settle_third(reader *r)
{
  eas_lc_columns *c = &r->lc->c;
  if (!r->f.third || r->third_fraction) return;
  r->f.kind = EAS_TEXT_LCSG;
  for (size_t i = 0; i < c->n; i++) {
    c->flag[i] = flag_bits(r, c->flux_err[i]);
    c->flux_err[i] = NAN;
  }
}

/* The prototype wrote the flux into its column of flags: then nothing is known of them. */
static void settle_flags(reader *r)
{
  eas_lc_columns *c = &r->lc->c;
  int rows = c->n < 16 ? (int)c->n : 16;
  if (r->f.kind != EAS_TEXT_PROTOTYPE || rows == 0 || r->as_flux != rows) return;
  memset(c->flag, 0, c->n * sizeof *c->flag);
  json_object_set_new(r->lc->metadata, "flags_repaired", json_true());
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Sampling step in ms: mean of the middle half of the differences; 0 if there is none. At most
 * 4096 differences are looked at, spread over the light curve. */
static double step_ms(const eas_lc_columns *c)
{
  double diff[4096];
  size_t n = 0, stride = c->n / 4096 + 1;
  for (size_t i = 1; i < c->n && n < 4096; i += stride) {
    double d = c->time[i] - c->time[i - 1];
    if (isfinite(d) && d > 0) diff[n++] = d;
  }
  if (n < 3) return 0;
  qsort(diff, n, sizeof *diff, by_size);
  size_t from = n / 4, to = n * 3 / 4;
  double sum = 0;
  for (size_t i = from; i < to; i++) sum += diff[i];
  double ms = rint(sum / (double)(to - from) * 86400e3);
  return ms >= 1 ? ms : 0;
}

/* The prototype's seconds are days * 86400, rounded: times within 1e-9 d of k steps are that. */
static void snap(eas_lc_columns *c)
{
  double ms = step_ms(c);
  if (ms == 0) return;
  for (size_t i = 0; i < c->n; i++) {
    double t = c->time[i], k = rint(t * 86400e3 / ms);
    if (fabs(k * ms) > 9e15) return;
    double ideal = k * ms / 86400e3;
    if (fabs(t - ideal) < 1e-9) c->time[i] = ideal;
  }
}

static int settle(reader *r)
{
  static const char *const formats[] = {"text", "prototype", "prototype", "lcsg", "text"};
  if (!r->began) {
    const char *why = r->line_no == 0     ? "the file is empty"
                      : r->head.has_names ? "no line of numbers"
                                          : "only comments or blank lines";
    return eas_fail(r->err, EAS_EFORMAT, "%s: no rows: %s", r->name, why);
  }
  settle_third(r);
  settle_flags(r);
  if (r->f.kind == EAS_TEXT_PROTOTYPE) snap(&r->lc->c);
  json_object_set_new(r->lc->metadata, "format", json_string(formats[r->f.kind]));
  return eas_lc_settle(r->lc, r->err);
}

int eas_lc_text_bytes(eas_lc **out, eas_bytes *bytes, const eas_lc_options *options, eas_err *err)
{
  eas_lc *lc;
  int rc = eas_lc_new(&lc, 0, err);
  if (rc < 0) return rc;
  reader r = {.bytes = bytes, .name = eas_bytes_name(bytes), .lc = lc, .last = -INFINITY, .err = err};
  r.head = (eas_text_head){.name = r.name, .options = options, .metadata = lc->metadata};
  char *buf = eas_alloc(CHUNK + PAD);
  rc = read_all(&r, buf);
  if (rc == 0) rc = settle(&r);
  free(buf);
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
