/* job.h: job files: reading, checking as a whole, submitting. */
#ifndef EAS_MODEL_JOB_H
#define EAS_MODEL_JOB_H
#include <jansson.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/trace.h"
#include "db/db.h"
#include "registry/registry.h"

typedef struct {
  char *file; /* as the user gave it */
  char *text; /* JSON text; of a Lua job: the returned table as JSON */
  size_t len;
  json_t *doc; /* object */
  int is_lua;  /* no line and column then */
} eas_jobfile;

/* Turns a Lua job file into JSON text (caller frees); given by the program that embeds Lua. */
typedef char *eas_lua_job_fn(void *arg, const char *path, eas_err *err);

/* Reads a job file, or a text that is called name in messages: .json, or .lua by lua (NULL: none is read). *out is the
 * caller's. EAS_EIO, EAS_EFORMAT with line and column. */
int eas_jobfile_load(eas_jobfile **out, const char *path, eas_lua_job_fn *lua, void *arg, eas_err *err);
int eas_jobfile_parse(eas_jobfile **out, const char *name, const char *text, size_t len, eas_err *err);
void eas_jobfile_free(eas_jobfile *f); /* NULL is fine */
/* A copy with values set: overrides is the JSON text of an object, path -> value ("task_list[0].duration" or with "$."
 * before it; the last name may be new). What --set gives; eas_job_submit does it too. Has no lines and columns. */
int eas_jobfile_override(eas_jobfile **out, const eas_jobfile *f, const char *overrides, eas_err *err);

typedef struct {
  char *path;     /* "$.task_list[0].inputs.lightcurve" */
  int key;        /* 1: the key is meant, not its value */
  int offset;     /* bytes into the string value (an expression's column - 1) */
  int length;     /* of the caret line */
  int expression; /* 1: say "column N of the expression" */
  char *what;     /* "unknown field 'linear_rnge' in execution_for_loop" */
  char *fix;      /* may be NULL */
} eas_problem;

typedef struct {
  eas_problem *list;
  size_t n, cap;
} eas_problems;
void eas_problems_done(eas_problems *p); /* frees the list */
/* Adds one, unless the same field has one of the same kind (text up to the first quoted name) already; takes the strings. */
void eas_problems_add(eas_problems *p, eas_problem problem);
/* As UX.md section 3: by line, the first 20, then a count and "nothing was stored". */
void eas_problems_print(const eas_problems *p, const eas_jobfile *f, eas_buf *out);

typedef struct {
  const char *input_path; /* folder that `files:` globs look in */
  eas_db *db;             /* for inputs made by earlier jobs; NULL: none are known */
  int prototype_names;
} eas_check_options;

/* Dry expansion of the whole job, nothing stored. 0: fine; EAS_EFORMAT: see problems. */
int eas_job_check(const eas_jobfile *f, const eas_registry *r, const eas_check_options *o, eas_problems *out,
                  eas_err *err);

typedef struct {
  int fresh; /* a new job even if there is one with this identity */
  int has_seed;
  uint64_t seed; /* else the document's "seed", else 1 */
  int has_priority;
  int64_t priority;
  int prototype_names;   /* or the document's "compat": "prototype" */
  const char *overrides; /* JSON text of --set, or NULL */
  int64_t origin;        /* the job that this one changes (rerun), or 0 */
  const char
      *traceparent; /* whose trace this is part of (base/trace.h); NULL: the variable TRACEPARENT, or a new one */
} eas_submit_options;

typedef struct {
  int64_t job;
  int existed;
  int done;
  char trace_id[EAS_TRACE_ID]; /* "": of a job that is older than these */
} eas_submitted;

/* Stores the document (once), the job and its root task with a queued attempt, in one transaction; or finds
 * the job with the same identity (existed). The job was checked before. */
int eas_job_submit(eas_db *db, const eas_jobfile *f, const eas_registry *r, const eas_submit_options *o,
                   eas_submitted *out, eas_err *err);

/* A job as it was submitted: its document and what it was given beside it; o->origin is this job. */
int eas_job_load(eas_db *db, int64_t job, eas_jobfile **out, eas_submit_options *o, eas_err *err);

/* What eas_job_submit would find, nothing stored: 1 a job with this identity, 0 none (or db is NULL). *name: what the job is
 * called; the caller's. */
int eas_job_same(eas_db *db, const eas_jobfile *f, const eas_submit_options *o, eas_submitted *out, char **name,
                 eas_err *err);

/* "3", "j3" or an unambiguous name; NULL: the newest. EAS_ENOENT says what there is. */
int eas_job_find(eas_db *db, const char *name, int64_t *job, eas_err *err);
/* What control has to look after: tasks whose dependants must be skipped, queued attempts of cancelled jobs, tasks that are
 * done and for which others waited (their job may be cancelled: then these wait on), and when the
 * first lease of a worker but this one is over. (Expansion looks for itself.) */
typedef struct {
  int skips, cancels, gathers, others;
  int64_t lease_us;
} eas_due; /* lease_us from now, if there are others */
int eas_job_due(eas_db *db, int64_t worker, eas_due *out, eas_err *err);
int eas_job_set_state(eas_db *db, int64_t job, const char *state, eas_err *err); /* active paused cancelled */

#endif
