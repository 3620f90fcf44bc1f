/* results_file.c: see results_file.h. */
#include "cli/results_file.h"

#include <fitsio.h>
#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/path.h"

enum { COLUMNS_MAX = 400 };

typedef enum { WHOLE, REAL, TRUTH, TEXT } kind;

typedef struct {
  const char *name;
  kind kind;
  int width; /* of texts, bytes */
} column;

typedef struct {
  column list[COLUMNS_MAX];
  int n;
  size_t n_rows;
} columns;

static const char *unit_of(const char *name)
{
  static const char *const days[] = { "period", "target_period", "duration",      "t0", "period_uncertainty",
                                      "span",   "found_period",  "found_duration" };
  for (size_t i = 0; i < sizeof days / sizeof *days; i++)
    if (strcmp(days[i], name) == 0) return "d";
  return NULL;
}

static column *column_of(columns *c, json_t *known, const char *name)
{
  json_t *at = json_object_get(known, name);
  if (at) return &c->list[json_integer_value(at)];
  if (c->n == COLUMNS_MAX) return NULL;
  json_object_set_new(known, name, json_integer(c->n));
  c->list[c->n] = (column){ .name = name, .kind = WHOLE };
  return &c->list[c->n++];
}

static kind kind_of(const json_t *v)
{
  return json_is_integer(v) ? WHOLE : json_is_real(v) ? REAL : json_is_boolean(v) ? TRUTH : TEXT;
}

/* A text for any value; caller frees. */
static char *text_of(const json_t *v)
{
  if (!v || json_is_null(v)) return eas_strdup("");
  return json_is_string(v) ? eas_strdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY);
}

static kind together(kind a, kind b)
{
  if (a == b) return a;
  return (a == WHOLE && b == REAL) || (a == REAL && b == WHOLE) ? REAL : TEXT;
}

/* Kinds from all rows, then widths: a number among texts is text. */
static void find_columns(const json_t *rows, columns *c)
{
  size_t i;
  json_t *row, *v, *known = json_object();
  const char *key;
  int seen[COLUMNS_MAX] = { 0 };
  size_t count[COLUMNS_MAX] = { 0 };
  c->n_rows = json_array_size(rows);
  json_array_foreach((json_t *)(uintptr_t)rows, i, row) json_object_foreach(row, key, v)
  {
    column *x = column_of(c, known, key);
    if (!x || json_is_null(v)) continue;
    int k = (int)(x - c->list);
    x->kind = seen[k] ? together(x->kind, kind_of(v)) : kind_of(v);
    seen[k] = 1;
    count[k]++;
  }
  for (int k = 0; k < c->n; k++) {
    column *x = &c->list[k];
    if (x->kind == WHOLE && count[k] < c->n_rows) x->kind = REAL; /* NaN where there is none */
    if (x->kind == TRUTH && count[k] < c->n_rows) x->kind = TEXT; /* found or not is not the same as not known */
    x->width = 1;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row)
    {
      if (x->kind != TEXT) break;
      char *text = text_of(json_object_get(row, x->name));
      if ((int)strlen(text) > x->width) x->width = (int)strlen(text);
      free(text);
    }
  }
  json_decref(known);
}

/* --- FITS --- */

static void write_fits_column(fitsfile *f, const json_t *rows, const column *x, int number, int *status)
{
  size_t i;
  json_t *row;
  json_array_foreach((json_t *)(uintptr_t)rows, i, row)
  {
    const json_t *v = json_object_get(row, x->name);
    LONGLONG at = (LONGLONG)i + 1;
    if (x->kind == WHOLE) {
      LONGLONG whole = json_integer_value(v);
      fits_write_col(f, TLONGLONG, number, at, 1, 1, &whole, status);
    } else if (x->kind == REAL) {
      double real = json_is_number(v) ? json_number_value(v) : (double)NAN;
      fits_write_col(f, TDOUBLE, number, at, 1, 1, &real, status);
    } else if (x->kind == TRUTH) {
      char truth = json_is_true(v);
      fits_write_col(f, TLOGICAL, number, at, 1, 1, &truth, status);
    } else {
      char *text = text_of(v);
      fits_write_col(f, TSTRING, number, at, 1, 1, &text, status);
      free(text);
    }
  }
}

/* A finished table, with the padding of its last block. */
static void take_file(fitsfile *f, void *const *memory, eas_buf *out, int *status)
{
  LONGLONG header, data, end = 0;
  fits_flush_file(f, status);
  fits_get_hduaddrll(f, &header, &data, &end, status);
  if (!*status) eas_buf_add(out, *memory, (size_t)end);
}

static int write_fits(const json_t *rows, const columns *c, const char *about, eas_buf *out, eas_err *err)
{
  void *memory = NULL;
  size_t size = 0;
  char *names[COLUMNS_MAX], *forms[COLUMNS_MAX], *units[COLUMNS_MAX], why[FLEN_STATUS];
  fitsfile *f = NULL;
  int status = 0;
  for (int k = 0; k < c->n; k++) {
    const column *x = &c->list[k];
    names[k] = eas_strdup(x->name);
    forms[k] = x->kind == TEXT ? eas_format("%dA", x->width)
                               : eas_strdup(x->kind == WHOLE  ? "K"
                                            : x->kind == REAL ? "D"
                                                              : "L");
    units[k] = eas_strdup(unit_of(x->name) ? unit_of(x->name) : "");
  }
  fits_create_memfile(&f, &memory, &size, 1 << 20, realloc, &status);
  fits_create_tbl(f, BINARY_TBL, 0, c->n, names, forms, units, "RESULTS", &status);
  fits_write_key_longstr(f, "TITLE", about, NULL, &status);
  for (int k = 0; k < c->n && !status; k++) write_fits_column(f, rows, &c->list[k], k + 1, &status);
  if (f) take_file(f, &memory, out, &status);
  int wrong = status;
  status = 0;
  if (f) fits_close_file(f, &status);
  free(memory);
  for (int k = 0; k < c->n; k++) {
    free(names[k]);
    free(forms[k]);
    free(units[k]);
  }
  if (!wrong) wrong = status;
  if (!wrong) return 0;
  fits_get_errstatus(wrong, why);
  fits_clear_errmsg();
  return eas_fail(err, EAS_EIO, "%s", why);
}

