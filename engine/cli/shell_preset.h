/* shell_preset.h: a run of eas shell by the program of another build of the same checkout, as that with AddressSanitizer. */
#ifndef EAS_CLI_SHELL_PRESET_H
#define EAS_CLI_SHELL_PRESET_H
#include "cli/cli.h"

/* Runs attempt's task script in folder by build/PRESET's program, which writes to our output and leaves its result in the
 * folder. *status: its exit status. EAS_EINVAL: there is no such build, and how to make it. */
int eas_shell_preset(eas_cli *c, const char *preset, const char *attempt, const char *folder, int threads, int *status,
                     eas_err *err);

#endif
