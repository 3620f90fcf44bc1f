/* view_thing.c: one task, attempt, product or version with all that hangs on it. */
#include <stdlib.h>
#include <string.h>

#include "model/expand.h"
#include "model/view.h"
#include "model/view_rows.h"

#define ID(id) EAS_ARGS(eas_v_int(id))

static const char ATTEMPTS[] = "SELECT a.id AS \"a:attempt\", a.number, a.state, a.ending, a.verdict, n.reason, "
                               "n.error, a.queued_at, a.started_at, a.ended_at, "
                               "a.wall_us, a.cpu_us, a.peak_kb, a.reused AS \"a:reused\" FROM attempt a LEFT JOIN "
                               "attempt_note n ON n.attempt = a.id "
                               "WHERE a.task = $1 ORDER BY a.number";

static const char INPUTS[] = "SELECT k.text AS kind, d.text AS directory, p.filename, p.id AS \"p:product\", p.passed "
                             "AS \"v:version\", e.met, p.task AS \"t:maker\", "
                             "y.name AS maker_type, m.state AS maker_state, n.reason AS maker_reason, a.id AS "
                             "\"a:maker_attempt\", a.number AS maker_number "
                             "FROM task_input e JOIN product p ON p.id = e.product JOIN word k ON k.id = e.kind JOIN "
                             "word d ON d.id = p.directory "
                             "JOIN task m ON m.id = p.task JOIN task_type y ON y.id = m.type LEFT JOIN attempt a ON "
                             "a.task = m.id AND a.number = m.attempts "
                             "LEFT JOIN attempt_note n ON n.attempt = a.id WHERE e.task = $1 ORDER BY k.text";

static const char NEEDS[] =
    "SELECT w.text AS name, e.needed AS \"t:maker\", e.met, y.name AS maker_type, m.state AS maker_state, n.reason AS "
    "maker_reason, "
    "a.id AS \"a:maker_attempt\", a.number AS maker_number FROM task_need e JOIN word w ON w.id = e.name JOIN task m "
    "ON m.id = e.needed "
    "JOIN task_type y ON y.id = m.type LEFT JOIN attempt a ON a.task = m.id AND a.number = m.attempts "
    "LEFT JOIN attempt_note n ON n.attempt = a.id WHERE e.task = $1 ORDER BY w.text";

static const char WAITS[] =
    "SELECT w.text AS name, g.needed AS \"t:maker\", g.least, g.met, g.outcome AS \"o:outcome\", y.name "
    "AS maker_type, m.open_children, m.state AS maker_state FROM task_gather g JOIN word w ON w.id = "
    "g.name JOIN task m ON m.id = g.needed JOIN task_type y ON y.id = m.type WHERE g.task = $1 "
    "ORDER BY w.text";

static const char OUTPUTS[] =
    "SELECT k.text AS kind, d.text AS directory, p.filename, p.id AS \"p:product\", p.passed AS \"v:version\" FROM "
    "product p "
    "JOIN word k ON k.id = p.kind JOIN word d ON d.id = p.directory WHERE p.task = $1 ORDER BY k.text";

int eas_view_task(eas_db *db, int64_t task, json_t **out, eas_err *err)
{
  json_t *v = NULL, *parameters = NULL;
  int rc = eas_view_one(
      db,
      "SELECT t.id AS \"t:task\", t.job AS \"j:job\", j.name AS job_name, y.name AS type, w.text AS name, t.state, "
      "t.done, "
      "j.trace_id, t.pending, t.parent AS \"t:parent\", t.stale, t.accepted AS \"a:accepted\", t.open_children, "
      "t.failed_children, "
      "t.cursor AS children, "
      "j.state AS job_state, d.path AS node "
      "FROM task t JOIN job j ON j.id = t.job JOIN task_type y ON y.id = t.type JOIN node d ON d.id = t.node "
      "LEFT JOIN word w ON w.id = t.name WHERE t.id = $1",
      ID(task), "t", &v, err);
  if (rc < 0) return rc;
  rc = eas_task_metadata(db, task, &parameters, err);
  if (rc >= 0) json_object_set_new(v, "parameters", parameters);
  if (rc >= 0) rc = eas_view_add(db, v, "attempts", ATTEMPTS, ID(task), err);
  if (rc >= 0) rc = eas_view_add(db, v, "inputs", INPUTS, ID(task), err);
  if (rc >= 0) rc = eas_view_add(db, v, "needs", NEEDS, ID(task), err);
  if (rc >= 0) rc = eas_view_add(db, v, "waits", WAITS, ID(task), err);
  if (rc >= 0) rc = eas_view_add(db, v, "outputs", OUTPUTS, ID(task), err);
  if (rc < 0) {
    json_decref(v);
    return rc;
  }
  *out = v;
  return 0;
}

