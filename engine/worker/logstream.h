/* logstream.h: the whole of a long log on its way to the store.
 *
 * The loop adds lines; full pieces go to the store thread, which packs them. What does not fit is counted. A log that the
 * database holds whole has no stream. A line of the stream is "2026-03-02T12:04:31.482000Z warn text". */
#ifndef EAS_WORKER_LOGSTREAM_H
#define EAS_WORKER_LOGSTREAM_H
#include <pthread.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/hash.h"
#include "store/store.h"

enum { EAS_LOG_STREAM_BYTES = 64 * 1024 * 1024, EAS_LOG_PIECE_BYTES = 256 * 1024 };

typedef struct eas_log_stream eas_log_stream;
typedef struct eas_log_piece eas_log_piece;

/* Where the pieces go: a queue that the store thread empties. lock and wake are the thread's. */
typedef struct {
  eas_store *store;
  pthread_mutex_t *lock;
  pthread_cond_t *wake;
  eas_log_piece *first, **tail;
} eas_log_sink;

/* What became of a stream: all of it is in the object, but what was left out or could not be written. */
typedef struct {
  eas_digest digest;
  int64_t size;         /* packed */
  int64_t lines, bytes; /* in it */
  int64_t left_out;     /* lines after it was full */
  char problem[160];    /* "": stored */
} eas_log_stored;

/* --- the loop's side --- */
eas_log_stream *eas_log_stream_new(eas_log_sink *sink);
void eas_log_stream_add(eas_log_stream *t, int64_t at_us, int level, const char *text);
/* Hands over the rest. owner comes back from eas_log_store when all is in the store; nothing is added after it. */
void eas_log_stream_seal(eas_log_stream *t, void *owner);
int eas_log_stream_is_sealed(const eas_log_stream *t);
/* After the seal has come back. */
const eas_log_stored *eas_log_stream_stored(const eas_log_stream *t);
void eas_log_stream_free(eas_log_stream *t); /* at any time; NULL allowed */

/* --- the store thread's side --- */
eas_log_piece *eas_log_sink_take(eas_log_sink *sink); /* all pieces, oldest first; the lock is held */
/* Stores one piece and frees it. *next: the one after it. Returns the owner if it sealed its stream, else NULL. */
void *eas_log_store(eas_log_piece *piece, eas_log_piece **next);

#endif
