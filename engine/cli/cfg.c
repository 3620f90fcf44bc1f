/* cfg.c: see cfg.h. Keys are lower-cased and numbers become numbers, as the prototype's scripts took them. */
#include "cli/cfg.h"

#include <ctype.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/path.h"
#include "expr/expr.h"

static json_t *value_of(const char *text)
{
  json_t *v = eas_expr_is(text) ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
  if (v && (json_is_number(v) || json_is_boolean(v))) return v;
  json_decref(v);
  if (strcmp(text, "True") == 0) return json_true();
  if (strcmp(text, "False") == 0) return json_false();
  if (strcmp(text, "None") == 0) return json_null();
  return json_string(text);
}

static json_t *section_of(json_t *root, const char *section)
{
  if (strcmp(section, "task") == 0) return root;
  json_t *o = json_object_get(root, section);
  if (!o) {
    o = json_object();
    json_object_set_new(root, section, o);
  }
  return o;
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
  json_t *root = user;
  char key[INI_MAX_LINE];
  size_t n = 0;
  for (; name[n] && n + 1 < sizeof key; n++) key[n] = (char)tolower((unsigned char)name[n]);
  key[n] = 0;
  if (!*section) return 0; /* a value before the first section */
  int files = strcmp(section, "inputs") == 0 || strcmp(section, "outputs") == 0;
  return json_object_set_new(section_of(root, section), files ? name : key,
                             files ? json_string(value) : value_of(value)) == 0;
}

static char *take_string(json_t *o, const char *key, const char *otherwise)
{
  const char *s = json_string_value(json_object_get(o, key));
  char *copy = eas_strdup(s ? s : otherwise);
  json_object_del(o, key);
  return copy;
}

/* Only the base name of an output counts. */
static void base_names(json_t *outputs)
{
  const char *key;
  json_t *v;
  json_object_foreach(outputs, key, v) json_string_set(v, eas_path_base(json_string_value(v)));
}

int eas_cfg_read(eas_cfg *out, const char *path, const char *type, eas_err *err)
{
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return eas_fail(err, EAS_EINVAL, "%s: no such file", path);
  json_t *root = json_object();
  int line = ini_parse(path, on_value, root);
  if (line != 0) {
    json_decref(root);
    if (line < 0) return eas_fail(err, EAS_EINVAL, "%s: cannot be read", path);
    eas_fail(err, EAS_EINVAL, "%s:%d: expected [section] or key = value", path, line);
    return err ? err->code : EAS_EINVAL;
  }
  json_t *inputs = json_object_get(root, "inputs");
  *out = (eas_cfg){ .file = eas_strdup(path), .task = root, .inputs = inputs ? json_incref(inputs) : json_object() };
  json_object_del(root, "inputs");
  if (json_object_get(root, "outputs")) base_names(json_object_get(root, "outputs"));
  out->directory = take_string(root, "working_directory", "test_dir");
  out->job_name = take_string(root, "job_name", "test_job");
  char *name = take_string(root, "task_name", "untitled_test");
  json_object_set_new(root, "name", json_string(name));
  free(name);
  if (type)
    json_object_set_new(root, "task", json_string(type));
  else if (!json_object_get(root, "task"))
    json_object_set_new(root, "task", json_string("null"));
  return 0;
}

void eas_cfg_done(eas_cfg *c)
{
  free(c->file);
  free(c->directory);
  free(c->job_name);
  json_decref(c->task);
  json_decref(c->inputs);
}
