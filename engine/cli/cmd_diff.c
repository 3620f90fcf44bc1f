/* cmd_diff.c: eas diff: two attempts side by side: inputs, settings, code, metadata, results, products point by point. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/diff.h"
#include "cli/diff_files.h"
#include "cli/ids.h"
#include "model/view.h"

/* An attempt, or the last one of a task. */
static int load(eas_cli *c, const char *text, json_t **out, eas_err *err)
{
  char letter = 0;
  int64_t id = 0;
  json_t *task = NULL;
  int rc = eas_id_parse(text, &letter, &id, err);
  if (rc >= 0 && letter == 't' && (rc = eas_view_task(c->db, id, &task, err)) >= 0) {
    const json_t *list = json_object_get(task, "attempts");
    const char *last = eas_json_str(json_array_get(list, json_array_size(list) - 1), "attempt");
    rc = last ? eas_id_parse(last, &letter, &id, err) : eas_fail(err, EAS_EINVAL, "%s has no attempt yet", text);
    json_decref(task);
  }
  if (rc >= 0 && letter != 'a')
    rc = eas_fail(err, EAS_EINVAL, "eas diff: attempts or tasks are wanted, not '%s'", text);
  if (rc >= 0) rc = eas_view_attempt(c->db, id, out, err);
  if (rc == EAS_ENOENT) err->code = rc = EAS_EINVAL;
  return rc;
}

typedef struct {
  eas_cli *c;
  json_t *list; /* of one section: {path, was, is} */
} section;

static void on_difference(void *arg, const char *path, const json_t *was, const json_t *is)
{
  section *s = arg;
  json_array_append_new(s->list, json_pack("{s:s,s:O?,s:O?}", "path", path, "was", was, "is", is));
}

static json_t *differences(const json_t *was, const json_t *is)
{
  section s = { .list = json_array() };
  json_t *none = json_object();
  eas_diff("", json_is_object(was) ? was : none, json_is_object(is) ? is : none, on_difference, &s);
  json_decref(none);
  return s.list;
}

/* Files of a list by kind; of inputs their digest and where they come from. */
static json_t *by_kind(const json_t *list, int whole)
{
  size_t i;
  json_t *v, *all = json_object();
  json_array_foreach((json_t *)(uintptr_t)list, i, v)
      json_object_set(all, eas_json_str(v, "kind"), whole ? v : json_object_get(v, "sha256"));
  return all;
}

static json_t *without(const json_t *object, const char *const *names)
{
  json_t *copy = object ? json_copy((json_t *)(uintptr_t)object) : json_object();
  for (; *names; names++) json_object_del(copy, *names);
  return copy;
}

static char *object_path(eas_cli *c, const json_t *file)
{
  eas_digest d;
  const char *hex = file ? eas_json_str(file, "sha256") : NULL;
  if (!hex || eas_digest_parse(hex, &d) < 0 || !eas_store_has(c->store, &d)) return NULL;
  return eas_store_path(c->store, &d);
}

static json_t *product_difference(eas_cli *c, const json_t *a, const json_t *b)
{
  char *p = object_path(c, a), *q = object_path(c, b);
  json_t *found = p && q ? eas_diff_files(p, q) : NULL;
  if (!found)
    found = json_pack("{s:b,s:s}", "same", 0, "missing",
                      !a   ? "first"
                      : !b ? "second"
                           : "its bytes are not in the store");
  free(p);
  free(q);
  return found;
}

static json_t *products(eas_cli *c, const json_t *a, const json_t *b)
{
  json_t *was = by_kind(json_object_get(a, "outputs"), 1), *is = by_kind(json_object_get(b, "outputs"), 1);
  json_t *all = json_object(), *v;
  const char *kind;
  json_object_foreach(was, kind, v) json_object_set_new(all, kind, product_difference(c, v, json_object_get(is, kind)));
  json_object_foreach(is, kind, v) if (!json_object_get(was, kind))
      json_object_set_new(all, kind, product_difference(c, NULL, v));
  json_decref(was);
  json_decref(is);
  return all;
}

static json_t *gather(eas_cli *c, const json_t *a, const json_t *b)
{
  static const char *const names[] = { "task",   "name",    "job_name", "working_directory",
                                       "inputs", "outputs", "type",     "requires_metadata_from",
                                       NULL };
  const json_t *pa = json_object_get(a, "provenance"), *pb = json_object_get(b, "provenance");
  json_t *ia = by_kind(json_object_get(a, "inputs"), 0), *ib = by_kind(json_object_get(b, "inputs"), 0);
  json_t *sa = without(json_object_get(a, "description"), names),
         *sb = without(json_object_get(b, "description"), names);
  json_t *out = json_pack("{s:O,s:O}", "a", json_object_get(a, "attempt"), "b", json_object_get(b, "attempt"));
  json_object_set_new(out, "inputs", differences(ia, ib));
  json_object_set_new(out, "settings", differences(sa, sb));
  const char *const types[] = { eas_json_str(a, "type"), NULL }; /* the task script once more, by its name */
  json_t *ca = without(json_object_get(pa, "code"), types), *cb = without(json_object_get(pb, "code"), types);
  json_object_set_new(out, "code", differences(ca, cb));
  json_decref(ca);
  json_decref(cb);
  json_object_set_new(out, "metadata", differences(json_object_get(pa, "metadata"), json_object_get(pb, "metadata")));
  json_object_set_new(out, "result", differences(json_object_get(a, "metadata"), json_object_get(b, "metadata")));
  json_object_set_new(out, "products", products(c, a, b));
  json_decref(ia);
  json_decref(ib);
  json_decref(sa);
  json_decref(sb);
  return out;
}

