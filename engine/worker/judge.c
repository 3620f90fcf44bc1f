/* judge.c: what came of a process: frames, the ending of a task, the verdict of its QC. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "worker/fate.h"
#include "worker/inner.h"

enum { MADE_MAX = 10000, CHECKS_MAX = 1000 };

static const eas_claim_output *planned_output(const eas_running *r, const char *kind)
{
  for (int i = 0; i < r->claim.n_outputs; i++)
    if (strcmp(r->claim.outputs[i].kind, kind) == 0) return &r->claim.outputs[i];
  return NULL;
}

static eas_made *made_of(eas_running *r, const char *kind)
{
  for (int i = 0; i < r->n_made; i++)
    if (strcmp(r->made[i].kind, kind) == 0) return &r->made[i];
  return NULL;
}

static void add_made(eas_running *r, json_t *v)
{
  const char *kind = eas_json_str(v, "kind"), *file = eas_json_str(v, "file");
  if (!kind || !file || r->n_made >= MADE_MAX) return;
  eas_made *m = made_of(r, kind);
  if (!m) {
    r->made = eas_realloc(r->made, (size_t)(r->n_made + 1) * sizeof *r->made);
    m = &r->made[r->n_made++];
    memset(m, 0, sizeof *m);
    m->kind = eas_strdup(kind);
  } else { /* made again: the last one counts */
    free(m->file);
    free(m->problem);
    m->problem = NULL;
    json_decref(m->metadata);
  }
  m->file = eas_strdup(file);
  json_t *meta = json_object_get(v, "metadata");
  m->metadata = json_is_object(meta) ? json_incref(meta) : json_object();
  m->planned = planned_output(r, kind);
  eas_err err = { 0 };
  if (!m->planned)
    m->problem = eas_format("output '%s' is not among the task's outputs", kind);
  else if (eas_path_check_relative(file, &err) < 0)
    m->problem = eas_strdup(err.text);
}

static void set_text(char **field, const char *text)
{
  if (!text) return;
  free(*field);
  *field = eas_strdup(text);
}

static void take_error(eas_running *r, const json_t *v)
{
  const char *message = eas_json_str(v, "message"), *trace = eas_json_str(v, "trace"),
             *ending = eas_json_str(v, "ending");
  if (r->is_qc) {
    if (!r->reason) r->reason = eas_format("QC: %s", message ? message : "ended with an error");
    if (trace) eas_logbuf_add(&r->log, EAS_ERROR, trace, strlen(trace));
    return;
  }
  set_text(&r->error, message);
  set_text(&r->trace, trace);
  r->ending = ending ? eas_ending_word(ending) : eas_ending_of(message, "error");
}

static void take_product(eas_running *r, const json_t *v)
{
  eas_made *m = made_of(r, eas_json_str(v, "kind") ? eas_json_str(v, "kind") : "");
  if (!m) return;
  m->passed = json_is_true(json_object_get(v, "pass"));
  set_text(&m->reason, eas_json_str(v, "reason"));
}

static void task_event(eas_running *r, int type, json_t *v)
{
  if (type == EAS_EV_METADATA && json_is_object(v)) json_object_update(r->metadata, v);
  if (type == EAS_EV_OUTPUT && json_is_object(v)) add_made(r, v);
  if (type == EAS_EV_SPAWN && json_is_array(v)) {
    if (!r->spawn) r->spawn = json_array();
    json_array_extend(r->spawn, v);
  }
}

static void qc_event(eas_running *r, int type, json_t *v)
{
  if (type == EAS_EV_CHECK && json_array_size(r->checks) < CHECKS_MAX) json_array_append(r->checks, v);
  if (type == EAS_EV_PRODUCT) take_product(r, v);
  if (type == EAS_EV_VERDICT) {
    r->verdict_seen = 1;
    r->verdict_pass = json_is_true(json_object_get(v, "pass"));
    set_text(&r->reason, eas_json_str(v, "reason"));
  }
}

static const char *event_name(int type)
{
  return type == EAS_EV_METADATA ? "metadata (task:set)"
         : type == EAS_EV_OUTPUT ? "an output"
         : type == EAS_EV_SPAWN  ? "child tasks"
                                 : "an event";
}

