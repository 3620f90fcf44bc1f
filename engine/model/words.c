/* words.c: the caches of word, task_type and node that each connection keeps. */
#include "model/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

typedef struct {
  char *text;
  int64_t id;
} entry;

typedef struct {
  entry *list;
  int n, cap;
  int *by_text, *by_id;
  int size; /* open addressing, a power of two; -1 free */
} names;

typedef struct {
  names words, types, nodes; /* nodes: by_text is of no use, jobs have the same paths */
} cache;

enum { MOST_NODES = 20000 }; /* known at once; then they are forgotten and asked for anew */

typedef struct {
  const char *find, *add, *text, *table;
} statements;

static const statements of_word = { "SELECT id FROM word WHERE text = $1",
                                    "INSERT INTO word (id, text) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                                    "SELECT text FROM word WHERE id = $1", "word" };
static const statements of_type = { "SELECT id FROM task_type WHERE name = $1",
                                    "INSERT INTO task_type (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                                    "SELECT name FROM task_type WHERE id = $1", "task_type" };

static size_t hash_text(const char *s)
{
  size_t h = 1469598103934665603u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  return h ^ h >> 29;
}

static size_t hash_id(int64_t id)
{
  return (size_t)id * 0x9e3779b97f4a7c15u >> 20;
}

static void free_names(names *m)
{
  for (int i = 0; i < m->n; i++) free(m->list[i].text);
  free(m->list);
  free(m->by_text);
  free(m->by_id);
}

static void free_cache(void *data)
{
  cache *c = data;
  free_names(&c->words);
  free_names(&c->types);
  free_names(&c->nodes);
  free(c);
}

static cache *cache_of(eas_db *db)
{
  cache *c = eas_db_kept(db, EAS_DB_WORDS);
  if (!c) {
    c = eas_alloc(sizeof *c);
    eas_db_keep(db, EAS_DB_WORDS, c, free_cache);
  }
  return c;
}

void eas_words_forget(eas_db *db)
{
  eas_db_keep(db, EAS_DB_WORDS, NULL, NULL);
}

static void place(int *table, int size, size_t hash, int index)
{
  size_t mask = (size_t)size - 1, i = hash & mask;
  while (table[i] >= 0) i = (i + 1) & mask;
  table[i] = index;
}

static void grow(names *m)
{
  m->cap = m->cap ? 2 * m->cap : 64;
  m->size = 4 * m->cap;
  size_t bytes = (size_t)m->size * sizeof *m->by_text;
  m->list = eas_realloc(m->list, (size_t)m->cap * sizeof *m->list);
  m->by_text = eas_realloc(m->by_text, bytes);
  m->by_id = eas_realloc(m->by_id, bytes);
  memset(m->by_text, 0xff, bytes);
  memset(m->by_id, 0xff, bytes);
  for (int i = 0; i < m->n; i++) {
    place(m->by_text, m->size, hash_text(m->list[i].text), i);
    place(m->by_id, m->size, hash_id(m->list[i].id), i);
  }
}

static const entry *add(names *m, const char *text, int64_t id)
{
  if (m->n == m->cap) grow(m);
  m->list[m->n] = (entry){ eas_strdup(text), id };
  place(m->by_text, m->size, hash_text(text), m->n);
  place(m->by_id, m->size, hash_id(id), m->n);
  return &m->list[m->n++];
}

static const entry *find_text(const names *m, const char *text)
{
  if (!m->size) return NULL;
  size_t mask = (size_t)m->size - 1;
  for (size_t i = hash_text(text) & mask; m->by_text[i] >= 0; i = (i + 1) & mask)
    if (strcmp(m->list[m->by_text[i]].text, text) == 0) return &m->list[m->by_text[i]];
  return NULL;
}

static const entry *find_id(const names *m, int64_t id)
{
  if (!m->size) return NULL;
  size_t mask = (size_t)m->size - 1;
  for (size_t i = hash_id(id) & mask; m->by_id[i] >= 0; i = (i + 1) & mask)
    if (m->list[m->by_id[i]].id == id) return &m->list[m->by_id[i]];
  return NULL;
}

/* 1 found, 0 not there, or an error. */
static int look(eas_db *db, const statements *s, const char *text, int64_t *id, eas_err *err)
{
  eas_rows *rows = NULL;
  int n = eas_db_query(db, s->find, EAS_ARGS(eas_v_text(text)), &rows, err);
  if (n > 0) *id = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  return n;
}

static int id_of(eas_db *db, names *m, const statements *s, const char *text, int64_t *id, eas_err *err)
{
  const entry *e = find_text(m, text);
  if (e) {
    *id = e->id;
    return 0;
  }
  int64_t found = 0;
  int rc = look(db, s, text, &found, err);
  if (rc == 0) {
    rc = eas_db_ids(db, s->table, 1, &found, err);
    if (rc >= 0) rc = eas_db_exec(db, s->add, EAS_ARGS(eas_v_int(found), eas_v_text(text)), err);
    if (rc == 0) rc = look(db, s, text, &found, err); /* another connection was faster */
    if (rc == 0) rc = eas_fail(err, EAS_EDB, "database: %s '%.200s' is neither there nor new", s->table, text);
  }
  if (rc < 0) return rc;
  *id = add(m, text, found)->id;
  return 0;
}

static int text_of(eas_db *db, names *m, const statements *s, int64_t id, const char **text, eas_err *err)
{
  const entry *e = find_id(m, id);
  if (!e) {
    eas_rows *rows = NULL;
    int n = eas_db_query(db, s->text, EAS_ARGS(eas_v_int(id)), &rows, err);
    if (n > 0) e = add(m, eas_rows_text(rows, 0, 0), id);
    eas_rows_free(rows);
    if (n < 0) return n;
    if (n == 0) return eas_fail(err, EAS_ENOENT, "database: no %s has id %lld", s->table, (long long)id);
  }
  *text = e->text;
  return 0;
}

/* --- many at once --- */

static int ask(eas_db *db, const names *m, const char *sql, const int64_t *ids, int n, int *ticket, eas_err *err)
{
  int64_t *unknown = eas_alloc((size_t)(n + 1) * sizeof *unknown);
  int n_unknown = 0, rc = 0;
  *ticket = -1;
  for (int i = 0; i < n; i++) {
    int known = ids[i] == 0 || find_id(m, ids[i]) != NULL;
    for (int k = n_unknown; k-- > 0 && !known;) known = unknown[k] == ids[i];
    if (!known) unknown[n_unknown++] = ids[i];
  }
  eas_buf list;
  eas_buf_init(&list);
  if (n_unknown)
    rc = eas_db_send(db, sql, EAS_ARGS(eas_v_text(eas_db_id_list(db, unknown, n_unknown, &list))), ticket, err);
  eas_buf_done(&list);
  free(unknown);
  return rc < 0 ? rc : 0;
}

static void hear(eas_db *db, names *m, int ticket)
{
  const eas_rows *r = ticket < 0 ? NULL : eas_db_result(db, ticket);
  for (int i = 0; r && i < eas_rows_n(r); i++)
    if (!find_id(m, eas_rows_int(r, i, 0))) add(m, eas_rows_text(r, i, 1), eas_rows_int(r, i, 0));
}

int eas_words_send(eas_db *db, const int64_t *ids, int n, int *ticket, eas_err *err)
{
  return ask(db, &cache_of(db)->words, "SELECT w.id, w.text FROM " EAS_OF_IDS("$1") " word w ON w.id = s.value", ids, n,
             ticket, err);
}

int eas_nodes_send(eas_db *db, const int64_t *ids, int n, int *ticket, eas_err *err)
{
  names *m = &cache_of(db)->nodes;
  if (m->n > MOST_NODES) {
    free_names(m);
    *m = (names){ 0 };
  }
  return ask(db, m, "SELECT o.id, o.path FROM " EAS_OF_IDS("$1") " node o ON o.id = s.value", ids, n, ticket, err);
}

void eas_words_take(eas_db *db, int ticket)
{
  hear(db, &cache_of(db)->words, ticket);
}

void eas_nodes_take(eas_db *db, int ticket)
{
  hear(db, &cache_of(db)->nodes, ticket);
}

const char *eas_word_known(eas_db *db, int64_t id)
{
  const entry *e = find_id(&cache_of(db)->words, id);
  return e ? e->text : NULL;
}

const char *eas_node_known(eas_db *db, int64_t id)
{
  const entry *e = find_id(&cache_of(db)->nodes, id);
  return e ? e->text : NULL;
}

int eas_word_id(eas_db *db, const char *text, int64_t *id, eas_err *err)
{
  return id_of(db, &cache_of(db)->words, &of_word, text, id, err);
}

int eas_word_text(eas_db *db, int64_t id, const char **text, eas_err *err)
{
  return text_of(db, &cache_of(db)->words, &of_word, id, text, err);
}

int eas_type_id(eas_db *db, const char *name, int64_t *id, eas_err *err)
{
  return id_of(db, &cache_of(db)->types, &of_type, name, id, err);
}

int eas_type_name(eas_db *db, int64_t id, const char **name, eas_err *err)
{
  return text_of(db, &cache_of(db)->types, &of_type, id, name, err);
}
