/* cmd_tree.c: eas tree: the tasks of a job as a tree, failures first to be seen. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/inner.h"
#include "cli/select.h"
#include "cli/table.h"
#include "model/view.h"

enum { SHOWN = 20, NOTED = 200, BATCH = 10000 };

typedef struct {
  eas_cli *c;
  int64_t depth;
  int all;
} tree;

/* "size=1.0 period=3": own values but indices. */
static void own_values(const json_t *meta, char *out, size_t size)
{
  const char *key;
  json_t *v;
  size_t used = 0;
  *out = 0;
  json_object_foreach((json_t *)(uintptr_t)meta, key, v)
  {
    size_t n = strlen(key);
    if (n > 6 && strcmp(key + n - 6, "_index") == 0) continue;
    char *text =
        json_is_string(v) ? eas_strdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    int k = snprintf(out + used, size - used, " %s=%s", key, text ? text : "?");
    free(text);
    if (k < 0 || (size_t)k >= size - used) return;
    used += (size_t)k;
  }
}

static void print_node(const tree *t, const json_t *v, const char *prefix, const char *branch)
{
  char values[200], tail[300] = "";
  const char *state = eas_json_str(v, "state"), *name = eas_json_str(v, "name");
  int64_t open = eas_json_int(v, "open_children", 0), bad = eas_json_int(v, "failed_children", 0);
  own_values(json_object_get(v, "metadata"), values, sizeof values);
  if (bad)
    snprintf(tail, sizeof tail, "  %" PRId64 " of %" PRId64 " not passed", bad, eas_json_int(v, "children", 0));
  else if (open)
    snprintf(tail, sizeof tail, "  %" PRId64 " of %" PRId64 " to go", open, eas_json_int(v, "children", 0));
  else if (eas_json_str(v, "reason"))
    snprintf(tail, sizeof tail, "  %.200s", eas_json_str(v, "reason"));
  const char *shown = bad ? "failed" : open && strcmp(state, "passed") == 0 ? "running" : state;
  printf("%s%s%s %s%s%s%s  %s%s%s%s\n", prefix, branch, eas_json_str(v, "task"), eas_json_str(v, "type"),
         name ? " " : "", name ? name : "", values, eas_ink(t->c, eas_state_ink(shown)), eas_state_symbol(t->c, shown),
         eas_ink_off(t->c), tail);
}

static int children(const tree *t, const json_t *of, int64_t depth, const char *prefix, json_t *into, eas_err *err);

static int child(const tree *t, json_t *v, int64_t depth, const char *prefix, int last, eas_err *err)
{
  const char *branch = t->c->utf8 ? (last ? "└ " : "├ ") : last ? "`-" : "|-";
  const char *stem = t->c->utf8 ? (last ? "  " : "│ ") : last ? "  " : "| ";
  if (!t->c->json) print_node(t, v, prefix, branch);
  if (eas_json_int(v, "children", 0) == 0 || depth >= t->depth) return 0;
  char *deeper = eas_format("%s%s", prefix, stem);
  json_t *list = json_array();
  int rc = children(t, v, depth + 1, deeper, list, err);
  if (t->c->json && rc >= 0)
    json_object_set_new(v, "tasks", list);
  else
    json_decref(list);
  free(deeper);
  return rc;
}

/* Without --all: the first ones, and of the others those that fail or run. *left: how many are not shown. */
static int shown_children(const tree *t, const json_t *of, json_t **list, int64_t *left, eas_err *err)
{
  json_t *more = NULL;
  int64_t task = strtoll(eas_json_str(of, "task") + 1, NULL, 10);
  int n = eas_view_children(t->c->db, task, -1, SHOWN, list, err);
  if (n < SHOWN) return n;
  int64_t after = eas_json_int(json_array_get(*list, SHOWN - 1), "ordinal", 0);
  n = eas_view_children_noted(t->c->db, task, after, NOTED, &more, err);
  if (n < 0) {
    json_decref(*list);
    return n;
  }
  json_array_extend(*list, more);
  json_decref(more);
  *left = eas_json_int(of, "children", 0) - SHOWN - n;
  return n;
}

