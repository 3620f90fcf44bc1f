/* landlock.c: what of the disk a child may touch, whoever it is.
 *
 * Raw system calls and own names: the headers of Debian 12 stop at ABI 2. The zygote opens what all children may see
 * once (prepare), and keeps the rules of each slot's scratch (keep); a child with inputs makes its own (apply, about 20 us). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "sandbox/own.h"

typedef struct {
  uint64_t fs, net, scoped;
} ruleset_attr;
typedef struct __attribute__((packed)) {
  uint64_t allowed;
  int32_t parent;
} beneath_attr;

#define BIT(n) (UINT64_C(1) << (n))

/* Rights of files, by the ABI that brought them. */
static const uint64_t EXECUTE = BIT(0), WRITE_FILE = BIT(1), READ_FILE = BIT(2), READ_DIR = BIT(3);
static const uint64_t ALL_1 = BIT(13) - 1, MAKE_CHAR = BIT(6), MAKE_BLOCK = BIT(11), REFER = BIT(13),
                      TRUNCATE = BIT(14), IOCTL_DEV = BIT(15);
static const uint64_t NET_BOTH = BIT(0) | BIT(1),
                      SCOPE_BOTH = BIT(0) | BIT(1); /* TCP bind, connect; abstract sockets, signals */
enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1, MAX_RULES = 128 };

static struct {
  int fd;
  uint64_t rights;
} rule[MAX_RULES];
static int n_rule;

int eas_landlock_version(void)
{
  long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
  return abi < 0 ? -errno : (int)abi;
}

void eas_landlock_names_missing(int abi, char *out, size_t size)
{
  static const struct {
    int since;
    const char *name;
  } rows[] = {
    { 2, "refer" }, { 3, "truncate" }, { 4, "tcp" }, { 5, "ioctl" }, { 6, "scopes" },
  };
  out[0] = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (abi < rows[i].since && strlen(out) + strlen(rows[i].name) + 3 < size) {
      if (out[0]) strcat(out, ", ");
      strcat(out, rows[i].name);
    }
}

static uint64_t known(int abi)
{
  return ALL_1 | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0) | (abi >= 5 ? IOCTL_DEV : 0);
}

static void remember(const char *path, uint64_t rights)
{
  struct stat st;
  int fd = n_rule < MAX_RULES ? open(path, O_PATH | O_CLOEXEC) : -1;
  if (fd < 0) return;
  if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) rights &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
  rule[n_rule].fd = fd;
  rule[n_rule++].rights = rights;
}

/* Rules can only add. Of a folder that holds a hidden one, what stands beside it is allowed instead. */
static void remember_around(const char *path, const char *hidden, uint64_t rights)
{
  DIR *d = opendir(path);
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    char *entry = eas_format("%s/%s", strcmp(path, "/") == 0 ? "" : path, e->d_name);
    if (!eas_path_below(hidden, entry))
      remember(entry, rights);
    else if (strcmp(hidden, entry) != 0)
      remember_around(entry, hidden, rights);
    free(entry);
  }
  closedir(d);
}

static const char *hidden_in(const eas_trees *trees, const char *path)
{
  for (int i = 0; i < trees->n; i++)
    if (trees->list[i].kind == EAS_TREE_HIDDEN && eas_path_below(trees->list[i].path, path)) return trees->list[i].path;
  return NULL;
}

/* Each rule costs each child about 2 us. In a root of our own all of /etc and /dev was chosen, so that one rule serves for each. */
int eas_landlock_prepare(const eas_trees *trees, int own_root, int with_proc)
{
  n_rule = 0;
  if (with_proc) remember("/proc", READ_FILE | READ_DIR);
  if (own_root) remember("/etc", EXECUTE | READ_FILE | READ_DIR);
  if (own_root) remember("/dev", READ_FILE | WRITE_FILE | READ_DIR);
  for (int i = 0; i < trees->n; i++) {
    const eas_tree *t = &trees->list[i];
    if (own_root && (eas_path_below(t->path, "/etc") || eas_path_below(t->path, "/dev"))) continue;
    const char *hidden = t->kind == EAS_TREE_READ ? hidden_in(trees, t->path) : NULL;
    if (hidden)
      remember_around(t->path, hidden, EXECUTE | READ_FILE | READ_DIR);
    else if (t->kind == EAS_TREE_READ)
      remember(t->path, EXECUTE | READ_FILE | READ_DIR);
    if (t->kind == EAS_TREE_DEVICE) remember(t->path, READ_FILE | WRITE_FILE);
  }
  return n_rule < MAX_RULES ? 0 : -E2BIG;
}

