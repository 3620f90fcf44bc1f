/* table.h: rows for people, CSV for programs; numbers right, words left; narrow terminals lose minor columns. */
#ifndef EAS_CLI_TABLE_H
#define EAS_CLI_TABLE_H
#include "cli/cli.h"

typedef struct eas_table eas_table;

enum { EAS_LEFT = 0, EAS_RIGHT = 1, EAS_MINOR = 2 }; /* EAS_MINOR: goes first when it is narrow */

eas_table *eas_table_new(eas_cli *c);
void eas_table_column(eas_table *t, const char *name, int flags);
/* Cells of the next row, left to right; NULL or "" is empty. ink: EAS_PLAIN ... of this cell. */
void eas_table_cell(eas_table *t, int ink, const char *text);
void eas_table_cellf(eas_table *t, int ink, const char *format, ...) __attribute__((format(printf, 3, 4)));
int eas_table_rows(const eas_table *t);
/* Prints and frees. With c->csv: quoted comma-separated values. empty: the line when there is no row (not for CSV). */
void eas_table_print(eas_table *t, const char *empty);

#endif
