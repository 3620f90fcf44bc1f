/* expand_plan.c: one task object of a list, evaluated with its parent's metadata. */
#include "model/expand_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

static const char *const flow_names[] = { NULL, "execution_chain", "execution_for_loop", "execution_do_while_loop",
                                          "execution_conditional" };

eas_flow eas_flow_of(const char *type)
{
  if (strncmp(type, "execution_", 10) != 0) return EAS_FLOW_NONE;
  for (int f = EAS_FLOW_CHAIN; f <= EAS_FLOW_IF; f++)
    if (strcmp(type, flow_names[f]) == 0) return (eas_flow)f;
  return EAS_FLOW_NONE;
}

const char *eas_flow_name(eas_flow f)
{
  return flow_names[f];
}

const char *eas_plan_kind(const json_t *v)
{
  static const char *const names[] = { "an object", "a list", "a string", "an integer",
                                       "a number",  "true",   "false",    "null" };
  return v ? names[json_typeof(v)] : "nothing";
}

char *eas_plan_step(const char *before, const char *key)
{
  if (key[0] && !strpbrk(key, ".[]\"\\")) return eas_format("%s.%s", before, key);
  json_t *text = json_string(key);
  char *quoted = json_dumps(text, JSON_ENCODE_ANY), *out = eas_format("%s[%s]", before, quoted ? quoted : "\"\"");
  free(quoted);
  json_decref(text);
  return out;
}

void eas_plan_fault(eas_plan *p, const char *path, const char *suffix, int key, const char *fix, const char *format,
                    ...)
{
  eas_buf what;
  eas_buf_init(&what);
  va_list ap;
  va_start(ap, format);
  eas_buf_vprintf(&what, format, ap);
  va_end(ap);
  eas_problems_add(p->problems, (eas_problem){ .path = eas_format("%s%s", path, suffix),
                                               .key = key,
                                               .what = eas_buf_take(&what),
                                               .fix = eas_strdup(fix) });
}

void eas_plan_expr_fault(eas_plan *p, const char *path, const char *suffix, int key, const eas_expr_info *info,
                         const eas_err *err)
{
  if (p->guessed && err->code == EAS_EINVAL) return;
  eas_problems_add(p->problems, (eas_problem){ .path = eas_format("%s%s", path, suffix),
                                               .key = key,
                                               .offset = info->column ? info->column - 1 : 0,
                                               .length = info->length,
                                               .expression = info->column > 0,
                                               .what = eas_strdup(err->text),
                                               .fix = err->hint[0] ? eas_strdup(err->hint) : NULL });
}

json_t *eas_plan_value(eas_plan *p, const json_t *v, const char *path, const char *suffix, int *unknown)
{
  eas_expr_info info = { 0 };
  eas_err err = { 0 };
  json_t *out = NULL;
  if (unknown) *unknown = 0;
  if (eas_expr_value(v, &p->scope, &out, &info, &err) < 0) {
    eas_plan_expr_fault(p, path, suffix, 0, &info, &err);
    return NULL;
  }
  if (info.unknown) {
    if (unknown) *unknown = 1;
    json_decref(out);
    return NULL;
  }
  return out;
}

/* Text of a field: a string, or a number that an expression gave. NULL: a problem, or not known (dry). */
static char *text_of(eas_plan *p, const json_t *v, const char *path, const char *suffix, int *unknown)
{
  json_t *value = eas_plan_value(p, v, path, suffix, unknown);
  if (!value) return NULL;
  char *out = NULL;
  int literal = !(json_is_string(v) && eas_expr_is(json_string_value(v)));
  if (json_is_string(value))
    out = eas_strdup(json_string_value(value));
  else if (!literal && json_is_number(value))
    out = eas_expr_text(value, p->scope.prototype_names);
  else
    eas_plan_fault(p, path, suffix, 0, NULL, "a string is wanted, found %s", eas_plan_kind(value));
  json_decref(value);
  return out;
}

static char *field_text(eas_plan *p, const json_t *entry, const char *path, const char *key)
{
  const json_t *v = json_object_get(entry, key);
  if (!v || json_is_null(v)) return NULL;
  char suffix[64];
  snprintf(suffix, sizeof suffix, ".%s", key);
  return text_of(p, v, path, suffix, NULL);
}

static void unknown_type(eas_plan *p, const char *path, const char *name)
{
  const char *near = eas_registry_nearest(p->registry, name);
  char *fix =
      near ? eas_format("use %s; all types: eas registry list", near) : eas_strdup("all types: eas registry list");
  eas_plan_fault(p, path, ".task", 0, fix, "unknown task type '%s'", name);
  free(fix);
}

