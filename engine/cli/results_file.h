/* results_file.h: rows of results as a table that TOPCAT, astropy and others read: FITS, VOTable. */
#ifndef EAS_CLI_RESULTS_FILE_H
#define EAS_CLI_RESULTS_FILE_H
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"

typedef enum { EAS_TABLE_FITS, EAS_TABLE_VOTABLE } eas_table_form;

/* rows: a list of flat objects. A column is whole numbers if all rows have one, else real numbers (NaN where there is none),
 * booleans if all that have it do, else text. about: what the table is, one line. Appended to out. */
int eas_results_table(const json_t *rows, const char *about, eas_table_form form, eas_buf *out, eas_err *err);
/* The same as a file, written whole or not at all. */
int eas_results_write(const json_t *rows, const char *about, eas_table_form form, const char *path, eas_err *err);

#endif
