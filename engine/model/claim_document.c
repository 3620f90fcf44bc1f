/* claim_document.c: job documents, parsed once per connection. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/claim.h"

enum { MOST = 32 }; /* documents kept; the least recently used one makes room */

typedef struct {
  int64_t id;
  uint64_t used;
  json_t *doc;
} document;
typedef struct {
  document list[MOST];
  int n;
  uint64_t clock;
} documents;

static void free_documents(void *data)
{
  documents *d = data;
  for (int i = 0; i < d->n; i++) json_decref(d->list[i].doc);
  free(d);
}

static documents *documents_of(eas_db *db)
{
  documents *d = eas_db_kept(db, EAS_DB_DOCUMENTS);
  if (!d) {
    d = eas_alloc(sizeof *d);
    eas_db_keep(db, EAS_DB_DOCUMENTS, d, free_documents);
  }
  return d;
}

static json_t *find(eas_db *db, int64_t id)
{
  documents *d = documents_of(db);
  for (int i = 0; i < d->n; i++) {
    if (d->list[i].id == id) {
      d->list[i].used = ++d->clock;
      return d->list[i].doc;
    }
  }
  return NULL;
}

static void keep(eas_db *db, int64_t id, json_t *doc)
{
  documents *d = documents_of(db);
  int at = d->n;
  if (at == MOST) {
    at = 0;
    for (int i = 1; i < MOST; i++)
      if (d->list[i].used < d->list[at].used) at = i;
    json_decref(d->list[at].doc);
  } else {
    d->n++;
  }
  d->list[at] = (document){ id, ++d->clock, doc };
}

static const char body[] = "SELECT body, source FROM document WHERE id = $1";

int eas_document_send(eas_db *db, int64_t id, int *ticket, eas_err *err)
{
  *ticket = -1;
  if (find(db, id)) return 0;
  int rc = eas_db_send(db, body, EAS_ARGS(eas_v_int(id)), ticket, err);
  return rc < 0 ? rc : 1;
}

static int parse(eas_db *db, int64_t id, const eas_rows *rows, eas_err *err)
{
  if (!rows || eas_rows_n(rows) == 0)
    return eas_fail(err, EAS_EFORMAT, "document %lld: it is not in the database", (long long)id);
  size_t len;
  const char *text = eas_rows_blob(rows, 0, 0, &len);
  json_t *doc = eas_json_parse(text, len, eas_rows_text(rows, 0, 1), err);
  if (!doc) return EAS_EFORMAT;
  keep(db, id, doc);
  return 0;
}

int eas_document_take(eas_db *db, int64_t id, int ticket, eas_err *err)
{
  return ticket < 0 || find(db, id) ? 0 : parse(db, id, eas_db_result(db, ticket), err);
}

/* A node that task:spawn made stands in a document of its own: "spawn:7[0].x" is $.task_list[0].x of document 7. */
static char *spawned(const char *path, int64_t *id)
{
  if (strncmp(path, "spawn:", 6) != 0) return NULL;
  char *end;
  *id = strtoll(path + 6, &end, 10);
  return eas_format("$.task_list%s", end);
}

static int entry(eas_db *db, int64_t id, const char *path, json_t **out, eas_err *err)
{
  json_t *doc = find(db, id);
  if (!doc) { /* pushed out by others of its group */
    eas_rows *rows = NULL;
    int rc = eas_db_query(db, body, EAS_ARGS(eas_v_int(id)), &rows, err);
    if (rc >= 0) rc = parse(db, id, rows, err);
    eas_rows_free(rows);
    if (rc < 0) return rc;
    doc = find(db, id);
  }
  json_t *found = eas_json_at(doc, path);
  if (!json_is_object(found))
    return eas_fail(err, EAS_EFORMAT, "document %lld: nothing stands at %s", (long long)id, path);
  *out = json_incref(found);
  return 0;
}

int eas_document_entry(eas_db *db, int64_t id, const char *path, json_t **out, eas_err *err)
{
  char *own = spawned(path, &id);
  int rc = entry(db, id, own ? own : path, out, err);
  free(own);
  return rc;
}
