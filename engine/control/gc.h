/* gc.h: bytes in the store that no version or log names are taken away, by control a little at a time.
 *
 * An object is left alone until nothing has stored it again for the grace: a result is stored before its row is. What
 * another database names is not known here, so each database leaves its mark in the store (folder users/), and control
 * sweeps only a store of one. */
#ifndef EAS_CONTROL_GC_H
#define EAS_CONTROL_GC_H
#ifndef EAS_CDEF
#include <stdint.h>
#include "base/conf.h"
#include "base/err.h"
#include "base/loop.h"
#include "db/db.h"
#include "store/store.h"
#endif

enum { EAS_GC_GROUP = 256, EAS_GC_WALK_US = 50 * 1000 };

typedef struct {
  int64_t untouched_since_us; /* of the store's clock: older ones may go */
  int remove;                 /* 0: only counts */
} eas_gc_options;
typedef struct {
  int64_t looked, unnamed, bytes, removed; /* added to; objects, and bytes of those that nothing names */
  int more;                                /* 1: go on from place */
  eas_digest place;
} eas_gc_found;

/* Looks at up to EAS_GC_GROUP objects, for about EAS_GC_WALK_US; from found->place on if found->more. */
int eas_gc_some(eas_db *db, eas_store *store, const eas_gc_options *o, eas_gc_found *found, eas_err *err);

/* One turn of control, if one is due and no other control has it. > 0: done, the rest of the sweep is due at once; 0 with
 * *next_us: nothing to do until then. By the keys gc_every and gc_grace. */
int eas_gc_turn(eas_db *db, eas_store *store, const eas_conf *conf, int hurry, int64_t *next_us, eas_err *err);

/* Turns beside a loop, for ever: what asks the store runs in a thread, so that one that does not answer keeps nobody
 * waiting. Errors are logged, and it comes again in a minute. */
typedef struct eas_gc eas_gc;
typedef struct {
  eas_loop *loop;
  eas_db *db;
  eas_store *store;
  const eas_conf *conf;
  int hurry; /* 1: no rests */
} eas_gc_about;
int eas_gc_open(eas_gc **out, const eas_gc_about *o, eas_err *err); /* with eas_gc_check */
int eas_gc_sweeping(const eas_gc *gc);                              /* 1: a turn is on, or the next one due; NULL: 0 */
void eas_gc_close(eas_gc *gc); /* a turn that is on is broken off: eas_store_stop */

/* EAS_EINVAL: a grace in which a result may not have got its row yet. */
int eas_gc_check(const eas_conf *conf, eas_err *err);
/* Leaves the mark of this database in the store: whoever writes there. */
int eas_gc_join(eas_db *db, eas_store *store, eas_err *err);

#endif
