/* commit.c: a group of results becomes one transaction. */
#include "model/commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/expand.h"
#include "model/settle.h"

/* SQLite: looked at first and changed after, since it pays a statement journal for UPDATE ... RETURNING. $1 is sorted. */
static const char look[] = "SELECT a.id, a.token, a.task, a.job, a.type, a.number, t.parent, t.ties FROM " EAS_OF_IDS(
    "$1") " attempt a ON a.id = s.value JOIN task t ON t.id = a.task WHERE " EAS_STATE_IS("a.state",
                                                                                          "running") " AND a.worker = "
                                                                                                     "$2";

/* The claim said when it was claimed. Its worker knows how long ago it got its slot; that clock is the database's too. */
#define BEGUN(ran, in_slot)                                                                                            \
  ", started_at = CASE WHEN " ran " > 0 THEN eas_now() - " ran " ELSE started_at END, slot = CASE WHEN " ran           \
  " > 0 THEN " in_slot " END"

static const char end_attempt[] =
    "UPDATE attempt SET state = 'ended', ending = $2, verdict = $3, ended_at = eas_now(), wall_us = $4, cpu_us = $5,"
    " peak_kb = $6, layers = $7, reused = $8, prov_key = $9, metadata = $10" BEGUN("$11", "$12") " WHERE id = $1";

typedef struct {
  eas_result *result;
  eas_settled settled;
} member;

static int by_attempt(const void *a, const void *b)
{
  const member *x = a, *y = b;
  return (x->result->attempt > y->result->attempt) - (x->result->attempt < y->result->attempt);
}

