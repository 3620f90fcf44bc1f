#include "model/ancestors.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { MOST = 20000 }; /* known at once; then they are forgotten and asked for anew */

typedef struct {
  eas_ancestor *list;
  int n, cap;
  int *table;
  int size; /* open addressing, a power of two; -1 free */
} family;

static void free_family(void *data)
{
  family *f = data;
  for (int i = 0; i < f->n; i++) {
    json_decref(f->list[i].own);
    json_decref(f->list[i].handed);
  }
  free(f->list);
  free(f->table);
  free(f);
}

static family *family_of(eas_db *db)
{
  family *f = eas_db_kept(db, EAS_DB_ANCESTORS);
  if (!f) {
    f = eas_alloc(sizeof *f);
    eas_db_keep(db, EAS_DB_ANCESTORS, f, free_family);
  }
  return f;
}

static size_t slot_of(const family *f, int64_t id)
{
  size_t mask = (size_t)f->size - 1, i = ((size_t)id * 0x9e3779b97f4a7c15u >> 20) & mask;
  while (f->table[i] >= 0 && f->list[f->table[i]].id != id) i = (i + 1) & mask;
  return i;
}

static eas_ancestor *find(const family *f, int64_t id)
{
  if (!f->size) return NULL;
  int at = f->table[slot_of(f, id)];
  return at < 0 ? NULL : &f->list[at];
}

static void grow(family *f)
{
  f->cap = f->cap ? 2 * f->cap : 64;
  f->size = 4 * f->cap;
  f->list = eas_realloc(f->list, (size_t)f->cap * sizeof *f->list);
  f->table = eas_realloc(f->table, (size_t)f->size * sizeof *f->table);
  memset(f->table, 0xff, (size_t)f->size * sizeof *f->table);
  for (int i = 0; i < f->n; i++) f->table[slot_of(f, f->list[i].id)] = i;
}

#define ALL_ABOVE(first)                                                                                               \
  "WITH RECURSIVE up (id, parent, depth, metadata) AS (SELECT t.id, t.parent, t.depth, t.metadata FROM " first         \
  " UNION SELECT t.id, t.parent, t.depth, t.metadata FROM up JOIN task t ON t.id = up.parent)"                         \
  " SELECT id, parent, depth, metadata FROM up"

static const char these[] = ALL_ABOVE(EAS_OF_IDS("$1") " task t ON t.id = s.value");
static const char above[] = ALL_ABOVE(EAS_OF_IDS("$1") " task c ON c.id = s.value JOIN task t ON t.id = c.parent");

static int send(eas_db *db, const char *sql, const int64_t *ids, int n, int *ticket, eas_err *err)
{
  if (family_of(db)->n > MOST) eas_db_keep(db, EAS_DB_ANCESTORS, NULL, NULL);
  eas_buf list;
  eas_buf_init(&list);
  int rc = eas_db_send(db, sql, EAS_ARGS(eas_v_text(eas_db_id_list(db, ids, n, &list))), ticket, err);
  eas_buf_done(&list);
  return rc < 0 ? rc : 0;
}

int eas_ancestors_send(eas_db *db, const int64_t *ids, int n, int *ticket, eas_err *err)
{
  const family *f = family_of(db);
  int64_t *unknown = eas_alloc((size_t)(n + 1) * sizeof *unknown);
  int n_unknown = 0, rc = 0;
  *ticket = -1;
  for (int i = 0; i < n; i++) /* siblings mostly stand together */
    if (ids[i] && (i == 0 || ids[i] != ids[i - 1]) && !find(f, ids[i])) unknown[n_unknown++] = ids[i];
  if (n_unknown && f->n + n_unknown > MOST) { /* all are asked for, so that none of the group is forgotten */
    n_unknown = 0;
    for (int i = 0; i < n; i++)
      if (ids[i]) unknown[n_unknown++] = ids[i];
    eas_db_keep(db, EAS_DB_ANCESTORS, NULL, NULL);
  }
  if (n_unknown) rc = send(db, these, unknown, n_unknown, ticket, err);
  free(unknown);
  return rc;
}

int eas_ancestors_send_above(eas_db *db, const int64_t *tasks, int n, int *ticket, eas_err *err)
{
  return send(db, above, tasks, n, ticket, err);
}

void eas_ancestors_take(eas_db *db, int ticket)
{
  const eas_rows *r = ticket < 0 ? NULL : eas_db_result(db, ticket);
  family *f = family_of(db);
  for (int i = 0; r && i < eas_rows_n(r); i++) {
    int64_t id = eas_rows_int(r, i, 0);
    if (find(f, id)) continue;
    if (f->n == f->cap) grow(f);
    size_t len = 0;
    const char *text = eas_rows_blob(r, i, 3, &len);
    json_t *own = text ? json_loadb(text, len, 0, NULL) : NULL;
    f->table[slot_of(f, id)] = f->n;
    f->list[f->n++] =
        (eas_ancestor){ .id = id, .parent = eas_rows_int(r, i, 1), .depth = (int)eas_rows_int(r, i, 2), .own = own };
  }
}

const eas_ancestor *eas_ancestors_find(eas_db *db, int64_t id)
{
  return find(family_of(db), id);
}

json_t *eas_ancestors_metadata(eas_db *db, int64_t id)
{
  eas_ancestor *a = id ? find(family_of(db), id) : NULL;
  if (!a) return json_object();
  if (!a->handed) {
    json_t *all = eas_ancestors_metadata(db, a->parent);
    if (json_is_object(a->own)) {
      json_t *copy = json_copy(all);
      json_object_update(copy, a->own);
      json_decref(all);
      all = copy;
    }
    a->handed = all;
  }
  return json_incref(a->handed);
}
