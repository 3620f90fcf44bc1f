/* inner.h: what the files of the command line share. */
#ifndef EAS_CLI_INNER_H
#define EAS_CLI_INNER_H
#include "base/buf.h"
#include "cli/cli.h"

int eas_cli_parse(eas_cli *c, int argc, char **argv, eas_err *err); /* words after the command's name */

#endif
