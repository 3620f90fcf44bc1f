/* born.h: which attempts a connection's transactions have made queued: what is to be published after the commit.
 *
 * Only noted once somebody asked for it (eas_born_watch). A note says how many of a job and type; which ones is looked up
 * when they are taken, so that what was claimed meanwhile rings nobody, and what a rollback took back is not found. */
#ifndef EAS_MODEL_BORN_H
#define EAS_MODEL_BORN_H
#ifndef EAS_CDEF
#include <stdint.h>
#include "base/err.h"
#include "db/db.h"
#endif

/* At most so many of one job and type are told at once: each wakes an idle slot, and a busy one looks by itself. */
enum { EAS_BORN_MOST = 256 };

typedef struct {
  const char *type; /* name; borrowed until the connection's next rollback or close */
  int64_t attempt;
} eas_born;

void eas_born_watch(eas_db *db); /* from now on notes are kept for this connection */
void eas_born_note(eas_db *db, int64_t job, int64_t type, int64_t n); /* n attempts were queued */
int eas_born_any(const eas_db *db);                                   /* 1: there are notes */
/* Those of the noted attempts that are still queued, flow control (which only control looks for) left out. *out is the
 * caller's. Returns how many; the notes are gone, unless it failed. */
int eas_born_take(eas_db *db, eas_born **out, eas_err *err);

/* Attempts that could have been claimed for `older_us` and longer, the oldest of each type (at most `limit` of a job's). */
int eas_born_overdue(eas_db *db, int64_t older_us, int limit, eas_born **out, eas_err *err);

#endif
