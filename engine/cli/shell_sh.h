/* shell_sh.h: eas shell --sh: a login shell's worth of the same. */
#ifndef EAS_CLI_SHELL_SH_H
#define EAS_CLI_SHELL_SH_H
#include <jansson.h>
#include "cli/cli.h"
#include "worker/replay.h"

/* Runs $SHELL in folder, with the scripts to edit in folder/pack and the commands `run` and `qc`; its exit status. *is_ours becomes
 * 0 when something was edited there: then the folder is to stay. */
int eas_shell_sh(eas_cli *c, eas_replay *replay, const json_t *attempt, const char *folder, int *is_ours);

/* The environment of a shell, or of another eas, that works in folder as this one does. */
void eas_shell_environment(const eas_cli *c, const char *folder);

#endif
