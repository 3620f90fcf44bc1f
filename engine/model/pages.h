/* pages.h: what the dashboard shows, a page at a time. As view.h, but each costs the same however large the job is: by
 * counters, by keys, and where neither leads to an answer by looking at so many rows only, which the answer then says.
 *
 * Pages are {"items": [...], "next": where to go on, or null}. */
#ifndef EAS_MODEL_PAGES_H
#define EAS_MODEL_PAGES_H
#include "model/view.h"

enum { EAS_PAGE_US = 120 * 1000 }; /* how long a page looks for rows that match before it says where to go on */

/* Jobs, newest first, older than `before` (0: from the newest): fields as eas_view_jobs. */
int eas_page_jobs(eas_db *db, int64_t before, int limit, json_t **out, eas_err *err);
/* One job with its counters: {job, name, state, gate, created_at, done_at, tasks, ended, source, types: [...]}. */
int eas_page_job(eas_db *db, int64_t job, json_t **out, eas_err *err);

/* Tasks by id after f->after, of f->job, f->type, f->state, f->where: {task, type, name, state, parameters, attempts, attempt, kind,
 * reason, wall_us, started_at, host}. */
int eas_page_tasks(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err);
/* A task's makers and users, two steps each way, at most 12 a step: {nodes: [{task, type, state, step}], edges: [{from, to,
 * kind}], more: steps that were cut}. */
int eas_page_lineage(eas_db *db, int64_t task, json_t **out, eas_err *err);

/* Attempts that run now, of a job or (0) of all: {attempt, task, job, type, worker, host, slot, started_at, done, total}. */
int eas_page_running(eas_db *db, int64_t job, int limit, json_t **out, eas_err *err);
/* Attempts that began, of the newest 5000 that could have: {attempt, task, type, state, ending, verdict, queued_at, started_at,
 * ended_at, wall_us, cpu_us, peak_kb, worker, host, slot}, newest first; at least wall_us_min long. */
int eas_page_runs(eas_db *db, const eas_view_filter *f, int64_t wall_us_min, json_t **out, eas_err *err);
/* Causes among the newest 2000 failed tasks: fields of eas_view_errors. */
int eas_page_errors(eas_db *db, int64_t job, json_t **out, eas_err *err);

/* Log lines, newest attempts first, before line `seq` of f->after (0: from the newest): those of eas_view_logs with seq;
 * text: a part of the line, without regard to case (ASCII), or NULL. next: {attempt, seq}. */
int eas_page_logs(eas_db *db, const eas_view_filter *f, int64_t seq, const char *text, json_t **out, eas_err *err);
/* Lines of one attempt after `seq` (-1: from the first): {seq, at, level, text}. */
int eas_page_log(eas_db *db, int64_t attempt, int64_t seq, int limit, json_t **out, eas_err *err);

/* Working directories of a job after one (""): {directory, files: counted up to 10001}. */
int eas_page_folders(eas_db *db, int64_t job, const char *after, int limit, json_t **out, eas_err *err);
/* Files of a directory by name after one (""), of a semantic type or (NULL) all: fields of eas_view_files. */
int eas_page_files(eas_db *db, int64_t job, const char *directory, const char *kind, const char *after, int limit,
                   json_t **out, eas_err *err);

/* A text that changes when what a page shows has changed: of all (0 0), of a job, of an attempt. */
int eas_page_pulse(eas_db *db, int64_t job, int64_t attempt, json_t **out, eas_err *err);

/* The first job that was done after a moment (or at it, with a greater id) and at least lag_us ago: {job, name, state: passed,
 * failed, cancelled, created_at, done_at, counters of tasks}; *out stays NULL if there is none. */
int eas_page_done_after(eas_db *db, int64_t done_at, int64_t job, int64_t lag_us, json_t **out, eas_err *err);

#endif
