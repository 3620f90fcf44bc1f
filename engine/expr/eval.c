/* eval.c: walks the tree of an expression. What is not known yet (dry) spreads to all that uses it. */
#include <string.h>
#include "expr/ex.h"

enum { MAX_ARGS = 64 };

/* Names of a mapping as a hint. */
static void hint_known(eas_ex *x, const eas_ex_value *dict, const char *name, size_t n)
{
  const char *names[256], *key;
  json_t *value;
  size_t count = 0;
  json_object_foreach((json_t *)dict->u.dict, key, value)
  {
    if (count < sizeof names / sizeof *names) names[count++] = key;
  }
  if (count == 0)
    eas_hint(x->err, "no name is known here");
  else
    eas_ex_hint_names(x, name, n, names, count, count > 8 ? "known here are" : "known here:");
}

int eas_ex_lookup(eas_ex *x, const eas_ex_value *dict, const char *name, size_t n, size_t at, size_t len,
                  eas_ex_value *out)
{
  static const char *const what[] = { [EX_PLAIN] = "no entry named '%.*s' in this mapping",
                                      [EX_METADATA] = "no metadata named '%.*s' here",
                                      [EX_REQUESTED] = "no metadata requested from a task named '%.*s'",
                                      [EX_REQUESTED_TASK] = "the requested metadata have no '%.*s'" };
  const json_t *found = json_object_getn(dict->u.dict, name, n);
  int rc;
  if (found) {
    rc = eas_ex_load(x, found, dict->role != EX_PLAIN, 0, out);
    if (dict->role == EX_REQUESTED && rc == 0 && out->type == EX_DICT) out->role = EX_REQUESTED_TASK;
    return rc;
  }
  if (x->scope->dry && (!dict->u.dict || dict->role == EX_REQUESTED_TASK)) {
    *out = eas_ex_unknown();
    return 0;
  }
  char text[160];
  snprintf(text, sizeof text, what[dict->role], n > 60 ? 60 : (int)n, name);
  rc = eas_ex_fail(x, EAS_ENOENT, at, len, "%s", text);
  if (dict->role == EX_REQUESTED)
    eas_hint(x->err, "name the task in requires_metadata_from (requires_metadata_from_child in a do-while loop)");
  else
    hint_known(x, dict, name, n);
  return rc;
}

/* ---- indices */

static int index_sequence(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, const eas_ex_value *k,
                          eas_ex_value *out)
{
  size_t length = a->type == EX_STR ? eas_ex_utf8_length(a->u.s, a->n) : a->n;
  if (!eas_ex_is_whole(k))
    return eas_ex_fail_at(x, EAS_EINVAL, nd->b, "a position is a whole number, found %s", eas_ex_type_name(k));
  int64_t i = k->u.i < 0 ? k->u.i + (int64_t)length : k->u.i;
  if (i < 0 || i >= (int64_t)length)
    return eas_ex_fail_at(x, EAS_EINVAL, nd->b, "position %lld is outside of %s of %zu", (long long)k->u.i,
                          eas_ex_type_name(a), length);
  if (a->type != EX_STR) {
    *out = a->u.item[i];
    return 0;
  }
  size_t from = eas_ex_utf8_skip(a->u.s, a->n, (size_t)i);
  *out = (eas_ex_value){ .type = EX_STR, .u.s = a->u.s + from, .n = eas_ex_utf8_skip(a->u.s + from, a->n - from, 1) };
  return 0;
}

static int eval_index(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  eas_ex_value a, k;
  int rc = eas_ex_eval(x, nd->a, &a);
  if (rc == 0) rc = eas_ex_eval(x, nd->b, &k);
  if (rc < 0) return rc;
  if (a.type == EX_UNKNOWN || k.type == EX_UNKNOWN) {
    *out = eas_ex_unknown();
    return 0;
  }
  if (a.type == EX_STR || a.type == EX_LIST || a.type == EX_TUPLE) return index_sequence(x, nd, &a, &k, out);
  if (a.type != EX_DICT) return eas_ex_fail_at(x, EAS_EINVAL, nd->b, "%s has no parts", eas_ex_type_name(&a));
  if (k.type != EX_STR)
    return eas_ex_fail_at(x, EAS_EINVAL, nd->b, "a name is text in quotes, found %s", eas_ex_type_name(&k));
  if (nd->b->kind == ND_CONST && nd->b->plain) return eas_ex_lookup(x, &a, k.u.s, k.n, nd->b->at + 1, k.n, out);
  return eas_ex_lookup(x, &a, k.u.s, k.n, nd->b->at, nd->b->len, out);
}

