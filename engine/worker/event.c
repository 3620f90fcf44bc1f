/* event.c: see event.h. The reader believes nothing: any bytes may come. */
#include "worker/event.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/buf.h"

void eas_event_reader_init(eas_event_reader *r)
{
  memset(r, 0, sizeof *r);
}

void eas_event_reader_done(eas_event_reader *r)
{
  free(r->data);
  memset(r, 0, sizeof *r);
}

void eas_event_feed(eas_event_reader *r, const void *bytes, size_t n)
{
  if (r->garbage || n == 0) return;
  if (r->used > 0) {
    r->len -= r->used;
    memmove(r->data, r->data + r->used, r->len);
    r->used = 0;
  }
  if (n > r->cap - r->len) {
    r->cap = r->len + n > 2 * r->cap ? r->len + n : 2 * r->cap;
    r->data = eas_realloc(r->data, r->cap);
  }
  memcpy(r->data + r->len, bytes, n);
  r->len += n;
}

int eas_event_next(eas_event_reader *r, eas_event_head *head, const char **payload)
{
  if (r->garbage || r->len - r->used < EAS_EV_HEAD) return 0;
  unsigned char *p = r->data + r->used;
  eas_event_head h = { .length = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24,
                       .type = p[4],
                       .level = p[5] };
  if (h.length > EAS_EV_MAX || h.type < EAS_EV_LOG || h.type > EAS_EV_DEBUG || p[6] || p[7]) {
    r->garbage = 1;
    return 0;
  }
  if (r->len - r->used - EAS_EV_HEAD < h.length) return 0;
  /* One byte down, over the head's last: there is room for the zero then, and the next frame stays whole. */
  unsigned char *text = p + EAS_EV_HEAD - 1;
  memmove(text, text + 1, h.length);
  text[h.length] = 0;
  r->used += EAS_EV_HEAD + h.length;
  *head = h;
  *payload = (const char *)text;
  return 1;
}

/* The last end of a character at or before n. */
static size_t cut(const char *text, size_t n)
{
  for (size_t back = 0; back < 4 && back < n; back++)
    if (((unsigned char)text[n - back] & 0xc0) != 0x80) return n - back;
  return n;
}

static int write_whole(int fd, struct iovec *part, int n_part)
{
  while (n_part > 0) {
    ssize_t put = writev(fd, part, n_part);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) { /* somebody made the pipe non-blocking */
      struct pollfd wait = { .fd = fd, .events = POLLOUT };
      (void)poll(&wait, 1, -1);
      continue;
    }
    if (put < 0) return -errno;
    size_t done = (size_t)put;
    while (n_part > 0 && done >= part->iov_len) {
      done -= part->iov_len;
      part++;
      n_part--;
    }
    if (n_part > 0) {
      part->iov_base = (char *)part->iov_base + done;
      part->iov_len -= done;
    }
  }
  return 0;
}

static void put_head(unsigned char *head, int type, int level, size_t n)
{
  for (int i = 0; i < 4; i++) head[i] = (unsigned char)(n >> 8 * i);
  head[4] = (unsigned char)type;
  head[5] = (unsigned char)level;
  head[6] = head[7] = 0;
}

int eas_event_write(int fd, int type, int level, const char *payload, size_t n)
{
  unsigned char head[EAS_EV_HEAD];
  if (n > EAS_EV_MAX) {
    if (type != EAS_EV_LOG) return -EMSGSIZE;
    n = cut(payload, EAS_EV_MAX);
  }
  put_head(head, type, level, n);
  struct iovec part[2] = { { head, sizeof head }, { (void *)(uintptr_t)payload, n } };
  int kept = errno;
  int rc;
  if (n + sizeof head <= PIPE_BUF) { /* one write, whole or not at all */
    rc = write_whole(fd, part, n > 0 ? 2 : 1);
  } else {
    sigset_t late, before;
    sigemptyset(&late);
    sigaddset(&late, SIGUSR2);
    sigaddset(&late, SIGXCPU);
    pthread_sigmask(SIG_BLOCK, &late, &before);
    rc = write_whole(fd, part, 2);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  errno = kept;
  return rc;
}

int eas_event_send(int fd, eas_event_batch *b)
{
  struct iovec part = { b->bytes, b->n };
  b->n = 0;
  return part.iov_len > 0 ? write_whole(fd, &part, 1) : 0;
}

int eas_event_hold(int fd, eas_event_batch *b, int type, const char *payload, size_t n)
{
  if (n + EAS_EV_HEAD > sizeof b->bytes - b->n) {
    int rc = eas_event_send(fd, b);
    return rc < 0 ? rc : eas_event_write(fd, type, 0, payload, n);
  }
  put_head(b->bytes + b->n, type, 0, n);
  memcpy(b->bytes + b->n + EAS_EV_HEAD, payload, n);
  b->n += EAS_EV_HEAD + n;
  return 0;
}
