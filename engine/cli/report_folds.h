/* report_folds.h: which light curves a report shows folded: the best, the borderline and the worst of what was found. */
#ifndef EAS_CLI_REPORT_FOLDS_H
#define EAS_CLI_REPORT_FOLDS_H
#include "cli/cli.h"

typedef struct eas_folds eas_folds;

eas_folds *eas_folds_new(void);
/* Looks at a row of eas_view_results; keeps it if it is one of those. */
void eas_folds_add(eas_folds *f, const json_t *row);
/* What eas.view.fold takes, for each that was kept and whose light curve is in the store: {group, task, type, path, filename,
 * period, t0, duration, depth, lc_duration, sde, target_period, alias, parameters}. A list; drops f. Opens the store. */
json_t *eas_folds_take(eas_folds *f, eas_cli *c);

#endif
