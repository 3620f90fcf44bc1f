/* expand.c: one transaction of expansion: a job, its queued flow control deepest first, until the room is used up.
 *
 * What a task brings to life is looked at next, before its siblings: so files of an earlier place in the document
 * are known at a later one. */
#include "model/expand.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/claim.h"
#include "model/expand_state.h"
#include "model/words.h"

enum {
  MOST_CHILDREN = 10 * 1000,
  MOST_QUEUED = 100 * 1000,
  MOST_JOBS = 64,
  LOOP_WINDOW = 128 /* values of a loop at a time: their chains come before the next ones */
};

typedef struct {
  eas_flow_task *list;
  int n, cap;
} stack;

static void push(stack *s, eas_flow_task t)
{
  if (s->n == s->cap) {
    s->cap = s->cap ? 2 * s->cap : 64;
    s->list = eas_realloc(s->list, (size_t)s->cap * sizeof *s->list);
  }
  s->list[s->n++] = t;
}

static void stack_done(stack *s)
{
  for (int i = 0; i < s->n; i++) eas_flow_task_done(&s->list[i]);
  free(s->list);
}

void eas_expansion_done(eas_expansion *x)
{
  eas_expand_rows_done(x);
  json_decref(x->doc);
  eas_map_done(&x->nodes);
  eas_map_done(&x->made);
  free(x->made_list);
  eas_counts_done(&x->counts);
  free(x->done);
  free(x->fault);
}

/* Flow control born queued comes next, in order, before what was there. */
static void push_born(eas_expansion *x, stack *s, const eas_flow_task *t, const eas_births *b, json_t *metadata)
{
  for (int64_t i = b->n; i-- > 0;) {
    const eas_birth *c = &b->list[i];
    if (!c->id || c->pending || c->flow == EAS_FLOW_NONE) continue;
    int64_t type = 0;
    if (eas_type_id(x->db, c->type->name, &type, NULL) < 0) continue;
    push(s, (eas_flow_task){ .attempt = c->attempt,
                             .task = c->id,
                             .ordinal = c->ordinal,
                             .unborn = eas_expand_is_later(x, c),
                             .parent = t->task,
                             .type = type,
                             .depth = t->depth + 1,
                             .turn = c->turn,
                             .directory = c->directory,
                             .label = c->label,
                             .seed = c->seed,
                             .flow = c->flow,
                             .parent_flow = t->flow,
                             .named = c->item.name != NULL,
                             .has_needs = c->item.n_needs > 0 || c->item.n_gathers > 0,
                             .path = eas_strdup(c->path),
                             .own = json_incref(c->own),
                             .inherited = json_incref(metadata) });
  }
}

/* Metadata that t sees; new reference. */
static int metadata_of(eas_expansion *x, eas_flow_task *t, json_t **out, eas_err *err)
{
  int rc = 0;
  if (!t->inherited) {
    if (t->parent)
      rc = eas_task_metadata(x->db, t->parent, &t->inherited, err);
    else
      t->inherited = json_object();
  }
  if (rc < 0) return rc;
  if (!t->own) {
    *out = json_incref(t->inherited);
    return 0;
  }
  *out = json_copy(t->inherited);
  json_object_update(*out, t->own);
  return 0;
}

/* The files that a loop found stay the same for its later slices, whatever happens to the folder. */
static int record_files(eas_expansion *x, eas_flow_task *t, const eas_births *b, eas_err *err)
{
  if (t->flow != EAS_FLOW_FOR || t->recorded || !b->files) return 0;
  t->recorded = json_pack("{s:O}", "files", b->files);
  char *text = json_dumps(t->recorded, JSON_COMPACT);
  int rc = eas_expand_write(x, err);
  if (rc >= 0)
    rc = eas_db_send(x->db, "UPDATE attempt SET metadata = $2 WHERE id = $1",
                     EAS_ARGS(eas_v_int(t->attempt), eas_v_text(text)), NULL, err);
  free(text);
  return rc < 0 ? rc : eas_expand_sent(x, err);
}

/* Its children are known: its own rows if they are not there yet, then theirs. */
static int write_task(eas_expansion *x, eas_flow_task *t, eas_births *b, int64_t n, int left, int64_t started,
                      eas_err *err)
{
  int64_t wall = eas_tick_us() - started;
  int born = t->unborn && !left, rc = 0;
  if (t->unborn) rc = eas_expand_bear(x, t, left ? EAS_BORN_QUEUED : EAS_BORN_PASSED, left ? 0 : n, wall, err);
  if (rc >= 0) rc = eas_expand_insert(x, t, b, err);
  if (rc < 0 || born) return rc;
  if (!left) return eas_expand_pass(x, t, n, wall, err);
  rc = record_files(x, t, b, err);
  return rc < 0 ? rc : eas_expand_progress(x, t, n, err);
}

