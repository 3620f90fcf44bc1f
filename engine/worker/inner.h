/* inner.h: what the files of the supervisor share; nobody else includes it. */
#ifndef EAS_WORKER_INNER_H
#define EAS_WORKER_INNER_H
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "model/attempt.h"
#include "worker/event.h"
#include "worker/logbuf.h"
#include "worker/scratch.h"
#include "worker/usage.h"
#include "worker/worker.h"
#include "worker/zygote.h"

enum { EAS_CLAIM_MAX = 64, EAS_GROUP_MAX = 64 };

typedef struct eas_running eas_running;

/* A product that a task declared with task:output. */
typedef struct {
  char *kind, *file;
  json_t *metadata;
  const eas_claim_output *planned; /* NULL: not planned, refused */
  eas_digest digest;
  int64_t size;
  int stored;    /* 1: in the store */
  char *problem; /* why it could not be taken, or NULL */
  int passed;
  char *reason;
} eas_made;

/* One process of an attempt: its task, then its QC. */
typedef struct {
  eas_child child;
  int alive, exited;
  siginfo_t info;
  struct rusage usage;
  eas_event_reader events;
  eas_buf out, err; /* unfinished lines of stdout and stderr */
  int fds_open;
  int ended;              /* EAS_EV_END was seen */
  int asked;              /* 0, 1: soft time-out sent, 2: hard, 3: killed */
  const char *stop_cause; /* "timeout" "cancelled" "disk": why it was asked to stop */
  int64_t timer;
  int64_t started_us;
} eas_process;

struct eas_running {
  eas_worker *w;
  eas_running *next;
  eas_claim claim;
  const eas_task_type *type;
  json_t *description, *provenance;
  json_t *external; /* of the input folder: {"files": [{"name", "path"}]} or {"error", "hint"}; NULL: not asked for */
  eas_digest key;
  int has_key;
  int slot, cpus;
  int was_slot; /* the slot that it had, also when that is given back; -1: none */
  eas_slot_group *group;
  char *scratch;
  int pid_ns;   /* its processes are in a pid namespace of their own */
  int is_qc;    /* which process p is */
  int released; /* slot given back */
  eas_process p;
  eas_limits limits;
  int64_t started_us, task_wall_us, cpu_us, peak_kb;
  eas_usage usage; /* over its time */
  unsigned layers;
  const char *ending;
  char *error, *trace;
  json_t *metadata, *checks, *spawn;
  eas_made *made;
  int n_made;
  eas_logbuf log;
  int log_sealed; /* its log is whole: in the store thread for the last time */
  int verdict_seen, verdict_pass;
  int qc_broke; /* its QC did not come to a verdict, by no fault of what it judges */
  char *reason;
  int64_t reused; /* attempt whose results these are, or 0 */
  eas_result_version *reused_versions;
  int n_reused_versions; /* metadata owned by made[] */
  int64_t asked_us;      /* when the zygote was asked for its process */
  int tries;
  json_t *debug;      /* what it is told about a debugger; NULL: none */
  json_t *debug_said; /* list: what came from it */
  int dropped;        /* its result is not wanted any more */
  char *ingest_error;
  int *pins, n_pins; /* what keeps its files in the cache of an object store */
  int is_fetching, fetched, brought;
  int transfer_rc; /* how the last fetch or bring ended */
  char *transfer_error;
};

typedef struct {
  eas_running **list;
  int n, cap;
} eas_run_list;

typedef struct {
  eas_pipes pipes;
  int open, lent;
} eas_slot_pipes;

struct eas_worker {
  eas_worker_options o;
  eas_probe probe;
  unsigned use, require;
  eas_zygote *zygote;
  json_t *code;     /* type -> {file: digest}; emptied when code changes */
  int zygote_dirty; /* code changed: a new one for the next child */
  int64_t zygotes;
  struct eas_notice *notice;
  int64_t id, first_id; /* the first one names its scratch folders */
  int64_t lease_us, renew_us;
  char *scratch_root, *data_root; /* absolute */
  char **exec_path;
  int64_t memory_cap;
  eas_scratch_mark *marks; /* of the slots' scratch folders */
  eas_slot_pipes *pipes;   /* by slot; NULL before the first */
  eas_slot_group **groups;
  eas_running **slots;                  /* by slot: who holds it */
  int busy;                             /* slots held */
  eas_running *waiting, **waiting_tail; /* claimed, no child yet */
  int n_waiting;
  eas_run_list running;  /* with a process or in the store thread */
  eas_run_list finished; /* waiting for the commit */
  char warned[256];      /* the last failure told, and when: it may come twice a second */
  int64_t warned_us;
  eas_run_list asked; /* of running: the zygote owes an answer, in this order */
  eas_run_list again; /* asked a zygote that died */
  int64_t commit_timer, look_timer, second_timer, renew_timer;
  int look_queued, draining, killed;
  int nameless;                /* its lease is over, and it could not register anew yet */
  int64_t room_us, no_room_us; /* when disks were looked at; when it was last told that one is full, 0: none is */
  double mean_us;              /* running mean of what an attempt takes, task and QC */
  int64_t ended;
  eas_tally tally;
  void (*replayed)(eas_running *r); /* replay.c: called where results would be judged or committed; NULL: a worker */
  /* store thread */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  eas_running *ingest, **ingest_tail, *ingested;
  eas_log_sink log_sink;
  int thread_on, thread_stop, ingest_fd;
  struct eas_lanes *lanes; /* to an object store; NULL: the store is a folder */
};

