/* view_load.c: how much there is to do, over all jobs, and who is there to do it. By counters: the size of the tables plays no part. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "model/view.h"
#include "model/view_rows.h"

int eas_view_load(eas_db *db, json_t **out, eas_err *err)
{
  json_t *types = NULL, *workers = NULL;
  int n = eas_view_list(
      db,
      "SELECT t.name AS type, CAST(sum(q.waiting) AS BIGINT) AS waiting, CAST(sum(q.queued) AS BIGINT) AS queued, "
      "CAST(sum(q.running) AS BIGINT) AS running, CAST(sum(q.passed) AS BIGINT) AS passed, "
      "CAST(sum(q.reused) AS BIGINT) AS reused, CAST(sum(q.failed) AS BIGINT) AS failed, "
      "CAST(sum(q.skipped) AS BIGINT) AS skipped, CAST(sum(q.cancelled) AS BIGINT) AS cancelled, "
      "CAST(sum(q.ended) AS BIGINT) AS ended, "
      "CAST(sum(CASE WHEN j.state = 'active' AND j.done_at IS NULL THEN q.queued ELSE 0 END) AS BIGINT) AS startable "
      "FROM job_type q JOIN job j ON j.id = q.job JOIN task_type t ON t.id = q.type GROUP BY t.name ORDER BY t.name",
      EAS_NOARGS, &types, err);
  if (n >= 0)
    n = eas_view_list(
        db,
        "SELECT w.id AS \"w:worker\", c.text AS container, w.slots, w.lease_until - eas_now() AS lease_us, "
        "(SELECT count(*) FROM attempt a WHERE a.worker = w.id AND a.state = 'running') AS running "
        "FROM worker w LEFT JOIN word c ON c.id = w.container WHERE w.state = 'active' ORDER BY w.id",
        EAS_NOARGS, &workers, err);
  if (n < 0) {
    json_decref(types);
    return n;
  }
  *out = json_pack("{s:o,s:o}", "types", types, "workers", workers);
  return 0;
}

static int runs_in(const eas_task_type *t, const char *container)
{
  for (int i = 0; t->containers[i]; i++)
    if (strcmp(t->containers[i], container) == 0) return 1;
  return 0;
}

/* Slots that a container could fill now, with what waits for it or also for others. */
static int64_t wanted(const json_t *load, const eas_registry *r, const char *container, json_t *names, json_t *by_type)
{
  int64_t sum = 0;
  size_t i;
  json_t *v;
  json_array_foreach(json_object_get(load, "types"), i, v)
  {
    const eas_task_type *t = eas_registry_type(r, eas_json_str(v, "type"));
    int64_t n = eas_json_int(v, "startable", 0);
    if (!t || t->flow || n == 0 || !runs_in(t, container)) continue;
    n *= t->cpu > 1 ? (int64_t)ceil(t->cpu) : 1;
    sum += n;
    json_object_set_new(by_type, t->name, json_integer((json_int_t)n));
    json_array_append_new(names, json_string(t->name));
  }
  return sum;
}

int eas_view_needed(eas_db *db, const eas_registry *r, json_t **out, eas_err *err)
{
  json_t *load = NULL, *list = json_array(), *v;
  int rc = eas_view_load(db, &load, err), n = 0;
  const eas_container *containers = eas_registry_containers(r, &n);
  for (int k = 0; k < n && rc >= 0; k++) {
    int64_t workers = 0, slots = 0, busy = 0;
    size_t i;
    json_array_foreach(json_object_get(load, "workers"), i, v)
    {
      const char *name = eas_json_str(v, "container");
      int64_t s = eas_json_int(v, "slots", 0), b = eas_json_int(v, "running", 0);
      if (s == 0 || eas_json_int(v, "lease_us", 0) <= 0 || (name && strcmp(name, containers[k].name) != 0)) continue;
      workers++; /* one without a container runs everything */
      slots += s;
      busy += b < s ? b : s;
    }
    json_t *types = json_array(), *by_type = json_object();
    int64_t queued = wanted(load, r, containers[k].name, types, by_type), missing = queued + busy - slots;
    json_array_append_new(list, json_pack("{s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:I}", "container", containers[k].name, "types",
                                          types, "queued_by_type", by_type, "queued", (json_int_t)queued, "workers",
                                          (json_int_t)workers, "slots", (json_int_t)slots, "busy", (json_int_t)busy,
                                          "missing", (json_int_t)(missing > 0 ? missing : 0)));
  }
  json_decref(load);
  if (rc < 0) {
    json_decref(list);
    return rc;
  }
  *out = list;
  return 0;
}