static void read_type(eas_plan *p, const json_t *entry, const char *path, eas_plan_item *out)
{
  const json_t *v = json_object_get(entry, "task");
  if (!v) {
    eas_plan_fault(p, path, "", 0, "add \"task\": \"TYPE\"; all types: eas registry list",
                   "a task object needs a field 'task'");
    return;
  }
  char *name = text_of(p, v, path, ".task", NULL);
  if (!name) return;
  out->type = eas_registry_type(p->registry, name);
  if (!out->type) {
    unknown_type(p, path, name);
  } else {
    eas_err err = { 0 };
    out->flow = eas_flow_of(out->type->name);
    if (eas_registry_runnable(p->registry, out->type, &err) < 0)
      eas_plan_fault(p, path, ".task", 0, err.hint[0] ? err.hint : NULL, "%s", err.text);
  }
  free(name);
}

static char *read_directory(eas_plan *p, const json_t *entry, const char *path)
{
  char *directory = field_text(p, entry, path, "working_directory");
  eas_err err = { 0 };
  if (directory && directory[0] && eas_path_check_relative(directory, &err) < 0) {
    eas_plan_fault(p, path, ".working_directory", 0, "a folder inside the output store, such as \"my_grid\"", "%s",
                   err.text);
    free(directory);
    return NULL;
  }
  return directory;
}

/* One "kind": "file name" pair; 1 when *out was filled. */
static int read_file(eas_plan *p, const char *path, const char *base, const char *key, const json_t *v,
                     eas_plan_file *out)
{
  char *suffix = eas_plan_step(base, key);
  eas_expr_info info = { 0 };
  eas_err err = { 0 };
  *out = (eas_plan_file){ 0 };
  if (eas_expr_is(key)) {
    json_t *text = json_string(key), *value = NULL;
    if (eas_expr_value(text, &p->scope, &value, &info, &err) < 0)
      eas_plan_expr_fault(p, path, suffix, 1, &info, &err);
    else if (json_is_string(value))
      out->kind = eas_strdup(json_string_value(value));
    else if (!info.unknown)
      eas_plan_fault(p, path, suffix, 1, NULL, "the name of a semantic type is a string, found %s",
                     eas_plan_kind(value));
    json_decref(value);
    json_decref(text);
  } else {
    out->kind = eas_strdup(key);
  }
  int unknown = 0;
  out->filename = text_of(p, v, path, suffix, &unknown);
  if (out->filename && eas_path_check_relative(out->filename, &err) < 0) {
    eas_plan_fault(p, path, suffix, 0, "a plain file name, such as \"lc.fits\"", "%s", err.text);
    free(out->filename);
    out->filename = NULL;
  }
  if (out->kind && (out->filename || unknown)) {
    if (p->dry)
      out->suffix = suffix;
    else
      free(suffix);
    return 1;
  }
  free(suffix);
  free(out->kind);
  free(out->filename);
  *out = (eas_plan_file){ 0 };
  return 0;
}

static void read_files(eas_plan *p, const json_t *entry, const char *path, const char *field, eas_plan_file **out,
                       int *n_out)
{
  const json_t *files = json_object_get(entry, field);
  if (!files || json_is_null(files)) return;
  char base[32];
  snprintf(base, sizeof base, ".%s", field);
  if (!json_is_object(files)) {
    eas_plan_fault(p, path, base, 0, "{ \"lightcurve\": \"lc.fits\" }",
                   "%s: an object of semantic types and file names is wanted, found %s", field, eas_plan_kind(files));
    return;
  }
  if (!json_object_size(files)) return;
  eas_plan_file *list = eas_alloc(json_object_size(files) * sizeof *list);
  int n = 0;
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)files, key, v) n += read_file(p, path, base, key, v, &list[n]);
  for (int i = 1; i < n; i++)
    for (int k = 0; k < i; k++)
      if (strcmp(list[i].kind, list[k].kind) == 0) /* only evaluated keys can meet */
        eas_plan_fault(p, path, base, 0, NULL, "two %s are called '%s'", field, list[i].kind);
  *out = list;
  *n_out = n;
}

