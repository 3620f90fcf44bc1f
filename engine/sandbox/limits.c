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

void eas_limits_prepare(void)
{
  DIR *d = opendir("/proc");
  long cpus = sysconf(_SC_NPROCESSORS_ONLN); /* reads files of /sys: not for each child */
  slots = cpus > 4 ? 2 * (int64_t)cpus : 8;
  others = 0;
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));)
    if (e->d_name[0] >= '1' && e->d_name[0] <= '9') others += threads_of(e->d_name, getuid());
  closedir(d);
}

/* The cgroup's limit comes first then, since it counts what it refused; a setuid or a zombie may count twice here. */
enum { ABOVE_GROUP = 16 };

/* Never over the hard limit that is there already: raising it takes a privilege, and lowering is all that is wanted. */
static int lower(__rlimit_resource_t which, int64_t soft, int64_t hard)
{
  struct rlimit now;
  if (getrlimit(which, &now) < 0) return -errno;
  struct rlimit want = { .rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard };
  if (want.rlim_max > now.rlim_max) want.rlim_max = now.rlim_max;
  if (want.rlim_cur > want.rlim_max) want.rlim_cur = want.rlim_max;
  return setrlimit(which, &want) < 0 ? -errno : 0;
}

int eas_limits_apply(const eas_limits *l, unsigned use, const char **what)
{
  int64_t processes = l->processes;
  if (!(use & EAS_LAYER_UID) && processes > 0) processes = shared_limit(processes, use);
  if ((use & EAS_LAYER_CGROUP_PIDS) && processes > 0) processes += ABOVE_GROUP;
  int as = l->memory_bytes > 0 && !(use & EAS_LAYER_CGROUP_MEMORY) && !WITH_ASAN;
  const struct {
    int on;
    __rlimit_resource_t which;
    int64_t soft, hard;
    const char *name;
  } rows[] = {
    { 1, RLIMIT_CORE, 0, 0, "RLIMIT_CORE" },
    { 1, RLIMIT_MEMLOCK, 0, 0, "RLIMIT_MEMLOCK" },
    { l->cpu_s > 0, RLIMIT_CPU, l->cpu_s, l->cpu_s + 5, "RLIMIT_CPU" },
    { as, RLIMIT_AS, l->memory_bytes + (1 << 30), l->memory_bytes + (1 << 30), "RLIMIT_AS" },
    { l->file_bytes > 0, RLIMIT_FSIZE, l->file_bytes, l->file_bytes, "RLIMIT_FSIZE" },
    { processes > 0, RLIMIT_NPROC, processes, processes, "RLIMIT_NPROC" },
    { l->files > 0, RLIMIT_NOFILE, l->files, l->files, "RLIMIT_NOFILE" },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    *what = rows[i].name;
    int rc = rows[i].on ? lower(rows[i].which, rows[i].soft, rows[i].hard) : 0;
    if (rc < 0) return rc;
  }
  return 0;
}

int eas_uid_enter(uid_t uid, const char **what)
{
  *what = "setgroups";
  if (setgroups(0, NULL) < 0) return -errno;
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
