/* expand_link.c: what new children hang on: files of this list, of this job, of earlier jobs; siblings.
 *
 * Who adds an edge locks what it hangs on first (tasks by id, then products), then looks whether it is met. */
#include <stdlib.h>
#include <string.h>

#include "model/expand_state.h"
#include "model/words.h"

/* A file that this transaction does not know: looked for in the database. */
typedef struct {
  eas_birth *child;
  int index; /* of its inputs, or of its outputs */
  int output;
  int ticket;
  int64_t product, task;
} lookup;

typedef struct {
  eas_expansion *x;
  const eas_flow_task *t;
  eas_births *b;
  eas_map declared; /* by this list: key -> child << 16 | output */
  lookup *looks;
  int n, cap;
  int64_t end; /* children before it are born now */
  char *key;
} link_state;

static const char *key_of(link_state *s, int64_t directory, const char *filename)
{
  free(s->key);
  return s->key = eas_format("%lld/%s", (long long)directory, filename);
}

static void add_lookup(link_state *s, eas_birth *c, int index, int output)
{
  if (s->n == s->cap) {
    s->cap = s->cap ? 2 * s->cap : 16;
    s->looks = eas_realloc(s->looks, (size_t)s->cap * sizeof *s->looks);
  }
  s->looks[s->n++] = (lookup){ .child = c, .index = index, .output = output, .ticket = -1 };
}

static int words_of(link_state *s, eas_birth *c, eas_err *err)
{
  int rc = 0;
  c->directory = s->t->directory;
  c->label = s->t->label;
  if (c->item.directory) rc = eas_word_id(s->x->db, c->item.directory, &c->directory, err);
  if (rc >= 0 && c->item.label) rc = eas_word_id(s->x->db, c->item.label, &c->label, err);
  return rc < 0 ? rc : 0;
}

static int link_inputs(link_state *s, eas_birth *c, eas_err *err)
{
  if (!c->item.n_inputs) return 0;
  c->inputs = eas_alloc((size_t)c->item.n_inputs * sizeof *c->inputs);
  for (int i = 0; i < c->item.n_inputs; i++) {
    int64_t at;
    int rc = eas_word_id(s->x->db, c->item.inputs[i].kind, &c->inputs[i].kind, err);
    if (rc < 0) return rc;
    const char *key = key_of(s, c->directory, c->item.inputs[i].filename);
    if (eas_map_get(&s->declared, key, &at)) {
      c->inputs[i].product = s->b->list[at >> 16].products[at & 0xffff];
      c->pending++;
    } else if (eas_map_get(&s->x->made, key, &at)) {
      c->inputs[i].product = s->x->made_list[at].product;
      c->pending++;
    } else {
      add_lookup(s, c, i, 0);
    }
  }
  return 0;
}

static int pre_existing(link_state *s, const eas_birth *c, int i)
{
  eas_expand_fault(s->x, "%s.outputs: Task %s creates pre-existing file %s", c->path, c->type->name,
                   c->item.outputs[i].filename);
  return 1;
}

static int link_outputs(link_state *s, eas_birth *c, int64_t index, eas_err *err)
{
  int n = c->item.n_outputs;
  if (!n) return 0;
  c->products = eas_alloc((size_t)n * sizeof *c->products);
  if (n > 0xffff) {
    eas_expand_fault(s->x, "%s.outputs: over 65535 outputs of one task", c->path);
    return 1;
  }
  for (int i = 0; c->ordinal < s->end && i < n; i++) {
    int rc = eas_expand_id(s->x, &s->x->products, "product", &c->products[i], err);
    if (rc < 0) return rc;
  }
  for (int i = 0; i < n; i++) {
    int64_t at;
    const char *key = key_of(s, c->directory, c->item.outputs[i].filename);
    if (eas_map_get(&s->declared, key, &at) || eas_map_get(&s->x->made, key, &at)) return pre_existing(s, c, i);
    eas_map_set(&s->declared, key, index << 16 | i);
    add_lookup(s, c, i, 1);
  }
  return 0;
}

static const char *file_of(const lookup *l)
{
  return l->output ? l->child->item.outputs[l->index].filename : l->child->item.inputs[l->index].filename;
}

