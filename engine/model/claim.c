/* claim.c: which queued attempts a worker gets: job by priority, then fewest running; in it the oldest. */
#include "model/claim.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/settle.h"
#include "model/words.h"

enum { LIMITED_US = 1000 * 1000 };

/* Attempts of one type in one job; those of a job stand together. */
typedef struct {
  int64_t job, type, document, left; /* left: queued, less those taken; an upper bound, some may be for later */
  int64_t priority, running;         /* of the job; running grows by what is given in this claim */
  char *type_name, *job_name;
  char trace_id[EAS_TRACE_ID];
  int compat;
  int taken;
  int share; /* of the job, in this round (in its first row) */
  int limit; /* of its type; -1: none */
} candidate;

/* A type that may run so many times at once, over all workers and jobs. */
typedef struct {
  char *type;
  int64_t room; /* what is left of it */
} limit;

typedef struct {
  candidate *list;
  int n;
  limit *limits;
  int n_limits;
  int64_t step; /* from the token that an attempt has to the one it gets */
} candidates;

static const char find_candidates[] =
    "SELECT q.job, q.type, j.document, q.queued, j.priority, y.name,"
    " (SELECT coalesce(sum(r.running), 0) FROM job_type r WHERE r.job = q.job), j.name, j.compat, j.trace_id"
    " FROM task_type y JOIN job_type q ON q.type = y.id AND q.queued > 0 JOIN job j ON j.id = q.job"
    " WHERE y.name " EAS_IN_TEXTS("$1") " AND j.state = 'active' AND j.done_at IS NULL"
                                        " ORDER BY j.priority DESC, q.job, q.type";

/* Claims of limited types take turns, so that each counts what the one before has taken. */
static const char lock_limited[] =
    "SELECT id FROM task_type WHERE name " EAS_IN_TEXTS("$1") " ORDER BY id/*pg  FOR NO KEY UPDATE*/";
static const char count_limited[] =
    "SELECT y.name, (SELECT coalesce(sum(q.running), 0) FROM job j /*sqlite CROSS */JOIN job_type q ON q.job = j.id AND"
    " q.type = y.id WHERE j.done_at IS NULL) FROM task_type y WHERE y.name " EAS_IN_TEXTS("$1");

/* Shared with a rescue that declares this worker lost: one of them waits for the other. */
static const char find_worker[] =
    "SELECT id FROM worker WHERE id = $1 AND state = 'active' AND lease_until > eas_now()/*pg  FOR SHARE*/";

/* The queue of type $1 in job $2. A server must be made to take the index of what is queued: with the two given as
 * equal, the order by id is the primary key's too, and it reads all that ever ended on its way. */
#define IN_QUEUE                                                                                                       \
  "/*sqlite a.type = $1 AND a.job = $2*//*pg (a.type, a.job, a.id) > (CAST($1 AS BIGINT), CAST($2 AS BIGINT), 0)"      \
  " AND (a.type, a.job, a.id) < (CAST($1 AS BIGINT), CAST($2 AS BIGINT), 9223372036854775807)*/"
#define QUEUE_ORDER "/*pg a.type, a.job, */a.id"

static const char find_oldest[] =
    "SELECT a.id, a.task, a.number, a.token, eas_now() - a.queued_at, t.parent, t.node, t.name, t.directory, t.label,"
    " t.seed, t.metadata, CASE WHEN t.accepted IS NULL THEN 0 ELSE 1 END, t.ties"
    " FROM attempt a /*sqlite CROSS */JOIN task t ON t.id = a.task WHERE a.state = 'queued' AND " IN_QUEUE
    " AND a.not_before <= eas_now() ORDER BY " QUEUE_ORDER
    " LIMIT $3 OFFSET $4/*pg  FOR NO KEY UPDATE OF a SKIP LOCKED*/";

