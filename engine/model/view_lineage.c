/* view_lineage.c: what a version was made of, back to what came from outside; and the job that makes it again. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "model/expand_map.h"
#include "model/view.h"

enum { MOST = 5000 };

typedef struct {
  eas_db *db;
  json_t *list;  /* attempts, makers before users */
  eas_map known; /* "a12" -> place in list */
  int depth;
} lineage;

static int64_t id_of(const char *text)
{
  return text ? strtoll(text + 1, NULL, 10) : 0;
}

static int visit(lineage *l, int64_t attempt, int64_t *place, eas_err *err);

/* The attempt that wrote a version. */
static int visit_version(lineage *l, const char *version, int64_t *place, eas_err *err)
{
  json_t *file = NULL, *v;
  size_t i;
  int rc = eas_view_file(l->db, id_of(version), 1, &file, err);
  if (rc < 0) return rc;
  int64_t attempt = 0;
  json_array_foreach(json_object_get(file, "versions"), i, v) if (strcmp(eas_json_str(v, "version"), version) == 0)
      attempt = id_of(eas_json_str(v, "attempt"));
  json_decref(file);
  return visit(l, attempt, place, err);
}

static int visit_inputs(lineage *l, json_t *a, eas_err *err)
{
  json_t *v;
  size_t i;
  json_array_foreach(json_object_get(a, "inputs"), i, v)
  {
    int64_t from = 0;
    int rc = visit_version(l, eas_json_str(v, "version"), &from, err);
    if (rc < 0) return rc;
    json_object_set_new(v, "from", json_integer(from));
  }
  return 0;
}

/* What the task asked of others: the results they were accepted with. */
static int visit_needs(lineage *l, json_t *a, eas_err *err)
{
  json_t *task = NULL, *v, *needs = json_array();
  size_t i;
  int rc = eas_view_task(l->db, id_of(eas_json_str(a, "task")), &task, err);
  json_array_foreach(json_object_get(task, "needs"), i, v)
  {
    json_t *maker = NULL;
    int64_t from = 0;
    if (rc >= 0) rc = eas_view_task(l->db, id_of(eas_json_str(v, "maker")), &maker, err);
    const char *accepted = eas_json_str(maker, "accepted");
    if (rc >= 0 && accepted && strncmp(eas_json_str(v, "maker_type"), "execution_", 10) != 0) {
      rc = visit(l, id_of(accepted), &from, err);
      json_array_append_new(needs,
                            json_pack("{s:O,s:I}", "name", json_object_get(v, "name"), "from", (json_int_t)from));
    }
    json_decref(maker);
    if (rc < 0) break;
  }
  if (rc >= 0) json_object_set(a, "metadata_seen", json_object_get(task, "parameters"));
  json_decref(task);
  json_object_set_new(a, "needs", needs);
  return rc;
}

static int visit(lineage *l, int64_t attempt, int64_t *place, eas_err *err)
{
  json_t *a = NULL;
  char key[32];
  snprintf(key, sizeof key, "a%lld", (long long)attempt);
  if (eas_map_get(&l->known, key, place)) return 0;
  int rc = eas_view_attempt(l->db, attempt, &a, err);
  if (rc < 0) return rc;
  const char *reused = eas_json_str(a, "reused");
  if (reused) {
    rc = visit(l, id_of(reused), place, err);
    json_decref(a);
    if (rc == EAS_ENOENT) rc = eas_fail(err, EAS_ENOENT, "%s took the results of %s, which was purged", key, reused);
  } else {
    if (++l->depth > 1000 || json_array_size(l->list) >= MOST)
      rc = eas_fail(err, EAS_ELIMIT, "the lineage has more than %d attempts", MOST);
    if (rc >= 0) rc = visit_inputs(l, a, err);
    if (rc >= 0) rc = visit_needs(l, a, err);
    l->depth--;
    *place = (int64_t)json_array_size(l->list);
    json_array_append_new(l->list, a);
  }
  if (rc >= 0) eas_map_set(&l->known, key, *place);
  return rc;
}

