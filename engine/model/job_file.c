#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "model/job.h"

enum { JOB_FILE_LIMIT = 64 * 1024 * 1024 };

int eas_jobfile_parse(eas_jobfile **out, const char *name, const char *text, size_t len, eas_err *err)
{
  json_t *doc = eas_json_parse(text, len, name, err);
  if (!doc) return EAS_EFORMAT;
  if (!json_is_object(doc)) {
    json_decref(doc);
    eas_fail(err, EAS_EFORMAT, "%s:1:1: a job is an object", name);
    return eas_hint(err, "{ \"job_name\": \"first\", \"task_list\": [ { \"task\": \"null\" } ] }");
  }
  eas_jobfile *f = eas_alloc(sizeof *f);
  f->file = eas_strdup(name);
  f->text = eas_alloc(len + 1);
  memcpy(f->text, text, len);
  f->len = len;
  f->doc = doc;
  *out = f;
  return 0;
}

static int load_lua(eas_jobfile **out, const char *path, eas_lua_job_fn *lua, void *arg, eas_err *err)
{
  if (!lua) {
    eas_fail(err, EAS_EINVAL, "%s: a Lua job, and no Lua here", path);
    return eas_hint(err, "give the job as JSON");
  }
  char *text = lua(arg, path, err);
  if (!text) return err && err->code ? err->code : EAS_EFORMAT;
  int rc = eas_jobfile_parse(out, path, text, strlen(text), err);
  if (rc == 0) (*out)->is_lua = 1;
  free(text);
  return rc;
}

int eas_jobfile_load(eas_jobfile **out, const char *path, eas_lua_job_fn *lua, void *arg, eas_err *err)
{
  size_t n = strlen(path);
  if (n > 4 && strcmp(path + n - 4, ".lua") == 0) return load_lua(out, path, lua, arg, err);
  eas_buf text;
  eas_buf_init(&text);
  int rc = eas_file_read(path, JOB_FILE_LIMIT, &text, err);
  if (rc >= 0) rc = eas_jobfile_parse(out, path, text.data ? text.data : "", text.len, err);
  eas_buf_done(&text);
  return rc < 0 ? rc : 0;
}

void eas_jobfile_free(eas_jobfile *f)
{
  if (!f) return;
  json_decref(f->doc);
  free(f->text);
  free(f->file);
  free(f);
}

/* Sets one value of the document; the last part of the path may be new, what it stands in may not. */
static int set_at(json_t *doc, const char *name, json_t *value, eas_err *err)
{
  char *path = name[0] == '$' ? eas_strdup(name) : eas_format("$.%s", name);
  int rc = EAS_EINVAL;
  char *dot = strrchr(path, '.'), *bracket = strrchr(path, '[');
  char *cut = bracket > dot ? bracket : dot;
  json_t *there = eas_json_at(doc, path);
  if (cut && strcmp(path, "$") != 0) {
    char last = *cut;
    *cut = 0;
    json_t *holder = eas_json_at(doc, path);
    if (json_is_object(holder) && last == '.' && cut[1])
      rc = json_object_set(holder, cut + 1, value);
    else if (json_is_array(holder) && last == '[' && there)
      rc = json_array_set(holder, strtoul(cut + 1, NULL, 10), value);
    *cut = last;
  }
  if (rc != 0) {
    rc = eas_fail(err, EAS_EINVAL, "no place '%s' in the job to set", name);
    eas_hint(err, "a path such as task_list[0].search_settings.period_min");
  }
  free(path);
  return rc;
}

int eas_jobfile_override(eas_jobfile **out, const eas_jobfile *f, const char *overrides, eas_err *err)
{
  json_t *set = eas_json_parse(overrides, strlen(overrides), "overrides", err);
  if (!set) return EAS_EFORMAT;
  json_t *doc = json_deep_copy(f->doc);
  int rc = json_is_object(set) ? 0 : eas_fail(err, EAS_EINVAL, "overrides: an object of paths and values is wanted");
  const char *name;
  json_t *value;
  json_object_foreach(set, name, value) if (rc == 0) rc = set_at(doc, name, value, err);
  if (rc == 0) {
    char *text = json_dumps(doc, JSON_INDENT(1) | JSON_ENCODE_ANY);
    rc = eas_jobfile_parse(out, f->file, text, strlen(text), err);
    if (rc == 0) (*out)->is_lua = 1; /* lines would be of a text nobody has seen */
    free(text);
  }
  json_decref(doc);
  json_decref(set);
  return rc;
}
