/* sqlite_ids.h: lists of ids as a table. Inside engine/db only. */
#ifndef EAS_DB_SQLITE_IDS_H
#define EAS_DB_SQLITE_IDS_H
#include <sqlite3.h>

int eas_sqlite_ids(sqlite3 *handle); /* an SQLITE_ code */

#endif
