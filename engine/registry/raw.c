/* raw.c: elements of a validated registry file as containers and task types. */
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "registry/raw.h"

enum { DAY_MS = 24 * 3600 * 1000 };

void *eas_registry_keep(eas_registry *r, void *p)
{
  r->pool = eas_realloc(r->pool, (r->n_pool + 1) * sizeof *r->pool);
  r->pool[r->n_pool++] = p;
  return p;
}

static int line_of(const xmlNode *e)
{
  return (int)xmlGetLineNo(e);
}

static double number_of(const xmlNode *e)
{
  char *text = eas_registry_text(e);
  double v = strtod(text, NULL); /* a decimal: the schema has seen to it */
  free(text);
  return v;
}

static int is_yes(const xmlNode *e)
{
  char *text = eas_registry_text(e);
  int yes = strcmp(text, "yes") == 0;
  free(text);
  return yes;
}

static int read_duration(const xmlNode *e, const char *file, int64_t *out, eas_err *err)
{
  static const struct {
    const char *unit;
    double ms;
  } units[] = { { "ms", 1 }, { "s", 1000 }, { "min", 60e3 }, { "h", 3600e3 }, { "d", DAY_MS } };
  char *end, *text = eas_registry_text(e);
  double v = strtod(text, &end), factor = 1000;
  end += strspn(end, " ");
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(end, units[i].unit) == 0) factor = units[i].ms;
  double ms = v * factor;
  int rc = 0;
  if (!(ms >= 1 && ms <= 366.0 * DAY_MS))
    rc = eas_fail(err, EAS_EFORMAT, "%s:%d: %s '%s': expected 1 ms to 366 d", file, line_of(e), (const char *)e->name,
                  text);
  *out = (int64_t)ms;
  free(text);
  return rc;
}

/* ---- what is tried again */

static const char all_kinds[] =
    "lost crashed timeout cpu memory disk processes error qc"; /* in the order of the bits */

const char *eas_retry_kinds(void)
{
  return all_kinds;
}

unsigned eas_retry_kind(const char *word)
{
  size_t n = strlen(word);
  unsigned bit = 1;
  for (const char *p = all_kinds; *p; bit <<= 1) {
    size_t m = strcspn(p, " ");
    if (m == n && memcmp(p, word, n) == 0) return bit;
    p += m + strspn(p + m, " ");
  }
  return 0;
}

/* "none", or endings divided by blanks. */
static int read_retry(const xmlNode *e, eas_task_type *t, eas_err *err)
{
  char *text = eas_registry_text(e), *save = NULL;
  int rc = 0;
  t->retry = 0;
  for (char *w = strcmp(text, "none") == 0 ? NULL : strtok_r(text, " \t\r\n", &save); w && rc == 0;
       w = strtok_r(NULL, " \t\r\n", &save)) {
    unsigned bit = eas_retry_kind(w);
    t->retry |= bit;
    if (bit) continue;
    rc = eas_fail(err, EAS_EFORMAT, "%s:%d: retry of task '%s': no attempt ends as '%s'", t->file, line_of(e), t->name,
                  w);
    eas_hint(err, "none, or some of: %s", all_kinds);
  }
  free(text);
  return rc;
}

/* ---- containers */

static int add_container(eas_registry *r, const xmlNode *e, const char *file, eas_err *err)
{
  const xmlNode *need = eas_registry_child(e, "resourceRequirements");
  const xmlNode *name = eas_registry_child(e, "name");
  eas_container c = { .file = file, .line = line_of(e) };
  c.name = eas_registry_keep(r, eas_registry_text(name));
  c.cpu = number_of(eas_registry_child(need, "cpu"));
  c.gpu = number_of(eas_registry_child(need, "gpu"));
  c.memory_gb = number_of(eas_registry_child(need, "memory_gb"));
  if (strcmp(c.name, "all") == 0)
    return eas_fail(err, EAS_EFORMAT, "%s:%d: 'all' cannot name a container: it means all of them", file,
                    line_of(name));
  for (int i = 0; i < r->n_container; i++)
    if (strcmp(r->container[i].name, c.name) == 0)
      return eas_fail(err, EAS_EEXIST, "%s:%d: container '%s' is there twice: first at %s:%d", file, line_of(name),
                      c.name, r->container[i].file, r->container[i].line);
  r->container = eas_realloc(r->container, (size_t)(r->n_container + 1) * sizeof c);
  r->container[r->n_container++] = c;
  return 0;
}

/* ---- task types */

static int is_one_of(const char *name, const char *const *names)
{
  for (; *names; names++)
    if (strcmp(name, *names) == 0) return 1;
  return 0;
}

static void set_defaults(eas_task_type *t)
{
  static const char *const flow[] = { "execution_chain", "execution_for_loop", "execution_do_while_loop",
                                      "execution_conditional", NULL };
  static const char *const never_reused[] = { "null", "error", "ingest_external_lcs", NULL };
  t->flow = is_one_of(t->name, flow);
  t->reuse = !is_one_of(t->name, never_reused);
  t->description = "";
  t->timeout_ms = DAY_MS;
  t->max_attempts = 3;
  t->max_losses = EAS_MAX_LOSSES;
  t->retry = EAS_RETRY_DEFAULT;
  t->retry_delay_ms = EAS_RETRY_DELAY_MS;
  t->memory_gb = 0; /* not given: from its containers */
  t->cpu = 1;
}

