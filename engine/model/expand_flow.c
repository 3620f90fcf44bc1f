/* expand_flow.c: which children a flow-control task has. Evaluates; touches no table. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "model/claim.h"
#include "model/expand_state.h"

enum { MOST_TURNS = 10 * 1000 }; /* each stands below the one before */

void eas_expand_fault(eas_expansion *x, const char *format, ...)
{
  eas_buf b;
  eas_buf_init(&b);
  va_list ap;
  va_start(ap, format);
  eas_buf_vprintf(&b, format, ap);
  va_end(ap);
  free(x->fault);
  x->fault = eas_buf_take(&b);
}

/* The first problem becomes the task's error, with its place. */
static int problem_fault(eas_expansion *x, const eas_problems *problems)
{
  const eas_problem *p = &problems->list[0];
  const char *what = p->what;
  if (p->expression && strncmp(what, "expression: ", 12) == 0)
    eas_expand_fault(x, "%s: expression, column %d: %s%s%s", p->path, p->offset + 1, what + 12, p->fix ? "; " : "",
                     p->fix ? p->fix : "");
  else
    eas_expand_fault(x, "%s: %s%s%s", p->path, what, p->fix ? "; " : "", p->fix ? p->fix : "");
  return 1;
}

eas_birth *eas_births_add(eas_births *b)
{
  if (b->n == b->cap) {
    b->cap = b->cap ? 2 * b->cap : 16;
    b->list = eas_realloc(b->list, (size_t)b->cap * sizeof *b->list);
  }
  b->list[b->n] = (eas_birth){ 0 };
  return &b->list[b->n++];
}

void eas_births_done(eas_births *b)
{
  for (int64_t i = 0; i < b->n; i++) {
    eas_birth *c = &b->list[i];
    eas_plan_item_done(&c->item);
    json_decref(c->own);
    free(c->path);
    free(c->products);
    free(c->inputs);
    free(c->needs);
    free(c->siblings);
  }
  free(b->list);
  json_decref(b->files);
  *b = (eas_births){ 0 };
}

int eas_expand_entry(eas_expansion *x, const char *path, json_t **out, eas_err *err)
{
  json_t *doc = NULL, *entry = NULL;
  if (strncmp(path, "spawn:", 6) != 0) {
    entry = json_incref(eas_json_at(x->doc, path));
  } else {
    char *rest;
    int64_t document = strtoll(path + 6, &rest, 10);
    char *place = eas_format("$.task_list%s", rest);
    int rc = eas_document_entry(x->db, document, "$", &doc, err);
    if (rc == 0) entry = json_incref(eas_json_at(doc, place));
    json_decref(doc); /* kept with the connection */
    free(place);
    if (rc < 0) return rc;
  }
  if (!entry) { /* its own failure, not that of all expansion */
    eas_expand_fault(x, "%s: nothing stands there in the job's document", path);
    return 1;
  }
  *out = entry;
  return 0;
}

static const eas_task_type *flow_type(const eas_expansion *x, eas_flow flow)
{
  return eas_registry_type(x->registry, eas_flow_name(flow));
}

/* A chain that t makes: one value of a loop, one turn, one branch. */
static int add_chain(eas_expansion *x, const eas_flow_task *t, const char *list, eas_births *out, eas_birth **made)
{
  const eas_task_type *chain = flow_type(x, EAS_FLOW_CHAIN);
  if (!chain) {
    eas_expand_fault(x, "the registry has no type execution_chain");
    return 1;
  }
  eas_birth *b = eas_births_add(out);
  b->flow = EAS_FLOW_CHAIN;
  b->type = chain;
  b->path = eas_format("%s.%s", t->path, list);
  b->directory = t->directory;
  b->label = t->label;
  b->turn = t->turn;
  *made = b;
  return 0;
}

/* A loop's chains are seeded by their value, so that other values added later change nothing for it. */
static uint64_t seed_of_value(uint64_t seed, const json_t *value)
{
  char *text = eas_json_canonical(value);
  eas_digest d;
  uint64_t h;
  eas_hash(text, strlen(text), &d);
  memcpy(&h, d.b, sizeof h);
  free(text);
  return eas_mix64(seed, h);
}

static int read_loop(eas_expansion *x, eas_flow_task *t, eas_plan *p, const json_t *entry)
{
  if (t->loop) return 0;
  t->loop = eas_alloc(sizeof *t->loop);
  if (eas_plan_read_loop(p, entry, t->path, json_object_get(t->recorded, "files"), t->loop) < 0)
    return problem_fault(x, p->problems);
  return 0;
}