static int send_end(eas_db *db, const eas_result *r, eas_err *err)
{
  char *metadata = r->metadata ? json_dumps(r->metadata, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  int rc =
      eas_db_send(db, end_attempt,
                  EAS_ARGS(eas_v_int(r->attempt), eas_v_text(r->ending), eas_v_text(r->verdict), eas_v_int(r->wall_us),
                           eas_v_int(r->cpu_us), eas_v_int(r->peak_kb), eas_v_int(r->layers), eas_v_id(r->reused),
                           r->prov_key ? eas_v_blob(r->prov_key, sizeof *r->prov_key) : eas_v_null(),
                           eas_v_text(metadata), eas_v_int(r->ran_us), eas_v_int(r->slot)),
                  NULL, err);
  free(metadata);
  return rc;
}

/* A server does both at once, for all of the group: it reads the CHECKs of a table anew for each statement, and a row that is
 * locked first is written twice. The rows come sorted, and are locked in their order. */
static const char end_attempts[] =
    "WITH done AS (UPDATE attempt SET state = 'ended', ending = r.ending, verdict = r.verdict, ended_at = eas_now(),"
    " wall_us = r.wall_us, cpu_us = r.cpu_us, peak_kb = r.peak_kb, layers = r.layers, reused = r.reused,"
    " prov_key = decode(r.prov_key, 'hex'), metadata = r.metadata" BEGUN(
        "r.ran_us",
        "r.in_slot") " FROM json_to_recordset(CAST($1 AS JSON)) AS r (id BIGINT, token BIGINT, ending TEXT, verdict "
                     "TEXT, wall_us "
                     "BIGINT,"
                     " cpu_us BIGINT, peak_kb BIGINT, layers BIGINT, reused BIGINT, prov_key TEXT, metadata TEXT, "
                     "ran_us BIGINT, "
                     "in_slot BIGINT), task t"
                     " WHERE attempt.id = r.id AND attempt.token = r.token AND " EAS_STATE_IS(
                         "attempt.state",
                         "running") " AND attempt.worker = $2 AND t.id = attempt.task RETURNING attempt.id, "
                                    "attempt.token, attempt.task, "
                                    "attempt.job, attempt.type,"
                                    " attempt.number, t.parent, t.ties) SELECT * FROM done ORDER BY id";

static json_t *row_of(const eas_result *r)
{
  char key[65];
  if (r->prov_key) eas_digest_hex(r->prov_key, key);
  char *metadata = r->metadata ? json_dumps(r->metadata, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  json_t *row =
      json_pack("{s:I, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:s?, s:s?, s:I, s:i}", "id", (json_int_t)r->attempt,
                "token", (json_int_t)r->token, "ending", r->ending, "verdict", r->verdict, "wall_us",
                (json_int_t)r->wall_us, "cpu_us", (json_int_t)r->cpu_us, "peak_kb", (json_int_t)r->peak_kb, "layers",
                (json_int_t)r->layers, "reused", r->reused ? json_integer(r->reused) : json_null(), "prov_key",
                r->prov_key ? key : NULL, "metadata", metadata, "ran_us", (json_int_t)r->ran_us, "in_slot", r->slot);
  free(metadata);
  return row;
}

/* Two results of one attempt and token: the first counts. */
static int is_repeated(const member *list, int i)
{
  for (int k = i; k-- > 0 && list[k].result->attempt == list[i].result->attempt;)
    if (list[k].result->token == list[i].result->token) return 1;
  return 0;
}

static int find_on_server(eas_db *db, int64_t worker, const member *list, int n, eas_rows **out, eas_err *err)
{
  json_t *rows = json_array();
  for (int i = 0; i < n; i++)
    if (!is_repeated(list, i)) json_array_append_new(rows, row_of(list[i].result));
  char *text = json_dumps(rows, JSON_COMPACT);
  int rc = eas_db_query(db, end_attempts, EAS_ARGS(eas_v_text(text), eas_v_int(worker)), out, err);
  free(text);
  json_decref(rows);
  return rc < 0 ? rc : eas_rows_n(*out);
}

static int find_here(eas_db *db, int64_t worker, const member *list, int n, eas_rows **out, eas_err *err)
{
  int64_t *ids = eas_alloc((size_t)n * sizeof *ids);
  int n_ids = 0;
  for (int i = 0; i < n; i++)
    if (i == 0 || list[i].result->attempt != list[i - 1].result->attempt) ids[n_ids++] = list[i].result->attempt;
  eas_buf text;
  eas_buf_init(&text);
  int rc =
      eas_db_query(db, look, EAS_ARGS(eas_v_text(eas_db_id_list(db, ids, n_ids, &text)), eas_v_int(worker)), out, err);
  eas_buf_done(&text);
  free(ids);
  return rc;
}

static eas_outcome outcome_of(const eas_result *r)
{
  if (strcmp(r->verdict, "pass") == 0) return EAS_OUT_PASSED;
  if (strcmp(r->ending, "cancelled") == 0) return EAS_OUT_CANCELLED;
  return r->again ? EAS_OUT_AGAIN : EAS_OUT_FAILED;
}

/* Locks (and on a server ends) the attempts that are still this worker's by the token it holds; their results stay in list[0 .. returned). list and rows
 * are sorted by id. */
static int guard(eas_db *db, int64_t worker, member *list, int n, eas_err *err)
{
  enum { TIES = 7 };
  eas_rows *rows = NULL;
  int sqlite = eas_db_kind(db) == EAS_DB_SQLITE;
  int found = sqlite ? find_here(db, worker, list, n, &rows, err) : find_on_server(db, worker, list, n, &rows, err);
  int kept = 0, k = 0;
  for (int i = 0; i < n && found >= 0; i++) {
    eas_result *r = list[i].result;
    while (k < found && eas_rows_int(rows, k, 0) < r->attempt) k++;
    r->stale = k == found || eas_rows_int(rows, k, 0) != r->attempt || eas_rows_int(rows, k, 1) != r->token;
    if (r->stale) continue;
    int unknown = eas_rows_null(rows, k, TIES);
    int64_t ties = eas_rows_int(rows, k, TIES);
    list[kept].settled = (eas_settled){ .attempt = r->attempt,
                                        .task = eas_rows_int(rows, k, 2),
                                        .job = eas_rows_int(rows, k, 3),
                                        .type = eas_rows_int(rows, k, 4),
                                        .number = eas_rows_int(rows, k, 5),
                                        .parent = eas_rows_int(rows, k, 6),
                                        .delay_us = r->delay_us,
                                        .outcome = outcome_of(r),
                                        .reused = strcmp(r->ending, "reused") == 0,
                                        .unneeded = !eas_ties_may(unknown, ties, EAS_TIE_NAMED),
                                        .makes_none = !eas_ties_may(unknown, ties, EAS_TIE_OUTPUTS) };
    list[kept++].result = r;
    k++; /* once each */
  }
  eas_rows_free(rows);
  return found < 0 ? found : kept;
}

/* Children that tasks made: they stand before their parents are found to be done. */
static int spawn(eas_db *db, const eas_registry *r, const member *list, int n, eas_committed *out, eas_err *err)
{
  int rc = 0;
  for (int i = 0; i < n && rc >= 0; i++) {
    const eas_result *m = list[i].result;
    int n_queued = 0;
    if (!m->spawn || json_array_size(m->spawn) == 0 || list[i].settled.outcome != EAS_OUT_PASSED) continue;
    rc = eas_expand_spawn(db, r, list[i].settled.task, m->attempt, m->spawn, &n_queued, err);
    out->n_ready += n_queued;
  }
  return rc;
}

/* Rows of the attempts themselves; products with a new passed version go to s. */
static int store(eas_db *db, member *list, int n, eas_settle *s, int64_t *version_ids, int *tickets, eas_err *err)
{
  eas_buf ids;
  eas_buf_init(&ids);
  int64_t *attempts = eas_alloc((size_t)n * sizeof *attempts);
  int rc = 0, n_versions = 0, sqlite = eas_db_kind(db) == EAS_DB_SQLITE;
  for (int i = 0; i < n && rc >= 0 && sqlite; i++) rc = send_end(db, list[i].result, err);
  for (int i = 0; i < n && rc >= 0; i++) {
    const eas_result *r = list[i].result;
    attempts[i] = r->attempt;
    for (int k = 0; k < r->n_versions; k++)
      if (strcmp(r->versions[k].verdict, "pass") == 0) s->products[s->n_products++] = r->versions[k].product;
    rc = eas_result_store(db, r, err);
    if (rc >= 0)
      rc = eas_versions_store(db, r, list[i].settled.task, version_ids + n_versions, tickets + n_versions, err);
    n_versions += r->n_versions;
  }
  if (rc >= 0)
    rc = eas_db_send(db,
                     "DELETE FROM progress WHERE attempt IN (SELECT p.attempt FROM " EAS_OF_IDS(
                         "$1") " progress p ON p.attempt = s.value)",
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

static int settle(eas_db *db, member *list, int n, eas_committed *out, eas_err *err)
{
  int n_versions = 0, rc = 0;
  for (int i = 0; i < n; i++) n_versions += list[i].result->n_versions;
  int64_t *version_ids = eas_alloc((size_t)(n_versions + 1) * sizeof *version_ids);
  int *tickets = eas_alloc((size_t)(n_versions + 1) * sizeof *tickets);
  eas_settle s = { .db = db, .from = EAS_FROM_RUNNING, .n = n, .parents_known = 1 };
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
  out->n_ready += s.n_ready;
  out->control = s.control;
  eas_settle_done(&s);
  free(version_ids);
  free(tickets);
  return rc;
}

/* An attempt of a limited type makes room for others, which wait for no more than that. */
static int makes_room(eas_db *db, const eas_registry *r, const member *list, int n)
{
  for (int i = 0; i < n && r; i++) {
    const char *name = NULL;
    if (eas_type_name(db, list[i].settled.type, &name, NULL) < 0) continue;
    const eas_task_type *t = eas_registry_type(r, name);
    if (t && t->max_running > 0) return 1;
  }
  return 0;
}

static int commit_group(eas_db *db, const eas_registry *r, int64_t worker, member *list, int n, eas_committed *out,
                        eas_err *err)
{
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  int kept = rc = guard(db, worker, list, n, err);
  if (kept > 0) {
    rc = spawn(db, r, list, kept, out, err);
    if (rc >= 0) rc = settle(db, list, kept, out, err);
    if (rc >= 0 && (out->n_ready || out->control || makes_room(db, r, list, kept))) rc = eas_db_ring(db, err);
  }
  if (rc >= 0) return eas_db_commit(db, err);
  eas_db_rollback(db);
  return rc;
}

int eas_attempt_commit(eas_db *db, const eas_registry *r, int64_t worker, eas_result *results, int n,
                       eas_committed *out, eas_err *err)
{
  eas_committed made = { 0 };
  int rc = 0;
  if (out) *out = made;
  if (n <= 0) return 0;
  member *list = eas_alloc((size_t)n * sizeof *list);
  for (int i = 0; i < n && rc == 0; i++) {
    list[i].result = &results[i];
    rc = eas_result_check(&results[i], err);
  }
  if (rc == 0) {
    qsort(list, (size_t)n, sizeof *list, by_attempt);
    member *copy = eas_alloc((size_t)n * sizeof *copy);
    int tries = 0;
    do {
      memcpy(copy, list, (size_t)n * sizeof *copy);
      made = (eas_committed){ 0 };
      rc = commit_group(db, r, worker, copy, n, &made, err);
    } while (eas_db_again(db, rc, &tries));
    free(copy);
  }
  free(list);
  if (rc >= 0 && out) *out = made;
  return rc < 0 ? rc : 0;
}
