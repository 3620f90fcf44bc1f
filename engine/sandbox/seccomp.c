/* seccomp.c: a deny list, loaded once in the zygote and inherited.
 *
 * Denied is what reaches other processes, the network or rarely visited parts of the kernel. A denied call fails with
 * EPERM (or ENOSYS, where libraries then fall back); it does not kill, so that programs can say what went wrong. */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "sandbox/own.h"

/* clone3 passes its flags by pointer, which a filter cannot read: glibc falls back to clone. */
static const char *const UNKNOWN[] = {
  "clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_secret",
};

static const char *const DENIED[] = {
  /* other processes */
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "process_madvise",
  "process_mrelease",
  "pidfd_getfd",
  "kcmp",
  "migrate_pages",
  "move_pages",
  /* the network: sockets come from socketpair only, see below */
  "socket",
  "connect",
  "bind",
  "listen",
  "accept",
  "accept4",
  /* namespaces, mounts */
  "unshare",
  "setns",
  "mount",
  "umount",
  "umount2",
  "pivot_root",
  "chroot",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "move_mount",
  "open_tree",
  "mount_setattr",
  "name_to_handle_at",
  "open_by_handle_at",
  "fanotify_init",
  "quotactl",
  "quotactl_fd",
  "swapon",
  "swapoff",
  /* the kernel */
  "bpf",
  "userfaultfd",
  "perf_event_open",
  "kexec_load",
  "kexec_file_load",
  "init_module",
  "finit_module",
  "delete_module",
  "keyctl",
  "add_key",
  "request_key",
  "lookup_dcookie",
  "acct",
  "reboot",
  "syslog",
  "settimeofday",
  "clock_settime",
  "clock_adjtime",
  "adjtimex",
  "iopl",
  "ioperm",
  "modify_ldt",
  "vhangup",
  "sethostname",
  "setdomainname",
  "nfsservctl",
  "uselib",
  "vm86",
  "_sysctl",
};

static int deny(scmp_filter_ctx ctx, const char *name, int code)
{
  int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return 0; /* a newer call than this libseccomp knows */
  int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)code), number, 0);
  return rc == -EDOM ? 0 : rc; /* not on this architecture */
}

/* Calls that are denied for some arguments only. */
static int deny_some(scmp_filter_ctx ctx)
{
  static const uint64_t spaces[] = { CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,
                                     CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP };
  int rc = 0; /* CLONE_NEWPID stays: the zygote needs it, and a child has not the capability */
  for (size_t i = 0; rc == 0 && i < sizeof spaces / sizeof *spaces; i++)
    rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                          SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
  /* Only connected pairs within this process: a datagram one could be sent to somebody's named socket. */
  if (rc == 0)
    rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0));
  if (rc == 0)
    rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socketpair), 1,
                          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
  if (rc == 0)
    rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socketpair), 1,
                          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW));
  if (rc == 0)
    rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI));
  if (rc == 0)
    rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCLINUX));
  if (rc == 0) /* its pipes are the next child's too */
    rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fcntl), 1,
                          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, F_SETPIPE_SZ));
  return rc;
}

int eas_seccomp_load(const char **what)
{
  *what = "seccomp filter";
  scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
  if (!ctx) return -ENOMEM;
  int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)); /* 32-bit and x32 calls */
  if (rc == 0) rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0); /* done by the caller, and reported */
#if SCMP_VER_MAJOR > 2 || SCMP_VER_MINOR >= 5
  if (rc == 0)
    rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree instead of a chain: every call pays it */
#endif
  for (size_t i = 0; rc == 0 && i < sizeof UNKNOWN / sizeof *UNKNOWN; i++) rc = deny(ctx, UNKNOWN[i], ENOSYS);
  for (size_t i = 0; rc == 0 && i < sizeof DENIED / sizeof *DENIED; i++) rc = deny(ctx, DENIED[i], EPERM);
  if (rc == 0) rc = deny_some(ctx);
  if (rc == 0) rc = seccomp_load(ctx);
  seccomp_release(ctx);
  return rc;
}
