/* lc_fits.c: binary and ASCII tables of FITS files, by cfitsio, a chunk of rows at a time. */
#include "lightcurve/lc_fits.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "lightcurve/lc_private.h"

enum { MAX_COLUMNS = 999, BLOCK = 2880 };
static const size_t MAX_UNPACKED = (size_t)2 << 30;

int eas_fits_fail(const eas_fits_table *t, int status, const char *what, eas_err *err)
{
  char text[FLEN_STATUS] = "";
  fits_get_errstatus(status, text);
  char message[FLEN_ERRMSG];
  while (fits_read_errmsg(message)) /* the stack is per process: leave none for the next reader */
    ;
  if (t->hdu < 0) return eas_fail(err, EAS_EFORMAT, "%s: %s: %s", t->name, what, text);
  return eas_fail(err, EAS_EFORMAT, "%s: HDU %d: %s: %s", t->name, t->hdu, what, text);
}

typedef struct {
  int n;
  char *name[MAX_COLUMNS];
} column_names;

static void names_done(column_names *c)
{
  for (int i = 0; i < c->n; i++) free(c->name[i]);
  free(c);
}

static column_names *names_read(fitsfile *f)
{
  column_names *c = eas_alloc(sizeof *c);
  int status = 0, n = 0;
  fits_get_num_cols(f, &n, &status);
  for (int i = 0; i < n && i < MAX_COLUMNS && status == 0; i++) {
    char key[FLEN_KEYWORD], name[FLEN_VALUE] = "";
    int none = 0;
    snprintf(key, sizeof key, "TTYPE%d", i + 1);
    fits_read_key(f, TSTRING, key, name, NULL, &none);
    size_t len = strlen(name);
    while (len > 0 && name[len - 1] == ' ') name[--len] = 0;
    c->name[c->n++] = eas_strdup(name);
  }
  return c;
}

/* "TIME, SAP_FLUX, … 3 more" */
static void names_list(const column_names *c, char *out, size_t cap)
{
  size_t len = 0;
  out[0] = 0;
  for (int i = 0; i < c->n; i++) {
    if (i == 8) {
      snprintf(out + len, cap - len, " and %d more", c->n - i);
      return;
    }
    int k = snprintf(out + len, cap - len, "%s%.40s", i ? ", " : "", c->name[i]);
    len += (size_t)k < cap - len ? (size_t)k : cap - len - 1;
  }
}

static int has_name(const column_names *c, const char *name)
{
  for (int i = 0; i < c->n; i++)
    if (strcasecmp(c->name[i], name) == 0) return 1;
  return 0;
}

static int missing_column(const eas_fits_table *t, const column_names *c, const char *wanted, eas_err *err)
{
  char list[600];
  names_list(c, list, sizeof list);
  int rc = eas_fail(err, EAS_EINVAL, "%s: HDU %d: no column '%s'", t->name, t->hdu, wanted);
  const char *use = "use --columns TIME,FLUX with their names";
  if (strcasecmp(wanted, "PDCSAP_FLUX") == 0 && has_name(c, "SAP_FLUX"))
    use = "use --flux sap";
  else if (strcasecmp(wanted, "SAP_FLUX") == 0 && has_name(c, "PDCSAP_FLUX"))
    use = "use --flux pdcsap";
  eas_hint(err, "columns: %s; %s", list, use);
  return rc;
}

/* Looks at the current HDU: 0 with t->at set, 1 if it is no light curve (err then says why). */
static int try_table(eas_fits_table *t, const eas_lc_options *options, eas_err *err)
{
  column_names *c = names_read(t->f);
  char wanted[80];
  int rc = eas_lc_pick((const char *const *)c->name, c->n, options, t->at, wanted);
  if (rc > 0) {
    missing_column(t, c, wanted, err);
    rc = 1;
  } else {
    snprintf(t->flux_name, sizeof t->flux_name, "%s", c->name[t->at[EAS_ROLE_FLUX]]);
    for (int role = 0; role < EAS_ROLES; role++) t->at[role]++;
  }
  names_done(c);
  return rc;
}

