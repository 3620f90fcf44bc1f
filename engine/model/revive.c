/* revive.c: decided tasks run again: their rows, those of what was skipped because of them, their parents'. */
#include <stdlib.h>
#include <string.h>

#include "model/retry.h"
#include "model/settle.h"

static const char find_skipped[] = /* those that hang on what was revived last */
    "SELECT " EAS_REVIVE_COLUMNS " FROM task t WHERE t.state = 'skipped' AND t.id IN ("
    "SELECT i.task FROM product p JOIN task_input i ON i.product = p.id WHERE p.task " EAS_IN_IDS(
        "$1") " AND i.met = 0"
              " UNION SELECT n.task FROM task_need n WHERE n.needed " EAS_IN_IDS(
                  "$1") " AND n.met = 0) ORDER BY t.id/*pg  FOR NO KEY UPDATE OF t*/";

static const char find_chain[] = EAS_UP_CHAIN("id " EAS_IN_IDS("$1"));

/* In two steps, so that the second sees what is pending now. */
static const char revive_first[] =
    "UPDATE task SET done = 0, spread = 0, stale = 0, pending = (SELECT count(*) FROM task_input i WHERE i.task = "
    "task.id AND "
    "i.met = 0)"
    " + (SELECT count(*) FROM task_need n WHERE n.task = task.id AND n.met = 0)"
    " + (SELECT count(*) FROM task_gather g WHERE g.task = task.id AND g.met = 0) WHERE id " EAS_IN_IDS("$1");
static const char revive_then[] = "UPDATE task SET state = CASE WHEN pending = 0 THEN 'ready' ELSE 'waiting' END,"
                                  " attempts = attempts + CASE WHEN pending = 0 THEN 1 ELSE 0 END WHERE id " EAS_IN_IDS(
                                      "$1") " RETURNING pending, job, type";
/* Other makers that a revived task still waits for in vain say so again. */
static const char spread_again[] =
    "UPDATE task SET spread = 1 WHERE state IN ('failed', 'skipped', 'passed', 'cancelled') AND id IN ("
    "SELECT p.task FROM task_input i JOIN product p ON p.id = i.product WHERE i.task " EAS_IN_IDS(
        "$1") " AND i.met = 0"
              " UNION SELECT n.needed FROM task_need n WHERE n.task " EAS_IN_IDS("$1") " AND n.met = 0)";

/* Tasks that were skipped since too few below one of these had passed; and the mark that these are to be looked at again. */
static const char find_gatherers[] =
    "SELECT " EAS_REVIVE_COLUMNS " FROM task t WHERE t.state = 'skipped' AND t.id IN (SELECT g.task FROM task_gather g"
    " WHERE g.needed " EAS_IN_IDS("$1") " AND g.met = 0) ORDER BY t.id/*pg  FOR NO KEY UPDATE OF t*/";
static const char forget_outcomes[] =
    "UPDATE task_gather SET outcome = NULL WHERE needed " EAS_IN_IDS("$1") " AND met = 0";
static const char gather_again[] = "UPDATE task SET gathered = 1 WHERE id " EAS_IN_IDS(
    "$1") " AND EXISTS (SELECT 1 FROM task_gather g WHERE g.needed ="
          " task.id AND g.met = 0)";

static void was_done(eas_revival *r, int64_t parent, int failed)
{
  if (r->n_undone == r->cap_undone) {
    r->cap_undone = r->cap_undone ? 2 * r->cap_undone : 64;
    r->undone = eas_realloc(r->undone, (size_t)r->cap_undone * sizeof *r->undone);
  }
  r->undone[r->n_undone++] = (eas_undone){ parent, failed };
}

static void count_old(eas_revival *r, const eas_rows *rows)
{
  for (int i = 0; i < eas_rows_n(rows); i++) {
    eas_count *c = eas_counts_of(&r->counts, eas_rows_int(rows, i, 1), eas_rows_int(rows, i, 2));
    const char *state = eas_rows_text(rows, i, 3);
    int passed = state[0] == 'p', reused = passed && eas_rows_int(rows, i, 7);
    c->failed -= state[0] == 'f';
    c->skipped -= state[0] == 's';
    c->cancelled -= state[0] == 'c';
    c->reused -= reused;
    c->passed -= passed && !reused;
    if (eas_rows_int(rows, i, 4) && !eas_rows_null(rows, i, 5))
      was_done(r, eas_rows_int(rows, i, 5), !passed || eas_rows_int(rows, i, 6) > 0);
  }
}

int eas_revive(eas_revival *r, const eas_rows *rows, eas_buf *list, eas_err *err)
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