/* ---- logic */

/* Of what a value not known yet decides: names are checked, but values may not fail. */
static int eval_guarded(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  int rc = eas_ex_eval(x, nd, out);
  if (rc == EAS_EINVAL) {
    x->info->column = x->info->length = 0;
    *x->err = (eas_err){ 0 };
    rc = 0;
  }
  *out = eas_ex_unknown();
  return rc;
}

static int eval_logic(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  int rc = eas_ex_eval(x, nd->a, out);
  if (rc < 0) return rc;
  if (out->type == EX_UNKNOWN) return eval_guarded(x, nd->b, out);
  if (eas_ex_truth(out) == (nd->kind == ND_AND)) return eas_ex_eval(x, nd->b, out);
  return 0;
}

static int eval_if(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  eas_ex_value condition;
  int rc = eas_ex_eval(x, nd->b, &condition);
  if (rc < 0) return rc;
  if (condition.type == EX_UNKNOWN) {
    rc = eval_guarded(x, nd->a, out);
    return rc < 0 ? rc : eval_guarded(x, nd->c, out);
  }
  return eas_ex_eval(x, eas_ex_truth(&condition) ? nd->a : nd->c, out);
}

/* ---- comparisons */

static int contains(eas_ex *x, const eas_ex_node *part, const eas_ex_value *a, const eas_ex_value *b, int *yes)
{
  *yes = 0;
  if (b->type == EX_STR && a->type == EX_STR) {
    *yes = a->n == 0 || (b->n && memmem(b->u.s, b->n, a->u.s, a->n));
    return 0;
  }
  if (b->type == EX_DICT) {
    *yes = a->type == EX_STR && json_object_getn(b->u.dict, a->u.s, a->n);
    return 0;
  }
  if (b->type != EX_LIST && b->type != EX_TUPLE)
    return eas_ex_fail_at(x, EAS_EINVAL, part, "'in' cannot look for %s in %s", eas_ex_type_name(a),
                          eas_ex_type_name(b));
  for (size_t i = 0; i < b->n && !*yes; i++) *yes = eas_ex_equal(x, a, &b->u.item[i], 0);
  return eas_ex_step(x, b->n);
}

static int compare(eas_ex *x, const eas_ex_node *part, const eas_ex_value *a, const eas_ex_value *b, int *yes)
{
  int op = part->op;
  if (op == TK_IN || op == TK_NOT_IN) {
    int rc = contains(x, part, a, b, yes);
    *yes = *yes == (op == TK_IN);
    return rc;
  }
  if (op == TK_EQ || op == TK_NE) {
    *yes = eas_ex_equal(x, a, b, 0) == (op == TK_EQ);
    return 0;
  }
  int order = eas_ex_order(a, b);
  if (order == 3)
    return eas_ex_fail_at(x, EAS_EINVAL, part, "%s and %s have no order", eas_ex_type_name(a), eas_ex_type_name(b));
  *yes = order != 2 && (op == '<' ? order < 0 : op == '>' ? order > 0 : op == TK_LE ? order <= 0 : order >= 0);
  return 0;
}

/* Whether anything in a value is unknown: a list compares as unknown if one item is. */
static int is_unknown(const eas_ex_value *v)
{
  if (v->type == EX_DICT) return !v->u.dict;
  if (v->type == EX_LIST || v->type == EX_TUPLE)
    for (size_t i = 0; i < v->n; i++)
      if (is_unknown(&v->u.item[i])) return 1;
  return v->type == EX_UNKNOWN;
}

static int eval_compare(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  eas_ex_value a, b;
  int yes = 1, unknown = 0;
  int rc = eas_ex_eval(x, nd->a, &a);
  for (const eas_ex_node *part = nd->list; part && rc == 0 && yes; part = part->next) {
    rc = unknown ? eval_guarded(x, part->a, &b) : eas_ex_eval(x, part->a, &b);
    if (rc < 0) break;
    unknown |= is_unknown(&a) || is_unknown(&b);
    if (!unknown) rc = compare(x, part, &a, &b, &yes);
    a = b;
  }
  *out = unknown ? eas_ex_unknown() : eas_ex_bool(yes);
  return rc;
}

