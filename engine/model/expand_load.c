/* expand_load.c: the flow control that is queued in one job, deepest first. */
#include <stdlib.h>
#include <string.h>

#include "model/expand_state.h"
#include "model/words.h"

void eas_flow_task_done(eas_flow_task *t)
{
  free(t->path);
  json_decref(t->own);
  json_decref(t->recorded);
  json_decref(t->inherited);
  if (t->loop) eas_plan_loop_done(t->loop);
  free(t->loop);
  *t = (eas_flow_task){ 0 };
}

static json_t *object_of(const char *text)
{
  return text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static int flow_of_id(eas_db *db, int64_t type, eas_flow *out, eas_err *err)
{
  const char *name;
  *out = EAS_FLOW_NONE;
  if (!type) return 0;
  int rc = eas_type_name(db, type, &name, err);
  if (rc < 0) return rc;
  *out = eas_flow_of(name);
  return 0;
}

static int read_row(eas_expansion *x, const eas_rows *rows, int i, eas_flow_task *t, eas_err *err)
{
  *t = (eas_flow_task){ .attempt = eas_rows_int(rows, i, 0),
                        .task = eas_rows_int(rows, i, 1),
                        .type = eas_rows_int(rows, i, 2),
                        .parent = eas_rows_int(rows, i, 3),
                        .depth = eas_rows_int(rows, i, 4),
                        .named = !eas_rows_null(rows, i, 6),
                        .directory = eas_rows_int(rows, i, 7),
                        .label = eas_rows_int(rows, i, 8),
                        .seed = (uint64_t)eas_rows_int(rows, i, 9),
                        .turn = eas_rows_int(rows, i, 10),
                        .cursor = eas_rows_int(rows, i, 11),
                        .has_needs = (int)eas_rows_int(rows, i, 15) };
  t->path = eas_strdup(eas_rows_text(rows, i, 5));
  t->own = object_of(eas_rows_text(rows, i, 12));
  t->recorded = object_of(eas_rows_text(rows, i, 13));
  int rc = flow_of_id(x->db, t->type, &t->flow, err);
  return rc < 0 ? rc : flow_of_id(x->db, eas_rows_int(rows, i, 14), &t->parent_flow, err);
}

int eas_expand_load(eas_expansion *x, int limit, eas_flow_task **out, int *n_out, eas_err *err)
{
  int64_t type[4];
  int rc = 0;
  for (int i = 0; i < 4 && rc >= 0; i++) rc = eas_type_id(x->db, eas_flow_name((eas_flow)(i + 1)), &type[i], err);
  if (rc < 0) return rc;
  eas_rows *rows = NULL;
  int n = eas_db_query(
      x->db,
      "SELECT s.attempt, s.task, s.type, t.parent, t.depth, n.path, t.name, t.directory, t.label, t.seed, t.turn, "
      "t.cursor, t.metadata,"
      " a.metadata, p.type, CASE WHEN EXISTS (SELECT 1 FROM task_need d WHERE d.task = t.id) OR"
      " EXISTS (SELECT 1 FROM task_gather e WHERE e.task = t.id) THEN 1 ELSE 0 END"
      " FROM (SELECT b.id AS attempt, b.task AS task, b.type AS type, c.depth AS depth FROM attempt b JOIN task c ON "
      "c.id = b.task"
      " WHERE b.state = 'queued' AND b.job = $1 AND b.type IN ($2, $3, $4, $5) AND b.not_before <= eas_now()"
      " ORDER BY c.depth DESC, b.task LIMIT $6) s"
      " JOIN attempt a ON a.id = s.attempt JOIN task t ON t.id = s.task JOIN node n ON n.id = t.node LEFT JOIN task p "
      "ON p.id = t.parent"
      " ORDER BY s.depth DESC, s.task",
      EAS_ARGS(eas_v_int(x->job), eas_v_int(type[0]), eas_v_int(type[1]), eas_v_int(type[2]), eas_v_int(type[3]),
               eas_v_int(limit)),
      &rows, err);
  if (n < 0) return n;
  eas_flow_task *list = eas_alloc((size_t)(n + 1) * sizeof *list);
  for (int i = 0; i < n && rc >= 0; i++) rc = read_row(x, rows, i, &list[i], err);
  eas_rows_free(rows);
  *out = list;
  *n_out = n;
  return rc < 0 ? rc : 0;
}

int eas_expand_requested(eas_expansion *x, int64_t task, json_t **out, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(
      x->db,
      "SELECT w.text, a.metadata FROM task_need d JOIN word w ON w.id = d.name JOIN task t ON t.id = d.needed"
      " LEFT JOIN attempt a ON a.id = t.accepted WHERE d.task = $1"
      " UNION ALL SELECT w.text, g.outcome FROM task_gather g JOIN word w ON w.id = g.name WHERE g.task = $1",
      EAS_ARGS(eas_v_int(task)), &rows, err);
  if (n < 0) return n;
  *out = json_object();
  for (int i = 0; i < n; i++) {
    json_t *v = object_of(eas_rows_text(rows, i, 1));
    json_object_set_new(*out, eas_rows_text(rows, i, 0), v ? v : json_object());
  }
  eas_rows_free(rows);
  return 0;
}
