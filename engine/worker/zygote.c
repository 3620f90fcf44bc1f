/* zygote.c: the supervisor's side: starts the zygote and tells it its policy. zygote_spawn.c asks it for children. */
#include "worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/path.h"
#include "worker/zygote_own.h"
#include "worker/zygote_wire.h"

#if defined(__SANITIZE_ADDRESS__)
enum { WITH_ASAN = 1, READY_MS = 60000 };
#else
enum { WITH_ASAN = 0, READY_MS = 5000 };
#endif
enum { END_MS = 2000 };

/* The whole environment of the zygote and its children: nothing of the supervisor's but these, which hold no secret. With
 * LD_BIND_NOW the zygote finds each function of a library once; else each child would again (it is taken back before children are). */
static const char *const FIXED[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC",
                                     "OMP_WAIT_POLICY=passive", "LD_BIND_NOW=1" };
static const char *const PASSED[] = { "EAS_SIMD", "LD_LIBRARY_PATH", "UBSAN_OPTIONS" };

static char **make_environment(void)
{
  size_t room = sizeof FIXED / sizeof *FIXED + sizeof PASSED / sizeof *PASSED + 2, n = 0;
  char **list = eas_alloc(room * sizeof *list);
  for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED; i++) list[n++] = eas_strdup(FIXED[i]);
  for (size_t i = 0; i < sizeof PASSED / sizeof *PASSED; i++) {
    const char *value = getenv(PASSED[i]);
    if (value) list[n++] = eas_format("%s=%s", PASSED[i], value);
  }
  const char *asan = getenv("ASAN_OPTIONS");
  if (asan || WITH_ASAN) /* leaks cannot be looked for by a process that may not be traced */
    list[n++] = eas_format("ASAN_OPTIONS=%s%sdetect_leaks=0", asan ? asan : "", asan ? ":" : "");
  return list;
}

static void free_list(char **list)
{
  for (size_t i = 0; list[i]; i++) free(list[i]);
  free(list);
}

static int execute(eas_zygote *z, const char *exe, int socket, eas_err *err)
{
  char fd[16];
  snprintf(fd, sizeof fd, "%d", EAS_WIRE_SOCKET);
  char *name = eas_strdup("eas"), *flag = eas_strdup("--zygote");
  char *argv[] = { name, flag, fd, NULL };
  char **environment = make_environment();
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attr;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attr);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask(&attr, &none);
  posix_spawnattr_setsigdefault(&attr, &all);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, EAS_WIRE_SOCKET);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, EAS_WIRE_SOCKET + 1);
  int rc = posix_spawn(&z->pid, exe, &actions, &attr, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attr);
  free_list(environment);
  free(name);
  free(flag);
  if (rc != 0) {
    z->pid = 0;
    return eas_fail(err, EAS_EIO, "start '%s --zygote': %s", exe, strerror(rc));
  }
  eas_orphans_known(z->pid);
  z->pidfd = (int)syscall(SYS_pidfd_open, z->pid, 0);
  return z->pidfd < 0 ? eas_fail(err, EAS_EIO, "pidfd of the zygote: %s", strerror(errno)) : 0;
}

/* The small program for this alone, if it is installed: what it does not map, no clone copies. Else this program. */
static char *own_program(void)
{
  char *small = eas_format("%s/../../libexec/eas-zygote", eas_home_share());
  if (access(small, X_OK) == 0) return small;
  free(small);
  return eas_strdup("/proc/self/exe");
}

static json_t *list_of(const char *const *words)
{
  json_t *list = json_array();
  for (size_t i = 0; words && words[i]; i++) json_array_append_new(list, json_string(words[i]));
  return list;
}

/* As the zygote will see it, whose current folder is another. */
static json_t *absolute(const char *path)
{
  if (!path) return json_null();
  if (path[0] == '/') return json_string(path);
  char *real = realpath(path, NULL);
  json_t *v = real ? json_string(real) : json_string(path);
  free(real);
  return v;
}

static char *policy_text(const eas_zygote_options *o)
{
  json_t *v = json_object();
  json_object_set_new(v, "supervisor", json_integer(getpid()));
  json_object_set_new(v, "layers", json_integer((json_int_t)o->probe->layers));
  json_object_set_new(v, "landlock_abi", json_integer(o->probe->landlock_abi));
  json_object_set_new(v, "use", json_integer((json_int_t)o->use));
  json_object_set_new(v, "packs", list_of(o->packs));
  json_object_set_new(v, "exec_path", list_of(o->exec_path));
  json_object_set_new(v, "data_dir", absolute(o->data_dir));
  json_object_set_new(v, "scratch_root", absolute(o->scratch_root));
  json_object_set_new(v, "store_root", absolute(o->store_root));
  json_object_set_new(v, "input_root", absolute(o->input_root));
  char *text = json_dumps(v, JSON_COMPACT);
  json_decref(v);
  return text;
}

