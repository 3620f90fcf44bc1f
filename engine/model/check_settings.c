/* check_settings.c: expressions in the settings of work tasks, evaluated dry; what they mean is the script's business. */
#include <stdlib.h>
#include <string.h>

#include "model/check.h"

/* Fields that every task object has; they are looked at elsewhere. */
static int is_common(const char *key)
{
  static const char *const names[] = { "task",
                                       "name",
                                       "inputs",
                                       "outputs",
                                       "job_name",
                                       "working_directory",
                                       "requires_metadata_from",
                                       "requires_metadata_from_child",
                                       "requires_done",
                                       "requires_passed_fraction",
                                       "replay" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(key, names[i]) == 0) return 1;
  return 0;
}

static void look_at(eas_check *c, const json_t *v, const char *path, const char *suffix)
{
  const char *key;
  json_t *inner;
  size_t i;
  if (json_is_string(v)) {
    json_decref(eas_plan_value(&c->plan, v, path, suffix, NULL));
  } else if (json_is_object(v)) {
    json_object_foreach((json_t *)(uintptr_t)v, key, inner)
    {
      char *below = eas_plan_step(suffix, key);
      look_at(c, inner, path, below);
      free(below);
    }
  } else if (json_is_array(v)) {
    json_array_foreach((json_t *)(uintptr_t)v, i, inner)
    {
      char *below = eas_format("%s[%zu]", suffix, i);
      look_at(c, inner, path, below);
      free(below);
    }
  }
}

void eas_check_settings(eas_check *c, const json_t *entry, const char *path)
{
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)entry, key, v)
  {
    if (is_common(key)) continue;
    char *suffix = eas_plan_step("", key);
    look_at(c, v, path, suffix);
    free(suffix);
  }
}
