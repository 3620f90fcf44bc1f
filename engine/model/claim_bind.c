/* claim_bind.c: what an attempt needs to start: entry, metadata, inputs bound to versions, outputs to make. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/ancestors.h"
#include "model/claim.h"
#include "model/settle.h"
#include "model/words.h"

static const char run_them[] =
    "UPDATE attempt SET state = 'running', token = token + $3, worker = $2, slot = NULL, started_at = eas_now()"
    " WHERE id " EAS_IN_IDS("$1") " AND " EAS_STATE_IS("state", "queued");

/* The newest passed version of now; an attempt that was handed back binds again. */
static const char bind_inputs[] =
    "INSERT INTO attempt_input (attempt, kind, version) SELECT a.id, i.kind, p.passed"
    " FROM " EAS_OF_IDS("$1") " attempt a ON a.id = s.value JOIN task_input i ON i.task = a.task"
                              " JOIN product p ON p.id = i.product WHERE p.passed IS NOT NULL ON CONFLICT (attempt, "
                              "kind) DO UPDATE SET version = excluded.version";

static const char about_inputs[] =
    "SELECT i.attempt, k.text, d.text, p.filename, p.id, v.id, v.digest, v.size, v.metadata"
    " FROM " EAS_OF_IDS(
        "$1") " attempt_input i ON i.attempt = s.value JOIN version v ON v.id = i.version"
              " JOIN product p ON p.id = v.product JOIN word k ON k.id = i.kind JOIN word d ON d.id = p.directory";

static const char about_outputs[] = "SELECT p.task, k.text, d.text, p.filename, p.id FROM " EAS_OF_IDS(
    "$1") " product p ON p.task = s.value"
          " JOIN word k ON k.id = p.kind JOIN word d ON d.id = p.directory";

static const char about_needs[] = "SELECT e.task, w.text, a.metadata FROM " EAS_OF_IDS(
    "$1") " task_need e ON e.task = s.value"
          " JOIN word w ON w.id = e.name JOIN task m ON m.id = e.needed JOIN attempt a ON a.id = m.accepted"
          " UNION ALL SELECT g.task, w.text, g.outcome FROM " EAS_OF_IDS(
              "$1") " task_gather g ON g.task = s.value JOIN word w ON w.id = g.name";

/* Asked only when one of the group was tried before. */
static const char about_tries[] = "SELECT task, count(CASE WHEN ending = 'lost' OR ending = 'cancelled' THEN 1 END), "
                                  "count(CASE WHEN ending = 'memory' "
                                  "THEN 1 END)"
                                  " FROM attempt WHERE task " EAS_IN_IDS("$1") " AND state = 'ended' GROUP BY task";

/* Ids of those chosen for which `which` holds; out is as long as the group. */
typedef enum { ATTEMPTS, ATTEMPTS_WITH_INPUTS, TASKS, TASKS_WITH_OUTPUTS, TASKS_WITH_NEEDS, PARENTS } subset;
static int ids_of(const eas_chosen *chosen, int n, subset which, int64_t *out)
{
  int k = 0;
  for (int i = 0; i < n; i++) {
    const eas_chosen *c = &chosen[i];
    switch (which) {
    case ATTEMPTS: out[k++] = c->attempt; break;
    case ATTEMPTS_WITH_INPUTS:
      if (c->inputs) out[k++] = c->attempt;
      break;
    case TASKS: out[k++] = c->task; break;
    case TASKS_WITH_OUTPUTS:
      if (c->outputs) out[k++] = c->task;
      break;
    case TASKS_WITH_NEEDS:
      if (c->needs) out[k++] = c->task;
      break;
    case PARENTS: out[k++] = c->parent; break;
    }
  }
  return k;
}

/* Sends sql with the ids of a subset, if there are any. */
static int send_of(eas_db *db, const char *sql, const eas_chosen *chosen, int n, subset which, int *ticket,
                   eas_err *err)
{
  int64_t *ids = eas_alloc((size_t)(n + 1) * sizeof *ids);
  int k = ids_of(chosen, n, which, ids), rc = 0;
  eas_buf list;
  eas_buf_init(&list);
  if (ticket) *ticket = -1;
  if (k) rc = eas_db_send(db, sql, EAS_ARGS(eas_v_text(eas_db_id_list(db, ids, k, &list))), ticket, err);
  eas_buf_done(&list);
  free(ids);
  return rc < 0 ? rc : 0;
}