static void add_ref(eas_registry *r, eas_raw_task *task, const xmlNode *e)
{
  task->ref = eas_realloc(task->ref, (size_t)(task->n_ref + 1) * sizeof *task->ref);
  task->ref[task->n_ref].name = eas_registry_keep(r, eas_registry_text(e));
  task->ref[task->n_ref++].line = line_of(e);
}

/* One element below task, name and container apart. */
static int set_field(eas_registry *r, eas_task_type *t, const xmlNode *e, eas_err *err)
{
  const char *field = (const char *)e->name;
  if (strcmp(field, "description") == 0)
    t->description = eas_registry_keep(r, eas_registry_text(e));
  else if (strcmp(field, "timeout") == 0)
    return read_duration(e, t->file, &t->timeout_ms, err);
  else if (strcmp(field, "retry_delay") == 0)
    return read_duration(e, t->file, &t->retry_delay_ms, err);
  else if (strcmp(field, "retry") == 0)
    return read_retry(e, t, err);
  else if (strcmp(field, "max_losses") == 0)
    t->max_losses = (int)number_of(e);
  else if (strcmp(field, "max_running") == 0)
    t->max_running = (int)number_of(e);
  else if (strcmp(field, "max_attempts") == 0)
    t->max_attempts = (int)number_of(e);
  else if (strcmp(field, "random") == 0)
    t->random = is_yes(e);
  else if (strcmp(field, "reuse") == 0)
    t->reuse = is_yes(e);
  else if (strcmp(field, "program") == 0)
    t->program = eas_registry_keep(r, eas_registry_text(e));
  else if (strcmp(field, "input_folder") == 0)
    t->input_folder = is_yes(e);
  else {
    double v = number_of(e);
    if (v == 0) return eas_fail(err, EAS_EFORMAT, "%s:%d: %s of task '%s' is 0", t->file, line_of(e), field, t->name);
    *(strcmp(field, "cpu") == 0 ? &t->cpu : &t->memory_gb) = v;
  }
  return 0;
}

/* An element that stands before e in the same task under the same name, or NULL. */
static const xmlNode *earlier(const xmlNode *e)
{
  for (const xmlNode *p = e->prev; p; p = p->prev)
    if (p->type == XML_ELEMENT_NODE && strcmp((const char *)p->name, (const char *)e->name) == 0) return p;
  return NULL;
}

static int read_task(eas_registry *r, eas_raw_task *task, const xmlNode *of, eas_err *err)
{
  eas_task_type *t = &task->type;
  for (const xmlNode *e = of->children; e; e = e->next) {
    if (e->type != XML_ELEMENT_NODE) continue;
    int is_container = strcmp((const char *)e->name, "container") == 0;
    const xmlNode *first = earlier(e);
    if (first && !is_container)
      return eas_fail(err, EAS_EFORMAT, "%s:%d: %s of task '%s' is there twice: first at line %d", t->file, line_of(e),
                      (const char *)e->name, t->name, line_of(first));
    if (is_container)
      add_ref(r, task, e);
    else if (strcmp((const char *)e->name, "name") != 0) {
      int rc = set_field(r, t, e, err);
      if (rc < 0) return rc;
    }
  }
  if (task->n_ref == 0) {
    eas_fail(err, EAS_EFORMAT, "%s:%d: task '%s' has no container", t->file, t->line, t->name);
    return eas_hint(err, "add <container>all</container>, or the name of one");
  }
  return 0;
}

static int add_task(eas_registry *r, const xmlNode *e, const char *file, const char *pack, eas_err *err)
{
  const xmlNode *name = eas_registry_child(e, "name");
  if (!name) return eas_fail(err, EAS_EFORMAT, "%s:%d: a task without a name", file, line_of(e));
  eas_raw_task task = { .type = { .file = file, .line = line_of(e), .pack = pack } };
  task.type.name = eas_registry_keep(r, eas_registry_text(name));
  set_defaults(&task.type);
  for (int i = 0; i < r->n_raw; i++)
    if (strcmp(r->raw[i].type.name, task.type.name) == 0)
      return eas_fail(err, EAS_EEXIST, "%s:%d: task '%s' is there twice: first at %s:%d", file, line_of(name),
                      task.type.name, r->raw[i].type.file, r->raw[i].type.line);
  int rc = read_task(r, &task, e, err);
  r->raw = eas_realloc(r->raw, (size_t)(r->n_raw + 1) * sizeof task);
  r->raw[r->n_raw++] = task; /* also when it failed: its references are freed with the rest */
  return rc;
}

int eas_registry_collect(eas_registry *r, const xmlDoc *doc, const char *file, const char *pack, eas_err *err)
{
  const xmlNode *root = xmlDocGetRootElement(doc);
  const xmlNode *containers = eas_registry_child(root, "containers"), *tasks = eas_registry_child(root, "tasks");
  int rc = 0;
  for (const xmlNode *e = containers ? containers->children : NULL; e && rc == 0; e = e->next)
    if (e->type == XML_ELEMENT_NODE) rc = add_container(r, e, file, err);
  for (const xmlNode *e = tasks ? tasks->children : NULL; e && rc == 0; e = e->next)
    if (e->type == XML_ELEMENT_NODE) rc = add_task(r, e, file, pack, err);
  return rc;
}

int eas_registry_add(eas_registry *r, const eas_registry_schema *s, const char *path, const char *pack,
                     const char *text, size_t size, eas_err *err)
{
  xmlDoc *doc;
  int rc = eas_registry_xml(s, path, text, size, &doc, err);
  if (rc < 0) return rc;
  rc = eas_registry_collect(r, doc, path, pack, err);
  xmlFreeDoc(doc);
  return rc;
}
