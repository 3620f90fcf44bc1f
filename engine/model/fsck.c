/* fsck.c: see fsck.h. Each check is one query whose rows are what is wrong. */
#include "model/fsck.h"

#include <stdlib.h>
#include <string.h>

#include "model/view_rows.h"

enum { PAGE = 5000 };

static const struct {
  const char *name, *sql;
} CHECKS[] = {
  { "counters",
    "SELECT 'job j' || x.job || ' type ' || y.name || ' ' || x.state AS \"where\", x.n AS expected, "
    "CASE x.state WHEN 'waiting' THEN c.waiting WHEN 'queued' THEN c.queued WHEN 'running' THEN c.running WHEN "
    "'passed' THEN c.passed "
    "WHEN 'reused' THEN c.reused WHEN 'failed' THEN c.failed WHEN 'skipped' THEN c.skipped ELSE c.cancelled END AS "
    "found "
    "FROM (SELECT t.job, t.type, CASE WHEN t.state = 'ready' THEN a.state WHEN t.state = 'passed' AND p.ending = "
    "'reused' THEN 'reused' "
    "ELSE t.state END AS state, count(*) AS n FROM task t LEFT JOIN attempt a ON a.task = t.id AND a.ending IS NULL "
    "LEFT JOIN attempt p ON p.id = t.accepted GROUP BY 1, 2, 3) x JOIN task_type y ON y.id = x.type "
    "LEFT JOIN job_type c ON c.job = x.job AND c.type = x.type "
    "WHERE c.job IS NULL OR x.n <> CASE x.state WHEN 'waiting' THEN c.waiting WHEN 'queued' THEN c.queued WHEN "
    "'running' THEN c.running "
    "WHEN 'passed' THEN c.passed WHEN 'reused' THEN c.reused WHEN 'failed' THEN c.failed WHEN 'skipped' THEN c.skipped "
    "ELSE c.cancelled END" },
  { "counters' sum",
    "SELECT 'job j' || c.job || ' type ' || y.name AS \"where\", count(t.id) AS expected, "
    "c.waiting + c.queued + c.running + c.passed + c.reused + c.failed + c.skipped + c.cancelled AS found "
    "FROM job_type c JOIN task_type y ON y.id = c.type LEFT JOIN task t ON t.job = c.job AND t.type = c.type "
    "GROUP BY c.job, c.type, y.name, c.waiting, c.queued, c.running, c.passed, c.reused, c.failed, c.skipped, "
    "c.cancelled "
    "HAVING count(t.id) <> c.waiting + c.queued + c.running + c.passed + c.reused + c.failed + c.skipped + "
    "c.cancelled" },
  { "unmet inputs", "SELECT 't' || t.id AS \"where\", t.pending AS found, (SELECT count(*) FROM task_input i WHERE "
                    "i.task = t.id AND i.met = 0) + "
                    "(SELECT count(*) FROM task_need n WHERE n.task = t.id AND n.met = 0) + "
                    "(SELECT count(*) FROM task_gather g WHERE g.task = t.id AND g.met = 0) AS expected FROM task t "
                    "WHERE t.state IN ('waiting', 'ready') AND t.pending <> (SELECT count(*) FROM task_input i WHERE "
                    "i.task = t.id AND i.met = 0) + "
                    "(SELECT count(*) FROM task_need n WHERE n.task = t.id AND n.met = 0) + "
                    "(SELECT count(*) FROM task_gather g WHERE g.task = t.id AND g.met = 0)" },
  { "met although nothing passed", "SELECT 't' || i.task AS \"where\", 'met' AS found, 'unmet' AS expected FROM "
                                   "task_input i JOIN product p ON p.id = i.product "
                                   "WHERE i.met = 1 AND p.passed IS NULL" },
  { "unmet although it passed", "SELECT 't' || i.task AS \"where\", 'unmet' AS found, 'met' AS expected FROM "
                                "task_input i JOIN product p ON p.id = i.product "
                                "JOIN task m ON m.id = p.task "
                                "WHERE i.met = 0 AND p.passed IS NOT NULL AND m.state = 'passed'" },
  { "open children", "SELECT 't' || t.id AS \"where\", t.open_children AS found, x.n AS expected FROM task t JOIN "
                     "(SELECT parent, sum(1 - done) AS n FROM task WHERE parent IS NOT NULL GROUP BY parent) x ON "
                     "x.parent = t.id WHERE t.open_children <> x.n" },
  { "passed without a passed attempt",
    "SELECT 't' || t.id AS \"where\", coalesce(a.verdict, 'none') AS found, 'pass' AS expected FROM task t LEFT JOIN "
    "attempt a ON a.id = t.accepted "
    "WHERE t.state = 'passed' AND (a.id IS NULL OR a.verdict IS NULL OR a.verdict <> 'pass' OR a.task <> t.id)" },
  { "ready without an open attempt",
    "SELECT 't' || t.id AS \"where\", 0 AS found, 1 AS expected FROM task t WHERE t.state = 'ready' AND NOT EXISTS "
    "(SELECT 1 FROM attempt a WHERE a.task = t.id AND a.ending IS NULL)" },
  { "newest version of a product did not pass",
    "SELECT 'p' || p.id AS \"where\", coalesce(v.verdict, 'none') AS found, 'pass' AS expected FROM product p LEFT "
    "JOIN version v ON v.id = p.passed "
    "WHERE p.passed IS NOT NULL AND (v.id IS NULL OR v.verdict <> 'pass' OR v.product <> p.id)" },
  { "job done with work left",
    "SELECT 'j' || j.id AS \"where\", 'open' AS found, 'done' AS expected FROM job j JOIN task t ON t.id = j.root "
    "WHERE j.done_at IS NOT NULL AND t.done = 0" },
};

