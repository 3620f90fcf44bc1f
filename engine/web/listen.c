/* listen.c: from "HOST:PORT" to a listening socket. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/http_own.h"

enum { BACKLOG = 64 };

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

int eas_http_listen(const char *where, int *out, eas_err *err)
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

int eas_http_port_of(int fd)
{
  struct sockaddr_storage a;
  socklen_t n = sizeof a;
  if (getsockname(fd, (struct sockaddr *)&a, &n) < 0) return 0;
  return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port : ((struct sockaddr_in *)&a)->sin_port);
}
