/* external.c: files of the input folder, for types that the registry lets read it (ingest_external_lcs).
 *
 * Names are found here, as those of a `files:` loop are; the attempt gets these files and no other to read. What leads out of
 * the folder by a link is left out, and counted. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/json.h"
#include "base/path.h"
#include "model/expand_plan.h"
#include "worker/inner.h"

enum { FILES_MOST = 10000 };

static const char *input_path(const eas_worker *w)
{
  const char *path = eas_conf_str(w->o.conf, "input_path");
  return path && *path ? path : ".";
}

/* The current folder, which is what nobody chose, is not shown where nothing keeps children from reading all of it. */
const char *eas_worker_input_root(const eas_worker *w)
{
  const char *path = input_path(w);
  return strcmp(path, ".") == 0 && !(w->use & EAS_LAYER_LANDLOCK) ? NULL : path;
}

static json_t *fault(const char *message, const char *hint)
{
  return json_pack("{s:s,s:s}", "error", message, "hint", hint ? hint : "");
}

static int is_inside(const char *path, const char *root)
{
  size_t n = strlen(root);
  return strncmp(path, root, n) == 0 && (n == 1 || path[n] == '/');
}

static json_t *resolve(const json_t *names, const char *root)
{
  json_t *files = json_array();
  int outside = 0;
  for (size_t i = 0; i < json_array_size(names); i++) {
    const char *name = json_string_value(json_array_get(names, i));
    char *full = eas_format("%s/%s", root, name), *real = realpath(full, NULL);
    if (real && is_inside(real, root))
      json_array_append_new(files, json_pack("{s:s,s:s}", "name", name, "path", real));
    else
      outside++;
    free(real);
    free(full);
  }
  return json_pack("{s:o,s:i}", "files", files, "outside", outside);
}

void eas_running_external(eas_running *r)
{
  const char *pattern = eas_json_str(r->description, "input_path"), *folder = input_path(r->w);
  char root[PATH_MAX];
  eas_err err = { 0 };
  if (!pattern) {
    r->external = fault("input_path is missing: a pattern inside the input folder, such as \"tess/*.fits\"", NULL);
    return;
  }
  json_t *names = eas_plan_glob(folder, pattern, &err);
  if (!names)
    r->external = fault(err.text, err.hint);
  else if (json_array_size(names) > FILES_MOST)
    r->external = fault("input_path matches over 10000 files", "name fewer, by several tasks");
  else if (!realpath(folder, root))
    r->external = fault(strerror(errno), NULL);
  else
    r->external = resolve(names, root);
  json_decref(names);
}
