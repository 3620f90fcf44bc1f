/* diff_files.h: two files of one kind, point by point. */
#ifndef EAS_CLI_DIFF_FILES_H
#define EAS_CLI_DIFF_FILES_H
#include <jansson.h>

/* {"same": true}; or {"rows": [a, b], "columns": {NAME: {"differ": rows that do, "most": largest difference, "row": where it is, "was",
 * "is"}}} of two light curves or FITS tables, over the rows that both have; or {"bytes": [a, b], "first": offset} of other files. NULL
 * when a file cannot be read. NaN equals NaN. New reference. */
json_t *eas_diff_files(const char *a, const char *b);

#endif