static int loop_children(eas_expansion *x, eas_flow_task *t, eas_plan *p, const json_t *entry, int64_t room,
                         eas_births *out)
{
  if (!json_array_size(json_object_get(entry, "task_list"))) return 0;
  int rc = read_loop(x, t, p, entry);
  if (rc) return rc;
  const eas_plan_loop *loop = t->loop;
  out->total = loop->n;
  if (loop->kind == EAS_LOOP_FILES) out->files = json_incref(loop->list);
  for (int64_t i = t->cursor; i < loop->n && i < t->cursor + room && rc == 0; i++) {
    eas_birth *b;
    rc = add_chain(x, t, "task_list", out, &b);
    if (rc) break;
    b->ordinal = i;
    b->own = eas_plan_loop_metadata(loop, i);
    b->seed = seed_of_value(t->seed, json_object_get(b->own, loop->parameter));
  }
  return rc;
}

/* Whether the loop goes on: always at first, then by its criterion. 1 yes, 0 no, -1 fault. */
static int goes_on(eas_expansion *x, const eas_flow_task *t, eas_plan *p, const json_t *entry)
{
  if (t->turn == 0) return 1;
  if (t->turn >= MOST_TURNS) {
    eas_expand_fault(x, "%s.repeat_criterion: it was true %d times; a do-while loop has at most as many turns", t->path,
                     MOST_TURNS);
    return -1;
  }
  const json_t *criterion = json_object_get(entry, "repeat_criterion");
  if (!criterion) {
    eas_expand_fault(x, "%s: execution_do_while_loop needs a field 'repeat_criterion'", t->path);
    return -1;
  }
  json_t *v = eas_plan_value(p, criterion, t->path, ".repeat_criterion", NULL);
  if (!v) {
    problem_fault(x, p->problems);
    return -1;
  }
  int yes = eas_expr_truth(v);
  json_decref(v);
  return yes;
}

static int while_children(eas_expansion *x, const eas_flow_task *t, eas_plan *p, const json_t *entry, eas_births *out)
{
  if (!json_array_size(json_object_get(entry, "task_list"))) return 0;
  int yes = goes_on(x, t, p, entry);
  if (yes <= 0) return yes < 0;
  const json_t *name = json_object_get(entry, "iteration_name");
  json_t *v = name ? eas_plan_value(p, name, t->path, ".iteration_name", NULL) : NULL;
  if (p->problems->n) return problem_fault(x, p->problems);
  if (!json_is_string(v)) {
    eas_expand_fault(x, "%s: iteration_name: a name is wanted, found %s", t->path, eas_plan_kind(v));
    json_decref(v);
    return 1;
  }
  eas_birth *b;
  int rc = add_chain(x, t, "task_list", out, &b);
  if (rc == 0) {
    char *key = eas_format("%s_index", json_string_value(v));
    b->turn = t->turn + 1;
    b->own = json_pack("{s:I}", key, (json_int_t)b->turn);
    b->seed = eas_mix64(t->seed, (uint64_t)b->turn);
    out->total = 1;
    free(key);
  }
  json_decref(v);
  return rc;
}

static int if_children(eas_expansion *x, const eas_flow_task *t, eas_plan *p, const json_t *entry, eas_births *out)
{
  const json_t *criterion = json_object_get(entry, "criterion");
  if (!criterion) {
    eas_expand_fault(x, "%s: execution_conditional needs a field 'criterion'", t->path);
    return 1;
  }
  json_t *v = eas_plan_value(p, criterion, t->path, ".criterion", NULL);
  if (!v) return problem_fault(x, p->problems);
  int yes = eas_expr_truth(v);
  json_decref(v);
  const char *list = yes ? "task_list" : "else_task_list";
  if (!json_array_size(json_object_get(entry, list))) return 0;
  eas_birth *b;
  int rc = add_chain(x, t, list, out, &b);
  if (rc) return rc;
  b->seed = eas_mix64(t->seed, (uint64_t)yes);
  out->total = 1;
  return 0;
}

/* The do-while task that ends a turn's chain: it decides whether another follows. */
static int add_next_turn(eas_expansion *x, const eas_flow_task *t, eas_plan *p, int64_t ordinal, eas_births *out,
                         eas_err *err)
{
  char *path = eas_strdup(t->path);
  char *dot = strrchr(path, '.');
  json_t *entry = NULL;
  if (dot) *dot = 0; /* the loop itself: what holds the list */
  int rc = eas_expand_entry(x, path, &entry, err);
  if (rc) {
    free(path);
    return rc;
  }
  json_decref(entry); /* the document holds it */
  const json_t *names = json_object_get(entry, "requires_metadata_from_child");
  eas_birth *b = eas_births_add(out);
  b->flow = EAS_FLOW_WHILE;
  b->type = flow_type(x, EAS_FLOW_WHILE);
  b->path = path;
  b->ordinal = ordinal;
  b->turn = t->turn;
  b->directory = t->directory;
  b->label = t->label;
  b->seed = eas_mix64(t->seed, (uint64_t)ordinal);
  b->item.entry = entry;
  b->item.needs = eas_alloc((json_array_size(names) + 1) * sizeof *b->item.needs);
  for (size_t i = 0; i < json_array_size(names); i++) {
    char suffix[64];
    snprintf(suffix, sizeof suffix, ".requires_metadata_from_child[%zu]", i);
    json_t *v = eas_plan_value(p, json_array_get(names, i), path, suffix, NULL);
    if (!v) return problem_fault(x, p->problems);
    if (json_is_string(v)) b->item.needs[b->item.n_needs++] = eas_strdup(json_string_value(v));
    json_decref(v);
  }
  return 0;
}

