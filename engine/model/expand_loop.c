/* expand_loop.c: the values of a for loop. */
#include <dirent.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "model/expand_plan.h"

enum { MAX_VALUES = 10 * 1000 * 1000 };

static int read_parameter(eas_plan *p, const json_t *entry, const char *path, eas_plan_loop *out)
{
  const json_t *v = json_object_get(entry, "parameter");
  if (!v) {
    eas_plan_fault(p, path, "", 0, "add \"parameter\": \"NAME\"", "execution_for_loop needs a field 'parameter'");
    return -1;
  }
  json_t *value = eas_plan_value(p, v, path, ".parameter", NULL);
  if (!value) return -1;
  const char *name = json_string_value(value);
  if (name && name[0])
    out->parameter = eas_strdup(name);
  else
    eas_plan_fault(p, path, ".parameter", 0, NULL, "parameter: a name is wanted, found %s",
                   name ? "an empty string" : eas_plan_kind(value));
  json_decref(value);
  return out->parameter ? 0 : -1;
}

static int read_values(eas_plan *p, const json_t *values, const char *path, eas_plan_loop *out)
{
  if (!json_is_array(values)) {
    eas_plan_fault(p, path, ".values", 0, "values: [1, 2, 3]", "values: a list is wanted, found %s",
                   eas_plan_kind(values));
    return -1;
  }
  int rc = 0;
  out->list = json_array();
  for (size_t i = 0; i < json_array_size(values); i++) {
    char suffix[40];
    snprintf(suffix, sizeof suffix, ".values[%zu]", i);
    int unknown = 0;
    json_t *v = eas_plan_value(p, json_array_get(values, i), path, suffix, &unknown);
    if (unknown) {
      out->unknown = 1;
      v = json_null();
    } else if (!v) {
      rc = -1;
    } else if (json_is_object(v) || json_is_array(v) || json_is_null(v)) {
      eas_plan_fault(p, path, suffix, 0, NULL, "a loop's value is a number, a string or a boolean, found %s",
                     eas_plan_kind(v));
      rc = -1;
    }
    json_array_append_new(out->list, v ? v : json_null());
  }
  out->n = (int64_t)json_array_size(out->list);
  return rc;
}

/* [start, stop, count], each a number or an expression that gives one. */
static int read_range(eas_plan *p, const json_t *range, const char *path, const char *field, eas_plan_loop *out)
{
  char suffix[48], *form = eas_format("use %s: [start, stop, count]", field);
  snprintf(suffix, sizeof suffix, ".%s", field);
  int rc = -1, unknown = 0, whole = 1;
  double x[3] = { 0 };
  if (!json_is_array(range) || json_array_size(range) != 3) {
    if (json_is_array(range))
      eas_plan_fault(p, path, suffix, 0, form, "%s: 3 numbers are wanted, found %zu", field, json_array_size(range));
    else
      eas_plan_fault(p, path, suffix, 0, form, "%s: a list of 3 numbers is wanted, found %s", field,
                     eas_plan_kind(range));
    goto done;
  }
  for (size_t i = 0; i < 3; i++) {
    int hidden = 0;
    snprintf(suffix, sizeof suffix, ".%s[%zu]", field, i);
    json_t *v = eas_plan_value(p, json_array_get(range, i), path, suffix, &hidden);
    unknown |= hidden;
    if (!v && !hidden) goto done;
    if (v && !json_is_number(v)) {
      eas_plan_fault(p, path, suffix, 0, form, "a number is wanted, found %s", eas_plan_kind(v));
      json_decref(v);
      goto done;
    }
    whole &= json_is_integer(v);
    x[i] = json_number_value(v);
    json_decref(v);
  }
  if (unknown) x[0] = x[1] = x[2] = 1;
  snprintf(suffix, sizeof suffix, ".%s[2]", field);
  if (!(x[2] >= 0) || x[2] != floor(x[2]) || x[2] > MAX_VALUES) {
    eas_plan_fault(p, path, suffix, 0, form, "the count is a whole number from 0 to %d, found %g", MAX_VALUES, x[2]);
    goto done;
  }
  if (out->kind == EAS_LOOP_LOG && !(x[0] > 0 && x[1] > 0)) {
    snprintf(suffix, sizeof suffix, ".%s", field);
    eas_plan_fault(p, path, suffix, 0, NULL, "log_range: start and stop are above 0, found %g and %g", x[0], x[1]);
    goto done;
  }
  out->start = x[0];
  out->stop = x[1];
  out->n = (int64_t)x[2];
  out->unknown = unknown;
  double step = out->n > 1 ? (x[1] - x[0]) / (x[2] - 1) : 0;
  out->whole = whole && out->kind == EAS_LOOP_LINEAR && step == floor(step) && fabs(x[0]) < 9e15 && fabs(x[1]) < 9e15;
  rc = 0;
done:
  free(form);
  return rc;
}

