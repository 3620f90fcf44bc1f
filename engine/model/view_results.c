/* view_results.c: what tasks found, with the loop variables that led to them. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/expand.h"
#include "model/view.h"
#include "model/view_rows.h"

enum { PAGE = 1000 };

/* Siblings share their ancestors' values: kept by parent while a page is made. */
json_t *eas_view_parameters(eas_db *db, json_t *cache, int64_t task, int64_t parent, eas_err *err)
{
  char key[32];
  snprintf(key, sizeof key, "%lld", (long long)parent);
  json_t *found = json_object_get(cache, key);
  if (found) return json_incref(found);
  if (eas_task_metadata(db, task, &found, err) < 0) return NULL;
  json_object_set(cache, key, found);
  return found;
}

static json_t *row_json(eas_db *db, json_t *cache, const eas_rows *r, int i, eas_err *err)
{
  char id[32];
  snprintf(id, sizeof id, "t%lld", (long long)eas_rows_int(r, i, 0));
  json_t *parameters = eas_view_parameters(db, cache, eas_rows_int(r, i, 0), eas_rows_int(r, i, 1), err);
  if (!parameters) return NULL;
  json_t *result = json_loads(eas_rows_text(r, i, 3), 0, NULL);
  return json_pack("{s:s,s:s,s:o,s:o}", "task", id, "type", eas_rows_text(r, i, 2), "parameters", parameters, "result",
                   result ? result : json_object());
}

int eas_view_results(eas_db *db, int64_t job, const char *type, int64_t after, int limit, json_t **out, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(
      db,
      "SELECT t.id, coalesce(t.parent, 0), y.name, a.metadata FROM task t "
      "JOIN attempt a ON a.id = t.accepted JOIN task_type y ON y.id = t.type "
      "WHERE t.job = $1 AND t.id > $2 AND a.metadata IS NOT NULL AND ($3 = '' OR y.name = $3) ORDER BY t.id LIMIT $4",
      EAS_ARGS(eas_v_int(job), eas_v_int(after), eas_v_text(type ? type : ""), eas_v_int(limit > 0 ? limit : PAGE)), &r,
      err);
  if (n < 0) return n;
  json_t *list = json_array(), *cache = json_object();
  int rc = 0;
  for (int i = 0; i < n && rc >= 0; i++) {
    json_t *v = row_json(db, cache, r, i, err);
    if (v)
      json_array_append_new(list, v);
    else
      rc = err ? err->code : EAS_EDB;
  }
  eas_rows_free(r);
  json_decref(cache);
  if (rc < 0) {
    json_decref(list);
    return rc;
  }
  *out = list;
  return n;
}
