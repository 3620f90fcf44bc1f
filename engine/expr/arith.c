/* arith.c: operators on numbers and text, with Python's rules for signs, types and overflow. */
#include <math.h>
#include <string.h>
#include "expr/ex.h"

static const char *operator_text(int op)
{
  static const char one[] = "+-*/%", *const names[] = { "+", "-", "*", "/", "%" };
  const char *p = op < 128 ? strchr(one, op) : NULL;
  return p ? names[p - one] : op == TK_POW ? "**" : "//";
}

static int too_big(eas_ex *x, const eas_ex_node *nd)
{
  eas_ex_fail_at(x, EAS_ELIMIT, nd, "the whole number is beyond 64 bits");
  return eas_hint(x->err, "compute with reals: write 2.0 for 2");
}

static int by_zero(eas_ex *x, const eas_ex_node *nd)
{
  return eas_ex_fail_at(x, EAS_EINVAL, nd, "division by zero");
}

/* ---- whole numbers */

static int floor_divide(eas_ex *x, const eas_ex_node *nd, int64_t a, int64_t b, int rest, eas_ex_value *out)
{
  if (b == 0) return by_zero(x, nd);
  if (b == -1) { /* INT64_MIN / -1 would trap */
    *out = eas_ex_int(0);
    return rest ? 0 : eas_ex_negate(x, nd, &(eas_ex_value){ .type = EX_INT, .u.i = a }, out);
  }
  int64_t q = a / b, r = a % b;
  if (r != 0 && (r < 0) != (b < 0)) q--, r += b; /* Python rounds down; the rest has the divisor's sign */
  *out = eas_ex_int(rest ? r : q);
  return 0;
}

static int whole_power(eas_ex *x, const eas_ex_node *nd, int64_t base, int64_t n, eas_ex_value *out)
{
  int64_t result = 1;
  for (; n > 0; n >>= 1) {
    if ((n & 1) && __builtin_mul_overflow(result, base, &result)) return too_big(x, nd);
    if (n > 1 && __builtin_mul_overflow(base, base, &base)) return too_big(x, nd);
  }
  *out = eas_ex_int(result);
  return 0;
}

static int whole(eas_ex *x, const eas_ex_node *nd, int op, int64_t a, int64_t b, eas_ex_value *out)
{
  int64_t r = 0;
  int over = 0;
  switch (op) {
  case '+': over = __builtin_add_overflow(a, b, &r); break;
  case '-': over = __builtin_sub_overflow(a, b, &r); break;
  case '*': over = __builtin_mul_overflow(a, b, &r); break;
  case '/':
    if (b == 0) return by_zero(x, nd);
    *out = eas_ex_float((double)((long double)a / (long double)b));
    return 0;
  default: return floor_divide(x, nd, a, b, op == '%', out);
  }
  if (over) return too_big(x, nd);
  *out = eas_ex_int(r);
  return 0;
}

/* ---- reals */

static double real_rest(double a, double b)
{
  double r = fmod(a, b);
  if (r == 0) return copysign(0, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

static double real_floor(double a, double b)
{
  double r = fmod(a, b);
  double q = (a - r) / b;
  if (r != 0 && (r < 0) != (b < 0)) q -= 1;
  if (q == 0) return copysign(0, a / b);
  double whole_part = floor(q);
  return q - whole_part > 0.5 ? whole_part + 1 : whole_part;
}

static int real(eas_ex *x, const eas_ex_node *nd, int op, double a, double b, eas_ex_value *out)
{
  if (b == 0 && op != '+' && op != '-' && op != '*') return by_zero(x, nd);
  switch (op) {
  case '+': *out = eas_ex_float(a + b); break;
  case '-': *out = eas_ex_float(a - b); break;
  case '*': *out = eas_ex_float(a * b); break;
  case '/': *out = eas_ex_float(a / b); break;
  case '%': *out = eas_ex_float(real_rest(a, b)); break;
  default: *out = eas_ex_float(real_floor(a, b)); break;
  }
  return 0;
}

int eas_ex_power(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, const eas_ex_value *b, eas_ex_value *out)
{
  if (eas_ex_is_whole(a) && eas_ex_is_whole(b) && b->u.i >= 0) return whole_power(x, nd, a->u.i, b->u.i, out);
  double base = eas_ex_real(a), n = eas_ex_real(b);
  if (base == 0 && n < 0) return eas_ex_fail_at(x, EAS_EINVAL, nd, "division by zero: 0 to a negative power");
  if (base < 0 && isfinite(base) && isfinite(n) && n != floor(n))
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "a fractional power of a negative number is no real number");
  double r = pow(base, n);
  if (isinf(r) && isfinite(base) && isfinite(n)) return eas_ex_fail_at(x, EAS_EINVAL, nd, "the result is too large");
  *out = eas_ex_float(r);
  return 0;
}

int eas_ex_negate(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, eas_ex_value *out)
{
  if (a->type == EX_REAL) {
    *out = eas_ex_float(-a->u.r);
    return 0;
  }
  if (a->u.i == INT64_MIN) return too_big(x, nd);
  *out = eas_ex_int(-a->u.i);
  return 0;
}

/* ---- text */

static int join(eas_ex *x, const eas_ex_value *a, const eas_ex_value *b, eas_ex_value *out)
{
  eas_buf text;
  eas_buf_init(&text);
  eas_buf_add(&text, a->u.s, a->n);
  eas_buf_add(&text, b->u.s, b->n);
  return eas_ex_string(x, &text, out);
}

static int repeat(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int64_t times, eas_ex_value *out)
{
  if (times > 0 && a->n && times > (int64_t)(EX_MAX_TEXT / a->n))
    return eas_ex_fail_at(x, EAS_ELIMIT, nd, "it makes a text of more than %d KB", EX_MAX_TEXT / 1024);
  eas_buf text;
  eas_buf_init(&text);
  for (int64_t i = 0; a->n && i < times; i++) eas_buf_add(&text, a->u.s, a->n);
  return eas_ex_string(x, &text, out);
}

int eas_ex_binary(eas_ex *x, const eas_ex_node *nd, int op, const eas_ex_value *a, const eas_ex_value *b,
                  eas_ex_value *out)
{
  if (eas_ex_is_number(a) && eas_ex_is_number(b)) {
    if (op == TK_POW) return eas_ex_power(x, nd, a, b, out);
    if (eas_ex_is_whole(a) && eas_ex_is_whole(b)) return whole(x, nd, op, a->u.i, b->u.i, out);
    return real(x, nd, op, eas_ex_real(a), eas_ex_real(b), out);
  }
  if (a->type == EX_STR && op == '%') return eas_ex_percent(x, nd, a, b, out);
  if (a->type == EX_STR && b->type == EX_STR && op == '+') return join(x, a, b, out);
  if (a->type == EX_STR && eas_ex_is_whole(b) && op == '*') return repeat(x, nd, a, b->u.i, out);
  if (b->type == EX_STR && eas_ex_is_whole(a) && op == '*') return repeat(x, nd, b, a->u.i, out);
  eas_ex_fail_at(x, EAS_EINVAL, nd, "'%s' does not work between %s and %s", operator_text(op), eas_ex_type_name(a),
                 eas_ex_type_name(b));
  if (op == '+' && (a->type == EX_STR || b->type == EX_STR))
    return eas_hint(x->err, "make the number a text: str(x), or use '{name}'.format(**metadata)");
  return EAS_EINVAL;
}
