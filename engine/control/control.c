/* control.c: looks when somebody rang, works in slices, and sleeps until the next lease could be over. */
#include "control/control.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/gc.h"
#include "model/attempt.h"
#include "model/expand.h"
#include "model/job.h"

enum {
  SLICE_US = 50 * 1000, /* the loop has others to serve */
  FIRST_CHILDREN = 200,
  LEAST_CHILDREN = 20,
  LEAST_ON_SERVER = 200, /* where a transaction costs several round trips, however little is in it */
  MOST_CHILDREN = 5000,
  GROUP = 200, /* tasks skipped, attempts swept in a transaction */
  RESCUE_US = 1000 * 1000,
  LOOK_US = 30 * 1000 * 1000,
  RETRY_US = 100 * 1000,
  MOST_RETRY_US = 5000 * 1000
};

struct eas_control {
  eas_control_options o;
  int own_worker; /* registered here */
  int64_t lease_us;
  int64_t slice, rescue, renew; /* timers; 0: none */
  eas_gc *gc;                   /* the store is swept beside all that; NULL: not by this one */
  int again;                    /* 1: something rang while a slice was due */
  int working;                  /* 1: a slice is due */
  int rescue_due, first;
  int children;     /* of a transaction of expansion, so that it takes about half a slice */
  int64_t retry_us; /* back-off after an error */
  int64_t renewed_us;
};

static void run_slice(void *arg);
static void rescue_later(eas_control *c, int64_t delay_us);

static void ready(eas_control *c, int n)
{
  if (n > 0 && c->o.on_ready) c->o.on_ready(c->o.arg, n);
}

static int rescue(eas_control *c, eas_err *err)
{
  int n_ready = 0;
  int rc = eas_rescue(c->o.db, c->o.registry, c->first && c->o.embedded ? c->o.worker : 0, &n_ready, err);
  if (rc < 0) return rc;
  if (rc > 0) eas_log(EAS_WARN, "%d attempt%s of lost workers ended, to be tried again", rc, rc == 1 ? "" : "s");
  c->rescue_due = c->first = 0;
  ready(c, n_ready);
  return rc;
}

/* Keeps a transaction at about half a slice, whatever disk and machine. */
static void adapt(eas_control *c, int64_t took_us)
{
  if (took_us > SLICE_US * 4 / 5)
    c->children /= 2;
  else if (took_us < SLICE_US * 2 / 5)
    c->children = c->children * 3 / 2;
  int least = eas_db_kind(c->o.db) == EAS_DB_POSTGRES ? LEAST_ON_SERVER : LEAST_CHILDREN;
  if (c->children < least) c->children = least;
  if (c->children > MOST_CHILDREN) c->children = MOST_CHILDREN;
}

static int expand(eas_control *c, eas_err *err)
{
  eas_expand_options o = { .worker = c->o.worker,
                           .input_path = eas_conf_str(c->o.conf, "input_path"),
                           .max_children = c->children };
  eas_expanded made;
  int64_t started = eas_tick_us();
  int rc = eas_expand_some(c->o.db, c->o.registry, &o, &made, err);
  if (rc < 0) return rc;
  if (made.n_children >= c->children / 2 || made.n_parents >= c->children / 2) adapt(c, eas_tick_us() - started);
  ready(c, made.n_queued);
  if (eas_log_wanted(EAS_DEBUG) && made.n_parents + made.n_children > 0) {
    eas_log_context(made.job, 0, 0, NULL);
    eas_log_trace(made.trace_id);
    eas_log(EAS_DEBUG, "control: %d flow-control tasks ended, %d tasks made", made.n_parents, made.n_children);
    eas_log_context(0, 0, 0, NULL);
    eas_log_trace(NULL);
  }
  return made.n_parents + made.n_children + made.more;
}

/* Whoever registers rings nobody: a lease shorter than the usual look sets the pace. */
static int64_t alone_us(const eas_control *c)
{
  return c->lease_us > 0 && c->lease_us < LOOK_US ? c->lease_us : LOOK_US;
}

/* One transaction of whatever is first: > 0 when something was done, 0 when nothing is left. */
static int step(eas_control *c, eas_err *err)
{
  eas_due due;
  int n_ready = 0;
  int rc = c->rescue_due ? rescue(c, err) : 0;
  if (rc == 0) rc = expand(c, err);
  if (rc != 0) return rc;
  rc = eas_job_due(c->o.db, c->o.worker, &due, err);
  if (rc < 0) return rc;
  if (due.cancels) rc = eas_cancel_sweep(c->o.db, GROUP, err);
  if (rc == 0 && due.skips) rc = eas_skip_level(c->o.db, GROUP, err);
  if (rc > 0 && c->o.on_ready) c->o.on_ready(c->o.arg, 0); /* who looks on sees it */
  if (rc == 0 && due.gathers) {
    rc = eas_gather_some(c->o.db, GROUP, &n_ready, err);
    if (rc > 0) ready(c, n_ready);
  }
  if (rc == 0)
    rescue_later(c, !due.others                ? alone_us(c)
                    : due.lease_us < RESCUE_US ? RESCUE_US
                    : due.lease_us > LOOK_US   ? LOOK_US
                                               : due.lease_us);
  return rc;
}

