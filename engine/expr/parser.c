/* parser.c: the tree of an expression, by recursive descent over Python's grammar.
 *
 * Names are resolved here, so that a wrong one is found in a branch that is not taken, too. */
#include <string.h>
#include "expr/ex.h"
#include "expr/parse.h"

static int parse_or(eas_parse *p, eas_ex_node **out);
static int parse_arith(eas_parse *p, eas_ex_node **out);
static int parse_factor(eas_parse *p, eas_ex_node **out);

int eas_parse_next(eas_parse *p)
{
  p->end = p->tok.at + p->tok.len;
  return eas_ex_lex(p->x, p->end, &p->tok);
}

int eas_parse_unexpected(eas_parse *p, const char *expected)
{
  const eas_ex_token *t = &p->tok;
  if (t->kind == TK_END) return eas_ex_fail(p->x, EAS_EFORMAT, t->at, 1, "expected %s, found the end", expected);
  return eas_ex_fail(p->x, EAS_EFORMAT, t->at, t->len, "expected %s, found '%.*s'", expected,
                     t->len > 40 ? 40 : (int)t->len, p->x->text + t->at);
}

/* The closing bracket of the one at `open`. */
int eas_parse_close(eas_parse *p, char bracket, size_t open)
{
  char expected[64];
  if (p->tok.kind == bracket) return eas_parse_next(p);
  snprintf(expected, sizeof expected, "'%c' for the '%c' of column %zu", bracket, p->x->text[open], open + 1);
  return eas_parse_unexpected(p, expected);
}

eas_ex_node *eas_parse_node(eas_parse *p, eas_ex_kind kind, size_t at)
{
  eas_ex_node *nd = eas_ex_alloc(p->x, sizeof *nd);
  if (!nd) return NULL;
  memset(nd, 0, sizeof *nd);
  nd->kind = kind;
  nd->at = at;
  nd->len = p->tok.at + p->tok.len - at;
  nd->height = 1;
  return nd;
}

int eas_parse_over(eas_parse *p, eas_ex_node *nd, const eas_ex_node *child)
{
  nd->len = p->end - nd->at;
  if (child && child->height >= nd->height) nd->height = child->height + 1;
  if (nd->height > EX_MAX_HEIGHT)
    return eas_ex_fail(p->x, EAS_ELIMIT, nd->at, 1, "it has more than %d terms in a row", EX_MAX_HEIGHT);
  return 0;
}

int eas_parse_enter(eas_parse *p)
{
  if (p->x->depth >= EX_MAX_DEPTH)
    return eas_ex_fail(p->x, EAS_ELIMIT, p->tok.at, p->tok.len, "it is nested deeper than %d", EX_MAX_DEPTH);
  p->x->depth++;
  return 0;
}

static int join(eas_parse *p, eas_ex_kind kind, int op, size_t op_at, eas_ex_node *a, eas_ex_node *b, eas_ex_node **out)
{
  eas_ex_node *nd = eas_parse_node(p, kind, a->at);
  if (!nd) return EAS_ELIMIT;
  nd->op = op;
  nd->op_at = op_at;
  nd->a = a;
  nd->b = b;
  int rc = eas_parse_over(p, nd, a);
  if (rc == 0) rc = eas_parse_over(p, nd, b);
  *out = nd;
  return rc;
}

static int prefix(eas_parse *p, eas_ex_kind kind, int (*operand)(eas_parse *, eas_ex_node **), eas_ex_node **out)
{
  size_t at = p->tok.at;
  eas_ex_node *a;
  int rc = eas_parse_enter(p);
  if (rc == 0) rc = eas_parse_next(p);
  if (rc == 0) rc = operand(p, &a);
  if (rc < 0) return rc;
  p->x->depth--;
  eas_ex_node *nd = eas_parse_node(p, kind, at);
  if (!nd) return EAS_ELIMIT;
  nd->a = a;
  *out = nd;
  return eas_parse_over(p, nd, a);
}

/* power: postfix ['**' factor]; the right side binds as in Python: 2 ** -1, 2 ** 3 ** 2 */
static int parse_power(eas_parse *p, eas_ex_node **out)
{
  eas_ex_node *a, *b;
  int rc = eas_parse_postfix(p, &a);
  if (rc < 0 || p->tok.kind != TK_POW) {
    *out = a;
    return rc;
  }
  size_t op_at = p->tok.at;
  rc = eas_parse_enter(p);
  if (rc == 0) rc = eas_parse_next(p);
  if (rc == 0) rc = parse_factor(p, &b);
  if (rc < 0) return rc;
  p->x->depth--;
  return join(p, ND_BINARY, TK_POW, op_at, a, b, out);
}

static int parse_factor(eas_parse *p, eas_ex_node **out)
{
  if (p->tok.kind == '-') return prefix(p, ND_NEGATE, parse_factor, out);
  if (p->tok.kind == '+') return prefix(p, ND_PLUS, parse_factor, out);
  return parse_power(p, out);
}

