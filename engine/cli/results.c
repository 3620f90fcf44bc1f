/* results.c: see results.h. */
#include "cli/results.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

json_t *eas_results_flat(const json_t *row)
{
  const char *key;
  json_t *v, *o = json_object();
  json_object_set(o, "task", json_object_get(row, "task"));
  json_object_set(o, "type", json_object_get(row, "type"));
  json_object_foreach(json_object_get(row, "parameters"), key, v) json_object_set(o, key, v);
  json_object_foreach(json_object_get(row, "result"), key, v)
  {
    char *name =
        json_object_get(json_object_get(row, "parameters"), key) ? eas_format("found_%s", key) : eas_strdup(key);
    if (json_is_object(v) || json_is_array(v)) {
      free(name);
      continue;
    }
    if (strcmp(key, "outcome") == 0) {
      const char *s = json_string_value(v);
      json_object_set_new(o, "recovered",
                          s && strcmp(s, "PASS") == 0   ? json_true()
                          : s && strcmp(s, "FAIL") == 0 ? json_false()
                                                        : json_null());
    } else {
      json_object_set(o, name, v);
    }
    free(name);
  }
  return o;
}
