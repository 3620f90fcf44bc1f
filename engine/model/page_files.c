/* page_files.c: working directories and the files in them, by name. */
#include "base/json.h"
#include "model/pages.h"
#include "model/view_rows.h"

/* Each next directory by the unique index of products: as many steps as there are directories on a page. */
static const char FOLDERS[] =
    "WITH RECURSIVE f (id, n) AS (SELECT (SELECT min(directory) FROM product WHERE job = $1 AND directory > $2), 1 "
    "UNION ALL SELECT (SELECT min(p.directory) FROM product p WHERE p.job = $1 AND p.directory > f.id), f.n + 1 FROM f "
    "WHERE f.id IS NOT NULL AND f.n < $3) "
    "SELECT f.id AS id, w.text AS directory, (SELECT count(*) FROM (SELECT 1 FROM product p WHERE p.job = $1 AND "
    "p.directory = f.id LIMIT 10001) x) AS files FROM f JOIN word w ON w.id = f.id ORDER BY f.id";

static int word_id(eas_db *db, const char *text, int64_t *out, eas_err *err)
{
  eas_rows *r = NULL;
  int n = eas_db_query(db, "SELECT id FROM word WHERE text = $1", EAS_ARGS(eas_v_text(text)), &r, err);
  if (n > 0) *out = eas_rows_int(r, 0, 0);
  eas_rows_free(r);
  return n;
}

static json_t *page(json_t *items, int n, int limit, const char *key)
{
  const json_t *last = n == limit && n > 0 ? json_array_get(items, (size_t)n - 1) : NULL;
  return json_pack("{s:o,s:o}", "items", items, "next", last ? json_incref(json_object_get(last, key)) : json_null());
}

int eas_page_folders(eas_db *db, int64_t job, const char *after, int limit, json_t **out, eas_err *err)
{
  int64_t id = 0;
  json_t *items = NULL;
  int n = *after ? word_id(db, after, &id, err) : 0;
  if (n >= 0) n = eas_view_list(db, FOLDERS, EAS_ARGS(eas_v_int(job), eas_v_int(id), eas_v_int(limit)), &items, err);
  if (n < 0) return n;
  *out = page(items, n, limit, "directory");
  return 0;
}

int eas_page_files(eas_db *db, int64_t job, const char *directory, const char *kind, const char *after, int limit,
                   json_t **out, eas_err *err)
{
  int64_t id = -1;
  json_t *items = NULL;
  int n = word_id(db, directory, &id, err);
  if (n >= 0)
    n = eas_view_list(
        db,
        "SELECT p.id AS \"p:product\", p.task AS \"t:task\", p.filename, k.text AS kind, v.id AS \"v:version\", "
        "v.size, "
        "v.verdict, v.created_at, v.digest AS \"x:sha256\", (SELECT count(*) FROM version x WHERE x.product = p.id) AS "
        "versions FROM product p JOIN word k ON k.id = p.kind LEFT JOIN version v ON v.id = coalesce(p.passed, (SELECT "
        "max(x.id) FROM version x WHERE x.product = p.id)) WHERE p.job = $1 AND p.directory = $2 AND p.filename > $3 "
        "AND ($4 = '' OR k.text = $4) ORDER BY p.filename LIMIT $5",
        EAS_ARGS(eas_v_int(job), eas_v_int(id), eas_v_text(after), eas_v_text(kind ? kind : ""), eas_v_int(limit)),
        &items, err);
  if (n < 0) return n;
  *out = page(items, n, limit, "filename");
  return 0;
}
