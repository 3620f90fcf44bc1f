/* atom.c: literals, names, brackets, calls, indices and .format(). */
#include <string.h>
#include "expr/parse.h"

static int is_word(const eas_parse *p, const char *word)
{
  return p->tok.kind == TK_NAME && p->tok.len == strlen(word) && memcmp(p->x->text + p->tok.at, word, p->tok.len) == 0;
}

static int constant(eas_parse *p, eas_ex_value v, size_t at, eas_ex_node **out)
{
  eas_ex_node *nd = eas_parse_node(p, ND_CONST, at);
  if (!nd) return EAS_ELIMIT;
  nd->value = v;
  nd->plain = p->tok.plain;
  *out = nd;
  return eas_parse_next(p);
}

/* Adjacent literals are one, as in Python: 'a' 'b'. */
static int parse_strings(eas_parse *p, eas_ex_node **out)
{
  int rc = constant(p, p->tok.value, p->tok.at, out);
  while (rc == 0 && p->tok.kind == TK_STR) {
    eas_ex_value *v = &(*out)->value;
    char *both = eas_ex_alloc(p->x, v->n + p->tok.value.n + 1);
    if (!both) return EAS_ELIMIT;
    memcpy(both, v->u.s, v->n);
    memcpy(both + v->n, p->tok.value.u.s, p->tok.value.n);
    v->u.s = both;
    v->n += p->tok.value.n;
    (*out)->plain = 0;
    rc = eas_parse_next(p);
    if (rc == 0) rc = eas_parse_over(p, *out, NULL);
  }
  return rc;
}

/* ---- arguments and items */

static int is_keyword(eas_parse *p, int *rc)
{
  eas_ex_token after;
  *rc = 0;
  if (p->tok.kind != TK_NAME) return 0;
  *rc = eas_ex_lex(p->x, p->tok.at + p->tok.len, &after);
  return *rc == 0 && after.kind == '=';
}

/* One argument: expression, name=expression or **expression (the last two if `named`). */
static int parse_argument(eas_parse *p, int named, eas_ex_node **out)
{
  int rc, spread = 0;
  size_t at = p->tok.at, word = 0;
  int keyword = is_keyword(p, &rc);
  if (rc < 0) return rc;
  if (p->tok.kind == TK_POW) spread = 1;
  if ((keyword || spread) && !named)
    return eas_ex_fail(p->x, EAS_EFORMAT, at, p->tok.len, "this function takes its arguments by position only");
  if (p->tok.kind == '*')
    return eas_ex_fail(p->x, EAS_EFORMAT, at, 1, "*arguments are not part of the expression language");
  if (spread || keyword) {
    word = p->tok.len;
    rc = eas_parse_next(p);
    if (rc == 0 && keyword) rc = eas_parse_next(p);
  }
  eas_ex_node *a;
  if (rc == 0) rc = eas_parse_expression(p, &a);
  if (rc < 0) return rc;
  eas_ex_node *nd = eas_parse_node(p, ND_LIST, at); /* a node of its own, for `next` */
  if (!nd) return EAS_ELIMIT;
  nd->a = a;
  nd->spread = spread;
  nd->keyword = keyword ? p->x->text + at : NULL;
  nd->keyword_len = keyword ? word : 0;
  *out = nd;
  return eas_parse_over(p, nd, a);
}

/* Items up to the closing bracket, after the opening one was used. Sets *comma if one was seen. */
static int parse_items(eas_parse *p, eas_ex_node *over, char close, size_t open, int named, int *comma)
{
  eas_ex_node **tail = &over->list;
  int rc = 0;
  *comma = 0;
  while (rc == 0 && p->tok.kind != close) {
    rc = parse_argument(p, named, tail);
    if (rc < 0) return rc;
    rc = eas_parse_over(p, over, *tail);
    tail = &(*tail)->next;
    if (rc < 0 || p->tok.kind != ',') break;
    *comma = 1;
    rc = eas_parse_next(p);
  }
  if (rc == 0) rc = eas_parse_close(p, close, open);
  return rc == 0 ? eas_parse_over(p, over, NULL) : rc;
}