/* One task: its children from the cursor on, at most `room`. *left: some are still to come, and the stack has it again. */
static int expand_task(eas_expansion *x, eas_flow_task *t, int64_t room, stack *s, int *n_born, int *left, eas_err *err)
{
  int64_t started = eas_tick_us();
  json_t *metadata = NULL, *requested = NULL;
  eas_births b = { 0 };
  *n_born = *left = 0;
  int rc = metadata_of(x, t, &metadata, err);
  if (rc >= 0 && t->has_needs) rc = eas_expand_requested(x, t->task, &requested, err);
  if (rc >= 0) rc = eas_expand_children(x, t, metadata, requested, room, &b, err);
  if (rc == 0) rc = eas_expand_link(x, t, room, &b, err);
  if (rc == 1) {
    int64_t wall = eas_tick_us() - started;
    rc = t->unborn ? eas_expand_bear(x, t, EAS_BORN_FAILED, 0, wall, err) : eas_expand_fail(x, t, wall, err);
    x->n_failed++;
  } else if (rc == 0) {
    int64_t n = b.total - t->cursor < room ? b.total - t->cursor : room;
    int some_left = t->cursor + n < b.total;
    *n_born = n > 0 ? (int)n : 0;
    rc = write_task(x, t, &b, *n_born, some_left, started, err);
    if (rc >= 0 && some_left) {
      push(s, *t);
      *left = 1;
    }
    if (rc >= 0) push_born(x, s, t, &b, metadata);
  }
  eas_births_done(&b);
  json_decref(metadata);
  json_decref(requested);
  return rc < 0 ? rc : 0;
}

/* How many children t may get now. Values of a loop are opened as far as there is room for what stands in their chains:
 * these are written once, when they have been expanded. 0: not in this transaction. */
static int64_t window_of(eas_expansion *x, const eas_flow_task *t, int64_t left_room, int64_t room)
{
  if (t->flow != EAS_FLOW_FOR) return left_room;
  json_t *entry = NULL;
  if (eas_expand_entry(x, t->path, &entry, NULL) != 0) return 1; /* expanding it will tell */
  int64_t each = 1 + (int64_t)json_array_size(json_object_get(entry, "task_list")), n = left_room / each;
  json_decref(entry);
  if (n == 0) return left_room == room ? 1 : 0;
  return n < LOOP_WINDOW ? n : LOOP_WINDOW;
}

/* Works on the stack until it is empty or the room is used up. */
static int expand_stack(eas_expansion *x, stack *s, int room, eas_expanded *out, eas_err *err)
{
  int left_room = room, most_parents = room, rc = 0;
  while (s->n && left_room > 0 && most_parents > 0 && rc >= 0) {
    int n_born, left;
    int64_t window = window_of(x, &s->list[s->n - 1], left_room, room);
    if (window == 0) break;
    eas_flow_task t = s->list[--s->n];
    rc = expand_task(x, &t, window, s, &n_born, &left, err);
    if (!left) eas_flow_task_done(&t);
    left_room -= n_born;
    most_parents--;
    out->n_children += n_born;
    out->n_parents += rc >= 0 && !left;
  }
  if (s->n) out->more = 1;
  for (int i = s->n; i-- > 0 && rc >= 0;) /* what was not reached is queued */
    if (s->list[i].unborn) rc = eas_expand_bear(x, &s->list[i], EAS_BORN_QUEUED, 0, 0, err);
  return rc < 0 ? rc : 0;
}

/* Locks the job and reads what is needed of it: 1 if it may grow now. */
static int open_job(eas_expansion *x, eas_expanded *out, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(
      x->db, "SELECT document, compat, state, eas_now(), trace_id FROM job WHERE id = $1 /*pg FOR NO KEY UPDATE */",
      EAS_ARGS(eas_v_int(x->job)), &rows, err);
  int active = rc > 0 && strcmp(eas_rows_text(rows, 0, 2), "active") == 0;
  int64_t document = rc > 0 ? eas_rows_int(rows, 0, 0) : 0;
  x->now = rc > 0 ? eas_rows_int(rows, 0, 3) : 0;
  x->compat = rc > 0 && eas_rows_int(rows, 0, 1);
  out->job = x->job;
  if (rc > 0) eas_trace_copy(out->trace_id, eas_rows_text(rows, 0, 4));
  eas_rows_free(rows);
  if (rc <= 0 || !active) return rc < 0 ? rc : 0;
  x->document = document;
  rc = eas_document_entry(x->db, document, "$", &x->doc, err);
  return rc < 0 ? rc : 1;
}

