/* settle.c: tasks of ended attempts, and the tasks that hang on them. */
#include "model/settle.h"

#include <stdlib.h>

#include "base/buf.h"
#include "model/ancestors.h"

static const char lock_tasks[] = "SELECT t.id, t.parent, t.open_children, t.failed_children FROM " EAS_OF_IDS(
    "$1") " task t ON t.id = s.value/*pg  ORDER BY t.id FOR NO KEY UPDATE OF t*/"; /* $1 is sorted */
static const char pass_task[] =
    "UPDATE task SET state = 'passed', accepted = $2, done = CASE WHEN open_children = 0 THEN 1 ELSE 0 END"
    " WHERE id = $1";
static const char pass_tasks[] = /* the same for all of a group, on a server: see commit.c. Columns as lock_tasks. */
    "WITH u AS (UPDATE task SET state = 'passed', accepted = r.attempt, done = CASE WHEN open_children = 0 THEN 1 ELSE "
    "0"
    " END FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS BIGINT[])) AS r (task, attempt) WHERE task.id = r.task"
    " RETURNING task.id, task.parent, task.open_children, task.failed_children) SELECT * FROM u ORDER BY id";
static const char end_task[] =
    "UPDATE task SET state = $2, spread = $3, done = CASE WHEN open_children = 0 THEN 1 ELSE 0 END"
    " WHERE id = $1";
static const char again_task[] = "UPDATE task SET attempts = $2 WHERE id = $1";

static const char pass_products[] =
    "UPDATE product SET passed = (SELECT max(v.id) FROM version v WHERE v.product = product.id AND v.verdict = 'pass')"
    " WHERE id " EAS_IN_IDS("$1");
/* A few edges of many: found by a join, which needs no table of its own of the ids. */
#define EAS_EDGES_OF(table, column)                                                                                    \
  "/*pg " column                                                                                                       \
  " = ANY (CAST($1 AS BIGINT[]))*//*sqlite rowid IN (SELECT e.rowid FROM eas_ids($1) s CROSS JOIN " table              \
  " e ON e." column " = s.value)*/"
static const char meet_inputs[] =
    "UPDATE task_input SET met = 1 WHERE " EAS_EDGES_OF("task_input", "product") " AND met = 0 RETURNING task";
static const char meet_needs[] =
    "UPDATE task_need SET met = 1 WHERE " EAS_EDGES_OF("task_need", "needed") " AND met = 0 RETURNING task";

/* Passed, but somebody waits for a product that did not: that one can never come. */
static const char spread_missing[] = "UPDATE task SET spread = 1 WHERE id IN (SELECT p.task FROM " EAS_OF_IDS(
    "$1") " product p ON p.task = s.value"
          " WHERE EXISTS (SELECT 1 FROM task_input i WHERE i.product = p.id AND i.met = 0))";

static const char meet_task[] =
    "UPDATE task SET pending = pending - $2,"
    " attempts = attempts + CASE WHEN pending = $2 AND state = 'waiting' THEN 1 ELSE 0 END,"
    " state = CASE WHEN pending = $2 AND state = 'waiting' THEN 'ready' ELSE state END WHERE id = $1";

static const char bear[] =
    "INSERT INTO attempt (/*sqlite id, */task, job, type, number, state, queued_at)"
    " SELECT /*sqlite $2 - 1 + row_number() OVER (ORDER BY t.id), */t.id, t.job, t.type, t.attempts, 'queued', "
    "eas_now()"
    " FROM task t WHERE t.id " EAS_IN_IDS("$1") " AND t.state = 'ready'"
                                                " AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.task = t.id AND "
                                                "a.ending IS NULL) RETURNING job, type";
static const char bear_next[] =
    "INSERT INTO attempt (/*sqlite id, */task, job, type, number, state, not_before, queued_at) VALUES"
    " (/*sqlite $6, */$1, $2, $3, $4, 'queued', CASE WHEN CAST($5 AS BIGINT) > 0 THEN eas_now() + CAST($5 AS BIGINT) "
    "ELSE 0 END, eas_now())";

