/* replay_tell.c: what a replay is and gave, as JSON; and what another gave, for QC to judge. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "worker/fate.h"
#include "worker/replay_own.h"

static json_t *input_paths(const eas_running *r)
{
  json_t *all = json_object();
  for (int i = 0; i < r->claim.n_inputs; i++) {
    char *path = eas_store_path(r->w->o.store, &r->claim.inputs[i].digest);
    json_object_set_new(all, r->claim.inputs[i].kind, json_string(path));
    free(path);
  }
  return all;
}

json_t *eas_replay_about(eas_replay *p)
{
  eas_running *r = p->r;
  json_t *layers = json_array();
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if (p->w->use & (1u << i)) json_array_append_new(layers, json_string(eas_layer_name(1 << i)));
  return json_pack("{s:O,s:O,s:O,s:I,s:O?,s:i,s:I,s:I,s:i,s:s,s:s,s:s,s:o,s:o,s:s}", "description", r->description,
                   "metadata", r->claim.metadata, "requested_metadata", r->claim.requested_metadata, "seed",
                   (json_int_t)eas_task_seed(&r->claim), "provenance", r->provenance, "threads", r->cpus,
                   "memory_bytes", (json_int_t)r->limits.memory_bytes, "cpu_seconds", (json_int_t)r->limits.cpu_s,
                   "processes", r->limits.processes, "script", p->type.script, "qc", p->type.qc, "scratch",
                   r->scratch ? r->scratch : p->w->scratch_root, "inputs", input_paths(r), "layers", layers, "folder",
                   p->folder);
}

static json_t *output_json(const eas_running *r, const eas_made *m)
{
  char hex[65] = "", *path = m->stored ? eas_store_path(r->w->o.store, &m->digest) : NULL;
  if (m->stored) eas_digest_hex(&m->digest, hex);
  json_t *v = json_pack("{s:s,s:s?,s:s?,s:I,s:s?,s:O?,s:s?,s:s?}", "kind", m->kind, "filename",
                        m->planned ? m->planned->filename : NULL, "path", path, "size", (json_int_t)m->size, "sha256",
                        m->stored ? hex : NULL, "metadata", m->metadata, "verdict",
                        r->is_qc ? (m->passed ? "pass" : "fail") : NULL, "reason", m->problem ? m->problem : m->reason);
  free(path);
  return v;
}

json_t *eas_replay_result(const eas_replay *p)
{
  const eas_running *r = p->r;
  json_t *outputs = json_array();
  for (int i = 0; i < r->n_made; i++) json_array_append_new(outputs, output_json(r, &r->made[i]));
  return json_pack("{s:s?,s:s?,s:s?,s:s?,s:s?,s:O,s:O,s:o,s:I,s:I,s:I}", "ending", r->ending, "error", r->error,
                   "trace", r->trace, "reason", r->reason, "verdict",
                   r->is_qc && !p->running ? (r->verdict_pass ? "pass" : "fail") : NULL, "metadata", r->metadata,
                   "checks", r->checks, "outputs", outputs, "wall_us", (json_int_t)r->task_wall_us, "cpu_us",
                   (json_int_t)r->cpu_us, "peak_kb", (json_int_t)r->peak_kb);
}

static char *copy_text(const json_t *v, const char *key)
{
  const char *s = eas_json_str(v, key);
  return s ? eas_strdup(s) : NULL;
}

static int add_output(eas_replay *p, const json_t *v, const eas_store *from, eas_err *err)
{
  eas_running *r = p->r;
  const char *kind = eas_json_str(v, "kind"), *hex = eas_json_str(v, "sha256");
  eas_digest digest;
  if (!kind || !hex || eas_digest_parse(hex, &digest) < 0) return 0;
  const eas_claim_output *planned = NULL;
  for (int i = 0; i < r->claim.n_outputs; i++)
    if (strcmp(r->claim.outputs[i].kind, kind) == 0) planned = &r->claim.outputs[i];
  if (!planned) return 0;
  int rc = eas_replay_copy(p, from, &digest, err);
  if (rc < 0) return eas_err_prefix(err, "output %s", kind);
  r->made = eas_realloc(r->made, (size_t)(r->n_made + 1) * sizeof *r->made);
  json_t *metadata = json_object_get(v, "metadata");
  r->made[r->n_made++] = (eas_made){ .kind = eas_strdup(kind),
                                     .file = eas_strdup(planned->filename),
                                     .metadata = json_is_object(metadata) ? json_incref(metadata) : json_object(),
                                     .planned = planned,
                                     .digest = digest,
                                     .size = eas_json_int(v, "size", 0),
                                     .stored = 1 };
  return 0;
}

int eas_replay_recorded(eas_replay *p, const json_t *attempt, const eas_store *from, eas_err *err)
{
  const char *ending = eas_json_str(attempt, "ending");
  if (!ending) return eas_fail(err, EAS_EINVAL, "the attempt has not ended");
  eas_replay_begin(p);
  eas_running *r = p->r;
  r->ending = strcmp(ending, "ok") == 0 || strcmp(ending, "reused") == 0 ? "ok" : eas_ending_word(ending);
  r->error = copy_text(attempt, "error");
  r->trace = copy_text(attempt, "trace");
  json_t *metadata = json_object_get(attempt, "metadata");
  if (json_is_object(metadata)) json_object_update(r->metadata, metadata);
  r->task_wall_us = eas_json_int(attempt, "wall_us", 0);
  size_t i;
  json_t *v;
  json_array_foreach(json_object_get(attempt, "outputs"), i, v)
  {
    int rc = add_output(p, v, from, err);
    if (rc < 0) return rc;
  }
  return 0;
}
