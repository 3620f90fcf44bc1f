/* ns.c: user namespace, and a mount namespace with a root that holds only what children may see. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "sandbox/own.h"

static int put_text(const char *path, const char *text)
{
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int rc = write(fd, text, strlen(text)) < 0 ? -errno : 0;
  close(fd);
  return rc;
}

int eas_ns_user(const char **what)
{
  char uid[64], gid[64];
  snprintf(uid, sizeof uid, "%u %u 1\n", (unsigned)geteuid(), (unsigned)geteuid());
  snprintf(gid, sizeof gid, "%u %u 1\n", (unsigned)getegid(), (unsigned)getegid());
  *what = "unshare(CLONE_NEWUSER)";
  if (unshare(CLONE_NEWUSER) < 0) return -errno;
  *what = "write /proc/self/setgroups";
  int rc = put_text("/proc/self/setgroups", "deny");
  if (rc < 0 && rc != -ENOENT) return rc;
  *what = "write /proc/self/uid_map";
  rc = put_text("/proc/self/uid_map", uid);
  if (rc < 0) return rc;
  *what = "write /proc/self/gid_map";
  return put_text("/proc/self/gid_map", gid);
}

static uint64_t attributes(int kind)
{
  switch (kind) {
  case EAS_TREE_READ: return MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  case EAS_TREE_DEVICE: return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  case EAS_TREE_SCRATCH: return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  default: return MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  }
}

static int set_attributes(int fd, const char *path, unsigned flags, uint64_t set)
{
  struct mount_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.attr_set = set;
  return mount_setattr(fd, path, flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

/* A copy of the tree, not yet anywhere: what is mounted over its place later does not matter to it. */
static int copy_tree(const eas_tree *t, int *fd, int *is_folder)
{
  struct stat st;
  if (stat(t->path, &st) < 0) return -errno;
  *is_folder = S_ISDIR(st.st_mode);
  if (t->kind == EAS_TREE_HIDDEN || t->kind == EAS_TREE_LINK) return 0;
  *fd = open_tree(AT_FDCWD, t->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (*fd < 0) return -errno;
  return set_attributes(*fd, "", AT_EMPTY_PATH | AT_RECURSIVE, attributes(t->kind));
}

/* Makes the place ./PATH, folder or file, with its parents; what is there already serves. */
static int make_place(const char *path, int is_folder)
{
  char *place = eas_format(".%s", path);
  struct stat st;
  int rc = 0;
  if (stat(place, &st) == 0) goto done;
  for (char *p = place + 2; (p = strchr(p, '/')); p++) {
    *p = 0;
    if (mkdir(place, 0755) < 0 && errno != EEXIST) rc = -errno;
    *p = '/';
    if (rc < 0) goto done;
  }
  if (is_folder) {
    if (mkdir(place, 0755) < 0) rc = -errno;
  } else {
    int fd = open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
    if (fd < 0)
      rc = -errno;
    else
      close(fd);
  }
done:
  free(place);
  return rc;
}

/* The link itself, read from the root that is still this process's. */
static int copy_link(const char *path)
{
  char to[PATH_MAX];
  ssize_t n = readlink(path, to, sizeof to - 1);
  if (n < 0) return -errno;
  to[n] = 0;
  char *parent = eas_strdup(path), *place = eas_format(".%s", path);
  *strrchr(parent, '/') = 0;
  int rc = parent[0] ? make_place(parent, 1) : 0;
  if (rc == 0 && symlink(to, place) < 0 && errno != EEXIST) rc = -errno;
  free(parent);
  free(place);
  return rc;
}

static int attach(const eas_tree *t, int fd, int is_folder)
{
  if (t->kind == EAS_TREE_LINK) return copy_link(t->path);
  int rc = make_place(t->path, is_folder);
  if (rc < 0) return rc;
  char *place = eas_format(".%s", t->path);
  if (t->kind == EAS_TREE_HIDDEN)
    rc = mount("eas", place, "tmpfs", 0, "mode=0755,size=1m") < 0 ? -errno : 0;
  else
    rc = move_mount(fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
  free(place);
  return rc;
}

static void add_rest(int with_proc)
{
  static const char *const empty[] = { "/tmp", "/var/tmp", "/dev/shm", "/proc" };
  static const char *const links[][2] = {
    { "/proc/self/fd", "./dev/fd" }, { "fd/0", "./dev/stdin" }, { "fd/1", "./dev/stdout" }, { "fd/2", "./dev/stderr" }
  };
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) make_place(empty[i], 1);
  for (size_t i = 0; i < sizeof links / sizeof *links; i++)
    if (symlink(links[i][0], links[i][1]) < 0) continue; /* there already: a tree brought it */
  if (with_proc && mount("proc", "./proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2,subset=pid") < 0)
    return; /* a container may forbid it; children then have none, as without root */
}

/* pivot_root refuses in a chroot; there another chroot serves, since no child can leave it without a capability. */
static int change_root(void)
{
  if (syscall(SYS_pivot_root, ".", ".") == 0) {
    if (umount2(".", MNT_DETACH) < 0) return -errno;
  } else if (chroot(".") < 0) {
    return -errno;
  }
  return chdir("/") < 0 ? -errno : 0;
}

static int build(const eas_zygote_policy *p, const eas_trees *trees, const int *fds, const int *folder, int with_proc,
                 const char **what)
{
  *what = "mount a new root";
  if (mount("eas", p->scratch_root, "tmpfs", 0, "mode=0755,size=4m") < 0) return -errno;
  int rc = 0;
  if (chdir(p->scratch_root) < 0) rc = -errno;
  for (int i = 0; rc == 0 && i < trees->n; i++) {
    *what = trees->list[i].path;
    rc = attach(&trees->list[i], fds[i], folder[i]);
  }
  if (rc == 0) {
    add_rest(with_proc);
    for (int i = 0; rc == 0 && i < trees->n; i++) {
      char *place = eas_format(".%s", trees->list[i].path);
      if (trees->list[i].kind == EAS_TREE_HIDDEN) rc = set_attributes(AT_FDCWD, place, 0, attributes(EAS_TREE_HIDDEN));
      free(place);
    }
  }
  if (rc == 0) {
    *what = "change the root";
    rc = change_root();
  }
  if (rc < 0) { /* leave the disk as it was seen before */
    if (chdir("/") == 0) umount2(p->scratch_root, MNT_DETACH);
    return rc;
  }
  *what = "make the new root read-only";
  return set_attributes(AT_FDCWD, "/", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* In a chroot whose "/" is no mount point, propagation cannot be switched off: is it off? Pid 1 sees the whole table. */
static int root_is_private(void)
{
  int fd = open("/", O_PATH | O_CLOEXEC), id = -1, is_private = 0;
  char path[64], line[4096];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "mnt_id: %d", &id) == 1) break;
  if (f) fclose(f);
  if (fd >= 0) close(fd);
  f = fopen("/proc/1/mountinfo", "re");
  for (int at; f && fgets(line, sizeof line, f);)
    if (sscanf(line, "%d ", &at) == 1 && at == id) is_private = !strstr(line, " shared:");
  if (f) fclose(f);
  return is_private;
}

int eas_ns_root(const eas_zygote_policy *p, const eas_trees *trees, int with_proc, const char **what)
{
  int is_private = root_is_private();
  *what = "unshare(CLONE_NEWNS)";
  if (unshare(CLONE_NEWNS) < 0) return -errno;
  *what = "make mounts private";
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 && (errno != EINVAL || !is_private)) return -errno;
  int *fds = eas_alloc((size_t)trees->n * sizeof *fds + 1), *folder = eas_alloc((size_t)trees->n * sizeof *folder + 1);
  int rc = 0;
  mode_t mask = umask(022); /* the slots' users must be able to walk through */
  for (int i = 0; i < trees->n; i++) fds[i] = -1;
  for (int i = 0; rc == 0 && i < trees->n; i++) {
    *what = trees->list[i].path;
    rc = copy_tree(&trees->list[i], &fds[i], &folder[i]);
  }
  if (rc == 0) rc = build(p, trees, fds, folder, with_proc, what);
  umask(mask);
  for (int i = 0; i < trees->n; i++)
    if (fds[i] >= 0) close(fds[i]);
  free(fds);
  free(folder);
  return rc;
}
