/* http.c: libmicrohttpd by its epoll descriptor, which the loop watches; a timer for its time-outs. */
#include "web/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 64, SILENT_S = 10, CONNECTION_BYTES = 16 * 1024, BACKLOG = 64 };

struct eas_http {
  eas_loop *loop;
  struct MHD_Daemon *daemon;
  eas_http_fn *fn;
  void *arg;
  int fd, port; /* fd: the daemon's epoll */
  int64_t timer;
};

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *type, eas_buf *body,
                             const char *allow)
{
  size_t len = body->len;
  char *text = len ? eas_buf_take(body) : NULL;
  struct MHD_Response *r = text ? MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE)
                                : MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
  if (!r) {
    free(text);
    return MHD_NO;
  }
  MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (allow) MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, allow);
  enum MHD_Result sent = MHD_queue_response(c, status, r);
  MHD_destroy_response(r);
  return sent;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **state)
{
  static int seen;
  eas_http *h = arg;
  const char *type = "text/plain; charset=utf-8";
  (void)version;
  (void)data;
  if (*state != &seen) { /* headers only: what comes after them is not read */
    *state = &seen;
    return MHD_YES;
  }
  *size = 0;
  eas_buf body;
  eas_buf_init(&body);
  int known = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0, status = MHD_HTTP_METHOD_NOT_ALLOWED;
  if (known)
    status = h->fn(h->arg, url, &body, &type);
  else
    eas_buf_str(&body, "only GET\n");
  enum MHD_Result sent = reply(c, (unsigned)status, type, &body, known ? NULL : "GET, HEAD");
  eas_buf_done(&body);
  return sent;
}

static void run(eas_http *h);

static void on_timer(void *arg)
{
  eas_http *h = arg;
  h->timer = 0;
  run(h);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
  (void)fd;
  (void)events;
  run(arg);
}

static void run(eas_http *h)
{
  MHD_UNSIGNED_LONG_LONG ms;
  MHD_run(h->daemon);
  eas_loop_cancel(h->loop, h->timer);
  h->timer = MHD_get_timeout(h->daemon, &ms) == MHD_YES ? eas_loop_after(h->loop, (int64_t)ms * 1000, on_timer, h) : 0;
}

/* "HOST:PORT" into its parts; host is the caller's. */
static int split(const char *listen, char **host, const char **port)
{
  const char *colon = strrchr(listen, ':');
  if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 ||
      atoi(colon + 1) > 65535)
    return EAS_EINVAL;
  size_t n = (size_t)(colon - listen);
  if (n >= 2 && *listen == '[' && listen[n - 1] == ']') {
    listen++;
    n -= 2;
  } else if (memchr(listen, ':', n)) {
    return EAS_EINVAL;
  }
  *host = eas_format("%.*s", (int)n, listen);
  *port = colon + 1;
  return 0;
}

static int bound(const struct addrinfo *a)
{
  int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int why = errno;
  close(fd);
  errno = why;
  return -1;
}

static int open_socket(const char *where, int *out, eas_err *err)
{
  char *host = NULL;
  const char *port = NULL;
  struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *list = NULL;
  if (split(where, &host, &port) < 0) {
    eas_fail(err, EAS_EINVAL, "listen '%.100s': HOST:PORT is wanted", where);
    return eas_hint(err, "as 127.0.0.1:9100, [::1]:9100 or :9100 (everybody)");
  }
  int status = getaddrinfo(*host ? host : NULL, port, &hints, &list), fd = -1, rc = 0;
  free(host);
  if (status != 0) return eas_fail(err, EAS_EINVAL, "listen '%.100s': %s", where, gai_strerror(status));
  for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) fd = bound(a);
  if (fd < 0) rc = eas_fail(err, EAS_ECONNECT, "listen '%.100s': %s", where, strerror(errno));
  freeaddrinfo(list);
  *out = fd;
  return rc;
}

static int port_of(int fd)
{
  struct sockaddr_storage a;
  socklen_t n = sizeof a;
  if (getsockname(fd, (struct sockaddr *)&a, &n) < 0) return 0;
  return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port : ((struct sockaddr_in *)&a)->sin_port);
}

int eas_http_open(eas_http **out, eas_loop *loop, const char *listen, eas_http_fn *fn, void *arg, eas_err *err)
{
  int fd = -1, rc = open_socket(listen, &fd, err);
  if (rc < 0) return rc;
  eas_http *h = eas_alloc(sizeof *h);
  *h = (eas_http){ .loop = loop, .fn = fn, .arg = arg, .port = port_of(fd) };
  h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd,
                               MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                               (unsigned)SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                               MHD_OPTION_END);
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
  eas_loop_unwatch(h->loop, h->fd);
  MHD_stop_daemon(h->daemon);
  free(h);
}
