/* chore.h: what control does now and then, one control at a time. Private to whoever does one.
 *
 * The row says when the next turn is due and where it goes on. To move its time is to take it: a control that dies in a turn
 * holds the others up until the time it set. */
#ifndef EAS_MODEL_CHORE_H
#define EAS_MODEL_CHORE_H
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"

typedef struct {
  int64_t due_at, due_in_us; /* due_at 0: nobody has looked yet */
  char place[65], mark[65];  /* mark: names this database */
} eas_chore;

/* 1; 0: there is none of that name. */
int eas_chore_read(eas_db *db, const char *name, eas_chore *out, eas_err *err);
/* Makes the row, if there is none of that name, due and at such a place. */
int eas_chore_make(eas_db *db, const char *name, const char *place, eas_err *err);
/* 1: the row is as it was read in c, and now is due so much later; 0: another was faster. */
int eas_chore_move(eas_db *db, const char *name, const eas_chore *c, int64_t by_us, const char *place, eas_err *err);

#endif