static int parse_bracket(eas_parse *p, eas_ex_node **out)
{
  size_t open = p->tok.at;
  int comma, tuple = p->tok.kind == '(';
  eas_ex_node *nd = eas_parse_node(p, tuple ? ND_TUPLE : ND_LIST, open);
  if (!nd) return EAS_ELIMIT;
  int rc = eas_parse_next(p);
  if (rc == 0) rc = parse_items(p, nd, tuple ? ')' : ']', open, 0, &comma);
  *out = nd;
  if (rc == 0 && tuple && nd->list && !comma) *out = nd->list->a; /* brackets only */
  return rc;
}

/* ---- names */

static int unknown(eas_parse *p, size_t at, size_t len, const char *what, const char *const *names, size_t n,
                   const char *lead)
{
  const char *word = p->x->text + at;
  eas_ex_fail(p->x, EAS_ENOENT, at, len, "%s '%.*s'", what, len > 60 ? 60 : (int)len, word);
  eas_ex_hint_names(p->x, word, len, names, n, lead);
  return EAS_ENOENT;
}

/* The name after "constants." or "random."; on return it is the current token. */
static int parse_member(eas_parse *p, const char *of)
{
  char expected[48];
  int rc = eas_parse_next(p);
  snprintf(expected, sizeof expected, "'.' and a name after '%s'", of);
  if (rc == 0 && p->tok.kind != '.') return eas_parse_unexpected(p, expected);
  if (rc == 0) rc = eas_parse_next(p);
  if (rc == 0 && p->tok.kind != TK_NAME) rc = eas_parse_unexpected(p, "a name after '.'");
  return rc;
}

static int parse_constants(eas_parse *p, eas_ex_node **out)
{
  size_t at = p->tok.at, n;
  int rc = parse_member(p, "constants");
  if (rc < 0) return rc;
  eas_ex_value v;
  if (eas_ex_constant(p->x->text + p->tok.at, p->tok.len, &v) < 0) {
    const char *const *names = eas_ex_constant_names(&n);
    return unknown(p, p->tok.at, p->tok.len, "no constant", names, n, "the constants are");
  }
  rc = constant(p, v, at, out);
  return rc == 0 ? eas_parse_over(p, *out, NULL) : rc;
}

/* A call of function number op; the current token is its name, `at` where the call starts. */
static int parse_call(eas_parse *p, eas_ex_kind kind, int op, size_t at, eas_ex_node **out)
{
  int comma;
  eas_ex_node *nd = eas_parse_node(p, kind, at);
  if (!nd) return EAS_ELIMIT;
  nd->op = op;
  int rc = eas_parse_next(p);
  if (rc == 0 && p->tok.kind != '(') rc = eas_parse_unexpected(p, "'(' after a function's name");
  size_t open = p->tok.at;
  if (rc == 0) rc = eas_parse_next(p);
  if (rc == 0) rc = parse_items(p, nd, ')', open, kind == ND_FORMAT, &comma);
  *out = nd;
  return rc;
}

static int parse_random(eas_parse *p, eas_ex_node **out)
{
  size_t at = p->tok.at, n;
  int rc = parse_member(p, "random");
  if (rc < 0) return rc;
  int op = eas_ex_random(p->x->text + p->tok.at, p->tok.len);
  if (op < 0) {
    const char *const *names = eas_ex_random_names(&n);
    return unknown(p, p->tok.at, p->tok.len, "random has no", names, n, "it has");
  }
  p->x->info->has_random = 1;
  return parse_call(p, ND_RANDOM, op, at, out);
}

static int unknown_name(eas_parse *p)
{
  const char *word = p->x->text + p->tok.at;
  int shown = p->tok.len > 60 ? 60 : (int)p->tok.len;
  eas_ex_fail(p->x, EAS_ENOENT, p->tok.at, p->tok.len, "no name '%.*s'", shown, word);
  if (json_object_getn(p->x->scope->metadata, word, p->tok.len))
    return eas_hint(p->x->err, "write metadata['%.*s']", shown, word);
  eas_buf known;
  eas_buf_init(&known);
  eas_ex_put_names(&known);
  eas_hint(p->x->err, "expressions know %s", known.data);
  eas_buf_done(&known);
  return EAS_ENOENT;
}

