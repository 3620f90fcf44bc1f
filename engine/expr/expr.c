/* expr.c: the public face: one expression, one value, a whole document. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expr/ex.h"

enum { MAX_TREE = 128 }; /* levels of a document */

int eas_expr_is(const char *text)
{
  while (isspace((unsigned char)*text)) text++;
  return *text == '\'' || *text == '"' || *text == '(';
}

int eas_expr_truth(const json_t *v)
{
  switch (v ? json_typeof(v) : JSON_NULL) {
  case JSON_TRUE: return 1;
  case JSON_INTEGER: return json_integer_value(v) != 0;
  case JSON_REAL: return json_real_value(v) != 0;
  case JSON_STRING: return json_string_length(v) != 0;
  case JSON_ARRAY: return json_array_size(v) != 0;
  case JSON_OBJECT: return json_object_size(v) != 0;
  case JSON_FALSE:
  case JSON_NULL:
  default: return 0;
  }
}

char *eas_expr_text(const json_t *v, int prototype_names)
{
  eas_buf b;
  eas_buf_init(&b);
  eas_ex_put_json(v, prototype_names, &b, 0, 0);
  return eas_buf_take(&b);
}

static int evaluate(const char *text, size_t size, eas_expr_scope *scope, int own_info, json_t **out,
                    eas_expr_info *info, eas_err *err)
{
  eas_ex x;
  eas_ex_node *tree = NULL;
  eas_ex_value v;
  eas_err spare; /* eas_hint(NULL) gives 0, which would pass for success */
  eas_ex_init(&x, text, size, scope, info, err ? err : &spare);
  x.own_info = own_info;
  int rc = 0;
  if (size > EX_MAX_TEXT)
    rc = eas_ex_fail(&x, EAS_ELIMIT, EX_MAX_TEXT, 1, "it is longer than %d KB", EX_MAX_TEXT / 1024);
  if (rc == 0) rc = eas_ex_parse(&x, &tree);
  if (rc == 0) rc = eas_ex_eval(&x, tree, &v);
  if (rc == 0) rc = eas_ex_to_json(&x, tree, &v, out);
  eas_ex_done(&x);
  return rc;
}

int eas_expr_eval(const char *text, eas_expr_scope *scope, json_t **out, eas_expr_info *info, eas_err *err)
{
  eas_expr_info own = { 0 };
  json_t *value = NULL;
  if (info) *info = own;
  int rc = evaluate(text, strlen(text), scope, !info, &value, info ? info : &own, err);
  if (rc == 0 && (info ? info : &own)->unknown) { /* a list with a hole in it is not known */
    json_decref(value);
    value = json_null();
  }
  if (rc == 0) *out = value;
  return rc;
}

int eas_expr_value(const json_t *v, eas_expr_scope *scope, json_t **out, eas_expr_info *info, eas_err *err)
{
  if (json_is_string(v) && eas_expr_is(json_string_value(v)))
    return eas_expr_eval(json_string_value(v), scope, out, info, err);
  if (info) *info = (eas_expr_info){ 0 };
  *out = json_incref((json_t *)v); /* nobody changes a document in place */
  return 0;
}

/* ---- whole documents */

typedef struct {
  const char *const *raw;
  eas_expr_scope *scope;
  eas_expr_info info;
  int with_info;
  eas_err *err;
  char where[1024]; /* of the failure, written from its end */
  size_t at;
} walk;

static int walk_value(walk *w, const json_t *v, int depth, json_t **out);

static int is_raw(const walk *w, const char *key)
{
  for (const char *const *p = w->raw; p && *p; p++)
    if (strcmp(*p, key) == 0) return 1;
  return 0;
}

/* The failure's path grows from the leaf up, so that a walk that succeeds writes none. */
static void put_before(walk *w, const char *text)
{
  size_t n = strlen(text);
  if (n > w->at) return;
  w->at -= n;
  memcpy(w->where + w->at, text, n);
}

