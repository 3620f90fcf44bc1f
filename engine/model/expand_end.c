/* expand_end.c: how a flow-control attempt ends, and a slice of a long one. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/expand_state.h"

void eas_expand_done(eas_expansion *x, const eas_flow_task *t, int failed)
{
  if (x->n_done == x->cap_done) {
    x->cap_done = x->cap_done ? 2 * x->cap_done : 64;
    x->done = eas_realloc(x->done, (size_t)x->cap_done * sizeof *x->done);
  }
  x->done[x->n_done++] = (eas_done_task){ .parent = t->parent, .job = x->job, .failed = failed };
}

static void count_end(eas_expansion *x, const eas_flow_task *t, int passed, int64_t wall_us)
{
  eas_count *c = eas_counts_of(&x->counts, x->job, t->type);
  c->queued--;
  c->ended++;
  c->wall_us += wall_us;
  if (passed)
    c->passed++;
  else
    c->failed++;
}

static int end_attempt(eas_expansion *x, const eas_flow_task *t, int passed, int64_t wall_us, eas_err *err)
{
  int rc = eas_expand_write(x, err);
  if (rc < 0) return rc;
  rc = eas_db_send(x->db,
                   "UPDATE attempt SET state = 'ended', ending = $2, verdict = $3, token = token + 1, worker = $4, "
                   "started_at = eas_now() - $5,"
                   " ended_at = eas_now(), wall_us = $5 WHERE id = $1 AND state = 'queued'",
                   EAS_ARGS(eas_v_int(t->attempt), eas_v_text(passed ? "ok" : "error"),
                            eas_v_text(passed ? "pass" : "fail"), eas_v_id(x->o->worker), eas_v_int(wall_us)),
                   NULL, err);
  count_end(x, t, passed, wall_us);
  return rc < 0 ? rc : eas_expand_sent(x, err);
}

int eas_expand_pass(eas_expansion *x, const eas_flow_task *t, int64_t n_children, int64_t wall_us, eas_err *err)
{
  int rc = end_attempt(x, t, 1, wall_us, err), failed = 0;
  if (rc < 0) return rc;
  int settled = n_children == 0; /* else its new children are open */
  if (!settled) {
    rc = eas_db_send(x->db,
                     "UPDATE task SET state = 'passed', accepted = $2, open_children = open_children + $3, cursor = "
                     "cursor + $3 WHERE id = $1",
                     EAS_ARGS(eas_v_int(t->task), eas_v_int(t->attempt), eas_v_int(n_children)), NULL, err);
    if (rc >= 0) rc = eas_expand_sent(x, err);
  } else {
    eas_rows *rows = NULL;
    rc = eas_db_query(x->db,
                      "UPDATE task SET state = 'passed', accepted = $2, done = CASE WHEN open_children = 0 THEN 1 ELSE "
                      "0 END WHERE id = $1"
                      " RETURNING done, failed_children",
                      EAS_ARGS(eas_v_int(t->task), eas_v_int(t->attempt)), &rows, err);
    settled = rc > 0 && eas_rows_int(rows, 0, 0) == 1;
    failed = rc > 0 && eas_rows_int(rows, 0, 1) > 0;
    eas_rows_free(rows);
  }
  if (rc < 0) return rc;
  if (settled) eas_expand_done(x, t, failed);
  return t->named ? eas_finish_needs(x->db, t->task, &x->counts, &x->n_queued, err) : 0;
}

int eas_expand_progress(eas_expansion *x, eas_flow_task *t, int64_t n_children, eas_err *err)
{
  int rc = eas_expand_write(x, err);
  if (rc < 0) return rc;
  rc = eas_db_send(x->db, "UPDATE task SET open_children = open_children + $2, cursor = cursor + $2 WHERE id = $1",
                   EAS_ARGS(eas_v_int(t->task), eas_v_int(n_children)), NULL, err);
  t->cursor += n_children;
  return rc < 0 ? rc : eas_expand_sent(x, err);
}

/* What failures are grouped by: numbers taken out. */
static char *cause_of(const char *text)
{
  eas_buf b;
  eas_buf_init(&b);
  for (const char *s = text; *s; s++) {
    if (!isdigit((unsigned char)*s)) {
      eas_buf_char(&b, *s);
      continue;
    }
    eas_buf_char(&b, 'N');
    while (isdigit((unsigned char)s[1]) || (s[1] == '.' && isdigit((unsigned char)s[2]))) s++;
  }
  return eas_buf_take(&b);
}

