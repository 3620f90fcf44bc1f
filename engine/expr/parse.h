/* parse.h: the parser's two halves: parser.c the operators, atom.c what they stand between. */
#ifndef EAS_EXPR_PARSE_H
#define EAS_EXPR_PARSE_H
#include <stdio.h>
#include "expr/ex.h"

typedef struct {
  eas_ex *x;
  eas_ex_token tok; /* not used yet */
  size_t end;       /* of the last token used */
} eas_parse;

int eas_parse_next(eas_parse *p);
int eas_parse_enter(eas_parse *p); /* one level deeper; the caller lowers x->depth again */
int eas_parse_close(eas_parse *p, char bracket, size_t open);
int eas_parse_unexpected(eas_parse *p, const char *expected);
eas_ex_node *eas_parse_node(eas_parse *p, eas_ex_kind kind, size_t at); /* NULL: bound reached, error set */
int eas_parse_over(eas_parse *p, eas_ex_node *nd,
                   const eas_ex_node *child); /* nd stands over child; ends at the last token */
int eas_parse_expression(eas_parse *p, eas_ex_node **out);
int eas_parse_postfix(eas_parse *p, eas_ex_node **out);

#endif
