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
 * not grow with the job. *n_rows: how many rows; tell (may be NULL) hears it now and then. */
typedef void eas_archive_tell_fn(void *arg, int64_t n_rows);
int eas_archive_rows(eas_db *db, int64_t job, eas_db *file, eas_archive_tell_fn *tell, void *arg, int64_t *n_rows,
                     eas_err *err);

/* Calls fn for each object that the job's versions and logs name, each once, in the order of digests; fn returns 0 to go on, else
 * its value is returned. fn may write to file. */
typedef int eas_archive_object_fn(void *arg, const eas_digest *d);
int eas_archive_objects(eas_db *file, eas_archive_object_fn *fn, void *arg, eas_err *err);

/* The bytes. Tables archive_object (digest, size) and archive_bytes (digest, part, bytes): an object is its parts in their
 * order, as they are, so that any SQLite can take it out. */
typedef struct {
  int64_t rows, objects, object_bytes, file_bytes;
} eas_archived;
typedef int eas_archive_open_fn(void *arg, const eas_digest *d, int *fd, eas_err *err); /* an object, to be read */
/* Puts in what the rows of file name. EAS_EFORMAT: damaged; what open says. */
int eas_archive_fill(eas_db *file, eas_archive_open_fn *open_, void *arg, eas_archived *did, eas_err *err);
/* Reads all of it back: SQLite's own check, and the hash of every object. EAS_EFORMAT. Leaves one file without companions. */
int eas_archive_check(eas_db *file, const eas_archived *did, eas_err *err);
/* Newest passed versions, to folder/<directory>/<filename>. */
int eas_archive_extract(eas_db *file, const char *folder, int64_t *n, eas_err *err);

#endif
