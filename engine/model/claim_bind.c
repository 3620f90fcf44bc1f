/* claim_bind.c: what an attempt needs to start: entry, metadata, inputs bound to versions, outputs to make. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/ancestors.h"
#include "model/claim.h"
#include "model/settle.h"

static const char run_them[] =
    "UPDATE attempt SET state = 'running', token = token + 1, worker = $2, slot = NULL, started_at = eas_now()"
    " WHERE id " EAS_IN_IDS("$1") " AND " EAS_STATE_IS("state", "queued");

/* The newest passed version of now; an attempt that was handed back binds again. */
static const char bind_inputs[] =
    "INSERT INTO attempt_input (attempt, kind, version) SELECT a.id, i.kind, p.passed"
    " FROM " EAS_OF_IDS("$1") " attempt a ON a.id = s.value JOIN task_input i ON i.task = a.task"
                              " JOIN product p ON p.id = i.product WHERE p.passed IS NOT NULL ON CONFLICT (attempt, "
                              "kind) DO UPDATE SET version = excluded.version";

static const char about_tasks[] =
    "SELECT t.id, n.path, wn.text, wd.text, wl.text, t.seed, j.name, j.document, j.compat, t.parent, t.metadata,"
    " CASE WHEN t.accepted IS NULL THEN 0 ELSE 1 END"
    " FROM " EAS_OF_IDS("$1") " task t ON t.id = s.value JOIN node n ON n.id = t.node JOIN job j ON j.id = t.job"
                              " JOIN word wd ON wd.id = t.directory LEFT JOIN word wn ON wn.id = t.name LEFT JOIN word "
                              "wl ON wl.id = t.label";

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

/* All questions about attempts a of tasks t, whose parents are given. */
static int ask_about(eas_db *db, eas_val a, eas_val t, const int64_t *parents, int n, eas_bind *out, eas_err *err)
{
  int rc = eas_db_send(db, about_tasks, &t, 1, &out->tasks, err);
  if (rc >= 0) rc = eas_db_send(db, about_inputs, &a, 1, &out->inputs, err);
  if (rc >= 0) rc = eas_db_send(db, about_outputs, &t, 1, &out->outputs, err);
  if (rc >= 0) rc = eas_db_send(db, about_needs, &t, 1, &out->needs, err);
  return rc < 0 ? rc : eas_ancestors_send(db, parents, n, &out->chain, err);
}

