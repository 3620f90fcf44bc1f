/* expand_fields.c: which fields a job and its flow control have. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/expand_plan.h"
#include "model/policy.h"

typedef struct {
  const char *name, *form;
  unsigned in;
} field;

enum { JOB = 1, CHAIN = 2, FOR = 4, WHILE = 8, IF = 16, FLOW = CHAIN | FOR | WHILE | IF };

static const field fields[] = {
  { "task", "task: \"TYPE\"", FLOW },
  { "name", "name: \"NAME\"", FLOW },
  { "inputs", "inputs: { \"lightcurve\": \"lc.fits\" }", FLOW },
  { "outputs", "outputs: {}", FLOW },
  { "job_name", "job_name: \"NAME\"", FLOW | JOB },
  { "working_directory", "working_directory: \"FOLDER\"", FLOW | JOB },
  { "requires_metadata_from", "requires_metadata_from: [\"NAME\"]", FLOW },
  { "requires_done", "requires_done: [\"NAME\"]", FLOW },
  { "requires_passed_fraction", "requires_passed_fraction: 0.95", FLOW },
  { "task_list", "task_list: [ { \"task\": \"TYPE\" } ]", FLOW | JOB },
  { "comment", "comment: \"...\"", FLOW | JOB },
  { "seed", "seed: 1", JOB },
  { "priority", "priority: 0", JOB },
  { "compat", "compat: \"prototype\"", JOB },
  { "retry", "retry: { \"max_attempts\": 3 }", JOB },
  { "parameter", "parameter: \"NAME\"", FOR },
  { "label", "label: \"planet radius (Earth radii)\"", FOR },
  { "values", "values: [1, 2, 3]", FOR },
  { "linear_range", "linear_range: [start, stop, count]", FOR },
  { "log_range", "log_range: [start, stop, count]", FOR },
  { "files", "files: \"*.fits\"", FOR },
  { "iteration_name", "iteration_name: \"NAME\"", WHILE },
  { "requires_metadata_from_child", "requires_metadata_from_child: [\"NAME\"]", WHILE },
  { "repeat_criterion", "repeat_criterion: \"(EXPRESSION)\"", WHILE },
  { "criterion", "criterion: \"(EXPRESSION)\"", IF },
  { "else_task_list", "else_task_list: [ { \"task\": \"TYPE\" } ]", IF },
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static const field *find(const char *name, unsigned in)
{
  for (size_t i = 0; i < N_FIELDS; i++)
    if ((fields[i].in & in) && strcmp(fields[i].name, name) == 0) return &fields[i];
  return NULL;
}

static const char *owner_of(eas_flow flow, int is_job)
{
  return is_job ? "a job" : eas_flow_name(flow);
}

static void unknown(eas_plan *p, const char *path, const char *name, unsigned in, const char *owner)
{
  const char *names[N_FIELDS];
  size_t n = 0;
  eas_buf fix;
  eas_buf_init(&fix);
  for (size_t i = 0; i < N_FIELDS; i++)
    if (fields[i].in & in) names[n++] = fields[i].name;
  const char *near = eas_nearest(name, names, n);
  if (near) {
    eas_buf_printf(&fix, "use %s", find(near, in)->form);
  } else {
    eas_buf_str(&fix, "fields are ");
    for (size_t i = 0; i < n; i++) eas_buf_printf(&fix, "%s%s", i ? ", " : "", names[i]);
  }
  char *suffix = eas_plan_step("", name);
  eas_plan_fault(p, path, suffix, 1, fix.data, "unknown field '%s' in %s", name, owner);
  free(suffix);
  eas_buf_done(&fix);
}

/* A wrong name that was meant for one of these is told once, not twice. */
static int is_misspelt(const json_t *entry, const char *name, unsigned in)
{
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)entry, key, v) if (!find(key, in) && eas_nearest(key, &name, 1)) return 1;
  return 0;
}

int eas_plan_range_misspelt(const json_t *entry)
{
  static const char *const names[] = { "values", "linear_range", "log_range", "files" };
  for (size_t i = 0; i < 4; i++)
    if (json_object_get(entry, names[i])) return 0;
  for (size_t i = 0; i < 4; i++)
    if (is_misspelt(entry, names[i], FOR)) return 1;
  return 0;
}

static void missing(eas_plan *p, const json_t *entry, const char *path, const char *name, unsigned in,
                    const char *owner)
{
  if (json_object_get(entry, name) || is_misspelt(entry, name, in)) return;
  char *fix = eas_format("add %s", find(name, in)->form);
  eas_plan_fault(p, path, "", 0, fix, "%s needs a field '%s'", owner, name);
  free(fix);
}

