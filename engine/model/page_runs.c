/* page_runs.c: attempts that began, and what they logged, newest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/pages.h"
#include "model/view_rows.h"

enum { SLAB = 1000 };

int eas_page_running(eas_db *db, int64_t job, int limit, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT a.id AS \"a:attempt\", a.task AS \"t:task\", a.job AS \"j:job\", y.name AS type, a.worker AS "
      "\"w:worker\", h.text AS host, a.slot, a.started_at, g.done, g.total FROM attempt a JOIN task_type y ON y.id = "
      "a.type LEFT JOIN worker w ON w.id = a.worker LEFT JOIN word h ON h.id = w.host LEFT JOIN progress g ON "
      "g.attempt = a.id WHERE a.state = 'running' AND ($1 = 0 OR a.job = $1) ORDER BY a.started_at LIMIT $2",
      EAS_ARGS(eas_v_int(job), eas_v_int(limit)), out, err);
}

/* The newest attempt that may have begun: ahead of it there can be very many that are queued. */
static int frontier(eas_db *db, int64_t job, int64_t *out, eas_err *err)
{
  static const char sql[] =
      "SELECT coalesce((SELECT max(x.id) FROM (SELECT id FROM attempt WHERE state = 'running' AND ($1 = 0 OR job = $1) "
      "LIMIT 100000) x), "
      "(SELECT min(q.id) FROM (SELECT (SELECT min(a.id) FROM attempt a WHERE a.state = 'queued' AND a.type = c.type "
      "AND a.job = c.job) AS id FROM job_type c WHERE c.queued > 0 AND c.job = $1) q), "
      "(SELECT max(id) FROM attempt), 0)";
  eas_rows *r = NULL;
  int n = eas_db_query(db, sql, EAS_ARGS(eas_v_int(job)), &r, err);
  if (n < 0) return n;
  *out = eas_rows_int(r, 0, 0);
  eas_rows_free(r);
  return 0;
}

/* By the key, newest first, and no further than the page needs: nothing is sorted, no row is read for its metadata. */
int eas_page_runs(eas_db *db, const eas_view_filter *f, int64_t wall_us_min, json_t **out, eas_err *err)
{
  int64_t from = f->after;
  int rc = from ? 0 : frontier(db, f->job, &from, err);
  if (rc < 0) return rc;
  return eas_view_list(
      db,
      "SELECT a.id AS \"a:attempt\", a.task AS \"t:task\", y.name AS type, a.state, a.ending, a.verdict, a.queued_at, "
      "a.started_at, a.ended_at, a.wall_us, a.cpu_us, a.peak_kb, a.worker AS \"w:worker\", h.text AS host, a.slot "
      "FROM attempt a JOIN task_type y ON y.id = a.type LEFT JOIN worker w ON w.id = a.worker LEFT JOIN word h ON h.id "
      "= w.host WHERE a.id <= $2 AND a.id >= (SELECT min(x.id) FROM (SELECT id FROM attempt WHERE id <= $2 ORDER BY id "
      "DESC LIMIT 5000) x) AND +a.job = $1 AND a.started_at IS NOT NULL AND +a.worker IS NOT NULL AND y.name NOT LIKE "
      "'execution_%' AND ($3 = '' OR y.name = $3) AND (a.wall_us IS NULL OR a.wall_us >= $4) ORDER BY a.id DESC LIMIT "
      "$5",
      EAS_ARGS(eas_v_int(f->job), eas_v_int(from), eas_v_text(f->type ? f->type : ""), eas_v_int(wall_us_min),
               eas_v_int(f->limit > 0 ? f->limit : 5000)),
      out, err);
}

/* --- log lines --- */

static const char LINES[] =
    "SELECT l.at, l.level, a.id AS \"a:attempt\", l.seq, a.task AS \"t:task\", y.name AS type, l.text FROM (SELECT id, "
    "task, type, job FROM attempt WHERE id <= $2 ORDER BY id DESC LIMIT 1000) a JOIN log_line l ON l.attempt = a.id "
    "JOIN task_type y ON y.id = a.type WHERE ($1 = 0 OR a.job = $1) AND (l.attempt < $2 OR l.seq < $3) AND l.level >= "
    "$4 AND l.at >= $5 AND ($6 = '' OR y.name = $6) AND ($7 = '' OR /*sqlite instr(lower(l.text), lower($7))*/"
    "/*pg position(lower(CAST($7 AS TEXT)) IN lower(l.text))*/ > 0) ORDER BY l.attempt DESC, l.seq DESC LIMIT $8";
static const char LINES_END[] =
    "SELECT min(id), count(*) FROM (SELECT id FROM attempt WHERE id <= $1 ORDER BY id DESC LIMIT 1000) a";

static int lines_end(eas_db *db, int64_t from, int64_t *next, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db, LINES_END, EAS_ARGS(eas_v_int(from)), &r, err);
  if (n < 0) return n;
  *next = eas_rows_int(r, 0, 1) < SLAB ? 0 : eas_rows_int(r, 0, 0) - 1;
  eas_rows_free(r);
  return 0;
}

static json_t *page_of_lines(json_t *items, int64_t attempt, int64_t seq)
{
  char id[32];
  snprintf(id, sizeof id, "a%lld", (long long)attempt);
  return json_pack("{s:o,s:o}", "items", items, "next",
                   attempt ? json_pack("{s:s,s:I}", "attempt", id, "seq", (json_int_t)seq) : json_null());
}

int eas_page_logs(eas_db *db, const eas_view_filter *f, int64_t seq, const char *text, json_t **out, eas_err *err)
{
  int64_t from = f->after, until = eas_tick_us() + EAS_PAGE_US, most = INT64_MAX;
  int limit = f->limit > 0 ? f->limit : 200, rc = from ? 0 : frontier(db, f->job, &from, err);
  json_t *items = json_array();
  if (!f->after) seq = most;
  while (rc >= 0 && from && eas_tick_us() < until) {
    json_t *some = NULL;
    int want = limit - (int)json_array_size(items);
    rc = eas_view_list(db, LINES,
                       EAS_ARGS(eas_v_int(f->job), eas_v_int(from), eas_v_int(seq), eas_v_int(f->level),
                                eas_v_int(f->since_us), eas_v_text(f->type ? f->type : ""),
                                eas_v_text(text ? text : ""), eas_v_int(want)),
                       &some, err);
    if (rc < 0) break;
    json_array_extend(items, some);
    const json_t *last = rc == want ? json_array_get(some, (size_t)rc - 1) : NULL;
    if (last) {
      from = strtoll(eas_json_str(last, "attempt") + 1, NULL, 10);
      seq = eas_json_int(last, "seq", 0);
    }
    json_decref(some);
    if (last) break;
    seq = most;
    rc = lines_end(db, from, &from, err);
  }
  if (rc < 0) {
    json_decref(items);
    return rc;
  }
  *out = page_of_lines(items, from, seq);
  return 0;
}

int eas_page_log(eas_db *db, int64_t attempt, int64_t seq, int limit, json_t **out, eas_err *err)
{
  return eas_view_list(
      db, "SELECT seq, at, level, text FROM log_line WHERE attempt = $1 AND seq > $2 ORDER BY seq LIMIT $3",
      EAS_ARGS(eas_v_int(attempt), eas_v_int(seq), eas_v_int(limit)), out, err);
}