static int allow(int ruleset, int fd, uint64_t rights)
{
  beneath_attr attr = { .allowed = rights, .parent = fd };
  return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr, 0) < 0 ? -errno : 0;
}

static int allow_path(int ruleset, const char *path, uint64_t rights)
{
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return -errno;
  int rc = allow(ruleset, fd, rights);
  close(fd);
  return rc;
}

/* What every child may, and its own scratch. A negative errno, or the descriptor of the rules. */
static int make_rules(int abi, const char *scratch, const char **what)
{
  ruleset_attr attr = { .fs = known(abi), .net = abi >= 4 ? NET_BOTH : 0, .scoped = abi >= 6 ? SCOPE_BOTH : 0 };
  size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? 16 : 8;
  *what = "landlock_create_ruleset";
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
  if (ruleset < 0) return -errno;
  int rc = 0;
  *what = "landlock_add_rule";
  for (int i = 0; rc == 0 && i < n_rule; i++) rc = allow(ruleset, rule[i].fd, rule[i].rights);
  if (rc == 0) {
    *what = scratch;
    rc = allow_path(ruleset, scratch, known(abi) & ~(EXECUTE | MAKE_CHAR | MAKE_BLOCK));
  }
#if defined __SANITIZE_ADDRESS__
  if (rc == 0)
    allow_path(ruleset, "/proc/self/maps", READ_FILE); /* it looks for the stack there before a jump out of it */
#endif
  if (rc == 0) return ruleset;
  close(ruleset);
  return rc;
}

/* A slot's scratch is the same folder again and again, and most children have no inputs: then the rules are the same. As long as
 * they are kept they hold the folder's inode, so that another folder cannot have its number. */
enum { KEPT = 64 };
static struct {
  int ruleset; /* 0: none; descriptor 0 is never one */
  dev_t device;
  ino_t inode;
} kept[KEPT];

void eas_landlock_keep(int abi, int slot, const char *scratch)
{
  struct stat st;
  const char *what;
  if (slot < 0 || slot >= KEPT || stat(scratch, &st) < 0) return;
  if (kept[slot].ruleset > 0 && kept[slot].device == st.st_dev && kept[slot].inode == st.st_ino) return;
  if (kept[slot].ruleset > 0) close(kept[slot].ruleset);
  int ruleset = make_rules(abi, scratch, &what);
  kept[slot].ruleset = ruleset > 0 ? ruleset : 0;
  kept[slot].device = st.st_dev;
  kept[slot].inode = st.st_ino;
}

int eas_landlock_apply(int abi, int slot, const char *scratch, const char *const *inputs, const char **what)
{
  int shared = slot >= 0 && slot < KEPT && kept[slot].ruleset > 0 && !(inputs && inputs[0]);
  int rc = 0, ruleset = shared ? kept[slot].ruleset : make_rules(abi, ".", what);
  if (ruleset < 0) {
    if (strcmp(*what, ".") == 0) *what = scratch;
    return ruleset;
  }
  for (int i = 0; rc == 0 && inputs && inputs[i]; i++) {
    *what = inputs[i];
    rc = allow_path(ruleset, inputs[i], READ_FILE);
    if (rc == -ENOENT) rc = 0; /* gone from the store: the script says so when it opens it */
  }
  if (rc == 0) {
    *what = "landlock_restrict_self";
    rc = syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
  }
  if (!shared) close(ruleset); /* a shared one goes with all other descriptors */
  return rc;
}
