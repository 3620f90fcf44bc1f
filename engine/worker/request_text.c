/* request_text.c: what a child is told (runner.h), as text. Every attempt needs it twice, so it is written out directly;
 * what is empty is left out. */
#include <stdlib.h>

#include "base/json.h"
#include "worker/inner.h"

static void name(eas_buf *b, const char *key)
{
  if (b->data[b->len - 1] != '{') eas_buf_char(b, ',');
  eas_json_add_str(b, key);
  eas_buf_char(b, ':');
}

static void add_str(eas_buf *b, const char *key, const char *s)
{
  if (!s || !*s) return;
  name(b, key);
  eas_json_add_str(b, s);
}

static void add_int(eas_buf *b, const char *key, int64_t x)
{
  name(b, key);
  eas_buf_printf(b, "%lld", (long long)x);
}

static void add_json(eas_buf *b, const char *key, const json_t *v)
{
  if (!v || json_is_null(v) || (json_is_object(v) && json_object_size(v) == 0)) return;
  name(b, key);
  eas_json_add(b, v);
}

static void open_object(eas_buf *b, const char *key)
{
  name(b, key);
  eas_buf_char(b, '{');
}

static void add_file(eas_buf *b, const eas_running *r, const char *kind, const eas_digest *digest, const char *filename,
                     const json_t *metadata)
{
  char *path = eas_store_path(r->w->o.store, digest);
  open_object(b, kind);
  add_str(b, "path", path);
  add_str(b, "filename", filename);
  add_json(b, "metadata", metadata);
  free(path);
}

static void add_inputs(eas_buf *b, const eas_running *r)
{
  if (r->claim.n_inputs == 0) return;
  open_object(b, "inputs");
  for (int i = 0; i < r->claim.n_inputs; i++) {
    const eas_claim_input *in = &r->claim.inputs[i];
    add_file(b, r, in->kind, &in->digest, in->filename, in->metadata);
    add_str(b, "directory", in->directory);
    add_int(b, "version", in->version);
    add_int(b, "size", in->size);
    eas_buf_char(b, '}');
  }
  eas_buf_char(b, '}');
}

static void add_outputs(eas_buf *b, const eas_running *r)
{
  if (r->claim.n_outputs == 0) return;
  open_object(b, "outputs");
  for (int i = 0; i < r->claim.n_outputs; i++) {
    open_object(b, r->claim.outputs[i].kind);
    add_str(b, "filename", r->claim.outputs[i].filename);
    eas_buf_char(b, '}');
  }
  eas_buf_char(b, '}');
}

static void add_made(eas_buf *b, const eas_running *r)
{
  if (r->n_made == 0) return;
  open_object(b, "made");
  for (int i = 0; i < r->n_made; i++) {
    const eas_made *m = &r->made[i];
    if (!m->stored) continue;
    add_file(b, r, m->kind, &m->digest, m->planned->filename, m->metadata);
    add_int(b, "size", m->size);
    eas_buf_char(b, '}');
  }
  eas_buf_char(b, '}');
}

static void add_last_lines(eas_buf *b, const eas_running *r)
{
  eas_log_entry last[50];
  int n = eas_logbuf_last(&r->log, 50, last);
  if (n == 0) return;
  name(b, "log");
  for (int i = 0; i < n; i++) {
    eas_buf_str(b, i == 0 ? "[{" : ",{");
    add_int(b, "level", last[i].level);
    name(b, "text");
    eas_json_add_str(b, last[i].text);
    eas_buf_char(b, '}');
  }
  eas_buf_char(b, ']');
}

static void add_qc(eas_buf *b, const eas_running *r)
{
  add_str(b, "ending", r->ending);
  if (r->error) {
    open_object(b, "error");
    name(b, "message");
    eas_json_add_str(b, r->error);
    add_str(b, "trace", r->trace);
    eas_buf_char(b, '}');
  }
  add_last_lines(b, r);
  add_made(b, r);
  add_json(b, "result", r->metadata);
  name(b, "wall_seconds");
  eas_buf_printf(b, "%lld.%06lld", (long long)(r->task_wall_us / 1000000), (long long)(r->task_wall_us % 1000000));
}

char *eas_request_text(const eas_running *r, int is_qc, size_t *len)
{
  const eas_claim *c = &r->claim;
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_reserve(&b, 1000);
  eas_buf_char(&b, '{');
  add_str(&b, "role", is_qc ? "qc" : "task");
  add_str(&b, "type", c->type);
  add_str(&b, "script", is_qc ? r->type->qc : r->type->script);
  add_int(&b, "attempt", c->attempt);
  add_int(&b, "task", c->task);
  add_int(&b, "job", c->job);
  add_int(&b, "number", c->number);
  add_str(&b, "job_name", c->job_name);
  add_str(&b, "task_name", c->task_name);
  add_str(&b, "working_directory", c->directory);
  add_json(&b, "description", r->description);
  add_json(&b, "metadata", c->metadata);
  add_json(&b, "requested_metadata", c->requested_metadata);
  add_int(&b, "seed", eas_task_seed(c));
  add_int(&b, "threads", r->cpus);
  add_int(&b, "memory_bytes", r->limits.memory_bytes);
  add_inputs(&b, r);
  add_outputs(&b, r);
  add_json(&b, "external", r->external);
  if (is_qc) add_qc(&b, r);
  eas_buf_char(&b, '}');
  *len = b.len;
  return eas_buf_take(&b);
}