/* ---- operators, calls, lists */

static int eval_binary(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  eas_ex_value a, b;
  int rc = eas_ex_eval(x, nd->a, &a);
  if (rc == 0) rc = eas_ex_eval(x, nd->b, &b);
  if (rc < 0) return rc;
  if (is_unknown(&a) || is_unknown(&b)) {
    *out = eas_ex_unknown();
    return 0;
  }
  return eas_ex_binary(x, nd, nd->op, &a, &b, out);
}

static int eval_unary(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  eas_ex_value a;
  int rc = eas_ex_eval(x, nd->a, &a);
  if (rc < 0) return rc;
  if (a.type == EX_UNKNOWN)
    *out = a;
  else if (nd->kind == ND_NOT)
    *out = eas_ex_bool(!eas_ex_truth(&a));
  else if (!eas_ex_is_number(&a))
    return eas_ex_fail(x, EAS_EINVAL, nd->at, 1, "'%c' does not work on %s", x->text[nd->at], eas_ex_type_name(&a));
  else if (nd->kind == ND_NEGATE)
    return eas_ex_negate(x, nd, &a, out);
  else
    *out = a.type == EX_BOOL ? eas_ex_int(a.u.i) : a;
  return 0;
}

static int eval_call(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  eas_ex_value args[MAX_ARGS];
  int n = 0, unknown = nd->kind == ND_RANDOM && x->scope->dry;
  for (const eas_ex_node *arg = nd->list; arg; arg = arg->next, n++) {
    if (n == MAX_ARGS)
      return eas_ex_fail(x, EAS_ELIMIT, arg->at, arg->len, "a function takes at most %d arguments", MAX_ARGS);
    int rc = eas_ex_eval(x, arg->a, &args[n]);
    if (rc < 0) return rc;
    unknown |= is_unknown(&args[n]);
  }
  if (unknown) {
    *out = eas_ex_unknown();
    return 0;
  }
  return nd->kind == ND_RANDOM ? eas_ex_draw(x, nd, args, n, out) : eas_ex_call(x, nd, args, n, out);
}

static int eval_list(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  size_t n = 0;
  for (const eas_ex_node *e = nd->list; e; e = e->next) n++;
  eas_ex_value *item = eas_ex_alloc(x, n * sizeof *item);
  if (!item) return EAS_ELIMIT;
  size_t i = 0;
  for (const eas_ex_node *e = nd->list; e; e = e->next) {
    int rc = eas_ex_eval(x, e->a, &item[i++]);
    if (rc < 0) return rc;
  }
  *out = (eas_ex_value){ .type = nd->kind == ND_LIST ? EX_LIST : EX_TUPLE, .n = n, .u.item = item };
  return 0;
}

int eas_ex_eval(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  int rc = eas_ex_step(x, 1);
  if (rc < 0) return rc;
  switch (nd->kind) {
  case ND_CONST: *out = nd->value; return 0;
  case ND_METADATA:
    *out = (eas_ex_value){ .type = EX_DICT, .role = EX_METADATA, .u.dict = x->scope->metadata };
    return 0;
  case ND_REQUESTED:
    *out = (eas_ex_value){ .type = EX_DICT, .role = EX_REQUESTED, .u.dict = x->scope->requested_metadata };
    return 0;
  case ND_LIST:
  case ND_TUPLE: return eval_list(x, nd, out);
  case ND_NEGATE:
  case ND_PLUS:
  case ND_NOT: return eval_unary(x, nd, out);
  case ND_AND:
  case ND_OR: return eval_logic(x, nd, out);
  case ND_BINARY: return eval_binary(x, nd, out);
  case ND_COMPARE: return eval_compare(x, nd, out);
  case ND_IF: return eval_if(x, nd, out);
  case ND_INDEX: return eval_index(x, nd, out);
  case ND_CALL:
  case ND_RANDOM: return eval_call(x, nd, out);
  case ND_FORMAT:
  default: return eas_ex_format(x, nd, out);
  }
}
