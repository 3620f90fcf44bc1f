/* http.c: libmicrohttpd by its epoll descriptor, which the loop watches; a timer for its time-outs. */
#include "web/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/http_own.h"

enum {
  MOST_CONNECTIONS = 128,
  SILENT_S = 10,
  CONNECTION_BYTES = 32 * 1024,
  REQUEST_US = 20 * 1000 * 1000,
  SWEEP_US = 2 * 1000 * 1000
};

/* A connection; since_us: when what it is sending began, 0: it waits for an answer, or takes it. */
struct eas_http_caller {
  int fd;
  int64_t since_us;
  struct eas_http_caller *next;
};

static void on_connection(void *arg, struct MHD_Connection *c, void **place, enum MHD_ConnectionNotificationCode code)
{
  eas_http *h = arg;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    struct eas_http_caller *caller = *place = eas_alloc(sizeof *caller);
    caller->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    caller->since_us = eas_tick_us();
    caller->next = h->callers;
    h->callers = caller;
    return;
  }
  for (struct eas_http_caller **p = &h->callers; *p; p = &(*p)->next)
    if (*p == *place) {
      *p = (*p)->next;
      free(*place);
      break;
    }
  *place = NULL;
}

static void set_since(struct MHD_Connection *c, int64_t at)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  struct eas_http_caller *caller = info ? info->socket_context : NULL;
  if (caller) caller->since_us = at;
}

/* Whoever takes too long to say what is wanted is cut off: a byte now and then does not count as being there. */
static void on_sweep(void *arg)
{
  eas_http *h = arg;
  int64_t now = eas_tick_us();
  for (struct eas_http_caller *c = h->callers; c; c = c->next)
    if (c->since_us && now - c->since_us > REQUEST_US) shutdown(c->fd, SHUT_RDWR);
  h->sweep = eas_loop_after(h->loop, SWEEP_US, on_sweep, h);
  eas_http_run(h);
}

static enum MHD_Result refuse(struct MHD_Connection *c, int status, const char *why, const char *allow)
{
  eas_http_answer a = { .status = status, .fd = -1 };
  eas_buf_init(&a.body);
  eas_buf_str(&a.body, why);
  if (allow) a.headers = json_pack("{s:s}", MHD_HTTP_HEADER_ALLOW, allow);
  return eas_http_reply(c, &a);
}

static enum MHD_Result answer(eas_http *h, eas_http_request *q)
{
  eas_http_answer a = { .status = 200, .fd = -1 };
  eas_buf_init(&a.body);
  h->fn(h->arg, q, &a);
  if (!a.is_stream) return eas_http_reply(q->c, &a);
  struct MHD_Response *r = eas_http_stream_open(h, q->c, &a);
  eas_buf_done(&a.body);
  if (!r) return refuse(q->c, 503, "too many streams of events are open\n", NULL);
  enum MHD_Result sent = MHD_queue_response(q->c, 200, r);
  MHD_destroy_response(r);
  return sent;
}

static int is(const char *method, const char *name)
{
  return strcmp(method, name) == 0;
}

/* Called with the headers, then with each piece of the body, then once without one. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **state)
{
  eas_http *h = arg;
  eas_http_request *q = *state;
  (void)version;
  if (!q) {
    q = *state = eas_alloc(sizeof *q);
    *q = (eas_http_request){ .h = h, .c = c, .method = method, .path = url };
    eas_buf_init(&q->body);
    const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && strtoll(length, NULL, 10) > EAS_HTTP_BODY_MAX) return refuse(c, 413, "too large\n", NULL);
    return MHD_YES;
  }
  q->path = url;
  if (*size) {
    if (q->body.len + *size <= EAS_HTTP_BODY_MAX)
      eas_buf_add(&q->body, data, *size);
    else
      q->too_large = 1;
    *size = 0;
    return MHD_YES;
  }
  set_since(c, 0);
  if (q->too_large) return refuse(c, 413, "too large\n", NULL);
  if (is(method, "GET") || is(method, "HEAD") || (h->post && is(method, "POST"))) return answer(h, q);
  return refuse(c, 405, h->post ? "only GET and POST\n" : "only GET\n", h->post ? "GET, HEAD, POST" : "GET, HEAD");
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
  eas_http_request *q = *state;
  (void)arg;
  (void)code;
  if (q) eas_buf_done(&q->body);
  free(q);
  *state = NULL;
  set_since(c, 0); /* between two requests a connection may rest for SILENT_S */
}

/* The first bytes of a further request on a connection that was kept. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *c)
{
  (void)arg;
  (void)uri;
  set_since(c, eas_tick_us());
  return NULL;
}

static void on_timer(void *arg)
{
  eas_http *h = arg;
  h->timer = 0;
  eas_http_run(h);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
  (void)fd;
  (void)events;
  eas_http_run(arg);
}

void eas_http_run(eas_http *h)
{
  MHD_UNSIGNED_LONG_LONG ms;
  MHD_run(h->daemon);
  eas_loop_cancel(h->loop, h->timer);
  h->timer = MHD_get_timeout(h->daemon, &ms) == MHD_YES ? eas_loop_after(h->loop, (int64_t)ms * 1000, on_timer, h) : 0;
}

int eas_http_open(eas_http **out, eas_loop *loop, const char *listen, int post, eas_http_fn *fn, void *arg,
                  eas_err *err)
{
  int fd = -1, rc = eas_http_listen(listen, &fd, err);
  if (rc < 0) return rc;
  eas_http *h = eas_alloc(sizeof *h);
  *h = (eas_http){ .loop = loop, .fn = fn, .arg = arg, .port = eas_http_port_of(fd), .post = post };
  h->daemon =
      MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET,
                       fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                       (unsigned)SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                       MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
                       MHD_OPTION_URI_LOG_CALLBACK, on_uri, h, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (!h->daemon) {
    close(fd);
    free(h);
    return eas_fail(err, EAS_EIO, "listen '%.100s': the HTTP server does not start", listen);
  }
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  h->fd = info->epoll_fd;
  rc = eas_loop_watch(loop, h->fd, EPOLLIN, on_ready, h, err);
  if (rc < 0) {
    MHD_stop_daemon(h->daemon);
    free(h);
    return rc;
  }
  h->sweep = eas_loop_after(loop, SWEEP_US, on_sweep, h);
  *out = h;
  return 0;
}

int eas_http_port(const eas_http *h)
{
  return h->port;
}

void eas_http_close(eas_http *h)
{
  if (!h) return;
  eas_loop_cancel(h->loop, h->timer);
  eas_loop_cancel(h->loop, h->sweep);
  eas_loop_unwatch(h->loop, h->fd);
  eas_http_streams_end(h);
  MHD_stop_daemon(h->daemon);
  free(h);
}
