/* view_rows.h: from rows to JSON, by the column names of the query. Private to view_*.c.
 *
 * A column "j:job" becomes "job": "j3"; "x:sha256" hex of bytes; "o:metadata" a JSON object kept as text; others as they are. */
#ifndef EAS_MODEL_VIEW_ROWS_H
#define EAS_MODEL_VIEW_ROWS_H
#include <jansson.h>
#include "db/db.h"

json_t *eas_view_row(const eas_rows *r, int row);
int eas_view_list(eas_db *db, const char *sql, const eas_val *args, int n, json_t **out,
                  eas_err *err); /* number of rows */
int eas_view_one(eas_db *db, const char *sql, const eas_val *args, int n, const char *what, json_t **out,
                 eas_err *err); /* EAS_ENOENT */
/* Adds a list as field `key` of object. */
int eas_view_add(eas_db *db, json_t *object, const char *key, const char *sql, const eas_val *args, int n,
                 eas_err *err);
/* Loop variables that a task sees, kept in cache (an object) for its siblings; a new reference, NULL with err. */
json_t *eas_view_parameters(eas_db *db, json_t *cache, int64_t task, int64_t parent, eas_err *err);

#endif
