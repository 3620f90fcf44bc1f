/* page_jobs.c: jobs by key, one with its counters, the causes of its failures, and whether anything has changed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/pages.h"
#include "model/view_rows.h"

int eas_page_jobs(eas_db *db, int64_t before, int limit, json_t **out, eas_err *err)
{
  json_t *items = NULL;
  int n = eas_view_list(
      db,
      "SELECT j.id AS \"j:job\", j.name, j.state, j.priority, j.created_at, j.done_at, "
      "CAST(sum(c.waiting) AS BIGINT) AS waiting, CAST(sum(c.queued) AS BIGINT) AS queued, CAST(sum(c.running) AS "
      "BIGINT) AS running, CAST(sum(c.passed) AS BIGINT) AS passed, CAST(sum(c.reused) AS BIGINT) AS reused, "
      "CAST(sum(c.failed) AS BIGINT) AS failed, CAST(sum(c.skipped) AS BIGINT) AS skipped, CAST(sum(c.cancelled) AS "
      "BIGINT) AS cancelled FROM (SELECT * FROM job WHERE id < $1 ORDER BY id DESC LIMIT $2) j "
      "LEFT JOIN (SELECT t.* FROM job_type t JOIN task_type y ON y.id = t.type WHERE y.name NOT LIKE 'execution_%') c "
      "ON c.job = j.id GROUP BY j.id, j.name, j.state, j.priority, j.created_at, j.done_at ORDER BY j.id DESC",
      EAS_ARGS(eas_v_int(before ? before : INT64_MAX), eas_v_int(limit)), &items, err);
  if (n < 0) return n;
  const json_t *last = n == limit ? json_array_get(items, (size_t)n - 1) : NULL;
  *out = json_pack("{s:o,s:o}", "items", items, "next", last ? json_incref(json_object_get(last, "job")) : json_null());
  return 0;
}

static const char *state_of(const eas_job_counts *k)
{
  if (!k->done_at)
    return strcmp(k->state, "active") == 0 ? (k->running || k->queued ? "running" : "waiting") : k->state;
  return k->failed || k->skipped ? "failed" : k->cancelled ? "cancelled" : "passed";
}

static json_t *type_json(const eas_job_counts *k, int i)
{
#define N(field) #field, (json_int_t)k->types[i].field
  return json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "type", k->types[i].type, "flow",
                   k->types[i].flow, N(waiting), N(queued), N(running), N(passed), N(reused), N(failed), N(skipped),
                   N(cancelled), N(wall_us), "attempts_ended", (json_int_t)k->types[i].ended);
#undef N
}

int eas_page_job(eas_db *db, int64_t job, json_t **out, eas_err *err)
{
  eas_job_counts k;
  json_t *v = NULL;
  int rc = eas_view_counts(db, job, &k, err);
  if (rc >= 0)
    rc = eas_view_one(db,
                      "SELECT j.id AS \"j:job\", j.name, j.state AS gate, j.priority, j.seed, j.created_at, j.done_at, "
                      "j.root AS \"t:root\", j.origin AS \"j:origin\", d.source FROM job j JOIN document d ON d.id = "
                      "j.document WHERE j.id = $1",
                      EAS_ARGS(eas_v_int(job)), "j", &v, err);
  if (rc < 0) return rc;
  json_t *types = json_array();
  for (int i = 0; i < k.n_types; i++) json_array_append_new(types, type_json(&k, i));
  json_object_set_new(v, "state", json_string(state_of(&k)));
  json_object_set_new(v, "tasks", json_integer(k.work_total));
  json_object_set_new(v, "ended", json_integer(k.work_done));
  json_object_set_new(v, "failed", json_integer(k.work_failed));
  json_object_set_new(v, "types", types);
  *out = v;
  return 0;
}

int eas_page_errors(eas_db *db, int64_t job, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT count(*) AS n, CASE WHEN a.ending = 'ok' THEN 'qc' ELSE a.ending END AS kind, y.name AS type, "
      "min(coalesce(n.error, n.reason, '')) AS message, coalesce(n.cause, '') AS cause, min(a.ended_at) AS first, "
      "max(a.ended_at) AS last, max(a.id) AS \"a:attempt\", max(t.id) AS \"t:task\" FROM (SELECT * FROM task WHERE "
      "job = $1 AND /*sqlite state IN ('failed', 'skipped')*//*pg bad = 1*/ AND state = 'failed' ORDER BY id DESC "
      "LIMIT 2000) t JOIN attempt a ON a.task = t.id AND a.number = t.attempts JOIN task_type y ON y.id = t.type "
      "LEFT JOIN attempt_note n ON n.attempt = a.id GROUP BY 2, 3, 5 ORDER BY 1 DESC, 6, 8",
      EAS_ARGS(eas_v_int(job)), out, err);
}

