/* start.c: claims what free slots can start, and starts children. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "worker/fate.h"
#include "worker/inner.h"
#include "worker/scratch.h"

enum { LONG_US = 1000 * 1000, WARN_AGAIN_US = 60 * 1000 * 1000 };
enum { AHEAD_US = 50 * 1000 }; /* claim what can be started within this time */

void eas_list_add(eas_run_list *l, eas_running *r)
{
  if (l->n == l->cap) {
    l->cap = l->cap ? 2 * l->cap : 64;
    l->list = eas_realloc(l->list, (size_t)l->cap * sizeof *l->list);
  }
  l->list[l->n++] = r;
}

void eas_list_remove(eas_run_list *l, const eas_running *r)
{
  for (int i = 0; i < l->n; i++)
    if (l->list[i] == r) {
      l->list[i] = l->list[--l->n];
      return;
    }
}

eas_running *eas_running_new(eas_worker *w, eas_claim *claim)
{
  eas_running *r = eas_alloc(sizeof *r);
  r->w = w;
  r->claim = *claim;
  memset(claim, 0, sizeof *claim); /* moved */
  r->type = eas_registry_type(w->o.registry, r->claim.type);
  r->slot = r->was_slot = -1;
  eas_logbuf_init(&r->log, r->claim.attempt, &w->log_sink);
  r->p.child.pidfd = r->p.child.events = r->p.child.output = r->p.child.errors = -1;
  r->metadata = json_object();
  r->checks = json_array();
  return r;
}

static void free_made(eas_running *r)
{
  for (int i = 0; i < r->n_made; i++) {
    free(r->made[i].kind);
    free(r->made[i].file);
    free(r->made[i].problem);
    free(r->made[i].reason);
    json_decref(r->made[i].metadata);
  }
  free(r->made);
}

void eas_running_free(eas_running *r)
{
  if (!r) return;
  eas_running_release(r);
  free_made(r);
  free(r->scratch);
  free(r->error);
  free(r->trace);
  free(r->reason);
  free(r->ingest_error);
  free(r->transfer_error);
  eas_store_unpin(r->pins, r->n_pins);
  free(r->pins);
  free(r->reused_versions);
  json_decref(r->description);
  json_decref(r->provenance);
  json_decref(r->external);
  json_decref(r->metadata);
  json_decref(r->checks);
  json_decref(r->spawn);
  json_decref(r->debug);
  json_decref(r->debug_said);
  eas_logbuf_done(&r->log);
  eas_usage_done(&r->usage);
  eas_event_reader_done(&r->p.events);
  eas_buf_done(&r->p.out);
  eas_buf_done(&r->p.err);
  eas_claims one = { .list = eas_alloc(sizeof r->claim), .n = 1 };
  one.list[0] = r->claim;
  eas_claims_done(&one);
  free(r);
}

/* An attempt that takes several CPUs holds as many slots; the first names it. */
static int take_slots(eas_running *r)
{
  eas_worker *w = r->w;
  if (w->o.slots - w->busy < r->cpus) return 0;
  int left = r->cpus;
  for (int i = 0; i < w->o.slots && left > 0; i++) {
    if (w->slots[i]) continue;
    if (r->slot < 0) r->slot = r->was_slot = i;
    w->slots[i] = r;
    left--;
  }
  w->busy += r->cpus;
  r->group = w->groups[r->slot];
  return 1;
}

static int make_scratch(eas_running *r, eas_err *err);

void eas_running_release(eas_running *r)
{
  eas_worker *w = r->w;
  if (r->slot < 0) return;
  if (r->n_made > 0 || r->task_wall_us > LONG_US)
    make_scratch(r, NULL); /* what is big should not lie there until the next */
  for (int i = 0; i < w->o.slots; i++)
    if (w->slots[i] == r) w->slots[i] = NULL;
  w->busy -= r->cpus;
  r->slot = -1;
}

int eas_worker_zygote(eas_worker *w, eas_err *err)
{
  if (w->zygote && !w->zygote_dirty) return 0;
  if (w->zygote) {
    while (w->asked.n > 0) eas_worker_answer(w); /* it owes these */
    eas_loop_unwatch(w->o.loop, eas_zygote_fd(w->zygote));
    eas_zygote_stop(w->zygote);
    w->zygote = NULL;
  }
  eas_zygote_options z = { .probe = &w->probe,
                           .use = w->use,
                           .packs = w->o.packs,
                           .data_dir = w->data_root,
                           .scratch_root = w->scratch_root,
                           .store_root = eas_store_root(w->o.store),
                           .input_root = eas_worker_input_root(w),
                           .exec_path = (const char *const *)w->exec_path,
                           .require = (int)w->require };
  int rc = eas_zygote_start(&w->zygote, &z, err);
  if (rc < 0) return rc;
  w->zygote_dirty = 0;
  w->zygotes++;
  rc = eas_worker_watch_zygote(w, err);
  if (rc >= 0) eas_worker_ask_again(w);
  return rc;
}