static void put_key(walk *w, const char *key)
{
  char text[512];
  if (key[0] && !strpbrk(key, ".[]\"\\"))
    snprintf(text, sizeof text, ".%s", key);
  else if (strpbrk(key, "\"\\")) {
    json_t *s = json_string(key);
    char *quoted = json_dumps(s, JSON_ENCODE_ANY);
    snprintf(text, sizeof text, "[%s]", quoted ? quoted : "");
    free(quoted);
    json_decref(s);
  } else
    snprintf(text, sizeof text, "[\"%s\"]", key);
  put_before(w, text);
}

static int walk_string(walk *w, const json_t *v, json_t **out)
{
  eas_expr_info info = { 0 };
  int rc = eas_expr_value(v, w->scope, out, w->with_info ? &info : NULL, w->err);
  w->info.unknown |= info.unknown;
  w->info.has_random |= info.has_random;
  if (rc < 0) {
    w->info.column = info.column;
    w->info.length = info.length;
  }
  return rc;
}

/* A key, evaluated, that is not in the object yet. */
static int walk_key(walk *w, const char *key, const json_t *object, json_t **out)
{
  if (!eas_expr_is(key)) {
    *out = json_string(key);
  } else {
    json_t *text = json_string(key), *made = NULL;
    int rc = walk_string(w, text, &made);
    json_decref(text);
    if (rc < 0) return rc;
    if (json_is_null(made) && w->scope->dry) { /* not known yet: its own text stands for it */
      *out = json_string(key);
      return 0;
    }
    if (!json_is_string(made)) {
      json_decref(made);
      return eas_fail(w->err, EAS_EINVAL, "expression: a key must be text");
    }
    *out = made;
  }
  if (json_object_get(object, json_string_value(*out))) {
    eas_fail(w->err, EAS_EINVAL, "the key '%.100s' is there twice", json_string_value(*out));
    json_decref(*out);
    return EAS_EINVAL;
  }
  return 0;
}

static int walk_member(walk *w, const char *key, json_t *item, int depth, json_t *object)
{
  json_t *name = NULL, *made = NULL;
  int rc = walk_key(w, key, object, &name);
  if (rc < 0) {
    w->info.in_key = 1;
    return rc;
  }
  if (is_raw(w, key))
    made = json_incref(item);
  else
    rc = walk_value(w, item, depth + 1, &made);
  if (rc == 0) json_object_set_new(object, json_string_value(name), made);
  json_decref(name);
  return rc;
}

static int walk_object(walk *w, const json_t *v, int depth, json_t **out)
{
  const char *key;
  json_t *item, *object = json_object();
  json_object_foreach((json_t *)v, key, item)
  {
    int rc = walk_member(w, key, item, depth, object);
    if (rc < 0) {
      put_key(w, key);
      json_decref(object);
      return rc;
    }
  }
  *out = object;
  return 0;
}

static int walk_array(walk *w, const json_t *v, int depth, json_t **out)
{
  json_t *array = json_array();
  for (size_t i = 0; i < json_array_size(v); i++) {
    json_t *made;
    int rc = walk_value(w, json_array_get(v, i), depth + 1, &made);
    if (rc < 0) {
      char text[32];
      snprintf(text, sizeof text, "[%zu]", i);
      put_before(w, text);
      json_decref(array);
      return rc;
    }
    json_array_append_new(array, made);
  }
  *out = array;
  return 0;
}

static int walk_value(walk *w, const json_t *v, int depth, json_t **out)
{
  if (depth > MAX_TREE) return eas_fail(w->err, EAS_ELIMIT, "it is nested deeper than %d levels", MAX_TREE);
  if (json_is_object(v)) return walk_object(w, v, depth, out);
  if (json_is_array(v)) return walk_array(w, v, depth, out);
  if (json_is_string(v)) return walk_string(w, v, out);
  *out = json_incref((json_t *)v);
  return 0;
}

int eas_expr_tree(const json_t *v, const char *const *raw, eas_expr_scope *scope, json_t **out, char *where,
                  size_t where_size, eas_expr_info *info, eas_err *err)
{
  walk w = { .raw = raw, .scope = scope, .with_info = info != NULL, .err = err, .at = sizeof w.where };
  int rc = walk_value(&w, v, 0, out);
  if (where && where_size) snprintf(where, where_size, "%.*s", (int)(sizeof w.where - w.at), w.where + w.at);
  if (info) *info = w.info;
  return rc;
}