int eas_view_lineage(eas_db *db, int64_t version, json_t **out, eas_err *err)
{
  lineage l = { .db = db, .list = json_array() };
  char text[32];
  int64_t place = 0;
  snprintf(text, sizeof text, "v%lld", (long long)version);
  int rc = visit_version(&l, text, &place, err);
  eas_map_done(&l.known);
  if (rc < 0) {
    json_decref(l.list);
    return rc;
  }
  *out = l.list;
  return (int)json_array_size(l.list);
}

/* --- the job that makes it again --- */

/* A text stands for itself, even if it looks like an expression. */
static json_t *literal(const json_t *v)
{
  const char *key;
  json_t *inner, *copy;
  size_t i;
  if (json_is_string(v)) {
    const char *s = json_string_value(v), *p = s + strspn(s, " \t\r\n");
    if (*p != '(' && *p != '\'' && *p != '"') return json_string(s);
    eas_buf b;
    eas_buf_init(&b);
    eas_buf_char(&b, '\'');
    for (p = s; *p; p++) {
      if (*p == '\\' || *p == '\'') eas_buf_char(&b, '\\');
      if (*p == '\n')
        eas_buf_str(&b, "\\n");
      else
        eas_buf_char(&b, *p);
    }
    eas_buf_char(&b, '\'');
    copy = json_string(b.data);
    eas_buf_done(&b);
    return copy;
  }
  if (json_is_object(v)) {
    copy = json_object();
    json_object_foreach((json_t *)(uintptr_t)v, key, inner) json_object_set_new(copy, key, literal(inner));
    return copy;
  }
  if (json_is_array(v)) {
    copy = json_array();
    json_array_foreach((json_t *)(uintptr_t)v, i, inner) json_array_append_new(copy, literal(inner));
    return copy;
  }
  return json_deep_copy(v);
}

/* Names of files are unique in a job; those of a lineage may come from several. */
static char *file_name(eas_map *taken, const char *version, const char *filename)
{
  int64_t there;
  char *key = eas_format("/%s", filename), *name = eas_strdup(filename);
  if (eas_map_get(taken, key, &there)) {
    free(name);
    name = eas_format("%s_%s", version, filename);
  }
  eas_map_set(taken, key, 1);
  free(key);
  return name;
}

static json_t *outputs_of(eas_map *taken, json_t *names, const json_t *a)
{
  json_t *outputs = json_object(), *v;
  size_t i;
  json_array_foreach(json_object_get(a, "outputs"), i, v)
  {
    char *name = file_name(taken, eas_json_str(v, "version"), eas_json_str(v, "filename"));
    json_object_set_new(names, eas_json_str(v, "version"), json_string(name));
    json_object_set_new(outputs, eas_json_str(v, "kind"), literal(json_object_get(names, eas_json_str(v, "version"))));
    free(name);
  }
  return outputs;
}

/* The version that the user bound may be one that a reused attempt has a row of its own for: found by kind. */
static const json_t *made_by(const json_t *lineage_list, const json_t *input)
{
  const json_t *maker = json_array_get(lineage_list, (size_t)eas_json_int(input, "from", 0));
  const char *digest = eas_json_str(input, "sha256");
  size_t i;
  json_t *v;
  json_array_foreach(json_object_get(maker, "outputs"), i,
                     v) if (strcmp(eas_json_str(v, "sha256"), digest) == 0 &&
                            strcmp(eas_json_str(v, "filename"), eas_json_str(input, "filename")) == 0) return v;
  json_array_foreach(json_object_get(maker, "outputs"), i,
                     v) if (strcmp(eas_json_str(v, "sha256"), digest) == 0) return v;
  return NULL;
}

static json_t *settings_of(const json_t *a)
{
  static const char *const names[] = { "task",
                                       "name",
                                       "inputs",
                                       "outputs",
                                       "job_name",
                                       "working_directory",
                                       "replay",
                                       "requires_done",
                                       "requires_metadata_from",
                                       "requires_passed_fraction" };
  json_t *task = literal(json_object_get(a, "description"));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) json_object_del(task, names[i]);
  return task;
}

