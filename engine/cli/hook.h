/* hook.h: starts a hook: a program, or curl for an address. Private to engine/cli. */
#ifndef EAS_CLI_HOOK_H
#define EAS_CLI_HOOK_H
#include <jansson.h>
#include <sys/types.h>
#include "base/err.h"

/* PROGRAM STATE JOB, the event as JSON on its stdin; in a process group of its own, with the environment but our secrets. */
int eas_hook_command(const char *program, const json_t *event, pid_t *pid, eas_err *err);
/* POST of the event. The address, which may be a secret, is on no command line. */
int eas_hook_url(const char *url, const json_t *event, int64_t timeout_us, pid_t *pid, eas_err *err);

#endif