static int by_task(const void *a, const void *b)
{
  const eas_settled *x = a, *y = b;
  return (x->task > y->task) - (x->task < y->task);
}

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int send_task(eas_settle *s, eas_settled *t, int64_t next_id, eas_err *err)
{
  int rc;
  switch (t->outcome) {
  case EAS_OUT_PASSED:
    return eas_db_send(s->db, pass_task, EAS_ARGS(eas_v_int(t->task), eas_v_int(t->attempt)), NULL, err);
  case EAS_OUT_AGAIN:
    rc = eas_db_send(s->db, again_task, EAS_ARGS(eas_v_int(t->task), eas_v_int(t->number + 1)), NULL, err);
    if (rc < 0) return rc;
    s->n_ready++;
    return eas_db_send(s->db, bear_next,
                       EAS_ARGS(eas_v_int(t->task), eas_v_int(t->job), eas_v_int(t->type), eas_v_int(t->number + 1),
                                eas_v_int(t->delay_us), eas_v_int(next_id)),
                       NULL, err);
  case EAS_OUT_CANCELLED: /* what hangs on it waits where the job is cancelled, and is tried again as a whole */
    return eas_db_send(s->db, end_task, EAS_ARGS(eas_v_int(t->task), eas_v_text("cancelled"), eas_v_int(t->alone)),
                       NULL, err);
  default:
    return eas_db_send(
        s->db, end_task,
        EAS_ARGS(eas_v_int(t->task), eas_v_text(t->outcome == EAS_OUT_SKIPPED ? "skipped" : "failed"), eas_v_int(1)),
        NULL, err);
  }
}

static int send_passed(eas_settle *s, int *ticket, eas_err *err)
{
  int64_t *tasks = eas_alloc(2 * (size_t)(s->n + 1) * sizeof *tasks), *attempts = tasks + s->n + 1;
  int n = 0;
  for (int i = 0; i < s->n; i++) {
    if (s->list[i].outcome != EAS_OUT_PASSED) continue;
    tasks[n] = s->list[i].task;
    attempts[n++] = s->list[i].attempt;
  }
  eas_buf a, b;
  eas_buf_init(&a);
  eas_buf_init(&b);
  eas_val args[] = { eas_v_text(eas_db_id_list(s->db, tasks, n, &a)),
                     eas_v_text(eas_db_id_list(s->db, attempts, n, &b)) };
  int rc = n ? eas_db_send(s->db, pass_tasks, args, 2, ticket, err) : 0;
  eas_buf_done(&a);
  eas_buf_done(&b);
  free(tasks);
  return rc;
}

static int send_tasks(eas_settle *s, eas_err *err)
{
  int n_again = 0, sqlite = eas_db_kind(s->db) == EAS_DB_SQLITE, rc = 0;
  for (int i = 0; i < s->n; i++) n_again += s->list[i].outcome == EAS_OUT_AGAIN;
  int64_t *ids = eas_alloc((size_t)(n_again + 1) * sizeof *ids), *next = ids;
  if (sqlite && n_again) rc = eas_db_ids(s->db, "attempt", n_again, ids, err); /* a server has sequences */
  if (!sqlite) rc = send_passed(s, s->own < 0 ? &s->own : NULL, err);
  for (int i = 0; i < s->n && rc >= 0; i++) {
    if (sqlite || s->list[i].outcome != EAS_OUT_PASSED) rc = send_task(s, &s->list[i], *next, err);
    next += s->list[i].outcome == EAS_OUT_AGAIN;
  }
  free(ids);
  return rc < 0 ? rc : 0;
}

static void count_own(eas_settle *s)
{
  for (int i = 0; i < s->n; i++) {
    const eas_settled *t = &s->list[i];
    eas_count *c = eas_counts_of(&s->counts, t->job, t->type);
    c->running -= s->from == EAS_FROM_RUNNING;
    c->queued -= s->from == EAS_FROM_QUEUED;
    c->waiting -= s->from == EAS_FROM_WAITING;
    switch (t->outcome) {
    case EAS_OUT_PASSED:
      if (t->reused)
        c->reused++;
      else
        c->passed++;
      break;
    case EAS_OUT_FAILED: c->failed++; break;
    case EAS_OUT_AGAIN: c->queued++; break;
    case EAS_OUT_CANCELLED: c->cancelled++; break;
    case EAS_OUT_SKIPPED: c->skipped++; break;
    }
  }
}

