/* archive.h: the rows of one job, copied into a database of its own: what `eas archive` writes.
 *
 * What the job read from other jobs is not among them (its attempts' provenance names it). */
#ifndef EAS_MODEL_ARCHIVE_H
#define EAS_MODEL_ARCHIVE_H
#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"
#include "db/db.h"

/* Copies the job from db, of one moment, into file: an SQLite database with a schema and no job. A page at a time: memory does
 * not grow with the job. *n_rows: how many rows. */
int eas_archive_rows(eas_db *db, int64_t job, eas_db *file, int64_t *n_rows, eas_err *err);

/* Calls fn for each object that the job's versions and logs name, each once, in the order of digests; fn returns 0 to go on, else
 * its value is returned. fn may write to file. */
typedef int eas_archive_object_fn(void *arg, const eas_digest *d);
int eas_archive_objects(eas_db *file, eas_archive_object_fn *fn, void *arg, eas_err *err);

#endif
