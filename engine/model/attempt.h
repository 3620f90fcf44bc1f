/* attempt.h: claims, results, losses: the life of an attempt (docs/state_machine.md).
 *
 * Functions take and return groups, and each is one transaction: SQLite one commit, PostgreSQL at most
 * four round trips. Every change is a compare-and-set on (id, token, state). The database's clock only.
 * Where attempts become queued the database's bell rings with the commit; *n_ready says how many. */
#ifndef EAS_MODEL_ATTEMPT_H
#define EAS_MODEL_ATTEMPT_H
#ifndef EAS_CDEF
#include <jansson.h>
#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/trace.h"
#include "db/db.h"
#include "registry/registry.h"
#endif
#include "model/policy.h"

/* --- workers and leases --- */
typedef struct {
  const char *host;
  int64_t pid;
  const char *container;
  int slots;
  const char *version;
  int64_t lease_us; /* 60 s */
} eas_worker_info;
int eas_worker_register(eas_db *db, const eas_worker_info *w, int64_t *id, eas_err *err);
int eas_worker_renew(eas_db *db, int64_t worker, int64_t lease_us, eas_err *err); /* EAS_ESTALE: it is over */
int eas_worker_end(eas_db *db, int64_t worker, eas_err *err);

/* --- claim --- */
typedef struct {
  char *kind;
  char *directory;
  char *filename;
  int64_t product, version;
  eas_digest digest;
  int64_t size;
  json_t *metadata; /* of the version; object */
} eas_claim_input;

typedef struct {
  char *kind;
  char *directory;
  char *filename;
  int64_t product;
} eas_claim_output;

typedef struct {
  int64_t attempt, task, job, token;
  int number;        /* this try, from 1 */
  eas_policy policy; /* what is tried again: the type's and the job's */
  int n_lost;        /* earlier tries that do not count as such: lost or cancelled */
  int n_memory;      /* earlier tries that ended for want of memory */
  char *problem;     /* why it cannot run: its place in the document is gone; NULL: it can */
  int rerun;         /* 1: it has passed once, and a user wants it anew */
  char *type;
  char *task_name; /* "" if none */
  char *job_name;
  char trace_id[EAS_TRACE_ID]; /* the job's; "": it has none */
  char *directory;             /* working directory */
  json_t *entry;               /* the task object of the document, raw; borrowed from a cache in *out */
  json_t *metadata;            /* ancestors' and own values */
  json_t *requested_metadata;  /* name -> metadata of the accepted attempt */
  eas_claim_input *inputs;
  int n_inputs;
  eas_claim_output *outputs;
  int n_outputs;
  uint64_t seed;     /* 64 bits; scripts see the top 53 */
  int compat;        /* prototype names */
  int64_t queued_us; /* how long it waited */
} eas_claim;

typedef struct {
  eas_claim *list;
  int n;
} eas_claims;

/* Claims up to max queued attempts of the types named (NULL-terminated; flow control never), in the order of DESIGN.md §13:
 * job by priority, then fewest running; in it the oldest. Binds and records the versions of inputs. n = 0: nothing is there;
 * *next_us (set whenever n < max) then says in how many microseconds the earliest not_before of these types falls due, by the
 * database's clock (0: none). EAS_ESTALE: the worker's lease is over. */
int eas_attempt_claim(eas_db *db, const eas_registry *r, int64_t worker, const char *const *types, int max,
                      eas_claims *out, int64_t *next_us, eas_err *err);
void eas_claims_done(eas_claims *c);
/* What an attempt was given when it was claimed, to look at: its inputs as they were bound then, its token 0. Reads only.
 * *out is one of a group for eas_claims_done. EAS_ENOENT; EAS_EBUSY: it has not started. */
int eas_attempt_again(eas_db *db, const eas_registry *r, int64_t attempt, eas_claim *out, eas_err *err);

/* Attempts claimed but without a child go back: queued again. */
typedef struct {
  int64_t attempt, token;
} eas_held;
int eas_attempt_hand_back(eas_db *db, int64_t worker, const eas_held *held, int n, eas_err *err);
/* After an unknown claim: all that stands under this worker's name and is not in known[]. */
int eas_attempt_hand_back_unknown(eas_db *db, int64_t worker, const eas_held *known, int n, eas_err *err);

/* --- results --- */
typedef struct {
  int64_t at_us;
  int level;
  const char *text;
} eas_log_entry;
/* The object that holds a log which the database has not whole. */
typedef struct {
  eas_digest digest;
  int64_t size;         /* packed */
  int64_t bytes, lines; /* unpacked */
  int64_t left_out;     /* lines that came when it was full */
} eas_result_log;

typedef struct {
  int64_t product;
  eas_digest digest;
  int64_t size;
  const char *verdict; /* "pass" "fail" */
  const char *reason;  /* NULL if passed */
  const json_t *metadata;
} eas_result_version;

