/* probe.c: tries each layer in a forked child. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/own.h"

/* Each trial runs in a process of its own: returns 0 or a negative errno. */
typedef int trial_fn(const eas_probe *so_far, const char **what);

static int try_rlimits(const eas_probe *so_far, const char **what)
{
  (void)so_far;
  eas_limits small = { .cpu_s = 10, .file_bytes = 1 << 20, .files = 32 };
  int rc = eas_limits_apply(&small, 0, what);
  struct rlimit got;
  if (rc == 0 && (getrlimit(RLIMIT_NOFILE, &got) < 0 || got.rlim_cur > 32)) rc = -EPERM;
  return rc;
}

static int try_no_new_privs(const eas_probe *so_far, const char **what)
{
  (void)so_far;
  *what = "prctl(PR_SET_NO_NEW_PRIVS)";
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int try_seccomp(const eas_probe *so_far, const char **what)
{
  int rc = try_no_new_privs(so_far, what);
  if (rc == 0) rc = eas_seccomp_load(what);
  if (rc < 0) return rc;
  *what = "filter without effect";
  return socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : -ENOTSUP;
}

static int try_landlock(const eas_probe *so_far, const char **what)
{
  eas_trees none = { NULL, 0, 0 };
  *what = "landlock_create_ruleset";
  if (so_far->landlock_abi < 0) return so_far->landlock_abi;
  int rc = try_no_new_privs(so_far, what);
  if (rc == 0) rc = chdir("/tmp") < 0 ? -errno : 0;
  if (rc == 0) rc = eas_landlock_prepare(&none, 0, 0);
  if (rc == 0) rc = eas_landlock_apply(so_far->landlock_abi, -1, "/tmp", NULL, what);
  if (rc < 0) return rc;
  *what = "rules without effect";
  return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : -ENOTSUP;
}

static int try_uid(const eas_probe *so_far, const char **what)
{
  *what = "setresuid";
  return so_far->is_root ? eas_uid_enter(eas_slot_uid(0), what) : -EPERM;
}

static int try_user_ns(const eas_probe *so_far, const char **what)
{
  (void)so_far;
  return eas_ns_user(what);
}

/* As the zygote does it: as root, else behind a user namespace. */
static int privileged(const eas_probe *so_far, const char **what)
{
  *what = "no privilege and no user namespace";
  if (unshare(CLONE_NEWUTS) == 0) return 0;
  return so_far->layers & EAS_LAYER_USER_NS ? eas_ns_user(what) : -EPERM;
}

static int try_mount_ns(const eas_probe *so_far, const char **what)
{
  eas_zygote_policy p = { .probe = so_far, .scratch_root = "/tmp" };
  eas_trees trees;
  int rc = privileged(so_far, what);
  if (rc < 0) return rc;
  eas_trees_of(&p, &trees);
  return eas_ns_root(&p, &trees, so_far->is_root, what); /* this process ends here: nothing is freed */
}

static int try_pid_ns(const eas_probe *so_far, const char **what)
{
  int rc = privileged(so_far, what);
  if (rc < 0) return rc;
  *what = "clone(CLONE_NEWPID)";
  pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(getpid() == 1 ? 0 : 1);
  int status = 1;
  if (pid < 0) return -errno;
  return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -EIO;
}

static int try_unshare(const eas_probe *so_far, int flag, const char **what)
{
  int rc = privileged(so_far, what);
  if (rc < 0) return rc;
  *what = "unshare";
  return unshare(flag) < 0 ? -errno : 0;
}

static int try_net_ns(const eas_probe *so_far, const char **what)
{
  return try_unshare(so_far, CLONE_NEWNET, what);
}
static int try_ipc_ns(const eas_probe *so_far, const char **what)
{
  return try_unshare(so_far, CLONE_NEWIPC, what);
}

typedef struct {
  int rc;
  char what[120];
} answer;
typedef struct {
  unsigned bit;
  trial_fn *fn;
} trial;
typedef struct {
  pid_t pid;
  int fd;
} running;

static running begin(const eas_probe *so_far, trial_fn *fn)
{
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return (running){ -errno, -1 };
  running r = { fork(), fds[0] };
  if (r.pid == 0) {
    const char *what = "";
    answer a = { fn(so_far, &what), "" };
    snprintf(a.what, sizeof a.what, "%s", what);
    _exit(write(fds[1], &a, sizeof a) == (ssize_t)sizeof a ? 0 : 1);
  }
  if (r.pid < 0) r.pid = -errno;
  close(fds[1]);
  return r;
}

static void finish(eas_probe *out, unsigned bit, running r)
{
  answer a = { -EIO, "the trial died" }, got;
  if (r.pid < 0) a = (answer){ r.pid, "fork" };
  if (r.fd >= 0 && read(r.fd, &got, sizeof got) == (ssize_t)sizeof got) a = got;
  if (r.fd >= 0) close(r.fd);
  if (r.pid > 0)
    while (waitpid(r.pid, NULL, 0) < 0 && errno == EINTR) continue;
  if (a.rc == 0)
    out->layers |= bit;
  else
    eas_layer_reason(out, bit, "%s: %s", a.what, strerror(-a.rc));
}

/* Side by side: taking a network namespace down takes longest, and nobody has to wait for it. */
static void run_trials(eas_probe *out, const trial *trials, int n)
{
  enum { MOST = 8 };
  running r[MOST];
  for (int i = 0; i < n && i < MOST; i++) r[i] = begin(out, trials[i].fn);
  for (int i = 0; i < n && i < MOST; i++) finish(out, trials[i].bit, r[i]);
}

/* In a chroot "/" is seldom a mount point; when it is one, root can compare it with pid 1's. */
static int in_chroot(void)
{
  struct stat own, first;
  char line[4096], at[1024];
  int is_mount = 0;
  if (stat("/", &own) == 0 && stat("/proc/1/root/.", &first) == 0)
    return own.st_dev != first.st_dev || own.st_ino != first.st_ino;
  FILE *f = fopen("/proc/self/mountinfo", "re");
  if (!f) return 0;
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "%*s %*s %*s %*s %1023s", at) == 1 && strcmp(at, "/") == 0) is_mount = 1;
  fclose(f);
  return !is_mount;
}

