/* purge.h: forgetting a job: its rows, never bytes (those are gc's). */
#ifndef EAS_MODEL_PURGE_H
#define EAS_MODEL_PURGE_H
#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"
#include "db/db.h"

typedef struct {
  int64_t job;
  char name[128];
  int64_t tasks, products, versions, bytes;
} eas_purge;

/* What would go. EAS_EBUSY: the job is under way; EAS_EINVAL: tasks of another job read what it made (the hint names it). */
int eas_purge_look(eas_db *db, int64_t job, eas_purge *out, eas_err *err);
/* A file whose product goes, and the newest passed version of that name by another job; NULL: none. */
typedef void eas_purge_fn(void *arg, const char *directory, const char *filename, const eas_digest *left);
/* Deletes up to limit tasks with all that hangs on them, in one transaction; the job itself with the last of them. Returns how
 * many; 0: the job is gone. Asks again, of these tasks, what eas_purge_look asks. fn (may be NULL) is told of their files before that is
 * committed: stopped anywhere, it is a cancelled job that can be purged, and fn is told again. The cost of a slice does not grow
 * with the job, nor with what else is in the database. */
int eas_purge_some(eas_db *db, int64_t job, int limit, eas_purge_fn *fn, void *arg, eas_err *err);

#endif