/* What many tasks share is kept with the connection, and only asked for when it is new. */
static int send_shared(eas_db *db, const eas_chosen *chosen, int n, eas_bind *out, eas_err *err)
{
  int64_t *ids = eas_alloc(3 * (size_t)n * sizeof *ids);
  for (int i = 0; i < n; i++) ids[i] = chosen[i].node;
  int rc = eas_nodes_send(db, ids, n, &out->nodes, err);
  for (int i = 0; i < n; i++) {
    ids[i] = chosen[i].directory;
    ids[n + i] = chosen[i].name;
    ids[2 * n + i] = chosen[i].label;
  }
  if (rc >= 0) rc = eas_words_send(db, ids, 3 * n, &out->words, err);
  if (rc >= 0) rc = eas_ancestors_send(db, ids, ids_of(chosen, n, PARENTS, ids), &out->chain, err);
  free(ids);
  return rc;
}

/* All questions about the chosen ones, whose inputs are bound. */
static int send_about(eas_db *db, const eas_chosen *chosen, int n, eas_bind *out, eas_err *err)
{
  int rc = send_of(db, about_inputs, chosen, n, ATTEMPTS_WITH_INPUTS, &out->inputs, err);
  if (rc >= 0) rc = send_of(db, about_outputs, chosen, n, TASKS_WITH_OUTPUTS, &out->outputs, err);
  if (rc >= 0) rc = send_of(db, about_needs, chosen, n, TASKS_WITH_NEEDS, &out->needs, err);
  return rc < 0 ? rc : send_shared(db, chosen, n, out, err);
}

int eas_bind_send(eas_db *db, int64_t worker, int64_t step, const eas_chosen *chosen, int n, const int64_t *documents,
                  int n_documents, eas_bind *out, eas_err *err)
{
  int64_t *ids = eas_alloc((size_t)n * sizeof *ids);
  eas_buf list;
  eas_buf_init(&list);
  int k = ids_of(chosen, n, ATTEMPTS, ids), again = 0;
  int rc = eas_db_send(db, run_them,
                       EAS_ARGS(eas_v_text(eas_db_id_list(db, ids, k, &list)), eas_v_int(worker), eas_v_int(step)),
                       &out->attempts, err);
  if (rc >= 0) rc = send_of(db, bind_inputs, chosen, n, ATTEMPTS_WITH_INPUTS, NULL, err);
  if (rc >= 0) rc = send_about(db, chosen, n, out, err);
  for (int i = 0; i < n; i++) again |= chosen[i].number > 1;
  out->tries = -1;
  if (rc >= 0 && again) rc = send_of(db, about_tries, chosen, n, TASKS, &out->tries, err);
  out->n = n_documents;
  out->documents = eas_alloc((size_t)(n_documents + 1) * sizeof *out->documents);
  out->ids = eas_alloc((size_t)(n_documents + 1) * sizeof *out->ids);
  for (int i = 0; i < n_documents && rc >= 0; i++) {
    out->ids[i] = documents[i];
    rc = eas_document_send(db, documents[i], &out->documents[i], err);
  }
  eas_buf_done(&list);
  free(ids);
  return rc < 0 ? rc : 0;
}

void eas_bind_done(eas_bind *b)
{
  free(b->documents);
  free(b->ids);
}

static json_t *object_of(const eas_rows *r, int row, int column)
{
  size_t len;
  const char *text = eas_rows_blob(r, row, column, &len);
  json_t *v = text ? json_loadb(text, len, 0, NULL) : NULL;
  if (json_is_object(v)) return v;
  json_decref(v);
  return json_object();
}

static eas_claim *by_task(eas_claim *list, int n, int64_t task)
{
  for (int i = 0; i < n; i++)
    if (list[i].task == task) return &list[i];
  return NULL;
}

static eas_claim *by_attempt(eas_claim *list, int n, int64_t attempt)
{
  for (int i = 0; i < n; i++)
    if (list[i].attempt == attempt) return &list[i];
  return NULL;
}

static char *text_or(const eas_rows *r, int row, int column, const char *otherwise)
{
  const char *s = eas_rows_text(r, row, column);
  return eas_strdup(s ? s : otherwise);
}

static json_t *metadata_of(eas_db *db, const eas_chosen *h)
{
  json_t *shared = eas_ancestors_metadata(db, h->parent),
         *all = json_copy(shared); /* siblings share what they inherit */
  json_decref(shared);
  json_t *own = h->metadata ? json_loads(h->metadata, 0, NULL) : NULL;
  if (json_is_object(own)) json_object_update(all, own);
  json_decref(own);
  return all;
}

static char *word_or(eas_db *db, int64_t id, const char *otherwise)
{
  const char *s = id ? eas_word_known(db, id) : NULL;
  return eas_strdup(s ? s : otherwise);
}

