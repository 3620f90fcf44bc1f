/* expand_state.h: what the files of expansion share: the flow-control tasks at hand, the children to be born.
 * Private to engine/model/expand*.c. */
#ifndef EAS_MODEL_EXPAND_STATE_H
#define EAS_MODEL_EXPAND_STATE_H
#include <jansson.h>
#include <stdint.h>
#include "db/db.h"
#include "model/expand.h"
#include "model/expand_map.h"
#include "model/expand_plan.h"
#include "model/finish.h"

/* A flow-control task with a queued attempt, or the parent of a task:spawn. */
typedef struct {
  int64_t attempt, task, parent, type, depth, turn, cursor;
  int64_t directory, label; /* words; label 0: none */
  uint64_t seed;
  eas_flow flow, parent_flow;
  int named;       /* others may need it */
  int unborn;      /* its rows are not written yet: of this transaction */
  int64_t ordinal; /* of an unborn one */
  int64_t base;    /* ordinals of its children start here: task:spawn adds to what there is */
  int has_needs;
  char *path;          /* of its node */
  json_t *own;         /* own metadata, NULL: none */
  json_t *recorded;    /* the attempt's metadata: {"files": [...]}, NULL: none */
  json_t *inherited;   /* of its parent, merged; NULL: to be read */
  eas_plan_loop *loop; /* of a for loop, once it was read */
} eas_flow_task;

void eas_flow_task_done(eas_flow_task *t);

/* What a child hangs on. */
typedef struct {
  int64_t kind, product;
  int met;
} eas_edge_in;
typedef struct {
  int64_t name, needed;
  int met;
} eas_edge_need;

/* A child to be born. */
typedef struct {
  int64_t id, ordinal, turn;
  int64_t attempt; /* if it is born queued */
  eas_flow flow;
  const eas_task_type *type;
  char *path; /* of its node */
  uint64_t seed;
  json_t *own;          /* loop variables */
  eas_plan_item item;   /* of a chain's children; else empty */
  int64_t *products;    /* [item.n_outputs] */
  eas_edge_in *inputs;  /* [item.n_inputs] */
  eas_edge_need *needs; /* [item.n_needs], then [item.n_gathers] */
  int64_t *siblings;    /* [item.n_needs + item.n_gathers] ordinals of the needed, -1: not in this list */
  int gathered;         /* some of this list wait until it is done */
  int64_t directory, label;
  int pending;
} eas_birth;

typedef struct {
  eas_birth *list;
  int64_t n, cap, total; /* total: with those outside of the window */
  json_t *files;         /* of a `files:` loop, NULL else */
} eas_births;

enum {
  EAS_ROWS_TASK,
  EAS_ROWS_PRODUCT,
  EAS_ROWS_INPUT,
  EAS_ROWS_NEED,
  EAS_ROWS_GATHER,
  EAS_ROWS_ATTEMPT,
  EAS_ROWS_TABLES
};

typedef struct {
  eas_db *db;
  const eas_registry *registry;
  const eas_expand_options *o;
  int64_t job, document;
  json_t *doc; /* of the job */
  int compat;
  int apart;     /* 1: task:spawn; flow control born is left queued */
  eas_map nodes; /* path -> node */
  eas_map made;  /* "directory/filename" of this transaction -> index below */
  struct eas_made {
    int64_t product, task;
  } * made_list;
  int n_made, cap_made;
  eas_counts counts;
  eas_done_task *done;
  int n_done, cap_done;
  int n_sent;   /* statements since the last flush */
  int n_queued; /* attempts born queued */
  int n_failed;
  char *fault; /* why the task at hand cannot be expanded */
  int64_t now; /* the database's clock at the beginning */
  struct eas_rows_held {
    eas_val *values;
    int n, cap;
  } held[EAS_ROWS_TABLES]; /* to be written */
  int n_held;
  char *insert[EAS_ROWS_TABLES][2]; /* of the sizes in expand_rows.c */
  struct eas_id_pool {
    int64_t id[2048];
    int n, used, given;
  } tasks, attempts, products;
} eas_expansion;

void eas_expansion_done(eas_expansion *x);

typedef enum { EAS_BORN_QUEUED, EAS_BORN_PASSED, EAS_BORN_FAILED } eas_born;

/* expand_flow.c: the children of t with ordinals [t->cursor, t->cursor + room). 1: x->fault says why it cannot be. */
int eas_expand_children(eas_expansion *x, eas_flow_task *t, const json_t *metadata, const json_t *requested,
                        int64_t room, eas_births *out, eas_err *err);
/* The same for a list of task objects whose paths are list_path[i]. */
int eas_expand_list(eas_expansion *x, const eas_flow_task *t, eas_plan *p, const json_t *list, const char *list_path,
                    eas_births *out, eas_err *err);
void eas_births_done(eas_births *b);
eas_birth *eas_births_add(eas_births *b);
void eas_expand_fault(eas_expansion *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* expand_link.c: finds products and siblings of children from t->cursor on, allots ids to the first `room`. 1: fault. */
int eas_expand_link(eas_expansion *x, const eas_flow_task *t, int64_t room, eas_births *b, eas_err *err);

/* expand_insert.c: sends the rows of children. */
int eas_expand_insert(eas_expansion *x, const eas_flow_task *t, eas_births *b, eas_err *err);
int eas_expand_is_later(const eas_expansion *x, const eas_birth *c); /* 1: eas_expand_bear writes it */
/* The first attempt of a task. */
int eas_expand_attempt(eas_expansion *x, int64_t id, int64_t task, int64_t type, eas_born as, int64_t wall_us,
                       eas_err *err);
/* The rows of an unborn flow-control task, as it is by now. */
int eas_expand_bear(eas_expansion *x, eas_flow_task *t, eas_born as, int64_t n_children, int64_t wall_us, eas_err *err);
int eas_expand_id(eas_expansion *x, struct eas_id_pool *pool, const char *table, int64_t *id, eas_err *err);
int eas_expand_node(eas_expansion *x, const char *path, int64_t *id, eas_err *err);

/* expand_rows.c: rows are held and written several at once; write before a statement that touches them. */
int eas_expand_put(eas_expansion *x, int table, const eas_val *values, eas_err *err); /* copies */
int eas_expand_write(eas_expansion *x, eas_err *err);
int eas_expand_sent(eas_expansion *x, eas_err *err); /* counts a statement; flushes now and then */
void eas_expand_rows_done(eas_expansion *x);

/* expand_end.c: how a flow-control attempt ends. */
int eas_expand_pass(eas_expansion *x, const eas_flow_task *t, int64_t n_children, int64_t wall_us, eas_err *err);
void eas_expand_done(eas_expansion *x, const eas_flow_task *t, int failed); /* it goes to its parent at the end */
int eas_expand_progress(eas_expansion *x, eas_flow_task *t, int64_t n_children, eas_err *err);
int eas_expand_fail(eas_expansion *x, const eas_flow_task *t, int64_t wall_us, eas_err *err);

/* What stands at a node's path, in the job's document or in one that task:spawn made ("spawn:7[0]": document 7).
 * New reference. 1: fault. */
int eas_expand_entry(eas_expansion *x, const char *path, json_t **out, eas_err *err);
/* expand_load.c: what is queued: 0, or an error; *n_out tasks, deepest first. */
int eas_expand_load(eas_expansion *x, int limit, eas_flow_task **out, int *n_out, eas_err *err);
/* Requested metadata of a task: name -> object. New reference. */
int eas_expand_requested(eas_expansion *x, int64_t task, json_t **out, eas_err *err);

#endif
