/* metadata.c: the values a task sees: those of its ancestors, root first, overlaid by its own. */
#include "model/expand.h"

int eas_task_metadata(eas_db *db, int64_t task, json_t **out, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db,
                       "WITH RECURSIVE up (id, parent, depth, metadata) AS ("
                       " SELECT id, parent, depth, metadata FROM task WHERE id = $1"
                       " UNION ALL SELECT t.id, t.parent, t.depth, t.metadata FROM task t JOIN up ON t.id = up.parent)"
                       " SELECT metadata FROM up WHERE metadata IS NOT NULL ORDER BY depth",
                       EAS_ARGS(eas_v_int(task)), &rows, err);
  if (n < 0) return n;
  json_t *merged = json_object();
  int rc = 0;
  for (int i = 0; i < n && rc == 0; i++) {
    json_t *own = json_loads(eas_rows_text(rows, i, 0), JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(own))
      json_object_update(merged, own);
    else
      rc =
          eas_fail(err, EAS_EFORMAT, "task t%lld: its metadata, or an ancestor's, are no JSON object", (long long)task);
    json_decref(own);
  }
  eas_rows_free(rows);
  if (rc == 0)
    *out = merged;
  else
    json_decref(merged);
  return rc;
}
