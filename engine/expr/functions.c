/* functions.c: the functions and constants that expressions know. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expr/ex.h"

typedef int function(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out);

static int refuse(eas_ex *x, const eas_ex_node *nd, const char *what, const eas_ex_value *v)
{
  return eas_ex_fail_at(x, EAS_EINVAL, nd, "expected %s, found %s", what, eas_ex_type_name(v));
}

static int fn_pow(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  (void)n;
  if (!eas_ex_is_number(&a[0]) || !eas_ex_is_number(&a[1]))
    return refuse(x, nd, "two numbers", eas_ex_is_number(&a[0]) ? &a[1] : &a[0]);
  return eas_ex_power(x, nd, &a[0], &a[1], out);
}

/* min and max: of the arguments, or of the items of one list. */
static int extreme(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, int sign, eas_ex_value *out)
{
  const eas_ex_value *item = a;
  size_t count = (size_t)n;
  if (n == 1) {
    if (a->type != EX_LIST && a->type != EX_TUPLE) return refuse(x, nd, "several values or a list", a);
    item = a->u.item;
    count = a->n;
  }
  if (count == 0) return eas_ex_fail_at(x, EAS_EINVAL, nd, "the list is empty");
  int rc = eas_ex_step(x, count);
  *out = item[0];
  for (size_t i = 1; i < count && rc == 0; i++) {
    int order = eas_ex_order(&item[i], out);
    if (order == 3)
      return eas_ex_fail_at(x, EAS_EINVAL, nd, "%s and %s have no order", eas_ex_type_name(&item[i]),
                            eas_ex_type_name(out));
    if (order == sign) *out = item[i];
  }
  return rc;
}

static int fn_min(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  return extreme(x, nd, a, n, -1, out);
}

static int fn_max(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  return extreme(x, nd, a, n, 1, out);
}

static int fn_abs(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  (void)n;
  if (!eas_ex_is_number(a)) return refuse(x, nd, "a number", a);
  if (a->type == EX_REAL)
    *out = eas_ex_float(fabs(a->u.r));
  else if (a->u.i < 0)
    return eas_ex_negate(x, nd, a, out);
  else
    *out = eas_ex_int(a->u.i);
  return 0;
}

/* A real number without fraction as a whole one. */
static int to_whole(eas_ex *x, const eas_ex_node *nd, double r, eas_ex_value *out)
{
  if (isnan(r) || isinf(r))
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "%s is no whole number", isnan(r) ? "not-a-number" : "infinity");
  if (r >= 0x1p63 || r < -0x1p63) {
    eas_ex_fail_at(x, EAS_ELIMIT, nd, "the whole number is beyond 64 bits");
    return eas_hint(x->err, "keep it real, without int() or round()");
  }
  *out = eas_ex_int((int64_t)r);
  return 0;
}

/* To 10^-digits, half to even of the exact binary value, as Python does. */
static double round_real(double r, int64_t digits)
{
  char text[1200];
  if (!isfinite(r) || r == 0 || digits > 400) return r;
  if (digits < -308) return copysign(0, r);
  if (digits >= 0) {
    snprintf(text, sizeof text, "%.*f", (int)digits, r);
  } else {
    snprintf(text, sizeof text, "%.30e", r);
    int exponent = atoi(strchr(text, 'e') + 1); /* of the first digit */
    int keep = exponent + (int)digits;          /* digits after the first that stay */
    if (keep < 0) {
      double unit = pow(10, (double)-digits);
      return copysign(keep == -1 && fabs(r) > unit / 2 ? unit : 0, r);
    }
    snprintf(text, sizeof text, "%.*e", keep, r);
  }
  return strtod(text, NULL);
}

static int round_whole(eas_ex *x, const eas_ex_node *nd, int64_t v, int64_t digits, eas_ex_value *out)
{
  uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, unit = 1;
  if (digits < -19)
    size = 0;
  else
    for (; digits < 0; digits++) unit *= 10;
  uint64_t rest = size % unit, down = size - rest;
  int up = rest > unit - rest || (rest && rest == unit - rest && (down / unit) % 2);
  if (up && (unit > INT64_MAX || down > (uint64_t)INT64_MAX - unit))
    return eas_ex_fail_at(x, EAS_ELIMIT, nd, "the whole number is beyond 64 bits");
  size = down + (up ? unit : 0);
  *out = eas_ex_int(v < 0 ? (int64_t)(0 - size) : (int64_t)size);
  return 0;
}

