/* import.h: files that come from outside become passed products, as the prototype's dummy parent task made them. */
#ifndef EAS_MODEL_IMPORT_H
#define EAS_MODEL_IMPORT_H
#include <jansson.h>
#include "base/err.h"
#include "base/hash.h"
#include "db/db.h"

typedef struct {
  const char *kind, *filename;
  eas_digest digest; /* already in the store */
  int64_t size;
  const json_t *metadata;
} eas_import_file;

/* A finished job of its own, "inputs", whose one task (type null) made the files in directory: jobs
 * submitted later find them by name. One transaction. */
int eas_import(eas_db *db, const char *directory, const eas_import_file *files, int n, int64_t *job, eas_err *err);

#endif
