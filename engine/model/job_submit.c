#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/path.h"
#include "expr/expr.h"
#include "model/finish.h"
#include "model/job.h"
#include "model/words.h"

typedef struct {
  const eas_jobfile *f; /* with the overrides in it */
  char *name, *directory;
  uint64_t seed;
  int64_t priority;
  int compat;
  int64_t origin;
  char trace_id[EAS_TRACE_ID];
  char *overrides; /* canonical, NULL: none */
  eas_digest identity;
} plan;

static void plan_done(plan *p)
{
  free(p->name);
  free(p->directory);
  free(p->overrides);
}

/* A text of the job object, which may be an expression; NULL when it is not there. */
static int job_text(const json_t *doc, const char *key, int compat, char **out, eas_err *err)
{
  const json_t *v = json_object_get(doc, key);
  *out = NULL;
  if (!v || json_is_null(v)) return 0;
  json_t *none = json_object(), *value = NULL;
  eas_expr_scope scope = { .metadata = none, .prototype_names = compat };
  int rc = eas_expr_value(v, &scope, &value, NULL, err);
  if (rc < 0) {
    eas_err_prefix(err, "$.%s", key);
  } else if (!json_is_string(value)) {
    rc = eas_fail(err, EAS_EFORMAT, "$.%s: a string is wanted", key);
  } else {
    *out = eas_strdup(json_string_value(value));
  }
  json_decref(value);
  json_decref(none);
  return rc < 0 ? rc : 0;
}

/* "grids/first.json" gives "first". */
static char *name_of_file(const char *file)
{
  char *name = eas_strdup(eas_path_base(file));
  char *dot = strrchr(name, '.');
  if (dot && dot != name) *dot = 0;
  return name;
}

static void identify(plan *p, const eas_jobfile *original)
{
  char *canonical = eas_json_canonical(original->doc), number[32];
  eas_hasher *h = eas_hasher_new();
  eas_hasher_add_str(h, canonical);
  snprintf(number, sizeof number, "%llu", (unsigned long long)p->seed);
  eas_hasher_add_str(h, number);
  eas_hasher_add_str(h, p->overrides);
  eas_hasher_add_str(h, p->compat ? "prototype" : NULL);
  eas_hasher_end(h, &p->identity);
  free(canonical);
}

static int make_plan(plan *p, const eas_jobfile *f, const eas_submit_options *o, eas_err *err)
{
  const json_t *doc = p->f->doc;
  const char *compat = eas_json_str(doc, "compat");
  p->compat = o->prototype_names || (compat && strcmp(compat, "prototype") == 0);
  p->seed = o->has_seed ? o->seed : (uint64_t)eas_json_int(doc, "seed", 1);
  p->origin = o->origin;
  eas_trace_begin(o->traceparent ? o->traceparent : getenv("TRACEPARENT"), p->trace_id);
  p->priority = o->has_priority ? o->priority : eas_json_int(doc, "priority", 0);
  int rc = job_text(doc, "job_name", p->compat, &p->name, err);
  if (rc == 0) rc = job_text(doc, "working_directory", p->compat, &p->directory, err);
  if (rc < 0) return eas_err_prefix(err, "%s", f->file);
  if (!p->name) p->name = name_of_file(f->file);
  if (!p->directory) p->directory = eas_strdup("");
  if (p->directory[0] && eas_path_check_relative(p->directory, err) < 0)
    return eas_err_prefix(err, "%s: working_directory", f->file);
  if (o->overrides) {
    json_t *set = eas_json_parse(o->overrides, strlen(o->overrides), "overrides", err);
    if (!set) return EAS_EFORMAT;
    if (json_object_size(set)) p->overrides = eas_json_canonical(set);
    json_decref(set);
  }
  identify(p, f);
  return 0;
}

/* Finds the newest job of this identity: 1 found. */
static int find_same(eas_db *db, const plan *p, eas_submitted *out, eas_err *err)
{
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT id, done_at, trace_id FROM job WHERE identity = $1 ORDER BY id DESC LIMIT 1",
                        EAS_ARGS(eas_v_blob(&p->identity, sizeof p->identity)), &rows, err);
  if (rc > 0)
    *out = (eas_submitted){ .job = eas_rows_int(rows, 0, 0), .existed = 1, .done = !eas_rows_null(rows, 0, 1) };
  if (rc > 0) eas_trace_copy(out->trace_id, eas_rows_text(rows, 0, 2));
  eas_rows_free(rows);
  return rc;
}

static int store_document(eas_db *db, const eas_jobfile *f, int64_t *id, eas_err *err)
{
  eas_digest digest;
  eas_hash(f->text, f->len, &digest);
  eas_rows *rows = NULL;
  int rc = eas_db_query(db, "SELECT id FROM document WHERE digest = $1", EAS_ARGS(eas_v_blob(&digest, sizeof digest)),
                        &rows, err);
  if (rc > 0) *id = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  if (rc != 0) return rc < 0 ? rc : 0;
  rc = eas_db_ids(db, "document", 1, id, err);
  if (rc < 0) return rc;
  return eas_db_exec(
      db, "INSERT INTO document (id, digest, source, body) VALUES ($1, $2, $3, $4)",
      EAS_ARGS(eas_v_int(*id), eas_v_blob(&digest, sizeof digest), eas_v_text(f->file), eas_v_text(f->text)), err);
}

