/* meter.h: how far a long request has come: a line on a terminal, redrawn; nothing else sees it. */
#ifndef EAS_CLI_METER_H
#define EAS_CLI_METER_H
#include "cli/cli.h"

typedef struct {
  const eas_cli *c;
  const char *what;
  int64_t total, started_us, drawn_us; /* total 0: not known */
  int steps;                           /* they take what they take: no time left is told */
} eas_meter;

/* Work of a job, to measure against; 0 when it cannot be said. */
int64_t eas_meter_tasks(const eas_cli *c, int64_t job);
eas_meter eas_meter_new(const eas_cli *c, const char *what,
                        int64_t total);     /* "rows": "12 000 of 80 000 rows   2.1 s left" */
void eas_meter_at(eas_meter *m, int64_t n); /* cheap; draws nothing in the first half second */
/* Before a step that may take long by itself: drawn at once, without a time left. */
void eas_meter_now(eas_meter *m, int64_t n, int64_t total);
void eas_meter_seen(void *meter, int64_t n); /* the same, as a callback */
void eas_meter_end(eas_meter *m);            /* takes the line away */

#endif
