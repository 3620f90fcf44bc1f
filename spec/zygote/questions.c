/* questions.c: attacks that are either denied or go through. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks.h"

static int result(long rc)
{
  return rc < 0 ? -errno : 1;
}

static int opened(const char *dir, const char *name, int flags)
{
  char path[1024];
  snprintf(path, sizeof path, "%s%s", dir, name);
  int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  if (flags & O_WRONLY && write(fd, "x", 1) < 0) return -errno;
  close(fd);
  return 1;
}

/* clang-format off */
static int write_outside(const attack_given *g) { return opened(g->data, "/victim", O_WRONLY); }
static int write_dotdot(const attack_given *g) { (void)g; return opened("", "../../victim", O_WRONLY); }
static int create_outside(const attack_given *g) { return opened(g->data, "/created", O_WRONLY | O_CREAT); }
static int create_in_tmp(const attack_given *g) { (void)g; return opened("/tmp", "/eas-created", O_WRONLY | O_CREAT); }
static int create_in_shm(const attack_given *g) { (void)g; return opened("/dev/shm", "/eas-created", O_WRONLY | O_CREAT); }
static int write_system(const attack_given *g) { (void)g; return opened("/usr", "/lib/eas-created", O_WRONLY | O_CREAT); }
static int read_secret(const attack_given *g) { return opened(g->data, "/secret", O_RDONLY); }
static int read_shadow(const attack_given *g) { (void)g; return opened("/etc", "/shadow", O_RDONLY); }
static int list_data(const attack_given *g) { return opened(g->data, "", O_RDONLY | O_DIRECTORY); }
static int list_store(const attack_given *g) { return opened(g->data, "/store", O_RDONLY | O_DIRECTORY); }
static int list_root(const attack_given *g) { (void)g; return opened("/", "", O_RDONLY | O_DIRECTORY); }
static int read_foreign(const attack_given *g) { return opened(g->foreign, "", O_RDONLY); }
static int write_input(const attack_given *g) { return opened(g->input, "", O_WRONLY); }
static int read_input(const attack_given *g) { return opened(g->input, "", O_RDONLY); }
static int read_pack(const attack_given *g) { return opened(g->data, "/../pack.txt", O_RDONLY); }
static int write_pack(const attack_given *g) { return opened(g->data, "/../pack.txt", O_WRONLY); }
static int other_scratch(const attack_given *g) { return opened(g->data, "/scratch/other/mine", O_RDONLY); }
static int use_null(const attack_given *g) { (void)g; return opened("/dev", "/null", O_WRONLY); }
static int use_urandom(const attack_given *g) { (void)g; return opened("/dev", "/urandom", O_RDONLY); }
static int read_memory_device(const attack_given *g) { (void)g; return opened("/dev", "/mem", O_RDONLY); }
static int read_disk_device(const attack_given *g) { (void)g; return opened("/dev", "/vda", O_RDONLY); }
static int write_scratch(const attack_given *g) { (void)g; return opened("", "out/own", O_WRONLY | O_CREAT); }
/* clang-format on */

static int write_by_link(const attack_given *g)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/victim", g->data);
  if (symlink(path, "link") < 0) return -errno;
  return opened("", "link", O_WRONLY);
}

static int truncate_outside(const attack_given *g)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/victim", g->data);
  return result(truncate(path, 0));
}

static int rename_out(const attack_given *g)
{
  char path[1024];
  int fd = open("moved", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
  snprintf(path, sizeof path, "%s/moved", g->data);
  return result(rename("moved", path));
}

static int link_secret(const attack_given *g)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/secret", g->data);
  if (link(path, "out/secret") < 0) return -errno;
  return opened("", "out/secret", O_RDONLY);
}

static int chmod_outside(const attack_given *g)
{
  char path[1024];
  snprintf(path, sizeof path, "%s/victim", g->data);
  return result(chmod(path, 0777));
}

static int of_supervisor(const attack_given *g, const char *file)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", g->supervisor, file);
  return opened(path, "", O_RDONLY);
}

/* clang-format off */
static int read_environ(const attack_given *g) { return of_supervisor(g, "environ"); }
static int read_memory(const attack_given *g) { return of_supervisor(g, "mem"); }
static int kill_supervisor(const attack_given *g) { return result(kill(g->supervisor, 0)); }
static int ptrace_supervisor(const attack_given *g) { return result(ptrace(PTRACE_ATTACH, g->supervisor, 0, 0)); }
/* clang-format on */

static int peek_supervisor(const attack_given *g)
{
  char byte;
  struct iovec own = { &byte, 1 }, other = { &byte, 1 };
  return result(process_vm_readv(g->supervisor, &own, 1, &other, 1, 0));
}

static int tcp(const attack_given *g)
{
  (void)g;
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5432), .sin_addr = { htonl(INADDR_LOOPBACK) } };
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  return connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != ECONNREFUSED ? -errno : 1;
}

/* clang-format off */
static int udp(const attack_given *g) { (void)g; return result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }
static int unix_socket(const attack_given *g) { (void)g; return result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
static int netlink(const attack_given *g) { (void)g; return result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)); }
/* clang-format on */

static int datagram_pair(const attack_given *g)
{
  (void)g;
  int fds[2];
  return result(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds));
}

