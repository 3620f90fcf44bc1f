/* limits.c: rlimits, identity and capabilities of a child. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/own.h"

#if defined(__SANITIZE_ADDRESS__)
enum { WITH_ASAN = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { WITH_ASAN = 1 };
#else
enum { WITH_ASAN = 0 };
#endif
#else
enum { WITH_ASAN = 0 };
#endif

enum { N_LIMITS = 7 };
static const struct {
  __rlimit_resource_t which;
  const char *name;
} LIMITS[N_LIMITS] = {
  { RLIMIT_CORE, "RLIMIT_CORE" },     { RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK" }, { RLIMIT_CPU, "RLIMIT_CPU" },
  { RLIMIT_AS, "RLIMIT_AS" },         { RLIMIT_FSIZE, "RLIMIT_FSIZE" },     { RLIMIT_NPROC, "RLIMIT_NPROC" },
  { RLIMIT_NOFILE, "RLIMIT_NOFILE" },
};
static struct rlimit ours[N_LIMITS]; /* what a child inherits */
static int ours_known;

static int64_t others; /* processes and threads that this user has besides the attempts' */
static int64_t slots;  /* as many as there may be */

/* RLIMIT_NPROC counts all of a user (in a user namespace: all of it in there). Without a uid per slot the limit is therefore
 * laid on top of what runs already, with room for as many slots as there may be: it stops a fork bomb, it does not share out. */
static int64_t shared_limit(int64_t processes, unsigned use)
{
  return (use & EAS_LAYER_USER_NS ? 1 : others) + slots * processes;
}

static int64_t threads_of(const char *pid, uid_t uid)
{
  char path[300];
  struct stat st;
  snprintf(path, sizeof path, "/proc/%.16s", pid);
  if (stat(path, &st) < 0 || st.st_uid != uid) return 0;
  strcat(path, "/task");
  if (stat(path, &st) < 0) return 1;
  return st.st_nlink > 2 ? (int64_t)st.st_nlink - 2 : 1;
}

/* The cgroup's limit comes first then, since it counts what it refused; a setuid or a zombie may count twice here. */
enum { ABOVE_GROUP = 16 };

/* Never over the hard limit that is there already: raising it takes a privilege, and lowering is all that is wanted. */
static int lower(int i, int64_t soft, int64_t hard)
{
  struct rlimit want = { .rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard };
  if (want.rlim_max > ours[i].rlim_max) want.rlim_max = ours[i].rlim_max;
  if (want.rlim_cur > want.rlim_max) want.rlim_cur = want.rlim_max;
  if (want.rlim_cur == ours[i].rlim_cur && want.rlim_max == ours[i].rlim_max) return 0;
  return setrlimit(LIMITS[i].which, &want) < 0 ? -errno : 0;
}

/* The zygote needs neither of the first two itself, so that no child has to give them up. */
static void read_limits(void)
{
  static const struct rlimit none = { 0, 0 };
  for (int i = 0; i < N_LIMITS; i++) {
    if (i < 2) setrlimit(LIMITS[i].which, &none);
    if (getrlimit(LIMITS[i].which, &ours[i]) < 0) ours[i].rlim_cur = ours[i].rlim_max = RLIM_INFINITY;
  }
  ours_known = 1;
}

void eas_limits_prepare(int with_uids)
{
  read_limits();
  DIR *d = with_uids ? NULL : opendir("/proc");
  long cpus = sysconf(_SC_NPROCESSORS_ONLN); /* reads files of /sys: not for each child */
  slots = cpus > 4 ? 2 * (int64_t)cpus : 8;
  others = 0;
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));)
    if (e->d_name[0] >= '1' && e->d_name[0] <= '9') others += threads_of(e->d_name, getuid());
  closedir(d);
}

int eas_limits_apply(const eas_limits *l, unsigned use, const char **what)
{
  if (!ours_known) read_limits();
  int64_t processes = l->processes, memory = 0;
  if (!(use & EAS_LAYER_UID) && processes > 0) processes = shared_limit(processes, use);
  if ((use & EAS_LAYER_CGROUP_PIDS) && processes > 0) processes += ABOVE_GROUP;
  if (l->memory_bytes > 0 && !(use & EAS_LAYER_CGROUP_MEMORY) && !WITH_ASAN) memory = l->memory_bytes + (1 << 30);
  const int64_t soft[N_LIMITS] = { 0, 0, l->cpu_s, memory, l->file_bytes, processes, l->files };
  for (int i = 0; i < N_LIMITS; i++) {
    *what = LIMITS[i].name;
    int on = i < 2 || soft[i] > 0, more = LIMITS[i].which == RLIMIT_CPU ? 5 : 0; /* SIGXCPU, then SIGKILL */
    int rc = on ? lower(i, soft[i], soft[i] + more) : 0;
    if (rc < 0) return rc;
  }
  return 0;
}

int eas_groups_drop(const char **what)
{
  *what = "setgroups";
  return setgroups(0, NULL) < 0 ? -errno : 0;
}

int eas_uid_enter(uid_t uid, const char **what)
{
  *what = "setresgid";
  if (syscall(SYS_setresgid, uid, uid, uid) < 0) return -errno;
  *what = "setresuid"; /* by the system call: glibc's would signal threads that a fresh clone does not have */
  if (syscall(SYS_setresuid, uid, uid, uid) < 0) return -errno;
  return 0;
}

/* What the zygote still does as root: pid namespaces, other users, entering their scratch. */
int eas_caps_keep_few(const char **what)
{
  static const int kept[] = { CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_DAC_READ_SEARCH };
  struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
  struct __user_cap_data_struct data[2];
  *what = "capset";
  if (syscall(SYS_capget, &head, data) < 0) return -errno;
  uint32_t mask = 0;
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) mask |= 1u << kept[i];
  data[0].permitted &= mask;
  data[0].effective &= mask;
  data[1].permitted = data[1].effective = data[0].inheritable = data[1].inheritable = 0;
  return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int eas_caps_drop(const char **what)
{
  struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
  struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
  if (geteuid() == 0) { /* uid 0 without capabilities would gain them again by exec */
    int bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
               SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    *what = "securebits";
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 && errno != EPERM) return -errno;
  }
  *what = "capset";
  return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}
