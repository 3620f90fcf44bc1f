/* percent.c: '%.3f and %s' % (value, value), '%(name)d' % metadata. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "expr/ex.h"

typedef struct {
  eas_ex *x;
  const eas_ex_node *nd;
  const eas_ex_value *right;
  size_t used; /* values of the tuple taken */
  int by_name;
  int unknown;
  eas_buf out;
} call;

static int fail(call *c, const char *why)
{
  return eas_ex_fail_at(c->x, EAS_EINVAL, c->nd, "%s", why);
}

static int take(call *c, const char *name, size_t n, eas_ex_value *out)
{
  if (name) {
    c->by_name = 1;
    if (c->right->type != EX_DICT) return fail(c, "%(name) takes a mapping after '%'");
    return eas_ex_lookup(c->x, c->right, name, n, c->nd->a->at, c->nd->a->len, out);
  }
  size_t there = c->right->type == EX_TUPLE ? c->right->n : 1;
  if (c->used >= there) return fail(c, "there are fewer values after '%' than the text needs");
  *out = c->right->type == EX_TUPLE ? c->right->u.item[c->used] : *c->right;
  c->used++;
  return 0;
}

static int put_text(call *c, const eas_ex_value *v, eas_ex_spec *spec)
{
  eas_buf text;
  eas_buf_init(&text);
  int rc = eas_ex_put(c->x, v, &text, 0, 0);
  if (spec->align != '<') spec->align = '>';
  memcpy(spec->fill, " ", 1);
  if (rc == 0) eas_ex_spec_text(spec, text.data ? text.data : "", text.len, &c->out);
  eas_buf_done(&text);
  return rc;
}

/* Whole numbers: the precision is the least number of digits. */
static int put_whole(call *c, const eas_ex_value *v, const eas_ex_spec *spec)
{
  char space[68], digits[1100];
  int64_t i = v->u.i;
  if (v->type == EX_REAL) {
    if (strchr("xXo", spec->type)) return fail(c, "%x and %o take a whole number, found a real one");
    if (!(fabs(v->u.r) < 0x1p63)) return fail(c, "%d takes a number of 64 bits");
    i = (int64_t)v->u.r;
  }
  unsigned base = spec->type == 'o' ? 8 : spec->type == 'x' || spec->type == 'X' ? 16 : 10;
  const char *p = eas_ex_digits(i < 0 ? 0 - (uint64_t)i : (uint64_t)i, base, spec->type == 'X', space);
  /* at most 1000 of them: read_spec has seen to it */
  size_t zeros = spec->precision > (int)strlen(p) ? (size_t)spec->precision - strlen(p) : 0;
  memset(digits, '0', zeros);
  snprintf(digits + zeros, sizeof digits - zeros, "%s", p);
  char prefix[3] = { '0', spec->type, 0 };
  eas_ex_spec_number(spec, i < 0, spec->alternate && base != 10 ? prefix : "", digits, &c->out);
  return 0;
}

static int put(call *c, eas_ex_spec *spec, const eas_ex_value *v)
{
  if (spec->type == 's') return put_text(c, v, spec);
  if (spec->type == 'c' && v->type == EX_STR && eas_ex_utf8_length(v->u.s, v->n) == 1) return put_text(c, v, spec);
  if (!eas_ex_is_number(v))
    return eas_ex_fail_at(c->x, EAS_EINVAL, c->nd, "%%%c takes a number, found %s", spec->type, eas_ex_type_name(v));
  if (strchr("dxXo", spec->type)) return put_whole(c, v, spec);
  if (spec->type == 'c' && v->type == EX_REAL) return fail(c, "%c takes a whole number or one character");
  if (spec->type == 'c' && spec->align != '<') spec->align = '>', spec->precision = -1;
  const char *why = eas_ex_spec_put(c->x, v, spec, &c->out);
  return why ? fail(c, why) : 0;
}