static int fn_round(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  int digits = n == 2 && a[1].type != EX_NONE;
  if (!eas_ex_is_number(a)) return refuse(x, nd, "a number", a);
  if (digits && !eas_ex_is_whole(&a[1])) return refuse(x, nd, "a whole number of digits", &a[1]);
  if (eas_ex_is_whole(a)) return round_whole(x, nd, a->u.i, digits ? a[1].u.i : 0, out);
  if (!digits) return to_whole(x, nd, nearbyint(a->u.r), out);
  double r = round_real(a->u.r, a[1].u.i);
  if (isinf(r) && isfinite(a->u.r)) return eas_ex_fail_at(x, EAS_EINVAL, nd, "the rounded number is too large");
  *out = eas_ex_float(r);
  return 0;
}

static int fn_int(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  int64_t v;
  (void)n;
  if (a->type == EX_REAL) return to_whole(x, nd, trunc(a->u.r), out);
  if (eas_ex_is_whole(a)) {
    *out = eas_ex_int(a->u.i);
    return 0;
  }
  if (a->type != EX_STR) return refuse(x, nd, "a number or text", a);
  if (eas_ex_read_int(a->u.s, a->n, &v) < 0)
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "'%.*s' is no whole number of 64 bits", a->n > 40 ? 40 : (int)a->n,
                          a->u.s);
  *out = eas_ex_int(v);
  return 0;
}

static int fn_float(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  double r;
  (void)n;
  if (eas_ex_is_number(a)) {
    *out = eas_ex_float(eas_ex_real(a));
    return 0;
  }
  if (a->type != EX_STR) return refuse(x, nd, "a number or text", a);
  if (eas_ex_read_real(a->u.s, a->n, &r) < 0)
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "'%.*s' is no number", a->n > 40 ? 40 : (int)a->n, a->u.s);
  *out = eas_ex_float(r);
  return 0;
}

static int fn_str(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  eas_buf text;
  (void)nd, (void)n;
  if (a->type == EX_STR) {
    *out = *a;
    return 0;
  }
  eas_buf_init(&text);
  int rc = eas_ex_put(x, a, &text, 0, 0);
  if (rc == 0) return eas_ex_string(x, &text, out);
  eas_buf_done(&text);
  return rc;
}

static int fn_len(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  (void)n;
  if (a->type == EX_STR)
    *out = eas_ex_int((int64_t)eas_ex_utf8_length(a->u.s, a->n));
  else if (a->type == EX_LIST || a->type == EX_TUPLE)
    *out = eas_ex_int((int64_t)a->n);
  else if (a->type == EX_DICT)
    *out = eas_ex_int((int64_t)json_object_size(a->u.dict));
  else
    return refuse(x, nd, "text, a list or a mapping", a);
  return 0;
}

/* ---- of one real number */

static int fn_sqrt(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  (void)n;
  if (!eas_ex_is_number(a)) return refuse(x, nd, "a number", a);
  if (eas_ex_real(a) < 0) return eas_ex_fail_at(x, EAS_EINVAL, nd, "the square root of a negative number");
  *out = eas_ex_float(sqrt(eas_ex_real(a)));
  return 0;
}

static int fn_log(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  for (int i = 0; i < n; i++) {
    if (!eas_ex_is_number(&a[i])) return refuse(x, nd, "a number", &a[i]);
    if (eas_ex_real(&a[i]) <= 0)
      return eas_ex_fail_at(x, EAS_EINVAL, nd, "the logarithm of a number that is not above 0");
  }
  double r = log(eas_ex_real(a));
  if (n == 2) {
    double base = log(eas_ex_real(&a[1]));
    if (base == 0) return eas_ex_fail_at(x, EAS_EINVAL, nd, "division by zero: a logarithm to base 1");
    r /= base;
  }
  *out = eas_ex_float(r);
  return 0;
}

