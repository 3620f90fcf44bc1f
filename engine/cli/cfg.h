/* cfg.h: the prototype's stand-alone .cfg files: sections task, inputs, outputs; any other becomes a nested object. */
#ifndef EAS_CLI_CFG_H
#define EAS_CLI_CFG_H
#include <jansson.h>
#include "base/err.h"

typedef struct {
  char *file;
  json_t *task;   /* the task object of a job file, without inputs */
  json_t *inputs; /* kind -> path as written */
  char *directory, *job_name;
} eas_cfg;

/* type: overrides the file's "task", or NULL. Errors name file and line. */
int eas_cfg_read(eas_cfg *out, const char *path, const char *type, eas_err *err);
void eas_cfg_done(eas_cfg *c);

#endif
