/* born.c: see born.h. The counters say how many; the queue's index which. */
#include "model/born.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/expand_plan.h"
#include "model/words.h"

typedef struct {
  int64_t job, type, n;
} note;

typedef struct {
  note *list;
  int n, cap;
} notes;

typedef struct {
  eas_born *list;
  int n, cap;
} found;

static void free_notes(void *arg)
{
  notes *b = arg;
  free(b->list);
  free(b);
}

void eas_born_watch(eas_db *db)
{
  if (!eas_db_kept(db, EAS_DB_BORN)) eas_db_keep(db, EAS_DB_BORN, eas_alloc(sizeof(notes)), free_notes);
}

void eas_born_note(eas_db *db, int64_t job, int64_t type, int64_t n)
{
  notes *b = eas_db_kept(db, EAS_DB_BORN);
  if (!b) return;
  for (int i = 0; i < b->n; i++)
    if (b->list[i].job == job && b->list[i].type == type) {
      b->list[i].n += n;
      return;
    }
  if (b->n == b->cap) {
    b->cap = b->cap ? 2 * b->cap : 16;
    b->list = eas_realloc(b->list, (size_t)b->cap * sizeof *b->list);
  }
  b->list[b->n++] = (note){ job, type, n };
}

int eas_born_any(const eas_db *db)
{
  const notes *b = eas_db_kept(db, EAS_DB_BORN);
  return b && b->n > 0;
}

static void add(found *f, const char *type, int64_t attempt)
{
  if (f->n == f->cap) {
    f->cap = f->cap ? 2 * f->cap : 64;
    f->list = eas_realloc(f->list, (size_t)f->cap * sizeof *f->list);
  }
  f->list[f->n++] = (eas_born){ type, attempt };
}

/* The newest n of a job and type. */
static int find(eas_db *db, const note *t, const char *type, found *f, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(
      db,
      "SELECT id FROM attempt WHERE state = 'queued' AND type = $1 AND job = $2"
      " ORDER BY id DESC LIMIT $3",
      EAS_ARGS(eas_v_int(t->type), eas_v_int(t->job), eas_v_int(t->n < EAS_BORN_MOST ? t->n : EAS_BORN_MOST)), &rows,
      err);
  for (int i = n; i-- > 0;) add(f, type, eas_rows_int(rows, i, 0));
  eas_rows_free(rows);
  return n < 0 ? n : 0;
}

int eas_born_take(eas_db *db, eas_born **out, eas_err *err)
{
  notes *b = eas_db_kept(db, EAS_DB_BORN);
  found f = { 0 };
  int rc = 0;
  for (int i = 0; b && i < b->n && rc >= 0; i++) {
    const char *type = NULL;
    rc = eas_type_name(db, b->list[i].type, &type, err);
    if (rc >= 0 && eas_flow_of(type) == EAS_FLOW_NONE) rc = find(db, &b->list[i], type, &f, err);
  }
  if (rc < 0) {
    free(f.list);
    return rc;
  }
  if (b) b->n = 0;
  *out = f.list;
  return f.n;
}

/* By the counters: what it costs does not grow with the table. */
static const char waiting[] = "SELECT q.type, q.job FROM job_type q JOIN job j ON j.id = q.job"
                              " WHERE q.queued > 0 AND j.state = 'active' AND j.done_at IS NULL ORDER BY q.type, q.job";
static const char oldest[] = "SELECT id FROM attempt WHERE state = 'queued' AND type = $1 AND job = $2"
                             " AND not_before <= eas_now() - $3 AND queued_at <= eas_now() - $3 ORDER BY id LIMIT $4";

int eas_born_overdue(eas_db *db, int64_t older_us, int limit, eas_born **out, eas_err *err)
{
  eas_rows *rows = NULL;
  found f = { 0 };
  int n = eas_db_query(db, waiting, EAS_NOARGS, &rows, err), rc = n;
  int *tickets = eas_alloc((size_t)(n > 0 ? n : 1) * sizeof *tickets);
  const char **types = eas_alloc((size_t)(n > 0 ? n : 1) * sizeof *types);
  for (int i = 0; i < n && rc >= 0; i++) rc = eas_type_name(db, eas_rows_int(rows, i, 0), &types[i], err);
  for (int i = 0; i < n && rc >= 0; i++)
    if (eas_flow_of(types[i]) == EAS_FLOW_NONE)
      rc = eas_db_send(db, oldest,
                       EAS_ARGS(eas_v_int(eas_rows_int(rows, i, 0)), eas_v_int(eas_rows_int(rows, i, 1)),
                                eas_v_int(older_us), eas_v_int(limit)),
                       &tickets[i], err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  for (int i = 0; i < n && rc >= 0; i++) {
    const eas_rows *r = eas_flow_of(types[i]) == EAS_FLOW_NONE ? eas_db_result(db, tickets[i]) : NULL;
    for (int k = 0; r && k < eas_rows_n(r); k++) add(&f, types[i], eas_rows_int(r, k, 0));
  }
  free(tickets);
  free(types);
  eas_rows_free(rows);
  if (rc < 0) {
    free(f.list);
    return rc;
  }
  *out = f.list;
  return f.n;
}
