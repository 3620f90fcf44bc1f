/* results.h: what `results` and `report` share: rows of results as flat objects, and the same as files of other programs. */
#ifndef EAS_CLI_RESULTS_H
#define EAS_CLI_RESULTS_H
#include "cli/cli.h"

/* A row of eas_view_results as one flat object: task, type, loop variables, then results (found_NAME where a loop variable has
 * that name); lists and objects are left out; outcome becomes recovered, true, false or null. New reference. */
json_t *eas_results_flat(const json_t *row);

#endif
