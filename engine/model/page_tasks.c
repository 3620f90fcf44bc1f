/* page_tasks.c: tasks by key; what made and what uses what a task has to do with. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/expand.h"
#include "model/pages.h"
#include "model/view_rows.h"

enum { SLAB = 5000, STEP_MAX = 12, LOOKED_AT = 500 };

/* Where to look, by state: all of a job's tasks, those that went wrong, those that run. */
#define OF_ALL "SELECT * FROM task WHERE job = $1 AND id > $2 ORDER BY id LIMIT 5000"
#define OF_BAD                                                                                                         \
  "SELECT * FROM task WHERE job = $1 AND id > $2 AND /*sqlite state IN ('failed', 'skipped')*//*pg bad = 1*/ ORDER "   \
  "BY id LIMIT 5000"
#define OF_CANCELLED                                                                                                   \
  "SELECT * FROM task WHERE job = $1 AND id > $2 AND /*sqlite state = 'cancelled'*//*pg bad = 2*/ ORDER BY id LIMIT "  \
  "5000"
/* The few that run are found by their index; LIMIT and CROSS JOIN keep SQLite from walking over all tasks instead. */
#define OF_RUNNING                                                                                                     \
  "SELECT s.* FROM (SELECT task FROM attempt WHERE state = 'running' AND job = $1 LIMIT 100000) r CROSS JOIN task s "  \
  "WHERE s.id = r.task AND s.id > $2 ORDER BY s.id LIMIT 5000"

#define SHOWN                                                                                                          \
  "CASE WHEN t.state = 'ready' THEN coalesce(a.state, 'queued') WHEN t.state = 'passed' AND a.ending = 'reused' THEN " \
  "'reused' ELSE t.state END"
#define ROWS_OF(from)                                                                                                  \
  "SELECT t.id AS \"t:task\", coalesce(t.parent, 0) AS parent, y.name AS type, n.text AS name, " SHOWN " AS state, "   \
  "t.attempts, a.id AS \"a:attempt\", CASE WHEN a.ending = 'ok' AND a.verdict = 'fail' THEN 'qc' ELSE a.ending END "   \
  "AS kind, coalesce(o.error, o.reason) AS reason, a.wall_us, a.started_at, h.text AS host FROM (" from ") t "         \
  "JOIN task_type y ON y.id = t.type LEFT JOIN word n ON n.id = t.name "                                               \
  "LEFT JOIN attempt a ON a.task = t.id AND a.number = t.attempts LEFT JOIN attempt_note o ON o.attempt = a.id "       \
  "LEFT JOIN worker w ON w.id = a.worker LEFT JOIN word h ON h.id = w.host "                                           \
  "WHERE ($3 = '' OR y.name = $3) AND ($4 = '' OR " SHOWN " = $4) ORDER BY t.id LIMIT $5"
#define END_OF(from) "SELECT max(id), count(*) FROM (" from ") t"

typedef struct {
  const char *rows, *end;
} place;

static const place PLACES[] = { { ROWS_OF(OF_ALL), END_OF(OF_ALL) },
                                { ROWS_OF(OF_BAD), END_OF(OF_BAD) },
                                { ROWS_OF(OF_CANCELLED), END_OF(OF_CANCELLED) },
                                { ROWS_OF(OF_RUNNING), END_OF(OF_RUNNING) } };

static const place *place_of(const char *state)
{
  if (strcmp(state, "failed") == 0 || strcmp(state, "skipped") == 0) return &PLACES[1];
  if (strcmp(state, "cancelled") == 0) return &PLACES[2];
  return strcmp(state, "running") == 0 ? &PLACES[3] : &PLACES[0];
}

static int64_t id_of(const json_t *row, const char *key)
{
  const char *text = eas_json_str(row, key);
  return text ? strtoll(text + 1, NULL, 10) : 0;
}

