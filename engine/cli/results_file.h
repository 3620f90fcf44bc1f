/* results_file.h: rows of results as a table that TOPCAT, astropy and others read: FITS, VOTable. */
#ifndef EAS_CLI_RESULTS_FILE_H
#define EAS_CLI_RESULTS_FILE_H
#include <jansson.h>
#include "base/err.h"

/* rows: a list of flat objects. A column is whole numbers if all rows have one, else real numbers (NaN where there is none),
 * booleans if all that have it do, else text. about: what the table is, one line. Written whole or not at all. */
int eas_results_fits(const json_t *rows, const char *about, const char *path, eas_err *err);
int eas_results_votable(const json_t *rows, const char *about, const char *path, eas_err *err);

#endif
