/* retry.c: failed and cancelled tasks run again; what was skipped because of them waits again. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/attempt.h"
#include "model/settle.h"

static const char find_failed[] =
    "SELECT id, job, type, state, done, parent FROM task WHERE job = $1 AND /*sqlite state IN "
    "('failed', 'skipped')*//*pg bad = 1*/ AND state = 'failed'"
    " ORDER BY id/*pg  FOR NO KEY UPDATE*/";
static const char find_cancelled[] =
    "SELECT id, job, type, state, done, parent FROM task WHERE job = $1 AND /*pg bad = 2 AND */state = "
    "'cancelled' ORDER BY id/*pg  FOR NO KEY UPDATE*/";
static const char find_one[] =
    "SELECT id, job, type, state, done, parent FROM task WHERE id = $1/*pg  FOR NO KEY UPDATE*/";
static const char find_skipped[] = /* those that hang on what was revived last */
    "SELECT t.id, t.job, t.type, t.state, t.done, t.parent FROM task t WHERE t.state = 'skipped' AND t.id IN ("
    "SELECT i.task FROM product p JOIN task_input i ON i.product = p.id WHERE p.task " EAS_IN_IDS(
        "$1") " AND i.met = 0"
              " UNION SELECT n.task FROM task_need n WHERE n.needed " EAS_IN_IDS(
                  "$1") " AND n.met = 0) ORDER BY t.id/*pg  FOR NO KEY UPDATE OF t*/";

static const char find_chain[] = EAS_UP_CHAIN("id " EAS_IN_IDS("$1"));

/* In two steps, so that the second sees what is pending now. */
static const char revive_first[] =
    "UPDATE task SET done = 0, spread = 0, pending = (SELECT count(*) FROM task_input i WHERE i.task = task.id AND "
    "i.met = 0)"
    " + (SELECT count(*) FROM task_need n WHERE n.task = task.id AND n.met = 0) WHERE id " EAS_IN_IDS("$1");
static const char revive_then[] = "UPDATE task SET state = CASE WHEN pending = 0 THEN 'ready' ELSE 'waiting' END,"
                                  " attempts = attempts + CASE WHEN pending = 0 THEN 1 ELSE 0 END WHERE id " EAS_IN_IDS(
                                      "$1") " RETURNING pending, job, type";
/* Other makers that a revived task still waits for in vain say so again. */
static const char spread_again[] =
    "UPDATE task SET spread = 1 WHERE state IN ('failed', 'skipped', 'passed') AND id IN ("
    "SELECT p.task FROM task_input i JOIN product p ON p.id = i.product WHERE i.task " EAS_IN_IDS(
        "$1") " AND i.met = 0"
              " UNION SELECT n.needed FROM task_need n WHERE n.task " EAS_IN_IDS("$1") " AND n.met = 0)";

typedef struct {
  eas_db *db;
  eas_counts counts;
  int64_t *parents;
  int n_done, cap_done; /* of revived tasks that had been done, one each */
  int n_revived, n_ready;
} retry;

static void count_old(retry *r, const eas_rows *rows)
{
  for (int i = 0; i < eas_rows_n(rows); i++) {
    eas_count *c = eas_counts_of(&r->counts, eas_rows_int(rows, i, 1), eas_rows_int(rows, i, 2));
    const char *state = eas_rows_text(rows, i, 3);
    c->failed -= state[0] == 'f';
    c->skipped -= state[0] == 's';
    c->cancelled -= state[0] == 'c';
    if (!eas_rows_int(rows, i, 4) || eas_rows_null(rows, i, 5)) continue;
    if (r->n_done == r->cap_done) {
      r->cap_done = r->cap_done ? 2 * r->cap_done : 64;
      r->parents = eas_realloc(r->parents, (size_t)r->cap_done * sizeof *r->parents);
    }
    r->parents[r->n_done++] = eas_rows_int(rows, i, 5);
  }
}

