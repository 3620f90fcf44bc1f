/* view_lists.c: jobs, workers, failures, log lines, products, tasks as lists. */
#include <stdlib.h>
#include <string.h>

#include "model/view.h"
#include "model/view_rows.h"

enum { ALL = 1000000000 };

/* In words that find the index of such tasks. */
#define FAILED "/*sqlite t.state IN ('failed', 'skipped')*//*pg t.bad = 1*/ AND t.state = 'failed'"

static int64_t limit_of(int limit)
{
  return limit > 0 ? limit : ALL;
}

int eas_view_jobs(eas_db *db, int limit, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT j.id AS \"j:job\", j.name, j.state, j.priority, j.created_at, j.done_at, j.trace_id, "
      "sum(c.waiting) AS waiting, sum(c.queued) AS queued, sum(c.running) AS running, sum(c.passed) AS passed, "
      "sum(c.reused) AS reused, sum(c.failed) AS failed, sum(c.skipped) AS skipped, sum(c.cancelled) AS cancelled "
      "FROM (SELECT * FROM job ORDER BY id DESC LIMIT $1) j LEFT JOIN (SELECT t.* FROM job_type t "
      "JOIN task_type y ON y.id = t.type WHERE y.name NOT LIKE 'execution_%') c ON c.job = j.id "
      "GROUP BY j.id, j.name, j.state, j.priority, j.created_at, j.done_at, j.trace_id ORDER BY j.id DESC",
      EAS_ARGS(eas_v_int(limit_of(limit))), out, err);
}

int eas_view_workers(eas_db *db, json_t **out, eas_err *err)
{
  json_t *list = NULL;
  int n = eas_view_list(db,
                        "SELECT w.id AS \"w:worker\", h.text AS host, w.pid, w.slots, c.text AS container, w.version, "
                        "w.beat_at, w.lease_until, "
                        "(SELECT count(*) FROM attempt a WHERE a.worker = w.id AND a.state = 'running') AS running "
                        "FROM worker w JOIN word h ON h.id = w.host LEFT JOIN word c ON c.id = w.container "
                        "WHERE w.state = 'active' AND w.lease_until > eas_now() ORDER BY w.id",
                        EAS_NOARGS, &list, err);
  if (n < 0) return n;
  int64_t slots = 0, busy = 0;
  size_t i;
  json_t *v;
  json_array_foreach(list, i, v)
  {
    int64_t s = json_integer_value(json_object_get(v, "slots")), r = json_integer_value(json_object_get(v, "running"));
    slots += s;
    busy += r < s ? r : s; /* claimed ahead is not busy */
  }
  *out =
      json_pack("{s:i,s:I,s:I,s:o}", "active", n, "slots", (json_int_t)slots, "busy", (json_int_t)busy, "list", list);
  return 0;
}

int eas_view_errors(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT count(*) AS n, CASE WHEN a.ending = 'ok' THEN 'qc' ELSE a.ending END AS kind, y.name AS type, "
      "min(coalesce(n.error, n.reason, '')) AS message, coalesce(n.cause, '') AS cause, min(a.ended_at) AS first, "
      "max(a.ended_at) AS last, max(a.id) AS \"a:attempt\", max(t.id) AS \"t:task\" "
      "FROM task t JOIN attempt a ON a.task = t.id AND a.number = t.attempts JOIN task_type y ON y.id = t.type "
      "LEFT JOIN attempt_note n ON n.attempt = a.id "
      "WHERE t.job = $1 AND " FAILED " AND ($2 = '' OR y.name = $2) AND coalesce(a.ended_at, 0) >= $3 "
      "GROUP BY 2, 3, 5 ORDER BY 1 DESC, 6, 8",
      EAS_ARGS(eas_v_int(f->job), eas_v_text(f->type ? f->type : ""), eas_v_int(f->since_us)), out, err);
}

int eas_view_error_tasks(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  json_t *groups = NULL;
  int rc = eas_view_errors(db, f, &groups, err);
  if (rc < 0) return rc;
  const json_t *g = json_array_get(groups, (size_t)(f->group - 1));
  if (f->group < 1 || !g)
    rc = eas_fail(err, EAS_EINVAL, "there is no group %d of failures, only %zu", f->group, json_array_size(groups));
  else
    rc = eas_view_list(
        db,
        "SELECT t.id AS \"t:task\", y.name AS type, t.attempts, a.id AS \"a:attempt\", coalesce(n.error, n.reason, '') "
        "AS "
        "message, a.ended_at FROM task t JOIN attempt a ON a.task = t.id AND a.number = t.attempts JOIN "
        "task_type y"
        " ON y.id = t.type LEFT JOIN attempt_note n ON n.attempt = a.id WHERE t.job = $1 AND t.state = 'failed' AND"
        " y.name = $2 AND CASE WHEN a.ending = 'ok' THEN 'qc' ELSE a.ending END = $3 AND coalesce(n.cause, '') = $4"
        " ORDER BY t.id",
        EAS_ARGS(eas_v_int(f->job), eas_v_text(json_string_value(json_object_get(g, "type"))),
                 eas_v_text(json_string_value(json_object_get(g, "kind"))),
                 eas_v_text(json_string_value(json_object_get(g, "cause")))),
        out, err);
  json_decref(groups);
  return rc;
}