typedef struct {
  const json_t *lineage;
  json_t *tasks, *names; /* names: version -> file */
  eas_map taken, named;  /* named: the name of a task -> its place */
} rebuild;

static int add_links(rebuild *r, const json_t *a, json_t *task, eas_err *err)
{
  json_t *inputs = json_object(), *needs = json_array(), *v;
  size_t i;
  int rc = 0;
  json_array_foreach(json_object_get(a, "inputs"), i, v)
  {
    const json_t *made = made_by(r->lineage, v);
    json_t *file = made ? json_object_get(r->names, eas_json_str(made, "version")) : NULL;
    if (!file) rc = eas_fail(err, EAS_EINVAL, "%s: no recorded task made it", eas_json_str(v, "filename"));
    if (rc == 0) json_object_set_new(inputs, eas_json_str(v, "kind"), literal(file));
  }
  json_array_foreach(json_object_get(a, "needs"), i, v)
  {
    int64_t place = -1;
    const char *name = eas_json_str(v, "name");
    if (!eas_map_get(&r->named, name, &place) || place != eas_json_int(v, "from", -2))
      rc = eas_fail(err, EAS_EINVAL, "%s asks for '%s', and its lineage has several tasks of that name; rerun its job",
                    eas_json_str(a, "task"), name);
    json_array_append(needs, json_object_get(v, "name"));
  }
  if (json_object_size(inputs)) json_object_set(task, "inputs", inputs);
  if (json_array_size(needs)) json_object_set(task, "requires_metadata_from", needs);
  json_decref(inputs);
  json_decref(needs);
  return rc;
}

static int add_task(rebuild *r, size_t place, eas_err *err)
{
  const json_t *a = json_array_get(r->lineage, place), *description = json_object_get(a, "description");
  const char *name = eas_json_str(description, "name");
  const json_t *seen = json_object_get(json_object_get(a, "provenance"), "metadata");
  if (!json_is_object(description)) {
    eas_fail(err, EAS_EINVAL, "%s %s: its settings are not recorded", eas_json_str(a, "attempt"),
             eas_json_str(a, "type"));
    return eas_hint(err, "what begins with files from outside (eas task), or with a type that is never reused, is made "
                         "again by its job");
  }
  if (!seen) seen = json_object_get(a, "metadata_seen");
  json_t *task = json_object();
  json_object_set(task, "task", json_object_get(a, "type"));
  if (name) {
    json_object_set_new(task, "name", literal(json_object_get(description, "name")));
    eas_map_set(&r->named, name, (int64_t)place);
  }
  int rc = add_links(r, a, task, err);
  json_t *outputs = outputs_of(&r->taken, r->names, a), *settings = settings_of(a);
  if (json_object_size(outputs)) json_object_set(task, "outputs", outputs);
  json_object_update(task, settings);
  json_object_set_new(task, "replay",
                      json_pack("{s:O,s:o}", "seed", json_object_get(a, "seed"), "metadata",
                                json_is_object(seen) ? json_incref((json_t *)(uintptr_t)seen) : json_object()));
  json_array_append_new(r->tasks, task);
  json_decref(outputs);
  json_decref(settings);
  return rc;
}

int eas_lineage_job(const json_t *lineage_list, const char *name, json_t **job, json_t **files, eas_err *err)
{
  rebuild r = { .lineage = lineage_list, .tasks = json_array(), .names = json_object() };
  int rc = 0;
  for (size_t i = 0; i < json_array_size(lineage_list) && rc >= 0; i++) rc = add_task(&r, i, err);
  eas_map_done(&r.taken);
  eas_map_done(&r.named);
  if (rc < 0) {
    json_decref(r.tasks);
    json_decref(r.names);
    return rc;
  }
  *job = json_pack("{s:s,s:s,s:o}", "job_name", name, "comment",
                   "Tasks as they ran once, with their seeds and the metadata they saw: written by eas provenance.",
                   "task_list", r.tasks);
  *files = r.names;
  return 0;
}
