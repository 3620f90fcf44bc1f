/* view.h: what people ask: answers as JSON, from counters and by keyed pages; reads only.
 *
 * What `--json` prints is what these return; tables and text are drawn from the same. Ids are strings with their
 * letter ("j3", "t418", "a533", "p77", "v91"); stamps are microseconds UTC. */
#ifndef EAS_MODEL_VIEW_H
#define EAS_MODEL_VIEW_H
#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#include "base/trace.h"
#include "db/db.h"
#include "registry/registry.h"

typedef struct {
  int64_t job; /* 0: none yet */
  char name[128];
  char trace_id[EAS_TRACE_ID];                                                  /* "": older than these */
  char state[16];                                                               /* active paused cancelled */
  int64_t created_at, done_at;                                                  /* done_at 0: not done */
  int64_t waiting, queued, running, passed, reused, failed, skipped, cancelled; /* all tasks */
  int64_t work_total, work_done, work_failed;                                   /* without flow control */
  int n_types;
  struct {
    char type[64];
    int flow;
    int64_t waiting, queued, running, passed, reused, failed, skipped, cancelled, wall_us, ended;
  } types[64];
} eas_job_counts;

/* Counters of one job: constant cost. */
int eas_view_counts(eas_db *db, int64_t job, eas_job_counts *out, eas_err *err);

/* Metadata text of the newest accepted attempt that is no flow control; one column. Returns the number of rows. */
int eas_task_last_metadata(eas_db *db, eas_rows **out, eas_err *err);
/* Results: work tasks of a job whose accepted attempt has metadata, in order of id, after task `after`; type NULL: all.
 * *out: list of {task, type, parameters: {loop variables}, result: {metadata of the attempt}}; at most limit (0: 1000). */
int eas_view_results(eas_db *db, int64_t job, const char *type, int64_t after, int limit, json_t **out, eas_err *err);

/* Maps of what searches found of what is known to be there (outcome PASS of PASS and FAIL), over the loop variables: {columns,
 * rows: {name, label of the loop or null, values, edges: if the cells are ranges}, or null; averaged: names of other variables
 * that vary; panels: [{type, where: {variable: value} of variables with few values, n, found, alias, open, failed, found_credible,
 * false_alarms: missed but credible, no_truth, no_truth_credible, cells: [row][column] of {n: ended with a known truth, found,
 * alias: missed, at a multiple of the period, open: not ended, failed} or null}]}. Reads all searches of the job. Returns the
 * number of panels; 0: nothing was searched. */
int eas_view_recovery(eas_db *db, int64_t job, json_t **out, eas_err *err);

/* 1 when the job's root is done: what a running command asks after each commit. */
int eas_view_job_done(eas_db *db, int64_t job, eas_err *err);

/* --- lists (newest first unless said); each row's ids carry their letter --- */
int eas_view_jobs(eas_db *db, int limit, json_t **out, eas_err *err);
/* {active, slots, busy, list: [{worker, host, pid, slots, container, version, running, beat_at, lease_until}]} */
int eas_view_workers(eas_db *db, json_t **out, eas_err *err);

/* Over all jobs: {types: [{type, waiting ... cancelled, ended, startable: queued in active jobs}], workers: [{worker,
 * container, slots, running, lease_us: until its lease is over}]}; control is a worker without slots. */
int eas_view_load(eas_db *db, json_t **out, eas_err *err);
/* Which containers are needed now: [{container, types: [that wait], queued: slots that what waits could fill, workers, slots,
 * busy, missing}]. A worker without a container counts for each; what runs in several counts for each. */
int eas_view_needed(eas_db *db, const eas_registry *r, json_t **out, eas_err *err);

/* How far a question over many rows has come. */
typedef void eas_view_seen(void *arg, int64_t n);

typedef struct {
  int64_t job, task, attempt; /* 0: any */
  const char *type, *state;   /* NULL: any */
  const char *trace_id;       /* log lines: of the jobs of this trace, beside which task and attempt are 0 */
  int level;                  /* log lines: at least */
  int64_t since_us;           /* 0: ever; a stamp */
  int64_t after;              /* keyed paging: the last id seen */
  int group;                  /* failures: 1.. as listed; 0: all */
  int limit;                  /* 0: all */
  const json_t *where;        /* pages of tasks: {loop variable: value}, or NULL; numbers are equal to nine digits */
  eas_view_seen *seen;        /* timings: told the tasks looked at so far; NULL: nobody asks */
  void *seen_arg;
} eas_view_filter;