static int add_tasks(eas_db *db, const eas_registry *reg, const eas_chosen *chosen, eas_claim *out, int n, eas_err *err)
{
  for (int i = 0; i < n; i++) {
    const eas_chosen *h = &chosen[i];
    eas_claim *c = &out[i];
    c->task_name = word_or(db, h->name, "");
    c->directory = word_or(db, h->directory, "");
    c->job_name = word_or(db, h->label, h->job_name);
    memcpy(c->trace_id, h->trace_id, sizeof c->trace_id);
    c->seed = h->seed;
    c->compat = h->compat;
    c->metadata = metadata_of(db, h);
    c->rerun = h->rerun;
    const char *path = eas_node_known(db, h->node);
    json_t *job = NULL;
    int rc = path ? eas_document_entry(db, h->document, path, &c->entry, err)
                  : eas_fail(err, EAS_EFORMAT, "node %lld: it is not in the database", (long long)h->node);
    if (rc >= 0) rc = eas_document_entry(db, h->document, "$", &job, err);
    if (rc == EAS_EFORMAT) { /* one job's damage holds up no other */
      c->problem = eas_strdup(err->text);
      if (!c->entry) c->entry = json_object();
      rc = 0;
    }
    if (rc < 0) return rc;
    eas_policy_of(reg ? eas_registry_type(reg, c->type) : NULL, json_object_get(job, "retry"), &c->policy);
    json_decref(job);
  }
  return 0;
}

static void add_tries(const eas_rows *r, eas_claim *out, int n)
{
  for (int i = 0; i < eas_rows_n(r); i++) {
    eas_claim *c = by_task(out, n, eas_rows_int(r, i, 0));
    if (!c) continue;
    c->n_lost = (int)eas_rows_int(r, i, 1);
    c->n_memory = (int)eas_rows_int(r, i, 2);
  }
}

static void add_inputs(const eas_rows *r, eas_claim *out, int n)
{
  for (int i = 0; i < eas_rows_n(r); i++) {
    eas_claim *c = by_attempt(out, n, eas_rows_int(r, i, 0));
    if (!c) continue;
    c->inputs = eas_realloc(c->inputs, (size_t)(c->n_inputs + 1) * sizeof *c->inputs);
    eas_claim_input *in = &c->inputs[c->n_inputs++];
    *in = (eas_claim_input){ text_or(r, i, 1, ""),
                             text_or(r, i, 2, ""),
                             text_or(r, i, 3, ""),
                             .product = eas_rows_int(r, i, 4),
                             .version = eas_rows_int(r, i, 5),
                             .size = eas_rows_int(r, i, 7),
                             .metadata = object_of(r, i, 8) };
    size_t len;
    const void *digest = eas_rows_blob(r, i, 6, &len);
    if (digest && len == sizeof in->digest) memcpy(&in->digest, digest, len);
  }
}

static void add_outputs(const eas_rows *r, eas_claim *out, int n)
{
  for (int i = 0; i < eas_rows_n(r); i++) {
    eas_claim *c = by_task(out, n, eas_rows_int(r, i, 0));
    if (!c) continue;
    c->outputs = eas_realloc(c->outputs, (size_t)(c->n_outputs + 1) * sizeof *c->outputs);
    c->outputs[c->n_outputs++] =
        (eas_claim_output){ text_or(r, i, 1, ""), text_or(r, i, 2, ""), text_or(r, i, 3, ""), eas_rows_int(r, i, 4) };
  }
}

static void add_needs(const eas_rows *r, eas_claim *out, int n)
{
  for (int i = 0; i < eas_rows_n(r); i++) {
    eas_claim *c = by_task(out, n, eas_rows_int(r, i, 0));
    if (c) json_object_set_new(c->requested_metadata, eas_rows_text(r, i, 1), object_of(r, i, 2));
  }
}

/* After the flush: the answers, into claims that say which they are. */
static int take_about(eas_db *db, const eas_registry *r, const eas_bind *b, const eas_chosen *chosen, int n,
                      eas_claim *out, eas_err *err)
{
  if (b->inputs >= 0) add_inputs(eas_db_result(db, b->inputs), out, n);
  if (b->outputs >= 0) add_outputs(eas_db_result(db, b->outputs), out, n);
  if (b->needs >= 0) add_needs(eas_db_result(db, b->needs), out, n);
  if (b->tries >= 0) add_tries(eas_db_result(db, b->tries), out, n);
  for (int i = 0; i < b->n; i++) {
    int rc = eas_document_take(db, b->ids[i], b->documents[i], err);
    if (rc < 0 && rc != EAS_EFORMAT) return rc; /* whose it is shows with its tasks */
  }
  eas_ancestors_take(db, b->chain);
  eas_words_take(db, b->words);
  eas_nodes_take(db, b->nodes);
  return add_tasks(db, r, chosen, out, n, err);
}

static eas_claim claim_of(const eas_chosen *c)
{
  return (eas_claim){ .attempt = c->attempt,
                      .task = c->task,
                      .job = c->job,
                      .token = c->token,
                      .number = c->number,
                      .queued_us = c->queued_us,
                      .type = eas_strdup(c->type_name),
                      .requested_metadata = json_object() };
}