static int make_scratch(eas_running *r, eas_err *err)
{
  if (!r->scratch) r->scratch = eas_scratch_path(r->w->scratch_root, r->w->first_id, r->slot);
  return eas_scratch_fresh(r->scratch, r->w->use & EAS_LAYER_UID ? eas_slot_uid(r->slot) : (uid_t)-1,
                           &r->w->marks[r->slot], err);
}

static const char **readable(const eas_running *r)
{
  const json_t *files = json_object_get(r->external, "files");
  const char **list = eas_alloc(((size_t)(r->claim.n_inputs + r->n_made + 1) + json_array_size(files)) * sizeof *list);
  int n = 0;
  for (size_t i = 0; i < json_array_size(files); i++)
    list[n++] = eas_strdup(eas_json_str(json_array_get(files, i), "path"));
  for (int i = 0; i < r->claim.n_inputs; i++) list[n++] = eas_store_path(r->w->o.store, &r->claim.inputs[i].digest);
  for (int i = 0; i < r->n_made; i++)
    if (r->made[i].stored) list[n++] = eas_store_path(r->w->o.store, &r->made[i].digest);
  return list;
}

/* Asks the zygote; its answer comes to eas_worker_answers. */
int eas_running_spawn(eas_running *r, int is_qc, eas_err *err)
{
  eas_worker *w = r->w;
  r->is_qc = is_qc;
  int rc = eas_worker_zygote(w, err);
  if (rc >= 0) rc = make_scratch(r, err);
  if (rc >= 0 && r->debug) rc = eas_replay_pipe(r, err);
  if (rc < 0) return rc;
  if (is_qc && !w->replayed && r->limits.wall_ms > 600000) r->limits.wall_ms = 600000;
  size_t len = 0;
  if (r->type->input_folder && !r->external) eas_running_external(r);
  char *request = eas_request_packed(r, is_qc, &len);
  const char **inputs = readable(r);
  eas_spawn s = { .slot = r->slot,
                  .scratch = r->scratch,
                  .readable = inputs,
                  .limits = r->limits,
                  .request = request,
                  .request_len = len,
                  .group = r->group,
                  .pipes = eas_pipes_lend(w, r->slot) };
  if (r->group) eas_slot_group_set(r->group, &r->limits, NULL);
  rc = eas_zygote_ask(w->zygote, &s, &r->p.child, err);
  if (rc == EAS_ECONNECT) { /* the zygote is gone: a new one, once */
    w->zygote_dirty = 1;
    rc = eas_worker_zygote(w, err);
    s.pipes = NULL;
    if (rc >= 0) rc = eas_zygote_ask(w->zygote, &s, &r->p.child, err);
  }
  for (int i = 0; inputs[i]; i++) free((void *)(uintptr_t)inputs[i]);
  free((void *)(uintptr_t)inputs);
  free(request);
  if (rc < 0) return rc;
  r->pid_ns = (eas_zygote_layers(w->zygote) & EAS_LAYER_PID_NS) != 0;
  r->asked_us = eas_tick_us();
  eas_list_add(&w->asked, r);
  return 0;
}

/* A passed attempt of another job with the same key has these results already. */
static int try_reuse(eas_running *r)
{
  eas_reusable found;
  memset(&found, 0, sizeof found);
  if (!r->has_key || r->claim.rerun || eas_attempt_reusable(r->w->o.db, r->claim.job, &r->key, &found, NULL) != 1)
    return 0;
  int ok = 1;
  for (int i = 0; i < r->claim.n_outputs && ok; i++) {
    int have = 0;
    for (int k = 0; k < found.n_versions; k++)
      have |= strcmp(found.kinds[k], r->claim.outputs[i].kind) == 0 &&
              eas_store_expects(r->w->o.store, &found.versions[k].digest);
    ok = have;
  }
  if (ok) eas_running_reused(r, &found);
  eas_reusable_done(&found);
  return ok;
}

/* Starts a claimed attempt; what cannot be started ends at once, with the reason. */
static void start(eas_running *r)
{
  eas_err err = { 0 };
  eas_worker *w = r->w;
  r->started_us = eas_tick_us();
  eas_list_add(&w->running, r);
  if (!r->type || !r->type->script || !r->type->qc) {
    eas_running_fail(r, "error", "this worker has no script for the type");
    return;
  }
  if (r->transfer_rc < 0)
    eas_running_fail(r, "error", r->transfer_error);
  else if (eas_running_spawn(r, 0, &err) < 0)
    eas_running_fail(r, eas_ending_of(err.text, "crashed"), err.text); /* no fault of its script */
}

