/* fsck.h: does the database agree with itself? Reads only. */
#ifndef EAS_MODEL_FSCK_H
#define EAS_MODEL_FSCK_H
#include <jansson.h>
#include "base/err.h"
#include "base/hash.h"
#include "db/db.h"

/* Called before each of the n checks, with its number from 0 and its name. */
typedef void eas_fsck_check_fn(void *arg, int i, int n, const char *name);
/* List of {check, where, found, expected}; empty when all is well. One snapshot. on_check may be NULL. */
int eas_fsck_db(eas_db *db, eas_fsck_check_fn *on_check, void *arg, json_t **out, eas_err *err);

/* Calls fn for each stored version: its product's place, and whether it is the newest passed one. fn returns 0 to go on. */
typedef int eas_fsck_version_fn(void *arg, int64_t version, const char *directory, const char *filename,
                                const eas_digest *d, int is_newest);
int eas_fsck_versions(eas_db *db, eas_fsck_version_fn *fn, void *arg, eas_err *err);

/* The same for each stored log. */
typedef int eas_fsck_log_fn(void *arg, int64_t attempt, const eas_digest *d);
int eas_fsck_logs(eas_db *db, eas_fsck_log_fn *fn, void *arg, eas_err *err);

/* wanted[i]: 1 if some version or log has the bytes of list[i]. One round trip. */
int eas_fsck_wanted(eas_db *db, const eas_digest *list, int n, int *wanted, eas_err *err);

#endif
