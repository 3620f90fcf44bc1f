/* commit.c: a group of results becomes one transaction. */
#include "model/commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/expand.h"
#include "model/settle.h"

static const char end_attempt[] =
  "UPDATE attempt SET state = 'ended', ending = $3, verdict = $4, ended_at = eas_now(), wall_us = $5, cpu_us = $6,"
  " peak_kb = $7, layers = $8, reused = $9, prov_key = $10, metadata = $11"
  " WHERE id = $1 AND token = $2 AND state = 'running' RETURNING task, job, type, number";

typedef struct {
  eas_result *result;
  eas_settled settled;
  int         ticket; /* of the guard; then of the first version */
} member;

static int by_attempt(const void *a, const void *b)
{
  const member *x = a, *y = b;
  return (x->result->attempt > y->result->attempt) - (x->result->attempt < y->result->attempt);
}

static int send_end(eas_db *db, member *m, eas_err *err)
{
  const eas_result *r = m->result;
  char *metadata = r->metadata ? json_dumps(r->metadata, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  int rc = eas_db_send(db, end_attempt,
    EAS_ARGS(eas_v_int(r->attempt), eas_v_int(r->token), eas_v_text(r->ending), eas_v_text(r->verdict), eas_v_int(r->wall_us),
             eas_v_int(r->cpu_us), eas_v_int(r->peak_kb), eas_v_int(r->layers), eas_v_id(r->reused),
             r->prov_key ? eas_v_blob(r->prov_key, sizeof *r->prov_key) : eas_v_null(), eas_v_text(metadata)),
    &m->ticket, err);
  free(metadata);
  return rc;
}

/* Ends the attempts whose token still holds; those stay in list[0 .. returned). */
static int guard(eas_db *db, member *list, int n, eas_err *err)
{
  int rc = 0, kept = 0;
  for (int i = 0; i < n && rc >= 0; i++)
    rc = send_end(db, &list[i], err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  if (rc < 0) return rc;
  for (int i = 0; i < n; i++) {
    const eas_rows *rows = eas_db_result(db, list[i].ticket);
    eas_result *r = list[i].result;
    r->stale = eas_rows_n(rows) == 0;
    if (r->stale) continue;
    eas_settled *t = &list[kept].settled;
    *t = (eas_settled){ .task = eas_rows_int(rows, 0, 0), .job = eas_rows_int(rows, 0, 1), .type = eas_rows_int(rows, 0, 2),
                        .number = eas_rows_int(rows, 0, 3), .attempt = r->attempt, .delay_us = r->delay_us };
    t->reused = strcmp(r->ending, "reused") == 0;
    if (strcmp(r->verdict, "pass") == 0) t->outcome = EAS_OUT_PASSED;
    else if (strcmp(r->ending, "cancelled") == 0) t->outcome = EAS_OUT_CANCELLED;
    else t->outcome = r->again ? EAS_OUT_AGAIN : EAS_OUT_FAILED;
    list[kept++].result = r;
  }
  return kept;
}

/* Children that tasks made: they stand before their parents are found to be done. */
static int spawn(eas_db *db, const eas_registry *r, const member *list, int n, int *n_ready, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < n && rc >= 0; i++) {
    const eas_result *m = list[i].result;
    int n_queued = 0;
    if (!m->spawn || json_array_size(m->spawn) == 0 || list[i].settled.outcome != EAS_OUT_PASSED) continue;
    rc = eas_expand_spawn(db, r, list[i].settled.task, m->attempt, m->spawn, &n_queued, err);
    *n_ready += n_queued;
  }
  return rc;
}

/* Rows of the attempts themselves; products with a new passed version go to s. */
static int store(eas_db *db, member *list, int n, eas_settle *s, int64_t *version_ids, int *tickets, eas_err *err)
{
  eas_buf ids;
  eas_buf_init(&ids);
  int64_t *attempts = eas_alloc((size_t)n * sizeof *attempts);
  int rc = 0, n_versions = 0;
  for (int i = 0; i < n && rc >= 0; i++) {
    const eas_result *r = list[i].result;
    attempts[i] = r->attempt;
    for (int k = 0; k < r->n_versions; k++)
      if (strcmp(r->versions[k].verdict, "pass") == 0) s->products[s->n_products++] = r->versions[k].product;
    rc = eas_result_store(db, r, err);
    if (rc >= 0) rc = eas_versions_store(db, r, list[i].settled.task, version_ids + n_versions, tickets + n_versions, err);
    n_versions += r->n_versions;
  }
  if (rc >= 0)
    rc = eas_db_send(db, "DELETE FROM progress WHERE attempt " EAS_IN_IDS("$1"),
                     EAS_ARGS(eas_v_text(eas_db_id_list(db, attempts, n, &ids))), NULL, err);
  eas_buf_done(&ids);
  free(attempts);
  return rc;
}

static int check_versions(eas_db *db, const member *list, int n, const int *tickets, eas_err *err)
{
  for (int i = 0; i < n; i++) {
    const eas_result *r = list[i].result;
    for (int k = 0; k < r->n_versions; k++)
      if (eas_rows_changed(eas_db_result(db, *tickets++)) != 1)
        return eas_fail(err, EAS_EINVAL, "attempt %lld: product %lld is not its task's", (long long)r->attempt,
                        (long long)r->versions[k].product);
  }
  return 0;
}

static int settle(eas_db *db, member *list, int n, int *n_ready, eas_err *err)
{
  int n_versions = 0, rc = 0;
  for (int i = 0; i < n; i++)
    n_versions += list[i].result->n_versions;
  int64_t *version_ids = eas_alloc((size_t)(n_versions + 1) * sizeof *version_ids);
  int *tickets = eas_alloc((size_t)(n_versions + 1) * sizeof *tickets);
  eas_settle s = { .db = db, .from = EAS_FROM_RUNNING, .n = n };
  s.list = eas_alloc((size_t)n * sizeof *s.list);
  s.products = eas_alloc((size_t)(n_versions + 1) * sizeof *s.products);
  for (int i = 0; i < n; i++) {
    s.list[i] = list[i].settled;
    eas_count *c = eas_counts_of(&s.counts, list[i].settled.job, list[i].settled.type);
    c->ended++;
    c->wall_us += list[i].result->wall_us;
  }
  if (n_versions && eas_db_kind(db) == EAS_DB_SQLITE) rc = eas_db_ids(db, "version", n_versions, version_ids, err);
  if (rc >= 0) rc = store(db, list, n, &s, version_ids, tickets, err);
  if (rc >= 0) rc = eas_settle_send(&s, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  if (rc >= 0) rc = check_versions(db, list, n, tickets, err);
  if (rc >= 0) rc = eas_settle_follow(&s, err);
  if (rc >= 0) rc = eas_counts_apply(&s.counts, db, err);
  *n_ready += s.n_ready;
  eas_settle_done(&s);
  free(version_ids);
  free(tickets);
  return rc;
}

static int commit_group(eas_db *db, const eas_registry *r, member *list, int n, int *n_ready, eas_err *err)
{
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  int kept = rc = guard(db, list, n, err);
  if (kept > 0) {
    rc = spawn(db, r, list, kept, n_ready, err);
    if (rc >= 0) rc = settle(db, list, kept, n_ready, err);
    if (rc >= 0 && *n_ready) rc = eas_db_ring(db, err);
  }
  if (rc >= 0) return eas_db_commit(db, err);
  eas_db_rollback(db);
  return rc;
}

int eas_attempt_commit(eas_db *db, const eas_registry *r, int64_t worker, eas_result *results, int n, int *n_ready, eas_err *err)
{
  (void)worker; /* the token says it all */
  int ready = 0, rc = 0;
  if (n_ready) *n_ready = 0;
  if (n <= 0) return 0;
  member *list = eas_alloc((size_t)n * sizeof *list);
  for (int i = 0; i < n && rc == 0; i++) {
    list[i].result = &results[i];
    rc = eas_result_check(&results[i], err);
  }
  if (rc == 0) {
    qsort(list, (size_t)n, sizeof *list, by_attempt);
    member *copy = eas_alloc((size_t)n * sizeof *copy);
    int tries = eas_db_kind(db) == EAS_DB_POSTGRES ? 5 : 1; /* two that wait for each other: one begins anew */
    do {
      memcpy(copy, list, (size_t)n * sizeof *copy);
      ready = 0;
      rc = commit_group(db, r, copy, n, &ready, err);
    } while (rc == EAS_EBUSY && --tries > 0);
    free(copy);
  }
  free(list);
  if (rc >= 0 && n_ready) *n_ready = ready;
  return rc < 0 ? rc : 0;
}