/* $3: one more than were taken. If so many are due, another claimer holds some: look again soon. */
static const char find_next[] =
    "SELECT CASE WHEN (SELECT count(*) FROM (SELECT a.id FROM attempt a WHERE a.state = 'queued' AND " IN_QUEUE
    " AND a.not_before <= eas_now() ORDER BY " QUEUE_ORDER " LIMIT $3) d) >= $3 THEN 5000"
    " ELSE (SELECT min(not_before) - eas_now() FROM (SELECT a.not_before FROM attempt a WHERE a.state = 'queued'"
    " AND " IN_QUEUE " AND a.not_before > eas_now() ORDER BY " QUEUE_ORDER " LIMIT 10000) f) END";

/* limited: only those with a limit. NULL: there are none of these. */
static char *type_list(const eas_registry *r, const char *const *types, int limited)
{
  json_t *list = json_array();
  for (; *types; types++) {
    const eas_task_type *t = limited && r ? eas_registry_type(r, *types) : NULL;
    if (!limited || (t && t->max_running > 0)) json_array_append_new(list, json_string(*types));
  }
  char *text = json_array_size(list) ? json_dumps(list, JSON_COMPACT) : NULL;
  json_decref(list);
  return text;
}

static void add_limits(candidates *c, const eas_registry *r, const eas_rows *rows)
{
  int n = rows ? eas_rows_n(rows) : 0;
  c->limits = eas_alloc((size_t)(n + 1) * sizeof *c->limits);
  for (int i = 0; i < n; i++) {
    const char *name = eas_rows_text(rows, i, 0);
    int64_t room = eas_registry_type(r, name)->max_running - eas_rows_int(rows, i, 1);
    c->limits[c->n_limits++] = (limit){ eas_strdup(name), room > 0 ? room : 0 };
  }
  for (int i = 0; i < c->n; i++) {
    c->list[i].limit = -1;
    for (int k = 0; k < c->n_limits; k++)
      if (strcmp(c->limits[k].type, c->list[i].type_name) == 0) c->list[i].limit = k;
  }
}

