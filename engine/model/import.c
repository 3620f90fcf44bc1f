/* import.c: see import.h. */
#include "model/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/words.h"

static const char DOCUMENT[] = "{\"job_name\":\"inputs\",\"task_list\":[{\"task\":\"null\"}]}";

typedef struct {
  eas_db *db;
  int64_t job, document, node[2], task[2], attempt[2], chain, null, directory, inputs;
} import;

static int get_ids(import *m, eas_err *err)
{
  int rc = eas_type_id(m->db, "execution_chain", &m->chain, err);
  if (rc >= 0) rc = eas_type_id(m->db, "null", &m->null, err);
  if (rc >= 0) rc = eas_db_ids(m->db, "job", 1, &m->job, err);
  if (rc >= 0) rc = eas_db_ids(m->db, "node", 2, m->node, err);
  if (rc >= 0) rc = eas_db_ids(m->db, "task", 2, m->task, err);
  if (rc >= 0) rc = eas_db_ids(m->db, "attempt", 2, m->attempt, err);
  return rc;
}

static int get_document(import *m, eas_err *err)
{
  eas_digest d;
  eas_rows *r = NULL;
  eas_hash(DOCUMENT, strlen(DOCUMENT), &d);
  int n =
      eas_db_query(m->db, "SELECT id FROM document WHERE digest = $1", EAS_ARGS(eas_v_blob(d.b, sizeof d.b)), &r, err);
  if (n > 0) m->document = eas_rows_int(r, 0, 0);
  eas_rows_free(r);
  if (n != 0) return n < 0 ? n : 0;
  int rc = eas_db_ids(m->db, "document", 1, &m->document, err);
  if (rc < 0) return rc;
  return eas_db_exec(m->db, "INSERT INTO document (id, digest, source, body) VALUES ($1, $2, 'inputs', $3)",
                     EAS_ARGS(eas_v_int(m->document), eas_v_blob(d.b, sizeof d.b), eas_v_text(DOCUMENT)), err);
}

static int add_job(import *m, eas_err *err)
{
  uint8_t identity[32];
  eas_random_bytes(identity, sizeof identity); /* never the same as another */
  int rc = eas_db_exec(
      m->db,
      "INSERT INTO job (id, name, document, identity, state, seed, root, created_at, done_at) "
      "VALUES ($1, 'inputs', $2, $3, 'active', 1, $4, eas_now(), eas_now())",
      EAS_ARGS(eas_v_int(m->job), eas_v_int(m->document), eas_v_blob(identity, sizeof identity), eas_v_int(m->task[0])),
      err);
  static const char *const paths[] = { "$", "$.task_list[0]" };
  for (int i = 0; rc >= 0 && i < 2; i++)
    rc = eas_db_exec(m->db, "INSERT INTO node (id, job, path) VALUES ($1, $2, $3)",
                     EAS_ARGS(eas_v_int(m->node[i]), eas_v_int(m->job), eas_v_text(paths[i])), err);
  for (int i = 0; rc >= 0 && i < 2; i++) {
    rc = eas_db_exec(m->db,
                     "INSERT INTO task (id, job, parent, ordinal, depth, type, node, directory, state, pending, "
                     "attempts, accepted, done, seed) "
                     "VALUES ($1, $2, $3, 0, $4, $5, $6, $7, 'passed', 0, 1, $8, 1, 1)",
                     EAS_ARGS(eas_v_int(m->task[i]), eas_v_int(m->job), eas_v_id(i ? m->task[0] : 0), eas_v_int(i),
                              eas_v_int(i ? m->null : m->chain), eas_v_int(m->node[i]), eas_v_int(m->directory),
                              eas_v_int(m->attempt[i])),
                     err);
    if (rc >= 0)
      rc = eas_db_exec(m->db,
                       "INSERT INTO attempt (id, task, job, type, number, state, ending, verdict, queued_at, ended_at) "
                       "VALUES ($1, $2, $3, $4, 1, 'ended', 'ok', 'pass', eas_now(), eas_now())",
                       EAS_ARGS(eas_v_int(m->attempt[i]), eas_v_int(m->task[i]), eas_v_int(m->job),
                                eas_v_int(i ? m->null : m->chain)),
                       err);
  }
  eas_count counts[] = { { .job = m->job, .type = m->chain, .passed = 1, .ended = 1 },
                         { .job = m->job, .type = m->null, .passed = 1, .ended = 1 } };
  return rc < 0 ? rc : eas_counts_add(m->db, counts, 2, err);
}

static int add_file(import *m, const eas_import_file *f, eas_err *err)
{
  int64_t kind = 0, product = 0, version = 0;
  int rc = eas_word_id(m->db, f->kind, &kind, err);
  if (rc >= 0) rc = eas_db_ids(m->db, "product", 1, &product, err);
  if (rc >= 0) rc = eas_db_ids(m->db, "version", 1, &version, err);
  if (rc < 0) return rc;
  char *meta = f->metadata ? json_dumps(f->metadata, JSON_COMPACT) : NULL;
  rc = eas_db_exec(
      m->db,
      "INSERT INTO product (id, job, task, kind, directory, filename, passed) VALUES ($1, $2, $3, $4, $5, $6, $7)",
      EAS_ARGS(eas_v_int(product), eas_v_int(m->job), eas_v_int(m->task[1]), eas_v_int(kind), eas_v_int(m->directory),
               eas_v_text(f->filename), eas_v_int(version)),
      err);
  if (rc >= 0)
    rc = eas_db_exec(m->db,
                     "INSERT INTO version (id, product, attempt, digest, size, created_at, verdict, metadata) "
                     "VALUES ($1, $2, $3, $4, $5, eas_now(), 'pass', $6)",
                     EAS_ARGS(eas_v_int(version), eas_v_int(product), eas_v_int(m->attempt[1]),
                              eas_v_blob(f->digest.b, sizeof f->digest.b), eas_v_int(f->size), eas_v_text(meta)),
                     err);
  free(meta);
  return rc;
}

static int import_once(eas_db *db, const char *directory, const eas_import_file *files, int n, int64_t *job,
                       eas_err *err)
{
import m = {.db = db };
  int rc = eas_db_begin(db, err);
  if (rc >= 0) rc = eas_word_id(db, directory, &m.directory, err);
  if (rc >= 0) rc = get_ids(&m, err);
  if (rc >= 0) rc = get_document(&m, err);
  if (rc >= 0) rc = add_job(&m, err);
  for (int i = 0; rc >= 0 && i < n; i++) rc = add_file(&m, &files[i], err);
  if (rc >= 0) rc = eas_db_commit(db, err);
  if (rc < 0) {
    eas_db_rollback(db);
    return rc;
  }
  *job = m.job;
  return 0;
}

int eas_import(eas_db *db, const char *directory, const eas_import_file *files, int n, int64_t *job, eas_err *err)
{
  int tries = 0, rc;
  do rc = import_once(db, directory, files, n, job, err);
  while (eas_db_again(db, rc, &tries));
  return rc;
}
