/* logbuf.h: an attempt's log, bounded: the first 64 KB and the last 192 KB are kept. As soon as something between them
 * has to go, all of it goes to the store as well (logstream.h). */
#ifndef EAS_WORKER_LOGBUF_H
#define EAS_WORKER_LOGBUF_H
#include <stdint.h>
#include "model/attempt.h"
#include "worker/logstream.h"

enum { EAS_LOG_HEAD_BYTES = 64 * 1024, EAS_LOG_TAIL_BYTES = 192 * 1024, EAS_LOG_LINE_MAX = 4096 };

typedef struct {
  eas_log_entry *head;
  int n_head, cap_head, sent; /* sent: of head, already in the database */
  size_t head_bytes;
  eas_log_entry *tail;
  int n_tail, cap_tail, first_tail; /* a queue */
  size_t tail_bytes;
  int64_t left_out, left_out_bytes;
  int64_t attempt;
  eas_log_sink *sink;     /* NULL: what is left out is only counted */
  eas_log_stream *stream; /* NULL: nothing is left out */
  eas_result_log stored;
} eas_logbuf;

void eas_logbuf_init(eas_logbuf *l, int64_t attempt, eas_log_sink *sink);
void eas_logbuf_done(eas_logbuf *l);
/* Adds a line (control bytes but tab replaced); what is longer than 4 KB goes on in the next. */
void eas_logbuf_add(eas_logbuf *l, int level, const char *text, size_t n);
/* Head lines not sent yet: pointer and count; then mark them. */
const eas_log_entry *eas_logbuf_unsent(const eas_logbuf *l, int *n, int *first_seq);
void eas_logbuf_mark(eas_logbuf *l, int n);
/* Nothing is added any more: 1 if the store thread has to take the rest first, which then gives owner back. */
int eas_logbuf_seal(eas_logbuf *l, void *owner);
/* Where the whole log is, for the commit; NULL if the database has all of it, or the store could not take it. */
const eas_result_log *eas_logbuf_stored(eas_logbuf *l);
/* What the commit has to write: unsent head, a line that counts what is left out, tail. Entries are borrowed; list is the caller's to free. */
eas_log_entry *eas_logbuf_rest(eas_logbuf *l, int *n, int *first_seq);
/* The last n lines, borrowed, oldest first, into out; returns how many. */
int eas_logbuf_last(const eas_logbuf *l, int n, eas_log_entry *out);

#endif