static int parse_term(eas_parse *p, eas_ex_node **out)
{
  eas_ex_node *b;
  int rc = parse_factor(p, out);
  while (rc == 0 && (p->tok.kind == '*' || p->tok.kind == '/' || p->tok.kind == '%' || p->tok.kind == TK_FLOORDIV)) {
    int op = p->tok.kind;
    size_t op_at = p->tok.at;
    rc = eas_parse_next(p);
    if (rc == 0) rc = parse_factor(p, &b);
    if (rc == 0) rc = join(p, ND_BINARY, op, op_at, *out, b, out);
  }
  return rc;
}

static int parse_arith(eas_parse *p, eas_ex_node **out)
{
  eas_ex_node *b;
  int rc = parse_term(p, out);
  while (rc == 0 && (p->tok.kind == '+' || p->tok.kind == '-')) {
    int op = p->tok.kind;
    size_t op_at = p->tok.at;
    rc = eas_parse_next(p);
    if (rc == 0) rc = parse_term(p, &b);
    if (rc == 0) rc = join(p, ND_BINARY, op, op_at, *out, b, out);
  }
  return rc;
}

/* The comparison operator here, "not in" as one; 0: none. */
static int comparison(eas_parse *p, size_t *at, int *rc)
{
  int kind = p->tok.kind;
  *at = p->tok.at;
  if (kind == TK_NOT) {
    *rc = eas_parse_next(p);
    if (*rc == 0 && p->tok.kind != TK_IN) *rc = eas_parse_unexpected(p, "'in' after 'not'");
    kind = TK_NOT_IN;
  }
  return kind == '<' || kind == '>' || (kind >= TK_EQ && kind <= TK_GE) || kind == TK_IN || kind == TK_NOT_IN ? kind
                                                                                                              : 0;
}

/* a < b <= c: a, and a list of parts that each hold their operator */
static int parse_comparison(eas_parse *p, eas_ex_node **out)
{
  size_t at;
  int op, rc = parse_arith(p, out);
  eas_ex_node *chain = NULL, **tail = NULL;
  while (rc == 0 && (op = comparison(p, &at, &rc)) != 0) {
    eas_ex_node *part = NULL;
    if (rc == 0) rc = eas_parse_next(p);
    if (rc == 0) rc = parse_arith(p, &part);
    if (rc < 0) return rc;
    if (!chain) {
      chain = eas_parse_node(p, ND_COMPARE, (*out)->at);
      if (!chain) return EAS_ELIMIT;
      chain->a = *out;
      tail = &chain->list;
      rc = eas_parse_over(p, chain, *out);
      *out = chain;
    }
    eas_ex_node *link = eas_parse_node(p, ND_COMPARE, part->at); /* a node of its own: part may be shared with none */
    if (!link) return EAS_ELIMIT;
    link->op = op;
    link->op_at = at;
    link->a = part;
    *tail = link;
    tail = &link->next;
    if (rc == 0) rc = eas_parse_over(p, chain, part);
  }
  return rc;
}

static int parse_not(eas_parse *p, eas_ex_node **out)
{
  return p->tok.kind == TK_NOT ? prefix(p, ND_NOT, parse_not, out) : parse_comparison(p, out);
}

static int parse_and(eas_parse *p, eas_ex_node **out)
{
  eas_ex_node *b;
  int rc = parse_not(p, out);
  while (rc == 0 && p->tok.kind == TK_AND) {
    rc = eas_parse_next(p);
    if (rc == 0) rc = parse_not(p, &b);
    if (rc == 0) rc = join(p, ND_AND, TK_AND, 0, *out, b, out);
  }
  return rc;
}

static int parse_or(eas_parse *p, eas_ex_node **out)
{
  eas_ex_node *b;
  int rc = parse_and(p, out);
  while (rc == 0 && p->tok.kind == TK_OR) {
    rc = eas_parse_next(p);
    if (rc == 0) rc = parse_and(p, &b);
    if (rc == 0) rc = join(p, ND_OR, TK_OR, 0, *out, b, out);
  }
  return rc;
}

/* or ['if' or 'else' expression] */
static int parse_if(eas_parse *p, eas_ex_node **out)
{
  eas_ex_node *condition, *otherwise;
  int rc = parse_or(p, out);
  if (rc < 0 || p->tok.kind != TK_IF) return rc;
  rc = eas_parse_next(p);
  if (rc == 0) rc = parse_or(p, &condition);
  if (rc == 0 && p->tok.kind != TK_ELSE) rc = eas_parse_unexpected(p, "'else'");
  if (rc == 0) rc = eas_parse_next(p);
  if (rc == 0) rc = eas_parse_expression(p, &otherwise);
  if (rc == 0) rc = join(p, ND_IF, TK_IF, 0, *out, condition, out);
  if (rc == 0) {
    (*out)->c = otherwise;
    rc = eas_parse_over(p, *out, otherwise);
  }
  return rc;
}

int eas_parse_expression(eas_parse *p, eas_ex_node **out)
{
  int rc = eas_parse_enter(p);
  if (rc == 0) rc = parse_if(p, out);
  p->x->depth -= rc == 0;
  return rc;
}

int eas_ex_parse(eas_ex *x, eas_ex_node **out)
{
  eas_parse p = { .x = x };
  int rc = eas_ex_lex(x, 0, &p.tok);
  if (rc == 0) rc = eas_parse_expression(&p, out);
  if (rc == 0 && p.tok.kind != TK_END) rc = eas_parse_unexpected(&p, "an operator or the end");
  return rc;
}
