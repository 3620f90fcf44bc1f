/* web_bulk.c: see web_bulk.h. */
#include "cli/web_bulk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "model/attempt.h"
#include "model/pages.h"

enum { SLICE = 250, MOST_WORKS = 16, MOST_UNDER_WAY = 4, PAUSE_US = 2000 };

typedef struct {
  int64_t id, job, after, done, matching;
  int cancel, under_way;
  char *type, *state;
  json_t *where; /* or NULL */
  char error[256];
} work;

struct eas_bulks {
  eas_cli *c;
  eas_loop *loop;
  eas_db *db; /* that may write; open while something is under way */
  work list[MOST_WORKS];
  int n;
  int64_t next_id, timer;
};

eas_bulks *eas_bulks_new(eas_cli *c, eas_loop *loop)
{
  eas_bulks *b = eas_alloc(sizeof *b);
  b->c = c;
  b->loop = loop;
  b->next_id = 1;
  return b;
}

static void work_done(work *w)
{
  free(w->type);
  free(w->state);
  json_decref(w->where);
}

void eas_bulks_free(eas_bulks *b)
{
  if (!b) return;
  eas_loop_cancel(b->loop, b->timer);
  for (int i = 0; i < b->n; i++) work_done(&b->list[i]);
  eas_db_close(b->db);
  free(b);
}

/* The ids of a page of the filter; *next 0: it was the last. */
static int page(eas_bulks *b, const work *w, int64_t ids[SLICE], int64_t *next, eas_err *err)
{
  eas_view_filter f = { .job = w->job,
                        .type = *w->type ? w->type : NULL,
                        .state = *w->state ? w->state : NULL,
                        .where = w->where,
                        .after = w->after,
                        .limit = SLICE };
  json_t *got = NULL, *row;
  size_t i;
  int n = 0, rc = eas_page_tasks(b->db, &f, &got, err);
  if (rc < 0) return rc;
  json_array_foreach(json_object_get(got, "items"), i, row) ids[n++] = strtoll(eas_json_str(row, "task") + 1, NULL, 10);
  const char *text = eas_json_str(got, "next");
  *next = text ? strtoll(text + 1, NULL, 10) : 0;
  json_decref(got);
  return n;
}

static int slice(eas_bulks *b, work *w, eas_err *err)
{
  int64_t ids[SLICE], next = 0;
  int64_t from = eas_tick_us();
  int n = page(b, w, ids, &next, err);
  if (n < 0) return n;
  int64_t read = eas_tick_us();
  int rc = w->cancel ? eas_cancel_chosen(b->db, w->job, ids, n, err) : eas_retry_chosen(b->db, w->job, ids, n, err);
  if (rc < 0) return rc;
  w->done += rc;
  eas_log(EAS_DEBUG, "web: %d of %d tasks to %s: %.1f ms to find, %.1f ms to change them", rc, n,
          w->cancel ? "cancel" : "retry", (double)(read - from) / 1e3, (double)(eas_tick_us() - read) / 1e3);
  w->after = next ? next : w->after;
  w->under_way = next != 0;
  return 0;
}

static void on_turn(void *arg)
{
  eas_bulks *b = arg;
  int64_t from = eas_tick_us();
  int any = 0;
  b->timer = 0;
  for (int i = 0; i < b->n && !any; i++) {
    work *w = &b->list[i];
    eas_err err = { 0 };
    if (!w->under_way) continue;
    any = 1;
    if (slice(b, w, &err) >= 0) {
      if (!w->under_way)
        eas_log(EAS_INFO, "web: %s of j%" PRId64 ": %" PRId64 " tasks", w->cancel ? "cancel" : "retry", w->job,
                w->done);
      continue;
    }
    w->under_way = 0;
    snprintf(w->error, sizeof w->error, "%.255s", err.text);
    eas_log(EAS_WARN, "web: %s of j%" PRId64 " stopped after %" PRId64 " tasks: %s", w->cancel ? "cancel" : "retry",
            w->job, w->done, err.text);
  }
  int64_t took = eas_tick_us() - from; /* others have at least as much of the time */
  if (any) {
    b->timer = eas_loop_after(b->loop, took + PAUSE_US, on_turn, b);
  } else {
    eas_db_close(b->db);
    b->db = NULL;
  }
}