static int look(eas_db *db, const eas_registry *r, int64_t worker, const char *const *types, candidates *out,
                eas_err *err)
{
  char *names = type_list(r, types, 0), *limited = type_list(r, types, 1);
  int on_worker, on_list, on_limits = -1;
  int rc = eas_db_send(db, find_worker, EAS_ARGS(eas_v_int(worker)), &on_worker, err);
  if (rc >= 0 && limited) rc = eas_db_send(db, lock_limited, EAS_ARGS(eas_v_text(limited)), NULL, err);
  if (rc >= 0 && limited) rc = eas_db_send(db, count_limited, EAS_ARGS(eas_v_text(limited)), &on_limits, err);
  if (rc >= 0) rc = eas_db_send(db, find_candidates, EAS_ARGS(eas_v_text(names)), &on_list, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  free(names);
  free(limited);
  if (rc < 0) return rc;
  if (eas_rows_n(eas_db_result(db, on_worker)) == 0)
    return eas_fail(err, EAS_ESTALE, "worker %lld: its lease is over", (long long)worker);

  const eas_rows *rows = eas_db_result(db, on_list);
  out->n = eas_rows_n(rows);
  out->list = eas_alloc((size_t)(out->n + 1) * sizeof *out->list);
  for (int i = 0; i < out->n; i++)
    out->list[i] = (candidate){ .job = eas_rows_int(rows, i, 0),
                                .type = eas_rows_int(rows, i, 1),
                                .document = eas_rows_int(rows, i, 2),
                                .left = eas_rows_int(rows, i, 3),
                                .priority = eas_rows_int(rows, i, 4),
                                .running = eas_rows_int(rows, i, 6),
                                .type_name = eas_strdup(eas_rows_text(rows, i, 5)),
                                .job_name = eas_strdup(eas_rows_text(rows, i, 7)),
                                .compat = (int)eas_rows_int(rows, i, 8) };
  for (int i = 0; i < out->n; i++) eas_trace_copy(out->list[i].trace_id, eas_rows_text(rows, i, 9));
  add_limits(out, r, on_limits < 0 ? NULL : eas_db_result(db, on_limits));
  return 0;
}

static void candidates_done(candidates *c)
{
  for (int i = 0; i < c->n; i++) {
    free(c->list[i].type_name);
    free(c->list[i].job_name);
  }
  for (int i = 0; i < c->n_limits; i++) free(c->limits[i].type);
  free(c->list);
  free(c->limits);
}

/* How many of it could still be taken. */
static int64_t open_of(const candidates *c, const candidate *t)
{
  return t->limit >= 0 && c->limits[t->limit].room < t->left ? c->limits[t->limit].room : t->left;
}

static int next_job(const candidates *c, int i)
{
  int64_t job = c->list[i].job;
  while (i < c->n && c->list[i].job == job) i++;
  return i;
}

static int64_t left_of_job(const candidates *c, int first)
{
  int64_t left = 0;
  for (int i = first, end = next_job(c, first); i < end; i++) left += open_of(c, &c->list[i]);
  return left;
}

/* Gives each job its share of `want`, one by one. Returns how many could be given. */
static int share_out(candidates *c, int want)
{
  int given = 0;
  for (int i = 0; i < c->n; i++) c->list[i].share = 0;
  for (; given < want; given++) {
    candidate *best = NULL;
    for (int i = 0; i < c->n; i = next_job(c, i)) {
      candidate *j = &c->list[i];
      if (best && (j->priority < best->priority || (j->priority == best->priority && j->running >= best->running)))
        continue;
      if (left_of_job(c, i) > j->share) best = j;
    }
    if (!best) break;
    best->share++;
    best->running++;
  }
  return given;
}

/* Row k of find_oldest. */
static eas_chosen chosen_of(const candidate *b, int64_t step, const eas_rows *r, int k)
{
  enum { PARENT = 5, NODE, NAME, DIRECTORY, LABEL, SEED, METADATA, RERUN, TIES };
  int unknown = eas_rows_null(r, k, TIES);
  int64_t ties = eas_rows_int(r, k, TIES);
  eas_chosen out = { .attempt = eas_rows_int(r, k, 0),
                     .task = eas_rows_int(r, k, 1),
                     .number = (int)eas_rows_int(r, k, 2),
                     .token = eas_rows_int(r, k, 3) + step,
                     .queued_us = eas_rows_int(r, k, 4),
                     .parent = eas_rows_int(r, k, PARENT),
                     .job = b->job,
                     .type = b->type,
                     .type_name = b->type_name,
                     .job_name = b->job_name,
                     .document = b->document,
                     .compat = b->compat,
                     .node = eas_rows_int(r, k, NODE),
                     .name = eas_rows_int(r, k, NAME),
                     .directory = eas_rows_int(r, k, DIRECTORY),
                     .label = eas_rows_int(r, k, LABEL),
                     .seed = (uint64_t)eas_rows_int(r, k, SEED),
                     .metadata = eas_rows_null(r, k, METADATA) ? NULL : eas_strdup(eas_rows_text(r, k, METADATA)),
                     .rerun = (int)eas_rows_int(r, k, RERUN),
                     .inputs = eas_ties_may(unknown, ties, EAS_TIE_INPUTS),
                     .outputs = eas_ties_may(unknown, ties, EAS_TIE_OUTPUTS),
                     .needs = eas_ties_may(unknown, ties, EAS_TIE_NEEDS) };
  memcpy(out.trace_id, b->trace_id, sizeof out.trace_id);
  return out;
}

/* Takes the oldest `share` of one job over its types; tickets[i] holds those of type i. */
static int take_oldest(eas_db *db, candidates *c, int first, const int *tickets, eas_chosen *out)
{
  int end = next_job(c, first), share = c->list[first].share, n = 0;
  int *at = eas_alloc((size_t)(end - first) * sizeof *at);
  for (; n < share; n++) {
    int best = -1;
    for (int i = first; i < end; i++) {
      const eas_rows *r = eas_db_result(db, tickets[i]);
      int k = at[i - first];
      if (!r || k >= eas_rows_n(r) || open_of(c, &c->list[i]) <= 0) continue;
      if (best < 0 || eas_rows_int(r, k, 0) < eas_rows_int(eas_db_result(db, tickets[best]), at[best - first], 0))
        best = i;
    }
    if (best < 0) break;
    const eas_rows *r = eas_db_result(db, tickets[best]);
    const candidate *b = &c->list[best];
    int k = at[best - first]++;
    if (b->limit >= 0) c->limits[b->limit].room--;
    out[n] = chosen_of(b, c->step, r, k);
  }
  for (int i = first; i < end; i++) {
    candidate *t = &c->list[i];
    if (tickets[i] < 0) continue;
    int found = eas_rows_n(eas_db_result(db, tickets[i]));
    t->taken += at[i - first];
    t->left = found < share ? found - at[i - first] : t->left - at[i - first]; /* the rest is for later, or another's */
  }
  c->list[first].running -= share - n;
  free(at);
  return n;
}

/* One round of asking; most claims need one, more when attempts wait for their time. */
static int choose_round(eas_db *db, candidates *c, int want, eas_chosen *out, eas_err *err)
{
  if (share_out(c, want) == 0) return 0;
  int *tickets = eas_alloc((size_t)c->n * sizeof *tickets), rc = 0, n = 0;
  for (int i = 0; i < c->n && rc >= 0; i = next_job(c, i)) {
    for (int k = i, end = next_job(c, i); k < end; k++) {
      const candidate *t = &c->list[k];
      tickets[k] = -1;
      if (rc >= 0 && c->list[i].share && open_of(c, t) > 0)
        rc = eas_db_send(
            db, find_oldest,
            EAS_ARGS(eas_v_int(t->type), eas_v_int(t->job), eas_v_int(c->list[i].share), eas_v_int(t->taken)),
            &tickets[k], err);
    }
  }
  if (rc >= 0) rc = eas_db_flush(db, err);
  for (int i = 0; i < c->n && rc >= 0; i = next_job(c, i))
    if (c->list[i].share) n += take_oldest(db, c, i, tickets, out + n);
  free(tickets);
  return rc < 0 ? rc : n;
}

static int choose(eas_db *db, candidates *c, int max, eas_chosen *out, eas_err *err)
{
  int n = 0, rc = 1;
  for (int round = 0; n < max && rc >= 0 && round < 8; round++) {
    rc = choose_round(db, c, max - n, out + n, err);
    if (rc > 0) n += rc;
    int shared = 0;
    for (int i = 0; i < c->n; i++) shared += c->list[i].share;
    if (!shared) break;
  }
  return rc < 0 ? rc : n;
}

/* In what time the first of those that wait for theirs falls due; soon if only another claimer holds them. */
static int look_ahead(eas_db *db, const candidates *c, int64_t *next_us, eas_err *err)
{
  int rc = 0;
  int *tickets = eas_alloc((size_t)(c->n + 1) * sizeof *tickets);
  for (int i = 0; i < c->n && rc >= 0; i++) {
    tickets[i] = -1;
    if (c->list[i].limit >= 0 && c->limits[c->list[i].limit].room == 0) {
      *next_us = LIMITED_US; /* whoever makes room rings; this is for a bell that was lost */
      continue;
    }
    rc = eas_db_send(db, find_next,
                     EAS_ARGS(eas_v_int(c->list[i].type), eas_v_int(c->list[i].job), eas_v_int(c->list[i].taken + 1)),
                     &tickets[i], err);
  }
  if (rc >= 0) rc = eas_db_flush(db, err);
  for (int i = 0; i < c->n && rc >= 0; i++) {
    const eas_rows *r = tickets[i] < 0 ? NULL : eas_db_result(db, tickets[i]);
    if (!r || eas_rows_null(r, 0, 0)) continue;
    int64_t in = eas_rows_int(r, 0, 0);
    if (in < 1) in = 1;
    if (!*next_us || in < *next_us) *next_us = in;
  }
  free(tickets);
  return rc;
}

/* All that is written, read and counted about the chosen ones travels with the commit. */
static int take(eas_db *db, const eas_registry *r, int64_t worker, const candidates *c, const eas_chosen *chosen, int n,
                eas_claims *out, eas_err *err)
{
  int64_t *documents = eas_alloc((size_t)(c->n + 1) * sizeof *documents);
  eas_count *counts = eas_alloc((size_t)n * sizeof *counts);
  int n_documents = 0;
  for (int i = 0; i < c->n; i = next_job(c, i)) {
    int used = 0, known = 0;
    for (int k = i, end = next_job(c, i); k < end; k++) used |= c->list[k].taken > 0;
    for (int k = 0; k < n_documents; k++) known |= documents[k] == c->list[i].document;
    if (used && !known) documents[n_documents++] = c->list[i].document;
  }
  for (int i = 0; i < n; i++)
    counts[i] = (eas_count){ .job = chosen[i].job, .type = chosen[i].type, .queued = -1, .running = 1 };

  eas_bind bind = { 0 };
  int rc = eas_bind_send(db, worker, c->step, chosen, n, documents, n_documents, &bind, err);
  if (rc >= 0) rc = eas_counts_add(db, counts, n, err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc >= 0) {
    *out = (eas_claims){ eas_alloc((size_t)n * sizeof *out->list), n };
    rc = eas_bind_take(db, r, &bind, chosen, n, out->list, err);
    if (rc < 0) eas_claims_done(out);
  }
  eas_bind_done(&bind);
  free(counts);
  free(documents);
  return rc < 0 ? rc : n;
}

/* Of its own for each claim: after a crash of the server that took a claim back, nobody gets the token again that some worker
 * still holds. */
static int64_t token_step(void)
{
  uint32_t dice;
  eas_random_bytes(&dice, sizeof dice);
  return 1 + (int64_t)(dice >> 1);
}

/* Lax: a claim promises nothing to anybody; one that a crash takes back is claimed again (docs/state_machine.md). */
static int attempt_claim_once(eas_db *db, const eas_registry *r, int64_t worker, const char *const *types, int max,
                              eas_claims *out, int64_t *next_us, eas_err *err)
{
  *out = (eas_claims){ 0 };
  if (next_us) *next_us = 0;
  if (max <= 0 || !types[0]) return 0;
  int rc = eas_db_begin_lax(db, err);
  if (rc < 0) return rc;

  candidates c = { .step = token_step() };
  eas_chosen *chosen = eas_alloc((size_t)max * sizeof *chosen);
  rc = look(db, r, worker, types, &c, err);
  if (rc >= 0) rc = choose(db, &c, max, chosen, err);
  int n = rc;
  if (rc >= 0 && n < max && c.n && next_us) rc = look_ahead(db, &c, next_us, err);
  if (rc >= 0) rc = n > 0 ? take(db, r, worker, &c, chosen, n, out, err) : eas_db_commit(db, err);
  if (rc < 0) eas_db_rollback(db);
  candidates_done(&c);
  for (int i = 0; i < max; i++) free(chosen[i].metadata);
  free(chosen);
  return rc;
}

int eas_attempt_claim(eas_db *db, const eas_registry *r, int64_t worker, const char *const *types, int max,
                      eas_claims *out, int64_t *next_us, eas_err *err)
{
  int tries = 0, rc;
  do rc = attempt_claim_once(db, r, worker, types, max, out, next_us, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}
