/* logbuf.h: an attempt's log, bounded: the first 64 KB and the last 192 KB are kept, the rest is counted. */
#ifndef EAS_WORKER_LOGBUF_H
#define EAS_WORKER_LOGBUF_H
#include <stdint.h>
#include "model/attempt.h"

enum { EAS_LOG_HEAD_BYTES = 64 * 1024, EAS_LOG_TAIL_BYTES = 192 * 1024, EAS_LOG_LINE_MAX = 4096 };

typedef struct {
  eas_log_entry *head;
  int n_head, cap_head, sent; /* sent: of head, already in the database */
  size_t head_bytes;
  eas_log_entry *tail;
  int n_tail, cap_tail, first_tail; /* a queue */
  size_t tail_bytes;
  int64_t left_out, left_out_bytes;
} eas_logbuf;

void eas_logbuf_done(eas_logbuf *l);
/* Adds a line (cut at 4 KB, control bytes but tab replaced). */
void eas_logbuf_add(eas_logbuf *l, int level, const char *text, size_t n);
/* Head lines not sent yet: pointer and count; then mark them. */
const eas_log_entry *eas_logbuf_unsent(const eas_logbuf *l, int *n, int *first_seq);
void eas_logbuf_mark(eas_logbuf *l, int n);
/* What the commit has to write: unsent head, a line that counts what is left out, tail. Entries are borrowed; list is the caller's to free. */
eas_log_entry *eas_logbuf_rest(eas_logbuf *l, int *n, int *first_seq);
/* The last n lines, borrowed, oldest first, into out; returns how many. */
int eas_logbuf_last(const eas_logbuf *l, int n, eas_log_entry *out);

#endif