/* Room for one more: the oldest that is over goes. */
static int make_room(eas_bulks *b, eas_err *err)
{
  int under_way = 0, oldest = -1;
  for (int i = 0; i < b->n; i++) {
    under_way += b->list[i].under_way;
    if (oldest < 0 && !b->list[i].under_way) oldest = i;
  }
  if (under_way >= MOST_UNDER_WAY) return eas_fail(err, EAS_EBUSY, "%d such actions are under way", under_way);
  if (b->n < MOST_WORKS) return 0;
  work_done(&b->list[oldest]);
  memmove(&b->list[oldest], &b->list[oldest + 1], (size_t)(b->n - oldest - 1) * sizeof *b->list);
  b->n--;
  return 0;
}

static json_t *work_json(const work *w)
{
  return json_pack("{s:I,s:s,s:o,s:s?,s:s?,s:O?,s:I,s:I,s:b,s:s?}", "id", (json_int_t)w->id, "do",
                   w->cancel ? "cancel" : "retry", "job", json_sprintf("j%" PRId64, w->job), "type",
                   *w->type ? w->type : NULL, "state", *w->state ? w->state : NULL, "where", w->where, "matching",
                   (json_int_t)w->matching, "done", (json_int_t)w->done, "under_way", w->under_way, "error",
                   *w->error ? w->error : NULL);
}

json_t *eas_bulks_list(const eas_bulks *b, int64_t job)
{
  json_t *list = json_array();
  for (int i = b->n; i-- > 0;)
    if (b->list[i].job == job) json_array_append_new(list, work_json(&b->list[i]));
  return list;
}

static int check(const eas_bulks *b, const char *what, const char *job, eas_err *err)
{
  if (!eas_conf_int(b->c->conf, "web_actions")) return eas_fail(err, EAS_EREFUSED, "actions are off");
  if (!what || (strcmp(what, "retry") != 0 && strcmp(what, "cancel") != 0))
    return eas_fail(err, EAS_EINVAL, "'%.30s' is neither retry nor cancel", what ? what : "");
  if (!job || *job != 'j' || strlen(job) < 2 || strlen(job) > 19 || strspn(job + 1, "0123456789") != strlen(job) - 1)
    return eas_fail(err, EAS_EINVAL, "'%.30s' is no job", job ? job : "");
  return 0;
}

/* A first slice of none: a role that may not write, a job that is cancelled or not there is told at once. */
static int try(eas_bulks *b, int64_t job, eas_err *err)
{
  static const int64_t none[] = { 0 };
  int rc = b->db ? 0 : eas_db_open(&b->db, eas_conf_str(b->c->conf, "database"), 0, err);
  return rc < 0 ? rc : eas_retry_chosen(b->db, job, none, 1, err);
}

int eas_bulks_begin(eas_bulks *b, const json_t *request, json_t **out, eas_err *err)
{
  const char *what = eas_json_str(request, "do"), *job = eas_json_str(request, "job");
  const char *type = eas_json_str(request, "type"), *state = eas_json_str(request, "state");
  json_t *where = json_object_get(request, "where");
  int rc = check(b, what, job, err);
  if (rc >= 0) rc = make_room(b, err);
  if (rc >= 0) rc = try(b, strtoll(job + 1, NULL, 10), err);
  if (rc < 0) {
    if (!b->timer) eas_db_close(b->db);
    if (!b->timer) b->db = NULL;
    return rc;
  }
  work *w = &b->list[b->n++];
  *w = (work){ .id = b->next_id++,
               .job = strtoll(job + 1, NULL, 10),
               .cancel = *what == 'c',
               .matching = eas_json_int(request, "matching", -1),
               .under_way = 1,
               .type = eas_strdup(type ? type : ""),
               .state = eas_strdup(state ? state : ""),
               .where = json_is_object(where) && json_object_size(where) ? json_deep_copy(where) : NULL };
  *out = work_json(w);
  if (!b->timer) b->timer = eas_loop_after(b->loop, 0, on_turn, b);
  return 0;
}
