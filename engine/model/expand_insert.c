/* expand_insert.c: the rows of new children. */
#include <stdlib.h>
#include <string.h>

#include "model/expand_state.h"
#include "model/words.h"

enum { FLUSH_EVERY = 4000 };

int eas_expand_sent(eas_expansion *x, eas_err *err)
{
  if (++x->n_sent < FLUSH_EVERY) return 0;
  x->n_sent = 0;
  return eas_db_flush(x->db, err);
}

int eas_expand_node(eas_expansion *x, const char *path, int64_t *id, eas_err *err)
{
  if (eas_map_get(&x->nodes, path, id)) return 0;
  eas_rows *rows = NULL;
  int rc = eas_db_query(x->db, "SELECT id FROM node WHERE job = $1 AND path = $2",
                        EAS_ARGS(eas_v_int(x->job), eas_v_text(path)), &rows, err);
  if (rc > 0) *id = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  if (rc == 0) {
    rc = eas_db_ids(x->db, "node", 1, id, err);
    if (rc >= 0)
      rc = eas_db_exec(x->db, "INSERT INTO node (id, job, path) VALUES ($1, $2, $3)",
                       EAS_ARGS(eas_v_int(*id), eas_v_int(x->job), eas_v_text(path)), err);
  }
  if (rc < 0) return rc;
  eas_map_set(&x->nodes, path, *id);
  return 0;
}

static int insert_task(eas_expansion *x, const eas_flow_task *t, const eas_birth *c, int64_t type, eas_err *err)
{
  int64_t node, name = 0;
  int rc = eas_expand_node(x, c->path, &node, err);
  if (rc >= 0 && c->item.name) rc = eas_word_id(x->db, c->item.name, &name, err);
  if (rc < 0) return rc;
  char *own = c->own ? json_dumps(c->own, JSON_COMPACT) : NULL;
  rc = eas_db_send(x->db,
    "INSERT INTO task (id, job, parent, ordinal, depth, type, node, name, directory, label, state, pending, attempts, turn, seed, metadata)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    EAS_ARGS(eas_v_int(c->id), eas_v_int(x->job), eas_v_int(t->task), eas_v_int(c->ordinal), eas_v_int(t->depth + 1),
             eas_v_int(type), eas_v_int(node), eas_v_id(name), eas_v_int(c->directory), eas_v_id(c->label),
             eas_v_text(c->pending ? "waiting" : "ready"), eas_v_int(c->pending), eas_v_int(c->pending ? 0 : 1),
             eas_v_int(c->turn), eas_v_int((int64_t)c->seed), eas_v_text(own)), NULL, err);
  free(own);
  return rc < 0 ? rc : eas_expand_sent(x, err);
}

/* Products are known to those who come later in this transaction by (directory, file name). */
static void remember(eas_expansion *x, const eas_birth *c, int i)
{
  if (x->n_made == x->cap_made) {
    x->cap_made = x->cap_made ? 2 * x->cap_made : 64;
    x->made_list = eas_realloc(x->made_list, (size_t)x->cap_made * sizeof *x->made_list);
  }
  char *key = eas_format("%lld/%s", (long long)c->directory, c->item.outputs[i].filename);
  eas_map_set(&x->made, key, x->n_made);
  x->made_list[x->n_made++] = (struct eas_made){ c->products[i], c->id };
  free(key);
}

static int insert_products(eas_expansion *x, const eas_birth *c, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < c->item.n_outputs && rc >= 0; i++) {
    int64_t kind;
    rc = eas_word_id(x->db, c->item.outputs[i].kind, &kind, err);
    if (rc < 0) break;
    rc = eas_db_send(x->db, "INSERT INTO product (id, job, task, kind, directory, filename) VALUES ($1, $2, $3, $4, $5, $6)",
                     EAS_ARGS(eas_v_int(c->products[i]), eas_v_int(x->job), eas_v_int(c->id), eas_v_int(kind),
                              eas_v_int(c->directory), eas_v_text(c->item.outputs[i].filename)), NULL, err);
    remember(x, c, i);
    if (rc >= 0) rc = eas_expand_sent(x, err);
  }
  return rc;
}

static int insert_edges(eas_expansion *x, const eas_birth *c, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < c->item.n_inputs && rc >= 0; i++) {
    rc = eas_db_send(x->db, "INSERT INTO task_input (task, kind, product, met) VALUES ($1, $2, $3, $4)",
                     EAS_ARGS(eas_v_int(c->id), eas_v_int(c->inputs[i].kind), eas_v_int(c->inputs[i].product),
                              eas_v_int(c->inputs[i].met)), NULL, err);
    if (rc >= 0) rc = eas_expand_sent(x, err);
  }
  for (int i = 0; i < c->item.n_needs && rc >= 0; i++) {
    rc = eas_db_send(x->db, "INSERT INTO task_need (task, name, needed, met) VALUES ($1, $2, $3, $4)",
                     EAS_ARGS(eas_v_int(c->id), eas_v_int(c->needs[i].name), eas_v_int(c->needs[i].needed),
                              eas_v_int(c->needs[i].met)), NULL, err);
    if (rc >= 0) rc = eas_expand_sent(x, err);
  }
  return rc;
}

static int insert_attempt(eas_expansion *x, const eas_birth *c, int64_t id, int64_t type, eas_err *err)
{
  int rc = eas_db_send(x->db,
    "INSERT INTO attempt (id, task, job, type, number, state, queued_at) VALUES ($1, $2, $3, $4, 1, 'queued', eas_now())",
    EAS_ARGS(eas_v_int(id), eas_v_int(c->id), eas_v_int(x->job), eas_v_int(type)), NULL, err);
  x->n_queued++;
  return rc < 0 ? rc : eas_expand_sent(x, err);
}

int eas_expand_insert(eas_expansion *x, const eas_flow_task *t, eas_births *b, eas_err *err)
{
  int n_ready = 0, k = 0, rc = 0;
  for (int64_t i = 0; i < b->n; i++)
    n_ready += b->list[i].id && !b->list[i].pending;
  int64_t *attempts = eas_alloc((size_t)(n_ready + 1) * sizeof *attempts);
  rc = eas_db_ids(x->db, "attempt", n_ready, attempts, err);
  for (int64_t i = 0; i < b->n && rc >= 0; i++) {
    eas_birth *c = &b->list[i];
    int64_t type;
    if (!c->id) continue;
    rc = eas_type_id(x->db, c->type->name, &type, err);
    if (rc >= 0) rc = insert_task(x, t, c, type, err);
    if (rc >= 0) rc = insert_products(x, c, err);
    if (rc >= 0) rc = insert_edges(x, c, err);
    if (rc < 0) break;
    eas_count *count = eas_counts_of(&x->counts, x->job, type);
    if (c->pending) {
      count->waiting++;
    } else {
      count->queued++;
      c->attempt = attempts[k++];
      rc = insert_attempt(x, c, c->attempt, type, err);
    }
  }
  free(attempts);
  return rc < 0 ? rc : 0;
}