void eas_list_add(eas_run_list *l, eas_running *r);
void eas_list_remove(eas_run_list *l, const eas_running *r);

/* start.c */
void eas_worker_fill(eas_worker *w);
/* A line of the log with the attempt's ids and trace. */
void eas_running_log(const eas_running *r, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
void eas_worker_warn(eas_worker *w, const char *what, const eas_err *err, const char *then);
eas_running *eas_running_new(eas_worker *w, eas_claim *claim);
void eas_running_free(eas_running *r);
int eas_running_spawn(eas_running *r, int is_qc, eas_err *err);
void eas_running_release(eas_running *r);
int eas_worker_zygote(eas_worker *w, eas_err *err);
void eas_worker_wait(eas_worker *w, eas_running *r); /* for a slot */
/* worker.c */
int eas_worker_watch_zygote(eas_worker *w, eas_err *err);
void eas_worker_tick(eas_worker *w); /* something runs: flush its log every second */
void eas_worker_look_in(eas_worker *w, int64_t us);
void eas_worker_start_over(eas_worker *w);           /* its lease is over */
int eas_worker_sandbox(eas_worker *w, eas_err *err); /* what `require` and `isolation_off` make of this machine */
int eas_worker_machine(eas_worker *w, const char *scratch, eas_err *err); /* its memory, programs and folders */
void eas_worker_check_disk(eas_worker *w);
/* replay.c */
int eas_replay_pipe(const eas_running *r, eas_err *err);
/* held.c */
void eas_worker_hand_back_unknown(eas_worker *w);
void eas_worker_hand_back_waiting(eas_worker *w); /* all that has no slot */
/* room.c */
int eas_worker_has_room(eas_worker *w); /* 0: a disk is full, which was told */
/* request.c */
int64_t eas_task_seed(const eas_claim *c);
int eas_running_prepare(eas_running *r, eas_err *err); /* description, limits, key */
/* request_packed.c */
char *eas_request_packed(const eas_running *r, int is_qc, size_t *len);
/* external.c */
void eas_running_external(eas_running *r);              /* finds what its setting input_path names */
const char *eas_worker_input_root(const eas_worker *w); /* that children are shown; NULL: none */
/* pipes.c; lend: NULL when a child must have its own */
const eas_pipes *eas_pipes_lend(eas_worker *w, int slot);
void eas_pipes_return(eas_worker *w, int slot); /* drained, and nobody has them any more */
void eas_pipes_done(eas_worker *w);
/* watch.c */
int eas_process_watch(eas_running *r, eas_err *err);
/* answer.c */
void eas_worker_answer(eas_worker *w); /* takes one answer of the zygote; one is owed */
void eas_worker_ask_again(eas_worker *w);
void eas_worker_on_zygote(void *arg, int fd, uint32_t events);
void eas_process_stop(eas_running *r, const char *cause);
void eas_process_kill(eas_running *r, const char *cause);
/* judge.c */
void eas_running_task_over(eas_running *r);
void eas_running_qc_over(eas_running *r);
void eas_running_fail(eas_running *r, const char *ending, const char *message);
void eas_running_event(eas_running *r, const eas_event_head *head, const char *payload);
/* ingest.c */
int eas_ingest_open(eas_worker *w, eas_err *err);
void eas_ingest_give(eas_worker *w, eas_running *r);
int eas_ingest_log(eas_running *r); /* 1: eas_worker_finished is called again when the rest of its log is stored */
void eas_ingest_close(eas_worker *w);
/* lanes.c */
int eas_lanes_open(eas_worker *w, eas_err *err); /* nothing is done for a directory store */
void eas_lanes_close(eas_worker *w);
int eas_lanes_fetch(eas_running *r); /* 1: eas_worker_wait is called when its inputs are at hand */
int eas_lanes_bring(eas_running *r); /* 1: eas_worker_finished is called again when they are there */
const eas_run_list *eas_lanes_fetching(const eas_worker *w); /* claimed, and not with a slot yet */
void eas_running_pin(eas_running *r, const eas_digest *d);   /* the file stays while the attempt needs it */
/* finish.c */
void eas_worker_finished(eas_running *r);
void eas_running_reused(eas_running *r, const eas_reusable *found);
void eas_worker_commit_now(eas_worker *w);

#endif