static int print_children(const tree *t, json_t *list, int64_t depth, const char *prefix, int64_t left, int is_end,
                          eas_err *err)
{
  size_t i, n = json_array_size(list);
  json_t *v;
  int rc = 0;
  json_array_foreach(list, i, v)
  {
    if (rc >= 0) rc = child(t, v, depth, prefix, i + 1 == n && left == 0 && is_end, err);
  }
  return rc;
}

static int all_children(const tree *t, int64_t task, int64_t depth, const char *prefix, json_t *into, eas_err *err)
{
  int rc = 0;
  for (int64_t n = BATCH, after = -1; n == BATCH && rc >= 0;) {
    json_t *list = NULL;
    n = eas_view_children(t->c->db, task, after, BATCH, &list, err);
    if (n < 0) return (int)n;
    rc = print_children(t, list, depth, prefix, 0, n < BATCH, err);
    if (n > 0) after = eas_json_int(json_array_get(list, (size_t)n - 1), "ordinal", 0);
    if (t->c->json) json_array_extend(into, list);
    json_decref(list);
  }
  return rc;
}

static int children(const tree *t, const json_t *of, int64_t depth, const char *prefix, json_t *into, eas_err *err)
{
  if (t->all || t->c->json)
    return all_children(t, strtoll(eas_json_str(of, "task") + 1, NULL, 10), depth, prefix, into, err);
  json_t *list = NULL;
  int64_t left = 0, bad = eas_json_int(of, "failed_children", 0);
  int rc = shown_children(t, of, &list, &left, err);
  if (rc < 0) return rc;
  int is_cut = json_array_size(list) == SHOWN + NOTED;
  rc = print_children(t, list, depth, prefix, left, 1, err);
  json_decref(list);
  if (left > 0 && is_cut && bad)
    printf("%s%s %" PRId64 " more, %" PRId64 " of all failed: eas errors, or --all\n", prefix, t->c->utf8 ? "…" : "...",
           left, bad);
  else if (left > 0)
    printf("%s%s %" PRId64 " more, none failed: --all\n", prefix, t->c->utf8 ? "…" : "...", left);
  return rc;
}

static int root_of(eas_cli *c, int64_t *task, eas_err *err)
{
  char letter;
  int64_t id, job = 0;
  if (c->n_args && eas_id_parse(c->args[0], &letter, &id, NULL) == 0 && c->args[0][0] == 't') {
    *task = id;
    return eas_cli_open_db(c, EAS_DB_READ, err);
  }
  int rc = eas_cli_job(c, c->n_args ? c->args[0] : eas_cli_get(c, "--job"), &job, err);
  return rc < 0 ? rc : eas_view_root(c->db, job, task, err);
}

/* j3 survey  x 1871/1875 tasks, 3 failed, 1 skipped */
static void head_line(eas_cli *c, const json_t *root)
{
  eas_job_counts k;
  printf("%s %s", eas_json_str(root, "job"), eas_json_str(root, "job_name"));
  if (json_is_string(json_object_get(root, "parent"))) printf(" %s", eas_json_str(root, "task"));
  int64_t job = strtoll(eas_json_str(root, "job") + 1, NULL, 10);
  if (!json_is_string(json_object_get(root, "parent")) && eas_view_counts(c->db, job, &k, NULL) >= 0) {
    const char *state = !k.done_at              ? "running"
                        : k.failed || k.skipped ? "failed"
                        : k.cancelled           ? "cancelled"
                                                : "passed";
    char done[32], total[32];
    eas_count_text(c, k.work_done, done);
    eas_count_text(c, k.work_total, total);
    printf("  %s%s%s %s/%s tasks", eas_ink(c, eas_state_ink(state)), eas_state_symbol(c, state), eas_ink_off(c), done,
           total);
    if (k.failed) printf(", %" PRId64 " failed", k.failed);
    if (k.skipped) printf(", %" PRId64 " skipped", k.skipped);
  }
  putchar('\n');
}

