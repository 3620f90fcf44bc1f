/* lc_fits_rows.c: rows of a FITS table to columns: columns of plain numbers from the bytes of the rows, in one
 * pass over them; what has a scale, or stands in an ASCII table, by cfitsio's conversions. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lightcurve/lc_fits.h"
#include "lightcurve/lc_private.h"

typedef struct {
  int type;  /* TDOUBLE TFLOAT TLONGLONG TLONG TSHORT TBYTE; 0: no such column */
  size_t at; /* of its bytes in a row */
  int64_t null;
  int has_null;
} plain_column;

/* 1 if the column needs nothing but its bytes put in order. */
static int is_plain(const eas_fits_table *t, int role, plain_column *out)
{
  *out = (plain_column){ 0 };
  if (t->at[role] == 0) return 1;
  const tcolumn *c = &t->f->Fptr->tableptr[t->at[role] - 1];
  LONGLONG size;
  switch (c->tdatatype) {
  case TDOUBLE:
  case TLONGLONG: size = 8; break;
  case TFLOAT:
  case TLONG: size = 4; break;
  case TSHORT: size = 2; break;
  case TBYTE: size = 1; break;
  default: return 0;
  }
  if (c->tscale != 1 || c->tzero != 0 || c->tbcol < 0 || c->tbcol > t->f->Fptr->rowlength - size) return 0;
  char key[FLEN_KEYWORD];
  LONGLONG null = 0;
  int none = 0;
  snprintf(key, sizeof key, "TNULL%d", t->at[role]);
  fits_read_key(t->f, TLONGLONG, key, &null, NULL, &none);
  *out = (plain_column){ c->tdatatype, (size_t)c->tbcol, null, none == 0 };
  return 1;
}

static uint64_t big64(const unsigned char *p)
{
  uint64_t v;
  memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  v = __builtin_bswap64(v);
#endif
  return v;
}

static uint32_t big32(const unsigned char *p)
{
  uint32_t v;
  memcpy(&v, p, 4);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  v = __builtin_bswap32(v);
#endif
  return v;
}

static int64_t whole(const plain_column *c, const unsigned char *p)
{
  switch (c->type) {
  case TLONGLONG: return (int64_t)big64(p);
  case TLONG: return (int32_t)big32(p);
  case TSHORT: return (int16_t)(p[0] << 8 | p[1]);
  default: return *p;
  }
}

static void take_reals(const plain_column *c, const unsigned char *row, size_t width, size_t n, double *out)
{
  row += c->at;
  if (c->type == 0) {
    for (size_t i = 0; i < n; i++) out[i] = NAN;
  } else if (c->type == TDOUBLE) {
    for (size_t i = 0; i < n; i++, row += width) {
      uint64_t bits = big64(row);
      memcpy(&out[i], &bits, 8);
    }
  } else if (c->type == TFLOAT) {
    for (size_t i = 0; i < n; i++, row += width) {
      uint32_t bits = big32(row);
      float v;
      memcpy(&v, &bits, 4);
      out[i] = (double)v;
    }
  } else {
    for (size_t i = 0; i < n; i++, row += width) {
      int64_t v = whole(c, row);
      out[i] = c->has_null && v == c->null ? NAN : (double)v;
    }
  }
}

static uint32_t flag_of(const eas_fits_table *t, int64_t v, int64_t mask)
{
  if (t->own) return (uint32_t)v;
  return v & mask ? EAS_LC_BAD : 0;
}