static void check_list(eas_plan *p, const json_t *entry, const char *path, const char *name)
{
  const json_t *list = json_object_get(entry, name);
  if (!list || json_is_array(list)) return;
  char suffix[32];
  snprintf(suffix, sizeof suffix, ".%s", name);
  eas_plan_fault(p, path, suffix, 0, NULL, "%s: a list of tasks is wanted, found %s", name, eas_plan_kind(list));
}

static void check_expression(eas_plan *p, const json_t *entry, const char *path, const char *name)
{
  const json_t *v = json_object_get(entry, name);
  char suffix[32];
  if (!json_is_string(v) || eas_expr_is(json_string_value(v))) return;
  snprintf(suffix, sizeof suffix, ".%s", name);
  char *fix = eas_format("put it in brackets: \"(%s)\"", json_string_value(v));
  eas_plan_fault(p, path, suffix, 0, fix,
                 "%s: an expression is wanted, found a plain string, which would always be true", name);
  free(fix);
}

static void check_whole(eas_plan *p, const json_t *doc, const char *name, int64_t least)
{
  const json_t *v = json_object_get(doc, name);
  char suffix[32];
  if (!v || (json_is_integer(v) && json_integer_value(v) >= least)) return;
  snprintf(suffix, sizeof suffix, ".%s", name);
  eas_plan_fault(p, "$", suffix, 0, NULL, "%s: a whole number%s is wanted, found %s", name,
                 least == 0 ? " of 0 or more" : "", json_is_integer(v) ? "one below" : eas_plan_kind(v));
}

static void check_job(eas_plan *p, const json_t *doc)
{
  check_whole(p, doc, "seed", 0);
  check_whole(p, doc, "priority", INT64_MIN);
  const char *below;
  const json_t *compat = json_object_get(doc, "compat"), *retry = json_object_get(doc, "retry");
  char *wrong = retry ? eas_policy_check(retry, &below) : NULL, *at = NULL;
  if (wrong)
    eas_plan_fault(p, "$", at = eas_format(".retry%s%s", *below ? "." : "", below), 0,
                   "as { \"max_attempts\": 5, \"endings\": [\"lost\", \"crashed\", \"timeout\"], \"delay\": \"2 s\" }",
                   "retry: %s", wrong);
  free(wrong);
  free(at);
  if (compat && (!json_is_string(compat) || strcmp(json_string_value(compat), "prototype") != 0))
    eas_plan_fault(p, "$", ".compat", 0,
                   "compat: \"prototype\" formats numbers in names as the prototype did, 0.0 for 0",
                   "compat: \"prototype\" is the only value");
}

/* requires_metadata_from_child: names of the body, so that there is something to wait for. */
static void check_children(eas_plan *p, const json_t *entry, const char *path)
{
  const json_t *names = json_object_get(entry, "requires_metadata_from_child");
  if (!names) return;
  if (!json_is_array(names)) {
    eas_plan_fault(p, path, ".requires_metadata_from_child", 0, "[\"NAME\"]",
                   "requires_metadata_from_child: a list of names is wanted, found %s", eas_plan_kind(names));
    return;
  }
  for (size_t i = 0; i < json_array_size(names); i++) {
    if (json_is_string(json_array_get(names, i))) continue;
    char suffix[64];
    snprintf(suffix, sizeof suffix, ".requires_metadata_from_child[%zu]", i);
    eas_plan_fault(p, path, suffix, 0, NULL, "a name is wanted, found %s", eas_plan_kind(json_array_get(names, i)));
  }
}

void eas_plan_check_fields(eas_plan *p, eas_flow flow, int is_job, const json_t *entry, const char *path)
{
  static const unsigned bits[] = { 0, CHAIN, FOR, WHILE, IF };
  unsigned in = is_job ? JOB : bits[flow];
  const char *owner = owner_of(flow, is_job), *key;
  json_t *v;
  json_object_foreach((json_t *)entry, key, v) if (!find(key, in)) unknown(p, path, key, in, owner);
  if (flow != EAS_FLOW_IF)
    missing(p, entry, path, "task_list", in, owner);
  else if (!json_object_get(entry, "else_task_list"))
    missing(p, entry, path, "task_list", in, owner);
  check_list(p, entry, path, "task_list");
  if (is_job) check_job(p, entry);
  if (flow == EAS_FLOW_WHILE) {
    missing(p, entry, path, "iteration_name", in, owner);
    missing(p, entry, path, "repeat_criterion", in, owner);
    check_expression(p, entry, path, "repeat_criterion");
    check_children(p, entry, path);
  }
  if (flow == EAS_FLOW_IF) {
    missing(p, entry, path, "criterion", in, owner);
    check_list(p, entry, path, "else_task_list");
    check_expression(p, entry, path, "criterion");
  }
}
