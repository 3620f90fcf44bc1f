/* zygote_main.c: the zygote process: told its policy, it loads the runner inside its sandbox and clones children. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "worker/zygote_own.h"

typedef struct {
  eas_zygote_self self;
  eas_probe probe;
  char reason[EAS_LAYER_COUNT][160];
  json_t *policy;
  const char **packs, **read_only;
  pid_t supervisor;
  int proc_self;    /* /proc/self, which is out of sight later */
  pid_t *thread_id; /* where the C library keeps this thread's id */
} zygote;

/* Children inherit all of this. */
static void settle(zygote *z, int fd)
{
  if (fd != EAS_WIRE_SOCKET) {
    dup2(fd, EAS_WIRE_SOCKET);
    close(fd);
  }
  fcntl(EAS_WIRE_SOCKET, F_SETFD, FD_CLOEXEC);
  syscall(SYS_close_range, EAS_WIRE_SOCKET + 1, ~0u, 0);
  unsetenv("LD_BIND_NOW"); /* it was for this process */
  mallopt(M_MXFAST, 0);    /* no bins that a child would have to sort, copying page after page */
  setsid();                /* Ctrl-C on the supervisor's terminal is the supervisor's matter */
  umask(077);
  prctl(PR_SET_NAME, "eas-zygote", 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (oom >= 0) { /* rather a child than the supervisor; a refusal is no harm */
    if (write(oom, "500", 3) < 0) errno = 0;
    close(oom);
  }
  z->proc_self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (prctl(PR_GET_TID_ADDRESS, &z->thread_id, 0, 0, 0) < 0) z->thread_id = NULL;
  if (chdir("/") < 0) errno = 0;
}

static const char **words_of(const json_t *list, const char *const *more)
{
  size_t n = json_array_size(list), m = 0;
  while (more && more[m]) m++;
  const char **words = eas_alloc((n + m + 1) * sizeof *words);
  for (size_t i = 0; i < n; i++) words[i] = json_string_value(json_array_get(list, i));
  for (size_t i = 0; i < m; i++) words[n + i] = more[i];
  return words;
}

static int read_policy(zygote *z, eas_err *err)
{
  char *text = eas_alloc(EAS_WIRE_POLICY);
  int n_fds = 0;
  ssize_t n = eas_wire_receive(EAS_WIRE_SOCKET, text, EAS_WIRE_POLICY, NULL, &n_fds);
  if (n > 0) z->policy = eas_json_parse(text, (size_t)n, "policy", err);
  free(text);
  if (!z->policy) return n > 0 ? err->code : eas_fail(err, EAS_ECONNECT, "no policy came");
  z->probe.layers = (unsigned)eas_json_int(z->policy, "layers", 0);
  z->probe.landlock_abi = (int)eas_json_int(z->policy, "landlock_abi", 0);
  z->supervisor = (pid_t)eas_json_int(z->policy, "supervisor", 0);
  z->packs = words_of(json_object_get(z->policy, "packs"), NULL);
  const char *own[] = { eas_home_share(), eas_home_native(), NULL };
  const char **with_exec = words_of(json_object_get(z->policy, "exec_path"), own);
  z->read_only = words_of(json_object_get(z->policy, "packs"), with_exec);
  free(with_exec);
  z->self.policy = (eas_zygote_policy){
    .probe = &z->probe,
    .use = (unsigned)eas_json_int(z->policy, "use", 0),
    .read_only = z->read_only,
    .data_dir = eas_json_str(z->policy, "data_dir"),
    .scratch_root = eas_json_str(z->policy, "scratch_root"),
    .store_root = eas_json_str(z->policy, "store_root"),
    .input_root = eas_json_str(z->policy, "input_root"),
  };
  return 0;
}

/* A clone has only the thread that made it: locks that another held would stay shut for ever. */
static int count_threads(const zygote *z)
{
  char text[4096];
  int fd = z->proc_self < 0 ? -1 : openat(z->proc_self, "status", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n <= 0) return 1;
  text[n] = 0;
  const char *line = strstr(text, "\nThreads:");
  return line ? atoi(line + 9) : 1;
}

static int prepare(zygote *z, eas_err *err)
{
  int rc = read_policy(z, err);
  if (rc < 0) return rc;
  rc = eas_sandbox_enter_zygote(&z->self.policy, &z->self.layers, z->reason, err);
  if (rc < 0) return rc;
  const eas_runner *r = z->self.runner;
  if (r->load) rc = r->load(r->arg, eas_home_share(), z->packs, err);
  if (rc < 0) return rc;
  int threads = count_threads(z);
  if (threads > 1) {
    rc = eas_fail(err, EAS_EINVAL, "loading the packs started %d threads", threads - 1);
    eas_hint(err, "load that library in the script's handler, not at its top");
    return rc;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* again: a change of credentials clears it */
  if (getppid() != z->supervisor) return eas_fail(err, EAS_ECONNECT, "the supervisor is gone");
  eas_signals_zygote(r);
  eas_child_prepare();
  return 0;
}

static void answer_policy(const zygote *z, int rc, const eas_err *err)
{
  json_t *v = json_object();
  if (rc < 0) {
    json_object_set_new(v, "code", json_integer(rc));
    json_object_set_new(v, "error", json_string(err->text));
  } else {
    json_t *reasons = json_array();
    for (int i = 0; i < EAS_LAYER_COUNT; i++) json_array_append_new(reasons, json_string(z->reason[i]));
    json_object_set_new(v, "layers", json_integer((json_int_t)z->self.layers));
    json_object_set_new(v, "reasons", reasons);
  }
  char *text = json_dumps(v, JSON_COMPACT);
  json_decref(v);
  if (text) eas_wire_send(EAS_WIRE_SOCKET, text, strlen(text), NULL, 0, NULL, 0);
  free(text);
}

/* As the C library's fork, but with the supervisor for a parent. By the raw call, since clone3 is closed by then. */
static pid_t clone_child(const zygote *z, int *pidfd)
{
  unsigned long flags = CLONE_PARENT | CLONE_PIDFD | SIGCHLD;
  if (z->self.layers & EAS_LAYER_PID_NS) flags |= CLONE_NEWPID;
  if (z->thread_id) flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
#if defined(__x86_64__)
  return (pid_t)syscall(SYS_clone, flags, 0, pidfd, z->thread_id, 0);
#else
  return (pid_t)syscall(SYS_clone, flags, 0, pidfd, 0, z->thread_id);
#endif
}

static void serve(zygote *z, const eas_wanted *wanted)
{
  int pidfd = -1;
  if (z->self.layers & EAS_LAYER_LANDLOCK && !wanted->head->in_memfd)
    eas_sandbox_prepare_child(&z->self.policy, wanted->head->slot, wanted->strings);
  int64_t now = eas_tick_us();
  pid_t pid = clone_child(z, &pidfd);
  if (pid == 0) eas_child_main(&z->self, wanted);
  eas_wire_answer answer = { .started_us = now, .pid = pid, .error = pid < 0 ? errno : 0 };
  eas_wire_send(EAS_WIRE_SOCKET, &answer, sizeof answer, NULL, 0, &pidfd, pid > 0 ? 1 : 0);
  if (pid > 0) close(pidfd);
}

static int is_sound(const eas_wanted *w, size_t n)
{
  const eas_wire_spawn *h = w->head;
  if (n < sizeof *h || h->n_groups < 0 || h->n_groups > 3 || h->strings <= h->request) return 0;
  if (w->n_fds != EAS_WIRE_FIXED + h->n_groups + (h->in_memfd ? 1 : 0)) return 0;
  return n - sizeof *h == (h->in_memfd ? 0 : h->strings);
}

int eas_zygote_main(int fd, const eas_runner *runner)
{
  static zygote z;
  static union {
    eas_wire_spawn head;
    char bytes[sizeof(eas_wire_spawn) + EAS_WIRE_INLINE];
  } message;
  eas_err err = { 0 };
  eas_memory_begin();
  z.self.runner = runner;
  settle(&z, fd);
  int rc = prepare(&z, &err);
  answer_policy(&z, rc, &err);
  if (rc < 0) return 1;
  eas_memory_settle(z.proc_self);
  for (;;) {
    eas_wanted wanted = { .head = &message.head,
                          .strings = message.bytes + sizeof message.head,
                          .n_fds = EAS_WIRE_FDS };
    ssize_t n = eas_wire_receive(EAS_WIRE_SOCKET, &message, sizeof message, wanted.fds, &wanted.n_fds);
    if (n <= 0) return n == 0 ? 0 : 1;
    eas_wire_answer refused = { .error = EPROTO };
    if (is_sound(&wanted, (size_t)n))
      serve(&z, &wanted);
    else
      eas_wire_send(EAS_WIRE_SOCKET, &refused, sizeof refused, NULL, 0, NULL, 0);
    for (int i = 0; i < wanted.n_fds; i++) close(wanted.fds[i]);
  }
}