/* The loop variables of a page's tasks: siblings share them. */
static int add_parameters(eas_db *db, json_t *items, eas_err *err)
{
  json_t *kept = json_object(), *row;
  size_t i;
  int rc = 0;
  json_array_foreach(items, i, row)
  {
    char key[32];
    snprintf(key, sizeof key, "%lld", (long long)eas_json_int(row, "parent", 0));
    json_t *values = json_object_get(kept, key), *own = NULL;
    if (!values) {
      rc = eas_task_metadata(db, id_of(row, "task"), &own, err);
      if (rc < 0) break;
      json_object_set_new(kept, key, own);
      values = own;
    }
    json_object_set(row, "parameters", values);
    json_object_del(row, "parent");
  }
  json_decref(kept);
  return rc;
}

static int is_value(const json_t *v, const json_t *wanted)
{
  if (!json_is_number(v) || !json_is_number(wanted)) return v && json_equal(v, wanted);
  double x = json_number_value(v), y = json_number_value(wanted);
  return fabs(x - y) <= 1e-9 * fabs(y); /* it may have come through a text of twelve digits */
}

/* Leaves the rows whose loop variables have these values. */
static void keep(json_t *rows, const json_t *where)
{
  for (size_t i = json_array_size(rows); i-- > 0;) {
    const json_t *values = json_object_get(json_array_get(rows, i), "parameters");
    const char *name;
    json_t *wanted;
    int same = 1;
    json_object_foreach((json_t *)(uintptr_t)where, name, wanted) same =
        same && is_value(json_object_get(values, name), wanted);
    if (!same) json_array_remove(rows, i);
  }
}

/* Where the rows that were looked at end; 0: there are no more. */
static int slab_end(eas_db *db, const place *p, int64_t job, int64_t after, int64_t *end, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db, p->end, EAS_ARGS(eas_v_int(job), eas_v_int(after)), &r, err);
  if (n < 0) return n;
  *end = eas_rows_int(r, 0, 1) < SLAB ? 0 : eas_rows_int(r, 0, 0);
  eas_rows_free(r);
  return 0;
}

int eas_page_tasks(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  const char *state = f->state ? f->state : "", *type = f->type ? f->type : "";
  const place *p = place_of(state);
  int64_t after = f->after, until = eas_tick_us() + EAS_PAGE_US;
  int limit = f->limit > 0 ? f->limit : 100, rc = 0;
  json_t *items = json_array();
  do {
    json_t *some = NULL;
    int left = limit - (int)json_array_size(items), want = f->where ? LOOKED_AT : left;
    rc = eas_view_list(
        db, p->rows,
        EAS_ARGS(eas_v_int(f->job), eas_v_int(after), eas_v_text(type), eas_v_text(state), eas_v_int(want)), &some,
        err);
    if (rc < 0) break;
    int full = rc == want;
    int64_t last = full ? id_of(json_array_get(some, (size_t)rc - 1), "task") : 0;
    rc = add_parameters(db, some, err);
    if (rc >= 0 && f->where) keep(some, f->where);
    if (rc >= 0 && (int)json_array_size(some) > left) {
      last = id_of(json_array_get(some, (size_t)left - 1), "task");
      full = 1;
      while ((int)json_array_size(some) > left) json_array_remove(some, json_array_size(some) - 1);
    }
    if (rc >= 0) json_array_extend(items, some);
    json_decref(some);
    if (rc < 0) break;
    if (full)
      after = last;
    else
      rc = slab_end(db, p, f->job, after, &after, err);
  } while (rc >= 0 && after && (int)json_array_size(items) < limit && eas_tick_us() < until);
  if (rc < 0) {
    json_decref(items);
    return rc;
  }
  char next[32];
  snprintf(next, sizeof next, "t%lld", (long long)after);
  *out = json_pack("{s:o,s:o}", "items", items, "next", after ? json_string(next) : json_null());
  return 0;
}

/* --- lineage --- */

static const char MAKERS[] =
    "SELECT p.task AS \"t:from\", e.task AS \"t:to\", k.text AS kind FROM task_input e JOIN product p ON p.id = "
    "e.product JOIN word k ON k.id = e.kind WHERE e.task " EAS_IN_IDS("$1") " ORDER BY p.task LIMIT $2";
