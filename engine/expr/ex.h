/* ex.h: what the files of this folder share: values, the tree of an expression, its bounds.
 *
 * Everything that one evaluation makes lives in its arena and goes with it. */
#ifndef EAS_EXPR_EX_H
#define EAS_EXPR_EX_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "expr/expr.h"

enum {
  EX_MAX_TEXT = 64 * 1024, /* bytes of an expression, and of any string it makes */
  EX_MAX_DEPTH = 64,       /* brackets and prefix operators inside each other */
  EX_MAX_HEIGHT = 1024,    /* of the tree: "a + b + c" grows by one a term */
  EX_MAX_STEPS = 100 * 1000,
  EX_MAX_ARENA = 4 * 1024 * 1024, /* bytes an evaluation may need in all */
  EX_INLINE = 3072                /* of it without the heap: enough for a formatted name */
};

typedef enum { EX_NONE, EX_BOOL, EX_INT, EX_REAL, EX_STR, EX_LIST, EX_TUPLE, EX_DICT, EX_UNKNOWN } eas_ex_type;

/* Which mapping an EX_DICT is: what a missing name means depends on it. */
typedef enum { EX_PLAIN, EX_METADATA, EX_REQUESTED, EX_REQUESTED_TASK } eas_ex_role;

typedef struct eas_ex_value {
  eas_ex_type type;
  eas_ex_role role; /* EX_DICT only */
  size_t n;         /* bytes of s, or items */
  union {
    int64_t i; /* EX_INT, EX_BOOL */
    double r;
    const char *s; /* UTF-8, not terminated */
    const struct eas_ex_value *item;
    const json_t *dict; /* borrowed; NULL: requested metadata that are not there yet */
  } u;
} eas_ex_value;

typedef struct eas_ex_chunk eas_ex_chunk;

typedef struct {
  const char *text;
  size_t size;
  eas_expr_scope *scope;
  eas_expr_info *info; /* never NULL in here */
  int own_info;        /* the caller gave none: the column goes into the message */
  eas_err *err;        /* nor this */
  int depth, steps;
  eas_ex_chunk *chunks;
  size_t arena; /* bytes handed out */
  size_t used;  /* of the chunk in use */
  size_t room;
  char *at;
  union {
    char bytes[EX_INLINE];
    double align;
  } first;
} eas_ex;

typedef enum { /* tokens: one-byte operators are themselves */
               TK_END = 256,
               TK_INT,
               TK_REAL,
               TK_STR,
               TK_NAME,
               TK_POW,
               TK_FLOORDIV,
               TK_EQ,
               TK_NE,
               TK_LE,
               TK_GE,
               TK_AND,
               TK_OR,
               TK_NOT,
               TK_IN,
               TK_NOT_IN,
               TK_IF,
               TK_ELSE
} eas_ex_token_kind;

typedef struct {
  int kind;
  size_t at, len;     /* bytes in the text */
  eas_ex_value value; /* of a literal */
  int plain;          /* string: its bytes stand in the text as they are, from at + 1 */
} eas_ex_token;

typedef enum {
  ND_CONST,
  ND_METADATA,
  ND_REQUESTED,
  ND_LIST,
  ND_TUPLE,
  ND_NEGATE,
  ND_PLUS,
  ND_NOT,
  ND_AND,
  ND_OR,
  ND_BINARY,
  ND_COMPARE,
  ND_IF,
  ND_INDEX,
  ND_CALL,
  ND_RANDOM,
  ND_FORMAT
} eas_ex_kind;

typedef struct eas_ex_node {
  eas_ex_kind kind;
  int op; /* token of ND_BINARY and of a part of ND_COMPARE; function of ND_CALL, ND_RANDOM */
  int height;
  int spread; /* an argument written **x */
  int plain;  /* a string literal without escapes */
  size_t at, len;
  size_t op_at; /* where an error of the operator is shown */
  eas_ex_value value;
  const char *keyword; /* argument name=x */
  size_t keyword_len;
  struct eas_ex_node *a, *b, *c; /* operands; ND_IF: then, condition, else */
  struct eas_ex_node *list;      /* items, arguments, parts of a comparison */
  struct eas_ex_node *next;
} eas_ex_node;

