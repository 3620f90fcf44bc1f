/* http_own.h: what the parts of the HTTP server share. Private to engine/web. */
#ifndef EAS_WEB_HTTP_OWN_H
#define EAS_WEB_HTTP_OWN_H
#include <microhttpd.h>
#include "web/http.h"

/* A request from its first header to the end of its answer. */
struct eas_http_request {
  struct eas_http *h;
  struct MHD_Connection *c;
  const char *method, *path;
  eas_buf body;
  int too_large, heard; /* heard: all of it was read */
  int64_t since_us;
  eas_http_request *next;
};

typedef struct eas_http_stream eas_http_stream;

struct eas_http {
  eas_loop *loop;
  struct MHD_Daemon *daemon;
  eas_http_fn *fn;
  void *arg;
  int fd, port, post; /* fd: the daemon's epoll */
  int64_t timer, sweep;
  struct eas_http_caller *callers; /* connections that are open */
  eas_http_stream *streams;
  int n_streams;
};

/* listen.c: a listening socket for "HOST:PORT", and the port it got. */
int eas_http_listen(const char *where, int *out, eas_err *err);
int eas_http_port_of(int fd);

/* http_reply.c: queues an answer (emptied); http_stream.c: one that stays open. */
enum MHD_Result eas_http_reply(struct MHD_Connection *c, eas_http_answer *a);
struct MHD_Response *eas_http_stream_open(eas_http *h, struct MHD_Connection *c, eas_http_answer *a);
void eas_http_streams_end(eas_http *h); /* before the daemon stops */
void eas_http_run(eas_http *h);

#endif
