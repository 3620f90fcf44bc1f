/* expand.h: flow control: chains, loops and conditions become child tasks, in bulk, without a process.
 *
 * All of a parent is evaluated before anything is inserted; a child is unique by (parent, ordinal); at most
 * 10 000 children a transaction, with a cursor in the parent, many small parents in one. Deepest first; held
 * while a job has 100 000 queued attempts. Paused and cancelled jobs are left alone (the job row is locked). */
#ifndef EAS_MODEL_EXPAND_H
#define EAS_MODEL_EXPAND_H
#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#include "base/trace.h"
#include "db/db.h"
#include "registry/registry.h"

typedef struct {
  int64_t worker;         /* who expands: attempts name it */
  const char *input_path; /* for `files:` */
  int max_children;       /* per call; 0: 10 000 */
} eas_expand_options;

typedef struct {
  int n_parents;  /* flow-control attempts ended in this call */
  int n_children; /* tasks created */
  int n_failed;   /* flow-control tasks that could not be expanded (recorded with their error) */
  int n_queued;   /* attempts that became queued, flow control among them */
  int more;       /* 1: call again soon */
  int64_t job;    /* of all these */
  char trace_id[EAS_TRACE_ID];
} eas_expanded;

/* One transaction of expansion. Attempts that became queued are committed with it; ring after. */
int eas_expand_some(eas_db *db, const eas_registry *r, const eas_expand_options *o, eas_expanded *out, eas_err *err);

/* Metadata a task sees: its ancestors' values overlaid by its own, root first. New reference. */
int eas_task_metadata(eas_db *db, int64_t task, json_t **out, eas_err *err);

/* Inside the caller's open transaction: children that a task made with task:spawn. items is a list of task objects; they are
 * stored as a document { "task_list": items } of their own; node paths are "spawn:<document>[i]", the place $.task_list[i] of that
 * document. Evaluated and checked like a chain's;
 * EAS_EFORMAT, and nothing inserted, when one of them is wrong. *n_queued: attempts born queued. */
int eas_expand_spawn(eas_db *db, const eas_registry *r, int64_t parent, int64_t attempt, const json_t *items,
                     int *n_queued, eas_err *err);

#endif