static int store_root(eas_db *db, const plan *p, int64_t job, int64_t task, eas_err *err)
{
  int64_t node, attempt, type, directory;
  int rc = eas_db_ids(db, "node", 1, &node, err);
  if (rc >= 0) rc = eas_db_ids(db, "attempt", 1, &attempt, err);
  if (rc >= 0) rc = eas_type_id(db, "execution_chain", &type, err);
  if (rc >= 0) rc = eas_word_id(db, p->directory, &directory, err);
  if (rc >= 0)
    rc = eas_db_exec(db, "INSERT INTO node (id, job, path) VALUES ($1, $2, '$')",
                     EAS_ARGS(eas_v_int(node), eas_v_int(job)), err);
  if (rc >= 0)
    rc = eas_db_exec(db,
                     "INSERT INTO task (id, job, ordinal, depth, type, node, directory, state, pending, attempts, seed)"
                     " VALUES ($1, $2, 0, 0, $3, $4, $5, 'ready', 0, 1, $6)",
                     EAS_ARGS(eas_v_int(task), eas_v_int(job), eas_v_int(type), eas_v_int(node), eas_v_int(directory),
                              eas_v_int((int64_t)eas_mix64(p->seed, 0))),
                     err);
  if (rc >= 0)
    rc = eas_db_exec(db,
                     "INSERT INTO attempt (id, task, job, type, number, state, queued_at) VALUES ($1, $2, $3, $4, 1, "
                     "'queued', eas_now())",
                     EAS_ARGS(eas_v_int(attempt), eas_v_int(task), eas_v_int(job), eas_v_int(type)), err);
  if (rc >= 0) {
    eas_count c = { .job = job, .type = type, .queued = 1 };
    rc = eas_counts_add(db, &c, 1, err);
  }
  return rc < 0 ? rc : 0;
}

static int store_job(eas_db *db, const plan *p, int64_t *job, eas_err *err)
{
  int64_t document, root;
  int rc = store_document(db, p->f, &document, err);
  if (rc >= 0) rc = eas_db_ids(db, "job", 1, job, err);
  if (rc >= 0) rc = eas_db_ids(db, "task", 1, &root, err);
  if (rc >= 0)
    rc = eas_db_exec(
        db,
        "INSERT INTO job (id, name, document, identity, state, priority, seed, compat, overrides, root, origin, "
        "trace_id, created_at)"
        " VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $9, $10, $11, eas_now())",
        EAS_ARGS(eas_v_int(*job), eas_v_text(p->name), eas_v_int(document),
                 eas_v_blob(&p->identity, sizeof p->identity), eas_v_int(p->priority), eas_v_int((int64_t)p->seed),
                 eas_v_int(p->compat), eas_v_text(p->overrides), eas_v_int(root), eas_v_id(p->origin),
                 eas_v_text(p->trace_id)),
        err);
  if (rc >= 0) rc = store_root(db, p, *job, root, err);
  return rc < 0 ? rc : 0;
}

static int submit_plan(eas_db *db, const plan *p, int fresh, eas_submitted *out, eas_err *err)
{
  int rc = eas_db_begin(db, err);
  if (rc < 0) return rc;
  eas_submitted found = { 0 };
  if (!fresh) rc = find_same(db, p, &found, err);
  if (rc >= 0 && !found.existed) {
    rc = store_job(db, p, &found.job, err);
    memcpy(found.trace_id, p->trace_id, sizeof found.trace_id);
    if (rc >= 0) rc = eas_db_ring(db, err);
  }
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) {
    eas_db_rollback(db);
    eas_words_forget(db);
    return rc;
  }
  *out = found;
  return 0;
}

int eas_job_submit(eas_db *db, const eas_jobfile *f, const eas_registry *r, const eas_submit_options *o,
                   eas_submitted *out, eas_err *err)
{
  if (!eas_registry_type(r, "execution_chain")) {
    eas_fail(err, EAS_EINVAL, "%s: the registry has no type execution_chain", f->file);
    return eas_hint(err, "eas registry check");
  }
  eas_jobfile *set = NULL;
  int rc = 0;
  if (o->overrides) {
    rc = eas_jobfile_override(&set, f, o->overrides, err);
    if (rc < 0) return rc;
  }
  plan p = { .f = set ? set : f };
  rc = make_plan(&p, f, o, err);
  if (rc == 0) rc = submit_plan(db, &p, o->fresh, out, err);
  for (int tries = 0; eas_db_again(db, rc, &tries);) rc = submit_plan(db, &p, o->fresh, out, err);
  plan_done(&p);
  eas_jobfile_free(set);
  return rc;
}

int eas_job_same(eas_db *db, const eas_jobfile *f, const eas_submit_options *o, eas_submitted *out, char **name,
                 eas_err *err)
{
  eas_jobfile *set = NULL;
  int rc = o->overrides ? eas_jobfile_override(&set, f, o->overrides, err) : 0;
  if (rc < 0) return rc;
  plan p = { .f = set ? set : f };
  rc = make_plan(&p, f, o, err);
  if (rc == 0 && db) rc = find_same(db, &p, out, err);
  if (rc >= 0) *name = eas_strdup(p.name);
  plan_done(&p);
  eas_jobfile_free(set);
  return rc;
}
