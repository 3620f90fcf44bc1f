/* code.c: see code.h. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "worker/code.h"

typedef struct {
  const char *const *packs;
  json_t *files; /* shown name -> sha256 hex */
} scan;

static int scan_file(scan *s, const char *shown, const char *path, eas_err *err);

/* lib.NAME: tasks_lua/lib or qc_lua/lib of a pack; eas.*: share/eas/lua; native.NAME: a pack's native folder. */
static int module_path(const scan *s, const char *name, char **out)
{
  char *part = eas_strdup(name);
  for (char *c = part; *c; c++)
    if (*c == '.') *c = '/';
  char *path = NULL;
  if (strncmp(name, "eas", 3) == 0 && (name[3] == '.' || name[3] == 0)) {
    const char *forms[] = { "%s/lua/%s.lua", "%s/lua/%s/init.lua" };
    for (int i = 0; i < 2 && !path; i++) {
      path = eas_format(forms[i], eas_home_share(), part);
      if (!eas_path_exists(path)) {
        free(path);
        path = NULL;
      }
    }
  }
  const char *const folders[] = { "tasks_lua", "qc_lua", "." };
  for (int i = 0; !path && s->packs[i]; i++)
    for (int k = 0; k < 3 && !path; k++) {
      path = eas_format("%s/%s/%s.lua", s->packs[i], folders[k], part);
      if (!eas_path_exists(path)) {
        free(path);
        path = NULL;
      }
    }
  free(part);
  *out = path;
  return path != NULL;
}

static int scan_kernel(scan *s, const char *module, eas_err *err)
{
  const char *base = strrchr(module, '.');
  if (!base || !strstr(module, "native.")) return 0;
  char *path = eas_format("%s/%s.so", eas_home_native(), base + 1);
  for (int i = 0; !eas_path_exists(path) && s->packs[i]; i++) {
    free(path);
    path = eas_format("%s/native/%s.so", s->packs[i], base + 1);
  }
  int rc = 0;
  char *shown = eas_format("kernel %s", base + 1);
  if (eas_path_exists(path) && !json_object_get(s->files, shown)) {
    eas_digest d;
    char hex[65];
    rc = eas_hash_file(path, &d, NULL, err);
    if (rc >= 0) {
      eas_digest_hex(&d, hex);
      json_object_set_new(s->files, shown, json_string(hex));
    }
  }
  free(shown);
  free(path);
  return rc < 0 ? rc : 0;
}

static int scan_module(scan *s, const char *name, eas_err *err)
{
  if (json_object_get(s->files, name)) return 0;
  char *path = NULL;
  if (!module_path(s, name, &path)) return 0; /* the script will fail by itself, and say so */
  int rc = scan_file(s, name, path, err);
  free(path);
  return rc < 0 ? rc : scan_kernel(s, name, err);
}

/* require "x", require 'x', require("x") */
static int scan_requires(scan *s, const char *text, eas_err *err)
{
  for (const char *p = strstr(text, "require"); p; p = strstr(p + 1, "require")) {
    const char *q = p + 7;
    while (*q == ' ' || *q == '(') q++;
    if (*q != '"' && *q != '\'') continue;
    const char *end = strchr(q + 1, *q);
    if (!end || end - q > 128) continue;
    char name[130];
    memcpy(name, q + 1, (size_t)(end - q - 1));
    name[end - q - 1] = 0;
    int rc = scan_module(s, name, err);
    if (rc < 0) return rc;
  }
  return 0;
}

static int scan_file(scan *s, const char *shown, const char *path, eas_err *err)
{
  eas_buf text;
  eas_buf_init(&text);
  int rc = eas_file_read(path, 16 << 20, &text, err);
  if (rc >= 0) {
    eas_digest d;
    char hex[65];
    eas_hash(text.data ? text.data : "", text.len, &d);
    eas_digest_hex(&d, hex);
    json_object_set_new(s->files, shown, json_string(hex));
    rc = text.data ? scan_requires(s, text.data, err) : 0;
  }
  eas_buf_done(&text);
  return rc < 0 ? rc : 0;
}

int eas_code_digest(const char *const *packs, json_t *cache, const eas_task_type *t, json_t **files, eas_digest *out,
                    eas_err *err)
{
  json_t *known = json_object_get(cache, t->name);
  if (!known) {
    scan s = { .packs = packs, .files = json_object() };
    int rc = scan_file(&s, "task", t->script, err);
    if (rc >= 0) rc = scan_file(&s, "qc", t->qc, err);
    if (rc < 0) {
      json_decref(s.files);
      return rc;
    }
    json_object_set_new(cache, t->name, s.files);
    known = s.files;
  }
  char *text = eas_json_canonical(known);
  eas_hash(text, strlen(text), out);
  free(text);
  *files = json_incref(known);
  return 0;
}

const char *eas_simd_name(void)
{
  static const char *const names[] = { "sse2", "avx2", "avx512" };
  int best = 0;
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = 1;
  if (best && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    best = 2;
#endif
  const char *pin = getenv("EAS_SIMD");
  for (int i = 0; pin && i < best; i++)
    if (strcmp(pin, names[i]) == 0) best = i;
  return names[best];
}
