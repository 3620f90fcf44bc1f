/* lc_fits_write.c: a light curve as a binary table that TOPCAT, astropy and lightkurve open. */
#include <errno.h>
#include <fitsio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "lightcurve/lc_fits.h"
#include "lightcurve/lc_private.h"

static int fits_write_fail(const char *path, int status, int error, eas_err *err)
{
  char text[FLEN_STATUS];
  int code = eas_io_code(error);
  fits_get_errstatus(status, text);
  fits_clear_errmsg();
  /* cfitsio does not say why the system refused */
  if (code == EAS_ENOSPC) return eas_fail(err, code, "write '%s': no space left on device (%s)", path, text);
  return eas_fail(err, code, "write '%s': %s", path, text);
}

static int printable(const char *s, size_t limit)
{
  size_t n = strlen(s);
  for (size_t i = 0; i < n; i++)
    if (s[i] < 32 || s[i] > 126) return 0;
  return n > 0 && n <= limit;
}

/* For people's eyes: scalars that fit a card, as HIERARCH EAS key = value. Readers of ours take the
 * JSON, so what does not fit is left out without loss. */
static void write_shown(fitsfile *f, const json_t *metadata)
{
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)metadata, key, v)
  {
    char card[80];
    int status = 0;
    if (!printable(key, 36) || strpbrk(key, "=' ") || !json_is_number(v)) continue;
    snprintf(card, sizeof card, "HIERARCH EAS %s", key);
    if (json_is_integer(v)) {
      LONGLONG whole = json_integer_value(v);
      fits_write_key(f, TLONGLONG, card, &whole, NULL, &status);
    } else {
      double real = json_real_value(v);
      fits_write_key(f, TDOUBLE, card, &real, NULL, &status);
    }
  }
  fits_clear_errmsg();
}

/* The cards that other software looks for. */
static void write_known(fitsfile *f, const json_t *metadata, int *status)
{
  static const char *const cards[][2] = { { "mission", "TELESCOP" }, { "object", "OBJECT" } };
  for (size_t i = 0; i < 2; i++) {
    const char *text = json_string_value(json_object_get(metadata, cards[i][0]));
    if (text && printable(text, 68)) fits_write_key(f, TSTRING, cards[i][1], (void *)(uintptr_t)text, NULL, status);
  }
  const json_t *offset = json_object_get(metadata, "time_offset");
  if (json_is_number(offset)) {
    double value = json_number_value(offset);
    LONGLONG whole = (LONGLONG)value;
    double part = value - (double)whole;
    fits_write_key(f, TSTRING, "TIMESYS", "TDB", NULL, status);
    fits_write_key(f, TLONGLONG, "BJDREFI", &whole, "[d] TIME counts from BJDREFI + BJDREFF", status);
    fits_write_key(f, TDOUBLE, "BJDREFF", &part, NULL, status);
  }
  fits_write_key(f, TSTRING, "TIMEUNIT", "d", NULL, status);
}

static int write_header(fitsfile *f, const eas_lc *lc, int *status)
{
  char *type[] = { "TIME", "FLUX", "FLUX_ERR", "QUALITY" };
  char *form[] = { "1D", "1D", "1D", "1J" };
  char *unit[] = { "d", "", "", "" };
  fits_create_img(f, BYTE_IMG, 0, NULL, status);
  fits_create_tbl(f, BINARY_TBL, (LONGLONG)lc->c.n, 4, type, form, unit, "LIGHTCURVE", status);
  write_known(f, lc->metadata, status);
  char *json = json_dumps(lc->metadata, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
  if (!json) return -1;
  if (*status == 0) write_shown(f, lc->metadata);
  fits_write_key_longwarn(f, status);
  fits_write_key_longstr(f, EAS_FITS_META, json, "", status);
  free(json);
  return 0;
}

static void write_rows(fitsfile *f, const eas_lc_columns *c, int *status)
{
  long chunk = 0;
  fits_get_rowsize(f, &chunk, status);
  size_t step = chunk > 0 ? (size_t)chunk : 1000;
  for (size_t at = 0; at < c->n && *status == 0; at += step) {
    LONGLONG n = (LONGLONG)(c->n - at < step ? c->n - at : step), row = (LONGLONG)at + 1;
    fits_write_col(f, TDOUBLE, 1, row, 1, n, c->time + at, status);
    fits_write_col(f, TDOUBLE, 2, row, 1, n, c->flux + at, status);
    fits_write_col(f, TDOUBLE, 3, row, 1, n, c->flux_err + at, status);
    fits_write_col(f, TINT, 4, row, 1, n, c->flag + at, status);
  }
}

int eas_lc_write_fits(const eas_lc *lc, const char *path, eas_err *err)
{
  fitsfile *f = NULL;
  int status = 0;
  if (strlen(path) >= FLEN_FILENAME - 1)
    return eas_fail(err, EAS_EINVAL, "write '%.200s...': the name has more than %d bytes", path, FLEN_FILENAME - 2);
  unlink(path); /* an old file is replaced; cfitsio would refuse */
  errno = 0;
  fits_create_diskfile(&f, path, &status);
  if (status) return fits_write_fail(path, status, errno, err);
  if (write_header(f, lc, &status) < 0) {
    status = 0;
    fits_delete_file(f, &status);
    return eas_fail(err, EAS_EINVAL, "write '%s': the metadata are no JSON", path);
  }
  errno = 0;
  write_rows(f, &lc->c, &status);
  int closing = 0, error = status ? errno : 0;
  fits_close_file(f, &closing); /* flushes: a full disk shows here */
  if (status == 0) status = closing;
  if (error == 0) error = errno;
  if (status) {
    unlink(path);
    return fits_write_fail(path, status, error, err);
  }
  return 0;
}