int eas_fsck_db(eas_db *db, eas_fsck_check_fn *on_check, void *arg, json_t **out, eas_err *err)
{
  json_t *all = json_array();
  int rc = eas_db_begin_read(db, err);
  for (size_t i = 0; rc >= 0 && i < sizeof CHECKS / sizeof *CHECKS; i++) {
    json_t *rows = NULL, *v;
    size_t k;
    if (on_check) on_check(arg, (int)i, sizeof CHECKS / sizeof *CHECKS, CHECKS[i].name);
    rc = eas_view_list(db, CHECKS[i].sql, EAS_NOARGS, &rows, err);
    if (rc < 0) eas_err_prefix(err, "%s", CHECKS[i].name);
    json_array_foreach(rows, k, v)
    {
      json_object_set_new(v, "check", json_string(CHECKS[i].name));
      json_array_append(all, v);
    }
    json_decref(rows);
  }
  eas_db_rollback(db);
  if (rc < 0) {
    json_decref(all);
    return rc;
  }
  *out = all;
  return (int)json_array_size(all);
}

int eas_fsck_versions(eas_db *db, eas_fsck_version_fn *fn, void *arg, eas_err *err)
{
  int64_t after = 0;
  int n, stop = 0;
  do {
    eas_rows *r = NULL;
    n = eas_db_query(db,
                     "SELECT v.id, d.text, p.filename, v.digest, CASE WHEN p.passed = v.id THEN 1 ELSE 0 END FROM "
                     "version v JOIN product p ON p.id = v.product "
                     "JOIN word d ON d.id = p.directory WHERE v.id > $1 ORDER BY v.id LIMIT $2",
                     EAS_ARGS(eas_v_int(after), eas_v_int(PAGE)), &r, err);
    for (int i = 0; i < n && !stop; i++) {
      eas_digest d;
      size_t size = 0;
      const void *b = eas_rows_blob(r, i, 3, &size);
      after = eas_rows_int(r, i, 0);
      if (!b || size != sizeof d.b) continue;
      memcpy(d.b, b, sizeof d.b);
      stop = fn(arg, after, eas_rows_text(r, i, 1), eas_rows_text(r, i, 2), &d, eas_rows_int(r, i, 4) != 0);
    }
    eas_rows_free(r);
  } while (n == PAGE && !stop);
  return n < 0 ? n : stop;
}

int eas_fsck_logs(eas_db *db, eas_fsck_log_fn *fn, void *arg, eas_err *err)
{
  int64_t after = 0;
  int n, stop = 0;
  do {
    eas_rows *r = NULL;
    n = eas_db_query(db, "SELECT attempt, digest FROM attempt_log WHERE attempt > $1 ORDER BY attempt LIMIT $2",
                     EAS_ARGS(eas_v_int(after), eas_v_int(PAGE)), &r, err);
    for (int i = 0; i < n && !stop; i++) {
      eas_digest d;
      size_t size = 0;
      const void *b = eas_rows_blob(r, i, 1, &size);
      after = eas_rows_int(r, i, 0);
      if (!b || size != sizeof d.b) continue;
      memcpy(d.b, b, sizeof d.b);
      stop = fn(arg, after, &d);
    }
    eas_rows_free(r);
  } while (n == PAGE && !stop);
  return n < 0 ? n : stop;
}

int eas_fsck_wanted(eas_db *db, const eas_digest *list, int n, int *wanted, eas_err *err)
{
  int *tickets = eas_alloc((size_t)(n + 1) * sizeof *tickets), rc = 0;
  for (int i = 0; i < n && rc >= 0; i++)
    rc = eas_db_send(db,
                     "SELECT 1 FROM version WHERE digest = $1 UNION ALL SELECT 1 FROM attempt_log WHERE digest = $1 "
                     "LIMIT 1",
                     EAS_ARGS(eas_v_blob(list[i].b, sizeof list[i].b)), &tickets[i], err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  for (int i = 0; i < n && rc >= 0; i++) wanted[i] = eas_rows_n(eas_db_result(db, tickets[i])) > 0;
  free(tickets);
  return rc < 0 ? rc : 0;
}