static void explain(eas_probe *out)
{
  if (!(out->layers & EAS_LAYER_USER_NS) && out->in_chroot)
    eas_layer_reason(out, EAS_LAYER_USER_NS, "the kernel gives no user namespace in a chroot");
  if (!(out->layers & EAS_LAYER_UID) && !out->is_root)
    eas_layer_reason(out, EAS_LAYER_UID, "only root can give each slot a user of its own");
  if (out->landlock_abi == -ENOSYS) eas_layer_reason(out, EAS_LAYER_LANDLOCK, "this kernel has no Landlock");
  if (out->landlock_abi == -EOPNOTSUPP)
    eas_layer_reason(out, EAS_LAYER_LANDLOCK, "Landlock is switched off (kernel option lsm=)");
  if (out->landlock_abi < 0) out->landlock_abi = 0;
}

void eas_sandbox_probe(eas_probe *out)
{
  static const trial first[] = {
    { EAS_LAYER_RLIMITS, try_rlimits }, { EAS_LAYER_NO_NEW_PRIVS, try_no_new_privs },
    { EAS_LAYER_SECCOMP, try_seccomp }, { EAS_LAYER_LANDLOCK, try_landlock },
    { EAS_LAYER_UID, try_uid },         { EAS_LAYER_USER_NS, try_user_ns },
  };
  static const trial then[] = {
    /* perhaps behind a user namespace */
    { EAS_LAYER_MOUNT_NS, try_mount_ns },
    { EAS_LAYER_PID_NS, try_pid_ns },
    { EAS_LAYER_NET_NS, try_net_ns },
    { EAS_LAYER_IPC_NS, try_ipc_ns },
  };
  memset(out, 0, sizeof *out);
  out->is_root = geteuid() == 0;
  out->in_chroot = in_chroot();
  out->landlock_abi = eas_landlock_version();
  run_trials(out, first, sizeof first / sizeof *first);
  run_trials(out, then, sizeof then / sizeof *then);
  explain(out);
  if (out->landlock_abi > 0)
    eas_landlock_names_missing(out->landlock_abi, out->landlock_missing, sizeof out->landlock_missing);
  eas_cgroup_find(out);
}
