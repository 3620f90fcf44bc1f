/* view_timings.c: how long attempts ran and waited, by type; and a row each. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "model/view.h"
#include "model/view_rows.h"

enum { PAGE = 20000 };

typedef struct {
  char *type;
  int64_t *wall, *queued;
  int64_t cpu_us, wall_us, peak_kb;
  size_t n, cap;
} sample;

typedef struct {
  sample *list;
  int n;
} samples;

static sample *sample_of(samples *s, const char *type)
{
  for (int i = 0; i < s->n; i++)
    if (strcmp(s->list[i].type, type) == 0) return &s->list[i];
  s->list = eas_realloc(s->list, (size_t)(s->n + 1) * sizeof *s->list);
  s->list[s->n] = (sample){ .type = eas_strdup(type) };
  return &s->list[s->n++];
}

static void add(sample *s, int64_t wall, int64_t cpu, int64_t queued, int64_t peak)
{
  if (s->n == s->cap) {
    s->cap = s->cap ? 2 * s->cap : 64;
    s->wall = eas_realloc(s->wall, s->cap * sizeof *s->wall);
    s->queued = eas_realloc(s->queued, s->cap * sizeof *s->queued);
  }
  s->wall[s->n] = wall;
  s->queued[s->n++] = queued > 0 ? queued : 0;
  s->cpu_us += cpu;
  s->wall_us += wall;
  if (peak > s->peak_kb) s->peak_kb = peak;
}

static int by_size(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The smallest value that a share q of all does not exceed. */
static json_int_t quantile(const int64_t *sorted, size_t n, double q)
{
  size_t i = (size_t)(q * (double)n + 0.999999);
  return sorted[i > n ? n - 1 : i ? i - 1 : 0];
}

static json_t *sample_json(sample *s)
{
  qsort(s->wall, s->n, sizeof *s->wall, by_size);
  qsort(s->queued, s->n, sizeof *s->queued, by_size);
  return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "type", s->type, "n", (json_int_t)s->n,
                   "wall_median_us", quantile(s->wall, s->n, 0.5), "wall_p95_us", quantile(s->wall, s->n, 0.95),
                   "wall_max_us", (json_int_t)s->wall[s->n - 1], "wall_us", (json_int_t)s->wall_us, "cpu_us",
                   (json_int_t)s->cpu_us, "queued_median_us", quantile(s->queued, s->n, 0.5), "queued_p99_us",
                   quantile(s->queued, s->n, 0.99), "peak_kb", (json_int_t)s->peak_kb);
}

static int by_cpu(const void *a, const void *b)
{
  const sample *x = a, *y = b;
  return (x->cpu_us < y->cpu_us) - (x->cpu_us > y->cpu_us);
}

int eas_view_timings(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  samples s = { 0 };
  int64_t after = 0, seen = 0;
  int n;
  do { /* by task: what is asked for is found by the index of its job */
    eas_rows *r = NULL;
    n = eas_db_query(
        db,
        "SELECT t.id, y.name, a.wall_us, a.cpu_us, a.started_at - CASE WHEN a.not_before > a.queued_at THEN "
        "a.not_before ELSE a.queued_at END, a.peak_kb FROM (SELECT id, type FROM task WHERE job = $1 AND id > $2 ORDER "
        "BY id LIMIT $5) t JOIN task_type y ON y.id = t.type LEFT JOIN attempt a ON a.task = t.id AND a.state = "
        "'ended' AND a.started_at IS NOT NULL AND a.ending <> 'reused' AND y.name NOT LIKE 'execution_%' AND ($3 = '' "
        "OR y.name = $3) AND a.ended_at >= $4 ORDER BY t.id",
        EAS_ARGS(eas_v_int(f->job), eas_v_int(after), eas_v_text(f->type ? f->type : ""), eas_v_int(f->since_us),
                 eas_v_int(PAGE)),
        &r, err);
    for (int i = 0; i < n; i++)
      if (!eas_rows_null(r, i, 2))
        add(sample_of(&s, eas_rows_text(r, i, 1)), eas_rows_int(r, i, 2), eas_rows_int(r, i, 3), eas_rows_int(r, i, 4),
            eas_rows_int(r, i, 5));
    if (n > 0) after = eas_rows_int(r, n - 1, 0);
    eas_rows_free(r);
    if (f->seen && n > 0) f->seen(f->seen_arg, seen += n);
  } while (n > 0);
  if (n == 0) {
    if (s.n) qsort(s.list, (size_t)s.n, sizeof *s.list, by_cpu);
    *out = json_array();
    for (int i = 0; i < s.n; i++) json_array_append_new(*out, sample_json(&s.list[i]));
    n = s.n;
  }
  for (int i = 0; i < s.n; i++) {
    free(s.list[i].type);
    free(s.list[i].wall);
    free(s.list[i].queued);
  }
  free(s.list);
  return n;
}

int eas_view_runs(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  json_t *list = NULL, *v, *cache = json_object();
  size_t i;
  int n = eas_view_list(
      db,
      "SELECT a.id AS \"a:attempt\", t.id AS \"t:task\", y.name AS type, a.number, a.ending, a.verdict, a.started_at, "
      "a.wall_us, a.cpu_us, a.peak_kb, a.started_at - CASE WHEN a.not_before > a.queued_at THEN a.not_before ELSE "
      "a.queued_at END AS queued_us, h.text AS host, coalesce(t.parent, 0) AS parent FROM task t JOIN task_type y ON "
      "y.id = t.type JOIN attempt a ON a.task = t.id LEFT JOIN worker w ON w.id = a.worker LEFT JOIN word h ON h.id = "
      "w.host WHERE t.job = $1 AND t.id > $2 AND a.state = 'ended' AND a.started_at IS NOT NULL AND a.ending <> "
      "'reused' AND y.name NOT LIKE 'execution_%' AND ($3 = '' OR y.name = $3) AND a.ended_at >= $4 ORDER BY t.id, "
      "a.number LIMIT $5",
      EAS_ARGS(eas_v_int(f->job), eas_v_int(f->after), eas_v_text(f->type ? f->type : ""), eas_v_int(f->since_us),
               eas_v_int(f->limit > 0 ? f->limit : 1000000000)),
      &list, err);
  json_array_foreach(list, i, v)
  {
    if (n < 0) break;
    int64_t task = strtoll(eas_json_str(v, "task") + 1, NULL, 10);
    json_t *parameters = eas_view_parameters(db, cache, task, eas_json_int(v, "parent", 0), err);
    if (!parameters) n = err ? err->code : EAS_EDB;
    json_object_set_new(v, "parameters", parameters ? parameters : json_null());
    json_object_del(v, "parent");
  }
  json_decref(cache);
  if (n < 0)
    json_decref(list);
  else
    *out = list;
  return n;
}

int eas_view_samples(eas_db *db, int64_t job, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT y.name AS type, s.n, a.id AS \"a:attempt\", a.layers, a.reused AS \"a:reused\", h.text AS host, "
      "w.version, "
      "n.provenance AS \"o:provenance\" FROM (SELECT type, count(accepted) AS n, max(accepted) AS accepted FROM task "
      "WHERE "
      "job = $1 AND accepted IS NOT NULL GROUP BY type) s JOIN task_type y ON y.id = s.type JOIN attempt a ON a.id = "
      "s.accepted LEFT JOIN attempt_note n ON n.attempt = a.id LEFT JOIN worker w ON w.id = a.worker LEFT JOIN word h "
      "ON "
      "h.id = w.host WHERE y.name NOT LIKE 'execution_%' ORDER BY y.name",
      EAS_ARGS(eas_v_int(job)), out, err);
}
