/* http.h: a small HTTP server within an event loop: no thread; answers made whole, files by range, streams of events.
 *
 * Many slow or silent clients cost nothing but their sockets: 128 connections at a time, 10 s of silence, 20 s for one
 * request; what is too large is refused unread. HEAD is answered as GET. Includes: base/ only. */
#ifndef EAS_WEB_HTTP_H
#define EAS_WEB_HTTP_H
#ifndef EAS_CDEF
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#endif

typedef struct eas_http eas_http;
typedef struct eas_http_request eas_http_request;

enum { EAS_HTTP_BODY_MAX = 64 * 1024 };

const char *eas_http_method(const eas_http_request *q); /* "GET", "HEAD", "POST" */
const char *eas_http_path(const eas_http_request *q);   /* decoded, without its query */
/* {"method", "path", "query": {name: value}, "headers": {name in lower case: value}, "body": text of a POST}; the
 * caller's. What is no UTF-8 is left out. */
json_t *eas_http_json(const eas_http_request *q);

typedef struct {
  int status;       /* 200 if left alone */
  const char *type; /* content type; "text/plain; charset=utf-8" if left alone */
  eas_buf body;
  int fd;          /* a regular file to send instead of body, taken (ranges are served); -1: none */
  json_t *headers; /* {name: value} beside type, or NULL; taken */
  int is_stream;   /* 1: body is the start of a stream of events that stays open; eas_http_publish adds to it */
  char topic[64];  /* of the stream */
} eas_http_answer;

/* Fills the answer; a->type must live until the next call. */
typedef void eas_http_fn(void *arg, const eas_http_request *q, eas_http_answer *a);

/* listen: "HOST:PORT", "[::1]:PORT", ":PORT" (all addresses); port 0: any. post: POST is answered too. EAS_EINVAL, EAS_ECONNECT. */
int eas_http_open(eas_http **out, eas_loop *loop, const char *listen, int post, eas_http_fn *fn, void *arg,
                  eas_err *err);
int eas_http_port(const eas_http *h);
void eas_http_close(eas_http *h);

/* --- streams --- */
/* Calls fn once for each topic that has a stream. */
typedef void eas_http_topic_fn(void *arg, const char *topic);
void eas_http_topics(eas_http *h, eas_http_topic_fn *fn, void *arg);
/* Adds text to all streams of a topic (NULL: to all). A stream whose client takes nothing is ended at 256 KB. */
void eas_http_publish(eas_http *h, const char *topic, const char *text);

#endif
