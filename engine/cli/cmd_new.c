/* cmd_new.c: eas new task: a task type that runs, to be replaced by one's own. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/ids.h"

enum { NAME_MAX_LEN = 48 };

static int check_name(eas_cli *c, const char *name, eas_err *err)
{
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
  if (name[n] || n == 0 || n > NAME_MAX_LEN || !(name[0] >= 'a' && name[0] <= 'z')) {
    eas_fail(err, EAS_EINVAL, "eas new task: '%s' is no name for a task type", name);
    return eas_hint(err, "small letters, digits and _, a letter first, up to %d: as dip_count", NAME_MAX_LEN);
  }
  int rc = eas_cli_open_registry(c, err);
  if (rc >= 0 && eas_registry_type(c->registry, name)) {
    rc = eas_fail(err, EAS_EINVAL, "eas new task: there is a task type '%s' already", name);
    eas_hint(err, "eas registry list shows all");
  }
  return rc;
}

/* Nothing is written over: not one of the files may be there, but the Makefile, which serves all types of a pack. */
static int check_folder(const char *dir, json_t *files, eas_err *err)
{
  const char *name, *there = NULL;
  json_t *v;
  char *makefile = eas_path_join(dir, "Makefile");
  if (eas_path_exists(makefile)) json_object_del(files, "Makefile");
  free(makefile);
  json_object_foreach(files, name, v)
  {
    char *path = eas_path_join(dir, name);
    if (eas_path_exists(path)) there = name;
    free(path);
  }
  if (!there) return 0;
  eas_fail(err, EAS_EINVAL, "%s/%s is there already", dir, there);
  return eas_hint(err, "remove it, or choose another name or folder (--pack DIR)");
}

static int write_files(const char *dir, const json_t *files, eas_err *err)
{
  const char *name;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)files, name, v)
  {
    char *path = eas_path_join(dir, name), *folder = eas_strdup(path);
    folder[eas_path_base(folder) - folder] = 0;
    int rc = eas_path_mkdirs(folder, 0755, err);
    if (rc >= 0) rc = eas_file_write(path, json_string_value(v), json_string_length(v), 0644, err);
    free(folder);
    free(path);
    if (rc < 0) {
      err->code = EAS_EINVAL;
      return eas_hint(err, "name a folder that can be written: --pack DIR");
    }
  }
  return 0;
}

static json_t *sorted_names(const json_t *files)
{
  char *text = eas_json_canonical(files);
  json_t *sorted = json_loads(text, 0, NULL), *list = json_array(), *v;
  const char *name;
  json_object_foreach(sorted, name, v) json_array_append_new(list, json_string(name));
  json_decref(sorted);
  free(text);
  return list;
}

static void tell(eas_cli *c, const char *dir, const char *name, const json_t *files, int kernel)
{
  json_t *list = sorted_names(files), *v;
  size_t i;
  if (c->json) {
    eas_print_json(json_pack("{s:s,s:s,s:o}", "type", name, "pack", dir, "files", list));
    return;
  }
  int column = 0;
  json_array_foreach(list, i, v)
  {
    int w = (int)strlen(json_string_value(v)) + 2;
    if (!i || column + w > 100) {
      printf("%s%-7s", i ? "\n" : "", i ? "" : "wrote");
      column = 7;
    }
    printf("%s  ", json_string_value(v));
    column += w;
  }
  int here = strcmp(dir, ".") == 0;
  printf("\nnext   %s%s%sEAS_TASK_PATH=. eas run examples/%s.json\n", here ? "" : "cd ", here ? "" : dir,
         kernel ? (here ? "make && " : " && make && ")
         : here ? ""
                : " && ",
         name);
  printf("       its spec: make check        yours to write: %s%s.%s\n", kernel ? "native/" : "tasks_lua/", name,
         kernel ? "c" : "lua");
  json_decref(list);
}

static int cmd_new(eas_cli *c)
{
  eas_err err = { 0 };
  size_t n = 0;
  if (strcmp(c->args[0], "task") != 0) return eas_cli_usage(c, "'%s': only a task can be made", c->args[0]);
  if (!c->runner->view) return eas_cli_usage(c, "this program was built without scripts");
  const char *name = c->args[1], *dir = eas_cli_get(c, "--pack") ? eas_cli_get(c, "--pack") : ".";
  int kernel = eas_cli_has(c, "--kernel"), rc = check_name(c, name, &err);
  json_t *files = NULL, *q = json_pack("{s:s,s:b}", "name", name, "kernel", kernel);
  char *request = json_dumps(q, JSON_COMPACT);
  char *text = rc >= 0 ? c->runner->view(c->runner->arg, "new_task", request, &n, &err) : NULL;
  if (text) files = json_loads(text, 0, NULL);
  if (rc >= 0 && !files) rc = err.code ? err.code : eas_fail(&err, EAS_EBUG, "new task: the templates are damaged");
  if (rc >= 0) rc = check_folder(dir, files, &err);
  if (rc >= 0) rc = write_files(dir, files, &err);
  if (rc >= 0) tell(c, dir, name, files, kernel);
  json_decref(files);
  json_decref(q);
  free(text);
  free(request);
  return rc < 0 ? eas_cli_fail(c, &err) : EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = { { "--kernel", NULL, NULL, "with a kernel in C and its binding" },
                                      { "--pack", "DIR", NULL, "folder of the pack (default: this folder)" },
                                      { "--task-path", "DIRS", "task_path",
                                        "packs whose types are known, divided by ':'" },
                                      { 0 } };

const eas_command eas_cmd_new = {
  .name = "new",
  .args = "task NAME",
  .summary = "makes a task type that runs as it stands: script, check, registry entry, spec, example",
  .detail = "In an empty folder this makes a pack; in a pack it adds a type. Nothing is written over.",
  .examples = "  eas new task dip_count --kernel",
  .groups = EAS_O_JSON,
  .options = OPTIONS,
  .min_args = 2,
  .max_args = 2,
  .run = cmd_new
};
