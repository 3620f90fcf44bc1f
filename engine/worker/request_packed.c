/* request_packed.c: what a child is told (runner.h). Every attempt needs it twice, so it is written out directly; what is
 * empty is left out. */
#include <stdlib.h>

#include "base/pack.h"
#include "worker/inner.h"

static void add_str(eas_pack *p, const char *key, const char *s)
{
  if (s && *s) eas_pack_str(p, key, s);
}

static void add_json(eas_pack *p, const char *key, const json_t *v)
{
  if (v && !json_is_null(v) && !(json_is_object(v) && json_object_size(v) == 0)) eas_pack_json(p, key, v);
}

static eas_pack begin_file(eas_pack *all, const eas_running *r, const char *kind, const eas_digest *digest,
                           const char *filename, const json_t *metadata)
{
  char *path = eas_store_path(r->w->o.store, digest);
  eas_pack file = eas_pack_inside(all, kind, EAS_PACK_OBJECT);
  add_str(&file, "path", path);
  add_str(&file, "filename", filename);
  add_json(&file, "metadata", metadata);
  free(path);
  return file;
}

static void add_inputs(eas_pack *p, const eas_running *r)
{
  if (r->claim.n_inputs == 0) return;
  eas_pack all = eas_pack_inside(p, "inputs", EAS_PACK_OBJECT);
  for (int i = 0; i < r->claim.n_inputs; i++) {
    const eas_claim_input *in = &r->claim.inputs[i];
    eas_pack file = begin_file(&all, r, in->kind, &in->digest, in->filename, in->metadata);
    add_str(&file, "directory", in->directory);
    eas_pack_int(&file, "version", in->version);
    eas_pack_int(&file, "size", in->size);
    eas_pack_end(&file);
  }
  eas_pack_end(&all);
}

static void add_outputs(eas_pack *p, const eas_running *r)
{
  if (r->claim.n_outputs == 0) return;
  eas_pack all = eas_pack_inside(p, "outputs", EAS_PACK_OBJECT);
  for (int i = 0; i < r->claim.n_outputs; i++) {
    eas_pack one = eas_pack_inside(&all, r->claim.outputs[i].kind, EAS_PACK_OBJECT);
    add_str(&one, "filename", r->claim.outputs[i].filename);
    eas_pack_end(&one);
  }
  eas_pack_end(&all);
}

static void add_made(eas_pack *p, const eas_running *r)
{
  if (r->n_made == 0) return;
  eas_pack all = eas_pack_inside(p, "made", EAS_PACK_OBJECT);
  for (int i = 0; i < r->n_made; i++) {
    const eas_made *m = &r->made[i];
    if (!m->stored) continue;
    eas_pack file = begin_file(&all, r, m->kind, &m->digest, m->planned->filename, m->metadata);
    eas_pack_int(&file, "size", m->size);
    eas_pack_end(&file);
  }
  eas_pack_end(&all);
}

static void add_last_lines(eas_pack *p, const eas_running *r)
{
  eas_log_entry last[50];
  int n = eas_logbuf_last(&r->log, 50, last);
  if (n == 0) return;
  eas_pack all = eas_pack_inside(p, "log", EAS_PACK_LIST);
  for (int i = 0; i < n; i++) {
    eas_pack line = eas_pack_inside(&all, NULL, EAS_PACK_OBJECT);
    eas_pack_int(&line, "level", last[i].level);
    eas_pack_str(&line, "text", last[i].text);
    eas_pack_end(&line);
  }
  eas_pack_end(&all);
}

static void add_qc(eas_pack *p, const eas_running *r)
{
  add_str(p, "ending", r->ending);
  if (r->error) {
    eas_pack error = eas_pack_inside(p, "error", EAS_PACK_OBJECT);
    eas_pack_str(&error, "message", r->error);
    add_str(&error, "trace", r->trace);
    eas_pack_end(&error);
  }
  add_last_lines(p, r);
  add_made(p, r);
  add_json(p, "result", r->metadata);
  eas_pack_real(p, "wall_seconds", (double)r->task_wall_us / 1e6);
}

char *eas_request_packed(const eas_running *r, int is_qc, size_t *len)
{
  const eas_claim *c = &r->claim;
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_reserve(&b, 1000);
  eas_pack p = eas_pack_begin(&b, EAS_PACK_OBJECT);
  add_str(&p, "role", is_qc ? "qc" : "task");
  add_str(&p, "type", c->type);
  add_str(&p, "script", is_qc ? r->type->qc : r->type->script);
  eas_pack_int(&p, "attempt", c->attempt);
  eas_pack_int(&p, "task", c->task);
  eas_pack_int(&p, "job", c->job);
  eas_pack_int(&p, "number", c->number);
  add_str(&p, "job_name", c->job_name);
  if (*c->trace_id) {
    char parent[EAS_TRACEPARENT];
    eas_traceparent(c->trace_id, c->attempt, parent);
    add_str(&p, "traceparent", parent);
  }
  add_str(&p, "task_name", c->task_name);
  add_str(&p, "working_directory", c->directory);
  add_json(&p, "description", r->description);
  add_json(&p, "metadata", c->metadata);
  add_json(&p, "requested_metadata", c->requested_metadata);
  eas_pack_int(&p, "seed", eas_task_seed(c));
  eas_pack_int(&p, "threads", r->cpus);
  eas_pack_int(&p, "memory_bytes", r->limits.memory_bytes);
  add_inputs(&p, r);
  add_outputs(&p, r);
  add_json(&p, "external", r->external);
  add_str(&p, "program", r->type->program_path);
  add_json(&p, "debug", r->debug);
  if (is_qc) add_qc(&p, r);
  eas_pack_end(&p);
  *len = b.len;
  return eas_buf_take(&b);
}