static int stream_pair(const attack_given *g)
{
  (void)g;
  int fds[2];
  return result(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
}

/* clang-format off */
static int do_mount(const attack_given *g) { (void)g; return result(mount("none", "out", "tmpfs", 0, NULL)); }
static int do_unshare(const attack_given *g) { (void)g; return result(unshare(CLONE_NEWUSER)); }
static int do_chroot(const attack_given *g) { (void)g; return result(chroot("out")); }
static int io_uring(const attack_given *g) { (void)g; char p[256] = { 0 }; return result(syscall(SYS_io_uring_setup, 4, p)); }
static int faultfd(const attack_given *g) { (void)g; return result(syscall(SYS_userfaultfd, 1)); }
static int secret_memory(const attack_given *g) { (void)g; return result(syscall(SYS_memfd_secret, 0)); }
static int keys(const attack_given *g) { (void)g; return result(syscall(SYS_keyctl, 0, -3, 0, 0, 0)); }
static int do_bpf(const attack_given *g) { (void)g; char attr[64] = { 0 }; return result(syscall(SYS_bpf, 0, attr, sizeof attr)); }
static int become_root(const attack_given *g) { (void)g; return result(setresuid(0, 0, 0)); }
/* clang-format on */

static int perf(const attack_given *g)
{
  (void)g;
  struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .exclude_kernel = 1 };
  return result(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int clone_user_ns(const attack_given *g)
{
  (void)g;
  long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid((pid_t)pid, NULL, 0);
  return result(pid);
}

static int call_clone3(const attack_given *g)
{
  (void)g;
  uint64_t args[11] = { 0 };
  args[4] = SIGCHLD;
  long pid = syscall(SYS_clone3, args, sizeof args);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid((pid_t)pid, NULL, 0);
  return result(pid);
}

static int raise_limit(const attack_given *g)
{
  (void)g;
  struct rlimit l = { .rlim_cur = 4096, .rlim_max = 4096 };
  return result(setrlimit(RLIMIT_NOFILE, &l));
}

static int shared_segment(const attack_given *g)
{
  return result(shmget(ATTACK_SHM + g->supervisor, 4096, 0)); /* the supervisor made it */
}

static int execute_own(const attack_given *g)
{
  (void)g;
  int fd = open("program", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
  if (fd < 0 || write(fd, "#!/bin/sh\nexit 0\n", 17) < 0) return -errno;
  close(fd);
  char *const argv[] = { "program", NULL };
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    execv("./program", argv);
    _exit(errno);
  }
  if (pid < 0 || waitpid(pid, &status, 0) < 0) return -errno;
  return WEXITSTATUS(status) ? -WEXITSTATUS(status) : 1;
}

static int execute_system(const attack_given *g)
{
  (void)g;
  return system("exec /bin/true") == 0 ? 1 : -ENOEXEC;
}

static int extra_descriptors(const attack_given *g)
{
  for (int fd = 0; fd < 1024; fd++)
    if (fd > 2 && fd != g->run->fd && fcntl(fd, F_GETFD) >= 0) return 1;
  return -EBADF;
}

const attack_question attack_questions[] = {
  { "extra_descriptors", extra_descriptors }, /* before others open some */
  { "write_outside", write_outside },
  { "write_dotdot", write_dotdot },
  { "create_outside", create_outside },
  { "create_in_tmp", create_in_tmp },
  { "create_in_shm", create_in_shm },
  { "write_system", write_system },
  { "write_by_link", write_by_link },
  { "truncate_outside", truncate_outside },
  { "rename_out", rename_out },
  { "link_secret", link_secret },
  { "chmod_outside", chmod_outside },
  { "read_secret", read_secret },
  { "read_shadow", read_shadow },
  { "list_data", list_data },
  { "list_store", list_store },
  { "list_root", list_root },
  { "read_foreign", read_foreign },
  { "write_pack", write_pack },
  { "write_input", write_input },
  { "other_scratch", other_scratch },
  { "read_memory_device", read_memory_device },
  { "read_disk_device", read_disk_device },
  { "read_environ", read_environ },
  { "read_memory", read_memory },
  { "kill_supervisor", kill_supervisor },
  { "ptrace_supervisor", ptrace_supervisor },
  { "peek_supervisor", peek_supervisor },
  { "tcp", tcp },
  { "udp", udp },
  { "unix_socket", unix_socket },
  { "netlink", netlink },
  { "datagram_pair", datagram_pair },
  { "io_uring", io_uring },
  { "userfaultfd", faultfd },
  { "memfd_secret", secret_memory },
  { "keyctl", keys },
  { "bpf", do_bpf },
  { "perf_event_open", perf },
  { "clone_user_ns", clone_user_ns },
  { "clone3", call_clone3 },
  { "become_root", become_root },
  { "raise_limit", raise_limit },
  { "shared_segment", shared_segment },
  { "execute_own", execute_own },
  /* what must go through */
  { "ok_read_input", read_input },
  { "ok_read_pack", read_pack },
  { "ok_write_scratch", write_scratch },
  { "ok_null", use_null },
  { "ok_urandom", use_urandom },
  { "ok_stream_pair", stream_pair },
  { "ok_execute_system", execute_system },
  /* last: where they go through, nothing is where it was */
  { "unshare", do_unshare },
  { "mount", do_mount },
  { "chroot", do_chroot },
  { NULL, NULL },
};
