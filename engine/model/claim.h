/* claim.h: the parts of claiming: claim.c (which attempts), claim_bind.c (what they need), claim_document.c (the entries).
 * Private to engine/model. */
#ifndef EAS_MODEL_CLAIM_H
#define EAS_MODEL_CLAIM_H
#include "base/buf.h"
#include "base/trace.h"
#include "model/attempt.h"

typedef struct {
  int64_t attempt, task, parent, job, type, token, queued_us; /* token: the one it gets */
  int number;
  const char *type_name;
  const char *job_name; /* these two are borrowed of what was asked about the job */
  char trace_id[EAS_TRACE_ID];
  int64_t document;
  int compat;
  int64_t node, name, directory, label; /* ids; 0: none */
  uint64_t seed;
  char *metadata; /* JSON, or NULL; yours */
  int rerun;
  int inputs, outputs, needs; /* 1: it may have some */
} eas_chosen;

typedef struct { /* tickets of what eas_bind_send sent; -1 when not asked */
  int attempts, words, nodes, inputs, outputs, needs, chain, tries;
  int *documents; /* of those not parsed yet; -1 else */
  int64_t *ids;
  int n; /* distinct documents of the group */
} eas_bind;

/* Sends what turns the chosen attempts into running ones, their tokens moved on by step, and all questions about them. */
int eas_bind_send(eas_db *db, int64_t worker, int64_t step, const eas_chosen *chosen, int n, const int64_t *documents,
                  int n_documents, eas_bind *out, eas_err *err);
/* After the flush: fills out[n]. */
int eas_bind_take(eas_db *db, const eas_registry *r, const eas_bind *b, const eas_chosen *chosen, int n, eas_claim *out,
                  eas_err *err);
void eas_bind_done(eas_bind *b);

/* Parsed documents are kept with the connection. 1: *ticket is to be given to eas_document_take, 0: it is there already. */
int eas_document_send(eas_db *db, int64_t id, int *ticket, eas_err *err);
int eas_document_take(eas_db *db, int64_t id, int ticket, eas_err *err);
/* The object at a node's path; new reference. */
int eas_document_entry(eas_db *db, int64_t id, const char *path, json_t **out, eas_err *err);

#endif