/* A bare name of a filter's row. 1: it is one, and out is set. */
static int parse_field(eas_parse *p, eas_ex_node **out)
{
  const json_t *names = p->x->scope->names;
  size_t at = p->tok.at;
  if (!names) return 0;
  if (is_word(p, "true") || is_word(p, "false"))
    return constant(p, eas_ex_bool(is_word(p, "true")), at, out) < 0 ? EAS_ELIMIT : 1;
  const json_t *v = json_object_getn(names, p->x->text + at, p->tok.len);
  eas_ex_value value = { .type = EX_NONE };
  if (!v && !is_word(p, "null")) return 0;
  int rc = v ? eas_ex_load(p->x, v, 0, 0, &value) : 0;
  if (rc == 0) rc = constant(p, value, at, out);
  return rc < 0 ? rc : 1;
}

static int parse_name(eas_parse *p, eas_ex_node **out)
{
  const eas_ex_value none = { .type = EX_NONE };
  size_t at = p->tok.at;
  int field = parse_field(p, out);
  if (field != 0) return field < 0 ? field : 0;
  if (is_word(p, "constants")) return parse_constants(p, out);
  if (is_word(p, "random")) return parse_random(p, out);
  if (is_word(p, "True") || is_word(p, "False")) return constant(p, eas_ex_bool(is_word(p, "True")), at, out);
  if (is_word(p, "None")) return constant(p, none, at, out);
  if (is_word(p, "pi")) return constant(p, eas_ex_float(3.14159265358979323846), at, out);
  if (is_word(p, "metadata") || is_word(p, "requested_metadata")) {
    *out = eas_parse_node(p, is_word(p, "metadata") ? ND_METADATA : ND_REQUESTED, at);
    return *out ? eas_parse_next(p) : EAS_ELIMIT;
  }
  int op = eas_ex_function(p->x->text + at, p->tok.len);
  return op < 0 ? unknown_name(p) : parse_call(p, ND_CALL, op, at, out);
}

static int parse_atom(eas_parse *p, eas_ex_node **out)
{
  switch (p->tok.kind) {
  case TK_INT:
  case TK_REAL: return constant(p, p->tok.value, p->tok.at, out);
  case TK_STR: return parse_strings(p, out);
  case TK_NAME: return parse_name(p, out);
  case '(':
  case '[': return parse_bracket(p, out);
  default: return eas_parse_unexpected(p, "a value");
  }
}

/* ---- what follows a value */

static int parse_index(eas_parse *p, eas_ex_node **out)
{
  size_t open = p->tok.at;
  eas_ex_node *nd = eas_parse_node(p, ND_INDEX, (*out)->at);
  if (!nd) return EAS_ELIMIT;
  nd->a = *out;
  int rc = eas_parse_next(p);
  if (rc == 0) rc = eas_parse_expression(p, &nd->b);
  if (rc == 0) rc = eas_parse_close(p, ']', open);
  if (rc == 0) rc = eas_parse_over(p, nd, nd->a);
  if (rc == 0) rc = eas_parse_over(p, nd, nd->b);
  *out = nd;
  return rc;
}

static int parse_method(eas_parse *p, eas_ex_node **out)
{
  eas_ex_node *nd, *a = *out;
  int rc = eas_parse_next(p);
  if (rc < 0) return rc;
  if (!is_word(p, "format")) {
    eas_ex_fail(p->x, EAS_EFORMAT, p->tok.at, p->tok.len, "expected format after '.', found '%.*s'",
                p->tok.len > 40 ? 40 : (int)p->tok.len, p->x->text + p->tok.at);
    if (a->kind == ND_METADATA && p->tok.kind == TK_NAME)
      return eas_hint(p->x->err, "write metadata['%.*s']", (int)p->tok.len, p->x->text + p->tok.at);
    return eas_hint(p->x->err, "the only method is '...'.format()");
  }
  rc = parse_call(p, ND_FORMAT, 0, a->at, &nd);
  if (rc < 0) return rc;
  nd->a = a;
  *out = nd;
  return eas_parse_over(p, nd, a);
}

int eas_parse_postfix(eas_parse *p, eas_ex_node **out)
{
  int rc = parse_atom(p, out);
  while (rc == 0) {
    if (p->tok.kind == '[')
      rc = parse_index(p, out);
    else if (p->tok.kind == '.')
      rc = parse_method(p, out);
    else if (p->tok.kind == '(')
      return eas_ex_fail(p->x, EAS_EFORMAT, p->tok.at, 1, "only a function can be called");
    else
      break;
  }
  return rc;
}