/* requires_metadata_from: ordinals of the tasks named; of two with one name the later. */
static int find_sibling(eas_expansion *x, const eas_map *names, eas_birth *b)
{
  int n = b->item.n_needs;
  if (!n && !b->item.n_gathers) return 0;
  b->siblings = eas_alloc((size_t)(n + b->item.n_gathers) * sizeof *b->siblings);
  for (int i = 0; i < b->item.n_gathers; i++) {
    if (!eas_map_get(names, b->item.gathers[i], &b->siblings[n + i])) {
      eas_expand_fault(x, "%s: Task waits for unknown previous task %s to be done", b->path, b->item.gathers[i]);
      return 1;
    }
  }
  for (int i = 0; i < n; i++) {
    if (!eas_map_get(names, b->item.needs[i], &b->siblings[i])) {
      eas_expand_fault(x, "%s: Task requires metadata from unknown previous task %s", b->path, b->item.needs[i]);
      return 1;
    }
  }
  return 0;
}

int eas_expand_list(eas_expansion *x, const eas_flow_task *t, eas_plan *p, const json_t *list, const char *list_path,
                    eas_births *out, eas_err *err)
{
  eas_map names = { 0 };
  int rc = 0;
  int64_t n = (int64_t)json_array_size(list);
  int ends_turn = t->flow == EAS_FLOW_CHAIN && t->parent_flow == EAS_FLOW_WHILE;
  for (int64_t i = 0; i < n && rc == 0; i++) {
    eas_birth *b = eas_births_add(out);
    b->ordinal = i;
    b->path = eas_format("%s[%lld]", list_path, (long long)i);
    if (eas_plan_read_item(p, json_array_get(list, (size_t)i), b->path, &b->item)) {
      rc = problem_fault(x, p->problems);
      break;
    }
    b->flow = b->item.flow;
    b->type = b->item.type;
    b->turn = b->flow == EAS_FLOW_WHILE ? 0 : t->turn;
    b->seed = eas_mix64(t->seed, (uint64_t)i);
    if (b->item.replay) {
      b->seed = (uint64_t)json_integer_value(json_object_get(b->item.replay, "seed"));
      b->own = json_incref(json_object_get(b->item.replay, "metadata"));
    }
    rc = find_sibling(x, &names, b);
    if (b->item.name) eas_map_set(&names, b->item.name, i);
  }
  if (rc == 0 && ends_turn && n) {
    rc = add_next_turn(x, t, p, n++, out, err);
    if (rc == 0) rc = find_sibling(x, &names, &out->list[out->n - 1]);
  }
  eas_map_done(&names);
  out->total = n; /* all of a list is evaluated and linked; who inserts takes the window */
  return rc;
}

int eas_expand_children(eas_expansion *x, eas_flow_task *t, const json_t *metadata, const json_t *requested,
                        int64_t room, eas_births *out, eas_err *err)
{
  eas_problems problems = { 0 };
  eas_plan p = {
    .registry = x->registry,
    .input_path = x->o->input_path,
    .problems = &problems,
    .scope = { .metadata = metadata, .requested_metadata = requested, .seed = t->seed, .prototype_names = x->compat }
  };
  json_t *entry = NULL;
  int rc = eas_expand_entry(x, t->path, &entry, err);
  if (rc) return rc;
  if (t->flow == EAS_FLOW_CHAIN) {
    char *list_path = json_is_array(entry) ? eas_strdup(t->path) : eas_format("%s.task_list", t->path);
    rc = eas_expand_list(x, t, &p, json_is_array(entry) ? entry : json_object_get(entry, "task_list"), list_path, out,
                         err);
    free(list_path);
  } else if (t->flow == EAS_FLOW_FOR) {
    rc = loop_children(x, t, &p, entry, room, out);
  } else if (t->flow == EAS_FLOW_WHILE) {
    rc = while_children(x, t, &p, entry, out);
  } else {
    rc = if_children(x, t, &p, entry, out);
  }
  eas_problems_done(&problems);
  json_decref(entry);
  return rc;
}
