/* db_shell.h: the database's own client, or a shell for the broker's tools, with the credentials of this configuration. */
#ifndef EAS_CLI_DB_SHELL_H
#define EAS_CLI_DB_SHELL_H
#include "cli/cli.h"

/* Becomes sqlite3 or psql, for reading; or for the queue a shell that has AMQP_URL. Passwords go by the environment, which other
 * users cannot see. Comes back only when it cannot: an error. */
int eas_db_shell(eas_cli *c, int is_queue, eas_err *err);

#endif
