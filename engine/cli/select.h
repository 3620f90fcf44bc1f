/* select.h: --where, --sort and --limit over the rows of any list. */
#ifndef EAS_CLI_SELECT_H
#define EAS_CLI_SELECT_H
#include "cli/cli.h"

/* *keep: 1 the row matches --where (or there is none), 0 it does not, -1 it has not the column of err. */
int eas_select_keep(const eas_cli *c, json_t *row, int *keep, eas_err *err);
/* No row had a column that --where names: EAS_EINVAL. */
int eas_select_no_column(const eas_cli *c, eas_err *err);
/* Orders the rows by --sort. EAS_EINVAL if no row has the column. */
int eas_select_sort(const eas_cli *c, json_t **rows, eas_err *err);

/* All three; limit 0: all. Rows are a list of flat objects, replaced by those that are left. */
int eas_select_rows(const eas_cli *c, json_t **rows, int64_t limit, eas_err *err);
/* 1: rows are left out or ordered here, so the database must give all of them. */
int eas_select_wanted(const eas_cli *c);

#endif