static int send_edges(eas_settle *s, eas_err *err)
{
  int64_t *needed = eas_alloc(2 * (size_t)(s->n + 1) * sizeof *needed), *makers = needed + s->n + 1;
  int n_needed = 0, n_makers = 0;
  for (int i = 0; i < s->n; i++) {
    if (s->list[i].outcome != EAS_OUT_PASSED) continue;
    if (!s->list[i].unneeded) needed[n_needed++] = s->list[i].task;
    if (!s->list[i].makes_none) makers[n_makers++] = s->list[i].task;
  }
  eas_buf list;
  eas_buf_init(&list);
  int rc = 0;
  if (s->n_products) {
    qsort(s->products, (size_t)s->n_products, sizeof *s->products, by_value);
    eas_val products = eas_v_text(eas_db_id_list(s->db, s->products, s->n_products, &list));
    rc = eas_db_send(s->db, pass_products, &products, 1, NULL, err);
    if (rc >= 0) rc = eas_db_send(s->db, meet_inputs, &products, 1, &s->edges[0], err);
  }
  if (rc >= 0 && n_needed)
    rc = eas_db_send(s->db, meet_needs, EAS_ARGS(eas_v_text(eas_db_id_list(s->db, needed, n_needed, &list))),
                     &s->edges[1], err);
  if (rc >= 0 && n_makers)
    rc = eas_db_send(s->db, spread_missing, EAS_ARGS(eas_v_text(eas_db_id_list(s->db, makers, n_makers, &list))), NULL,
                     err);
  eas_buf_done(&list);
  free(needed);
  return rc;
}

int eas_settle_send(eas_settle *s, eas_err *err)
{
  int64_t *all = eas_alloc(2 * (size_t)(s->n + 1) * sizeof *all), *parents = all + s->n + 1;
  int n_passed = 0, n_decided = 0, sqlite = eas_db_kind(s->db) == EAS_DB_SQLITE;
  qsort(s->list, (size_t)s->n, sizeof *s->list, by_task);
  for (int i = 0; i < s->n; i++) {
    all[i] = s->list[i].task;
    parents[i] = s->list[i].parent;
    n_passed += s->list[i].outcome == EAS_OUT_PASSED;
    n_decided += s->list[i].outcome != EAS_OUT_AGAIN;
  }
  s->edges[0] = s->edges[1] = s->chain = s->own = -1;
  count_own(s);
  eas_buf list;
  eas_buf_init(&list);
  eas_val tasks = eas_v_text(eas_db_id_list(s->db, all, s->n, &list));
  int rc = 0; /* where all have passed, a server's one statement locks, changes and tells: pass_tasks */
  if (sqlite || n_passed < s->n) rc = eas_db_send(s->db, lock_tasks, &tasks, 1, &s->own, err);
  if (rc >= 0 && n_decided)
    rc = s->parents_known ? eas_ancestors_send(s->db, parents, s->n, &s->chain, err)
                          : eas_ancestors_send_above(s->db, all, s->n, &s->chain, err);
  if (rc >= 0) rc = send_tasks(s, err);
  if (rc >= 0) rc = send_edges(s, err);
  eas_buf_done(&list);
  free(all);
  return rc < 0 ? rc : 0;
}

int eas_settle_bear(eas_db *db, const int64_t *tasks, int n, int *ticket, eas_err *err)
{
  int64_t *ids = eas_alloc((size_t)(n + 1) * sizeof *ids);
  int rc = eas_db_kind(db) == EAS_DB_SQLITE ? eas_db_ids(db, "attempt", n, ids, err) : 0;
  eas_buf list;
  eas_buf_init(&list);
  if (rc >= 0)
    rc = eas_db_send(db, bear, EAS_ARGS(eas_v_text(eas_db_id_list(db, tasks, n, &list)), eas_v_int(ids[0])), ticket,
                     err);
  eas_buf_done(&list);
  free(ids);
  return rc < 0 ? rc : 0;
}

/* Takes met edges off their tasks, by ascending id; those at zero are born an attempt. */
static int follow_edges(eas_settle *s, int *born, eas_err *err)
{
  const eas_rows *a = s->edges[0] < 0 ? NULL : eas_db_result(s->db, s->edges[0]);
  const eas_rows *b = s->edges[1] < 0 ? NULL : eas_db_result(s->db, s->edges[1]);
  int n_a = a ? eas_rows_n(a) : 0, n_b = b ? eas_rows_n(b) : 0, n = n_a + n_b, kept = 0, rc = 0;
  if (n == 0) return 0;
  int64_t *tasks = eas_alloc((size_t)n * sizeof *tasks);
  for (int i = 0; i < n; i++) tasks[i] = i < n_a ? eas_rows_int(a, i, 0) : eas_rows_int(b, i - n_a, 0);
  qsort(tasks, (size_t)n, sizeof *tasks, by_value);
  for (int i = 0, end; i < n && rc >= 0; i = end) {
    for (end = i; end < n && tasks[end] == tasks[i];) end++;
    tasks[kept] = tasks[i];
    rc = eas_db_send(s->db, meet_task, EAS_ARGS(eas_v_int(tasks[kept++]), eas_v_int(end - i)), NULL, err);
  }
  if (rc >= 0) rc = eas_settle_bear(s->db, tasks, kept, born, err);
  free(tasks);
  return rc < 0 ? rc : 0;
}