/* --- VOTable --- */

#define X(text) ((const xmlChar *)(text))

static void write_field(xmlTextWriterPtr w, const column *x)
{
  static const char *const types[] = { "long", "double", "boolean", "char" };
  xmlTextWriterStartElement(w, X("FIELD"));
  xmlTextWriterWriteAttribute(w, X("name"), X(x->name));
  xmlTextWriterWriteAttribute(w, X("datatype"), X(x->kind == TEXT ? "unicodeChar" : types[x->kind]));
  if (x->kind == TEXT) xmlTextWriterWriteAttribute(w, X("arraysize"), X("*"));
  if (unit_of(x->name)) xmlTextWriterWriteAttribute(w, X("unit"), X(unit_of(x->name)));
  xmlTextWriterEndElement(w);
}

static void write_cell(xmlTextWriterPtr w, const column *x, const json_t *v)
{
  char text[64];
  if (x->kind == WHOLE) {
    snprintf(text, sizeof text, "%" PRId64, (int64_t)json_integer_value(v));
  } else if (x->kind == REAL) {
    snprintf(text, sizeof text, json_is_number(v) ? "%.17g" : "NaN", json_number_value(v));
  } else if (x->kind == TRUTH) {
    snprintf(text, sizeof text, json_is_true(v) ? "T" : "F");
  } else {
    char *any = text_of(v);
    for (char *p = any; *p; p++)
      if ((unsigned char)*p < 32 && *p != '\t' && *p != '\n' && *p != '\r') *p = '?'; /* no XML holds these */
    xmlTextWriterWriteElement(w, X("TD"), X(any));
    free(any);
    return;
  }
  xmlTextWriterWriteElement(w, X("TD"), X(text));
}

static int write_votable(const json_t *rows, const columns *c, const char *about, eas_buf *out, eas_err *err)
{
  size_t i;
  json_t *row;
  xmlBufferPtr text = xmlBufferCreate();
  xmlTextWriterPtr w = text ? xmlNewTextWriterMemory(text, 0) : NULL;
  if (!w) {
    xmlBufferFree(text);
    return eas_fail(err, EAS_ENOMEM, "no memory for the table");
  }
  xmlTextWriterSetIndent(w, 1);
  xmlTextWriterStartDocument(w, "1.0", "UTF-8", NULL);
  xmlTextWriterStartElement(w, X("VOTABLE"));
  xmlTextWriterWriteAttribute(w, X("version"), X("1.4"));
  xmlTextWriterWriteAttribute(w, X("xmlns"), X("http://www.ivoa.net/xml/VOTable/v1.3"));
  xmlTextWriterStartElement(w, X("RESOURCE"));
  xmlTextWriterStartElement(w, X("TABLE"));
  xmlTextWriterWriteAttribute(w, X("name"), X("results"));
  xmlTextWriterWriteElement(w, X("DESCRIPTION"), X(about));
  for (int k = 0; k < c->n; k++) write_field(w, &c->list[k]);
  xmlTextWriterStartElement(w, X("DATA"));
  xmlTextWriterStartElement(w, X("TABLEDATA"));
  json_array_foreach((json_t *)(uintptr_t)rows, i, row)
  {
    xmlTextWriterStartElement(w, X("TR"));
    for (int k = 0; k < c->n; k++) write_cell(w, &c->list[k], json_object_get(row, c->list[k].name));
    xmlTextWriterEndElement(w);
  }
  int rc = xmlTextWriterEndDocument(w);
  xmlFreeTextWriter(w); /* writes what it still holds */
  if (rc >= 0) eas_buf_add(out, xmlBufferContent(text), (size_t)xmlBufferLength(text));
  xmlBufferFree(text);
  return rc < 0 ? eas_fail(err, EAS_ENOMEM, "no memory for the table") : 0;
}

/* --- both --- */

int eas_results_table(const json_t *rows, const char *about, eas_table_form form, eas_buf *out, eas_err *err)
{
  columns *c = eas_alloc(sizeof *c);
  find_columns(rows, c);
  int rc = !c->n                    ? eas_fail(err, EAS_EINVAL, "there is no result to write")
           : form == EAS_TABLE_FITS ? write_fits(rows, c, about, out, err)
                                    : write_votable(rows, c, about, out, err);
  free(c);
  return rc;
}

int eas_results_write(const json_t *rows, const char *about, eas_table_form form, const char *path, eas_err *err)
{
  eas_buf out;
  eas_buf_init(&out);
  int rc = eas_results_table(rows, about, form, &out, err);
  if (rc < 0) eas_err_prefix(err, "%s", path);
  if (rc >= 0) rc = eas_file_write(path, out.data, out.len, 0644, err);
  if (rc < 0) {
    if (err) err->code = rc = EAS_EINVAL;
    eas_hint(err, "name a file in a folder that can be written");
  }
  eas_buf_done(&out);
  return rc;
}
