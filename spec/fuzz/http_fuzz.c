/* http_fuzz.c: the HTTP server against any bytes of a client: path, query, headers, Range and body of a request.
 *
 * Holds: a request that reaches the handler has an answer; what it says as JSON has a method and a path of ours; a part of a file
 * that is answered has the length that its Content-Range says, and lies within the file. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "web/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_SIZE = 1000, TURNS = 12 };

static eas_http *server;
static eas_loop *loop;

static void must(int ok)
{
  if (!ok) abort();
}

/* Every second path is a file; the others give back what was understood. */
static void on_request(void *arg, const eas_http_request *q, eas_http_answer *a)
{
  (void)arg;
  json_t *v = eas_http_json(q);
  must(v != NULL && eas_json_str(v, "method") != NULL && eas_json_str(v, "path") != NULL);
  must(json_is_object(json_object_get(v, "query")) && json_is_object(json_object_get(v, "headers")));
  const char *method = eas_http_method(q);
  must(strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "POST") == 0);
  if (strncmp(eas_http_path(q), "/f", 2) == 0) {
    a->fd = memfd_create("file", MFD_CLOEXEC);
    must(a->fd >= 0 && ftruncate(a->fd, FILE_SIZE) == 0);
  } else {
    char *text = eas_json_canonical(v);
    eas_buf_str(&a->body, text);
    free(text);
  }
  json_decref(v);
}

static int client(void)
{
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)eas_http_port(server)) };
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
  struct linger none = { 1, 0 }; /* no port of ours waits after its end */
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  return fd;
}

/* A first answer that is part of a file. */
static void check(const char *answer)
{
  unsigned long long from, to, all, length;
  const char *range = strstr(answer, "Content-Range: bytes "), *size = strstr(answer, "Content-Length: ");
  if (strncmp(answer, "HTTP/1.1 206", 12) != 0) return;
  must(range && size && sscanf(range + 21, "%llu-%llu/%llu", &from, &to, &all) == 3);
  must(sscanf(size + 16, "%llu", &length) == 1);
  must(all == FILE_SIZE && from <= to && to < all && length == to - from + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char answer[8192];
  size_t n = 0;
  eas_err err = { 0 };
  if (!server)
    must(eas_loop_new(&loop, &err) == 0 && eas_http_open(&server, loop, "127.0.0.1:0", 1, on_request, NULL, &err) == 0);
  int fd = client();
  if (send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) size = 0;
  shutdown(fd, SHUT_WR);
  for (int i = 0; i < TURNS && n < sizeof answer - 1; i++) {
    eas_loop_turn(loop, 0, &err);
    ssize_t got = recv(fd, answer + n, sizeof answer - 1 - n, MSG_DONTWAIT);
    if (got == 0) break;
    if (got > 0) n += (size_t)got;
  }
  answer[n] = 0;
  check(answer);
  close(fd);
  for (int i = 0; i < 2; i++) eas_loop_turn(loop, 0, &err);
  return 0;
}
