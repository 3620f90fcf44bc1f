/* settle_up.c: done tasks count their parents down, upwards only at zero.
 *
 * Parents never change, so all levels can be sent at once: each update looks in the database whether the level
 * below it got done, and touches (and locks) nothing if not. */
#include <stdlib.h>

#include "base/buf.h"
#include "model/ancestors.h"
#include "model/settle.h"

typedef struct {
  int64_t id, parent;
  int depth;
  int64_t done, failed; /* children in done[] */
  int n_below;          /* ancestors of others that hang directly below */
} place;

static int by_id(const void *a, const void *b)
{
  const place *x = *(place *const *)a, *y = *(place *const *)b;
  return (x->id > y->id) - (x->id < y->id);
}

static place *find(place **sorted, int n, int64_t id)
{
  int low = 0, high = n - 1;
  while (low <= high) {
    int mid = (low + high) / 2;
    if (sorted[mid]->id == id) return sorted[mid];
    if (sorted[mid]->id < id)
      low = mid + 1;
    else
      high = mid - 1;
  }
  return NULL;
}

/* Takes p's done children off. Those of the group are known; of what is below, the database says what got done by the
 * statements before: it had open children until then. */
static int send_one(eas_db *db, const place *all, int n, const place *p, eas_err *err)
{
  if (p->n_below == 0)
    return eas_db_send(
        db,
        "UPDATE task SET open_children = open_children - $2, failed_children = failed_children + $3,"
        " done = CASE WHEN open_children = $2 AND state NOT IN ('waiting', 'ready') THEN 1 ELSE done END WHERE id = $1",
        EAS_ARGS(eas_v_int(p->id), eas_v_int(p->done), eas_v_int(p->failed)), NULL, err);

  int64_t *below = eas_alloc((size_t)p->n_below * sizeof *below);
  int n_below = 0;
  for (int i = 0; i < n && n_below < p->n_below; i++)
    if (all[i].parent == p->id) below[n_below++] = all[i].id;
  eas_buf list;
  eas_buf_init(&list);
  int rc = eas_db_send(
      db,
      "UPDATE task SET open_children = open_children - $2 - b.done, failed_children = failed_children + $3 + b.failed,"
      " done = CASE WHEN open_children = $2 + b.done AND state NOT IN ('waiting', 'ready') THEN 1 ELSE task.done END"
      " FROM (SELECT count(*) AS done, count(CASE WHEN state <> 'passed' OR failed_children > 0 THEN 1 END) AS failed"
      " FROM task WHERE id " EAS_IN_IDS("$4") " AND done = 1) b WHERE task.id = $1 AND $2 + b.done > 0",
      EAS_ARGS(eas_v_int(p->id), eas_v_int(p->done), eas_v_int(p->failed),
               eas_v_text(eas_db_id_list(db, below, n_below, &list))),
      NULL, err);
  eas_buf_done(&list);
  free(below);
  return rc;
}

static int deepest_first(const void *a, const void *b)
{
  const place *x = a, *y = b;
  if (x->depth != y->depth) return x->depth > y->depth ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

/* All above the done tasks, each once. Returns how many. */
static int climb(eas_db *db, const eas_up *done, int n_done, place **out)
{
  int n = 0, cap = 16;
  place *all = eas_alloc((size_t)cap * sizeof *all);
  for (int i = 0; i < n_done; i++) {
    if (i && done[i].parent == done[i - 1].parent) continue;
    for (const eas_ancestor *a = eas_ancestors_find(db, done[i].parent); a; a = eas_ancestors_find(db, a->parent)) {
      int known = 0;
      for (int k = n; k-- > 0 && !known;) known = all[k].id == a->id;
      if (known) break; /* and so is all above it */
      if (n == cap) {
        cap *= 2;
        all = eas_realloc(all, (size_t)cap * sizeof *all);
      }
      all[n++] = (place){ .id = a->id, .parent = a->parent, .depth = a->depth };
    }
  }
  qsort(all, (size_t)n, sizeof *all, deepest_first);
  *out = all;
  return n;
}

int eas_up_send(eas_db *db, const eas_up *done, int n_done, eas_err *err)
{
  place *all;
  int n = climb(db, done, n_done, &all), rc = 0;
  place **sorted = eas_alloc((size_t)(n + 1) * sizeof *sorted);
  for (int i = 0; i < n; i++) sorted[i] = &all[i];
  qsort(sorted, (size_t)n, sizeof *sorted, by_id);
  for (int i = 0; i < n_done; i++) {
    place *parent = done[i].parent ? find(sorted, n, done[i].parent) : NULL;
    if (!parent) continue;
    parent->done++;
    parent->failed += done[i].failed;
  }
  for (int i = 0; i < n; i++) {
    place *parent = all[i].parent ? find(sorted, n, all[i].parent) : NULL;
    if (parent) parent->n_below++;
  }
  for (int i = 0; i < n && rc >= 0; i++)
    if (all[i].done || all[i].n_below) rc = send_one(db, all, n, &all[i], err);
  free(sorted);
  free(all);
  return rc < 0 ? rc : 0;
}
