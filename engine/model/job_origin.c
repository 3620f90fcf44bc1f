/* job_origin.c: the job that another was made from, and the task of it that stands where a task of this one stands. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/job.h"
#include "model/view.h"
#include "model/view_rows.h"

int eas_job_load(eas_db *db, int64_t job, eas_jobfile **out, eas_submit_options *o, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db,
                        "SELECT d.source, d.body, j.seed, j.priority, j.compat FROM job j JOIN document d ON d.id = "
                        "j.document WHERE j.id = $1",
                        EAS_ARGS(eas_v_int(job)), &rows, err);
  if (rc == 0) rc = eas_fail(err, EAS_ENOENT, "no job j%lld", (long long)job);
  if (rc > 0) {
    *o = (eas_submit_options){ .has_seed = 1,
                               .seed = (uint64_t)eas_rows_int(rows, 0, 2),
                               .has_priority = 1,
                               .priority = eas_rows_int(rows, 0, 3),
                               .prototype_names = (int)eas_rows_int(rows, 0, 4),
                               .origin = job };
    const char *text = eas_rows_text(rows, 0, 1);
    rc = eas_jobfile_parse(out, eas_rows_text(rows, 0, 0), text, strlen(text), err);
  }
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}

/* The job it was made from; else the newest one of the same name before it. 0: there is none. */
static int find_origin(eas_db *db, int64_t task, int64_t *job, int64_t *root, eas_err *err)
{
  eas_rows *rows = NULL;
  *job = *root = 0;
  int rc =
      eas_db_query(db,
                   "SELECT o.id, o.root FROM task t JOIN job j ON j.id = t.job JOIN job o ON o.id = coalesce(j.origin, "
                   "(SELECT max(e.id) FROM job e WHERE e.name = j.name AND e.id < j.id)) WHERE t.id = $1",
                   EAS_ARGS(eas_v_int(task)), &rows, err);
  if (rc > 0) {
    *job = eas_rows_int(rows, 0, 0);
    *root = eas_rows_int(rows, 0, 1);
  }
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}

/* A seed comes from the place in lists, loop values and turns: the same seed below the same parent is the same place. */
static int counterpart(eas_db *db, int64_t task, int64_t root, int64_t *out, eas_err *err)
{
  eas_rows *chain = NULL, *rows = NULL;
  int n =
      eas_db_query(db,
                   "WITH RECURSIVE up (id, parent, depth, seed) AS (SELECT id, parent, depth, seed FROM task WHERE "
                   "id = $1 UNION ALL SELECT t.id, t.parent, t.depth, t.seed FROM up JOIN task t ON t.id = up.parent)"
                   " SELECT seed FROM up WHERE depth > 0 ORDER BY depth",
                   EAS_ARGS(eas_v_int(task)), &chain, err);
  int rc = n < 0 ? n : 0;
  *out = root;
  for (int i = 0; i < n && rc >= 0 && *out; i++) {
    rc = eas_db_query(db, "SELECT id FROM task WHERE parent = $1 AND seed = $2",
                      EAS_ARGS(eas_v_int(*out), eas_v_int(eas_rows_int(chain, i, 0))), &rows, err);
    *out = rc > 0 ? eas_rows_int(rows, 0, 0) : 0;
    eas_rows_free(rows);
    rows = NULL;
  }
  eas_rows_free(chain);
  return rc < 0 ? rc : 0;
}

int eas_view_origin(eas_db *db, int64_t task, json_t **out, eas_err *err)
{
  int64_t job = 0, root = 0, there = 0;
  *out = NULL;
  int rc = find_origin(db, task, &job, &root, err);
  if (rc < 0 || !job) return rc;
  rc = counterpart(db, task, root, &there, err);
  if (rc < 0) return rc;
  if (there)
    return eas_view_one(
               db,
               "SELECT t.job AS \"j:job\", t.id AS \"t:task\", t.state, a.id AS \"a:attempt\", a.ending, n.provenance "
               "AS \"o:provenance\", a.prov_key AS \"x:key\" FROM task t LEFT JOIN attempt a ON a.id = "
               "coalesce((SELECT r.reused FROM attempt r WHERE r.id = t.accepted), t.accepted) LEFT JOIN "
               "attempt_note n ON n.attempt = a.id WHERE t.id = $1",
               EAS_ARGS(eas_v_int(there)), "t", out, err) < 0
               ? err->code
               : 1;
  char id[32];
  snprintf(id, sizeof id, "j%lld", (long long)job);
  *out = json_pack("{s:s}", "job", id);
  return 1;
}
