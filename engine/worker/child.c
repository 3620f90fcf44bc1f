/* child.c: the life of a child: into its sandbox, run the script, out. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "worker/zygote_own.h"

enum { EVENT_FD = 3, PAGE = 4096, MAX_INPUTS = 4096, MAX_ENVIRONMENT = 64 };

typedef struct {
  const char *scratch, *request;
  const char *inputs[MAX_INPUTS + 1];
  eas_shared_page *page;
} given;

/* The environment of a child, with room for two more; by setenv each child would allocate it anew. */
static char *environment[MAX_ENVIRONMENT + 3];
static int n_environment;

void eas_child_prepare(void)
{
  n_environment = 0;
  for (char **e = environ; *e && n_environment < MAX_ENVIRONMENT; e++)
    if (strncmp(*e, "HOME=", 5) != 0 && strncmp(*e, "TMPDIR=", 7) != 0) environment[n_environment++] = *e;
  environ = environment;
}

static void set_environment(const char *scratch)
{
  static char home[PATH_MAX + 8], tmpdir[PATH_MAX + 8];
  size_t n = strlen(scratch) < PATH_MAX ? strlen(scratch) + 1 : 0;
  memcpy(stpcpy(home, "HOME="), scratch, n);
  memcpy(stpcpy(tmpdir, "TMPDIR="), scratch, n);
  environment[n_environment] = home;
  environment[n_environment + 1] = tmpdir;
}

/* What the supervisor will show as the attempt's error. */
static _Noreturn void refuse(const char *text)
{
  json_t *v = json_pack("{s:s, s:s}", "ending", "error", "message", text);
  char *json = v ? json_dumps(v, JSON_COMPACT) : NULL;
  if (json) eas_event_write(EVENT_FD, EAS_EV_ERROR, 0, json, strlen(json));
  _exit(EAS_EXIT_SANDBOX);
}

static void place_descriptors(const eas_wanted *w)
{
  for (int i = EAS_WIRE_EVENTS; i <= EAS_WIRE_ERRORS; i++)
    fcntl(w->fds[i], F_SETFL, 0); /* as the child before left it */
  if (dup2(w->fds[EAS_WIRE_OUTPUT], 1) < 0 || dup2(w->fds[EAS_WIRE_ERRORS], 2) < 0 ||
      dup3(w->fds[EAS_WIRE_EVENTS], EVENT_FD, O_CLOEXEC) < 0) /* not for programs that the script executes */
    _exit(EAS_EXIT_SANDBOX);
}

static void unpack(const eas_wanted *w, given *g)
{
  const char *at = w->strings;
  size_t size = w->head->strings;
  if (w->head->in_memfd) {
    at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, w->fds[w->n_fds - 1], 0);
    if (at == MAP_FAILED) refuse("the request could not be mapped: out of memory");
  }
  if (w->head->n_readable > MAX_INPUTS) refuse("more than 4096 input files");
  g->scratch = at;
  at += strlen(at) + 1;
  for (int i = 0; i < w->head->n_readable; i++) {
    g->inputs[i] = at;
    at += strlen(at) + 1;
  }
  g->inputs[w->head->n_readable] = NULL;
  g->request = at;
  g->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, w->fds[EAS_WIRE_PAGE], 0);
  if (g->page == MAP_FAILED) refuse("the shared page could not be mapped: out of memory");
}

static void enter(const eas_zygote_self *self, const eas_wanted *w, given *g)
{
  eas_child_policy policy = { .slot = w->head->slot,
                              .scratch = g->scratch,
                              .inputs = g->inputs,
                              .limits = w->head->limits,
                              .use = self->layers,
                              .groups = w->fds + EAS_WIRE_FIXED,
                              .n_groups = w->head->n_groups };
  static const int keep[] = { EVENT_FD };
  unsigned got = 0;
  eas_err err = { 0 };
  if (eas_sandbox_enter_child(&self->policy, &policy, keep, 1, &got, &err) < 0) refuse(err.text);
  g->page->layers = got;
}

/* The supervisor may have died before the parent-death signal was asked for; then nobody reads the events. */
static void follow_supervisor(void)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* after the uid was set, which clears it */
  struct pollfd p = { .fd = EVENT_FD, .events = POLLOUT };
  if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR)) _exit(EAS_EXIT_SANDBOX);
}

_Noreturn void eas_child_main(const eas_zygote_self *self, const eas_wanted *wanted)
{
  static given g;
  place_descriptors(wanted);
  int alone = (self->layers & EAS_LAYER_PID_NS) != 0; /* all that it starts goes with it */
  if (alone)
    setpgid(
        0,
        0); /* kill(0) reaches no other; the session is the zygote's, without a terminal. A new one costs ten times as much. */
  else
    setsid();
  if (!alone) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  unpack(wanted, &g);
  eas_signals_child(EVENT_FD, &wanted->head->limits);
  enter(self, wanted, &g);
  follow_supervisor();
  prctl(PR_SET_NAME, "eas-task", 0, 0, 0);
  set_environment(g.scratch);
  g.page->stage = 1;
  eas_run run = {
    .fd = EVENT_FD, .page = g.page, .scratch = g.scratch, .request = g.request, .request_len = wanted->head->request
  };
  int rc = self->runner->run(self->runner->arg, &run);
  fflush(NULL);
  siginfo_t info;
  if (!alone && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 && errno == ECHILD)
    g.page->childless = 1;
  _exit(rc < 0 ? 1 : 0); /* no exit handlers: they are the zygote's */
}
