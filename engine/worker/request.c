/* request.c: from a claim to what a child is told: the evaluated description, limits, the provenance key. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "expr/expr.h"
#include "worker/code.h"
#include "worker/inner.h"

enum { RESULT_NUMBER = 1 }; /* raised when the engine itself would make other results from the same inputs */
#define SEED_BITS 53

static const char *const RAW[] = { "task_list", "else_task_list", "repeat_criterion", "replay", NULL };

/* Keys of an entry that name things: they do not change what is computed, so they are not part of the key. */
static const char *const NAMES[] = { "task",
                                     "name",
                                     "job_name",
                                     "working_directory",
                                     "outputs",
                                     "requires_metadata_from",
                                     "requires_metadata_from_child",
                                     "requires_done",
                                     "requires_passed_fraction",
                                     NULL };

int64_t eas_task_seed(const eas_claim *c)
{
  return (int64_t)(c->seed >> (64 - SEED_BITS));
}

static void add_json(eas_hasher *h, const json_t *v)
{
  char *s = v ? eas_json_canonical(v) : NULL;
  eas_hasher_add_str(h, s);
  free(s);
}

static json_t *without_names(const json_t *description)
{
  json_t *copy = json_copy((json_t *)(uintptr_t)description);
  for (int i = 0; NAMES[i]; i++) json_object_del(copy, NAMES[i]);
  return copy;
}

static json_t *inputs_for_key(const eas_claim *c)
{
  json_t *all = json_object();
  for (int i = 0; i < c->n_inputs; i++) {
    char hex[65];
    eas_digest_hex(&c->inputs[i].digest, hex);
    json_object_set_new(all, c->inputs[i].kind,
                        json_pack("{s:s,s:O?}", "digest", hex, "metadata", c->inputs[i].metadata));
  }
  return all;
}

static json_t *output_kinds(const eas_claim *c)
{
  json_t *kinds = json_object();
  for (int i = 0; i < c->n_outputs; i++) json_object_set_new(kinds, c->outputs[i].kind, json_true());
  return kinds;
}

/* DESIGN.md section 13, provenance key. */
static int make_key(eas_running *r, eas_err *err)
{
  json_t *files = NULL;
  eas_digest code;
  int rc = eas_code_digest(r->w->o.packs, r->w->code, r->type, &files, &code, err);
  if (rc < 0) return rc;
  json_t *settings = without_names(r->description), *inputs = inputs_for_key(&r->claim),
         *kinds = output_kinds(&r->claim);
  eas_hasher *h = eas_hasher_new();
  char number[32], hex[65];
  snprintf(number, sizeof number, "%d", RESULT_NUMBER);
  eas_digest_hex(&code, hex);
  eas_hasher_add_str(h, r->claim.type);
  add_json(h, settings);
  add_json(h, kinds);
  add_json(h, r->claim.metadata);
  add_json(h, r->claim.requested_metadata);
  add_json(h, inputs);
  eas_hasher_add_str(h, hex);
  eas_hasher_add_str(h, number);
  if (r->type->random) eas_hasher_add(h, &r->claim.seed, sizeof r->claim.seed);
  eas_hasher_end(h, &r->key);
  r->has_key = r->type->reuse;
  r->provenance = json_pack("{s:o,s:O,s:O,s:i,s:I}", "code", files, "settings", settings, "inputs", inputs,
                            "result_number", RESULT_NUMBER, "seed", (json_int_t)eas_task_seed(&r->claim));
  json_object_set_new(r->provenance, "simd", json_string(eas_simd_name()));
  if (json_object_size(r->claim.metadata)) json_object_set(r->provenance, "metadata", r->claim.metadata);
  if (json_object_size(r->claim.requested_metadata))
    json_object_set(r->provenance, "requested", r->claim.requested_metadata);
  json_decref(settings);
  json_decref(inputs);
  json_decref(kinds);
  return 0;
}

static void make_limits(eas_running *r)
{
  const eas_worker *w = r->w;
  int64_t memory = (int64_t)(r->type->memory_gb * 1073741824.0);
  for (int i = 0; i < r->claim.n_memory && memory < w->memory_cap; i++) memory *= 2;
  if (memory <= 0 || memory > w->memory_cap) memory = w->memory_cap;
  r->cpus = (int)ceil(r->type->cpu);
  if (r->cpus < 1) r->cpus = 1;
  if (r->cpus > w->o.slots) r->cpus = w->o.slots;
  int64_t disk = eas_conf_bytes(w->o.conf, "scratch_limit"), file = (int64_t)16 << 30;
  if (disk > 0 && disk < file) file = disk;
  /* All threads it was given, busy until the wall limit, use this much CPU time; more means more threads. */
  int64_t cpu_s = (r->type->timeout_ms + 999) / 1000 * r->cpus + 1;
  r->limits = (eas_limits){ .wall_ms = r->type->timeout_ms,
                            .cpu_s = cpu_s,
                            .memory_bytes = memory,
                            .file_bytes = file,
                            .disk_bytes = disk,
                            .processes = 64 + r->cpus,
                            .files = 256,
                            .cpus = r->cpus };
}

int eas_running_prepare(eas_running *r, eas_err *err)
{
  make_limits(r);
  if (r->claim.problem) return eas_fail(err, EAS_EFORMAT, "%s", r->claim.problem);
  eas_expr_scope scope = { .metadata = r->claim.metadata,
                           .requested_metadata = r->claim.requested_metadata,
                           .seed = r->claim.seed,
                           .prototype_names = r->claim.compat };
  char where[512];
  int rc = eas_expr_tree(r->claim.entry, RAW, &scope, &r->description, where, sizeof where, NULL, err);
  if (rc < 0) return eas_err_prefix(err, "%s", where);
  json_object_del(r->description, "replay"); /* scripts and keys see what it stands for */
  return r->type->reuse ? make_key(r, err) : 0;
}
