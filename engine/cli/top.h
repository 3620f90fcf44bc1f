/* top.h: what `eas top` shows at one moment, and how. Private to engine/cli. */
#ifndef EAS_CLI_TOP_H
#define EAS_CLI_TOP_H
#include <jansson.h>
#include "base/buf.h"
#include "cli/cli.h"

typedef struct {
  json_t *jobs, *job, *workers, *running, *failures; /* job: the one that is looked at, NULL: there is none */
  double per_second;                                 /* attempts ended; < 0: not known yet */
} eas_top;

/* Asks for all of it; at: which of the jobs to look at, from 0. What was there before is dropped. */
int eas_top_look(eas_top *t, eas_db *db, int at, eas_err *err);
void eas_top_done(eas_top *t);
/* One frame of at most so many columns and lines (0: as many as it takes), lines ended by \n. */
void eas_top_draw(const eas_top *t, const eas_cli *c, int at, int columns, int lines, eas_buf *out);

#endif
