/* expr.h: expressions in job files: a bounded subset of Python's expression syntax.
 *
 * A string is an expression if its first non-blank byte is ' " or (. No eval, no I/O, bounded
 * depth (64), steps and size (64 KB). Values are JSON (whole numbers stay integers). Errors
 * name the column (1-based) in the text: in info, or, without one, in the message.
 * Codes: EAS_EFORMAT syntax, EAS_ENOENT an unknown name, EAS_EINVAL values that do not go
 * together, EAS_ELIMIT a bound. Includes: base/ only. */
#ifndef EAS_EXPR_EXPR_H
#define EAS_EXPR_EXPR_H
#ifndef EAS_CDEF
#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#endif

typedef struct {
  const json_t *metadata;           /* object; dry: a null in it is a value not known yet */
  const json_t *requested_metadata; /* object of objects, or NULL: not there yet; dry, not NULL: its names are
                                       checked, a value that is not in them is not known yet */
  uint64_t seed;                    /* of random.*; the state is private to one evaluation scope */
  uint64_t draws;                   /* how many random numbers were drawn; advanced by eval */
  int prototype_names;              /* numbers of the metadata are real, as in the prototype: 1 -> "1.0" */
  int dry; /* check only: an unknown requested_metadata or random value gives the `unknown` value, no error */
  const json_t *names; /* object or NULL: filters (--where) name its fields bare, beside true, false and null */
} eas_expr_scope;

typedef struct {
  int column;     /* 1-based byte in the text, 0: none */
  int length;     /* bytes the caret underlines, >= 1 */
  int unknown;    /* dry: the value depends on results or chance; it is null */
  int has_random; /* the expression draws random numbers */
  int in_key;     /* eas_expr_tree: a key failed, not its value */
} eas_expr_info;

int eas_expr_is(const char *text); /* 1 if text is an expression, else a literal */

/* Evaluates an expression. *out is the caller's reference. info may be NULL. */
int eas_expr_eval(const char *text, eas_expr_scope *scope, json_t **out, eas_expr_info *info, eas_err *err);
/* A job-file value: strings that are expressions are evaluated, other values pass (shared, not copied). */
int eas_expr_value(const json_t *v, eas_expr_scope *scope, json_t **out, eas_expr_info *info, eas_err *err);
/* A whole object or array in document order, keys too, but for the values of the keys in raw
 * (NULL-terminated; they are kept as they are, and shared). where gets the path of a failure (append to "$"). */
int eas_expr_tree(const json_t *v, const char *const *raw, eas_expr_scope *scope, json_t **out, char *where,
                  size_t where_size, eas_expr_info *info, eas_err *err);
int eas_expr_truth(const json_t *v); /* Python's truth value */
/* Text of a value as "{name}".format gives it. Caller frees. */
char *eas_expr_text(const json_t *v, int prototype_names);

#endif