/* Flags, width and precision after the '%'; i goes to the type. */
static int read_spec(call *c, const char *s, size_t n, size_t *i, eas_ex_spec *spec)
{
  int zero = 0;
  *spec = (eas_ex_spec){ .fill = " ", .fill_len = 1, .precision = -1 };
  for (; *i < n && s[*i] && strchr("-+ #0", s[*i]); ++*i) {
    if (s[*i] == '-')
      spec->align = '<';
    else if (s[*i] == '#')
      spec->alternate = 1;
    else if (s[*i] == '0')
      zero = 1;
    else if (spec->sign != '+')
      spec->sign = s[*i];
  }
  if (zero && !spec->align) {
    spec->align = '0';
    spec->fill[0] = '0';
  }
  for (; *i < n && s[*i] >= '0' && s[*i] <= '9' && spec->width <= 1000; ++*i)
    spec->width = spec->width * 10 + (s[*i] - '0');
  if (*i < n && s[*i] == '.') {
    spec->precision = 0;
    for (++*i; *i < n && s[*i] >= '0' && s[*i] <= '9' && spec->precision <= 1000; ++*i)
      spec->precision = spec->precision * 10 + (s[*i] - '0');
  }
  if (spec->width > 1000 || spec->precision > 1000) return fail(c, "a width or precision is above 1000");
  if (*i >= n) return fail(c, "the text ends within a '%' field; write %% for a percent sign");
  return 0;
}

/* A field after its '%'. */
static int read_field(call *c, const char *s, size_t n, size_t *i)
{
  const char *name = NULL;
  size_t name_n = 0;
  eas_ex_spec spec;
  eas_ex_value v;
  if (*i < n && s[*i] == '(') {
    name = s + *i + 1;
    const char *end = memchr(name, ')', n - *i - 1);
    if (!end) return fail(c, "no ')' closes the name after '%('");
    name_n = (size_t)(end - name);
    *i += name_n + 2;
  }
  int rc = read_spec(c, s, n, i, &spec);
  if (rc < 0) return rc;
  char type = s[(*i)++];
  if (type == '%') {
    eas_buf_char(&c->out, '%');
    return 0;
  }
  if (!type || !strchr("diusxXofFeEgGc", type))
    return fail(c, "expected one of d i u s x X o f F e E g G c % after '%'");
  spec.type = type == 'i' || type == 'u' ? 'd' : type;
  rc = take(c, name, name_n, &v);
  if (rc == 0 && v.type == EX_UNKNOWN)
    c->unknown = 1;
  else if (rc == 0)
    rc = put(c, &spec, &v);
  return rc;
}

int eas_ex_percent(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, const eas_ex_value *b, eas_ex_value *out)
{
  call c = { .x = x, .nd = nd, .right = b };
  int rc = 0;
  eas_buf_init(&c.out);
  for (size_t i = 0; i < a->n && rc == 0;) {
    const char *p = memchr(a->u.s + i, '%', a->n - i);
    size_t end = p ? (size_t)(p - a->u.s) : a->n;
    eas_buf_add(&c.out, a->u.s + i, end - i);
    i = end + 1;
    if (p) rc = read_field(&c, a->u.s, a->n, &i);
    if (rc == 0 && c.out.len > EX_MAX_TEXT)
      rc = eas_ex_fail_at(x, EAS_ELIMIT, nd, "it makes a text of more than %d KB", EX_MAX_TEXT / 1024);
  }
  size_t there = b->type == EX_TUPLE ? b->n : b->type == EX_DICT || b->type == EX_LIST ? c.used : 1;
  if (rc == 0 && c.used < there && !c.by_name) rc = fail(&c, "there are more values after '%' than the text needs");
  if (rc == 0 && !c.unknown) return eas_ex_string(x, &c.out, out);
  eas_buf_done(&c.out);
  *out = eas_ex_unknown();
  return rc;
}