int eas_page_pulse(eas_db *db, int64_t job, int64_t attempt, json_t **out, eas_err *err)
{
  if (attempt)
    return eas_view_list(
        db,
        "SELECT a.state, a.token, g.done, g.total, (SELECT max(seq) FROM log_line l WHERE l.attempt "
        "= a.id) AS lines, length(u.points) AS usage FROM attempt a LEFT JOIN progress g ON g.attempt = a.id LEFT "
        "JOIN attempt_usage u ON u.attempt = a.id WHERE a.id = $1",
        EAS_ARGS(eas_v_int(attempt)), out, err);
  return eas_view_list(
      db,
      "SELECT CAST(sum(waiting) AS BIGINT) AS waiting, CAST(sum(queued) AS BIGINT) AS queued, CAST(sum(running) AS "
      "BIGINT) AS running, CAST(sum(passed) AS BIGINT) AS passed, CAST(sum(reused) AS BIGINT) AS reused, "
      "CAST(sum(failed) AS BIGINT) AS failed, CAST(sum(skipped) AS BIGINT) AS skipped, CAST(sum(cancelled) AS BIGINT) "
      "AS cancelled, CAST(sum(ended) AS BIGINT) AS attempts_ended, (SELECT count(*) FROM worker WHERE state = "
      "'active') AS workers, (SELECT max(id) FROM job) AS \"j:newest\" FROM job_type WHERE $1 = 0 OR job = $1",
      EAS_ARGS(eas_v_int(job)), out, err);
}

int eas_page_done_after(eas_db *db, int64_t done_at, int64_t job, int64_t lag_us, json_t **out, eas_err *err)
{
  json_t *list = NULL;
  int n = eas_view_list(
      db,
      "SELECT id AS \"j:job\", name, state, created_at, done_at FROM job WHERE done_at IS NOT NULL AND (done_at > "
      "$1 OR (done_at = $1 AND id > $2)) AND done_at <= eas_now() - $3 ORDER BY done_at, id LIMIT 1",
      EAS_ARGS(eas_v_int(done_at), eas_v_int(job), eas_v_int(lag_us)), &list, err);
  if (n <= 0) {
    json_decref(list);
    return n;
  }
  json_t *v = json_incref(json_array_get(list, 0));
  eas_job_counts k;
  n = eas_view_counts(db, strtoll(json_string_value(json_object_get(v, "job")) + 1, NULL, 10), &k, err);
  json_decref(list);
  if (n < 0) {
    json_decref(v);
    return n;
  }
  json_object_set_new(v, "state", json_string(state_of(&k)));
  json_object_set_new(v, "tasks", json_integer(k.work_total));
  json_object_set_new(v, "passed", json_integer(k.work_done - k.work_failed - k.cancelled));
  json_object_set_new(v, "failed", json_integer(k.failed));
  json_object_set_new(v, "skipped", json_integer(k.skipped));
  json_object_set_new(v, "cancelled", json_integer(k.cancelled));
  *out = v;
  return 0;
}