/* Makes the tasks of rows ready or waiting; *list: their ids. */
static int revive(retry *r, const eas_rows *rows, eas_buf *list, eas_err *err)
{
  int n = eas_rows_n(rows), after, born, rc;
  int64_t *ids = eas_alloc((size_t)(n + 1) * sizeof *ids);
  for (int i = 0; i < n; i++) ids[i] = eas_rows_int(rows, i, 0);
  eas_val which = eas_v_text(eas_db_id_list(r->db, ids, n, list));
  count_old(r, rows);
  r->n_revived += n;
  rc = eas_db_send(r->db, revive_first, &which, 1, NULL, err);
  if (rc >= 0) rc = eas_db_send(r->db, revive_then, &which, 1, &after, err);
  if (rc >= 0) rc = eas_db_send(r->db, spread_again, &which, 1, NULL, err);
  if (rc >= 0) rc = eas_settle_bear(r->db, ids, n, &born, err);
  if (rc >= 0) rc = eas_db_flush(r->db, err);
  free(ids);
  if (rc < 0) return rc;
  const eas_rows *now = eas_db_result(r->db, after);
  for (int i = 0; i < eas_rows_n(now); i++) {
    eas_count *c = eas_counts_of(&r->counts, eas_rows_int(now, i, 1), eas_rows_int(now, i, 2));
    if (eas_rows_int(now, i, 0))
      c->waiting++;
    else
      c->queued++;
  }
  r->n_ready += eas_rows_n(eas_db_result(r->db, born));
  return 0;
}

/* Revives rows (freed), then level by level what was skipped because of them. */
static int revive_down(retry *r, eas_rows *rows, eas_err *err)
{
  eas_buf list;
  eas_buf_init(&list);
  int rc = 0;
  while (rc >= 0 && eas_rows_n(rows) > 0) {
    rc = revive(r, rows, &list, err);
    eas_rows_free(rows);
    rows = NULL;
    if (rc >= 0) rc = eas_db_query(r->db, find_skipped, EAS_ARGS(eas_v_text(list.data)), &rows, err);
    if (rc <= 0) break;
  }
  eas_rows_free(rows);
  eas_buf_done(&list);
  return rc < 0 ? rc : 0;
}

/* --- parents: what had been counted down is counted up again --- */

typedef struct {
  int64_t id, parent, add;
} place;

static int by_id(const void *a, const void *b)
{
  const place *x = *(place *const *)a, *y = *(place *const *)b;
  return (x->id > y->id) - (x->id < y->id);
}

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static place *find(place **sorted, int n, int64_t id)
{
  place key = { .id = id }, *k = &key, **found = bsearch(&k, sorted, (size_t)n, sizeof *sorted, by_id);
  return found ? *found : NULL;
}

static int add_children(eas_db *db, place **sorted, int n, const place *p, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT done FROM task WHERE id = $1/*pg  FOR NO KEY UPDATE*/", EAS_ARGS(eas_v_int(p->id)),
                        &rows, err);
  int was_done = rc > 0 && eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  if (rc >= 0)
    rc = eas_db_exec(
        db,
        "UPDATE task SET open_children = open_children + $2, failed_children = failed_children - $2, done = 0"
        " WHERE id = $1",
        EAS_ARGS(eas_v_int(p->id), eas_v_int(p->add)), err);
  place *parent = was_done && p->parent ? find(sorted, n, p->parent) : NULL;
  if (parent) parent->add++; /* it had failed children, so it counted as failed */
  return rc;
}

static int undo_up(retry *r, eas_err *err)
{
  if (r->n_done == 0) return 0;
  qsort(r->parents, (size_t)r->n_done, sizeof *r->parents, by_value);
  int n_first = 0;
  int64_t *first = eas_alloc((size_t)r->n_done * sizeof *first);
  for (int i = 0; i < r->n_done; i++)
    if (i == 0 || r->parents[i] != r->parents[i - 1]) first[n_first++] = r->parents[i];
  eas_buf list;
  eas_buf_init(&list);
  eas_rows *chain = NULL; /* deepest first */
  int n =
      eas_db_query(r->db, find_chain, EAS_ARGS(eas_v_text(eas_db_id_list(r->db, first, n_first, &list))), &chain, err);
  eas_buf_done(&list);
  free(first);
  if (n < 0) return n;

  place *all = eas_alloc((size_t)(n + 1) * sizeof *all), **sorted = eas_alloc((size_t)(n + 1) * sizeof *sorted);
  for (int i = 0; i < n; i++) {
    all[i] = (place){ .id = eas_rows_int(chain, i, 0), .parent = eas_rows_int(chain, i, 1) };
    sorted[i] = &all[i];
  }
  eas_rows_free(chain);
  qsort(sorted, (size_t)n, sizeof *sorted, by_id);
  for (int i = 0; i < r->n_done; i++) {
    place *parent = find(sorted, n, r->parents[i]);
    if (parent) parent->add++;
  }
  int rc = 0;
  for (int i = 0; i < n && rc >= 0; i++)
    if (all[i].add) rc = add_children(r->db, sorted, n, &all[i], err);
  free(sorted);
  free(all);
  return rc < 0 ? rc : 0;
}