static int send_lookups(link_state *s, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < s->n && rc >= 0; i++)
    rc = eas_db_send(
        s->x->db, "SELECT id, task FROM product WHERE job = $1 AND directory = $2 AND filename = $3",
        EAS_ARGS(eas_v_int(s->x->job), eas_v_int(s->looks[i].child->directory), eas_v_text(file_of(&s->looks[i]))),
        &s->looks[i].ticket, err);
  if (rc >= 0) rc = eas_db_flush(s->x->db, err);
  for (int i = 0; i < s->n && rc >= 0; i++) {
    lookup *l = &s->looks[i];
    const eas_rows *rows = eas_db_result(s->x->db, l->ticket);
    if (!rows || eas_rows_n(rows) == 0) continue;
    l->product = eas_rows_int(rows, 0, 0);
    l->task = eas_rows_int(rows, 0, 1);
    if (l->output) return pre_existing(s, l->child, l->index);
  }
  return rc < 0 ? rc : 0;
}

/* An input that nobody of this job makes: the newest that passed in an earlier one. It is met for good. */
static int from_earlier_job(link_state *s, lookup *l, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc =
      eas_db_query(s->x->db,
                   "SELECT id FROM product WHERE filename = $1 AND directory = $2 AND passed IS NOT NULL AND job <> $3 "
                   "ORDER BY id DESC LIMIT 1",
                   EAS_ARGS(eas_v_text(file_of(l)), eas_v_int(l->child->directory), eas_v_int(s->x->job)), &rows, err);
  if (rc < 0) return rc;
  if (rc > 0) {
    l->child->inputs[l->index].product = eas_rows_int(rows, 0, 0);
    l->child->inputs[l->index].met = 1;
  }
  eas_rows_free(rows);
  if (rc > 0) return 0;
  const char *directory = "";
  rc = eas_word_text(s->x->db, l->child->directory, &directory, err);
  if (rc < 0) return rc;
  eas_expand_fault(s->x, "%s.inputs: Task %s could not find input %s%s%s", l->child->path, l->child->type->name,
                   directory, directory[0] ? "/" : "", file_of(l));
  return 1;
}

/* Decided without what it should make: control has to come by again, for those who hang on it now. */
static int spread_again(eas_expansion *x, int64_t task, const char *state, eas_err *err)
{
  if (!state || strcmp(state, "waiting") == 0 || strcmp(state, "ready") == 0) return 0;
  int rc = eas_db_exec(x->db, "UPDATE task SET spread = 1 WHERE id = $1", EAS_ARGS(eas_v_int(task)), err);
  return rc < 0 ? rc : 0;
}

static int by_task(const void *a, const void *b)
{
  const lookup *x = a, *y = b;
  if (x->task != y->task) return x->task < y->task ? -1 : 1;
  return (x->product > y->product) - (x->product < y->product);
}

/* Locks the makers of what was found, then the products, and looks whether they have passed. */
static int settle_found(link_state *s, eas_err *err)
{
  int rc = 0;
  qsort(s->looks, (size_t)s->n, sizeof *s->looks, by_task);
  for (int i = 0; i < s->n && rc >= 0; i++)
    if (s->looks[i].product)
      rc = eas_db_send(s->x->db, "SELECT state FROM task WHERE id = $1 /*pg FOR NO KEY UPDATE */",
                       EAS_ARGS(eas_v_int(s->looks[i].task)), &s->looks[i].ticket, err);
  if (rc >= 0) rc = eas_db_flush(s->x->db, err);
  for (int i = 0; i < s->n && rc >= 0; i++) {
    lookup *l = &s->looks[i];
    if (!l->product) continue;
    const eas_rows *made = eas_db_result(s->x->db, l->ticket);
    char *state = eas_strdup(made && eas_rows_n(made) ? eas_rows_text(made, 0, 0) : NULL);
    l->ticket = -1;
    l->child->inputs[l->index].product = l->product;
    eas_rows *rows = NULL;
    rc = eas_db_query(s->x->db, "SELECT passed FROM product WHERE id = $1 /*pg FOR NO KEY UPDATE */",
                      EAS_ARGS(eas_v_int(l->product)), &rows, err);
    if (rc > 0 && !eas_rows_null(rows, 0, 0)) {
      l->child->inputs[l->index].met = 1;
    } else if (rc >= 0) {
      l->child->pending++;
      rc = spread_again(s->x, l->task, state, err);
    }
    eas_rows_free(rows);
    free(state);
  }
  return rc < 0 ? rc : 0;
}

/* Inputs that are not made by what is born in this transaction. */
static int settle_lookups(link_state *s, eas_err *err)
{
  if (!s->n) return 0;
  int rc = send_lookups(s, err), kept = 0;
  for (int i = 0; i < s->n && rc == 0; i++) {
    if (s->looks[i].output) continue;
    if (!s->looks[i].product)
      rc = from_earlier_job(s, &s->looks[i], err);
    else
      s->looks[kept++] = s->looks[i];
  }
  if (rc) return rc;
  s->n = kept;
  return kept ? settle_found(s, err) : 0;
}