static int is_list(const eas_cli *c)
{
  return c->csv || eas_select_wanted(c) || eas_cli_get(c, "--type") || eas_cli_get(c, "--state") ||
         eas_cli_get(c, "--limit");
}

static void print_list(eas_cli *c, const json_t *rows)
{
  static const char *const names[] = { "task", "type", "state", "kind", "attempts", "attempt", "reason" };
  eas_table *t = eas_table_new(c);
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    eas_table_column(t, names[k], k == 4 ? EAS_RIGHT | EAS_MINOR : k == 5 ? EAS_MINOR : EAS_LEFT);
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)rows, i, v)
  {
    const char *state = eas_json_str(v, "state");
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
      const char *text = eas_json_str(v, names[k]);
      if (k == 4)
        eas_table_cellf(t, EAS_PLAIN, "%" PRId64, eas_json_int(v, "attempts", 0));
      else
        eas_table_cellf(t, k == 2 ? eas_state_ink(state) : EAS_PLAIN, "%.*s", c->tty ? 90 : 4096, text ? text : "");
    }
  }
  eas_table_print(t, "no task matches");
}

/* By state, type or any column: rows instead of a tree. */
static int list(eas_cli *c)
{
  eas_view_filter f = { 0 };
  eas_err err = { 0 };
  json_t *rows = NULL;
  int rc = eas_cli_filter(c, &f, &err);
  int limit = f.limit;
  if (eas_select_wanted(c)) f.limit = 0;
  if (rc >= 0) rc = eas_cli_job(c, c->n_args ? c->args[0] : eas_cli_get(c, "--job"), &f.job, &err);
  if (rc >= 0 && f.state && eas_state_ink(f.state) == EAS_PLAIN) {
    rc = eas_fail(&err, EAS_EINVAL, "eas tree: there is no state '%s'", f.state);
    eas_hint(&err, "waiting, queued, running, passed, failed, skipped or cancelled");
  }
  if (rc >= 0) rc = eas_view_tasks(c->db, &f, &rows, &err);
  if (rc >= 0) rc = eas_select_rows(c, &rows, limit, &err);
  if (rc < 0) {
    json_decref(rows);
    return eas_cli_fail(c, &err);
  }
  if (c->json) return eas_print_json(rows);
  print_list(c, rows);
  json_decref(rows);
  return EAS_EXIT_OK;
}

static int cmd_tree(eas_cli *c)
{
  if (is_list(c)) return list(c);
  tree t = { .c = c, .all = eas_cli_has(c, "--all") };
  eas_err err = { 0 };
  int64_t task = 0;
  json_t *root = NULL;
  int rc = eas_cli_int(c, "--depth", 5, &t.depth, &err);
  if (rc >= 0) rc = root_of(c, &task, &err);
  if (rc >= 0) rc = eas_view_task(c->db, task, &root, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  if (!c->json) head_line(c, root);
  json_t *list = json_array();
  rc = children(&t, root, 1, "", list, &err);
  if (rc < 0) {
    json_decref(root);
    json_decref(list);
    return eas_cli_fail(c, &err);
  }
  json_object_set_new(root, "tasks", list);
  if (c->json) return eas_print_json(root);
  json_decref(root);
  return EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = { { "--depth", "N", NULL, "levels shown (default 5)" },
                                      { "--all", NULL, NULL,
                                        "every child; else 20 of a level, and up to 200 more that failed or run" },
                                      { 0 } };

const eas_command eas_cmd_tree = {
  .name = "tree",
  .args = "[JOB|TASK]",
  .summary = "the tasks of a job as a tree",
  .detail = "With --state, --type, --where, --sort, --limit or --csv: a row for each task instead.",
  .examples = "  eas tree j3 --depth 2\n  eas tree j3 --state failed\n  eas tree t12",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_TYPE | EAS_O_STATE | EAS_O_ROWS,
  .options = OPTIONS,
  .max_args = 1,
  .run = cmd_tree
};
