/* expand_plan.h: what a task object of a list means, before anything is stored: shared by check and expansion.
 *
 * Faults go to a list of problems with their place in the document; `dry` goes on after one, an expansion stops.
 * Private to engine/model. */
#ifndef EAS_MODEL_EXPAND_PLAN_H
#define EAS_MODEL_EXPAND_PLAN_H
#include <jansson.h>
#include <stdint.h>
#include "expr/expr.h"
#include "model/job.h"
#include "registry/registry.h"

typedef enum { EAS_FLOW_NONE, EAS_FLOW_CHAIN, EAS_FLOW_FOR, EAS_FLOW_WHILE, EAS_FLOW_IF } eas_flow;
eas_flow eas_flow_of(const char *type); /* EAS_FLOW_NONE: no flow control */
const char *eas_flow_name(eas_flow f);  /* "execution_chain" ... */

typedef struct {
  const eas_registry *registry;
  eas_expr_scope scope;
  int dry;     /* 1: a check */
  int guessed; /* > 0: values are stand-ins, so that wrong types mean nothing (dry) */
  const char *input_path;
  eas_problems *problems;
} eas_plan;

/* Adds a problem at path + suffix ("" or ".inputs.lightcurve"). */
void eas_plan_fault(eas_plan *p, const char *path, const char *suffix, int key, const char *fix, const char *format,
                    ...) __attribute__((format(printf, 6, 7)));
/* Adds what an evaluation told: err and info as eas_expr_value left them. */
void eas_plan_expr_fault(eas_plan *p, const char *path, const char *suffix, int key, const eas_expr_info *info,
                         const eas_err *err);
/* Evaluates a value at path + suffix; NULL when it cannot be (a problem was added) or is not known yet (*unknown set). */
json_t *eas_plan_value(eas_plan *p, const json_t *v, const char *path, const char *suffix, int *unknown);
/* "object", "string" ... of a JSON value. */
const char *eas_plan_kind(const json_t *v);
/* ".name", or ["odd name"]; caller frees. */
char *eas_plan_step(const char *before, const char *key);

typedef struct {
  char *kind;     /* semantic type */
  char *filename; /* NULL: not known before it runs (dry) */
  char *suffix;   /* ".inputs.lightcurve", place below the item; only when dry */
} eas_plan_file;

typedef struct {
  const json_t *entry;
  const eas_task_type *type; /* NULL: not known (dry) */
  eas_flow flow;
  char *name;              /* NULL: none */
  char *directory, *label; /* NULL: inherited */
  eas_plan_file *inputs, *outputs;
  int n_inputs, n_outputs;
  char **needs; /* names of requires_metadata_from */
  int n_needs;
  char **gathers; /* names of requires_done */
  int n_gathers;
  int64_t least;        /* of their children that must have passed, in millionths */
  const json_t *replay; /* {seed, metadata} of a run that is to be repeated, or NULL; stands in entry */
} eas_plan_item;

/* Evaluates what is evaluated when a chain is expanded (prototype_spec.md section 2.2). Returns problems added. */
int eas_plan_read_item(eas_plan *p, const json_t *entry, const char *path, eas_plan_item *out);
void eas_plan_item_done(eas_plan_item *item);

/* Unknown fields and missing ones of a flow-control object, or of the job itself (is_job). */
void eas_plan_check_fields(eas_plan *p, eas_flow flow, int is_job, const json_t *entry, const char *path);

/* 1 if an unknown field of a for loop was meant to give its values. */
int eas_plan_range_misspelt(const json_t *entry);

typedef struct {
  char *parameter;
  enum { EAS_LOOP_VALUES, EAS_LOOP_LINEAR, EAS_LOOP_LOG, EAS_LOOP_FILES } kind;
  int64_t n;
  int whole; /* linear_range of integers */
  double start, stop;
  json_t *list; /* values, files */
  int unknown;  /* dry: some values are not known yet */
} eas_plan_loop;

/* Evaluates a loop's parameter and values. files: names relative to the input folder, or `recorded` if not NULL.
 * Returns 0, or -1 when problems were added. */
int eas_plan_read_loop(eas_plan *p, const json_t *entry, const char *path, const json_t *recorded, eas_plan_loop *out);
json_t *eas_plan_loop_value(const eas_plan_loop *l, int64_t i); /* new reference */
/* The loop's own metadata at i: parameter, parameter_index and, of files, parameter_name. */
json_t *eas_plan_loop_metadata(const eas_plan_loop *l, int64_t i);
void eas_plan_loop_done(eas_plan_loop *l);

/* Names below folder that match a glob, sorted by bytes, folders left out. NULL: err. */
json_t *eas_plan_glob(const char *folder, const char *pattern, eas_err *err);

#endif
