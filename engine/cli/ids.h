/* ids.h: ids as people type them: j3 t418 a533 p77 v91; a bare number is a task. */
#ifndef EAS_CLI_IDS_H
#define EAS_CLI_IDS_H
#include <stdint.h>
#include "cli/cli.h"

/* letter is 'j' 't' 'a' 'p' or 'v'. EAS_EINVAL says what was expected. */
int eas_id_parse(const char *text, char *letter, int64_t *id, eas_err *err);

/* The job of --job or of the first argument (which then may be a name); NULL: the newest. Opens the database for reading. */
int eas_cli_job(eas_cli *c, const char *name, int64_t *job, eas_err *err);

/* The same in the database that is open. Of a job that was archived the error names the file. */
int eas_cli_find_job(eas_cli *c, const char *name, int64_t *job, eas_err *err);

/* Seconds ago as "10m", "2h", "3d", "45s" into microseconds. */
int eas_since_parse(const char *text, int64_t *us, eas_err *err);

/* Prints v as one line of JSON on stdout and drops it. */
int eas_print_json(json_t *v);

#endif