/* Goes to the first table that has the columns; else reports the first table, or why there is none. */
static int find_table(eas_fits_table *t, const eas_lc_options *options, eas_err *err)
{
  int status = 0, tables = 0;
  eas_err ignored;
  for (int i = 2; i <= t->n_hdu && status == 0; i++) {
    int type = IMAGE_HDU;
    fits_movabs_hdu(t->f, i, &type, &status);
    t->hdu = i - 1;
    t->binary = type == BINARY_TBL;
    if (status || (type != BINARY_TBL && type != ASCII_TBL)) continue;
    if (try_table(t, options, tables++ ? &ignored : err) == 0) return 0;
  }
  if (status) return eas_fits_fail(t, status, "cannot be read", err);
  if (tables > 0) return EAS_EINVAL;
  if (t->why[0]) return eas_fail(err, EAS_EFORMAT, "%s: %s", t->name, t->why);
  return eas_fail(err, EAS_EFORMAT, "%s: no table in %d HDU%s", t->name, t->n_hdu, t->n_hdu == 1 ? "" : "s");
}

static int check_columns(eas_fits_table *t, eas_err *err)
{
  static const char *const role_name[] = { "", "time", "flux", "flux_err", "quality" };
  for (int role = EAS_ROLE_TIME; role < EAS_ROLES; role++) {
    if (t->at[role] == 0) continue;
    int status = 0, type = 0;
    long repeat = 0, width = 0;
    if (fits_get_eqcoltype(t->f, t->at[role], &type, &repeat, &width, &status))
      return eas_fits_fail(t, status, role_name[role], err);
    int number = type == TBYTE || type == TSBYTE || type == TSHORT || type == TUSHORT || type == TINT ||
                 type == TUINT || type == TLONG || type == TULONG || type == TLONGLONG || type == TULONGLONG ||
                 type == TFLOAT || type == TDOUBLE;
    if (number && repeat == 1) continue;
    if (role == EAS_ROLE_FLAG) { /* bit or text flags of others: not understood, not needed */
      t->at[role] = 0;
      continue;
    }
    if (!number)
      return eas_fail(err, EAS_EFORMAT, "%s: HDU %d: column %d (%s): holds no numbers", t->name, t->hdu, t->at[role],
                      role_name[role]);
    return eas_fail(err, EAS_EFORMAT, "%s: HDU %d: column %d (%s): %ld values a row, 1 expected", t->name, t->hdu,
                    t->at[role], role_name[role], repeat);
  }
  return 0;
}

static int check_unit(eas_fits_table *t, eas_err *err)
{
  char key[FLEN_KEYWORD], unit[FLEN_VALUE] = "";
  int none = 0;
  snprintf(key, sizeof key, "TUNIT%d", t->at[EAS_ROLE_TIME]);
  if (fits_read_key(t->f, TSTRING, key, unit, NULL, &none)) {
    none = 0;
    fits_read_key(t->f, TSTRING, "TIMEUNIT", unit, NULL, &none);
  }
  t->unit = eas_lc_time_unit(unit);
  if (t->unit == 0)
    return eas_fail(err, EAS_EFORMAT, "%s: HDU %d: time in '%s': days, hours, minutes, seconds are known", t->name,
                    t->hdu, unit);
  return 0;
}

static int check_rows(eas_fits_table *t, eas_err *err)
{
  int status = 0;
  LONGLONG rows = 0;
  fits_get_num_rowsll(t->f, &rows, &status);
  if (status) return eas_fits_fail(t, status, "header", err);
  if (rows > EAS_LC_MAX_ROWS)
    return eas_fail(err, EAS_ELIMIT, "%s: HDU %d: %lld rows: the limit is %d", t->name, t->hdu, rows, EAS_LC_MAX_ROWS);
  t->rows = rows;
  return 0;
}