/* --- which tasks --- */

static int retry_job(retry *r, int64_t job, int cancelled, eas_err *err)
{
  int rc = 0;
  eas_rows *rows = NULL;
  if (cancelled)
    rc = eas_db_exec(r->db, "UPDATE job SET state = 'active' WHERE id = $1", EAS_ARGS(eas_v_int(job)), err);
  if (rc >= 0) rc = eas_db_query(r->db, find_failed, EAS_ARGS(eas_v_int(job)), &rows, err);
  if (rc > 0)
    rc = revive_down(r, rows, err);
  else
    eas_rows_free(rows);
  rows = NULL;
  if (rc >= 0) rc = eas_db_query(r->db, find_cancelled, EAS_ARGS(eas_v_int(job)), &rows, err);
  if (rc > 0)
    rc = revive_down(r, rows, err);
  else
    eas_rows_free(rows);
  return rc;
}

static int retry_task(retry *r, int64_t job, int64_t task, int cancelled, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(r->db, find_one, EAS_ARGS(eas_v_int(task)), &rows, err);
  const char *state = rc > 0 ? eas_rows_text(rows, 0, 3) : "";
  if (rc == 0 || (rc > 0 && eas_rows_int(rows, 0, 1) != job)) {
    rc = eas_fail(err, EAS_ENOENT, "task t%lld: job j%lld has no such task", (long long)task, (long long)job);
  } else if (rc > 0 && cancelled) {
    eas_fail(err, EAS_EINVAL, "task t%lld: its job j%lld is cancelled", (long long)task, (long long)job);
    rc = eas_hint(err, "eas retry j%lld takes the whole job up again", (long long)job);
  } else if (rc > 0 && strcmp(state, "failed") != 0 && strcmp(state, "cancelled") != 0) {
    eas_fail(err, EAS_EINVAL, "task t%lld: it is %s, only failed and cancelled tasks are tried again", (long long)task,
             state);
    rc = strcmp(state, "skipped") == 0 ? eas_hint(err, "eas why t%lld shows what it waited for", (long long)task)
                                       : EAS_EINVAL;
  }
  if (rc > 0) return revive_down(r, rows, err);
  eas_rows_free(rows);
  return rc;
}

static int retry_all(retry *r, int64_t job, int64_t task, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(r->db, "SELECT state FROM job WHERE id = $1/*pg  FOR NO KEY UPDATE*/", EAS_ARGS(eas_v_int(job)),
                        &rows, err);
  int cancelled = rc > 0 && strcmp(eas_rows_text(rows, 0, 0), "cancelled") == 0;
  eas_rows_free(rows);
  if (rc == 0) return eas_fail(err, EAS_ENOENT, "job j%lld: there is none", (long long)job);
  if (rc > 0) rc = task ? retry_task(r, job, task, cancelled, err) : retry_job(r, job, cancelled, err);
  if (rc >= 0) rc = undo_up(r, err);
  if (rc >= 0 && r->n_revived)
    rc = eas_db_exec(r->db, "UPDATE job SET done_at = NULL WHERE id = $1", EAS_ARGS(eas_v_int(job)), err);
  if (rc >= 0) rc = eas_counts_apply(&r->counts, r->db, err);
  if (rc >= 0 && r->n_ready) rc = eas_db_ring(r->db, err);
  return rc;
}

static int retry_once(eas_db *db, int64_t job, int64_t task, int *n_ready, eas_err *err)
{
  retry r = { .db = db };
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  rc = retry_all(&r, job, task, err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0)
    eas_db_rollback(db);
  else if (n_ready)
    *n_ready = r.n_ready;
  free(r.parents);
  eas_counts_done(&r.counts);
  return rc < 0 ? rc : r.n_revived;
}

int eas_retry(eas_db *db, int64_t job, int64_t task, int *n_ready, eas_err *err)
{
  int tries = 0, rc;
  do rc = retry_once(db, job, task, n_ready, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}