static int read_by_rows(eas_fits_table *t, const plain_column column[EAS_ROLES], eas_lc *lc, int64_t mask,
                        eas_lc_order *order, int *status)
{
  enum { CHUNK_BYTES = 256 << 10 };
  const size_t width = (size_t)t->f->Fptr->rowlength, rows = (size_t)t->rows;
  const size_t chunk = width < CHUNK_BYTES ? CHUNK_BYTES / width : 1;
  const plain_column *flag = &column[EAS_ROLE_FLAG];
  unsigned char *bytes = eas_alloc(chunk * width);
  eas_lc_columns *c = &lc->c;
  for (size_t at = 0; at < rows; at += chunk) {
    size_t n = rows - at < chunk ? rows - at : chunk;
    if (fits_read_tblbytes(t->f, (LONGLONG)at + 1, 1, (LONGLONG)n * (LONGLONG)width, bytes, status)) break;
    take_reals(&column[EAS_ROLE_TIME], bytes, width, n, c->time + at);
    take_reals(&column[EAS_ROLE_FLUX], bytes, width, n, c->flux + at);
    take_reals(&column[EAS_ROLE_ERR], bytes, width, n, c->flux_err + at);
    const unsigned char *p = bytes + flag->at;
    for (size_t i = 0; i < n; i++, p += width) {
      int64_t v = flag->type ? whole(flag, p) : 0;
      c->flag[at + i] = flag->has_null && v == flag->null ? 0 : flag_of(t, v, mask);
    }
    if (t->unit != 1)
      for (size_t i = 0; i < n; i++) c->time[at + i] *= t->unit;
    eas_lc_look(c, at, at + n, order);
  }
  free(bytes);
  return *status;
}

/* One chunk of a column of reals. Only integer columns have nulls to look for: in others they are NaN. */
static int read_reals(eas_fits_table *t, int role, LONGLONG first, long n, double *out, int *status)
{
  double nan_value = NAN;
  int type = 0, none = 0;
  long repeat, width;
  fits_get_coltype(t->f, t->at[role], &type, &repeat, &width, status);
  double *null = type == TFLOAT || type == TDOUBLE ? NULL : &nan_value;
  return fits_read_col(t->f, TDOUBLE, t->at[role], first, 1, n, null, out, &none, status);
}

static int read_flags(eas_fits_table *t, LONGLONG first, long n, int64_t mask, LONGLONG *raw, uint32_t *out,
                      int *status)
{
  LONGLONG null = INT64_MIN + 1;
  int none = 0;
  fits_read_col(t->f, TLONGLONG, t->at[EAS_ROLE_FLAG], first, 1, n, &null, raw, &none, status);
  if (*status) return *status;
  for (long i = 0; i < n; i++) {
    LONGLONG v = raw[i] == null ? 0 : raw[i];
    out[i] = flag_of(t, v, mask);
  }
  return 0;
}

static int read_by_columns(eas_fits_table *t, eas_lc *lc, int64_t mask, eas_lc_order *order, int *status)
{
  long chunk = 0;
  fits_get_rowsize(t->f, &chunk, status); /* rows that fit cfitsio's buffers: one pass over the file */
  if (*status || chunk < 1) chunk = 1000;
  eas_lc_columns *c = &lc->c;
  LONGLONG *raw = eas_alloc((size_t)chunk * sizeof *raw);
  for (LONGLONG at = 0; at < t->rows && *status == 0; at += chunk) {
    long n = t->rows - at < chunk ? (long)(t->rows - at) : chunk;
    read_reals(t, EAS_ROLE_TIME, at + 1, n, c->time + at, status);
    read_reals(t, EAS_ROLE_FLUX, at + 1, n, c->flux + at, status);
    if (t->at[EAS_ROLE_ERR])
      read_reals(t, EAS_ROLE_ERR, at + 1, n, c->flux_err + at, status);
    else
      for (long i = 0; i < n; i++) c->flux_err[at + i] = NAN;
    if (t->at[EAS_ROLE_FLAG])
      read_flags(t, at + 1, n, mask, raw, c->flag + at, status);
    else
      memset(c->flag + at, 0, (size_t)n * sizeof *c->flag);
    if (t->unit != 1)
      for (long i = 0; i < n; i++) c->time[at + i] *= t->unit;
    if (*status == 0) eas_lc_look(c, (size_t)at, (size_t)(at + n), order);
  }
  free(raw);
  return *status;
}

int eas_fits_rows(eas_fits_table *t, eas_lc *lc, int64_t mask, eas_lc_order *order, eas_err *err)
{
  plain_column column[EAS_ROLES];
  int status = 0, plain = t->binary;
  for (int role = EAS_ROLE_TIME; role < EAS_ROLES; role++) plain = plain && is_plain(t, role, &column[role]);
  int type = column[EAS_ROLE_FLAG].type;
  if (plain && type != TDOUBLE && type != TFLOAT)
    read_by_rows(t, column, lc, mask, order, &status);
  else
    read_by_columns(t, lc, mask, order, &status);
  return status ? eas_fits_fail(t, status, "rows", err) : 0;
}