/* ---- arena.c: memory and errors of one evaluation. Allocation gives NULL when the bound is reached (error set). */
void eas_ex_init(eas_ex *x, const char *text, size_t size, eas_expr_scope *scope, eas_expr_info *info, eas_err *err);
void eas_ex_done(eas_ex *x);
void *eas_ex_alloc(eas_ex *x, size_t size);
int eas_ex_step(eas_ex *x, size_t n);
int eas_ex_fail(eas_ex *x, int code, size_t at, size_t len, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int eas_ex_fail_at(eas_ex *x, int code, const eas_ex_node *nd, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Moves the buffer's bytes into the arena as a string; frees the buffer. */
int eas_ex_string(eas_ex *x, eas_buf *b, eas_ex_value *out);
/* "known here: ..." or "use ..." of the n names for a word that is none of them. */
void eas_ex_hint_names(eas_ex *x, const char *word, size_t len, const char *const *names, size_t n, const char *lead);

/* ---- lexer.c */
int eas_ex_lex(eas_ex *x, size_t at, eas_ex_token *out);
/* Text of a whole literal such as " 1_000 " or "1e-5" as Python's int() and float() read it; 0 or -1. */
int eas_ex_read_int(const char *s, size_t n, int64_t *out);
int eas_ex_read_real(const char *s, size_t n, double *out);

/* ---- parser.c */
int eas_ex_parse(eas_ex *x, eas_ex_node **out);

/* ---- eval.c */
int eas_ex_eval(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out);
/* Looks a name up in a mapping; a missing one is an error shown at [at, at + len). */
int eas_ex_lookup(eas_ex *x, const eas_ex_value *dict, const char *name, size_t n, size_t at, size_t len,
                  eas_ex_value *out);

/* ---- value.c */
int eas_ex_load(eas_ex *x, const json_t *v, int from_metadata, int depth, eas_ex_value *out);
int eas_ex_to_json(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *v, json_t **out); /* sets info->unknown */
int eas_ex_truth(const eas_ex_value *v);
int eas_ex_is_number(const eas_ex_value *v); /* int, bool or real */
int eas_ex_is_whole(const eas_ex_value *v);  /* int or bool */
double eas_ex_real(const eas_ex_value *v);   /* of a number */
const char *eas_ex_type_name(const eas_ex_value *v);
int eas_ex_equal(eas_ex *x, const eas_ex_value *a, const eas_ex_value *b, int depth);
/* -1, 0, 1; 2 when unordered (NaN), 3 when the types have no order. */
int eas_ex_order(const eas_ex_value *a, const eas_ex_value *b);
size_t eas_ex_utf8_length(const char *s, size_t n);
size_t eas_ex_utf8_skip(const char *s, size_t n, size_t count); /* bytes of the first count characters */
eas_ex_value eas_ex_int(int64_t i);
eas_ex_value eas_ex_float(double r);
eas_ex_value eas_ex_bool(int b);
eas_ex_value eas_ex_unknown(void);

/* ---- arith.c */
int eas_ex_binary(eas_ex *x, const eas_ex_node *nd, int op, const eas_ex_value *a, const eas_ex_value *b,
                  eas_ex_value *out);
int eas_ex_power(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, const eas_ex_value *b, eas_ex_value *out);
int eas_ex_negate(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, eas_ex_value *out);

/* ---- functions.c, random.c: numbers of names for ND_CALL and ND_RANDOM; -1: no such name */
int eas_ex_function(const char *name, size_t n);
int eas_ex_call(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *args, int n, eas_ex_value *out);
int eas_ex_constant(const char *name, size_t n, eas_ex_value *out);
void eas_ex_put_names(eas_buf *b); /* all that an expression may start with */
const char *const *eas_ex_constant_names(size_t *n);
int eas_ex_random(const char *name, size_t n);
int eas_ex_draw(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *args, int n, eas_ex_value *out);
const char *const *eas_ex_random_names(size_t *n);

/* ---- text.c: values as Python's str() writes them */
void eas_ex_put_real(eas_buf *b, double r);
int eas_ex_put(eas_ex *x, const eas_ex_value *v, eas_buf *b, int quoted, int depth);
void eas_ex_put_json(const json_t *v, int prototype, eas_buf *b, int quoted, int depth);

/* ---- spec.c: the part after ':' in a field */
typedef struct {
  char fill[4]; /* one character, UTF-8 */
  size_t fill_len;
  char align;    /* < > ^ = or 0 */
  char sign;     /* + - blank or 0 */
  int alternate; /* # */
  char group;    /* , _ or 0 */
  int width;     /* 0: none */
  int precision; /* -1: none */
  char type;     /* 0: none */
} eas_ex_spec;
/* Why a spec is refused comes back as text (static), NULL when fine. */
const char *eas_ex_spec_parse(const char *s, size_t n, eas_ex_spec *out);
const char *eas_ex_spec_put(eas_ex *x, const eas_ex_value *v, const eas_ex_spec *spec, eas_buf *b);
/* Pads and signs: digits is the number without its sign. */
void eas_ex_spec_number(const eas_ex_spec *spec, int negative, const char *prefix, const char *digits, eas_buf *b);
void eas_ex_spec_text(const eas_ex_spec *spec, const char *s, size_t n, eas_buf *b);
char *eas_ex_digits(uint64_t value, unsigned base, int upper, char out[68]);

/* ---- format.c, percent.c */
int eas_ex_format(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out);
int eas_ex_percent(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, const eas_ex_value *b, eas_ex_value *out);

#endif
