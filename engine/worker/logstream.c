/* logstream.c: see logstream.h. */
#include "worker/logstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { KEEP, SEAL, FREE };

struct eas_log_piece {
  eas_log_piece *next;
  eas_log_stream *stream;
  char *data; /* may be NULL */
  size_t n;
  int then; /* KEEP, SEAL or FREE the stream */
  void *owner;
};

struct eas_log_stream {
  eas_log_sink *sink;
  eas_buf lines; /* not handed over yet */
  int sealed;
  eas_store_stream *out; /* the store thread's */
  eas_log_stored stored; /* lines, bytes, left_out: the loop's; the rest: the store thread's until the seal is back */
};

eas_log_stream *eas_log_stream_new(eas_log_sink *sink)
{
  eas_log_stream *t = eas_alloc(sizeof *t);
  t->sink = sink;
  eas_buf_init(&t->lines);
  return t;
}

static void hand_over(eas_log_stream *t, int then, void *owner)
{
  eas_log_piece *p = eas_alloc(sizeof *p);
  p->stream = t;
  p->n = t->lines.len;
  p->data = p->n ? eas_buf_take(&t->lines) : NULL;
  p->then = then;
  p->owner = owner;
  pthread_mutex_lock(t->sink->lock);
  if (!t->sink->first) t->sink->tail = &t->sink->first;
  *t->sink->tail = p;
  t->sink->tail = &p->next;
  pthread_cond_signal(t->sink->wake);
  pthread_mutex_unlock(t->sink->lock);
}

void eas_log_stream_add(eas_log_stream *t, int64_t at_us, int level, const char *text)
{
  char when[32];
  size_t n = strlen(text), size = n + 36;
  if (t->sealed) return;
  if (t->stored.left_out || t->stored.bytes + (int64_t)size > EAS_LOG_STREAM_BYTES) { /* never a hole in it */
    t->stored.left_out++;
    return;
  }
  size_t before = t->lines.len;
  eas_buf_str(&t->lines, eas_time_format(at_us, 6, when));
  eas_buf_char(&t->lines, ' ');
  eas_buf_str(&t->lines, eas_log_level_name(level));
  eas_buf_char(&t->lines, ' ');
  eas_buf_add(&t->lines, text, n);
  eas_buf_char(&t->lines, '\n');
  t->stored.bytes += (int64_t)(t->lines.len - before);
  t->stored.lines++;
  if (t->lines.len >= EAS_LOG_PIECE_BYTES) hand_over(t, KEEP, NULL);
}

void eas_log_stream_seal(eas_log_stream *t, void *owner)
{
  t->sealed = 1;
  hand_over(t, SEAL, owner);
}

int eas_log_stream_is_sealed(const eas_log_stream *t)
{
  return t->sealed;
}

const eas_log_stored *eas_log_stream_stored(const eas_log_stream *t)
{
  return &t->stored;
}

void eas_log_stream_free(eas_log_stream *t)
{
  if (t) hand_over(t, FREE, NULL);
}

eas_log_piece *eas_log_sink_take(eas_log_sink *sink)
{
  eas_log_piece *list = sink->first;
  sink->first = NULL;
  return list;
}

static void keep_problem(eas_log_stream *t, const eas_err *err)
{
  snprintf(t->stored.problem, sizeof t->stored.problem, "%.150s", err->text);
  eas_store_stream_close(t->out);
  t->out = NULL;
}

void *eas_log_store(eas_log_piece *p, eas_log_piece **next)
{
  eas_log_stream *t = p->stream;
  eas_err err = { 0 };
  int rc = 0;
  void *owner = p->owner;
  *next = p->next;
  if (p->then != FREE && !*t->stored.problem) {
    if (!t->out) rc = eas_store_stream_open(&t->out, t->sink->store, &err);
    if (rc >= 0 && p->n) rc = eas_store_stream_add(t->out, p->data, p->n, &err);
    if (rc >= 0 && p->then == SEAL) rc = eas_store_stream_end(t->out, &t->stored.digest, &t->stored.size, &err);
    if (rc < 0) keep_problem(t, &err);
  }
  if (p->then != KEEP) {
    eas_store_stream_close(t->out);
    t->out = NULL;
  }
  if (p->then == FREE) {
    eas_buf_done(&t->lines);
    free(t);
  }
  free(p->data);
  free(p);
  return owner;
}
