/* finish.c: ended attempts wait some milliseconds for company, and are committed as a group. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/inner.h"

enum { GROUP_US = 3000, BUSY_GROUP_US = 30000, RETRY_US = 500 * 1000, GROUP_ROWS = 32 };

static void on_commit_timer(void *arg)
{
  eas_worker *w = arg;
  w->commit_timer = 0;
  eas_worker_commit_now(w);
}

void eas_worker_finished(eas_running *r)
{
  eas_worker *w = r->w;
  if (w->replayed) {
    w->replayed(r);
    return;
  }
  eas_running_release(r);
  if (eas_ingest_log(r)) {
    eas_worker_look(w);
    return;
  }
  if (eas_lanes_bring(r)) return;
  int64_t wall = eas_tick_us() - r->started_us;
  w->mean_us = w->mean_us > 0 ? 0.8 * w->mean_us + 0.2 * (double)wall : (double)wall;
  eas_list_remove(&w->running, r);
  if (r->dropped) {
    eas_running_free(r);
    eas_worker_look(w);
    return;
  }
  eas_list_add(&w->finished, r);
  eas_worker_look(w);
  int busy = w->n_waiting >= w->o.slots; /* there is enough to do: nobody waits for what this group makes ready */
  int alone = w->running.n == 0 && !w->waiting;
  if (w->finished.n >= GROUP_ROWS || alone) {
    eas_loop_cancel(w->o.loop, w->commit_timer);
    w->commit_timer = eas_loop_after(w->o.loop, 0, on_commit_timer, w);
  } else if (!w->commit_timer) {
    w->commit_timer = eas_loop_after(w->o.loop, busy ? BUSY_GROUP_US : GROUP_US, on_commit_timer, w);
  }
}

/* By the policy of its type and job. More memory than the machine gives helps nobody. */
static int again(const eas_running *r)
{
  const eas_policy *p = &r->claim.policy;
  unsigned kind = r->qc_broke ? EAS_RETRY_CRASHED : eas_policy_kind(r->ending, !r->verdict_pass);
  if (kind == EAS_RETRY_MEMORY && r->limits.memory_bytes >= r->w->memory_cap) return 0;
  return (p->kinds & kind) && r->claim.number - r->claim.n_lost < p->max_attempts;
}

static eas_result_version *versions_of(const eas_running *r, int *n)
{
  eas_result_version *list = eas_alloc((size_t)(r->n_made + 1) * sizeof *list);
  *n = 0;
  for (int i = 0; i < r->n_made; i++) {
    const eas_made *m = &r->made[i];
    if (!m->stored || !m->planned) continue;
    list[(*n)++] = (eas_result_version){ .product = m->planned->product,
                                         .digest = m->digest,
                                         .size = m->size,
                                         .verdict = m->passed ? "pass" : "fail",
                                         .reason = m->passed ? NULL : m->reason,
                                         .metadata = m->metadata };
  }
  return list;
}

static void to_result(eas_running *r, eas_result *out)
{
  int good = strcmp(r->ending, "ok") == 0 || strcmp(r->ending, "reused") == 0;
  int pass = good && r->verdict_pass;
  *out = (eas_result){ .attempt = r->claim.attempt,
                       .token = r->claim.token,
                       .ending = r->ending,
                       .verdict = pass ? "pass" : "fail",
                       .reason = pass ? NULL : r->reason,
                       .error = r->error,
                       .trace = r->trace,
                       .checks = json_array_size(r->checks) ? r->checks : NULL,
                       .prov_key = r->has_key && !r->spawn ? &r->key : NULL /* children are not reused */,
                       .metadata = json_object_size(r->metadata) ? r->metadata : NULL,
                       .reused = r->reused,
                       .wall_us = r->task_wall_us,
                       .cpu_us = r->cpu_us,
                       .peak_kb = r->peak_kb,
                       .usage = eas_usage_text(&r->usage),
                       .layers = r->layers,
                       .ran_us = r->was_slot >= 0 ? eas_tick_us() - r->started_us : 0,
                       .slot = r->was_slot,
                       .spawn = pass ? r->spawn : NULL,
                       .again = again(r),
                       .delay_us = eas_policy_delay(&r->claim.policy, r->claim.number - r->claim.n_lost) };
  if (r->type && r->type->reuse) { /* what is never reused needs no record of what it was made of */
    out->description = r->description;
    out->provenance = r->provenance;
  } else if (r->type && r->type->input_folder) { /* but for what came from outside: lineages begin there */
    out->description = r->description;
  }
  out->log = eas_logbuf_rest(&r->log, &out->n_log, &out->first_seq);
  out->whole_log = eas_logbuf_stored(&r->log);
  if (!r->reused) out->versions = versions_of(r, &out->n_versions);
}

/* People's links show the newest passed version; made after the commit, rebuilt by fsck. */
static void link_products(eas_running *r)
{
  for (int i = 0; i < r->n_made; i++) {
    const eas_made *m = &r->made[i];
    eas_err err = { 0 };
    if (m->stored && m->planned && m->passed &&
        eas_store_link(r->w->o.store, m->planned->directory, m->planned->filename, &m->digest, &err) < 0)
      eas_running_log(r, EAS_WARN, "link of %s: %s", m->planned->filename, err.text);
  }
}