static int fn_exp(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  (void)n;
  if (!eas_ex_is_number(a)) return refuse(x, nd, "a number", a);
  double r = exp(eas_ex_real(a));
  if (isinf(r) && isfinite(eas_ex_real(a))) return eas_ex_fail_at(x, EAS_EINVAL, nd, "the result is too large");
  *out = eas_ex_float(r);
  return 0;
}

static int angle(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, double (*f)(double), eas_ex_value *out)
{
  if (!eas_ex_is_number(a)) return refuse(x, nd, "a number (radians)", a);
  if (isinf(eas_ex_real(a))) return eas_ex_fail_at(x, EAS_EINVAL, nd, "an infinite angle");
  *out = eas_ex_float(f(eas_ex_real(a)));
  return 0;
}

static int fn_sin(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  (void)n;
  return angle(x, nd, a, sin, out);
}

static int fn_cos(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  (void)n;
  return angle(x, nd, a, cos, out);
}

/* ---- tables */

static const struct {
  const char *name;
  int least, most;
  function *call;
} functions[] = { { "pow", 2, 2, fn_pow },     { "min", 1, 64, fn_min },    { "max", 1, 64, fn_max },
                  { "abs", 1, 1, fn_abs },     { "round", 1, 2, fn_round }, { "int", 1, 1, fn_int },
                  { "float", 1, 1, fn_float }, { "str", 1, 1, fn_str },     { "len", 1, 1, fn_len },
                  { "sqrt", 1, 1, fn_sqrt },   { "log", 1, 2, fn_log },     { "exp", 1, 1, fn_exp },
                  { "sin", 1, 1, fn_sin },     { "cos", 1, 1, fn_cos } };

/* Lengths in metres, times in days, Rearth in radii of Jupiter, plato_noise of a pixel of 25 s. */
static const struct {
  const char *name;
  double value;
  int whole;
} constants[] = { { "day", 1, 1 },
                  { "month", 28, 1 },
                  { "year", 365.25, 0 },
                  { "sun_radius", 695500e3, 0 },
                  { "earth_radius", 6371e3, 0 },
                  { "jupiter_radius", 71492e3, 0 },
                  { "phy_AU", 149597870700, 1 },
                  { "Rearth", 0.08911486, 0 },
                  { "plato_noise", 0.000315, 0 } };

enum { N_FUNCTION = sizeof functions / sizeof *functions, N_CONSTANT = sizeof constants / sizeof *constants };

static int is(const char *word, const char *name, size_t n)
{
  return strlen(word) == n && !memcmp(word, name, n);
}

void eas_ex_put_names(eas_buf *b)
{
  for (int i = 0; i < N_FUNCTION; i++) eas_buf_printf(b, "%s, ", functions[i].name);
  eas_buf_str(b, "pi, metadata, requested_metadata, constants, random");
}

int eas_ex_function(const char *name, size_t n)
{
  for (int i = 0; i < N_FUNCTION; i++)
    if (is(functions[i].name, name, n)) return i;
  return -1;
}

int eas_ex_call(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *args, int n, eas_ex_value *out)
{
  int least = functions[nd->op].least, most = functions[nd->op].most;
  if (n < least || n > most)
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "%s takes %d%s%s, found %d", functions[nd->op].name, least,
                          most == least ? " argument"
                          : most == 2   ? " or 2 arguments"
                                        : " or more arguments",
                          most == least && least > 1 ? "s" : "", n);
  return functions[nd->op].call(x, nd, args, n, out);
}

const char *const *eas_ex_constant_names(size_t *n)
{
  static const char *names[N_CONSTANT]; /* always the same bytes: filling it twice does no harm */
  for (int i = 0; i < N_CONSTANT; i++) names[i] = constants[i].name;
  *n = N_CONSTANT;
  return names;
}

int eas_ex_constant(const char *name, size_t n, eas_ex_value *out)
{
  for (int i = 0; i < N_CONSTANT; i++)
    if (is(constants[i].name, name, n)) {
      double v = constants[i].value;
      *out = constants[i].whole ? eas_ex_int((int64_t)v) : eas_ex_float(v);
      return 0;
    }
  return -1;
}
