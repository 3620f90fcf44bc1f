/* expand_insert.c: the rows of new children. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/expand_state.h"
#include "model/settle.h"
#include "model/words.h"

/* Blocks grow with what was used: few statements for a big job, few gaps in the numbers of a small one. */
int eas_expand_id(eas_expansion *x, struct eas_id_pool *pool, const char *table, int64_t *id, eas_err *err)
{
  enum { LEAST = 4, LEAST_OF_SERVER = 64, MOST = 256, MOST_OF_SERVER = sizeof pool->id / sizeof *pool->id };
  int sqlite =
      eas_db_kind(x->db) == EAS_DB_SQLITE; /* else each block is a round trip, and waits for all that was sent */
  int least = sqlite ? LEAST : LEAST_OF_SERVER, most = sqlite ? MOST : MOST_OF_SERVER;
  if (pool->used == pool->n) {
    int n = pool->given < least ? least : pool->given > most ? most : pool->given;
    int rc = eas_db_ids(x->db, table, n, pool->id, err);
    if (rc < 0) return rc;
    pool->n = n;
    pool->given += n;
    pool->used = 0;
  }
  *id = pool->id[pool->used++];
  return 0;
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
  int ties = (c->item.n_inputs ? EAS_TIE_INPUTS : 0) | (c->item.n_outputs ? EAS_TIE_OUTPUTS : 0) |
             (c->item.n_needs + c->item.n_gathers ? EAS_TIE_NEEDS : 0) | (c->item.name ? EAS_TIE_NAMED : 0);
  char *own = c->own ? eas_json_canonical(c->own) : NULL; /* shortest reals */
  const eas_val row[] = { eas_v_int(c->id),
                          eas_v_int(x->job),
                          eas_v_int(t->task),
                          eas_v_int(t->base + c->ordinal),
                          eas_v_int(t->depth + 1),
                          eas_v_int(type),
                          eas_v_int(node),
                          eas_v_id(name),
                          eas_v_int(c->directory),
                          eas_v_id(c->label),
                          eas_v_text(c->pending ? "waiting" : "ready"),
                          eas_v_int(c->pending),
                          eas_v_int(c->pending ? 0 : 1),
                          eas_v_null(),
                          eas_v_int(0),
                          eas_v_int(0),
                          eas_v_int(0),
                          eas_v_int(0),
                          eas_v_int(c->turn),
                          eas_v_int((int64_t)c->seed),
                          eas_v_text(own),
                          eas_v_int(c->gathered),
                          eas_v_int(ties) };
  rc = eas_expand_put(x, EAS_ROWS_TASK, row, err);
  free(own);
  return rc;
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
    const eas_val row[] = {
      eas_v_int(c->products[i]), eas_v_int(x->job),       eas_v_int(c->id),
      eas_v_int(kind),           eas_v_int(c->directory), eas_v_text(c->item.outputs[i].filename)
    };
    rc = eas_expand_put(x, EAS_ROWS_PRODUCT, row, err);
    remember(x, c, i);
  }
  return rc;
}

static int insert_edges(eas_expansion *x, const eas_birth *c, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < c->item.n_inputs && rc >= 0; i++) {
    const eas_val row[] = { eas_v_int(c->id), eas_v_int(c->inputs[i].kind), eas_v_int(c->inputs[i].product),
                            eas_v_int(c->inputs[i].met) };
    rc = eas_expand_put(x, EAS_ROWS_INPUT, row, err);
  }
  for (int i = 0; i < c->item.n_needs && rc >= 0; i++) {
    const eas_val row[] = { eas_v_int(c->id), eas_v_int(c->needs[i].name), eas_v_int(c->needs[i].needed),
                            eas_v_int(c->needs[i].met) };
    rc = eas_expand_put(x, EAS_ROWS_NEED, row, err);
  }
  for (int i = 0; i < c->item.n_gathers && rc >= 0; i++) {
    const eas_edge_need *g = &c->needs[c->item.n_needs + i];
    const eas_val row[] = { eas_v_int(c->id), eas_v_int(g->name), eas_v_int(g->needed), eas_v_int(c->item.least),
                            eas_v_int(0) };
    rc = eas_expand_put(x, EAS_ROWS_GATHER, row, err);
  }
  return rc;
}

/* Flow control that is looked at next is written when it was; what has edges, or may get some, is written now. */
int eas_expand_is_later(const eas_expansion *x, const eas_birth *c)
{
  return !x->apart && c->flow != EAS_FLOW_NONE && !c->pending && !c->item.name && !c->item.n_needs && !c->item.n_inputs;
}

int eas_expand_insert(eas_expansion *x, const eas_flow_task *t, eas_births *b, eas_err *err)
{
  int rc = 0;
  for (int64_t i = 0; i < b->n && rc >= 0; i++) {
    eas_birth *c = &b->list[i];
    int64_t type;
    if (!c->id) continue;
    rc = eas_type_id(x->db, c->type->name, &type, err);
    if (rc >= 0 && !eas_expand_is_later(x, c)) {
      rc = insert_task(x, t, c, type, err);
      if (rc >= 0) rc = insert_products(x, c, err);
      if (rc >= 0) rc = insert_edges(x, c, err);
    }
    if (rc < 0) break;
    eas_count *count = eas_counts_of(&x->counts, x->job, type);
    count->waiting += c->pending > 0;
    count->queued += c->pending == 0;
    if (c->pending) continue;
    rc = eas_expand_id(x, &x->attempts, "attempt", &c->attempt, err);
    if (rc < 0 || eas_expand_is_later(x, c)) continue;
    rc = eas_expand_attempt(x, c->attempt, c->id, type, EAS_BORN_QUEUED, 0, err);
    x->n_queued += c->flow == EAS_FLOW_NONE;
  }
  return rc < 0 ? rc : 0;
}
