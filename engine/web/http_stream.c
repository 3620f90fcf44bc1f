/* http_stream.c: answers that stay open: events for whoever looks at a page. */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "web/http_own.h"

enum { MOST_STREAMS = 96, MOST_WAITING = 256 * 1024 };

/* A connection without anything to send is suspended: else the server would ask for more all the time. */
struct eas_http_stream {
  eas_http *h;
  struct MHD_Connection *c;
  char topic[64];
  eas_buf waiting;
  int suspended, ended;
  eas_http_stream *next;
};

static ssize_t on_read(void *arg, uint64_t at, char *out, size_t room)
{
  eas_http_stream *s = arg;
  (void)at;
  if (s->waiting.len == 0) {
    if (s->ended) return MHD_CONTENT_READER_END_OF_STREAM;
    s->suspended = 1;
    MHD_suspend_connection(s->c);
    return 0;
  }
  size_t n = s->waiting.len < room ? s->waiting.len : room;
  memcpy(out, s->waiting.data, n);
  memmove(s->waiting.data, s->waiting.data + n, s->waiting.len - n);
  s->waiting.len -= n;
  return (ssize_t)n;
}

static void on_free(void *arg)
{
  eas_http_stream *s = arg;
  for (eas_http_stream **p = &s->h->streams; *p; p = &(*p)->next)
    if (*p == s) {
      *p = s->next;
      break;
    }
  s->h->n_streams--;
  eas_buf_done(&s->waiting);
  free(s);
}

struct MHD_Response *eas_http_stream_open(eas_http *h, struct MHD_Connection *c, eas_http_answer *a)
{
  const char *key;
  json_t *v;
  if (h->n_streams == MOST_STREAMS) {
    json_decref(a->headers);
    a->headers = NULL;
    return NULL;
  }
  eas_http_stream *s = eas_alloc(sizeof *s);
  s->h = h;
  s->c = c;
  memcpy(s->topic, a->topic, sizeof s->topic);
  eas_buf_init(&s->waiting);
  eas_buf_add(&s->waiting, a->body.data, a->body.len);
  struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, on_read, s, on_free);
  if (!r) {
    eas_buf_done(&s->waiting);
    free(s);
    return NULL;
  }
  s->next = h->streams;
  h->streams = s;
  h->n_streams++;
  MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type ? a->type : "text/event-stream");
  MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  json_object_foreach(a->headers, key, v) if (json_is_string(v)) MHD_add_response_header(r, key, json_string_value(v));
  json_decref(a->headers);
  a->headers = NULL;
  return r;
}

static void resume(eas_http_stream *s)
{
  if (!s->suspended) return;
  s->suspended = 0;
  MHD_resume_connection(s->c);
}

void eas_http_topics(eas_http *h, eas_http_topic_fn *fn, void *arg)
{
  for (const eas_http_stream *s = h->streams; s; s = s->next) {
    const eas_http_stream *first = h->streams;
    while (strcmp(first->topic, s->topic) != 0) first = first->next;
    if (first == s) fn(arg, s->topic);
  }
}

void eas_http_publish(eas_http *h, const char *topic, const char *text)
{
  int n = 0;
  for (eas_http_stream *s = h->streams; s; s = s->next) {
    if (s->ended || (topic && strcmp(topic, s->topic) != 0)) continue;
    if (s->waiting.len + strlen(text) > MOST_WAITING)
      s->ended = 1;
    else
      eas_buf_str(&s->waiting, text);
    resume(s);
    n++;
  }
  if (n) eas_http_run(h);
}

void eas_http_streams_end(eas_http *h)
{
  for (eas_http_stream *s = h->streams; s; s = s->next) {
    s->ended = 1;
    resume(s);
  }
  MHD_run(h->daemon);
}
