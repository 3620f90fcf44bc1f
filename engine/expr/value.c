/* value.c: values of an expression, to and from JSON; truth, equality and order as in Python. */
#include <math.h>
#include <string.h>
#include "expr/ex.h"

enum { NESTED = 64 }; /* arrays in arrays that an expression may take from metadata */

eas_ex_value eas_ex_int(int64_t i)
{
  return (eas_ex_value){ .type = EX_INT, .u.i = i };
}
eas_ex_value eas_ex_float(double r)
{
  return (eas_ex_value){ .type = EX_REAL, .u.r = r };
}
eas_ex_value eas_ex_bool(int b)
{
  return (eas_ex_value){ .type = EX_BOOL, .u.i = b != 0 };
}
eas_ex_value eas_ex_unknown(void)
{
  return (eas_ex_value){ .type = EX_UNKNOWN };
}

int eas_ex_is_whole(const eas_ex_value *v)
{
  return v->type == EX_INT || v->type == EX_BOOL;
}
int eas_ex_is_number(const eas_ex_value *v)
{
  return eas_ex_is_whole(v) || v->type == EX_REAL;
}
double eas_ex_real(const eas_ex_value *v)
{
  return v->type == EX_REAL ? v->u.r : (double)v->u.i;
}

const char *eas_ex_type_name(const eas_ex_value *v)
{
  static const char *const names[] = { "None",   "a truth value", "a whole number", "a real number",   "text",
                                       "a list", "a tuple",       "a mapping",      "an unknown value" };
  return names[v->type];
}

static int load_list(eas_ex *x, const json_t *v, int from_metadata, int depth, eas_ex_value *out)
{
  size_t n = json_array_size(v);
  if (depth > NESTED) return eas_ex_fail(x, EAS_ELIMIT, 0, x->size, "a list is nested deeper than %d", NESTED);
  int rc = eas_ex_step(x, n);
  if (rc < 0) return rc;
  eas_ex_value *item = eas_ex_alloc(x, n * sizeof *item);
  if (!item) return EAS_ELIMIT;
  for (size_t i = 0; i < n && rc == 0; i++)
    rc = eas_ex_load(x, json_array_get(v, i), from_metadata, depth + 1, &item[i]);
  *out = (eas_ex_value){ .type = EX_LIST, .n = n, .u.item = item };
  return rc;
}

int eas_ex_load(eas_ex *x, const json_t *v, int from_metadata, int depth, eas_ex_value *out)
{
  switch (json_typeof(v)) {
  case JSON_TRUE:
  case JSON_FALSE: *out = eas_ex_bool(json_is_true(v)); return 0;
  case JSON_REAL: *out = eas_ex_float(json_real_value(v)); return 0;
  case JSON_INTEGER:
    *out = eas_ex_int((int64_t)json_integer_value(v));
    if (from_metadata && x->scope->prototype_names) /* there every number of the metadata is real */
      *out = eas_ex_float((double)out->u.i);
    return 0;
  case JSON_STRING:
    *out = (eas_ex_value){ .type = EX_STR, .n = json_string_length(v), .u.s = json_string_value(v) };
    return 0;
  case JSON_OBJECT: *out = (eas_ex_value){ .type = EX_DICT, .u.dict = v }; return 0;
  case JSON_ARRAY: return load_list(x, v, from_metadata, depth, out);
  case JSON_NULL:
  default: *out = (eas_ex_value){ .type = from_metadata && x->scope->dry ? EX_UNKNOWN : EX_NONE }; return 0;
  }
}

static int list_to_json(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *v, json_t **out)
{
  json_t *array = json_array();
  int rc = eas_ex_step(x, v->n);
  for (size_t i = 0; i < v->n && rc == 0; i++) {
    json_t *item = NULL;
    rc = eas_ex_to_json(x, nd, &v->u.item[i], &item);
    if (rc == 0) json_array_append_new(array, item);
  }
  if (rc < 0)
    json_decref(array);
  else
    *out = array;
  return rc;
}