static const char BOUND[] = "SELECT k.text AS kind, d.text AS directory, p.filename, v.id AS \"v:version\", v.size, "
                            "v.digest AS \"x:sha256\" FROM attempt_input i "
                            "JOIN version v ON v.id = i.version JOIN product p ON p.id = v.product JOIN word k ON k.id "
                            "= i.kind JOIN word d ON d.id = p.directory "
                            "WHERE i.attempt = $1 ORDER BY k.text";

static const char MADE[] =
    "SELECT k.text AS kind, d.text AS directory, p.filename, v.id AS \"v:version\", v.size, v.verdict, v.reason, "
    "v.digest AS \"x:sha256\", "
    "v.metadata AS \"o:metadata\" FROM version v JOIN product p ON p.id = v.product JOIN word k ON k.id = p.kind "
    "JOIN word d ON d.id = p.directory WHERE v.attempt = $1 ORDER BY k.text";

int eas_view_attempt(eas_db *db, int64_t attempt, json_t **out, eas_err *err)
{
  json_t *v = NULL;
  int rc = eas_view_one(
      db,
      "SELECT a.id AS \"a:attempt\", a.task AS \"t:task\", a.job AS \"j:job\", j.name AS job_name, y.name AS type, "
      "j.trace_id, a.number, "
      "t.attempts AS last_number, t.state AS task_state, a.state, a.ending, a.verdict, n.reason, n.error, n.trace, "
      "n.checks AS \"o:checks\", n.description AS \"o:description\", n.provenance AS \"o:provenance\", a.metadata AS "
      "\"o:metadata\", "
      "h.text AS host, w.version, a.worker AS \"w:worker\", a.slot, a.queued_at, a.started_at, a.ended_at, a.wall_us, "
      "a.cpu_us, "
      "a.peak_kb, "
      "a.layers, a.reused AS \"a:reused\", a.prov_key AS \"x:key\", t.seed, g.done AS progress_done, g.total AS "
      "progress_total, l.digest AS \"x:log\", l.bytes AS log_bytes, l.lines AS log_lines, l.left_out AS log_left_out, "
      "u.points AS \"o:usage\" "
      "FROM attempt a JOIN task t ON t.id = a.task JOIN job j ON j.id = a.job JOIN task_type y ON y.id = a.type "
      "LEFT JOIN attempt_note n ON n.attempt = a.id LEFT JOIN worker w ON w.id = a.worker LEFT JOIN word h ON h.id = "
      "w.host "
      "LEFT JOIN progress g ON g.attempt = a.id LEFT JOIN attempt_log l ON l.attempt = a.id "
      "LEFT JOIN attempt_usage u ON u.attempt = a.id WHERE a.id = $1",
      ID(attempt), "a", &v, err);
  if (rc < 0) return rc;
  rc = eas_view_add(db, v, "inputs", BOUND, ID(attempt), err);
  if (rc >= 0) rc = eas_view_add(db, v, "outputs", MADE, ID(attempt), err);
  if (rc >= 0)
    rc = eas_view_add(db, v, "later",
                      "SELECT b.id AS \"a:attempt\", b.state, b.ending, b.verdict FROM attempt a JOIN attempt b ON "
                      "b.task = a.task AND b.number > a.number "
                      "WHERE a.id = $1 ORDER BY b.number",
                      ID(attempt), err);
  if (rc < 0) {
    json_decref(v);
    return rc;
  }
  *out = v;
  return 0;
}