static int write_note(eas_expansion *x, const eas_flow_task *t, eas_err *err)
{
  char *cause = cause_of(x->fault);
  int rc = eas_expand_write(x, err);
  if (rc >= 0)
    rc = eas_db_exec(x->db, "INSERT INTO attempt_note (attempt, reason, error, cause) VALUES ($1, $2, $3, $4)",
                     EAS_ARGS(eas_v_int(t->attempt), eas_v_text("its list cannot be expanded"), eas_v_text(x->fault),
                              eas_v_text(cause)),
                     err);
  free(cause);
  return rc < 0 ? rc : 0;
}

int eas_expand_fail(eas_expansion *x, const eas_flow_task *t, int64_t wall_us, eas_err *err)
{
  int rc = end_attempt(x, t, 0, wall_us, err);
  if (rc >= 0) rc = write_note(x, t, err);
  if (rc < 0) return rc;
  eas_rows *rows = NULL;
  rc = eas_db_query(x->db,
                    "UPDATE task SET state = 'failed', spread = 1, done = CASE WHEN open_children = 0 THEN 1 ELSE 0 "
                    "END WHERE id = $1 RETURNING done",
                    EAS_ARGS(eas_v_int(t->task)), &rows, err);
  if (rc > 0 && eas_rows_int(rows, 0, 0) == 1) eas_expand_done(x, t, 1);
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}

int eas_expand_attempt(eas_expansion *x, int64_t id, int64_t task, int64_t type, eas_born as, int64_t wall_us,
                       eas_err *err)
{
  int ended = as != EAS_BORN_QUEUED, passed = as == EAS_BORN_PASSED;
  const eas_val row[] = { eas_v_int(id),
                          eas_v_int(task),
                          eas_v_int(x->job),
                          eas_v_int(type),
                          eas_v_int(1),
                          eas_v_text(ended ? "ended" : "queued"),
                          eas_v_text(!ended   ? NULL
                                     : passed ? "ok"
                                              : "error"),
                          eas_v_text(!ended   ? NULL
                                     : passed ? "pass"
                                              : "fail"),
                          eas_v_int(ended),
                          ended ? eas_v_id(x->o->worker) : eas_v_null(),
                          eas_v_int(x->now),
                          ended ? eas_v_int(x->now) : eas_v_null(),
                          ended ? eas_v_int(x->now + wall_us) : eas_v_null(),
                          ended ? eas_v_int(wall_us) : eas_v_null() };
  return eas_expand_put(x, EAS_ROWS_ATTEMPT, row, err);
}

/* A task that is born and expanded in one transaction is written once, as it ended. */
int eas_expand_bear(eas_expansion *x, eas_flow_task *t, eas_born as, int64_t n_children, int64_t wall_us, eas_err *err)
{
  static const char *const states[] = { "ready", "passed", "failed" };
  int64_t node;
  int done = as != EAS_BORN_QUEUED && n_children == 0;
  int rc = eas_expand_node(x, t->path, &node, err);
  if (rc < 0) return rc;
  char *own = t->own ? eas_json_canonical(t->own) : NULL;
  const eas_val row[] = { eas_v_int(t->task),
                          eas_v_int(x->job),
                          eas_v_int(t->parent),
                          eas_v_int(t->ordinal),
                          eas_v_int(t->depth),
                          eas_v_int(t->type),
                          eas_v_int(node),
                          eas_v_null(),
                          eas_v_int(t->directory),
                          eas_v_id(t->label),
                          eas_v_text(states[as]),
                          eas_v_int(0),
                          eas_v_int(1),
                          eas_v_id(as == EAS_BORN_PASSED ? t->attempt : 0),
                          eas_v_int(n_children),
                          eas_v_int(done),
                          eas_v_int(as == EAS_BORN_FAILED),
                          eas_v_int(n_children),
                          eas_v_int(t->turn),
                          eas_v_int((int64_t)t->seed),
                          eas_v_text(own),
                          eas_v_int(0), /* what others wait for has a name, and is not written here */
                          eas_v_int(0) };
  rc = eas_expand_put(x, EAS_ROWS_TASK, row, err);
  free(own);
  t->unborn = 0;
  if (done) eas_expand_done(x, t, as == EAS_BORN_FAILED);
  if (as != EAS_BORN_QUEUED) count_end(x, t, as == EAS_BORN_PASSED, wall_us);
  if (rc >= 0) rc = eas_expand_attempt(x, t->attempt, t->task, t->type, as, wall_us, err);
  if (rc >= 0 && as == EAS_BORN_FAILED) rc = write_note(x, t, err);
  return rc < 0 ? rc : 0;
}
