/* words.h: text <-> id of word, and name <-> id of task_type, cached per connection. */
#ifndef EAS_MODEL_WORDS_H
#define EAS_MODEL_WORDS_H
#ifndef EAS_CDEF
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"
#endif

int eas_word_id(eas_db *db, const char *text, int64_t *id,
                eas_err *err); /* inserts when new; in the caller's transaction */
int eas_word_text(eas_db *db, int64_t id, const char **text, eas_err *err); /* borrowed until a rollback or close */
int eas_type_id(eas_db *db, const char *name, int64_t *id, eas_err *err);
int eas_type_name(eas_db *db, int64_t id, const char **name, eas_err *err);
/* Many at once, without waiting: words and paths of nodes that are not known yet are asked for by _send (*ticket -1: all
 * are), told by _take after the flush, and then known until a rollback or close; 0 among the ids is none. */
int eas_words_send(eas_db *db, const int64_t *ids, int n, int *ticket, eas_err *err);
void eas_words_take(eas_db *db, int ticket);
const char *eas_word_known(eas_db *db, int64_t id); /* NULL: not */
int eas_nodes_send(eas_db *db, const int64_t *ids, int n, int *ticket, eas_err *err);
void eas_nodes_take(eas_db *db, int ticket);
const char *eas_node_known(eas_db *db, int64_t id); /* its path; NULL: not */
void eas_words_forget(eas_db *db); /* drops the cache, as a rollback and eas_db_close do by themselves */

/* Adds to counters of (job, type): one row each, last in a transaction, in order of (job, type). */
typedef struct {
  int64_t job, type;
  int64_t waiting, queued, running, passed, reused, failed, skipped, cancelled, wall_us, ended;
} eas_count;
int eas_counts_add(eas_db *db, eas_count *counts, int n, eas_err *err); /* merges equal (job, type), sorts, applies */

#endif
