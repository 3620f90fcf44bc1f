/* settle.h: what follows when attempts have ended, for a whole group in two flushes: tasks decided or tried again,
 * edges met, dependants ready, parents counted down, jobs done. Private to engine/model.
 *
 * The caller has locked the attempts and ended them. Then: eas_settle_send, flush, eas_settle_follow (which flushes),
 * eas_counts_apply(&s->counts), commit. A single task needs finish.h only. */
#ifndef EAS_MODEL_SETTLE_H
#define EAS_MODEL_SETTLE_H
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"
#include "model/finish.h"

/* Of rows found by id. Not "state = 'running'": to a planner that knows nothing of the tables yet, the partial index of that
 * state looks as good as the key, and then all that is in that state is read each time. */
#define EAS_STATE_IS(column, word) column " || '' = '" word "'"

typedef enum { EAS_OUT_PASSED, EAS_OUT_FAILED, EAS_OUT_AGAIN, EAS_OUT_CANCELLED, EAS_OUT_SKIPPED } eas_outcome;
typedef enum { EAS_FROM_RUNNING, EAS_FROM_QUEUED, EAS_FROM_WAITING } eas_from;

typedef struct {
  int64_t task, job, type;
  int64_t parent;   /* see parents_known; 0: it is the root */
  int64_t attempt;  /* that ended; 0: a task that never ran (skipped) */
  int64_t number;   /* of the attempt */
  int64_t delay_us; /* again: the next one's back-off */
  eas_outcome outcome;
  int reused;     /* passed by another's results */
  int alone;      /* cancelled without its job: what hangs on it is to be skipped */
  int unneeded;   /* 1: nobody can wait for its metadata; 0: not known */
  int makes_none; /* 1: it has no outputs; 0: not known */
} eas_settled;

/* A task, called t ("t." or ""), that is done while some wait for that and were not told yet. */
#define EAS_TO_TELL(t) "/*pg " t "tell = 1 *//*sqlite " t "gathered = 1 AND " t "done = 1 */"

/* task.ties: what hangs on a task since it was born. NULL (born before there was this, or by an import): not known. */
enum { EAS_TIE_INPUTS = 1, EAS_TIE_OUTPUTS = 2, EAS_TIE_NEEDS = 4, EAS_TIE_NAMED = 8 };
static inline int eas_ties_may(int is_null, int64_t ties, int tie)
{
  return is_null || (ties & tie) != 0;
}

typedef struct {
  eas_db *db;
  eas_from from;
  eas_settled *list;
  int n;             /* sorted by task by eas_settle_send */
  int parents_known; /* 1: the caller filled list[].parent in */
  int64_t *products;
  int n_products; /* that have a new passed version */
  eas_counts counts;
  int n_ready;              /* attempts born queued */
  int control;              /* 1: control has something to do */
  int own, edges[2], chain; /* tickets; -1: nothing was asked */
} eas_settle;

int eas_settle_send(eas_settle *s, eas_err *err);
int eas_settle_follow(eas_settle *s, eas_err *err);
void eas_settle_done(eas_settle *s); /* frees counts, list and products */

/* Sends one INSERT for tasks that are ready and have no open attempt; *ticket: rows (job, type). */
int eas_settle_bear(eas_db *db, const int64_t *tasks, int n, int *ticket, eas_err *err);

/* Waiting tasks (rows: id, job, type) are skipped; counters and all. */
int eas_skip_tasks(eas_db *db, const eas_rows *rows, int n, eas_err *err);

/* Done tasks count their parents down. All above them has been asked for (ancestors.h). */
typedef struct {
  int64_t parent;
  int failed;
} eas_up;
/* Asks for a chain, of the tasks for which `which` holds and all above them. */
#define EAS_UP_CHAIN(which)                                                                                            \
  "WITH RECURSIVE up (id, parent, depth) AS (SELECT id, parent, depth FROM task WHERE " which                          \
  " UNION SELECT t.id, t.parent, t.depth FROM up JOIN task t ON t.id = up.parent)"                                     \
  " SELECT id, parent, depth FROM up ORDER BY depth DESC, id"
int eas_up_send(eas_db *db, const eas_up *done, int n, eas_err *err);

#endif