int eas_ex_to_json(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *v, json_t **out)
{
  switch (v->type) {
  case EX_BOOL: *out = json_boolean(v->u.i); break;
  case EX_INT: *out = json_integer(v->u.i); break;
  case EX_REAL:
    if (!isfinite(v->u.r))
      return eas_ex_fail(x, EAS_EINVAL, nd->at, nd->len, "the result is %s, no number that can be kept",
                         isnan(v->u.r) ? "not a number" : "infinite");
    *out = json_real(v->u.r);
    break;
  case EX_STR: *out = json_stringn(v->u.s, v->n); break;
  case EX_LIST:
  case EX_TUPLE: return list_to_json(x, nd, v, out);
  case EX_DICT:
    *out = v->u.dict ? json_deep_copy(v->u.dict) : json_null();
    x->info->unknown |= !v->u.dict;
    break;
  case EX_UNKNOWN:
    x->info->unknown = 1;
    *out = json_null();
    break;
  case EX_NONE:
  default: *out = json_null(); break;
  }
  return *out ? 0 : eas_ex_fail(x, EAS_EINVAL, nd->at, nd->len, "the result is not UTF-8 text");
}

int eas_ex_truth(const eas_ex_value *v)
{
  switch (v->type) {
  case EX_BOOL:
  case EX_INT: return v->u.i != 0;
  case EX_REAL: return v->u.r != 0;
  case EX_STR:
  case EX_LIST:
  case EX_TUPLE: return v->n != 0;
  case EX_DICT: return json_object_size(v->u.dict) != 0;
  case EX_NONE:
  case EX_UNKNOWN:
  default: return 0;
  }
}

/* A whole number against a real one, exactly: the whole one may not fit a double. */
static int order_mixed(int64_t i, double r)
{
  if (isnan(r)) return 2;
  if (r >= 0x1p63) return -1;
  if (r < -0x1p63) return 1;
  int64_t whole = (int64_t)r; /* towards zero */
  if (i != whole) return i < whole ? -1 : 1;
  double rest = r - (double)whole;
  return rest > 0 ? -1 : rest < 0;
}

static int order_numbers(const eas_ex_value *a, const eas_ex_value *b)
{
  if (a->type != EX_REAL && b->type != EX_REAL) return a->u.i < b->u.i ? -1 : a->u.i > b->u.i;
  if (a->type != EX_REAL) return order_mixed(a->u.i, b->u.r);
  if (b->type != EX_REAL) {
    int o = order_mixed(b->u.i, a->u.r);
    return o == 2 ? 2 : -o;
  }
  if (isnan(a->u.r) || isnan(b->u.r)) return 2;
  return a->u.r < b->u.r ? -1 : a->u.r > b->u.r;
}

int eas_ex_order(const eas_ex_value *a, const eas_ex_value *b)
{
  if (eas_ex_is_number(a) && eas_ex_is_number(b)) return order_numbers(a, b);
  if (a->type != EX_STR || b->type != EX_STR) return 3;
  size_t n = a->n < b->n ? a->n : b->n;
  int o = n ? memcmp(a->u.s, b->u.s, n) : 0; /* the order of UTF-8 bytes is that of the characters */
  if (o == 0) return a->n < b->n ? -1 : a->n > b->n;
  return o < 0 ? -1 : 1;
}

int eas_ex_equal(eas_ex *x, const eas_ex_value *a, const eas_ex_value *b, int depth)
{
  int order = eas_ex_order(a, b);
  if (order != 3) return order == 0;
  if (a->type != b->type || depth > EX_MAX_DEPTH) return 0;
  if (a->type == EX_NONE) return 1;
  if (a->type == EX_DICT) return a->u.dict && b->u.dict && json_equal(a->u.dict, b->u.dict);
  if ((a->type != EX_LIST && a->type != EX_TUPLE) || a->n != b->n || eas_ex_step(x, a->n) < 0) return 0;
  for (size_t i = 0; i < a->n; i++)
    if (!eas_ex_equal(x, &a->u.item[i], &b->u.item[i], depth + 1)) return 0;
  return 1;
}

size_t eas_ex_utf8_length(const char *s, size_t n)
{
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += ((unsigned char)s[i] & 0xC0) != 0x80;
  return count;
}

size_t eas_ex_utf8_skip(const char *s, size_t n, size_t count)
{
  size_t i = 0;
  while (i < n && count--) {
    i++;
    while (i < n && ((unsigned char)s[i] & 0xC0) == 0x80) i++;
  }
  return i;
}
