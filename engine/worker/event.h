/* event.h: frames from a child to its supervisor, on one pipe.
 *
 * A frame is 8 bytes of head (little-endian u32 length of the payload, u8 type, u8 level, u16 zero), then the payload:
 * UTF-8 text or JSON as the table says. Length is at most 1 MB; what is larger or of an unknown type is garbage: the
 * supervisor notes it, reads on to the end without believing anything more, and the attempt fails. EAS_EV_END comes
 * last; an exit without it is a failure whatever the status says. Steps to change this format: add a type, never
 * reuse a number; the supervisor and child are always the same binary. */
#ifndef EAS_WORKER_EVENT_H
#define EAS_WORKER_EVENT_H
#include <stddef.h>
#include <stdint.h>

enum {                      /* payload */
       EAS_EV_LOG = 1,      /* text; level in the head: 10 20 30 40 */
       EAS_EV_METADATA = 2, /* JSON object: task:set */
       EAS_EV_OUTPUT = 3,   /* JSON {kind, file (name in scratch/out), metadata}: task:output */
       EAS_EV_SPAWN = 4,    /* JSON list of task objects */
       EAS_EV_ERROR = 5,    /* JSON {ending?, message, trace}: Lua error (ending "error") or fatal signal ("crashed") */
       EAS_EV_CHECK = 6,    /* QC: JSON {name, value, limit, verdict} */
       EAS_EV_PRODUCT = 7,  /* QC: JSON {kind, pass, reason} */
       EAS_EV_VERDICT = 8,  /* QC: JSON {pass, reason} */
       EAS_EV_CODE = 9,     /* JSON {name: sha256 hex}: scripts, modules and kernels that were loaded */
       EAS_EV_END = 10,     /* empty: the handler returned */
       EAS_EV_DEBUG = 11    /* under eas shell: JSON, what the debugger says to who sits before it */
};
enum { EAS_EV_HEAD = 8, EAS_EV_MAX = 1 << 20 };

typedef struct {
  uint32_t length;
  uint8_t type, level;
} eas_event_head;

/* Incremental reader: feed bytes, take frames. */
typedef struct {
  unsigned char *data;
  size_t len, cap, used;
  int garbage; /* 1: nothing more is believed */
} eas_event_reader;

void eas_event_reader_init(eas_event_reader *r);
void eas_event_reader_done(eas_event_reader *r);
void eas_event_feed(eas_event_reader *r, const void *bytes, size_t n);
/* 1: a frame (payload borrowed until the next feed, zero-terminated); 0: need more, or garbage. */
int eas_event_next(eas_event_reader *r, eas_event_head *head, const char **payload);
/* Child: writes one frame, whole, blocking (retries EINTR), from one thread at a time; async-signal-safe. 0 or -errno. Text of a log
 * line over EAS_EV_MAX is cut at a character; a larger payload of another type is not written: -EMSGSIZE. Time-out
 * signals (SIGUSR2, SIGXCPU) wait until a frame that is longer than PIPE_BUF is out, so that what their handlers write is a frame of its own. */
int eas_event_write(int fd, int type, int level, const char *payload, size_t n);

/* Frames that end an attempt go in one piece: each write wakes the supervisor. What does not fit is written at once. */
typedef struct {
  size_t n;
  unsigned char bytes[4096]; /* PIPE_BUF: whole or not at all */
} eas_event_batch;
int eas_event_hold(int fd, eas_event_batch *b, int type, const char *payload, size_t n);
int eas_event_send(int fd, eas_event_batch *b);

/* One shared page per attempt (memfd): numbers only, read between chunks. The child may write anything: just numbers to the supervisor. */
typedef struct {
  volatile uint32_t cancel;      /* supervisor -> child: 1 please stop */
  volatile uint32_t stage;       /* child: 1 sandbox on, 2 script loaded, 3 handler running */
  volatile uint64_t done, total; /* progress */
  volatile uint32_t layers;      /* child: isolation it has */
  volatile uint32_t childless;   /* child: 1 it ends in order and has no processes of its own left */
} eas_shared_page;

#endif