int eas_revive_down(eas_revival *r, eas_rows *rows, eas_err *err)
{
  eas_buf list;
  eas_buf_init(&list);
  int rc = 0;
  while (rc >= 0 && eas_rows_n(rows) > 0) {
    rc = eas_revive(r, rows, &list, err);
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
  int64_t id, parent, add, failed;
} place;

static int by_id(const void *a, const void *b)
{
  const place *x = *(place *const *)a, *y = *(place *const *)b;
  return (x->id > y->id) - (x->id < y->id);
}

static int by_parent(const void *a, const void *b)
{
  const eas_undone *x = a, *y = b;
  return (x->parent > y->parent) - (x->parent < y->parent);
}

static place *find(place **sorted, int n, int64_t id)
{
  place key = { .id = id }, *k = &key, **found = bsearch(&k, sorted, (size_t)n, sizeof *sorted, by_id);
  return found ? *found : NULL;
}

static int add_children(eas_db *db, place **sorted, int n, const place *p, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT done, state, failed_children FROM task WHERE id = $1/*pg  FOR NO KEY UPDATE*/",
                        EAS_ARGS(eas_v_int(p->id)), &rows, err);
  int done = rc > 0 && eas_rows_int(rows, 0, 0);
  int failed = rc > 0 && (strcmp(eas_rows_text(rows, 0, 1), "passed") != 0 || eas_rows_int(rows, 0, 2) > 0);
  eas_rows_free(rows);
  if (rc >= 0)
    rc = eas_db_exec(
        db,
        "UPDATE task SET open_children = open_children + $2, failed_children = failed_children - $3, done = 0"
        " WHERE id = $1",
        EAS_ARGS(eas_v_int(p->id), eas_v_int(p->add), eas_v_int(p->failed)), err);
  place *parent = done && p->parent ? find(sorted, n, p->parent) : NULL;
  if (parent) {
    parent->add++;
    parent->failed += failed;
  }
  return rc;
}

/* Ancestors of what was revived, deepest first; *ids: those that were opened again. */
static int open_parents(eas_revival *r, eas_buf *ids, eas_err *err)
{
  qsort(r->undone, (size_t)r->n_undone, sizeof *r->undone, by_parent);
  int n_first = 0, n_opened = 0, rc = 0;
  int64_t *first = eas_alloc((size_t)(r->n_undone + 1) * sizeof *first);
  for (int i = 0; i < r->n_undone; i++)
    if (i == 0 || r->undone[i].parent != r->undone[i - 1].parent) first[n_first++] = r->undone[i].parent;
  eas_rows *chain = NULL;
  int n =
      eas_db_query(r->db, find_chain, EAS_ARGS(eas_v_text(eas_db_id_list(r->db, first, n_first, ids))), &chain, err);
  free(first);
  if (n < 0) return n;

  place *all = eas_alloc((size_t)(n + 1) * sizeof *all), **sorted = eas_alloc((size_t)(n + 1) * sizeof *sorted);
  int64_t *opened = eas_alloc((size_t)(n + 1) * sizeof *opened);
  for (int i = 0; i < n; i++) {
    all[i] = (place){ .id = eas_rows_int(chain, i, 0), .parent = eas_rows_int(chain, i, 1) };
    sorted[i] = &all[i];
  }
  eas_rows_free(chain);
  qsort(sorted, (size_t)n, sizeof *sorted, by_id);
  for (int i = 0; i < r->n_undone; i++) {
    place *parent = find(sorted, n, r->undone[i].parent);
    if (!parent) continue;
    parent->add++;
    parent->failed += r->undone[i].failed;
  }
  r->n_undone = 0;
  for (int i = 0; i < n && rc >= 0; i++) {
    if (!all[i].add) continue;
    opened[n_opened++] = all[i].id;
    rc = add_children(r->db, sorted, n, &all[i], err);
  }
  eas_db_id_list(r->db, opened, n_opened, ids);
  free(opened);
  free(sorted);
  free(all);
  return rc < 0 ? rc : 0;
}

int eas_revive_up(eas_revival *r, eas_err *err)
{
  eas_buf ids;
  eas_buf_init(&ids);
  int rc = 0;
  while (rc >= 0 && r->n_undone > 0) {
    eas_rows *rows = NULL;
    rc = open_parents(r, &ids, err);
    eas_val opened = eas_v_text(ids.data);
    if (rc >= 0) rc = eas_db_exec(r->db, gather_again, &opened, 1, err);
    if (rc >= 0) rc = eas_db_exec(r->db, forget_outcomes, &opened, 1, err);
    if (rc >= 0) rc = eas_db_query(r->db, find_gatherers, &opened, 1, &rows, err);
    if (rc > 0)
      rc = eas_revive_down(r, rows, err);
    else
      eas_rows_free(rows);
  }
  eas_buf_done(&ids);
  return rc < 0 ? rc : 0;
}

int eas_revive_end(eas_revival *r, int64_t job, eas_err *err)
{
  int rc = 0;
  if (r->n_revived)
    rc = eas_db_exec(r->db, "UPDATE job SET done_at = NULL WHERE id = $1", EAS_ARGS(eas_v_int(job)), err);
  if (rc >= 0) rc = eas_counts_apply(&r->counts, r->db, err);
  if (rc >= 0 && r->n_ready) rc = eas_db_ring(r->db, err);
  return rc < 0 ? rc : 0;
}

void eas_revival_done(eas_revival *r)
{
  free(r->undone);
  eas_counts_done(&r->counts);
}

static int revive_once(eas_db *db, eas_revive_fn *step, int64_t a, int64_t b, int *n_ready, eas_err *err)
{
  eas_revival r = { .db = db };
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  rc = step(&r, a, b, err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0)
    eas_db_rollback(db);
  else if (n_ready)
    *n_ready = r.n_ready;
  eas_revival_done(&r);
  return rc < 0 ? rc : r.n_revived;
}

int eas_revive_all(eas_db *db, eas_revive_fn *step, int64_t a, int64_t b, int *n_ready, eas_err *err)
{
  int tries = 0, rc;
  do rc = revive_once(db, step, a, b, n_ready, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}