void eas_running_event(eas_running *r, const eas_event_head *head, const char *payload)
{
  if (head->type == EAS_EV_LOG) {
    eas_logbuf_add(&r->log, head->level, payload, head->length);
    return;
  }
  if (head->type == EAS_EV_END) {
    r->p.ended = 1;
    return;
  }
  json_error_t why;
  json_t *v = json_loadb(payload, head->length, JSON_DECODE_ANY, &why);
  if (!v) { /* such as a text that is not UTF-8 */
    if (!r->is_qc && !r->ending) {
      r->ending = "error";
      r->error = eas_format("%s cannot be stored: %s", event_name(head->type), why.text);
    }
    r->p.events.garbage = 1;
    return;
  }
  if (head->type == EAS_EV_ERROR)
    take_error(r, v);
  else if (head->type == EAS_EV_DEBUG && r->debug_said)
    json_array_append(r->debug_said, v);
  else if (r->is_qc)
    qc_event(r, head->type, v);
  else
    task_event(r, head->type, v);
  json_decref(v);
}

/* The ending of a task's process, from what it said, how it died and what it was stopped for. */
static void decide_ending(eas_running *r)
{
  eas_fate fate;
  eas_fate_of(&r->p, r->group, &r->limits, r->ending, r->error, &fate);
  r->ending = fate.ending;
  if (fate.message) {
    if (r->error && strcmp(fate.ending, "error") != 0 && strcmp(fate.ending, "crashed") != 0) {
      char *both = eas_format("%s: %s", fate.message, r->error);
      free(r->error);
      r->error = both;
      free(fate.message);
    } else {
      free(r->error);
      r->error = fate.message;
    }
  }
}

/* Products that were named but cannot be had make an otherwise good task an error. */
static void check_outputs(eas_running *r)
{
  for (int i = 0; i < r->n_made; i++)
    if (r->made[i].problem && strcmp(r->ending, "ok") == 0) {
      r->ending = "error";
      set_text(&r->error, r->made[i].problem);
    }
}

void eas_running_task_over(eas_running *r)
{
  decide_ending(r);
  eas_child_done(&r->p.child);
  if (r->dropped || strcmp(r->ending, "cancelled") == 0) {
    set_text(&r->reason, "cancelled");
    eas_worker_finished(r);
    return;
  }
  check_outputs(r);
  if (r->error) eas_logbuf_add(&r->log, EAS_ERROR, r->error, strlen(r->error));
  eas_ingest_give(r->w, r);
}

static void judge_products(eas_running *r, int good)
{
  for (int i = 0; i < r->n_made; i++) {
    eas_made *m = &r->made[i];
    if (!good) m->passed = 0;
    if (!m->passed && !m->reason)
      m->reason = eas_strdup(m->problem ? m->problem : good ? "QC did not pass it" : "its attempt did not end well");
  }
}

/* An output that was planned and neither made nor optional. */
static char *missing_output(eas_running *r)
{
  for (int i = 0; i < r->claim.n_outputs; i++) {
    const char *kind = r->claim.outputs[i].kind;
    const eas_made *m = made_of(r, kind);
    if (m && m->problem) return eas_format("output '%s': %s", kind, m->problem);
    if (!m || !m->stored) return eas_format("output '%s' was not made", kind);
    if (!m->passed) return eas_format("%s: %s", kind, m->reason ? m->reason : "did not pass");
  }
  return NULL;
}

void eas_running_qc_over(eas_running *r)
{
  eas_fate fate;
  eas_fate_of(&r->p, r->group, &r->limits, NULL, NULL, &fate);
  eas_child_done(&r->p.child);
  int qc_ok = strcmp(fate.ending, "ok") == 0 && r->verdict_seen;
  int good = strcmp(r->ending, "ok") == 0;
  r->qc_broke = good && !qc_ok && strcmp(fate.ending, "error") != 0 && strcmp(fate.ending, "ok") != 0;
  if (!qc_ok && (!r->reason || r->p.stop_cause)) { /* what it was stopped for says more than what it said then */
    free(r->reason);
    r->reason = fate.message ? eas_format("QC: %s", fate.message) : eas_strdup("QC gave no verdict");
  }
  if (strcmp(fate.ending, "cancelled") == 0) r->ending = good ? "cancelled" : r->ending;
  free(fate.message);
  judge_products(r, good && qc_ok);
  if (!qc_ok) r->verdict_pass = 0;
  if (!good) {
    r->verdict_pass = 0;
    free(r->reason);
    r->reason = eas_strdup(r->error ? r->error : r->ending);
  } else if (r->verdict_pass) {
    char *missing = missing_output(r);
    if (missing) {
      r->verdict_pass = 0;
      free(r->reason);
      r->reason = missing;
    }
  }
  if (!r->verdict_pass && !r->reason) r->reason = eas_strdup("QC did not pass it");
  eas_worker_finished(r);
}

void eas_running_fail(eas_running *r, const char *ending, const char *message)
{
  r->ending = ending;
  r->verdict_pass = 0;
  set_text(&r->error, message);
  set_text(&r->reason, message);
  eas_logbuf_add(&r->log, EAS_ERROR, message, strlen(message));
  eas_worker_finished(r);
}
