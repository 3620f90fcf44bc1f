/* archive.h: the bytes in the file of `eas archive`. Tables archive_object (digest, size) and archive_bytes (digest, part,
 * bytes): an object is its parts in their order, as they are, so that any SQLite can take it out. */
#ifndef EAS_CLI_ARCHIVE_H
#define EAS_CLI_ARCHIVE_H
#include "cli/cli.h"
#include "model/purge.h"

typedef struct {
  int64_t rows, objects, object_bytes, file_bytes;
} eas_archived;

/* Puts in what the rows of file name. EAS_ENOENT, EAS_EFORMAT: the store has it no more, or damaged. */
int eas_archive_fill(eas_db *file, eas_store *store, eas_archived *did, eas_err *err);
/* Reads all of it back: SQLite's own check, and the hash of every object. EAS_EFORMAT. Leaves one file without companions. */
int eas_archive_check(eas_db *file, const eas_archived *did, eas_err *err);
/* Newest passed versions, to folder/<directory>/<filename>. */
int eas_archive_extract(eas_db *file, const char *folder, int64_t *n, eas_err *err);

int eas_purge_job(eas_cli *c, int64_t job, eas_err *err); /* cmd_purge.c: rows, and the links of people */

#endif
