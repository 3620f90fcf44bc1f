/* recovery.h: what was found against what was injected, as a small map per detector (UX.md section 2). */
#ifndef EAS_CLI_RECOVERY_H
#define EAS_CLI_RECOVERY_H
#include "cli/cli.h"

/* Prints nothing when the job has no search with a truth to compare with. */
void eas_recovery_print(eas_cli *c, int64_t job, FILE *out);

#endif