int eas_view_logs(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  static const char by_attempt[] =
      "SELECT l.at, l.level, a.id AS \"a:attempt\", a.task AS \"t:task\", y.name AS type, l.text FROM log_line l "
      "JOIN attempt a ON a.id = l.attempt JOIN task_type y ON y.id = a.type "
      "WHERE l.attempt = $1 AND l.level >= $2 AND l.at >= $3 AND ($4 = '' OR y.name = $4) ORDER BY l.seq LIMIT $5";
  static const char by_task[] =
      "SELECT l.at, l.level, a.id AS \"a:attempt\", a.task AS \"t:task\", y.name AS type, l.text FROM attempt a "
      "JOIN log_line l ON l.attempt = a.id JOIN task_type y ON y.id = a.type "
      "WHERE a.task = $1 AND l.level >= $2 AND l.at >= $3 AND ($4 = '' OR y.name = $4) ORDER BY a.number, l.seq LIMIT "
      "$5";
  static const char by_job[] = /* the newest lines, shown oldest first */
      "SELECT * FROM (SELECT l.at, l.level, a.id AS \"a:attempt\", a.task AS \"t:task\", y.name AS type, l.text FROM "
      "task t "
      "JOIN attempt a ON a.task = t.id JOIN log_line l ON l.attempt = a.id JOIN task_type y ON y.id = a.type "
      "WHERE t.job = $1 AND l.level >= $2 AND l.at >= $3 AND ($4 = '' OR y.name = $4) ORDER BY l.at DESC, l.attempt "
      "DESC, l.seq DESC LIMIT $5) x "
      "ORDER BY 1, 3";
  static const char by_trace[] =
      "SELECT * FROM (SELECT l.at, l.level, a.id AS \"a:attempt\", a.task AS \"t:task\", y.name AS type, l.text FROM "
      "job j JOIN task t ON t.job = j.id "
      "JOIN attempt a ON a.task = t.id JOIN log_line l ON l.attempt = a.id JOIN task_type y ON y.id = a.type "
      "WHERE j.trace_id = $1 AND l.level >= $2 AND l.at >= $3 AND ($4 = '' OR y.name = $4) ORDER BY l.at DESC, "
      "l.attempt DESC, l.seq DESC LIMIT $5) x "
      "ORDER BY 1, 3";
  const char *sql = f->trace_id ? by_trace : f->attempt ? by_attempt : f->task ? by_task : by_job;
  int64_t id = f->attempt ? f->attempt : f->task ? f->task : f->job;
  return eas_view_list(db, sql,
                       EAS_ARGS(f->trace_id ? eas_v_text(f->trace_id) : eas_v_int(id), eas_v_int(f->level),
                                eas_v_int(f->since_us), eas_v_text(f->type ? f->type : ""),
                                eas_v_int(limit_of(f->limit))),
                       out, err);
}

int eas_view_files(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT p.id AS \"p:product\", p.task AS \"t:task\", p.job AS \"j:job\", d.text AS directory, p.filename, k.text "
      "AS kind, "
      "v.id AS \"v:version\", v.size, v.verdict, v.created_at, v.digest AS \"x:sha256\", "
      "(SELECT count(*) FROM version x WHERE x.product = p.id) AS versions "
      "FROM product p JOIN word d ON d.id = p.directory JOIN word k ON k.id = p.kind JOIN task t ON t.id = p.task "
      "JOIN task_type y ON y.id = t.type "
      "LEFT JOIN version v ON v.id = coalesce(p.passed, (SELECT max(x.id) FROM version x WHERE x.product = p.id)) "
      "WHERE p.job = $1 AND p.id > $2 AND ($3 = '' OR y.name = $3) AND ($4 = 0 OR p.task = $4) ORDER BY p.id LIMIT $5",
      EAS_ARGS(eas_v_int(f->job), eas_v_int(f->after), eas_v_text(f->type ? f->type : ""), eas_v_int(f->task),
               eas_v_int(limit_of(f->limit))),
      out, err);
}

#define SHOWN_STATE                                                                                                    \
  "CASE WHEN t.state = 'ready' THEN a.state WHEN t.state = 'passed' AND a.ending = 'reused' THEN 'reused' ELSE "       \
  "t.state END"

int eas_view_tasks(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT t.id AS \"t:task\", y.name AS type, " SHOWN_STATE " AS state, t.attempts, "
      "CASE WHEN a.ending = 'ok' AND a.verdict = 'fail' THEN 'qc' ELSE a.ending END AS kind, n.reason, a.wall_us, "
      "a.id AS \"a:attempt\" "
      "FROM task t JOIN task_type y ON y.id = t.type LEFT JOIN attempt a ON a.task = t.id AND a.number = t.attempts "
      "LEFT JOIN attempt_note n ON n.attempt = a.id "
      "WHERE t.job = $1 AND t.id > $2 AND ($3 = '' OR y.name = $3) AND ($4 = '' OR " SHOWN_STATE " = $4) "
      "ORDER BY t.id LIMIT $5",
      EAS_ARGS(eas_v_int(f->job), eas_v_int(f->after), eas_v_text(f->type ? f->type : ""),
               eas_v_text(f->state ? f->state : ""), eas_v_int(limit_of(f->limit))),
      out, err);
}

int eas_view_failed(eas_db *db, int64_t job, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT t.id AS \"t:task\", y.name AS type, n.provenance AS \"o:provenance\" FROM task t JOIN task_type y ON "
      "y.id = t.type "
      "JOIN attempt a ON a.task = t.id AND a.number = t.attempts LEFT JOIN attempt_note n ON n.attempt = a.id "
      "WHERE t.job = $1 AND " FAILED " ORDER BY t.id",
      EAS_ARGS(eas_v_int(job)), out, err);
}
