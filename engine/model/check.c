/* check.c: the dry expansion of a whole job.
 *
 * Lists are looked at as they will be expanded: a list's own tasks first, then what its flow control opens, in order. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "model/check.h"

enum { WHOLE = 10 * 1000, SHORT_RANGE = 100 };

typedef struct {
  const json_t *metadata, *requested;
  const char *directory;
  const eas_place *place;
} scene;

static void walk_list(eas_check *c, const json_t *list, const char *path, const scene *s, eas_map *names_out);

static void use(eas_check *c, const scene *s)
{
  c->plan.scope.metadata = s->metadata;
  c->plan.scope.requested_metadata = s->requested;
}

static const eas_place *new_place(eas_check *c, const eas_place *up, const json_t *owner, const char *loop,
                                  int64_t index)
{
  eas_place *p = eas_alloc(sizeof *p);
  *p = (eas_place){ .up = up, .owner = owner, .index = index, .all = c->places };
  if (loop) {
    p->loop = eas_strdup(loop);
    p->variable = eas_format("%s_index", loop);
  }
  return c->places = p;
}

/* Requested metadata are objects of which nothing is known yet. */
static json_t *empty_requests(char *const *names, int n)
{
  json_t *out = json_object();
  for (int i = 0; i < n; i++) json_object_set_new(out, names[i], json_object());
  return out;
}

static void walk_body(eas_check *c, const json_t *entry, const char *path, const char *list, const scene *s,
                      eas_map *names)
{
  char *below = eas_format("%s.%s", path, list);
  walk_list(c, json_object_get(entry, list), below, s, names);
  free(below);
}

/* ---- for */

static void walk_value(eas_check *c, const json_t *entry, const char *path, const eas_plan_loop *loop, int64_t i,
                       const scene *s)
{
  json_t *own = eas_plan_loop_metadata(loop, i), *metadata = json_copy((json_t *)s->metadata);
  json_object_update(metadata, own);
  scene below = { metadata, c->none, s->directory, new_place(c, s->place, entry, loop->parameter, i) };
  walk_body(c, entry, path, "task_list", &below, NULL);
  json_decref(own);
  json_decref(metadata);
}

/* A loop whose values cannot be read is walked with two, for what else is wrong in it. */
static void stand_in(const json_t *entry, eas_plan_loop *loop)
{
  const char *name = eas_json_str(entry, "parameter");
  eas_plan_loop_done(loop);
  *loop = (eas_plan_loop){ .parameter = eas_strdup(name && name[0] && !eas_expr_is(name) ? name : "parameter"),
                           .n = 2,
                           .start = 1,
                           .stop = 2,
                           .whole = 1 };
}

static void walk_for(eas_check *c, const json_t *entry, const char *path, const scene *s)
{
  eas_plan_loop loop = { 0 };
  int known = !eas_plan_range_misspelt(entry) && eas_plan_read_loop(&c->plan, entry, path, NULL, &loop) == 0;
  int guessed = known && loop.unknown;
  if (!known || (guessed && loop.n == 0)) stand_in(entry, &loop);
  int is_range = loop.kind == EAS_LOOP_LINEAR || loop.kind == EAS_LOOP_LOG;
  int cut = loop.n > 2 && (c->n_tasks > WHOLE || (is_range && loop.n > SHORT_RANGE));
  c->no_files += guessed;
  c->plan.guessed += guessed;
  c->cut += cut;
  for (int64_t i = 0; i < loop.n; i++) {
    if (cut && i > 0 && i < loop.n - 1) continue;
    if (!cut && loop.n > 2 && c->n_tasks > WHOLE &&
        i < loop.n - 1) { /* it has become too much: the last, and that is all */
      c->cut++;
      cut = 1;
      continue;
    }
    walk_value(c, entry, path, &loop, i, s);
  }
  c->no_files -= guessed;
  c->plan.guessed -= guessed;
  c->cut -= cut;
  eas_plan_loop_done(&loop);
}

/* ---- do-while */

static void check_children(eas_check *c, const json_t *entry, const char *path, const eas_map *names)
{
  const json_t *list = json_object_get(entry, "requires_metadata_from_child");
  for (size_t i = 0; i < json_array_size(list); i++) {
    char suffix[64];
    snprintf(suffix, sizeof suffix, ".requires_metadata_from_child[%zu]", i);
    json_t *v = eas_plan_value(&c->plan, json_array_get(list, i), path, suffix, NULL);
    int64_t at;
    if (json_is_string(v) && !eas_map_get(names, json_string_value(v), &at))
      eas_plan_fault(&c->plan, path, suffix, 0, "give a task of its task_list this name",
                     "no task of the loop's list is named '%s'", json_string_value(v));
    json_decref(v);
  }
}