/* Failures of tasks decided failed, by kind, type and cause: {n, kind, type, message, first, last, attempt, task}. */
int eas_view_errors(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);
/* Tasks of one such group (f->group, as eas_view_errors orders them): list of {task, type, attempts,
 * attempt, message, ended_at}. */
int eas_view_error_tasks(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);
/* Log lines, oldest first: {at, level, attempt, task, type, text}. */
int eas_view_logs(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);
/* Products: {product, task, job, directory, filename, kind, version, size, verdict, created_at, sha256, versions}. */
int eas_view_files(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);
/* Tasks by state: {task, type, state, parameters, attempts, kind, reason}. */
int eas_view_tasks(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);

/* Attempts, newest first, with who holds those that run: {attempt, task, job, type, number, state, ending, verdict, wall_us,
 * worker, host, slot, lease_us: until that worker's lease is over, reason}. state: queued, running or ended; limit 0: 100. */
int eas_view_attempts(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);

/* Attempts that ran, flow control apart, by type, most CPU first: {type, n, wall_median_us, wall_p95_us, wall_max_us, wall_us:
 * sum, cpu_us: sum, queued_median_us, queued_p99_us, peak_kb: most}. Reads all of them. */
int eas_view_timings(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);
/* The same, a row each, by task: {attempt, task, type, number, ending, verdict, started_at, wall_us, cpu_us, peak_kb, queued_us,
 * host, parameters}. f->after: a task. */
int eas_view_runs(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);

/* Of each type of work the newest attempt that passed: {type, n: that passed, attempt, layers, reused, host, version: of eas,
 * provenance or null}. */
int eas_view_samples(eas_db *db, int64_t job, json_t **out, eas_err *err);

/* Tasks decided failed: {task, type, provenance of the last attempt}. */
int eas_view_failed(eas_db *db, int64_t job, json_t **out, eas_err *err);

/* --- one thing --- */
/* {task, job, job_name, type, name, state, done, pending, parent, attempts: [...], inputs, needs, waits, outputs, metadata, open_children, failed_children} */
int eas_view_task(eas_db *db, int64_t task, json_t **out, eas_err *err);
/* All of an attempt: {attempt, task, ..., ending, verdict, reason, error, trace, checks, inputs, outputs, metadata, description, later}.
 * log: SHA-256 of the object with its whole log, if log_line has not all of it; log_bytes, log_lines: how much is in it;
 * log_left_out: lines that came when it was full. */
int eas_view_attempt(eas_db *db, int64_t attempt, json_t **out, eas_err *err);
/* What stands at the same place in the job that this one was made from (else the newest earlier one of its name): {job, task,
 * state, attempt, ending, provenance, key}, of the attempt that really ran; only {job} if there is no such task.
 * 1: *out is set, 0: there is no such job. */
int eas_view_origin(eas_db *db, int64_t task, json_t **out, eas_err *err);
/* The document of the newest job with this name, and its id: 1 found, 0 none. */
int eas_view_document(eas_db *db, const char *name, int64_t *job, json_t **doc, eas_err *err);
int eas_view_root(eas_db *db, int64_t job, int64_t *task, eas_err *err);
/* Children of a task, by ordinal: {task, type, name, state, done, children, open_children, failed_children, metadata}. */
int eas_view_children(eas_db *db, int64_t task, int64_t after_ordinal, int limit, json_t **out, eas_err *err);
/* Of these only such that failed, have failed ones below them, or run. */
int eas_view_children_noted(eas_db *db, int64_t task, int64_t after_ordinal, int limit, json_t **out, eas_err *err);
/* Of a product (is_version 0) or version: as eas_view_files, with all versions. */
int eas_view_file(eas_db *db, int64_t id, int is_version, json_t **out, eas_err *err);

/* Attempts that a version comes from, makers before users, as eas_view_attempt has them (the one that ran, of reused ones), and
 * of each input "from": the place of its maker in the list, needs: [{name, from}], metadata_seen. Returns how many. */
int eas_view_lineage(eas_db *db, int64_t version, json_t **out, eas_err *err);
/* The job whose tasks are those of a lineage, each with its recorded settings, seed and metadata. *files: {version: name of the
 * file in that job}. EAS_EINVAL: what cannot be made again alone, and why. */
int eas_lineage_job(const json_t *lineage, const char *name, json_t **job, json_t **files, eas_err *err);

#endif