static void read_names(eas_plan *p, const json_t *entry, const char *path, const char *field, char ***out, int *n_out)
{
  const json_t *list = json_object_get(entry, field);
  char suffix[64];
  if (!list || json_is_null(list)) return;
  if (!json_is_array(list)) {
    snprintf(suffix, sizeof suffix, ".%s", field);
    eas_plan_fault(p, path, suffix, 0, "[\"name of an earlier task\"]", "%s: a list of names is wanted, found %s",
                   field, eas_plan_kind(list));
    return;
  }
  char **names = *out = eas_alloc((json_array_size(list) + 1) * sizeof *names);
  for (size_t i = 0; i < json_array_size(list); i++) {
    snprintf(suffix, sizeof suffix, ".%s[%zu]", field, i);
    char *name = text_of(p, json_array_get(list, i), path, suffix, NULL);
    for (int k = 0; name && k < *n_out; k++) {
      if (strcmp(names[k], name) == 0) { /* twice the same: once is enough */
        free(name);
        name = NULL;
      }
    }
    if (name) names[(*n_out)++] = name;
  }
}

/* requires_passed_fraction: how much of what requires_done names must have passed. */
static void read_least(eas_plan *p, const json_t *entry, const char *path, eas_plan_item *out)
{
  static const char suffix[] = ".requires_passed_fraction";
  const json_t *v = json_object_get(entry, suffix + 1);
  out->least = 1000000;
  if (!v || json_is_null(v)) return;
  if (!json_array_size(json_object_get(entry, "requires_done")))
    eas_plan_fault(p, path, suffix, 1, "add requires_done: [\"NAME\"]",
                   "requires_passed_fraction is of what requires_done names");
  json_t *value = eas_plan_value(p, v, path, suffix, NULL);
  double x = json_is_number(value) ? json_number_value(value) : -1;
  if (value && !(x >= 0 && x <= 1))
    eas_plan_fault(p, path, suffix, 0, "0.95", "requires_passed_fraction: a number from 0 to 1 is wanted");
  else if (value)
    out->least = (int64_t)(x * 1e6 + 0.5);
  json_decref(value);
}

/* What `eas provenance` writes to run a task as it ran once: its seed, and the metadata it saw. */
static void read_replay(eas_plan *p, const json_t *entry, const char *path, eas_plan_item *out)
{
  const json_t *v = json_object_get(entry, "replay"), *metadata = json_object_get(v, "metadata");
  if (!v) return;
  if (out->flow != EAS_FLOW_NONE)
    eas_plan_fault(p, path, ".replay", 1, NULL, "replay is for tasks that work, not for %s", eas_flow_name(out->flow));
  else if (!json_is_integer(json_object_get(v, "seed")) || (metadata && !json_is_object(metadata)))
    eas_plan_fault(p, path, ".replay", 0, "{ \"seed\": 1, \"metadata\": {} }",
                   "replay: a whole number 'seed' and an object 'metadata' are wanted");
  else
    out->replay = v;
}

int eas_plan_read_item(eas_plan *p, const json_t *entry, const char *path, eas_plan_item *out)
{
  size_t before = p->problems->n;
  *out = (eas_plan_item){ .entry = entry };
  if (!json_is_object(entry)) {
    eas_plan_fault(p, path, "", 0, "{ \"task\": \"TYPE\" }", "a task is an object, found %s", eas_plan_kind(entry));
    return 1;
  }
  read_type(p, entry, path, out);
  out->label = field_text(p, entry, path, "job_name");
  out->name = field_text(p, entry, path, "name");
  out->directory = read_directory(p, entry, path);
  read_files(p, entry, path, "inputs", &out->inputs, &out->n_inputs);
  read_files(p, entry, path, "outputs", &out->outputs, &out->n_outputs);
  if (out->flow != EAS_FLOW_NONE && out->n_outputs)
    eas_plan_fault(p, path, ".outputs", 1, "name the outputs in the tasks of its list", "%s makes no outputs itself",
                   out->type->name);
  read_names(p, entry, path, "requires_metadata_from", &out->needs, &out->n_needs);
  read_names(p, entry, path, "requires_done", &out->gathers, &out->n_gathers);
  read_least(p, entry, path, out);
  read_replay(p, entry, path, out);
  return (int)(p->problems->n - before);
}

static void files_done(eas_plan_file *list, int n)
{
  for (int i = 0; i < n; i++) {
    free(list[i].kind);
    free(list[i].filename);
    free(list[i].suffix);
  }
  free(list);
}

void eas_plan_item_done(eas_plan_item *item)
{
  free(item->name);
  free(item->directory);
  free(item->label);
  files_done(item->inputs, item->n_inputs);
  files_done(item->outputs, item->n_outputs);
  for (int i = 0; i < item->n_needs; i++) free(item->needs[i]);
  free(item->needs);
  for (int i = 0; i < item->n_gathers; i++) free(item->gathers[i]);
  free(item->gathers);
  *item = (eas_plan_item){ 0 };
}