/* The criterion, as it stands after a turn. 0: it is known to end there. */
static int check_criterion(eas_check *c, const json_t *entry, const char *path, const scene *s)
{
  const json_t *names = json_object_get(entry, "requires_metadata_from_child");
  json_t *requested = json_object(), *v;
  for (size_t i = 0; i < json_array_size(names); i++)
    if (json_is_string(json_array_get(names, i)))
      json_object_set_new(requested, json_string_value(json_array_get(names, i)), json_object());
  scene after = *s;
  after.requested = requested;
  use(c, &after);
  int unknown = 0, goes_on = 1;
  if (json_object_get(entry, "repeat_criterion")) {
    v = eas_plan_value(&c->plan, json_object_get(entry, "repeat_criterion"), path, ".repeat_criterion", &unknown);
    goes_on = unknown || (v && eas_expr_truth(v));
    json_decref(v);
  }
  json_decref(requested);
  return goes_on;
}

static void walk_while(eas_check *c, const json_t *entry, const char *path, const scene *s)
{
  const json_t *name = json_object_get(entry, "iteration_name");
  json_t *v = name ? eas_plan_value(&c->plan, name, path, ".iteration_name", NULL) : NULL;
  if (v && (!json_is_string(v) || !json_string_length(v)))
    eas_plan_fault(&c->plan, path, ".iteration_name", 0, NULL, "iteration_name: a name is wanted, found %s",
                   json_is_string(v) ? "an empty string" : eas_plan_kind(v));
  const char *loop = json_is_string(v) ? json_string_value(v) : "iteration";
  char *key = eas_format("%s_index", loop);
  /* the second turn tells outputs without the turn in their name; the prototype's jobs have them, and fail where it comes */
  int goes_on = 1, turns = c->plan.scope.prototype_names ? 1 : 2;
  for (int turn = 1; turn <= turns && goes_on; turn++) {
    eas_map names = { 0 };
    json_t *metadata = json_copy((json_t *)s->metadata);
    json_object_set_new(metadata, key, json_integer(turn));
    scene below = { metadata, c->none, s->directory, new_place(c, s->place, entry, loop, turn) };
    walk_body(c, entry, path, "task_list", &below, &names);
    use(c, &below);
    if (turn == 1) check_children(c, entry, path, &names);
    goes_on = check_criterion(c, entry, path, &below);
    eas_map_done(&names);
    json_decref(metadata);
  }
  free(key);
  json_decref(v);
}

/* ---- conditional */

static void walk_if(eas_check *c, const json_t *entry, const char *path, const scene *s)
{
  const json_t *criterion = json_object_get(entry, "criterion");
  int unknown = 0;
  json_t *v = criterion ? eas_plan_value(&c->plan, criterion, path, ".criterion", &unknown) : NULL;
  int yes = v && eas_expr_truth(v);
  for (int branch = 1; branch >= 0; branch--) {
    const char *list = branch ? "task_list" : "else_task_list";
    int idle = v && yes != branch; /* not taken with these values: its files are not made */
    if (!json_object_get(entry, list)) continue;
    scene below = { s->metadata, c->none, s->directory, new_place(c, s->place, entry, NULL, branch) };
    c->no_files += idle;
    c->plan.guessed += idle;
    walk_body(c, entry, path, list, &below, NULL);
    c->no_files -= idle;
    c->plan.guessed -= idle;
  }
  json_decref(v);
}

/* ---- lists */

/* A loop comes by a task many times: its settings are evaluated with the first values only. */
static void settings_once(eas_check *c, const eas_plan_item *item, const char *path)
{
  int64_t at;
  if (eas_map_get(&c->settled, path, &at)) return;
  eas_map_set(&c->settled, path, 1);
  eas_check_settings(c, item->entry, path);
}

static void descend(eas_check *c, const eas_plan_item *item, const char *path, const scene *s)
{
  json_t *requested = empty_requests(item->needs, item->n_needs),
         *done = empty_requests(item->gathers, item->n_gathers);
  json_object_update_missing(requested, done);
  json_decref(done);
  scene own = *s;
  own.requested = requested;
  if (item->directory) own.directory = item->directory;
  use(c, &own);
  switch (item->flow) {
  case EAS_FLOW_CHAIN: walk_body(c, item->entry, path, "task_list", &own, NULL); break;
  case EAS_FLOW_FOR: walk_for(c, item->entry, path, &own); break;
  case EAS_FLOW_WHILE: walk_while(c, item->entry, path, &own); break;
  case EAS_FLOW_IF: walk_if(c, item->entry, path, &own); break;
  case EAS_FLOW_NONE: settings_once(c, item, path); break;
  }
  json_decref(requested);
}

/* Names in requires_metadata_from and requires_done are those of earlier tasks of the same list. */
static void check_names(eas_check *c, const json_t *list, const eas_plan_item *item, const char *path,
                        const char *field, char *const *wanted, int n_wanted, const eas_map *names)
{
  for (int i = 0; i < n_wanted; i++) {
    int64_t at;
    char suffix[64], *fix = NULL;
    if (eas_map_get(names, wanted[i], &at)) continue;
    snprintf(suffix, sizeof suffix, ".%s[%d]", field, i);
    const char *known[256];
    size_t n = 0;
    for (size_t k = 0; k < names->cap && n < 256; k++)
      if (names->key[k]) known[n++] = names->key[k];
    const char *near = eas_nearest(wanted[i], known, n);
    for (size_t k = 0; k < json_array_size(list) && !fix; k++) {
      const char *later = eas_json_str(json_array_get(list, k), "name");
      if (later && strcmp(later, wanted[i]) == 0)
        fix = json_array_get(list, k) == item->entry
                  ? eas_strdup("it is the name of this task itself")
                  : eas_format("task_list[%zu] is, but comes later; move it before this one", k);
    }
    if (!fix) fix = near ? eas_format("use %s", near) : eas_strdup("name a task of the same list, before this one");
    eas_plan_fault(&c->plan, path, suffix, 0, fix, "no earlier task of this list is named '%s'", wanted[i]);
    free(fix);
  }
}

