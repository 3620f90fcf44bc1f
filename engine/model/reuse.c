/* reuse.c: has another job made this already? */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/attempt.h"

static const char find_attempt[] = "SELECT id, task, metadata FROM attempt WHERE prov_key = $1 AND prov_key IS NOT "
                                   "NULL AND verdict = 'pass' AND job <> $2"
                                   " ORDER BY id DESC LIMIT 1";

static const char find_versions[] =
    "SELECT k.text, v.digest, v.size, v.verdict, v.reason, v.metadata, p.id FROM product p"
    " JOIN version v ON v.product = p.id AND v.attempt = $2 JOIN word k ON k.id = p.kind WHERE p.task = $1 ORDER BY "
    "k.text";

static json_t *object_of(const eas_rows *r, int row, int column)
{
  size_t len;
  const char *text = eas_rows_blob(r, row, column, &len);
  json_t *v = text ? json_loadb(text, len, 0, NULL) : NULL;
  if (json_is_object(v)) return v;
  json_decref(v);
  return json_object();
}

static void take_versions(const eas_rows *r, eas_reusable *out)
{
  int n = eas_rows_n(r);
  out->n_versions = n;
  out->versions = eas_alloc((size_t)(n + 1) * sizeof *out->versions);
  out->kinds = eas_alloc((size_t)(n + 1) * sizeof *out->kinds);
  for (int i = 0; i < n; i++) {
    eas_result_version *v = &out->versions[i];
    size_t len;
    const void *digest = eas_rows_blob(r, i, 1, &len);
    if (digest && len == sizeof v->digest) memcpy(&v->digest, digest, len);
    out->kinds[i] = eas_strdup(eas_rows_text(r, i, 0));
    v->size = eas_rows_int(r, i, 2);
    v->verdict = strcmp(eas_rows_text(r, i, 3), "pass") == 0 ? "pass" : "fail";
    v->reason = eas_strdup(eas_rows_text(r, i, 4));
    v->metadata = object_of(r, i, 5);
    v->product = eas_rows_int(r, i, 6);
  }
}

int eas_attempt_reusable(eas_db *db, int64_t job, const eas_digest *key, eas_reusable *out, eas_err *err)
{
  eas_rows *rows = NULL, *versions = NULL;
  int rc = eas_db_query(db, find_attempt, EAS_ARGS(eas_v_blob(key, sizeof *key), eas_v_int(job)), &rows, err);
  int found = rc;
  if (found > 0)
    rc = eas_db_query(db, find_versions,
                      EAS_ARGS(eas_v_int(eas_rows_int(rows, 0, 1)), eas_v_int(eas_rows_int(rows, 0, 0))), &versions,
                      err);
  if (found > 0 && rc >= 0) {
    *out = (eas_reusable){ .attempt = eas_rows_int(rows, 0, 0), .metadata = object_of(rows, 0, 2) };
    take_versions(versions, out);
  }
  eas_rows_free(rows);
  eas_rows_free(versions);
  return rc < 0 ? rc : found > 0;
}

void eas_reusable_done(eas_reusable *r)
{
  for (int i = 0; i < r->n_versions; i++) {
    free(r->kinds[i]);
    free((void *)(uintptr_t)r->versions[i].reason);
    json_decref((json_t *)(uintptr_t)r->versions[i].metadata);
  }
  free(r->kinds);
  free(r->versions);
  json_decref(r->metadata);
  *r = (eas_reusable){ 0 };
}