int eas_view_document(eas_db *db, const char *name, int64_t *job, json_t **doc, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db,
                       "SELECT j.id, d.body FROM job j JOIN document d ON d.id = j.document WHERE j.name = $1 ORDER BY "
                       "j.id DESC LIMIT 1",
                       EAS_ARGS(eas_v_text(name)), &rows, err);
  if (n > 0) {
    *job = eas_rows_int(rows, 0, 0);
    *doc = json_loads(eas_rows_text(rows, 0, 1), 0, NULL);
    if (!*doc) n = 0;
  }
  eas_rows_free(rows);
  return n;
}

#define CHILDREN_OF(which)                                                                                             \
  "SELECT t.id AS \"t:task\", t.ordinal, y.name AS type, w.text AS name, "                                             \
  "CASE WHEN t.state = 'ready' THEN coalesce(a.state, 'queued') ELSE t.state END AS state, t.done, "                   \
  "t.open_children, t.failed_children, t.cursor AS children, t.metadata AS \"o:metadata\", a.ending, n.reason "        \
  "FROM " which " t JOIN task_type y ON y.id = t.type LEFT JOIN word w ON w.id = t.name "                              \
  "LEFT JOIN attempt a ON a.task = t.id AND a.number = t.attempts LEFT JOIN attempt_note n ON n.attempt = a.id "       \
  "ORDER BY t.ordinal"

int eas_view_children(eas_db *db, int64_t task, int64_t after_ordinal, int limit, json_t **out, eas_err *err)
{
  return eas_view_list(
      db, CHILDREN_OF("(SELECT * FROM task WHERE parent = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3)"),
      EAS_ARGS(eas_v_int(task), eas_v_int(after_ordinal), eas_v_int(limit > 0 ? limit : 1000000000)), out, err);
}

int eas_view_children_noted(eas_db *db, int64_t task, int64_t after_ordinal, int limit, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      CHILDREN_OF(
          "(SELECT * FROM task WHERE id IN (SELECT k.id FROM task k WHERE k.parent = $1 AND k.ordinal > $2 AND "
          "(k.failed_children > 0 OR k.state = 'failed') AND (SELECT m.failed_children FROM task m WHERE m.id = "
          "$1) > 0 UNION SELECT k.id FROM attempt r JOIN task k ON k.id = r.task WHERE r.state = 'running' AND "
          "k.parent = $1 AND k.ordinal > $2) ORDER BY ordinal LIMIT $3)"),
      EAS_ARGS(eas_v_int(task), eas_v_int(after_ordinal), eas_v_int(limit)), out, err);
}

int eas_view_file(eas_db *db, int64_t id, int is_version, json_t **out, eas_err *err)
{
  json_t *v = NULL;
  int rc = eas_view_one(db,
                        "SELECT p.id AS \"p:product\", p.task AS \"t:task\", p.job AS \"j:job\", d.text AS directory, "
                        "p.filename, k.text AS kind, "
                        "p.passed AS \"v:passed\", y.name AS type FROM product p JOIN word d ON d.id = p.directory "
                        "JOIN word k ON k.id = p.kind "
                        "JOIN task t ON t.id = p.task JOIN task_type y ON y.id = t.type "
                        "WHERE p.id = CASE WHEN $2 = 1 THEN (SELECT product FROM version WHERE id = $1) ELSE $1 END",
                        EAS_ARGS(eas_v_int(id), eas_v_int(is_version)), is_version ? "v" : "p", &v, err);
  if (rc < 0) return rc;
  int64_t product = strtoll(json_string_value(json_object_get(v, "product")) + 1, NULL, 10);
  rc = eas_view_add(db, v, "versions",
                    "SELECT id AS \"v:version\", attempt AS \"a:attempt\", size, created_at, verdict, reason, digest "
                    "AS \"x:sha256\", "
                    "metadata AS \"o:metadata\" FROM version WHERE product = $1 ORDER BY id DESC",
                    ID(product), err);
  if (rc >= 0)
    rc = eas_view_add(db, v, "used_by",
                      "SELECT e.task AS \"t:task\", y.name AS type, t.state FROM task_input e JOIN task t ON t.id = "
                      "e.task JOIN task_type y ON y.id = t.type "
                      "WHERE e.product = $1 ORDER BY e.task LIMIT 20",
                      ID(product), err);
  if (rc < 0) {
    json_decref(v);
    return rc;
  }
  *out = v;
  return 0;
}