int eas_bind_send(eas_db *db, int64_t worker, const eas_chosen *chosen, int n, const int64_t *documents,
                  int n_documents, eas_bind *out, eas_err *err)
{
  int64_t *ids = eas_alloc(3 * (size_t)n * sizeof *ids);
  for (int i = 0; i < n; i++) {
    ids[i] = chosen[i].attempt;
    ids[n + i] = chosen[i].task;
    ids[2 * n + i] = chosen[i].parent;
  }
  eas_buf attempts, tasks;
  eas_buf_init(&attempts);
  eas_buf_init(&tasks);
  eas_val a = eas_v_text(eas_db_id_list(db, ids, n, &attempts)), t = eas_v_text(eas_db_id_list(db, ids + n, n, &tasks));

  int rc = eas_db_send(db, run_them, EAS_ARGS(a, eas_v_int(worker)), &out->attempts, err);
  if (rc >= 0) rc = eas_db_send(db, bind_inputs, &a, 1, NULL, err);
  if (rc >= 0) rc = ask_about(db, a, t, ids + 2 * n, n, out, err);
  int again = 0;
  for (int i = 0; i < n; i++) again |= chosen[i].number > 1;
  out->tries = -1;
  if (rc >= 0 && again) rc = eas_db_send(db, about_tries, &t, 1, &out->tries, err);
  out->n = n_documents;
  out->documents = eas_alloc((size_t)(n_documents + 1) * sizeof *out->documents);
  out->ids = eas_alloc((size_t)(n_documents + 1) * sizeof *out->ids);
  for (int i = 0; i < n_documents && rc >= 0; i++) {
    out->ids[i] = documents[i];
    rc = eas_document_send(db, documents[i], &out->documents[i], err);
  }
  eas_buf_done(&attempts);
  eas_buf_done(&tasks);
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

static int add_tasks(eas_db *db, const eas_registry *reg, const eas_rows *r, eas_claim *out, int n, eas_err *err)
{
  for (int i = 0; i < eas_rows_n(r); i++) {
    eas_claim *c = by_task(out, n, eas_rows_int(r, i, 0));
    if (!c) continue;
    c->task_name = text_or(r, i, 2, "");
    c->directory = text_or(r, i, 3, "");
    c->job_name = text_or(r, i, 4, eas_rows_text(r, i, 6));
    c->seed = (uint64_t)eas_rows_int(r, i, 5);
    c->compat = (int)eas_rows_int(r, i, 8);
    json_t *shared = eas_ancestors_metadata(db, eas_rows_int(r, i, 9));
    c->metadata = json_copy(shared); /* a claim's own: siblings share what they inherit */
    json_decref(shared);
    if (!eas_rows_null(r, i, 10)) json_object_update_new(c->metadata, object_of(r, i, 10));
    c->rerun = (int)eas_rows_int(r, i, 11);
    json_t *job = NULL;
    int rc = eas_document_entry(db, eas_rows_int(r, i, 7), eas_rows_text(r, i, 1), &c->entry, err);
    if (rc >= 0) rc = eas_document_entry(db, eas_rows_int(r, i, 7), "$", &job, err);
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

int eas_bind_take(eas_db *db, const eas_registry *r, const eas_bind *b, const eas_chosen *chosen, int n, eas_claim *out,
                  eas_err *err)
{
  int changed = eas_rows_changed(eas_db_result(db, b->attempts));
  if (changed != n) return eas_fail(err, EAS_EDB, "claim: %d of %d attempts were not queued any more", n - changed, n);
  for (int i = 0; i < n; i++) {
    out[i] = (eas_claim){ .attempt = chosen[i].attempt,
                          .task = chosen[i].task,
                          .job = chosen[i].job,
                          .token = chosen[i].token,
                          .number = chosen[i].number,
                          .queued_us = chosen[i].queued_us,
                          .type = eas_strdup(chosen[i].type_name),
                          .requested_metadata = json_object() };
  }
  add_inputs(eas_db_result(db, b->inputs), out, n);
  add_outputs(eas_db_result(db, b->outputs), out, n);
  add_needs(eas_db_result(db, b->needs), out, n);
  for (int i = 0; i < b->n; i++) {
    int rc = eas_document_take(db, b->ids[i], b->documents[i], err);
    if (rc < 0 && rc != EAS_EFORMAT) return rc; /* whose it is shows with its tasks */
  }
  eas_ancestors_take(db, b->chain);
  if (b->tries >= 0) add_tries(eas_db_result(db, b->tries), out, n);
  return add_tasks(db, r, eas_db_result(db, b->tasks), out, n, err);
}

static const char one_attempt[] =
    "SELECT a.task, a.job, a.number, y.name, coalesce(t.parent, 0), a.state,"
    " (SELECT count(*) FROM attempt e WHERE e.task = a.task AND e.number < a.number AND e.ending = 'memory')"
    " FROM attempt a JOIN task t ON t.id = a.task JOIN task_type y ON y.id = a.type WHERE a.id = $1";

int eas_attempt_again(eas_db *db, const eas_registry *r, int64_t attempt, eas_claim *out, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db, one_attempt, EAS_ARGS(eas_v_int(attempt)), &rows, err);
  if (n == 0) n = eas_fail(err, EAS_ENOENT, "there is no a%lld", (long long)attempt);
  if (n > 0 && strcmp(eas_rows_text(rows, 0, 5), "queued") == 0)
    n = eas_fail(err, EAS_EBUSY, "a%lld has not started: its inputs are not bound yet", (long long)attempt);
  if (n < 0) {
    eas_rows_free(rows);
    return n;
  }
  eas_claim c = { .attempt = attempt,
                  .task = eas_rows_int(rows, 0, 0),
                  .job = eas_rows_int(rows, 0, 1),
                  .number = (int)eas_rows_int(rows, 0, 2),
                  .type = eas_strdup(eas_rows_text(rows, 0, 3)),
                  .n_memory = (int)eas_rows_int(rows, 0, 6),
                  .requested_metadata = json_object() };
  int64_t parent = eas_rows_int(rows, 0, 4);
  eas_rows_free(rows);
  eas_buf attempts, tasks;
  eas_buf_init(&attempts);
  eas_buf_init(&tasks);
  eas_val a = eas_v_text(eas_db_id_list(db, &attempt, 1, &attempts)),
          t = eas_v_text(eas_db_id_list(db, &c.task, 1, &tasks));
  eas_bind b = { 0 };
  int rc = ask_about(db, a, t, &parent, 1, &b, err);
  if (rc >= 0) rc = eas_db_flush(db, err);
  eas_buf_done(&attempts);
  eas_buf_done(&tasks);
  if (rc >= 0) {
    add_inputs(eas_db_result(db, b.inputs), &c, 1);
    add_outputs(eas_db_result(db, b.outputs), &c, 1);
    add_needs(eas_db_result(db, b.needs), &c, 1);
    eas_ancestors_take(db, b.chain);
    rc = add_tasks(db, r, eas_db_result(db, b.tasks), &c, 1, err);
  }
  eas_claims one = { eas_alloc(sizeof c), 1 };
  one.list[0] = c;
  if (rc >= 0) {
    *out = c;
    free(one.list);
    return 0;
  }
  eas_claims_done(&one);
  return rc;
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