static void print_section(eas_cli *c, const char *name, const json_t *list)
{
  size_t i;
  json_t *v;
  if (json_array_size(list) == 0) printf("%-9s same\n", name);
  json_array_foreach((json_t *)(uintptr_t)list, i, v)
  {
    const json_t *was = json_object_get(v, "was"), *is = json_object_get(v, "is");
    const char *path = eas_json_str(v, "path");
    char *text = eas_diff_text(json_is_null(was) ? NULL : was, json_is_null(is) ? NULL : is, c->utf8), more[48] = "";
    if (json_is_number(was) && json_is_number(is) && json_number_value(was) != 0)
      snprintf(more, sizeof more, "  (%+.3g %%)", 100 * (json_number_value(is) / json_number_value(was) - 1));
    if (strcmp(name, "code") == 0 && strcmp(path, "task") == 0) path = "task script";
    if (strcmp(name, "code") == 0 && strcmp(path, "qc") == 0) path = "QC script";
    printf("%-9s %s  %s%s\n", i ? "" : name, path, text, more);
    free(text);
  }
}

static int64_t nth(const json_t *list, size_t i)
{
  return (int64_t)json_integer_value(json_array_get(list, i));
}

static void print_columns(const json_t *product)
{
  const char *name;
  json_t *v, *columns = json_object_get(product, "columns");
  json_object_foreach(columns, name, v)
  {
    char most[32] = "a number";
    if (json_is_number(json_object_get(v, "most")))
      snprintf(most, sizeof most, "%.3g", json_number_value(json_object_get(v, "most")));
    printf("%-9s   %s differs in %lld rows, by up to %s, in row %lld: %.9g, %.9g\n", "", name,
           (long long)eas_json_int(v, "differ", 0), most, (long long)eas_json_int(v, "row", 0),
           json_is_null(json_object_get(v, "was")) ? NAN : json_number_value(json_object_get(v, "was")),
           json_is_null(json_object_get(v, "is")) ? NAN : json_number_value(json_object_get(v, "is")));
  }
}

static void print_products(const json_t *all)
{
  const char *kind, *name = "products";
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)all, kind, v)
  {
    const json_t *rows = json_object_get(v, "rows"), *bytes = json_object_get(v, "bytes");
    const char *missing = eas_json_str(v, "missing");
    if (json_is_true(json_object_get(v, "same")))
      printf("%-9s %s  %s\n", name, kind, rows ? "same numbers, other bytes" : "same");
    else if (missing)
      printf("%-9s %s  %s%s\n", name, kind, *missing == 'i' ? missing : "not made by the ",
             *missing == 'i' ? "" : missing);
    else if (rows && nth(rows, 0) != nth(rows, 1))
      printf("%-9s %s  %lld rows, %lld rows\n", name, kind, (long long)nth(rows, 0), (long long)nth(rows, 1));
    else if (rows)
      printf("%-9s %s  %lld rows each\n", name, kind, (long long)nth(rows, 0));
    else
      printf("%-9s %s  %lld bytes, %lld bytes; the first that differs is byte %lld\n", name, kind,
             (long long)nth(bytes, 0), (long long)nth(bytes, 1), (long long)eas_json_int(v, "first", 0));
    print_columns(v);
    name = "";
  }
}

static void print_head(eas_cli *c, const json_t *a, const char *before)
{
  const char *ending = eas_json_str(a, "ending"), *verdict = eas_json_str(a, "verdict");
  int good = verdict && strcmp(verdict, "pass") == 0;
  const char *state = good ? "passed" : "failed";
  printf("%s%s  %s %s, %s %s  %s%s %s%s\n", before, eas_json_str(a, "attempt"), eas_json_str(a, "task"),
         eas_json_str(a, "type"), eas_json_str(a, "job"), eas_json_str(a, "job_name"), eas_ink(c, eas_state_ink(state)),
         eas_state_symbol(c, state),
         good     ? "passed"
         : ending ? ending
                  : eas_json_str(a, "state"),
         eas_ink_off(c));
}

static int cmd_diff(eas_cli *c)
{
  eas_err err = { 0 };
  json_t *a = NULL, *b = NULL;
  int rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0) rc = load(c, c->args[0], &a, &err);
  if (rc >= 0) rc = load(c, c->args[1], &b, &err);
  if (rc >= 0) rc = eas_cli_open_store(c, &err);
  int status = rc < 0 ? eas_cli_fail(c, &err) : EAS_EXIT_OK;
  json_t *found = rc < 0 ? NULL : gather(c, a, b);
  if (found && c->json) {
    eas_print_json(json_incref(found));
  } else if (found) {
    static const char *const sections[] = { "inputs", "settings", "code", "metadata", "result" };
    print_head(c, a, "");
    print_head(c, b, "");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
      print_section(c, sections[i], json_object_get(found, sections[i]));
    print_products(json_object_get(found, "products"));
  }
  json_decref(found);
  json_decref(a);
  json_decref(b);
  return status;
}

const eas_command eas_cmd_diff = {
  .name = "diff",
  .args = "A B",
  .summary = "two attempts side by side: inputs, settings, code, results, products point by point",
  .detail = "A and B are attempts (a533), or tasks, of which the last attempt counts. Light curves and FITS tables are "
            "compared "
            "by their numbers, other products by their bytes. Exit 0 whatever differs.",
  .examples = "  eas diff a533 a541\n  eas diff t418 t1022 --json",
  .groups = EAS_O_DATA | EAS_O_JSON,
  .min_args = 2,
  .max_args = 2,
  .run = cmd_diff
};
