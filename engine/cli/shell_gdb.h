/* shell_gdb.h: a run of eas shell in gdb: attached before the script starts, the terminal being gdb's until it quits. */
#ifndef EAS_CLI_SHELL_GDB_H
#define EAS_CLI_SHELL_GDB_H
#include <jansson.h>
#include "worker/replay.h"

/* 0, or EAS_EINVAL: there is no gdb here, and which package has it. */
int eas_shell_gdb_there(eas_err *err);

/* For a run started with `gdb` that has said that it waits. commands: a file of them for gdb, or NULL; batch: those alone, no
 * prompt. *out: what eas_replay_step would have told meanwhile, of one piece. When gdb cannot attach: EAS_EREFUSED, with what
 * stands in the way; the run was ended then. */
int eas_shell_gdb(eas_replay *p, const char *commands, int batch, json_t **out, eas_err *err);

#endif