static const char USERS[] =
    "SELECT p.task AS \"t:from\", e.task AS \"t:to\", k.text AS kind FROM product p JOIN task_input e ON e.product = "
    "p.id JOIN word k ON k.id = p.kind WHERE p.task " EAS_IN_IDS("$1") " ORDER BY e.task LIMIT $2";
static const char NODES[] =
    "SELECT t.id AS \"t:task\", y.name AS type, CASE WHEN t.state = 'ready' THEN coalesce(a.state, 'queued') ELSE "
    "t.state END AS state FROM task t JOIN task_type y ON y.id = t.type LEFT JOIN attempt a ON a.task = t.id AND "
    "a.number = t.attempts WHERE t.id " EAS_IN_IDS("$1") " ORDER BY t.id";

typedef struct {
  eas_db *db;
  json_t *edges, *steps; /* steps: task -> step */
  eas_buf ids;
  int more;
} lineage;

/* One step from the tasks ids[0..n) onwards, up (sign -1) or down; the new ones replace them. */
static int walk(lineage *l, int64_t ids[STEP_MAX], int *n, int step, eas_err *err)
{
  json_t *found = NULL, *e;
  size_t i;
  int up = step < 0;
  const char *list = eas_db_id_list(l->db, ids, *n, &l->ids);
  int rc = eas_view_list(l->db, up ? MAKERS : USERS, EAS_ARGS(eas_v_text(list), eas_v_int(STEP_MAX + 1)), &found, err);
  if (rc < 0) return rc;
  *n = 0;
  json_array_foreach(found, i, e)
  {
    const char *other = eas_json_str(e, up ? "from" : "to");
    int known = json_object_get(l->steps, other) != NULL;
    if (!known && *n == STEP_MAX) {
      l->more = 1;
      continue;
    }
    json_array_append(l->edges, e);
    if (known) continue;
    json_object_set_new(l->steps, other, json_integer(step));
    ids[(*n)++] = strtoll(other + 1, NULL, 10);
  }
  if (rc > STEP_MAX) l->more = 1;
  json_decref(found);
  return 0;
}

static int nodes(lineage *l, json_t **out, eas_err *err)
{
  int64_t ids[4 * STEP_MAX + 1];
  int n = 0;
  size_t i;
  const char *key;
  json_t *v;
  json_object_foreach(l->steps, key, v) ids[n++] = strtoll(key + 1, NULL, 10);
  int rc = eas_view_list(l->db, NODES, EAS_ARGS(eas_v_text(eas_db_id_list(l->db, ids, n, &l->ids))), out, err);
  if (rc < 0) return rc;
  json_array_foreach(*out, i, v) json_object_set(v, "step", json_object_get(l->steps, eas_json_str(v, "task")));
  return 0;
}

int eas_page_lineage(eas_db *db, int64_t task, json_t **out, eas_err *err)
{
  lineage l = { .db = db, .edges = json_array(), .steps = json_object() };
  char self[32];
  json_t *list = NULL;
  int rc = 0;
  eas_buf_init(&l.ids);
  snprintf(self, sizeof self, "t%lld", (long long)task);
  json_object_set_new(l.steps, self, json_integer(0));
  for (int sign = -1; sign <= 1 && rc >= 0; sign += 2) {
    int64_t ids[STEP_MAX] = { task };
    int n = 1;
    for (int step = 1; step <= 2 && n > 0 && rc >= 0; step++) rc = walk(&l, ids, &n, sign * step, err);
  }
  if (rc >= 0) rc = nodes(&l, &list, err);
  if (rc >= 0) *out = json_pack("{s:o,s:O,s:b}", "nodes", list, "edges", l.edges, "more", l.more);
  eas_buf_done(&l.ids);
  json_decref(l.edges);
  json_decref(l.steps);
  return rc < 0 ? rc : 0;
}
