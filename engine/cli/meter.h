/* meter.h: how far a long request has come: a line on a terminal, redrawn; nothing else sees it. */
#ifndef EAS_CLI_METER_H
#define EAS_CLI_METER_H
#include "cli/cli.h"

typedef struct {
  const eas_cli *c;
  const char *what;
  int64_t total, started_us, drawn_us; /* total 0: not known */
} eas_meter;

eas_meter eas_meter_new(const eas_cli *c, const char *what,
                        int64_t total);     /* "rows": "12 000 of 80 000 rows   2.1 s left" */
void eas_meter_at(eas_meter *m, int64_t n); /* cheap; draws nothing in the first half second */
void eas_meter_end(eas_meter *m);           /* takes the line away */

#endif
