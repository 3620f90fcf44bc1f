/* gather.c: tasks that wait until another is done, with all below it ("requires_done"): told by control. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/attempt.h"
#include "model/finish.h"
#include "model/settle.h"

enum { MOST_MISSING = 1000 }; /* listed; the rest is counted */

static const char find_done[] =
    "SELECT t.id, t.state, t.cursor, t.failed_children FROM task t JOIN job j ON j.id = t.job WHERE " EAS_TO_TELL(
        "t.") " AND j.state <> 'cancelled' ORDER BY t.id LIMIT $1/*pg  FOR NO KEY UPDATE OF t SKIP LOCKED*/";

/* Children of which not everything passed: their place and what tells them apart. */
static const char find_missing[] = "SELECT ordinal, metadata FROM task WHERE parent = $1 AND (state <> 'passed' OR "
                                   "failed_children > 0) ORDER BY ordinal"
                                   " LIMIT $2";

static const char find_edges[] =
    "SELECT task, name, least FROM task_gather WHERE needed = $1 AND met = 0 ORDER BY task";

static const char find_waiting[] = /* those that get too little */
    "SELECT t.id, t.job, t.type FROM task t JOIN task_gather g ON g.task = t.id WHERE g.needed = $1 AND g.met = 0 AND"
    " g.outcome IS NOT NULL AND t.state = 'waiting' ORDER BY t.id LIMIT $2/*pg  FOR NO KEY UPDATE OF t*/";

typedef struct {
  eas_db *db;
  int64_t id, children, failed;
  int passed; /* itself */
  int n_ready;
  eas_counts counts;
} gather;

/* {"children": 20, "passed": 19, "missing": [{"index": 7, "size": 1.5}]}; caller frees. */
static int outcome_of(const gather *g, char **out, eas_err *err)
{
  json_t *missing = json_array();
  eas_rows *rows = NULL;
  int n = g->failed ? eas_db_query(g->db, find_missing, EAS_ARGS(eas_v_int(g->id), eas_v_int(MOST_MISSING)), &rows, err)
                    : 0;
  for (int i = 0; i < n; i++) {
    const char *text = eas_rows_text(rows, i, 1);
    json_t *own = text ? json_loads(text, 0, NULL) : NULL, *v = json_object();
    json_object_set_new(v, "index", json_integer(eas_rows_int(rows, i, 0)));
    if (json_is_object(own)) json_object_update(v, own);
    json_decref(own);
    json_array_append_new(missing, v);
  }
  eas_rows_free(rows);
  json_t *all = json_pack("{s:I,s:I,s:o}", "children", (json_int_t)g->children, "passed",
                          (json_int_t)(g->children - g->failed), "missing", missing);
  *out = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
  json_decref(all);
  return n < 0 ? n : 0;
}

static int is_enough(const gather *g, int64_t least)
{
  return g->passed && (g->children - g->failed) * 1000000 >= least * g->children;
}

/* Everyone who waits for this one hears of it; those who get enough become ready when nothing else is missing. */
static int tell(gather *g, int *told, eas_err *err)
{
  char *outcome = NULL;
  eas_rows *edges = NULL, *waiting = NULL;
  int rc = outcome_of(g, &outcome, err);
  int n = rc < 0 ? 0 : eas_db_query(g->db, find_edges, EAS_ARGS(eas_v_int(g->id)), &edges, err);
  if (n < 0) rc = n;
  for (int i = 0; i < n && rc >= 0; i++) {
    int enough = is_enough(g, eas_rows_int(edges, i, 2));
    rc = eas_db_exec(g->db, "UPDATE task_gather SET met = $3, outcome = $4 WHERE task = $1 AND name = $2",
                     EAS_ARGS(eas_v_int(eas_rows_int(edges, i, 0)), eas_v_int(eas_rows_int(edges, i, 1)),
                              eas_v_int(enough), eas_v_text(outcome)),
                     err);
    if (rc >= 0 && enough) rc = eas_finish_edge(g->db, eas_rows_int(edges, i, 0), &g->counts, &g->n_ready, err);
  }
  if (rc >= 0) rc = eas_db_exec(g->db, "UPDATE task SET gathered = 0 WHERE id = $1", EAS_ARGS(eas_v_int(g->id)), err);
  if (rc >= 0) rc = eas_db_query(g->db, find_waiting, EAS_ARGS(eas_v_int(g->id), eas_v_int(n)), &waiting, err);
  if (rc > 0) rc = eas_skip_tasks(g->db, waiting, rc, err);
  *told += n;
  eas_rows_free(edges);
  eas_rows_free(waiting);
  free(outcome);
  return rc < 0 ? rc : 0;
}

static int some(gather *g, int limit, int *found, eas_err *err)
{
  eas_rows *rows = NULL;
  int told = 0, rc = *found = eas_db_query(g->db, find_done, EAS_ARGS(eas_v_int(limit)), &rows, err);
  for (int i = 0; i < *found && rc >= 0; i++) {
    g->id = eas_rows_int(rows, i, 0);
    g->passed = strcmp(eas_rows_text(rows, i, 1), "passed") == 0;
    g->children = eas_rows_int(rows, i, 2);
    g->failed = eas_rows_int(rows, i, 3);
    rc = tell(g, &told, err);
  }
  eas_rows_free(rows);
  if (rc >= 0) rc = eas_counts_apply(&g->counts, g->db, err);
  if (rc >= 0 && g->n_ready) rc = eas_db_ring(g->db, err);
  if (rc >= 0) rc = eas_db_commit(g->db, err);
  return rc < 0 ? rc : told;
}

int eas_gather_some(eas_db *db, int limit, int *n_ready, eas_err *err)
{
  gather g = { .db = db };
  int found = 0, rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  rc = some(&g, limit > 0 ? limit : 64, &found, err);
  if (rc < 0)
    eas_db_rollback(db);
  else if (n_ready)
    *n_ready = g.n_ready;
  eas_counts_done(&g.counts);
  return rc < 0 ? rc : found;
}
