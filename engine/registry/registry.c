/* registry.c: the registries of all packs as one: names resolved, scripts found, looked up by name. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/path.h"
#include "registry/raw.h"

enum { DEFAULT_MEMORY_GB = 8 }; /* of a type for "all" where no container is described */

/* ---- files of a pack */

static int is_xml(const struct dirent *d)
{
  size_t n = strlen(d->d_name);
  return n > 4 && d->d_name[0] != '.' && strcmp(d->d_name + n - 4, ".xml") == 0;
}

static int read_one(eas_registry *r, const eas_registry_schema *s, const char *path, const char *pack, eas_err *err)
{
  eas_buf text;
  eas_buf_init(&text);
  int rc = eas_file_read(path, EAS_REGISTRY_MAX_FILE, &text, err);
  if (rc >= 0) rc = eas_registry_add(r, s, path, pack, text.data ? text.data : "", text.len, err);
  eas_buf_done(&text);
  return rc;
}

static int read_pack(eas_registry *r, const eas_registry_schema *s, const char *pack, eas_err *err)
{
  char *folder = eas_path_join(pack, "registry");
  struct dirent **found = NULL;
  int rc = 0, n = scandir(folder, &found, is_xml, alphasort);
  if (n < 0 && errno != ENOENT) /* a pack of libraries has none */
    rc = eas_fail(err, EAS_EIO, "open '%s': %s", folder, strerror(errno));
  for (int i = 0; i < n; i++) {
    char *path = eas_registry_keep(r, eas_path_join(folder, found[i]->d_name));
    if (rc == 0) rc = read_one(r, s, path, pack, err);
    free(found[i]);
  }
  free(found);
  free(folder);
  return rc;
}

/* Absolute paths of the packs, NULL-terminated, kept. */
static int real_packs(eas_registry *r, const char *const *packs, const char *const **out, eas_err *err)
{
  int n = 0;
  while (packs[n]) n++;
  const char **real = eas_registry_keep(r, eas_alloc((size_t)(n + 1) * sizeof *real));
  *out = real;
  for (int i = 0; i < n; i++) {
    char *path = realpath(packs[i], NULL);
    if (!path) {
      eas_fail(err, EAS_ENOENT, "task pack '%s': %s", packs[i], strerror(errno));
      return eas_hint(err, "name existing folders in EAS_TASK_PATH or --task-path");
    }
    real[i] = eas_registry_keep(r, path);
    for (int k = 0; k < i; k++)
      if (strcmp(real[k], path) == 0) return eas_fail(err, EAS_EEXIST, "task pack '%s' is named twice", path);
  }
  return 0;
}

/* ---- names and scripts */

static int unknown_container(const eas_registry *r, const eas_raw_task *task, const eas_raw_ref *ref, eas_err *err)
{
  const char **names = eas_alloc((size_t)(r->n_container + 1) * sizeof *names);
  for (int i = 0; i < r->n_container; i++) names[i] = r->container[i].name;
  eas_fail(err, EAS_ENOENT, "%s:%d: unknown container '%s' in task '%s'", task->type.file, ref->line, ref->name,
           task->type.name);
  const char *near = eas_nearest(ref->name, names, (size_t)r->n_container);
  if (near)
    eas_hint(err, "use %s", near);
  else
    eas_hint(err, "%d containers are known, %s%s; or write all", r->n_container, r->n_container ? "as " : "add it",
             r->n_container ? names[0] : "");
  free(names);
  return EAS_ENOENT;
}

static int resolve(eas_registry *r, const eas_raw_task *task, eas_task_type *out, eas_err *err)
{
  int all = 0, n = 0;
  *out = task->type;
  for (int i = 0; i < task->n_ref; i++) all |= strcmp(task->ref[i].name, "all") == 0;
  const char **names = eas_registry_keep(r, eas_alloc((size_t)(r->n_container + 1) * sizeof *names));
  for (int i = 0; i < task->n_ref; i++)
    if (strcmp(task->ref[i].name, "all") != 0 && !eas_registry_container(r, task->ref[i].name))
      return unknown_container(r, task, &task->ref[i], err);
  double memory = 0;
  for (int i = 0; i < r->n_container; i++) {
    int wanted = all;
    for (int k = 0; k < task->n_ref; k++) wanted |= strcmp(task->ref[k].name, r->container[i].name) == 0;
    if (!wanted) continue;
    names[n++] = r->container[i].name;
    if (r->container[i].memory_gb > memory) memory = r->container[i].memory_gb;
  }
  out->containers = names;
  if (out->memory_gb == 0) out->memory_gb = memory > 0 ? memory : DEFAULT_MEMORY_GB;
  return 0;
}

/* Path of TYPE.lua in `folder` of one of the packs; it may be in one only. */
static int find_script(eas_registry *r, const char *const *packs, int n, const eas_task_type *t, const char *folder,
                       const char **out, eas_err *err)
{
  *out = NULL;
  for (int i = 0; i < n; i++) {
    char *path = eas_format("%s/%s/%s.lua", packs[i], folder, t->name);
    if (access(path, R_OK) != 0) {
      free(path);
      continue;
    }
    eas_registry_keep(r, path);
    if (*out) {
      eas_fail(err, EAS_EEXIST, "%s: there is a script of this name already: %s", path, *out);
      return eas_hint(err, "give the type another name");
    }
    *out = path;
  }
  return 0;
}