static int read_globbed(eas_plan *p, const json_t *pattern, const char *path, const json_t *recorded,
                        eas_plan_loop *out)
{
  if (recorded) {
    out->list = json_incref((json_t *)recorded);
    out->n = (int64_t)json_array_size(recorded);
    return 0;
  }
  int unknown = 0;
  json_t *v = eas_plan_value(p, pattern, path, ".files", &unknown);
  out->unknown = unknown;
  if (!v) return unknown ? 0 : -1;
  eas_err err = { 0 };
  int rc = -1;
  if (!json_is_string(v)) {
    eas_plan_fault(p, path, ".files", 0, "files: \"tess/*.fits\"", "files: a pattern is wanted, found %s",
                   eas_plan_kind(v));
  } else if (!(out->list = eas_plan_glob(p->input_path ? p->input_path : ".", json_string_value(v), &err))) {
    eas_plan_fault(p, path, ".files", 0, err.hint[0] ? err.hint : NULL, "files: %s", err.text);
  } else if (!json_array_size(out->list)) {
    eas_plan_fault(p, path, ".files", 0, "patterns are looked for in the input folder: input_path, EAS_INPUT_PATH",
                   "files: nothing matches '%s' in %s", json_string_value(v), p->input_path ? p->input_path : ".");
  } else {
    out->n = (int64_t)json_array_size(out->list);
    rc = 0;
  }
  json_decref(v);
  return rc;
}

int eas_plan_read_loop(eas_plan *p, const json_t *entry, const char *path, const json_t *recorded, eas_plan_loop *out)
{
  *out = (eas_plan_loop){ 0 };
  int rc = read_parameter(p, entry, path, out);
  const json_t *v;
  if ((v = json_object_get(entry, "values"))) {
    out->kind = EAS_LOOP_VALUES;
    rc |= read_values(p, v, path, out);
  } else if ((v = json_object_get(entry, "linear_range"))) {
    out->kind = EAS_LOOP_LINEAR;
    rc |= read_range(p, v, path, "linear_range", out);
  } else if ((v = json_object_get(entry, "log_range"))) {
    out->kind = EAS_LOOP_LOG;
    rc |= read_range(p, v, path, "log_range", out);
  } else if ((v = json_object_get(entry, "files"))) {
    out->kind = EAS_LOOP_FILES;
    rc |= read_globbed(p, v, path, recorded, out);
  } else {
    eas_plan_fault(p, path, "", 0,
                   "add values: [1, 2], linear_range: [start, stop, count], log_range or files: \"*.fits\"",
                   "execution_for_loop needs values, linear_range, log_range or files");
    rc = -1;
  }
  if (rc < 0) eas_plan_loop_done(out);
  return rc < 0 ? -1 : 0;
}

json_t *eas_plan_loop_value(const eas_plan_loop *l, int64_t i)
{
  if (l->list) return json_incref(json_array_get(l->list, (size_t)i));
  double last = (double)(l->n - 1), f = l->n > 1 ? (double)i / last : 0;
  if (l->whole) /* the step is whole: no rounding */
    return json_integer((json_int_t)(l->start + (double)i * (l->n > 1 ? (l->stop - l->start) / last : 0)));
  if (i == 0) return json_real(l->start);
  if (i == l->n - 1) return json_real(l->stop);
  if (l->kind == EAS_LOOP_LOG) return json_real(pow(10, log10(l->start) + f * (log10(l->stop) - log10(l->start))));
  return json_real(l->start + (double)i * ((l->stop - l->start) / last));
}

/* "tess/kplr01_llc.fits.gz" gives "kplr01_llc". */
static char *bare_name(const char *file)
{
  static const char *const endings[] = { ".gz", ".fits", ".fit", ".txt", ".csv", ".dat", ".lc", ".ascii" };
  char *name = eas_strdup(eas_path_base(file));
  for (int twice = 0; twice < 2; twice++) {
    char *dot = strrchr(name, '.');
    if (!dot || dot == name) break;
    int known = twice == 0; /* any last ending goes; a second one only if it is one */
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) known |= strcmp(dot, endings[i]) == 0;
    if (twice == 1 && !known) break;
    *dot = 0;
  }
  return name;
}

json_t *eas_plan_loop_metadata(const eas_plan_loop *l, int64_t i)
{
  json_t *out = json_object();
  size_t n = strlen(l->parameter);
  char *key = eas_alloc(n + sizeof "_index");
  memcpy(key, l->parameter, n);
  json_object_set_new(out, l->parameter, eas_plan_loop_value(l, i));
  memcpy(key + n, "_index", sizeof "_index");
  json_object_set_new(out, key, json_integer(i));
  if (l->kind == EAS_LOOP_FILES && l->list) {
    char *bare = bare_name(json_string_value(json_array_get(l->list, (size_t)i)));
    memcpy(key + n, "_name", sizeof "_name");
    json_object_set_new(out, key, json_string(bare));
    free(bare);
  }
  free(key);
  return out;
}

void eas_plan_loop_done(eas_plan_loop *l)
{
  free(l->parameter);
  json_decref(l->list);
  *l = (eas_plan_loop){ 0 };
}
