/* inner.h: what the files of the command line share. */
#ifndef EAS_CLI_INNER_H
#define EAS_CLI_INNER_H
#include "base/buf.h"
#include "cli/cli.h"
#include "model/view.h"

int eas_cli_parse(eas_cli *c, int argc, char **argv, eas_err *err); /* words after the command's name */

/* What --type --state --since --limit --group ask for. */
int eas_cli_filter(eas_cli *c, eas_view_filter *f, eas_err *err);

#endif
