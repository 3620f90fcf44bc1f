/* format.c: '...{name}...{0:.3f}...'.format(value, name=value, **mapping). */
#include <string.h>
#include "expr/ex.h"

enum { MAX_SOURCES = 64 };

typedef struct {
  eas_ex *x;
  const eas_ex_node *nd; /* the call */
  eas_ex_value text;     /* the template */
  size_t from;           /* where it stands in the expression, when plain */
  int plain;
  eas_ex_value source[MAX_SOURCES]; /* evaluated arguments, in order */
  int n_source;
  int counted;  /* fields {} so far */
  int numbered; /* a field {0} was seen */
  int unknown;
  eas_buf out;
} call;

/* An error of n bytes at place i of the template. */
static int fail_at(call *c, int code, size_t i, size_t n, const char *why)
{
  size_t at = c->plain ? c->from + i : c->nd->a->at;
  return eas_ex_fail(c->x, code, at, c->plain ? n : c->nd->a->len, "%s", why);
}

static int eval_sources(call *c)
{
  for (const eas_ex_node *arg = c->nd->list; arg; arg = arg->next) {
    if (c->n_source == MAX_SOURCES)
      return eas_ex_fail(c->x, EAS_ELIMIT, arg->at, arg->len, "format takes at most %d arguments", MAX_SOURCES);
    eas_ex_value *v = &c->source[c->n_source++];
    int rc = eas_ex_eval(c->x, arg->a, v);
    if (rc < 0) return rc;
    if (arg->spread && v->type != EX_DICT && v->type != EX_UNKNOWN)
      return eas_ex_fail(c->x, EAS_EINVAL, arg->at, arg->len, "** takes a mapping, found %s", eas_ex_type_name(v));
  }
  return 0;
}

static int positional(call *c, size_t k, size_t at, size_t len, eas_ex_value *out)
{
  int i = 0;
  for (const eas_ex_node *arg = c->nd->list; arg; arg = arg->next, i++)
    if (!arg->spread && !arg->keyword && k-- == 0) {
      *out = c->source[i];
      return 0;
    }
  return fail_at(c, EAS_EINVAL, at, len, "there are fewer values after 'format(' than this field needs");
}

static int is_keyword(const eas_ex_node *arg, const char *name, size_t n)
{
  return arg->keyword && arg->keyword_len == n && memcmp(arg->keyword, name, n) == 0;
}

static int named(call *c, const char *name, size_t n, size_t at, eas_ex_value *out)
{
  const eas_ex_value *mapping = NULL, *maybe = NULL;
  int found = 0, i = 0;
  for (const eas_ex_node *arg = c->nd->list; arg; arg = arg->next, i++) {
    const eas_ex_value *v = &c->source[i];
    if (is_keyword(arg, name, n)) {
      *out = *v;
      found++;
    } else if (arg->spread && v->type == EX_UNKNOWN) {
      maybe = v;
    } else if (arg->spread) {
      int here = json_object_getn(v->u.dict, name, n) != NULL;
      mapping = here || !mapping ? v : mapping;
      if (here && eas_ex_lookup(c->x, v, name, n, 0, 0, out) < 0) return EAS_ELIMIT;
      found += here;
    }
  }
  if (found > 1) return fail_at(c, EAS_EINVAL, at, n, "this name is given twice after 'format('");
  if (found == 1) return 0;
  if (maybe) {
    *out = eas_ex_unknown();
    return 0;
  }
  if (mapping)
    return eas_ex_lookup(c->x, mapping, name, n, c->plain ? c->from + at : c->nd->a->at, c->plain ? n : c->nd->a->len,
                         out);
  fail_at(c, EAS_ENOENT, at, n ? n : 1, "no value of this name is given after 'format('");
  return eas_hint(c->x->err, "write .format(**metadata)");
}

/* The value of a field's name: nothing, a number, or a name. */
static int field_value(call *c, size_t at, size_t n, eas_ex_value *out)
{
  const char *name = c->text.u.s + at;
  size_t digits = 0, k = 0;
  while (digits < n && name[digits] >= '0' && name[digits] <= '9') {
    k = k > 1000 ? k : k * 10 + (size_t)(name[digits] - '0');
    digits++;
  }
  if (digits < n) {
    if (memchr(name, '.', n) || memchr(name, '[', n))
      return fail_at(c, EAS_EFORMAT, at, n, "a field holds a name or a number, no '.' or '['");
    return named(c, name, n, at, out);
  }
  c->numbered |= n > 0;
  if (n == 0) k = (size_t)c->counted++;
  if (c->numbered && c->counted)
    return fail_at(c, EAS_EFORMAT, at ? at - 1 : 0, n + 2, "{} and {0} do not go together");
  return positional(c, k, at ? at - 1 : 0, n + 2, out);
}