static int find_scripts(eas_registry *r, const char *const *packs, eas_task_type *t, eas_err *err)
{
  int n = 0, rc = 0;
  while (packs[n]) n++;
  if (t->flow) return 0;
  rc = find_script(r, packs, n, t, "tasks_lua", &t->script, err);
  return rc < 0 ? rc : find_script(r, packs, n, t, "qc_lua", &t->qc, err);
}

static int by_type_name(const void *a, const void *b)
{
  return strcmp(((const eas_task_type *)a)->name, ((const eas_task_type *)b)->name);
}

static int by_container_name(const void *a, const void *b)
{
  return strcmp(((const eas_container *)a)->name, ((const eas_container *)b)->name);
}

int eas_registry_resolve(eas_registry *r, const char *const *packs, eas_err *err)
{
  if (r->n_container) qsort(r->container, (size_t)r->n_container, sizeof *r->container, by_container_name);
  r->type = eas_alloc((size_t)(r->n_raw + 1) * sizeof *r->type);
  r->names = eas_alloc((size_t)(r->n_raw + 1) * sizeof *r->names);
  for (int i = 0; i < r->n_raw; i++) {
    int rc = resolve(r, &r->raw[i], &r->type[i], err);
    if (rc == 0) rc = find_scripts(r, packs, &r->type[i], err);
    if (rc < 0) return rc;
  }
  qsort(r->type, (size_t)r->n_raw, sizeof *r->type, by_type_name);
  for (int i = 0; i < r->n_raw; i++) r->names[i] = r->type[i].name;
  return 0;
}

/* ---- the face */

int eas_registry_open(eas_registry **out, const char *const *packs, eas_err *err)
{
  eas_registry_schema *schema = NULL;
  eas_registry *r = eas_alloc(sizeof *r);
  const char *const *real;
  eas_err spare;
  if (!err) err = &spare; /* eas_hint(NULL) gives 0, which would pass for success */
  int rc = real_packs(r, packs, &real, err);
  if (rc == 0) rc = eas_registry_schema_new(&schema, err);
  for (int i = 0; rc == 0 && real[i]; i++) rc = read_pack(r, schema, real[i], err);
  if (rc == 0) rc = eas_registry_resolve(r, real, err);
  eas_registry_schema_free(schema);
  if (rc < 0)
    eas_registry_close(r);
  else
    *out = r;
  return rc;
}

void eas_registry_close(eas_registry *r)
{
  if (!r) return;
  for (size_t i = 0; i < r->n_pool; i++) free(r->pool[i]);
  for (int i = 0; i < r->n_raw; i++) free(r->raw[i].ref);
  free(r->pool);
  free(r->container);
  free(r->raw);
  free(r->type);
  free(r->names);
  free(r);
}

const eas_task_type *eas_registry_type(const eas_registry *r, const char *name)
{
  const eas_task_type key = { .name = name };
  return bsearch(&key, r->type, (size_t)r->n_raw, sizeof key, by_type_name);
}

const eas_task_type *eas_registry_types(const eas_registry *r, int *n)
{
  *n = r->n_raw;
  return r->type;
}

const eas_container *eas_registry_container(const eas_registry *r, const char *name)
{
  for (int i = 0; i < r->n_container; i++)
    if (strcmp(r->container[i].name, name) == 0) return &r->container[i];
  return NULL;
}

const eas_container *eas_registry_containers(const eas_registry *r, int *n)
{
  *n = r->n_container;
  return r->container;
}

int eas_registry_set_max_running(eas_registry *r, const char *type, int max_running, eas_err *err)
{
  for (int i = 0; i < r->n_raw; i++)
    if (strcmp(r->type[i].name, type) == 0) {
      r->type[i].max_running = max_running;
      return 0;
    }
  eas_fail(err, EAS_ENOENT, "unknown task type '%s'", type);
  const char *near = eas_registry_nearest(r, type);
  return near ? eas_hint(err, "use %s", near) : eas_hint(err, "all types: eas registry list");
}

int eas_registry_set_program(eas_registry *r, const char *program, const char *path, eas_err *err)
{
  int n = 0;
  char *kept = eas_registry_keep(r, eas_strdup(path));
  for (int i = 0; i < r->n_raw; i++) {
    if (!r->type[i].program || strcmp(r->type[i].program, program) != 0) continue;
    r->type[i].program_path = kept;
    n++;
  }
  return n > 0 ? 0 : eas_fail(err, EAS_ENOENT, "no task type runs a program '%s'", program);
}

const char *eas_registry_nearest(const eas_registry *r, const char *name)
{
  return eas_nearest(name, r->names, (size_t)r->n_raw);
}

int eas_registry_runnable(const eas_registry *r, const eas_task_type *t, eas_err *err)
{
  int rc = eas_registry_usable(r, t, err);
  if (rc < 0 || !t->program || t->program_path) return rc;
  eas_fail(err, EAS_ENOENT, "task type '%s' runs the program '%s', which is not configured", t->name, t->program);
  eas_hint(err, "as programs: %s=/path/to/it in the configuration, or EAS_PROGRAMS", t->program);
  return EAS_ENOENT;
}

int eas_registry_usable(const eas_registry *r, const eas_task_type *t, eas_err *err)
{
  (void)r;
  if (t->flow || (t->script && t->qc)) return 0;
  const char *what = t->script ? "QC script" : "task script", *folder = t->script ? "qc_lua" : "tasks_lua";
  eas_fail(err, EAS_ENOENT, "%s:%d: task type '%s' has no %s", t->file, t->line, t->name, what);
  eas_hint(err, "write %s/%s/%s.lua, or put it into another pack of the task path", t->pack, folder, t->name);
  return EAS_ENOENT;
}
