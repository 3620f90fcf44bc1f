/* front.h: what the prompt asks the engine: answers as JSON, from the views; nothing here changes the database.
 *
 * Questions: jobs, tasks, attempts, task, attempt, file, errors, error_tasks, logs, files, results, workers, types;
 * path (of an object of the store, by its SHA-256). Arguments: {id, job, task, attempt, type, state, level, since_us, after,
 * group, limit}, ids with or without their letter. */
#ifndef EAS_CLI_FRONT_H
#define EAS_CLI_FRONT_H
#include "cli/cli.h"

/* eas_front.ask of worker/runner.h with an eas_cli as arg. EAS_EINVAL: an unknown question, or a wrong argument. */
char *eas_front_ask(void *cli, const char *what, const char *json, eas_err *err);

/* What the prompt is told about terminal and configuration; more: fields that it has beside, taken over. NULL: none. */
char *eas_front_request(const eas_cli *c, const char *kind, json_t *more);

#endif