static int commit_group(eas_worker *w, eas_running **group, int n, eas_err *err)
{
  eas_result *results = eas_alloc((size_t)n * sizeof *results);
  int n_other = 0;
  eas_committed made;
  for (int i = 0; i < n; i++) {
    to_result(group[i], &results[i]);
    if (group[i]->reused)
      results[i].versions = group[i]->reused_versions, results[i].n_versions = group[i]->n_reused_versions;
  }
  int64_t began = eas_tick_us();
  int rc = eas_attempt_commit(w->o.db, w->o.registry, w->id, results, n, &made, err);
  if (rc >= 0) eas_histogram_add(&w->tally.commit, eas_tick_us() - began);
  for (int i = 0; i < n; i++) {
    n_other += results[i].spawn != NULL;
    if (rc >= 0 && !results[i].stale && results[i].verdict[0] == 'p') link_products(group[i]);
    if (rc >= 0)
      eas_running_log(group[i], EAS_DEBUG, "ended %s, verdict %s, %s", results[i].ending, results[i].verdict,
                      results[i].stale ? "refused: it is not this worker's any more" : "committed");
    const eas_logbuf *l = &group[i]->log;
    if (rc >= 0 && !results[i].stale)
      eas_tally_ended(&w->tally, results[i].ending, results[i].verdict[0] == 'p',
                      (int64_t)(l->head_bytes + l->tail_bytes) + l->left_out_bytes);
    free((void *)(uintptr_t)results[i].log);
    if (!group[i]->reused) free((void *)(uintptr_t)results[i].versions);
  }
  free(results);
  if (rc < 0) return rc;
  w->ended += n;
  if (w->o.on_commit) w->o.on_commit(w->o.arg, n, made.n_ready, n_other + made.control);
  return 0;
}

static int is_its_own_fault(int rc)
{
  return rc == EAS_EFORMAT || rc == EAS_EINVAL || rc == EAS_ELIMIT;
}

/* What cannot be stored of one attempt (children that cannot be) is that attempt's error, and must not hold up others. */
static int commit_one(eas_worker *w, eas_running *r, eas_err *err)
{
  int rc = commit_group(w, &r, 1, err);
  if (!is_its_own_fault(rc)) return rc;
  free(r->error);
  free(r->reason);
  r->error = *err->hint ? eas_format("%s; %s", err->text, err->hint) : eas_strdup(err->text);
  r->reason = eas_strdup(r->error);
  r->ending = "error";
  r->verdict_pass = 0;
  json_decref(r->spawn);
  r->spawn = NULL;
  for (int i = 0; i < r->n_made; i++) {
    r->made[i].passed = 0;
    if (!r->made[i].reason) r->made[i].reason = eas_strdup("its attempt did not end well");
  }
  eas_logbuf_add(&r->log, EAS_ERROR, r->error, strlen(r->error));
  *err = (eas_err){ 0 };
  return commit_group(w, &r, 1, err);
}

void eas_worker_commit_now(eas_worker *w)
{
  while (w->finished.n > 0) {
    eas_err err = { 0 };
    int n = w->finished.n > EAS_GROUP_MAX ? EAS_GROUP_MAX : w->finished.n;
    int rc = commit_group(w, w->finished.list, n, &err), done = rc < 0 ? 0 : n;
    if (is_its_own_fault(rc))
      for (rc = 0; done < n && rc >= 0; done += rc >= 0) rc = commit_one(w, w->finished.list[done], &err);
    if (rc < 0 && w->killed) done = n; /* who takes over runs them again */
    for (int i = 0; i < done; i++) eas_running_free(w->finished.list[i]);
    w->finished.n -= done;
    memmove(w->finished.list, w->finished.list + done, (size_t)w->finished.n * sizeof *w->finished.list);
    const char *then = rc == EAS_ENOSPC
                           ? "; free some space: what has ended is kept, and stored as soon as there is room"
                           : "; the group is kept and tried again";
    if (rc < 0) eas_worker_warn(w, "commit", &err, w->killed ? "" : then);
    if (rc < 0 && !w->killed) {
      if (!w->commit_timer) w->commit_timer = eas_loop_after(w->o.loop, RETRY_US, on_commit_timer, w);
      return;
    }
  }
  eas_worker_look(w);
}

/* Nothing is run: the results of an attempt of another job are this one's too. */
void eas_running_reused(eas_running *r, const eas_reusable *found)
{
  r->ending = "reused";
  r->verdict_pass = 1;
  r->reused = found->attempt;
  json_decref(r->metadata);
  r->metadata = found->metadata ? json_deep_copy(found->metadata) : json_object();
  r->reused_versions = eas_alloc((size_t)(r->claim.n_outputs + 1) * sizeof *r->reused_versions);
  r->made = eas_alloc((size_t)(r->claim.n_outputs + 1) * sizeof *r->made);
  for (int i = 0; i < r->claim.n_outputs; i++)
    for (int k = 0; k < found->n_versions; k++) {
      const eas_claim_output *o = &r->claim.outputs[i];
      if (strcmp(found->kinds[k], o->kind) != 0) continue;
      eas_result_version *v = &r->reused_versions[r->n_reused_versions++];
      *v = found->versions[k];
      v->product = o->product;
      v->verdict = "pass";
      v->reason = NULL;
      v->metadata = json_deep_copy(found->versions[k].metadata);
      r->made[r->n_made++] = (eas_made){ .kind = eas_strdup(o->kind),
                                         .planned = o,
                                         .digest = v->digest,
                                         .size = v->size,
                                         .stored = 1,
                                         .passed = 1,
                                         .metadata = (json_t *)(uintptr_t)v->metadata };
      break;
    }
  r->started_us = eas_tick_us();
  eas_list_add(&r->w->running, r);
  eas_worker_finished(r);
}
