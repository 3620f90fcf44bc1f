/* view.h: what people ask: answers as JSON, from counters and by keyed pages; reads only.
 *
 * What `--json` prints is what these return; tables and text are drawn from the same. Ids are strings with their
 * letter ("j3", "t418", "a533", "p77", "v91"); stamps are microseconds UTC. */
#ifndef EAS_MODEL_VIEW_H
#define EAS_MODEL_VIEW_H
#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"

typedef struct {
  int64_t job;      /* 0: none yet */
  char    name[128];
  char    state[16]; /* active paused cancelled */
  int64_t created_at, done_at; /* done_at 0: not done */
  int64_t waiting, queued, running, passed, reused, failed, skipped, cancelled; /* all tasks */
  int64_t work_total, work_done, work_failed; /* without flow control */
  int     n_types;
  struct { char type[64]; int flow; int64_t waiting, queued, running, passed, reused, failed, skipped, cancelled, wall_us, ended; } types[64];
} eas_job_counts;

/* Counters of one job: constant cost. */
int eas_view_counts(eas_db *db, int64_t job, eas_job_counts *out, eas_err *err);


/* Metadata text of the newest accepted attempt that is no flow control; one column. Returns the number of rows. */
int eas_task_last_metadata(eas_db *db, eas_rows **out, eas_err *err);

#endif
