/* registry.h: task types and containers, from one or more XML files.
 *
 * The prototype's files are read unchanged; a task may add timeout, max_attempts, max_losses, retry, retry_delay,
 * max_running, memory_gb, cpu, random, reuse, input_folder, program, description. Validated by registry.xsd (built in; file and line in errors). Includes: base/ only. */
#ifndef EAS_REGISTRY_REGISTRY_H
#define EAS_REGISTRY_REGISTRY_H
#include <stdint.h>
#include "base/err.h"

typedef struct {
  const char *name;
  double cpu, gpu, memory_gb;
  const char *file;
  int line;
} eas_container;

/* What may be tried again: how an attempt ended; QC: it ended well, and its QC failed it. */
enum {
  EAS_RETRY_LOST = 1,
  EAS_RETRY_CRASHED = 2,
  EAS_RETRY_TIMEOUT = 4,
  EAS_RETRY_CPU = 8,
  EAS_RETRY_MEMORY = 16, /* with twice the memory each time, up to what the container has */
  EAS_RETRY_DISK = 32,
  EAS_RETRY_PROCESSES = 64,
  EAS_RETRY_ERROR = 128,
  EAS_RETRY_QC = 256,
  EAS_RETRY_DEFAULT = EAS_RETRY_LOST | EAS_RETRY_CRASHED | EAS_RETRY_TIMEOUT | EAS_RETRY_MEMORY | EAS_RETRY_DISK,
  EAS_RETRY_DELAY_MS = 500,
  EAS_MAX_LOSSES = 5
};
unsigned eas_retry_kind(const char *word); /* "crashed" -> EAS_RETRY_CRASHED; 0: no such word */
const char *eas_retry_kinds(void);         /* all words, divided by blanks */

typedef struct {
  const char *name;
  const char *description;       /* "" if none */
  const char *const *containers; /* names, NULL-terminated; "all" is expanded */
  int64_t timeout_ms;            /* default 24 h */
  int max_attempts;              /* default 3; those lost with their worker are not counted */
  int max_losses;                /* default 5: a task that took so many workers along is quarantined */
  unsigned retry;                /* EAS_RETRY_...: which endings are tried again */
  int64_t retry_delay_ms;        /* back-off before the second attempt, doubles; default 0.5 s */
  int max_running;               /* attempts of this type at once, over all workers; 0: no limit */
  double memory_gb;              /* default: the largest of its containers */
  double cpu;                    /* default 1 */
  int random;                    /* the seed is part of the provenance key */
  int reuse;                     /* default 1; null, error, ingest: 0 */
  const char *program;           /* that it runs (task:exec) and the configuration must name; NULL: none */
  const char *program_path;      /* where that is; NULL: not configured */
  int input_folder;              /* its setting input_path names files of the input folder, which it may read */
  int flow;                      /* one of the four execution_* types: no scripts, expanded by control */
  const char *script;            /* absolute path of TYPE.lua, NULL if there is none (and for flow) */
  const char *qc;                /* absolute path of the QC script, NULL if there is none */
  const char *pack;              /* folder of the pack it came from */
  const char *file;
  int line; /* where in the XML */
} eas_task_type;

typedef struct eas_registry eas_registry;

/* Reads <pack>/registry/ *.xml of every pack (NULL-terminated, the core first); later packs add,
 * duplicates are an error that names both places. Scripts are looked for in <pack>/tasks_lua, qc_lua. */
int eas_registry_open(eas_registry **out, const char *const *packs, eas_err *err);
void eas_registry_close(eas_registry *r);
const eas_task_type *eas_registry_type(const eas_registry *r, const char *name); /* NULL: none */
const eas_task_type *eas_registry_types(const eas_registry *r, int *n);          /* by name */
const eas_container *eas_registry_container(const eas_registry *r, const char *name);
const eas_container *eas_registry_containers(const eas_registry *r, int *n);
/* Another limit of attempts at once for a type (the configuration's); EAS_ENOENT: no such type. */
int eas_registry_set_max_running(eas_registry *r, const char *type, int max_running, eas_err *err);

/* Where a program is that types name by <program>. EAS_ENOENT if none does. */
int eas_registry_set_program(eas_registry *r, const char *program, const char *path, eas_err *err);
const char *eas_registry_nearest(const eas_registry *r, const char *name); /* NULL: none near */
/* 0 when the type can be used; else err says which script is missing, and where it was looked for. */
int eas_registry_usable(const eas_registry *r, const eas_task_type *t, eas_err *err);
/* 0 when it can be used here and now: its program, if it has one, is configured, too. */
int eas_registry_runnable(const eas_registry *r, const eas_task_type *t, eas_err *err);

#endif
