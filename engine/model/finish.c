#include "model/finish.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

eas_count *eas_counts_of(eas_counts *c, int64_t job, int64_t type)
{
  for (int i = c->n; i-- > 0;)
    if (c->list[i].job == job && c->list[i].type == type) return &c->list[i];
  if (c->n == c->cap) {
    c->cap = c->cap ? 2 * c->cap : 8;
    c->list = eas_realloc(c->list, (size_t)c->cap * sizeof *c->list);
  }
  c->list[c->n] = (eas_count){ .job = job, .type = type };
  return &c->list[c->n++];
}

int eas_counts_apply(eas_counts *c, eas_db *db, eas_err *err)
{
  int rc = c->n ? eas_counts_add(db, c->list, c->n, err) : 0;
  c->n = 0;
  return rc < 0 ? rc : 0;
}

void eas_counts_done(eas_counts *c)
{
  free(c->list);
  *c = (eas_counts){ 0 };
}

typedef struct {
  int64_t id, job, done, failed;
} parent_sum;

static int by_id(const void *a, const void *b)
{
  const parent_sum *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

/* Sums the list per parent, by ascending id; roots end their jobs here. Returns how many parents, or an error. */
static int sum_parents(eas_db *db, const eas_done_task *list, int n, parent_sum *out, eas_err *err)
{
  int n_out = 0;
  for (int i = 0; i < n; i++) {
    if (list[i].parent == 0) {
      int rc = eas_db_exec(db, "UPDATE job SET done_at = eas_now() WHERE id = $1 AND done_at IS NULL",
                           EAS_ARGS(eas_v_int(list[i].job)), err);
      if (rc < 0) return rc;
      continue;
    }
    if (n_out && out[n_out - 1].id == list[i].parent) { /* siblings mostly stand together */
      out[n_out - 1].done++;
      out[n_out - 1].failed += list[i].failed;
    } else {
      out[n_out++] = (parent_sum){ list[i].parent, list[i].job, 1, list[i].failed };
    }
  }
  if (n_out < 2) return n_out;
  qsort(out, (size_t)n_out, sizeof *out, by_id);
  int kept = 0;
  for (int i = 1; i < n_out; i++) {
    if (out[i].id == out[kept].id) {
      out[kept].done += out[i].done;
      out[kept].failed += out[i].failed;
    } else {
      out[++kept] = out[i];
    }
  }
  return kept + 1;
}

/* Takes one parent's children off; 1 with *out when that makes it done, else 0. */
static int count_parent(eas_db *db, const parent_sum *p, eas_done_task *out, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(
      db,
      "UPDATE task SET open_children = open_children - $2, failed_children = failed_children + $3 WHERE id = $1"
      " RETURNING open_children, failed_children, done, parent, state",
      EAS_ARGS(eas_v_int(p->id), eas_v_int(p->done), eas_v_int(p->failed)), &rows, err);
  if (rc < 0) return rc;
  int done = 0;
  if (rc == 1 && eas_rows_int(rows, 0, 0) == 0 && !eas_rows_int(rows, 0, 2)) {
    const char *state = eas_rows_text(rows, 0, 4);
    /* one that still waits or runs (a loop half expanded) is done later, by whoever decides it */
    done = strcmp(state, "waiting") != 0 && strcmp(state, "ready") != 0;
    *out = (eas_done_task){ .parent = eas_rows_int(rows, 0, 3),
                            .job = p->job,
                            .failed = eas_rows_int(rows, 0, 1) > 0 || strcmp(state, "passed") != 0 };
  }
  eas_rows_free(rows);
  if (!done) return 0;
  rc = eas_db_exec(db, "UPDATE task SET done = 1 WHERE id = $1", EAS_ARGS(eas_v_int(p->id)), err);
  return rc < 0 ? rc : 1;
}

int eas_finish_children(eas_db *db, const eas_done_task *list, int n, eas_err *err)
{
  if (n == 0) return 0;
  parent_sum *sums = eas_alloc((size_t)n * sizeof *sums);
  eas_done_task *next = eas_alloc((size_t)n * sizeof *next);
  int rc = sum_parents(db, list, n, sums, err);
  while (rc > 0) {
    int n_sums = rc, n_next = 0;
    for (int i = 0; i < n_sums && rc >= 0; i++) {
      rc = count_parent(db, &sums[i], &next[n_next], err);
      if (rc == 1) n_next++;
    }
    if (rc >= 0) rc = sum_parents(db, next, n_next, sums, err);
  }
  free(sums);
  free(next);
  return rc < 0 ? rc : 0;
}

int eas_finish_edge(eas_db *db, int64_t task, eas_counts *counts, int *n_ready, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db,
                        "UPDATE task SET pending = pending - 1,"
                        " attempts = attempts + CASE WHEN pending = 1 AND state = 'waiting' THEN 1 ELSE 0 END,"
                        " state = CASE WHEN pending = 1 AND state = 'waiting' THEN 'ready' ELSE state END"
                        " WHERE id = $1 AND pending > 0 RETURNING pending, state, attempts, job, type",
                        EAS_ARGS(eas_v_int(task)), &rows, err);
  if (rc <= 0) {
    eas_rows_free(rows);
    return rc;
  }
  int ready = eas_rows_int(rows, 0, 0) == 0 && strcmp(eas_rows_text(rows, 0, 1), "ready") == 0;
  int64_t number = eas_rows_int(rows, 0, 2), job = eas_rows_int(rows, 0, 3), type = eas_rows_int(rows, 0, 4);
  eas_rows_free(rows);
  if (!ready) return 0;

  int64_t id;
  rc = eas_db_ids(db, "attempt", 1, &id, err);
  if (rc < 0) return rc;
  rc = eas_db_exec(db,
                   "INSERT INTO attempt (id, task, job, type, number, state, queued_at) VALUES ($1, $2, $3, $4, $5, "
                   "'queued', eas_now())",
                   EAS_ARGS(eas_v_int(id), eas_v_int(task), eas_v_int(job), eas_v_int(type), eas_v_int(number)), err);
  if (rc < 0) return rc;
  eas_count *c = eas_counts_of(counts, job, type);
  c->waiting--;
  c->queued++;
  if (n_ready) ++*n_ready;
  return 0;
}

int eas_finish_needs(eas_db *db, int64_t task, eas_counts *counts, int *n_ready, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db, "UPDATE task_need SET met = 1 WHERE needed = $1 AND met = 0 RETURNING task",
                       EAS_ARGS(eas_v_int(task)), &rows, err);
  int rc = n < 0 ? n : 0;
  for (int i = 0; i < n && rc >= 0; i++) rc = eas_finish_edge(db, eas_rows_int(rows, i, 0), counts, n_ready, err);
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}
