/* why_ran.c: why a task ran, and was not reused: what differs from the same place in the job before. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/why.h"

enum { MOST = 12, SHORT = 60 };

typedef struct {
  json_t *lines;
  int n;
} diff;

static char *shown(const json_t *v)
{
  if (!v) return eas_strdup("nothing");
  char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12) | JSON_SORT_KEYS);
  if (strlen(text) > SHORT) memcpy(text + SHORT - 3, "...", 4);
  return text;
}

static void differs(diff *d, const char *label, const char *name, const json_t *then, const json_t *now)
{
  if (d->n++ >= MOST) return;
  char *a = shown(then), *b = shown(now);
  eas_why_line(d->lines, label, eas_format("%s %s -> %s", name, a, b));
  free(a);
  free(b);
}

/* Leaves of two objects that are not the same. */
static void compare(diff *d, const char *label, const char *path, const json_t *then, const json_t *now)
{
  const char *key;
  json_t *v;
  if ((!then && !now) || (then && now && json_equal(then, now))) return;
  if (!json_is_object(then) || !json_is_object(now)) {
    differs(d, label, path, then, now);
    return;
  }
  json_object_foreach((json_t *)(uintptr_t)now, key, v)
  {
    char *below = eas_format("%s%s%s", path, *path ? "." : "", key);
    compare(d, label, below, json_object_get(then, key), v);
    free(below);
  }
  json_object_foreach((json_t *)(uintptr_t)then, key, v)
  {
    if (json_object_get(now, key)) continue;
    char *below = eas_format("%s%s%s", path, *path ? "." : "", key);
    differs(d, label, below, v, NULL);
    free(below);
  }
}

/* Code by the beginning of its hashes. */
static void compare_code(diff *d, const json_t *then, const json_t *now)
{
  const char *file;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)now, file, v)
  {
    const char *a = eas_json_str(then, file), *b = json_string_value(v);
    if ((a && b && strcmp(a, b) == 0) || d->n++ >= MOST) continue;
    eas_why_line(d->lines, "code", eas_format("%s %.4s -> %.4s", file, a ? a : "none", b ? b : "none"));
  }
}

static void compare_inputs(diff *d, const json_t *then, const json_t *now)
{
  const char *kind;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)now, kind, v)
  {
    const json_t *old = json_object_get(then, kind);
    const char *a = eas_json_str(old, "digest"), *b = eas_json_str(v, "digest");
    if (!old || !a || !b || strcmp(a, b) != 0) {
      if (d->n++ < MOST) eas_why_line(d->lines, "input", eas_format("%s has other bytes than then", kind));
    } else {
      compare(d, "input", kind, json_object_get(old, "metadata"), json_object_get(v, "metadata"));
    }
  }
}

void eas_why_ran(const json_t *origin, const json_t *attempt, json_t *lines)
{
  const json_t *now = json_object_get(attempt, "provenance"), *then = json_object_get(origin, "provenance");
  const char *job = eas_json_str(origin, "job"), *task = eas_json_str(origin, "task");
  diff d = { lines, 0 };
  if (!now) {
    eas_why_line(lines, "ran", eas_strdup("its type is never reused"));
    return;
  }
  if (!task) {
    eas_why_line(lines, "ran", eas_format("%s has no task at this place", job));
    return;
  }
  if (!then) {
    eas_why_line(lines, "ran", eas_format("%s of %s, at the same place, has not passed", task, job));
    return;
  }
  eas_why_line(lines, "ran",
               eas_format("it differs from %s of %s, at the same place:", eas_json_str(origin, "attempt"), job));
  compare(&d, "set", "", json_object_get(then, "settings"), json_object_get(now, "settings"));
  compare_inputs(&d, json_object_get(then, "inputs"), json_object_get(now, "inputs"));
  compare_code(&d, json_object_get(then, "code"), json_object_get(now, "code"));
  compare(&d, "metadata", "", json_object_get(then, "metadata"), json_object_get(now, "metadata"));
  compare(&d, "requested", "", json_object_get(then, "requested"), json_object_get(now, "requested"));
  compare(&d, "engine", "result_number", json_object_get(then, "result_number"), json_object_get(now, "result_number"));
  if (!d.n) compare(&d, "seed", "seed", json_object_get(then, "seed"), json_object_get(now, "seed"));
  if (!d.n) eas_why_line(lines, "set", eas_strdup("nothing that is recorded: its results were gone, or it was rerun"));
  if (d.n > MOST) eas_why_line(lines, "more", eas_format("%d other differences", d.n - MOST));
}
