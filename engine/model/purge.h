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
/* Deletes up to limit tasks with all that hangs on them, in one transaction; the job itself with the last of them. Returns how
 * many; 0: the job is gone. Asks again what eas_purge_look asks. Stopped half-way, it is a cancelled job that can be purged. */
int eas_purge_some(eas_db *db, int64_t job, int limit, eas_err *err);

/* The newest passed version of a file, of any job: 1 found, 0 none. */
int eas_product_newest(eas_db *db, const char *directory, const char *filename, eas_digest *out, eas_err *err);

#endif