typedef struct {
  int64_t attempt, token;
  const char *ending;  /* DESIGN.md §12 */
  const char *verdict; /* "pass" only with ok or reused */
  const char *reason;  /* why it failed, one line */
  const char *error;   /* one line; NULL if none */
  const char *trace;
  const json_t *checks;       /* list or NULL */
  const json_t *description;  /* evaluated entry or NULL */
  const json_t *provenance;   /* or NULL */
  const eas_digest *prov_key; /* or NULL: never reused */
  const json_t *metadata;     /* object or NULL */
  int64_t reused;             /* attempt, or 0 */
  int64_t wall_us, cpu_us, peak_kb, layers;
  int64_t ran_us;    /* how long ago it got its slot, QC included; 0: not known, and its claim stays its start */
  int slot;          /* that it had, from 0; counts with ran_us only */
  const char *usage; /* attempt_usage.points, or NULL */
  const eas_log_entry *log;
  int n_log;
  int first_seq;                   /* seq of log[0]; earlier lines went by eas_attempt_live */
  const eas_result_log *whole_log; /* or NULL: the lines are all */
  const eas_result_version *versions;
  int n_versions;
  const json_t *spawn; /* list of task objects (task:spawn) or NULL */
  int again;           /* 1: the retry policy permits another attempt */
  int64_t delay_us;    /* its back-off */
  int stale;           /* out: 1 when the token did not match, and nothing of it was stored */
} eas_result;

typedef struct {
  int n_ready; /* attempts that became queued */
  int control; /* 1: control has to tell others: some are to be skipped, some waited until a task is done */
} eas_committed;

/* Ends attempts, stores all that belongs to them, meets inputs, makes dependants ready, counts parents down. Sets .stale.
 * The database's bell rings if *out says so, which may be NULL. Repeating after an unknown outcome is harmless. */
int eas_attempt_commit(eas_db *db, const eas_registry *r, int64_t worker, eas_result *results, int n,
                       eas_committed *out, eas_err *err);

/* Log lines, progress and use of resources of running attempts, less durably; stale ones drop out. */
typedef struct {
  int64_t attempt, token;
  int64_t done, total;
  const eas_log_entry *log;
  int n_log;
  int first_seq;
  const char *usage; /* attempt_usage.points as they are now, or NULL: as they were */
} eas_live;
int eas_attempt_live(eas_db *db, const eas_live *live, int n, eas_err *err);

/* --- reuse --- */
typedef struct {
  int64_t attempt;
  json_t *metadata;
  eas_result_version *versions;
  char **kinds;
  int n_versions;
} eas_reusable;
/* The newest passed attempt of another job with this key, with its versions by kind. 1 found, 0 none. */
int eas_attempt_reusable(eas_db *db, int64_t job, const eas_digest *key, eas_reusable *out, eas_err *err);
void eas_reusable_done(eas_reusable *r);

/* --- control --- */
/* Attempts of workers whose lease is over end `lost`; next attempt by policy (from the second loss on after a back-off), or
 * the task fails: after max_losses it is quarantined, and its note says so. r may be NULL: the default policy. all_but: with a worker id, every
 * other worker is declared lost at once (embedded mode). Returns the number of attempts lost. */
int eas_rescue(eas_db *db, const eas_registry *r, int64_t all_but, int *n_ready, eas_err *err);
/* One level of skipping: dependants of tasks that ended without what they should make. Returns tasks skipped (0: nothing left). */
int eas_skip_level(eas_db *db, int limit, eas_err *err);
/* Tries again: failed and cancelled tasks of a job, or one task (with everything skipped because of it). Returns tasks made ready or waiting. */
int eas_retry(eas_db *db, int64_t job, int64_t task, int *n_ready, eas_err *err);
/* Of these tasks of a job those that failed or were cancelled run again, and what was skipped because of them waits again: one
 * transaction, to be kept short by giving few. Returns how many of the n it were. EAS_EINVAL: the job is cancelled as a whole. */
int eas_retry_chosen(eas_db *db, int64_t job, const int64_t *tasks, int n, eas_err *err);
/* Of these tasks those that wait, are queued or run end as cancelled, without their job: what hangs on them is skipped. Flow
 * control is left alone. Else as eas_retry_chosen. */
int eas_cancel_chosen(eas_db *db, int64_t job, const int64_t *tasks, int n, eas_err *err);
/* A task that has passed (or failed) runs again, without being reused. What hangs on it is marked stale; downstream: of its
 * job, flow control apart, it runs again too, after what it hangs on. Returns tasks made ready or waiting. EAS_EBUSY: one of
 * these is queued or runs. */
int eas_rerun(eas_db *db, int64_t task, int downstream, int *n_ready, eas_err *err);
/* Tells those who wait until a task is done, with all below it, whether enough of it has passed: they become ready, or are
 * skipped. Returns how many were told (0: nothing left). */
int eas_gather_some(eas_db *db, int limit, int *n_ready, eas_err *err);
/* Ends queued attempts of cancelled jobs as cancelled, a slice at a time. Returns how many. */
int eas_cancel_sweep(eas_db *db, int limit, eas_err *err);
/* Which of these running attempts should stop (job cancelled, token gone)? Sets stop[i]. */
int eas_attempt_wanted(eas_db *db, const eas_held *held, int n, int *stop, eas_err *err);

#endif
