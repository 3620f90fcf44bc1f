/* replay.h: one attempt once more, beside the engine: the same children, sandbox, limits (but wall time) and judgement, in a
 * folder with a store and scratch of its own. No database, no queue: nothing of it is recorded anywhere else.
 *
 *   FOLDER/store     copies of the inputs (their hashes checked), what the script makes
 *   FOLDER/scratch   its current folder, as it left it
 *   FOLDER/pack      edited scripts, if there are any: tasks_lua/TYPE.lua, qc_lua/TYPE.lua
 *   FOLDER/inputs, FOLDER/outputs   links by their names, for people
 * One thread; events come by eas_replay_step. Includes: model, store, sandbox, registry, base. */
#ifndef EAS_WORKER_REPLAY_H
#define EAS_WORKER_REPLAY_H
#include <jansson.h>
#include "base/conf.h"
#include "base/err.h"
#include "model/attempt.h"
#include "registry/registry.h"
#include "store/store.h"

typedef struct eas_replay eas_replay;
typedef struct {
  const eas_registry *registry;
  const eas_conf *conf;
  const char *const *packs;
  const eas_store *store; /* where the inputs are; only read */
  const char *folder;     /* exists; ours to fill */
} eas_replay_options;

/* Takes over *claim. EAS_EFORMAT: an input's bytes are not what they were; EAS_EINVAL: the type has no scripts here. */
int eas_replay_open(eas_replay **out, const eas_replay_options *o, eas_claim *claim, eas_err *err);
void eas_replay_close(eas_replay *p);

/* {"description", "metadata", "requested_metadata", "seed", "provenance" (of the code as it is now; null if the type has none),
 * "threads", "memory_bytes", "cpu_seconds", "processes", "script", "qc", "scratch", "inputs": {kind: path}, "layers"}. */
json_t *eas_replay_about(eas_replay *p);

/* What QC is to judge, if not a run of ours: an attempt as eas_view_attempt tells it, or what eas_replay_result gave. */
int eas_replay_recorded(eas_replay *p, const json_t *attempt, const eas_store *from, eas_err *err);

typedef struct {
  int is_qc;
  int threads; /* 0: as the attempt had */
  int debug;   /* 1: eas.debug() stops */
  int line;    /* of its script, where the debugger stops too; 0: none */
  int gdb; /* 1: before its script starts it says {"gdb": true} and waits for a line; it may be traced, without a CPU limit */
} eas_replay_start_options;
/* Starts the task script (its results so far are forgotten) or the QC script. EAS_EBUSY: one runs. */
int eas_replay_start(eas_replay *p, const eas_replay_start_options *o, eas_err *err);
/* Waits up to timeout_us for something. *out: {"over": bool, "log": [{level, text}], "debug": [...], "done", "total"}. */
int eas_replay_step(eas_replay *p, int64_t timeout_us, json_t **out, eas_err *err);
/* A line to the debugger. EAS_EBUSY: it does not read. */
int eas_replay_say(eas_replay *p, const char *line, eas_err *err);
/* The process that runs; 0: none does. */
pid_t eas_replay_pid(const eas_replay *p);
/* Asks the child to stop, the second time kills it. */
void eas_replay_stop(eas_replay *p);
/* {"ending", "error", "trace", "reason", "verdict" (after QC), "metadata", "checks", "outputs": [{kind, filename, file, size, sha256,
 * metadata, verdict, reason}], "wall_us", "cpu_us", "peak_kb"}. */
json_t *eas_replay_result(const eas_replay *p);

#endif