static void slice_after(eas_control *c, int64_t delay_us)
{
  eas_loop_cancel(c->o.loop, c->slice);
  c->slice = eas_loop_after(c->o.loop, delay_us, run_slice, c);
}

/* A database that does not answer is asked again, later and later; it is said once. */
static void failed(eas_control *c, const eas_err *err)
{
  const char *then = err->code == EAS_ENOSPC ? "free some space: it goes on by itself" : "trying again";
  if (c->retry_us == 0) eas_log(EAS_ERROR, "control: %s; %s", err->text, then);
  c->retry_us = c->retry_us == 0 ? RETRY_US : c->retry_us * 2 > MOST_RETRY_US ? MOST_RETRY_US : c->retry_us * 2;
  c->working = 0;
  slice_after(c, c->retry_us);
}

static void run_slice(void *arg)
{
  eas_control *c = arg;
  eas_err err = { 0 };
  int64_t started = eas_tick_us();
  int rc;
  c->slice = 0;
  c->working = 1;
  c->again = 0;
  do {
    rc = step(c, &err);
  } while (rc > 0 && eas_tick_us() - started < SLICE_US / 2);
  if (rc < 0) {
    failed(c, &err);
    return;
  }
  c->retry_us = 0;
  c->working = rc > 0 || c->again;
  if (c->working) slice_after(c, 0); /* descriptors and other timers come in between */
}

void eas_control_look(eas_control *c)
{
  if (c->retry_us) return; /* a try is due anyway */
  if (c->working) {
    c->again = 1;
    return;
  }
  c->working = 1;
  slice_after(c, 0);
}

static void on_rescue(void *arg)
{
  eas_control *c = arg;
  c->rescue = 0;
  c->rescue_due = 1;
  rescue_later(c, LOOK_US);
  eas_control_look(c);
}

static void rescue_later(eas_control *c, int64_t delay_us)
{
  eas_loop_cancel(c->o.loop, c->rescue);
  c->rescue = eas_loop_after(c->o.loop, delay_us, on_rescue, c);
}

/* --- its own name, when no worker lends one --- */

static int register_self(eas_control *c, eas_err *err)
{
  char host[256] = "";
  const char *named = eas_conf_str(c->o.conf, "host");
  gethostname(host, sizeof host - 1);
  eas_worker_info info = {
    .host = named && *named ? named : host, .pid = getpid(), .slots = 0, .version = EAS_VERSION, .lease_us = c->lease_us
  };
  return eas_worker_register(c->o.db, &info, &c->o.worker, err);
}

static void on_renew(void *arg)
{
  eas_control *c = arg;
  eas_err err = { 0 };
  int rc = eas_worker_renew(c->o.db, c->o.worker, c->lease_us, &err);
  if (rc == EAS_ESTALE) rc = register_self(c, &err); /* it slept too long: a new name */
  if (rc < 0)
    eas_log(EAS_WARN, "control: %s", err.text);
  else
    c->renewed_us = eas_tick_us();
  c->renew = eas_loop_after(c->o.loop, eas_conf_duration_us(c->o.conf, "lease_renew"), on_renew, c);
}

int eas_control_open(eas_control **out, const eas_control_options *o, eas_err *err)
{
  eas_gc *gc = NULL;
  if (o->store) {
    eas_gc_about about = { .loop = o->loop, .db = o->db, .store = o->store, .conf = o->conf, .hurry = o->once };
    int rc = eas_gc_open(&gc, &about, err);
    if (rc < 0) return rc;
  }
  eas_control *c = eas_alloc(sizeof *c);
  c->o = *o;
  c->gc = gc;
  c->children = FIRST_CHILDREN;
  c->rescue_due = c->first = 1;
  c->lease_us = eas_conf_duration_us(o->conf, "lease");
  if (!o->worker) {
    int rc = register_self(c, err);
    if (rc < 0) {
      eas_gc_close(gc);
      free(c);
      return rc;
    }
    c->own_worker = 1;
    c->renewed_us = eas_tick_us();
    c->renew = eas_loop_after(o->loop, eas_conf_duration_us(o->conf, "lease_renew"), on_renew, c);
  }
  rescue_later(c, RESCUE_US);
  *out = c;
  return 0;
}

int eas_control_once(eas_control *c, eas_err *err)
{
  int rc;
  do {
    rc = step(c, err);
  } while (rc > 0);
  return rc;
}

int eas_control_idle(const eas_control *c)
{
  return !c->working && !(c->o.once && eas_gc_sweeping(c->gc));
}

int64_t eas_control_renewed_us(const eas_control *c)
{
  return c->renewed_us;
}

void eas_control_close(eas_control *c)
{
  if (!c) return;
  eas_loop_cancel(c->o.loop, c->slice);
  eas_loop_cancel(c->o.loop, c->rescue);
  eas_loop_cancel(c->o.loop, c->renew);
  eas_gc_close(c->gc);
  if (c->own_worker) eas_worker_end(c->o.db, c->o.worker, NULL);
  free(c);
}