static int wait_readable(int fd, int ms)
{
  struct pollfd p = { .fd = fd, .events = POLLIN };
  int n;
  while ((n = poll(&p, 1, ms)) < 0 && errno == EINTR) continue;
  return n;
}

static int read_answer(eas_zygote *z, const eas_zygote_options *o, const json_t *v, eas_err *err)
{
  const char *why = eas_json_str(v, "error");
  if (why) return eas_fail(err, (int)eas_json_int(v, "code", EAS_EIO), "zygote: %s", why);
  z->layers = (unsigned)eas_json_int(v, "layers", 0);
  const json_t *reasons = json_object_get(v, "reasons");
  for (int i = 0; i < EAS_LAYER_COUNT; i++) {
    const char *reason = json_string_value(json_array_get(reasons, (size_t)i));
    snprintf(z->reason[i], sizeof z->reason[i], "%s", reason ? reason : "");
  }
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if ((o->require >> i & 1) && !(z->layers >> i & 1))
      return eas_fail(err, EAS_EREFUSED, "isolation layer '%s' is required and cannot be put on: %s",
                      eas_layer_name(1 << i), z->reason[i][0] ? z->reason[i] : "it is not in use");
  return 0;
}

static int introduce(eas_zygote *z, const eas_zygote_options *o, eas_err *err)
{
  char *policy = policy_text(o);
  if (!policy) return eas_fail(err, EAS_EINVAL, "zygote: a folder's name is no UTF-8");
  int rc =
      strlen(policy) < EAS_WIRE_POLICY ? eas_wire_send(z->socket, policy, strlen(policy), NULL, 0, NULL, 0) : -EMSGSIZE;
  free(policy);
  if (rc < 0) return eas_fail(err, EAS_ECONNECT, "zygote: send its policy: %s", strerror(-rc));
  if (wait_readable(z->socket, READY_MS) == 0)
    return eas_fail(err, EAS_ECONNECT, "zygote: not ready after %d s", READY_MS / 1000);
  char *text = eas_alloc(EAS_WIRE_POLICY);
  int n_fds = 0;
  ssize_t n = eas_wire_receive(z->socket, text, EAS_WIRE_POLICY, NULL, &n_fds);
  json_t *v = n > 0 ? eas_json_parse(text, (size_t)n, "zygote", NULL) : NULL;
  free(text);
  if (!v) return eas_fail(err, EAS_ECONNECT, "zygote: ended before it was ready");
  rc = read_answer(z, o, v, err);
  json_decref(v);
  return rc;
}

int eas_zygote_start(eas_zygote **out, const eas_zygote_options *o, eas_err *err)
{
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return eas_fail(err, EAS_EIO, "socket pair for the zygote: %s", strerror(errno));
  eas_zygote *z = eas_alloc(sizeof *z);
  z->socket = pair[0];
  z->pidfd = -1;
  /* What children leave behind when they have no pid namespace comes to this process, see eas_child_done. */
  if (!(o->use & EAS_LAYER_PID_NS)) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  char *program = o->exe ? eas_strdup(o->exe) : own_program();
  int rc = execute(z, program, pair[1], err);
  free(program);
  close(pair[1]);
  if (rc == 0) rc = introduce(z, o, err);
  if (rc < 0) {
    if (z->pidfd >= 0) syscall(SYS_pidfd_send_signal, z->pidfd, SIGKILL, NULL, 0);
    eas_zygote_stop(z);
    return rc;
  }
  *out = z;
  return 0;
}

void eas_zygote_stop(eas_zygote *z)
{
  if (!z) return;
  siginfo_t info;
  close(z->socket); /* it ends at the end of its requests */
  if (z->pidfd >= 0 && wait_readable(z->pidfd, END_MS) == 0) syscall(SYS_pidfd_send_signal, z->pidfd, SIGKILL, NULL, 0);
  if (z->pid > 0) eas_orphans_forget(z->pid);
  if (z->pid > 0)
    while (waitid(P_PID, (id_t)z->pid, &info, WEXITED) < 0 && errno == EINTR) continue;
  if (z->pidfd >= 0) close(z->pidfd);
  free(z);
}

int eas_zygote_fd(const eas_zygote *z)
{
  return z->socket;
}

int eas_zygote_pidfd(const eas_zygote *z)
{
  return z->pidfd;
}

unsigned eas_zygote_layers(const eas_zygote *z)
{
  return z->layers;
}

const char *eas_zygote_reason(const eas_zygote *z, int bit)
{
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if (bit == 1 << i) return z->reason[i];
  return "";
}