static void check_item(eas_check *c, const json_t *list, size_t i, const char *path, const scene *s, eas_map *names,
                       eas_plan_item *out)
{
  int64_t at;
  eas_plan_read_item(&c->plan, json_array_get(list, i), path, out);
  c->n_tasks++;
  if (out->flow != EAS_FLOW_NONE && !eas_map_get(&c->seen, path, &at)) {
    eas_map_set(&c->seen, path, 1);
    eas_plan_check_fields(&c->plan, out->flow, 0, out->entry, path);
  }
  const char *directory = out->directory ? out->directory : s->directory;
  check_names(c, list, out, path, "requires_metadata_from", out->needs, out->n_needs, names);
  check_names(c, list, out, path, "requires_done", out->gathers, out->n_gathers, names);
  eas_check_inputs(c, out, path, directory);
  if (out->flow == EAS_FLOW_NONE) eas_check_outputs(c, out, path, directory, s->place);
  if (out->name) eas_map_set(names, out->name, (int64_t)i);
}

static void walk_list(eas_check *c, const json_t *list, const char *path, const scene *s, eas_map *names_out)
{
  size_t n = json_is_array(list) ? json_array_size(list) : 0;
  eas_plan_item *items = eas_alloc((n + 1) * sizeof *items);
  eas_map names = { 0 };
  use(c, s);
  for (size_t i = 0; i < n; i++) {
    char *below = eas_format("%s[%zu]", path, i);
    check_item(c, list, i, below, s, &names, &items[i]);
    free(below);
  }
  for (size_t i = 0; i < n; i++) {
    char *below = eas_format("%s[%zu]", path, i);
    descend(c, &items[i], below, s);
    eas_plan_item_done(&items[i]);
    free(below);
  }
  free(items);
  if (names_out)
    *names_out = names;
  else
    eas_map_done(&names);
}

/* job_name and working_directory of the job itself: expressions without metadata. */
static char *job_field(eas_check *c, const char *name)
{
  const json_t *v = json_object_get(c->f->doc, name);
  char suffix[40], *out = NULL;
  if (!v || json_is_null(v)) return NULL;
  snprintf(suffix, sizeof suffix, ".%s", name);
  json_t *value = eas_plan_value(&c->plan, v, "$", suffix, NULL);
  if (json_is_string(value))
    out = eas_strdup(json_string_value(value));
  else if (value)
    eas_plan_fault(&c->plan, "$", suffix, 0, NULL, "%s: a string is wanted, found %s", name, eas_plan_kind(value));
  json_decref(value);
  return out;
}

static char *job_directory(eas_check *c)
{
  char *directory = job_field(c, "working_directory");
  eas_err why = { 0 };
  if (directory && directory[0] && eas_path_check_relative(directory, &why) < 0)
    eas_plan_fault(&c->plan, "$", ".working_directory", 0, "a folder inside the output store, such as \"my_grid\"",
                   "%s", why.text);
  return directory ? directory : eas_strdup("");
}

static void check_done(eas_check *c)
{
  eas_check_files_done(c);
  eas_map_done(&c->seen);
  eas_map_done(&c->settled);
  while (c->places) {
    eas_place *next = c->places->all;
    free(c->places->variable);
    free(c->places->loop);
    free(c->places);
    c->places = next;
  }
}

int eas_job_check(const eas_jobfile *f, const eas_registry *r, const eas_check_options *o, eas_problems *out,
                  eas_err *err)
{
  const char *compat = eas_json_str(f->doc, "compat");
  json_t *none = json_object();
  eas_check c = { .f = f,
                  .o = o,
                  .none = none,
                  .plan = { .registry = r,
                            .dry = 1,
                            .input_path = o->input_path,
                            .problems = out,
                            .scope = { .metadata = none,
                                       .dry = 1,
                                       .prototype_names =
                                           o->prototype_names || (compat && strcmp(compat, "prototype") == 0) } } };
  eas_plan_check_fields(&c.plan, EAS_FLOW_CHAIN, 1, f->doc, "$");
  char *name = job_field(&c, "job_name"), *directory = job_directory(&c);
  scene s = { none, none, directory, NULL };
  walk_list(&c, json_object_get(f->doc, "task_list"), "$.task_list", &s, NULL);
  int rc = eas_check_settle(&c, err);
  free(name);
  free(directory);
  json_decref(none);
  check_done(&c);
  if (rc < 0) return rc;
  if (!out->n) return 0;
  return eas_fail(err, EAS_EFORMAT, "%s: %zu error%s, nothing was stored", f->file, out->n, out->n == 1 ? "" : "s");
}