/* A named sibling born in an earlier slice may have ended already. */
static int need_born(link_state *s, eas_birth *c, int i, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_expand_write(s->x, err);
  if (rc < 0) return rc;
  rc = eas_db_query(s->x->db,
                    "SELECT id, state, accepted FROM task WHERE parent = $1 AND ordinal = $2 /*pg FOR NO KEY UPDATE */",
                    EAS_ARGS(eas_v_int(s->t->task), eas_v_int(c->siblings[i])), &rows, err);
  if (rc == 0)
    rc = eas_fail(err, EAS_EBUG, "task t%lld: child %lld is missing", (long long)s->t->task, (long long)c->siblings[i]);
  if (rc > 0) {
    c->needs[i].needed = eas_rows_int(rows, 0, 0);
    c->needs[i].met = !eas_rows_null(rows, 0, 2);
    rc = c->needs[i].met ? 0 : spread_again(s->x, c->needs[i].needed, eas_rows_text(rows, 0, 1), err);
  }
  eas_rows_free(rows);
  return rc;
}

static int link_needs(link_state *s, eas_birth *c, eas_err *err)
{
  int rc = 0;
  if (c->item.n_needs || c->item.n_gathers)
    c->needs = eas_alloc((size_t)(c->item.n_needs + c->item.n_gathers) * sizeof *c->needs);
  for (int i = 0; i < c->item.n_needs && rc >= 0; i++) {
    rc = eas_word_id(s->x->db, c->item.needs[i], &c->needs[i].name, err);
    if (rc < 0) break;
    if (c->siblings[i] >= s->t->cursor)
      c->needs[i].needed = s->b->list[c->siblings[i]].id;
    else
      rc = need_born(s, c, i, err);
    c->pending += !c->needs[i].met;
  }
  return rc < 0 ? rc : 0;
}

/* Who waits until a sibling is done: it may be done already, then control tells at once. */
static int link_gathers(link_state *s, eas_birth *c, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < c->item.n_gathers && rc >= 0; i++) {
    eas_edge_need *g = &c->needs[c->item.n_needs + i];
    int64_t at = c->siblings[c->item.n_needs + i];
    rc = eas_word_id(s->x->db, c->item.gathers[i], &g->name, err);
    if (rc < 0) break;
    c->pending++;
    if (at >= s->t->cursor) {
      g->needed = s->b->list[at].id;
      s->b->list[at].gathered = 1;
      continue;
    }
    eas_rows *rows = NULL;
    rc = eas_expand_write(s->x, err);
    if (rc >= 0)
      rc = eas_db_query(s->x->db, "UPDATE task SET gathered = 1 WHERE parent = $1 AND ordinal = $2 RETURNING id",
                        EAS_ARGS(eas_v_int(s->t->task), eas_v_int(s->t->base + at)), &rows, err);
    if (rc == 0)
      rc = eas_fail(err, EAS_EBUG, "task t%lld: child %lld is missing", (long long)s->t->task, (long long)at);
    if (rc > 0) g->needed = eas_rows_int(rows, 0, 0);
    eas_rows_free(rows);
  }
  return rc < 0 ? rc : 0;
}

/* Task ids of the children that are born now. */
static int allot_ids(link_state *s, eas_err *err)
{
  int rc = 0;
  for (int64_t i = 0; i < s->b->n && rc >= 0; i++)
    if (s->b->list[i].ordinal >= s->t->cursor && s->b->list[i].ordinal < s->end)
      rc = eas_expand_id(s->x, &s->x->tasks, "task", &s->b->list[i].id, err);
  return rc < 0 ? rc : 0;
}

int eas_expand_link(eas_expansion *x, const eas_flow_task *t, int64_t room, eas_births *b, eas_err *err)
{
  link_state s = { .x = x, .t = t, .b = b, .end = t->cursor + room };
  int rc = allot_ids(&s, err);
  for (int64_t i = 0; i < b->n && rc == 0; i++) {
    eas_birth *c = &b->list[i];
    if (c->ordinal < t->cursor || !c->item.entry) continue; /* born already; or a chain, which hangs on nothing */
    rc = words_of(&s, c, err);
    if (rc == 0) rc = link_inputs(&s, c, err);
    if (rc == 0) rc = link_outputs(&s, c, i, err);
    if (rc == 0 && c->ordinal < s.end) rc = link_needs(&s, c, err);
    if (rc == 0 && c->ordinal < s.end) rc = link_gathers(&s, c, err);
  }
  if (rc == 0) rc = settle_lookups(&s, err);
  eas_map_done(&s.declared);
  free(s.looks);
  free(s.key);
  return rc;
}
