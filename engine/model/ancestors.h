/* ancestors.h: what never changes of the tasks above others: their parents, depths and the metadata they hand down.
 *
 * Kept with the connection, so that the siblings of a loop or a chain ask for it once. Ask for all that a group needs
 * (send, flush, take), then read. Private to engine/model. */
#ifndef EAS_MODEL_ANCESTORS_H
#define EAS_MODEL_ANCESTORS_H
#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"

typedef struct {
  int64_t id, parent; /* parent 0: the root */
  int depth;
  json_t *own;    /* NULL: it has none */
  json_t *handed; /* own over what it inherits; NULL until somebody asked */
} eas_ancestor;

/* Asks for these tasks and all above them; 0 and repetitions are passed over. *ticket is for take; -1: all are known. */
int eas_ancestors_send(eas_db *db, const int64_t *ids, int n, int *ticket, eas_err *err);
/* The same for all above these tasks, whose parents the caller does not know. */
int eas_ancestors_send_above(eas_db *db, const int64_t *tasks, int n, int *ticket, eas_err *err);
void eas_ancestors_take(eas_db *db, int ticket); /* after the flush */

const eas_ancestor *eas_ancestors_find(eas_db *db, int64_t id); /* NULL: not asked for; borrowed until the next take */
json_t *eas_ancestors_metadata(eas_db *db, int64_t id);         /* new reference, to be read only; 0: an empty object */

#endif