static int put_field(call *c, size_t at, size_t n, size_t spec_at, size_t spec_n)
{
  eas_ex_value v;
  eas_ex_spec spec;
  int rc = field_value(c, at, n, &v);
  if (rc < 0) return rc;
  const char *why = spec_n ? eas_ex_spec_parse(c->text.u.s + spec_at, spec_n, &spec) : NULL;
  if (!why && v.type == EX_UNKNOWN) {
    c->unknown = 1;
    return 0;
  }
  if (!why && !spec_n) return eas_ex_put(c->x, &v, &c->out, 0, 0);
  if (!why) why = eas_ex_spec_put(c->x, &v, &spec, &c->out);
  return why ? fail_at(c, EAS_EFORMAT, spec_at, spec_n, why) : 0;
}

/* One field; i stands after its '{'. Returns where it ends, in *i. */
static int read_field(call *c, size_t *i)
{
  const char *s = c->text.u.s;
  size_t n = c->text.n, at = *i, end = at;
  while (end < n && s[end] != '}' && s[end] != ':' && s[end] != '!' && s[end] != '{') end++;
  size_t spec = end;
  if (end < n && s[end] == '!')
    return fail_at(c, EAS_EFORMAT, end, 2, "'!' in a field is not part of the expression language");
  if (end < n && s[end] == ':')
    for (spec = end + 1; spec < n && s[spec] != '}' && s[spec] != '{';) spec++;
  if (spec < n && s[spec] == '{') {
    fail_at(c, EAS_EFORMAT, spec, 1, "a '{' inside of a field");
    return eas_hint(c->x->err, "write {{ for a brace that is meant as text");
  }
  if (spec >= n) return fail_at(c, EAS_EFORMAT, at - 1, 1, "no '}' closes this field");
  *i = spec + 1;
  size_t spec_at = s[end] == ':' ? end + 1 : end;
  return put_field(c, at, end - at, spec_at, spec - spec_at);
}

static int put_template(call *c)
{
  const char *s = c->text.u.s;
  size_t n = c->text.n;
  int rc = 0;
  for (size_t i = 0; i < n && rc == 0;) {
    size_t start = i;
    while (i < n && s[i] != '{' && s[i] != '}') i++;
    eas_buf_add(&c->out, s + start, i - start);
    if (i == n) break;
    if (i + 1 < n && s[i + 1] == s[i]) {
      eas_buf_char(&c->out, s[i]);
      i += 2;
    } else if (s[i] == '{') {
      i++;
      rc = read_field(c, &i);
    } else {
      fail_at(c, EAS_EFORMAT, i, 1, "a '}' without '{'");
      rc = eas_hint(c->x->err, "write }} for a brace that is meant as text");
    }
    if (rc == 0 && c->out.len > EX_MAX_TEXT)
      rc = eas_ex_fail(c->x, EAS_ELIMIT, 0, c->x->size, "it makes a text of more than %d KB", EX_MAX_TEXT / 1024);
  }
  return rc;
}

int eas_ex_format(eas_ex *x, const eas_ex_node *nd, eas_ex_value *out)
{
  call c = { 0 };
  c.x = x;
  c.nd = nd;
  int rc = eas_ex_eval(x, nd->a, &c.text);
  if (rc < 0) return rc;
  if (c.text.type != EX_STR && c.text.type != EX_UNKNOWN)
    return eas_ex_fail(x, EAS_EINVAL, nd->a->at, nd->a->len, "format works on text, found %s",
                       eas_ex_type_name(&c.text));
  c.plain = nd->a->kind == ND_CONST && nd->a->plain;
  c.from = nd->a->at + 1;
  rc = eval_sources(&c);
  eas_buf_init(&c.out);
  if (rc == 0 && c.text.type == EX_UNKNOWN)
    c.unknown = 1;
  else if (rc == 0)
    rc = put_template(&c);
  if (rc == 0 && !c.unknown) return eas_ex_string(x, &c.out, out);
  eas_buf_done(&c.out);
  *out = eas_ex_unknown();
  return rc;
}
