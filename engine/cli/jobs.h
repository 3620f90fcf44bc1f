/* jobs.h: what `run`, `submit` and `rerun` share: loading, checking, options. */
#ifndef EAS_CLI_JOBS_H
#define EAS_CLI_JOBS_H
#include "cli/cli.h"
#include "model/job.h"

extern const eas_option eas_job_options[];

/* Loads and checks a job file; problems are printed. Returns 0, or the exit status after having said why. */
int eas_jobs_load(eas_cli *c, const char *path, eas_jobfile **out, eas_submit_options *o, eas_err *err);
/* Checks one that is there; problems are printed. */
int eas_jobs_check(eas_cli *c, const eas_jobfile *f, int prototype_names, eas_err *err);
/* The database as it is, if there is one; NULL: none, or of another schema. */
eas_db *eas_jobs_look(const eas_cli *c);
/* What a failed attempt ran (a row of eas_view_failed) against what would run now; *is (NULL: not wanted) is the caller's:
 * the code as it is. cache: an empty object at first. */
int eas_jobs_code_changed(const eas_cli *c, json_t *cache, const json_t *row, json_t **is);
/* --explain: says what would run, and why. Returns the exit status. */
int eas_jobs_explain(eas_cli *c, const eas_jobfile *f, const eas_submit_options *o);
/* A job that is done and is asked for again: failed tasks whose code changed since are tried anew. How many. */
int eas_jobs_again(eas_cli *c, int64_t job, eas_err *err);
int eas_run_job(eas_cli *c, const eas_jobfile *f, const eas_submit_options *o);

#endif