/* The table that t stands on. */
static int read_table(eas_lc **out, eas_fits_table *t, const eas_lc_options *options, eas_err *err)
{
  eas_lc *lc = NULL;
  int64_t mask = 0;
  int rc;
  if ((rc = check_columns(t, err)) < 0 || (rc = check_unit(t, err)) < 0 || (rc = check_rows(t, err)) < 0) return rc;
  rc = eas_lc_new(&lc, 0, err);
  if (rc < 0) return rc;
  eas_lc_order order = EAS_LC_ORDER;
  if (eas_lc_resize(lc, (size_t)t->rows) < 0)
    rc = eas_fail(err, EAS_ENOMEM, "%s: no memory for %lld rows", t->name, (long long)t->rows);
  lc->c.n = rc < 0 ? 0 : (size_t)t->rows;
  if (rc == 0) rc = eas_fits_metadata(t, lc->metadata, err);
  if (rc == 0) rc = eas_fits_mask(t, options, &mask, err);
  if (rc == 0) rc = eas_fits_rows(t, lc, mask, &order, err);
  if (rc == 0 && !t->own && t->at[EAS_ROLE_FLAG]) json_object_set_new(lc->metadata, "quality_mask", json_integer(mask));
  if (rc == 0) rc = eas_lc_settle(lc, &order, err);
  if (rc < 0) {
    eas_lc_free(lc);
    return rc;
  }
  *out = lc;
  return 0;
}

/* Bytes up to the next whole FITS block: cfitsio reads memory by blocks, beyond the end of a last broken one. */
static size_t padding(size_t n)
{
  return n % BLOCK ? BLOCK - n % BLOCK : 0;
}

static int read_open(eas_lc **out, eas_fits_table *t, const eas_lc_options *options, eas_err *err)
{
  int status = 0, rc = find_table(t, options, err);
  if (rc == 0) rc = read_table(out, t, options, err);
  fits_close_file(t->f, &status);
  return rc;
}

/* n bytes followed by their padding. */
static int read_memory(eas_lc **out, char *data, size_t n, const char *name, const eas_lc_options *options,
                       eas_err *err)
{
  eas_fits_table t = { .name = name, .hdu = -1 };
  const eas_fits_source src = { .mem = data, .size = (int64_t)n };
  int status = 0;
  void *memory = data;
  size_t whole = n + padding(n);
  int rc = eas_fits_check(&t, &src, err);
  if (rc < 0) return rc;
  fits_open_memfile(&t.f, "memory", READONLY, &memory, &whole, 0, NULL, &status);
  if (status) return eas_fits_fail(&t, status, "not a FITS file", err);
  return read_open(out, &t, options, err);
}

int eas_lc_parse_fits(eas_lc **out, const char *data, size_t n, const char *name, const eas_lc_options *options,
                      eas_err *err)
{
  char *copy = eas_alloc(n + padding(n));
  if (n > 0) memcpy(copy, data, n);
  int rc = read_memory(out, copy, n, name, options, err);
  free(copy);
  return rc;
}

static int read_disk(eas_lc **out, const char *path, const eas_lc_options *options, eas_err *err)
{
  eas_fits_table t = { .name = path, .hdu = -1 };
  eas_fits_source src = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
  int status = 0;
  if (src.fd < 0) return eas_open_failed(path, errno, err);
  src.size = lseek(src.fd, 0, SEEK_END);
  int rc = eas_fits_check(&t, &src, err);
  if (rc == 0) {
    /* diskfile: a name is a name, not cfitsio's little language of filters and addresses */
    fits_open_diskfile(&t.f, path, READONLY, &status);
    rc = status ? eas_fits_fail(&t, status, "not a FITS file", err) : read_open(out, &t, options, err);
  }
  close(src.fd);
  return rc;
}

int eas_lc_fits_bytes(eas_lc **out, eas_bytes *bytes, const char *path, const eas_lc_options *options, eas_err *err)
{
  struct stat st;
  /* cfitsio wants whole blocks; gzip and pipes have no place to seek to */
  if (!eas_bytes_is_gzip(bytes) && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size % BLOCK == 0)
    return read_disk(out, path, options, err);
  eas_buf all;
  eas_buf_init(&all);
  int rc = eas_bytes_rest(bytes, MAX_UNPACKED, &all, err);
  if (rc == 0) {
    eas_buf_reserve(&all, BLOCK);
    memset(all.data + all.len, 0, BLOCK);
    rc = read_memory(out, all.data, all.len, path, options, err);
  }
  eas_buf_done(&all);
  return rc;
}

int eas_lc_read_fits(eas_lc **out, const char *path, const eas_lc_options *options, eas_err *err)
{
  eas_bytes *bytes;
  int rc = eas_bytes_open(&bytes, path, err);
  if (rc < 0) return rc;
  rc = eas_lc_fits_bytes(out, bytes, path, options, err);
  eas_bytes_close(bytes);
  return rc;
}