int eas_bind_take(eas_db *db, const eas_registry *r, const eas_bind *b, const eas_chosen *chosen, int n, eas_claim *out,
                  eas_err *err)
{
  int changed = eas_rows_changed(eas_db_result(db, b->attempts));
  if (changed != n) return eas_fail(err, EAS_EDB, "claim: %d of %d attempts were not queued any more", n - changed, n);
  for (int i = 0; i < n; i++) out[i] = claim_of(&chosen[i]);
  return take_about(db, r, b, chosen, n, out, err);
}

/* Its texts are borrowed by one_of. */
static const char one_attempt[] =
    "SELECT a.task, a.number, a.state, y.name, j.id, j.name, j.document, j.compat, t.parent, t.node, t.name,"
    " t.directory, t.label, t.seed, t.metadata,"
    " (SELECT count(*) FROM attempt e WHERE e.task = a.task AND e.number < a.number AND e.ending = 'memory'),"
    " j.trace_id FROM attempt a JOIN task t ON t.id = a.task JOIN task_type y ON y.id = a.type"
    " JOIN job j ON j.id = a.job WHERE a.id = $1";
static eas_chosen one_of(int64_t attempt, const eas_rows *r, char *metadata)
{
  eas_chosen out = { .attempt = attempt,
                     .task = eas_rows_int(r, 0, 0),
                     .number = (int)eas_rows_int(r, 0, 1),
                     .type_name = eas_rows_text(r, 0, 3),
                     .job = eas_rows_int(r, 0, 4),
                     .job_name = eas_rows_text(r, 0, 5),
                     .document = eas_rows_int(r, 0, 6),
                     .compat = (int)eas_rows_int(r, 0, 7),
                     .parent = eas_rows_int(r, 0, 8),
                     .node = eas_rows_int(r, 0, 9),
                     .name = eas_rows_int(r, 0, 10),
                     .directory = eas_rows_int(r, 0, 11),
                     .label = eas_rows_int(r, 0, 12),
                     .seed = (uint64_t)eas_rows_int(r, 0, 13),
                     .metadata = metadata,
                     .inputs = 1,
                     .outputs = 1,
                     .needs = 1 };
  eas_trace_copy(out.trace_id, eas_rows_text(r, 0, 16));
  return out;
}

int eas_attempt_again(eas_db *db, const eas_registry *r, int64_t attempt, eas_claim *out, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db, one_attempt, EAS_ARGS(eas_v_int(attempt)), &rows, err);
  if (n == 0) n = eas_fail(err, EAS_ENOENT, "there is no a%lld", (long long)attempt);
  if (n > 0 && strcmp(eas_rows_text(rows, 0, 2), "queued") == 0)
    n = eas_fail(err, EAS_EBUSY, "a%lld has not started: its inputs are not bound yet", (long long)attempt);
  if (n < 0) {
    eas_rows_free(rows);
    return n;
  }
  char *metadata = eas_rows_null(rows, 0, 14) ? NULL : eas_strdup(eas_rows_text(rows, 0, 14));
  eas_chosen one = one_of(attempt, rows, metadata);
  eas_claims c = { eas_alloc(sizeof *c.list), 1 };
  c.list[0] = claim_of(&one);
  c.list[0].n_memory = (int)eas_rows_int(rows, 0, 15);
  eas_bind b = { .tries = -1 };
  int rc = send_about(db, &one, 1, &b, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  if (rc >= 0) rc = take_about(db, r, &b, &one, 1, c.list, err);
  if (rc >= 0) {
    *out = c.list[0];
    free(c.list);
  } else {
    eas_claims_done(&c);
  }
  free(metadata);
  eas_rows_free(rows);
  return rc < 0 ? rc : 0;
}

static void free_claim(eas_claim *c)
{
  for (int i = 0; i < c->n_inputs; i++) {
    free(c->inputs[i].kind);
    free(c->inputs[i].directory);
    free(c->inputs[i].filename);
    json_decref(c->inputs[i].metadata);
  }
  for (int i = 0; i < c->n_outputs; i++) {
    free(c->outputs[i].kind);
    free(c->outputs[i].directory);
    free(c->outputs[i].filename);
  }
  free(c->inputs);
  free(c->outputs);
  free(c->type);
  free(c->task_name);
  free(c->job_name);
  free(c->directory);
  json_decref(c->entry);
  free(c->problem);
  json_decref(c->metadata);
  json_decref(c->requested_metadata);
}

void eas_claims_done(eas_claims *c)
{
  for (int i = 0; i < c->n; i++) free_claim(&c->list[i]);
  free(c->list);
  *c = (eas_claims){ 0 };
}