/* What is decided by now goes up to the parents; counters last. */
static int close_job(eas_expansion *x, eas_err *err)
{
  int rc = eas_expand_write(x, err);
  if (rc >= 0) rc = eas_db_flush(x->db, err);
  if (rc >= 0) rc = eas_finish_children(x->db, x->done, x->n_done, err);
  if (rc >= 0) rc = eas_counts_apply(&x->counts, x->db, err);
  if (rc >= 0) rc = eas_db_ring(x->db, err);
  if (rc >= 0) rc = eas_db_commit(x->db, err);
  return rc < 0 ? rc : 0;
}

static int expand_job(eas_db *db, const eas_registry *r, const eas_expand_options *o, int64_t job, eas_expanded *out,
                      eas_err *err)
{
  int room = o->max_children > 0 && o->max_children < MOST_CHILDREN ? o->max_children : MOST_CHILDREN;
  eas_expansion x = { .db = db, .registry = r, .o = o, .job = job };
  eas_flow_task *list = NULL;
  stack s = { 0 };
  int n = 0;
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  rc = open_job(&x, out, err);
  if (rc > 0) rc = eas_expand_load(&x, room < 1000 ? room : 1000, &list, &n, err);
  for (int i = n; i-- > 0;) push(&s, list[i]);
  if (rc >= 0 && n == (room < 1000 ? room : 1000)) out->more = 1;
  if (rc >= 0 && n) rc = expand_stack(&x, &s, room, out, err);
  if (rc >= 0) rc = n ? close_job(&x, err) : eas_db_commit(db, err);
  if (rc < 0) {
    eas_db_rollback(db);
    eas_words_forget(db);
  }
  out->n_failed = rc < 0 ? 0 : x.n_failed;
  out->n_queued = rc < 0 ? 0 : x.n_queued;
  free(list);
  stack_done(&s);
  eas_expansion_done(&x);
  return rc < 0 ? rc : 0;
}

/* Active jobs with flow control queued, and not too much else: by priority; then those for which least is queued, so that
 * a small job need not wait until a large one is opened. */
static int find_jobs(eas_db *db, int64_t *jobs, eas_err *err)
{
  int64_t type[4];
  int rc = 0;
  for (int i = 0; i < 4 && rc >= 0; i++) rc = eas_type_id(db, eas_flow_name((eas_flow)(i + 1)), &type[i], err);
  if (rc < 0) return rc;
  eas_rows *rows = NULL;
  int n = eas_db_query(
      db,
      "SELECT j.id FROM job j WHERE j.state = 'active' AND j.done_at IS NULL"
      " AND EXISTS (SELECT 1 FROM job_type f WHERE f.job = j.id AND f.type IN ($1, $2, $3, $4) AND f.queued > 0)"
      " AND COALESCE((SELECT SUM(w.queued) FROM job_type w WHERE w.job = j.id AND w.type NOT IN ($1, $2, $3, $4)), 0) "
      "< $5"
      " ORDER BY j.priority DESC, COALESCE((SELECT SUM(w.queued) FROM job_type w WHERE w.job = j.id AND w.type NOT IN "
      "($1, $2, $3, $4)), 0), j.id LIMIT $6",
      EAS_ARGS(eas_v_int(type[0]), eas_v_int(type[1]), eas_v_int(type[2]), eas_v_int(type[3]), eas_v_int(MOST_QUEUED),
               eas_v_int(MOST_JOBS)),
      &rows, err);
  for (int i = 0; i < n; i++) jobs[i] = eas_rows_int(rows, i, 0);
  eas_rows_free(rows);
  return n;
}

int eas_expand_some(eas_db *db, const eas_registry *r, const eas_expand_options *o, eas_expanded *out, eas_err *err)
{
  int64_t jobs[MOST_JOBS];
  *out = (eas_expanded){ 0 };
  int n = find_jobs(db, jobs, err), rc = n < 0 ? n : 0;
  for (int i = 0; i < n && rc >= 0; i++) {
    rc = expand_job(db, r, o, jobs[i], out, err);
    for (int tries = 0; eas_db_again(db, rc, &tries);) { /* no job before this made anything */
      *out = (eas_expanded){ 0 };
      rc = expand_job(db, r, o, jobs[i], out, err);
    }
    if (out->n_parents || out->n_children) { /* one job a call; others come next */
      out->more |= i + 1 < n;
      break;
    }
  }
  return rc < 0 ? rc : 0;
}
