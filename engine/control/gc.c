/* gc.c: see gc.h. */
#include "control/gc.h"

#include "base/clock.h"
#include "base/log.h"
#include "model/chore.h"
#include "model/fsck.h"

enum {
  HOLD_US = 60 * 1000 * 1000, /* if this control dies in a turn */
  LEAST_GRACE_US = 600 * 1000 * 1000,
  TMP_S = 3600,
  REST = 20, /* times of what a turn took */
  LEAST_REST_US = 100 * 1000,
  LOOK_US = 600 * 1000 * 1000 /* others may have moved it */
};

static const char GC[] = "gc";

/* --- some objects --- */

typedef struct {
  int64_t untouched_since, until;
  int looked, n;
  eas_digest last, old[EAS_GC_GROUP];
  int64_t size[EAS_GC_GROUP];
} group;

static int on_object(void *arg, const eas_digest *d, int64_t size, int64_t mtime_us)
{
  group *g = arg;
  g->last = *d;
  g->looked++;
  if (mtime_us <= g->untouched_since) {
    g->size[g->n] = size;
    g->old[g->n++] = *d;
  }
  return g->looked == EAS_GC_GROUP || (g->looked % 16 == 0 && eas_tick_us() > g->until);
}

int eas_gc_some(eas_db *db, eas_store *store, const eas_gc_options *o, eas_gc_found *found, eas_err *err)
{
  group g = { .untouched_since = o->untouched_since_us, .until = eas_tick_us() + EAS_GC_WALK_US };
  int wanted[EAS_GC_GROUP];
  int more = eas_store_walk(store, found->more ? &found->place : NULL, on_object, &g, err);
  int rc = more < 0 ? more : eas_fsck_wanted(db, g.old, g.n, wanted, err);
  for (int i = 0; i < g.n && rc >= 0; i++) {
    if (wanted[i]) continue;
    found->unnamed++;
    found->bytes += g.size[i];
    if (!o->remove) continue;
    rc = eas_store_remove(store, &g.old[i], o->untouched_since_us, err);
    if (rc == EAS_ENOENT) rc = 0; /* another was faster */
    found->removed += rc > 0;
  }
  if (rc < 0) return rc;
  found->looked += g.looked;
  found->more = more;
  found->place = g.last;
  return 0;
}

/* --- turns --- */

static int sweep(eas_db *db, eas_store *store, const eas_conf *conf, const eas_chore *c, eas_gc_found *found,
                 eas_err *err)
{
  int others = eas_store_users(store, c->mark, err);
  if (others < 0) return others;
  if (others > 0) {
    eas_log(EAS_WARN,
            "gc: store '%s' is used by %d other database%s (its folder users/), so nothing is swept; remove the "
            "file of one that is gone",
            eas_store_where(store), others, others == 1 ? "" : "s");
    return 0;
  }
  eas_gc_options o = { .untouched_since_us = eas_store_now_us(store) - eas_conf_duration_us(conf, "gc_grace"),
                       .remove = 1 };
  found->more = eas_digest_parse(c->place, &found->place) >= 0;
  int rc = eas_gc_some(db, store, &o, found, err);
  if (rc >= 0 && !found->more) rc = eas_store_sweep_tmp(store, TMP_S * INT64_C(1000000), err);
  if (found->removed)
    eas_log(EAS_INFO, "gc: %lld object%s that no version or log names removed, %lld bytes", (long long)found->removed,
            found->removed == 1 ? "" : "s", (long long)found->bytes);
  return rc < 0 ? rc : 0;
}

int eas_gc_turn(eas_db *db, eas_store *store, const eas_conf *conf, int hurry, int64_t *next_us, eas_err *err)
{
  int64_t every = eas_conf_duration_us(conf, "gc_every"), began = eas_tick_us();
  eas_chore c = { 0 }, mine = { 0 };
  *next_us = LOOK_US;
  if (!store || every == 0) return 0;
  int rc = eas_chore_read(db, GC, &c, err);
  if (rc <= 0) return rc;
  if (c.due_at == 0) {
    rc = eas_chore_move(db, GC, &c, every, "", err);
    return rc < 0 ? rc : 0;
  }
  if (c.due_in_us > 0) {
    *next_us = c.due_in_us < LOOK_US ? c.due_in_us : LOOK_US;
    return 0;
  }
  rc = eas_chore_move(db, GC, &c, HOLD_US, c.place, err);
  if (rc > 0) rc = eas_chore_read(db, GC, &mine, err);
  if (rc <= 0 || mine.due_in_us <= 0) return rc < 0 ? rc : 0;

  eas_gc_found found = { 0 };
  char place[65] = "";
  rc = sweep(db, store, conf, &mine, &found, err);
  if (rc < 0) return rc;
  if (found.more) eas_digest_hex(&found.place, place);
  int64_t rest = REST * (eas_tick_us() - began);
  if (rest < LEAST_REST_US) rest = LEAST_REST_US;
  *next_us = hurry ? 0 : rest;
  if (!found.more) *next_us = every;
  rc = eas_chore_move(db, GC, &mine, *next_us, place, err);
  return rc < 0 ? rc : found.more;
}

int eas_gc_check(const eas_conf *conf, eas_err *err)
{
  int64_t grace = eas_conf_duration_us(conf, "gc_grace");
  if (eas_conf_duration_us(conf, "gc_every") == 0 || grace >= LEAST_GRACE_US) return 0;
  eas_fail(err, EAS_EINVAL, "gc_grace: at least 10 min is wanted, found '%s'", eas_conf_str(conf, "gc_grace"));
  return eas_hint(err, "a result is stored before its row is; gc_every: 0 s switches it off");
}

int eas_gc_join(eas_db *db, eas_store *store, eas_err *err)
{
  eas_chore c = { 0 };
  int rc = eas_chore_read(db, GC, &c, err);
  return rc <= 0 ? rc : eas_store_join(store, c.mark, err);
}
