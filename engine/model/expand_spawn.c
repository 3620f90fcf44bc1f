/* expand_spawn.c: children that a running task asked for with task:spawn. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "model/expand_state.h"
#include "model/words.h"

/* The list becomes a document, so that a child's entry is found like any other's. */
static int store_list(eas_db *db, int64_t attempt, const json_t *items, int64_t *id, eas_err *err)
{
  json_t *doc = json_pack("{s:O}", "task_list", (json_t *)items);
  char *text = json_dumps(doc, JSON_COMPACT);
  json_decref(doc);
  if (!text) return eas_fail(err, EAS_EFORMAT, "spawn: the list of tasks is no JSON");
  eas_digest digest;
  eas_hash(text, strlen(text), &digest);
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT id FROM document WHERE digest = $1", EAS_ARGS(eas_v_blob(&digest, sizeof digest)),
                        &rows, err);
  if (rc > 0) *id = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  if (rc == 0) {
    char *source = eas_format("spawn:%lld", (long long)attempt);
    rc = eas_db_ids(db, "document", 1, id, err);
    if (rc >= 0)
      rc = eas_db_exec(
          db, "INSERT INTO document (id, digest, source, body) VALUES ($1, $2, $3, $4)",
          EAS_ARGS(eas_v_int(*id), eas_v_blob(&digest, sizeof digest), eas_v_text(source), eas_v_text(text)), err);
    free(source);
  }
  free(text);
  return rc < 0 ? rc : 0;
}

static int read_parent(eas_expansion *x, eas_flow_task *t, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(x->db,
                        "SELECT t.job, t.depth, t.seed, t.directory, t.label, t.cursor, j.compat, eas_now() FROM task "
                        "t JOIN job j ON j.id = t.job WHERE t.id = $1",
                        EAS_ARGS(eas_v_int(t->task)), &rows, err);
  if (rc == 0) rc = eas_fail(err, EAS_ENOENT, "spawn: no task t%lld", (long long)t->task);
  if (rc > 0) {
    x->job = eas_rows_int(rows, 0, 0);
    t->depth = eas_rows_int(rows, 0, 1);
    t->seed = (uint64_t)eas_rows_int(rows, 0, 2);
    t->directory = eas_rows_int(rows, 0, 3);
    t->label = eas_rows_int(rows, 0, 4);
    t->base = eas_rows_int(rows, 0, 5);
    x->compat = (int)eas_rows_int(rows, 0, 6);
    x->now = eas_rows_int(rows, 0, 7);
  }
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}

static int check_items(eas_plan *p, const json_t *items, eas_err *err)
{
  if (!json_is_array(items))
    return eas_fail(err, EAS_EFORMAT, "spawn: a list of task objects is wanted, found %s", eas_plan_kind(items));
  for (size_t i = 0; i < json_array_size(items); i++) {
    const json_t *item = json_array_get(items, i);
    const char *type = eas_json_str(item, "task");
    char path[48];
    snprintf(path, sizeof path, "spawn[%zu]", i);
    if (type && eas_flow_of(type) != EAS_FLOW_NONE) eas_plan_check_fields(p, eas_flow_of(type), 0, item, path);
  }
  if (!p->problems->n) return 0;
  const eas_problem *first = &p->problems->list[0];
  eas_fail(err, EAS_EFORMAT, "%s: %s", first->path, first->what);
  return first->fix ? eas_hint(err, "%s", first->fix) : EAS_EFORMAT;
}

static int spawn(eas_expansion *x, eas_flow_task *t, const json_t *items, int64_t document, eas_plan *p, eas_err *err)
{
  eas_births b = { 0 };
  char *list_path = eas_format("spawn:%lld", (long long)document);
  int64_t n = (int64_t)json_array_size(items);
  int rc = eas_expand_list(x, t, p, items, list_path, &b, err);
  if (rc == 0) rc = eas_expand_link(x, t, n, &b, err);
  if (rc == 1) rc = eas_fail(err, EAS_EFORMAT, "spawn: %s", x->fault);
  if (rc == 0) rc = eas_expand_insert(x, t, &b, err);
  if (rc == 0) rc = eas_expand_write(x, err);
  if (rc == 0)
    rc = eas_db_exec(x->db, "UPDATE task SET open_children = open_children + $2, cursor = cursor + $2 WHERE id = $1",
                     EAS_ARGS(eas_v_int(t->task), eas_v_int(n)), err);
  if (rc >= 0) rc = eas_counts_apply(&x->counts, x->db, err);
  free(list_path);
  eas_births_done(&b);
  return rc < 0 ? rc : 0;
}

int eas_expand_spawn(eas_db *db, const eas_registry *r, int64_t parent, int64_t attempt, const json_t *items,
                     int *n_queued, eas_err *err)
{
  static const eas_expand_options none;
  eas_problems problems = { 0 };
  eas_expansion x = { .db = db, .registry = r, .o = &none, .apart = 1 };
  eas_flow_task t = { .task = parent, .attempt = attempt };
  json_t *metadata = NULL;
  eas_plan p = { .registry = r, .problems = &problems };
  int64_t document = 0;
  int rc = check_items(&p, items, err);
  if (rc == 0 && json_array_size(items)) {
    rc = read_parent(&x, &t, err);
    if (rc == 0) rc = eas_task_metadata(db, parent, &metadata, err);
    if (rc == 0) rc = store_list(db, attempt, items, &document, err);
    p.scope = (eas_expr_scope){ .metadata = metadata, .seed = t.seed, .prototype_names = x.compat };
    if (rc == 0) rc = spawn(&x, &t, items, document, &p, err);
  }
  if (rc == 0 && n_queued) *n_queued += x.n_queued;
  json_decref(metadata);
  eas_problems_done(&problems);
  eas_expansion_done(&x);
  return rc;
}
