/* noop_bench.c: the whole engine with a runner that does nothing, in the supervisor's own process: what a task costs without children.
 *
 *   noop_bench WORDS...     as `eas WORDS...`: run, submit, control, worker; EAS_LOG_LEVEL=error
 *
 * All is the engine's own but two things: the runner (worker/runner.h), which says of a task that it ended and of its QC that it passes, and
 * what starts it: the functions of worker/zygote.h stand here again, and call the runner at once where a zygote would clone a child. So
 * requests, pipes, events, scratch folders, judging, log store, claims and commits cost what they cost, and forks nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "worker/fate.h"
#include "worker/runner.h"
#include "worker/worker.h"
#include "worker/zygote.h"

/* --- the runner --- */

static int load(void *arg, const char *share, const char *const *packs, eas_err *err)
{
  (void)arg, (void)share, (void)packs, (void)err;
  return 0;
}

static int run(void *arg, const eas_run *run)
{
  static const char pass[] = "{\"pass\":true}", qc[] = "S\002\000\000\000qc"; /* the role, packed (base/pack.h) */
  (void)arg;
  eas_event_batch b = { 0 };
  run->page->stage = 3;
  int is_qc = memmem(run->request, run->request_len < 64 ? run->request_len : 64, qc, sizeof qc - 1) != NULL;
  int rc = is_qc ? eas_event_hold(run->fd, &b, EAS_EV_VERDICT, pass, sizeof pass - 1) : 0;
  if (rc == 0) rc = eas_event_hold(run->fd, &b, EAS_EV_END, "", 0);
  if (rc == 0) rc = eas_event_send(run->fd, &b);
  return rc;
}

static const eas_runner noop = { .version = "none", .load = load, .run = run };

/* --- worker/zygote.h, without processes --- */

struct eas_zygote {
  int owed;         /* as many answers as were asked for and not taken */
  int ended, alive; /* pidfds: of a process that is over and waited for; of this one, which is not */
  unsigned layers;
};

/* Where the supervisor looks whether a child has ended: it has, and there is nothing left to wait for. */
static int pidfd_of_the_dead(void)
{
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  int fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
  if (pid > 0) waitpid(pid, NULL, 0);
  return fd;
}

int eas_zygote_start(eas_zygote **out, const eas_zygote_options *o, eas_err *err)
{
  eas_zygote *z = eas_alloc(sizeof *z);
  z->owed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
  z->ended = pidfd_of_the_dead();
  z->alive = (int)syscall(SYS_pidfd_open, getpid(), 0);
  z->layers = o->use;
  *out = z;
  return z->owed < 0 || z->ended < 0 || z->alive < 0 ? eas_fail(err, EAS_EIO, "pidfd: %s", strerror(errno)) : 0;
}

void eas_zygote_stop(eas_zygote *z)
{
  if (!z) return;
  close(z->owed);
  close(z->ended);
  close(z->alive);
  free(z);
}

int eas_zygote_fd(const eas_zygote *z)
{
  return z->owed;
}

int eas_zygote_pidfd(const eas_zygote *z)
{
  return z->alive;
}

unsigned eas_zygote_layers(const eas_zygote *z)
{
  return z->layers;
}

const char *eas_zygote_reason(const eas_zygote *z, int bit)
{
  (void)z, (void)bit;
  return "";
}

int eas_pipes_open(eas_pipes *p)
{
  for (int i = 0; i < 3; i++) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) return -errno;
    p->read[i] = fds[0];
    p->write[i] = fds[1];
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
  }
  return 0;
}

void eas_pipes_close(eas_pipes *p)
{
  for (int i = 0; i < 3; i++) {
    close(p->read[i]);
    close(p->write[i]);
  }
}

int eas_zygote_ask(eas_zygote *z, const eas_spawn *s, eas_child *out, eas_err *err)
{
  if (!s->pipes) return eas_fail(err, EAS_EBUG, "noop_bench: a child without pipes of its slot");
  eas_shared_page *page = eas_alloc(sizeof *page);
  eas_run one = {
    .fd = s->pipes->write[0], .page = page, .scratch = s->scratch, .request = s->request, .request_len = s->request_len
  };
  page->childless = 1;
  *out = (eas_child){ .pidfd = -1,
                      .events = s->pipes->read[0],
                      .output = s->pipes->read[1],
                      .errors = s->pipes->read[2],
                      .borrowed = 1,
                      .page = page,
                      .page_fd = -1 };
  int rc = noop.run(noop.arg, &one);
  if (rc == 0 && eventfd_write(z->owed, 1) < 0) rc = -errno;
  return rc < 0 ? eas_fail(err, EAS_EIO, "noop_bench: %s", strerror(-rc)) : 0;
}

int eas_zygote_answer(eas_zygote *z, eas_child *child, eas_err *err)
{
  eventfd_t one;
  if (eventfd_read(z->owed, &one) < 0) return eas_fail(err, EAS_EBUG, "noop_bench: nothing was asked");
  child->pidfd = dup(z->ended);
  return child->pidfd < 0 ? eas_fail(err, EAS_EIO, "dup: %s", strerror(errno)) : 0;
}

int eas_zygote_spawn(eas_zygote *z, const eas_spawn *s, eas_child *out, eas_err *err)
{
  int rc = eas_zygote_ask(z, s, out, err);
  return rc < 0 ? rc : eas_zygote_answer(z, out, err);
}

void eas_child_done(eas_child *c)
{
  if (c->pidfd >= 0) close(c->pidfd);
  c->pidfd = c->events = c->output = c->errors = -1;
  free(c->page);
  c->page = NULL;
}

/* --- worker/fate.h: no process left a status --- */

const char *eas_ending_word(const char *name)
{
  return strcmp(name, "cancelled") == 0 ? "cancelled" : "error";
}

const char *eas_ending_of(const char *message, const char *otherwise)
{
  (void)message;
  return otherwise;
}

void eas_fate_of(const eas_process *p, eas_slot_group *group, const eas_limits *limits, const char *said,
                 const char *message, eas_fate *out)
{
  (void)group, (void)limits, (void)message;
  out->ending = said || !p->ended ? "error" : p->stop_cause ? eas_ending_word(p->stop_cause) : "ok";
  out->message = NULL;
}

int main(int argc, char **argv)
{
  return eas_cli_main(argc, argv, &noop);
}
