/* skip.c: what waits for something that can never come is skipped, one level a transaction. */
#include <stdlib.h>

#include "base/buf.h"
#include "model/attempt.h"
#include "model/settle.h"

/* Ended tasks that others may wait for in vain. */
static const char find_makers[] = "SELECT id FROM task WHERE spread = 1 AND state NOT IN ('waiting', 'ready') ORDER BY "
                                  "id LIMIT 64/*pg  FOR NO KEY UPDATE SKIP LOCKED*/";

static const char find_waiting[] =
    "SELECT t.id, t.job, t.type FROM task t WHERE t.state = 'waiting' AND t.id IN ("
    "SELECT i.task FROM product p JOIN task_input i ON i.product = p.id WHERE p.task " EAS_IN_IDS(
        "$1") " AND i.met = 0"
              " UNION SELECT n.task FROM task m JOIN task_need n ON n.needed = m.id WHERE m.id " EAS_IN_IDS(
                  "$1") " AND n.met = 0"
                        ") ORDER BY t.id LIMIT $2/*pg  FOR NO KEY UPDATE OF t*/";

int eas_skip_tasks(eas_db *db, const eas_rows *rows, int n, eas_err *err)
{
  eas_settle s = { .db = db, .from = EAS_FROM_WAITING, .n = n };
  s.list = eas_alloc((size_t)n * sizeof *s.list);
  for (int i = 0; i < n; i++)
    s.list[i] = (eas_settled){ .task = eas_rows_int(rows, i, 0),
                               .job = eas_rows_int(rows, i, 1),
                               .type = eas_rows_int(rows, i, 2),
                               .outcome = EAS_OUT_SKIPPED };
  int rc = eas_settle_send(&s, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  if (rc >= 0) rc = eas_settle_follow(&s, err);
  if (rc >= 0) rc = eas_counts_apply(&s.counts, db, err);
  eas_settle_done(&s);
  return rc;
}

/* Returns tasks skipped; *n_makers 0: nobody is left to spread. */
static int level(eas_db *db, int limit, int *n_makers, eas_err *err)
{
  eas_rows *makers = NULL, *waiting = NULL;
  eas_buf list;
  eas_buf_init(&list);
  int64_t *ids = NULL;
  int n = 0;
  int rc = *n_makers = eas_db_query(db, find_makers, EAS_NOARGS, &makers, err);
  if (rc > 0) {
    ids = eas_alloc((size_t)rc * sizeof *ids);
    for (int i = 0; i < *n_makers; i++) ids[i] = eas_rows_int(makers, i, 0);
    eas_val which = eas_v_text(eas_db_id_list(db, ids, *n_makers, &list));
    n = rc = eas_db_query(db, find_waiting, EAS_ARGS(which, eas_v_int(limit)), &waiting, err);
    if (rc >= 0 && n < limit)
      rc = eas_db_send(db, "UPDATE task SET spread = 0 WHERE id " EAS_IN_IDS("$1"), &which, 1, NULL, err);
    if (rc >= 0 && n > 0) rc = eas_skip_tasks(db, waiting, n, err);
  }
  if (rc >= 0) rc = eas_db_commit(db, err);
  eas_rows_free(makers);
  eas_rows_free(waiting);
  eas_buf_done(&list);
  free(ids);
  return rc < 0 ? rc : n;
}

int eas_skip_level(eas_db *db, int limit, eas_err *err)
{
  int n_makers, n, tries = 0;
  do { /* those on whom nobody waits are passed in silence */
    n = eas_db_begin(db, err);
    if (n >= 0) n = level(db, limit > 0 ? limit : 1000, &n_makers, err);
    if (n < 0) {
      eas_db_rollback(db);
      n_makers = eas_db_again(db, n, &tries);
      if (!n_makers) return n;
      n = 0;
    }
  } while (n == 0 && n_makers > 0);
  return n;
}