void eas_worker_wait(eas_worker *w, eas_running *r)
{
  r->next = NULL;
  *w->waiting_tail = r;
  w->waiting_tail = &r->next;
  w->n_waiting++;
}

static eas_running *pop_waiting(eas_worker *w)
{
  eas_running *r = w->waiting;
  w->waiting = r->next;
  if (!w->waiting) w->waiting_tail = &w->waiting;
  r->next = NULL;
  w->n_waiting--;
  return r;
}

/* Looked at before it gets a slot. 1: it needs none: it failed, was reused, or waits for its inputs. */
static int settle_before(eas_running *r)
{
  eas_err err = { 0 };
  eas_worker *w = r->w;
  if (r->description || !r->type || !r->type->script || !r->type->qc) return 0;
  if (eas_running_prepare(r, &err) < 0) {
    pop_waiting(w);
    eas_list_add(&w->running, r);
    r->started_us = eas_tick_us();
    eas_running_fail(r, "error", err.text);
    return 1;
  }
  if (!try_reuse(r) && (!w->lanes || r->fetched || r->claim.n_inputs == 0)) return 0;
  pop_waiting(w);
  if (!r->reused) eas_lanes_fetch(r);
  return 1;
}

static void start_waiting(eas_worker *w)
{
  while (w->waiting && (w->busy < w->o.slots || (w->lanes && !w->waiting->fetched))) {
    eas_running *r = w->waiting;
    if (settle_before(r)) continue;
    if (r->cpus == 0) r->cpus = 1;
    if (!take_slots(r)) break;
    start(pop_waiting(w));
  }
}

static int how_many(const eas_worker *w)
{
  int free_slots = w->o.slots - w->busy;
  double ahead = w->mean_us > 0 ? AHEAD_US / w->mean_us * w->o.slots : 0;
  int n = free_slots + (ahead > EAS_CLAIM_MAX ? EAS_CLAIM_MAX : (int)ahead) - w->n_waiting - eas_lanes_fetching(w)->n;
  return n > EAS_CLAIM_MAX ? EAS_CLAIM_MAX : n;
}

/* What is tried again and again is told once, and then every minute that it lasts. */
void eas_running_log(const eas_running *r, int level, const char *format, ...)
{
  if (!eas_log_wanted(level)) return;
  va_list ap;
  va_start(ap, format);
  char *text = NULL;
  if (vasprintf(&text, format, ap) < 0) text = NULL;
  va_end(ap);
  eas_log_context(r->claim.job, r->claim.task, r->claim.attempt, r->claim.type);
  eas_log_trace(r->claim.trace_id);
  eas_log(level, "%s", text ? text : format);
  eas_log_context(0, 0, 0, NULL);
  eas_log_trace(NULL);
  free(text);
}

void eas_worker_warn(eas_worker *w, const char *what, const eas_err *err, const char *then)
{
  int64_t now = eas_tick_us();
  if (strncmp(w->warned, err->text, sizeof w->warned - 1) == 0 && now - w->warned_us < WARN_AGAIN_US) return;
  snprintf(w->warned, sizeof w->warned, "%.*s", (int)sizeof w->warned - 1, err->text);
  w->warned_us = now;
  eas_log(EAS_WARN, "%s: %s%s", what, err->text, then);
}

void eas_worker_fill(eas_worker *w)
{
  w->look_queued = 0;
  if (w->killed) return;
  if (!eas_worker_has_room(w)) {
    eas_worker_look_in(w, 1000000);
    return;
  }
  start_waiting(w);
  while (!w->draining && w->busy < w->o.slots && !w->waiting) {
    int n = how_many(w);
    if (n <= 0) break;
    eas_claims claims = { 0 };
    eas_err err = { 0 };
    int64_t next_us = 0, began = eas_tick_us();
    int rc = eas_attempt_claim(w->o.db, w->o.registry, w->id, w->o.types, n, &claims, &next_us, &err);
    if (rc == EAS_ESTALE) {
      eas_worker_start_over(w);
      return;
    }
    if (rc < 0) {
      eas_worker_warn(w, "claim", &err, rc == EAS_ENOSPC ? "; free some space: it goes on by itself" : "");
      eas_worker_hand_back_unknown(w);
      eas_worker_look_in(w, 1000000);
      return;
    }
    for (int i = 0; i < claims.n; i++) eas_worker_wait(w, eas_running_new(w, &claims.list[i]));
    eas_histogram_add(&w->tally.claim, eas_tick_us() - began);
    w->tally.claims++;
    w->tally.claimed += claims.n;
    int got = claims.n;
    free(claims.list);
    if (got == 0) {
      if (next_us > 0) eas_worker_look_in(w, next_us);
      break;
    }
    start_waiting(w);
  }
}
