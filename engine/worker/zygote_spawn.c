/* zygote_spawn.c: asks the zygote for a child, and cleans up after one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "worker/zygote_own.h"

enum { ANSWER_MS = 4000, PAGE = 4096 };

typedef struct {
  int pipe[3][2];    /* events, output, errors: read end, write end */
  int borrowed;      /* the pipes: they stay open */
  int page, strings; /* memfds; -1 */
  eas_shared_page *map;
} handles;

static void shut(int *fd)
{
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* Pages whose attempt is gone with all its processes: making one costs a tenth of an attempt. */
enum { POOL = 64 };
static struct {
  int fd;
  eas_shared_page *map;
} pool[POOL];
static int n_pool;

/* A memfd that the child cannot shrink: the supervisor reads the page, and must not get a SIGBUS. */
static int make_page(handles *h)
{
  if (n_pool > 0) {
    h->page = pool[--n_pool].fd;
    h->map = pool[n_pool].map;
    memset(h->map, 0, PAGE);
    return 0;
  }
  h->page = memfd_create("eas-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (h->page < 0 || ftruncate(h->page, PAGE) < 0) return -errno;
  if (fcntl(h->page, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) return -errno;
  h->map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, h->page, 0);
  if (h->map != MAP_FAILED) return 0;
  h->map = NULL;
  return -errno;
}

static void drop_page(eas_child *c)
{
  if (!c->page) return; /* never spawned: nothing in it means anything */
  if (c->page_fd >= 0 && n_pool < POOL) {
    pool[n_pool].fd = c->page_fd;
    pool[n_pool++].map = c->page;
  } else {
    munmap(c->page, PAGE);
    shut(&c->page_fd);
  }
  c->page = NULL;
  c->page_fd = -1;
}

static int open_pipe(int *read_end, int *write_end)
{
  int p[2];
  if (pipe2(p, O_CLOEXEC) < 0) return -errno;
  *read_end = p[0];
  *write_end = p[1];
  return fcntl(p[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int eas_pipes_open(eas_pipes *p)
{
  *p = (eas_pipes){ { -1, -1, -1 }, { -1, -1, -1 } };
  int rc = 0;
  for (int i = 0; i < 3 && rc == 0; i++) rc = open_pipe(&p->read[i], &p->write[i]);
  if (rc < 0) eas_pipes_close(p);
  return rc;
}

void eas_pipes_close(eas_pipes *p)
{
  for (int i = 0; i < 3; i++) {
    shut(&p->read[i]);
    shut(&p->write[i]);
  }
}

static int open_handles(handles *h, const eas_pipes *borrowed)
{
  h->borrowed = borrowed != NULL;
  for (int i = 0; i < 3; i++) {
    int rc = 0;
    if (borrowed) {
      h->pipe[i][0] = borrowed->read[i];
      h->pipe[i][1] = borrowed->write[i];
    } else {
      rc = open_pipe(&h->pipe[i][0], &h->pipe[i][1]);
    }
    if (rc < 0) return rc;
  }
  return make_page(h);
}

static void close_handles(handles *h, int all)
{
  for (int i = 0; i < 3 && !h->borrowed; i++) {
    if (all) shut(&h->pipe[i][0]);
    shut(&h->pipe[i][1]);
  }
  shut(&h->strings);
  if (!all) return;
  shut(&h->page);
  if (h->map) munmap(h->map, PAGE);
}

static void add_string(eas_buf *b, const char *s)
{
  eas_buf_add(b, s, strlen(s) + 1);
}

static int send_request(eas_zygote *z, const eas_spawn *s, handles *h)
{
  eas_wire_spawn head;
  memset(&head, 0, sizeof head);
  head.slot = s->slot;
  head.limits = s->limits;
  head.request = s->request_len;
  eas_buf strings;
  eas_buf_init(&strings);
  add_string(&strings, s->scratch);
  for (; s->readable && s->readable[head.n_readable]; head.n_readable++)
    add_string(&strings, s->readable[head.n_readable]);
  eas_buf_add(&strings, s->request, s->request_len);
  eas_buf_add(&strings, "", 1);
  head.strings = strings.len;

  int fds[EAS_WIRE_FDS] = { h->pipe[0][1], h->pipe[1][1], h->pipe[2][1], h->page }, n = EAS_WIRE_FIXED, rc = 0;
  if (s->group) head.n_groups = eas_slot_group_fds(s->group, fds + n);
  n += head.n_groups;
  if (strings.len > EAS_WIRE_INLINE) {
    head.in_memfd = 1;
    h->strings = memfd_create("eas-request", MFD_CLOEXEC);
    if (h->strings < 0)
      rc = -errno;
    else
      rc = eas_write_all(h->strings, strings.data, strings.len);
    fds[n++] = h->strings;
  }
  if (rc == 0) rc = eas_wire_send(z->socket, &head, sizeof head, strings.data, head.in_memfd ? 0 : strings.len, fds, n);
  eas_buf_done(&strings);
  return rc;
}

static int read_reply(eas_zygote *z, eas_child *out, eas_err *err)
{
  struct pollfd p = { .fd = z->socket, .events = POLLIN };
  eas_wire_answer answer = { 0 };
  int pidfd = -1, n_fds = 1, ready;
  while ((ready = poll(&p, 1, ANSWER_MS)) < 0 && errno == EINTR) continue;
  if (ready == 0) {
    kill(z->pid, SIGKILL); /* a late answer would be taken for the next one's */
    return eas_fail(err, EAS_ECONNECT, "zygote: no answer after %d s", ANSWER_MS / 1000);
  }
  ssize_t n = eas_wire_receive(z->socket, &answer, sizeof answer, &pidfd, &n_fds);
  if (n == 0 || n == -ECONNRESET) return eas_fail(err, EAS_ECONNECT, "zygote: it is gone");
  if (n < 0) return eas_fail(err, EAS_ECONNECT, "zygote: %s", strerror((int)-n));
  if (answer.error == 0 && (n != sizeof answer || n_fds != 1))
    return eas_fail(err, EAS_ECONNECT, "zygote: an answer that is none");
  if (answer.error) {
    int rc = eas_fail(err, EAS_EIO, "clone a child: %s", strerror(answer.error));
    if (answer.error == EAGAIN) eas_hint(err, "this user's processes (ulimit -u) or the cgroup's pids.max are used up");
    return rc;
  }
  out->pid = answer.pid;
  out->started_us = answer.started_us;
  out->pidfd = pidfd;
  return 0;
}

int eas_zygote_ask(eas_zygote *z, const eas_spawn *s, eas_child *out, eas_err *err)
{
  handles h = { { { -1, -1 }, { -1, -1 }, { -1, -1 } }, 0, -1, -1, NULL };
  int rc, why = open_handles(&h, s->pipes);
  if (why < 0) {
    rc = eas_fail(err, EAS_EIO, "pipes for a child: %s", strerror(-why));
    goto failed;
  }
  why = send_request(z, s, &h);
  if (why < 0) {
    int gone = why == -EPIPE || why == -ECONNRESET || why == -ENOTCONN;
    rc = eas_fail(err, gone ? EAS_ECONNECT : EAS_EIO, gone ? "zygote: it is gone" : "ask the zygote for a child: %s",
                  strerror(-why));
    goto failed;
  }
  close_handles(&h, 0);
  *out = (eas_child){ .pidfd = -1,
                      .events = h.pipe[0][0],
                      .output = h.pipe[1][0],
                      .errors = h.pipe[2][0],
                      .borrowed = h.borrowed,
                      .page = h.map,
                      .page_fd = h.page };
  return 0;
failed:
  close_handles(&h, 1);
  return rc;
}

int eas_zygote_answer(eas_zygote *z, eas_child *child, eas_err *err)
{
  int rc = read_reply(z, child, err);
  if (rc < 0) {
    shut(&child->page_fd); /* a child that nobody knows may still have it */
    eas_child_done(child);
    return rc;
  }
  if (!(z->layers & EAS_LAYER_PID_NS)) { /* somebody it left behind may write to the page for a while */
    eas_orphans_known(child->pid);
    shut(&child->page_fd);
  }
  return 0;
}

int eas_zygote_spawn(eas_zygote *z, const eas_spawn *s, eas_child *out, eas_err *err)
{
  eas_child child;
  int rc = eas_zygote_ask(z, s, &child, err);
  if (rc >= 0) rc = eas_zygote_answer(z, &child, err);
  if (rc >= 0) *out = child;
  return rc;
}

void eas_child_done(eas_child *c)
{
  shut(&c->pidfd);
  if (c->borrowed) c->events = c->output = c->errors = -1;
  shut(&c->events);
  shut(&c->output);
  shut(&c->errors);
  if (c->pid > 0) eas_orphans_kill(c->pid, c->page && c->page->childless == 1);
  drop_page(c);
  c->pid = 0;
}
