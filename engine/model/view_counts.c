/* view_counts.c: a job's counters. */
#include <stdio.h>
#include <string.h>

#include "model/view.h"

static int is_flow(const char *type)
{
  return strncmp(type, "execution_", 10) == 0;
}

static void add_type(eas_job_counts *c, const eas_rows *r, int i)
{
  if (c->n_types == (int)(sizeof c->types / sizeof *c->types)) return;
  int k = c->n_types++;
  snprintf(c->types[k].type, sizeof c->types[k].type, "%s", eas_rows_text(r, i, 0));
  c->types[k].flow = is_flow(c->types[k].type);
  int64_t *to[] = { &c->types[k].waiting, &c->types[k].queued, &c->types[k].running, &c->types[k].passed,
                    &c->types[k].reused,  &c->types[k].failed, &c->types[k].skipped, &c->types[k].cancelled,
                    &c->types[k].wall_us, &c->types[k].ended };
  int64_t *sum[] = { &c->waiting, &c->queued, &c->running, &c->passed,
                     &c->reused,  &c->failed, &c->skipped, &c->cancelled };
  for (int j = 0; j < 10; j++) *to[j] = eas_rows_int(r, i, j + 1);
  for (int j = 0; j < 8; j++) *sum[j] += *to[j];
  if (c->types[k].flow) return;
  int64_t ended = *to[3] + *to[4] + *to[5] + *to[6] + *to[7];
  c->work_total += ended + *to[0] + *to[1] + *to[2];
  c->work_done += ended;
  c->work_failed += *to[5] + *to[6];
}

int eas_view_counts(eas_db *db, int64_t job, eas_job_counts *out, eas_err *err)
{
  eas_rows *r = NULL;
  memset(out, 0, sizeof *out);
  int n = eas_db_query(db, "SELECT name, state, created_at, done_at, trace_id FROM job WHERE id = $1",
                       EAS_ARGS(eas_v_int(job)), &r, err);
  if (n < 0) return n;
  if (n == 0) {
    eas_rows_free(r);
    return eas_fail(err, EAS_ENOENT, "no job j%lld", (long long)job);
  }
  out->job = job;
  snprintf(out->name, sizeof out->name, "%s", eas_rows_text(r, 0, 0));
  snprintf(out->state, sizeof out->state, "%s", eas_rows_text(r, 0, 1));
  eas_trace_copy(out->trace_id, eas_rows_text(r, 0, 4));
  out->created_at = eas_rows_int(r, 0, 2);
  out->done_at = eas_rows_null(r, 0, 3) ? 0 : eas_rows_int(r, 0, 3);
  eas_rows_free(r);
  n = eas_db_query(db,
                   "SELECT t.name, c.waiting, c.queued, c.running, c.passed, c.reused, c.failed, c.skipped, "
                   "c.cancelled, c.wall_us, c.ended "
                   "FROM job_type c JOIN task_type t ON t.id = c.type WHERE c.job = $1 ORDER BY c.type",
                   EAS_ARGS(eas_v_int(job)), &r, err);
  if (n < 0) return n;
  for (int i = 0; i < n; i++) add_type(out, r, i);
  eas_rows_free(r);
  return 0;
}

int eas_task_last_metadata(eas_db *db, eas_rows **out, eas_err *err)
{
  return eas_db_query(db,
                      "SELECT a.metadata FROM attempt a JOIN task_type t ON t.id = a.type "
                      "WHERE a.id = (SELECT max(id) FROM attempt WHERE state = 'ended') AND a.verdict = 'pass'",
                      EAS_NOARGS, out, err);
}

int eas_view_root(eas_db *db, int64_t job, int64_t *task, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db, "SELECT root FROM job WHERE id = $1", EAS_ARGS(eas_v_int(job)), &r, err);
  if (n > 0) *task = eas_rows_int(r, 0, 0);
  eas_rows_free(r);
  if (n == 0) return eas_fail(err, EAS_ENOENT, "no job j%lld", (long long)job);
  return n < 0 ? n : 0;
}

int eas_view_job_done(eas_db *db, int64_t job, eas_err *err)
{
  eas_rows *r = NULL;
  int n =
      eas_db_query(db, "SELECT 1 FROM job WHERE id = $1 AND done_at IS NOT NULL", EAS_ARGS(eas_v_int(job)), &r, err);
  eas_rows_free(r);
  return n;
}