/* What control asks itself too: see job_due.c. */
static const char find_due[] =
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM task WHERE spread = 1) OR EXISTS (SELECT 1 FROM task WHERE " EAS_TO_TELL(
        "") ")";

/* Tasks that are done now count their parents down. */
static int follow_up(eas_settle *s, const eas_up *done, int n, eas_err *err)
{
  if (n == 0) return 0;
  int rc = eas_up_send(s->db, done, n, err);
  eas_buf list;
  eas_buf_init(&list);
  int64_t *jobs = eas_alloc((size_t)s->n * sizeof *jobs);
  int n_jobs = 0;
  for (int i = 0; i < s->n; i++) {
    int known = 0;
    for (int k = n_jobs; k-- > 0 && !known;) known = jobs[k] == s->list[i].job;
    if (!known) jobs[n_jobs++] = s->list[i].job;
  }
  if (rc >= 0)
    rc = eas_db_send(s->db,
                     "UPDATE job SET done_at = eas_now() WHERE id " EAS_IN_IDS(
                         "$1") " AND done_at IS NULL"
                               " AND EXISTS (SELECT 1 FROM task t WHERE t.id = job.root AND t.done = 1)",
                     EAS_ARGS(eas_v_text(eas_db_id_list(s->db, jobs, n_jobs, &list))), NULL, err);
  eas_buf_done(&list);
  free(jobs);
  return rc < 0 ? rc : 0;
}

/* Tasks of the group that are done now; both lists are sorted by task. */
static int find_done(eas_settle *s, eas_up *done, eas_err *err)
{
  const eas_rows *own = eas_db_result(s->db, s->own);
  int n_done = 0;
  if (eas_rows_n(own) != s->n)
    return eas_fail(err, EAS_EDB, "database: %d of %d tasks of ended attempts are not there", s->n - eas_rows_n(own),
                    s->n);
  for (int i = 0; i < s->n; i++) {
    if (s->list[i].outcome == EAS_OUT_AGAIN || eas_rows_int(own, i, 2) > 0) continue;
    done[n_done++] =
        (eas_up){ eas_rows_int(own, i, 1), s->list[i].outcome != EAS_OUT_PASSED || eas_rows_int(own, i, 3) > 0 };
  }
  return n_done;
}

int eas_settle_follow(eas_settle *s, eas_err *err)
{
  eas_up *done = eas_alloc((size_t)(s->n + 1) * sizeof *done);
  int born = -1, due = -1, n_done = find_done(s, done, err), rc = n_done;
  if (n_done < 0) goto out;
  eas_ancestors_take(s->db, s->chain); /* the next send drops the results */
  rc = follow_edges(s, &born, err);
  if (rc >= 0) rc = follow_up(s, done, n_done, err);
  if (rc >= 0 && n_done) rc = eas_db_send(s->db, find_due, NULL, 0, &due, err);
  if (rc >= 0) rc = eas_db_flush(s->db, err);
  if (rc >= 0 && due >= 0) s->control = eas_rows_n(eas_db_result(s->db, due)) > 0;
  if (rc >= 0 && born >= 0) {
    const eas_rows *r = eas_db_result(s->db, born);
    for (int i = 0; i < eas_rows_n(r); i++) {
      eas_count *c = eas_counts_of(&s->counts, eas_rows_int(r, i, 0), eas_rows_int(r, i, 1));
      c->waiting--;
      c->queued++;
    }
    s->n_ready += eas_rows_n(r);
  }
out:
  free(done);
  return rc < 0 ? rc : 0;
}

void eas_settle_done(eas_settle *s)
{
  eas_counts_done(&s->counts);
  free(s->list);
  free(s->products);
}
