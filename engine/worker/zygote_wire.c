/* zygote_wire.c: see zygote_wire.h. */
#include "worker/zygote_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

typedef union {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(EAS_WIRE_FDS * sizeof(int))];
} control;

int eas_wire_send(int fd, const void *head, size_t n_head, const void *body, size_t n_body, const int *fds, int n_fds)
{
  control c;
  struct iovec part[2] = { { (void *)(uintptr_t)head, n_head }, { (void *)(uintptr_t)body, n_body } };
  struct msghdr m = { .msg_iov = part, .msg_iovlen = n_body > 0 ? 2 : 1 };
  if (n_fds > 0) {
    memset(&c, 0, sizeof c);
    m.msg_control = c.bytes;
    m.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int));
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int));
    memcpy(CMSG_DATA(h), fds, (size_t)n_fds * sizeof(int));
  }
  for (;;) {
    if (sendmsg(fd, &m, MSG_NOSIGNAL) >= 0) return 0;
    if (errno != EINTR) return -errno;
  }
}

static int take_fds(struct msghdr *m, int *fds, int room)
{
  int n = 0;
  for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int one;
      memcpy(&one, CMSG_DATA(h) + i * sizeof one, sizeof one);
      if (n < room)
        fds[n++] = one;
      else
        close(one);
    }
  }
  return n;
}

ssize_t eas_wire_receive(int fd, void *data, size_t size, int *fds, int *n_fds)
{
  control c;
  struct iovec part = { data, size };
  struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes };
  ssize_t n;
  while ((n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) < 0)
    if (errno != EINTR) return -errno;
  *n_fds = take_fds(&m, fds, *n_fds);
  if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return n;
  for (int i = 0; i < *n_fds; i++) close(fds[i]);
  *n_fds = 0;
  return -EMSGSIZE;
}
