/* gc.c: see gc.h. */
#include "control/gc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
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
  LOOK_US = 600 * 1000 * 1000, /* others may have moved it */
  RETRY_US = 60 * 1000 * 1000
};

static const char GC[] = "gc";

/* --- some objects: looked at in the store, asked about in the database, removed from the store --- */

typedef struct {
  int64_t untouched_since, until;
  int looked, n;
  eas_digest last, old[EAS_GC_GROUP];
  int64_t size[EAS_GC_GROUP];
  int wanted[EAS_GC_GROUP];
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

/* found is of before: where to go on. 1: there are more. */
static int look(eas_store *store, group *g, int64_t untouched_since_us, const eas_gc_found *found, eas_err *err)
{
  g->looked = g->n = 0;
  g->untouched_since = untouched_since_us;
  g->until = eas_tick_us() + EAS_GC_WALK_US;
  return eas_store_walk(store, found->more ? &found->place : NULL, on_object, g, err);
}

static int clear(eas_store *store, const group *g, int remove, eas_gc_found *found, eas_err *err)
{
  for (int i = 0; i < g->n; i++) {
    if (g->wanted[i]) continue;
    found->unnamed++;
    found->bytes += g->size[i];
    if (!remove) continue;
    int rc = eas_store_remove(store, &g->old[i], g->untouched_since, err);
    if (rc < 0 && rc != EAS_ENOENT) return rc; /* ENOENT: another was faster */
    found->removed += rc > 0;
  }
  return 0;
}

int eas_gc_some(eas_db *db, eas_store *store, const eas_gc_options *o, eas_gc_found *found, eas_err *err)
{
  group g;
  int more = look(store, &g, o->untouched_since_us, found, err);
  int rc = more < 0 ? more : eas_fsck_wanted(db, g.old, g.n, g.wanted, err);
  if (rc >= 0) rc = clear(store, &g, o->remove, found, err);
  if (rc < 0) return rc;
  found->looked += g.looked;
  found->more = more;
  found->place = g.last;
  return 0;
}

/* --- turns: the steps that ask the store, which may be long in coming, and those that ask the database --- */

struct eas_gc {
  eas_gc_about o;
  int64_t timer;
  int fd, sweeping; /* sweeping: more is to be swept */
  pthread_t thread;
  int (*step)(eas_gc *gc); /* what the thread does; NULL: there is none */
  /* of a turn */
  eas_chore mine;
  int64_t began;
  int others, more;
  group g;
  eas_gc_found found;
  int rc;
  eas_err err;
};

/* 1: it is due, and this one's. */
static int take_turn(eas_gc *gc, int64_t *next_us, eas_err *err)
{
  int64_t every = eas_conf_duration_us(gc->o.conf, "gc_every");
  eas_chore c = { 0 };
  *next_us = LOOK_US;
  gc->began = eas_tick_us();
  gc->found = (eas_gc_found){ 0 };
  gc->more = 0;
  if (!gc->o.store || every == 0) return 0;
  int rc = eas_chore_read(gc->o.db, GC, &c, err);
  if (rc <= 0) return rc;
  if (c.due_at == 0) {
    if (every < LOOK_US) *next_us = every;
    rc = eas_chore_move(gc->o.db, GC, &c, every, "", err);
    return rc < 0 ? rc : 0;
  }
  if (c.due_in_us > 0) {
    *next_us = c.due_in_us < LOOK_US ? c.due_in_us : LOOK_US;
    return 0;
  }
  rc = eas_chore_move(gc->o.db, GC, &c, HOLD_US, c.place, err);
  if (rc > 0) rc = eas_chore_read(gc->o.db, GC, &gc->mine, err);
  return rc <= 0 || gc->mine.due_in_us <= 0 ? (rc < 0 ? rc : 0) : 1;
}

static int look_step(eas_gc *gc)
{
  gc->g.looked = gc->g.n = 0;
  gc->others = eas_store_users(gc->o.store, gc->mine.mark, &gc->err);
  if (gc->others != 0) return gc->others < 0 ? gc->others : 0;
  int64_t since = eas_store_now_us(gc->o.store) - eas_conf_duration_us(gc->o.conf, "gc_grace");
  gc->found.more = eas_digest_parse(gc->mine.place, &gc->found.place) >= 0;
  gc->more = look(gc->o.store, &gc->g, since, &gc->found, &gc->err);
  return gc->more < 0 ? gc->more : 0;
}

static int clear_step(eas_gc *gc)
{
  int rc = clear(gc->o.store, &gc->g, 1, &gc->found, &gc->err);
  if (rc == 0 && !gc->more && gc->others == 0)
    rc = eas_store_sweep_tmp(gc->o.store, TMP_S * INT64_C(1000000), &gc->err);
  return rc < 0 ? rc : 0;
}

static int ask(eas_gc *gc, eas_err *err)
{
  if (gc->others > 0)
    eas_log(EAS_WARN,
            "gc: store '%s' is used by %d other database%s (its folder users/), so nothing is swept; remove the "
            "file of one that is gone",
            eas_store_where(gc->o.store), gc->others, gc->others == 1 ? "" : "s");
  return eas_fsck_wanted(gc->o.db, gc->g.old, gc->g.n, gc->g.wanted, err);
}

/* > 0: the rest of the sweep is due after *next_us. */
static int end_turn(eas_gc *gc, int64_t *next_us, eas_err *err)
{
  char place[65] = "";
  if (gc->found.removed)
    eas_log(EAS_INFO, "gc: %lld object%s that no version or log names removed, %lld bytes",
            (long long)gc->found.removed, gc->found.removed == 1 ? "" : "s", (long long)gc->found.bytes);
  if (gc->more) eas_digest_hex(&gc->g.last, place);
  int64_t rest = REST * (eas_tick_us() - gc->began);
  if (rest < LEAST_REST_US) rest = LEAST_REST_US;
  *next_us = gc->o.hurry ? 0 : rest;
  if (!gc->more) *next_us = eas_conf_duration_us(gc->o.conf, "gc_every");
  int rc = eas_chore_move(gc->o.db, GC, &gc->mine, *next_us, place, err);
  return rc < 0 ? rc : gc->more;
}

int eas_gc_turn(eas_db *db, eas_store *store, const eas_conf *conf, int hurry, int64_t *next_us, eas_err *err)
{
  eas_gc gc = { .o = { .db = db, .store = store, .conf = conf, .hurry = hurry } };
  int rc = take_turn(&gc, next_us, err);
  if (rc <= 0) return rc;
  rc = look_step(&gc);
  if (rc < 0 && err) *err = gc.err;
  if (rc == 0) rc = ask(&gc, err);
  if (rc < 0) return rc;
  rc = clear_step(&gc);
  if (rc < 0 && err) *err = gc.err;
  return rc < 0 ? rc : end_turn(&gc, next_us, err);
}

/* --- beside a loop: a store that does not answer keeps nobody else waiting --- */

static void on_timer(void *arg);

static void *thread_main(void *arg)
{
  eas_gc *gc = arg;
  gc->rc = gc->step(gc);
  eventfd_write(gc->fd, 1);
  return NULL;
}

static int begin_step(eas_gc *gc, int (*step)(eas_gc *), eas_err *err)
{
  gc->err = (eas_err){ 0 };
  gc->step = step;
  int rc = pthread_create(&gc->thread, NULL, thread_main, gc);
  if (rc == 0) return 0;
  gc->step = NULL;
  return eas_fail(err, EAS_ENOMEM, "start a thread: %s", strerror(rc));
}

static void come_again(eas_gc *gc, int rc, int64_t next_us, const eas_err *err)
{
  if (rc < 0) eas_log(EAS_WARN, "gc: %s; trying again", err->text);
  gc->sweeping = rc > 0;
  gc->timer = eas_loop_after(gc->o.loop, rc < 0 ? RETRY_US : next_us, on_timer, gc);
}

static void on_timer(void *arg)
{
  eas_gc *gc = arg;
  eas_err err = { 0 };
  int64_t next_us = RETRY_US;
  gc->timer = 0;
  int rc = take_turn(gc, &next_us, &err);
  if (rc > 0) rc = begin_step(gc, look_step, &err) < 0 ? err.code : 1;
  if (rc <= 0) come_again(gc, rc, next_us, &err);
}

static void on_step(void *arg, int fd, uint32_t events)
{
  eas_gc *gc = arg;
  int (*was)(eas_gc *) = gc->step;
  eventfd_t n;
  int64_t next_us = RETRY_US;
  (void)events;
  if (eventfd_read(fd, &n) < 0 || !was) return;
  pthread_join(gc->thread, NULL);
  gc->step = NULL;
  int rc = gc->rc;
  eas_err err = gc->err;
  if (rc == 0 && was == look_step) {
    rc = ask(gc, &err);
    if (rc >= 0) rc = begin_step(gc, clear_step, &err);
    if (rc >= 0) return;
  }
  if (rc == 0) rc = end_turn(gc, &next_us, &err);
  come_again(gc, rc, next_us, &err);
}

int eas_gc_open(eas_gc **out, const eas_gc_about *o, eas_err *err)
{
  int rc = eas_gc_check(o->conf, err);
  if (rc < 0) return rc;
  eas_gc *gc = eas_alloc(sizeof *gc);
  gc->o = *o;
  gc->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  rc = gc->fd < 0 ? eas_fail(err, EAS_EIO, "eventfd: %s", strerror(errno))
                  : eas_loop_watch(o->loop, gc->fd, EPOLLIN, on_step, gc, err);
  if (rc < 0) {
    if (gc->fd >= 0) close(gc->fd);
    free(gc);
    return rc;
  }
  gc->timer = eas_loop_after(o->loop, 0, on_timer, gc);
  *out = gc;
  return 0;
}

int eas_gc_sweeping(const eas_gc *gc)
{
  return gc && (gc->sweeping || gc->step);
}

void eas_gc_close(eas_gc *gc)
{
  if (!gc) return;
  if (gc->step) {
    eas_store_stop(gc->o.store);
    pthread_join(gc->thread, NULL);
  }
  eas_loop_cancel(gc->o.loop, gc->timer);
  eas_loop_unwatch(gc->o.loop, gc->fd);
  close(gc->fd);
  free(gc);
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
