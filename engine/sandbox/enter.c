/* enter.c: puts the layers on, first in the zygote, then in each child. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/own.h"

static int may_administer(void)
{
  struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &head, data) < 0) return 0;
  return (data[0].effective >> CAP_SYS_ADMIN) & 1;
}

typedef struct {
  unsigned use, got;
  int with_proc; /* children have a /proc of their own */
  char (*reason)[160];
} entering;

/* Notes the outcome of one layer. */
static void note(entering *e, unsigned bit, int rc, const char *what)
{
  if (rc >= 0) {
    e->got |= bit;
    return;
  }
  for (int i = 0; e->reason && i < EAS_LAYER_COUNT; i++)
    if (bit == 1u << i) snprintf(e->reason[i], sizeof e->reason[i], "%s: %s", what, strerror(-rc));
}

static int unshare_code(int flag)
{
  return unshare(flag) < 0 ? -errno : 0;
}

static void enter_namespaces(entering *e, const eas_zygote_policy *p, const eas_trees *trees)
{
  const unsigned spaces = EAS_LAYER_MOUNT_NS | EAS_LAYER_PID_NS | EAS_LAYER_NET_NS | EAS_LAYER_IPC_NS;
  const char *what = "";
  int is_admin = may_administer(); /* a user namespace may not mount the /proc of a pid namespace that is not its own */
  if ((e->use & EAS_LAYER_USER_NS) && (e->use & spaces) && !is_admin) {
    int rc = eas_ns_user(&what);
    note(e, EAS_LAYER_USER_NS, rc, what);
  }
  if (e->use & EAS_LAYER_IPC_NS) note(e, EAS_LAYER_IPC_NS, unshare_code(CLONE_NEWIPC), "unshare(CLONE_NEWIPC)");
  if (e->use & EAS_LAYER_NET_NS) note(e, EAS_LAYER_NET_NS, unshare_code(CLONE_NEWNET), "unshare(CLONE_NEWNET)");
  if (e->use & EAS_LAYER_MOUNT_NS) {
    int rc = eas_ns_root(p, trees, is_admin, &what);
    e->with_proc = rc == 0 && is_admin;
    note(e, EAS_LAYER_MOUNT_NS, rc, what);
  }
  if (e->use & EAS_LAYER_PID_NS) note(e, EAS_LAYER_PID_NS, may_administer() ? 0 : -EPERM, "clone(CLONE_NEWPID)");
  if ((e->use & EAS_LAYER_UID) && !(e->got & EAS_LAYER_USER_NS))
    note(e, EAS_LAYER_UID, geteuid() == 0 ? 0 : -EPERM, "setresuid");
}

int eas_sandbox_enter_zygote(const eas_zygote_policy *p, unsigned *got, char reason[EAS_LAYER_COUNT][160], eas_err *err)
{
  entering e = { .use = p->use & p->probe->layers, .reason = reason };
  const char *what = "";
  if (!p->scratch_root || p->scratch_root[0] != '/')
    return eas_fail(err, EAS_EINVAL, "sandbox: scratch folder '%s' is not absolute",
                    p->scratch_root ? p->scratch_root : "");
  eas_trees trees;
  eas_trees_of(p, &trees);
  eas_limits_prepare(geteuid() == 0 && (e.use & EAS_LAYER_UID)); /* if that fails, a user namespace counts its own */
  enter_namespaces(&e, p, &trees);
  if (e.use & EAS_LAYER_LANDLOCK) {
    int prepared = eas_landlock_prepare(&trees, (e.got & EAS_LAYER_MOUNT_NS) != 0, e.with_proc);
    note(&e, EAS_LAYER_LANDLOCK, prepared, "open the folders of its rules");
  }
  eas_trees_done(&trees);
  if (e.use & EAS_LAYER_NO_NEW_PRIVS)
    note(&e, EAS_LAYER_NO_NEW_PRIVS, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0,
         "prctl(PR_SET_NO_NEW_PRIVS)");
  if (e.use & EAS_LAYER_SECCOMP) {
    int loaded = eas_seccomp_load(&what);
    note(&e, EAS_LAYER_SECCOMP, loaded, what);
  }
  int rc = e.got & EAS_LAYER_UID ? eas_groups_drop(&what) : 0;
  if (rc == 0) rc = eas_caps_keep_few(&what);
  if (rc < 0) return eas_fail(err, EAS_EREFUSED, "sandbox: %s: %s", what, strerror(-rc));
  e.got |= e.use & (EAS_LAYER_RLIMITS | EAS_LAYER_CGROUP_MEMORY | EAS_LAYER_CGROUP_PIDS | EAS_LAYER_CGROUP_CPU);
  *got = e.got;
  return 0;
}

static int join_groups(const eas_child_policy *c, const char **what)
{
  *what = "join the slot's cgroup";
  for (int i = 0; i < c->n_groups; i++)
    if (write(c->groups[i], "0", 1) < 0) return -errno;
  return 0;
}

static int close_others(const int *keep, int n_keep, const char **what)
{
  unsigned from = 3;
  *what = "close_range";
  for (int i = 0; i <= n_keep; i++) {
    unsigned to = i < n_keep ? (unsigned)keep[i] - 1 : ~0u;
    if (from <= to && syscall(SYS_close_range, from, to, 0) < 0) return -errno;
    if (i < n_keep) from = (unsigned)keep[i] + 1;
  }
  return 0;
}

/* Without a group its layers are not there, and rlimits must stand in for them. */
static unsigned layers_of(const eas_child_policy *c)
{
  const unsigned groups = EAS_LAYER_CGROUP_MEMORY | EAS_LAYER_CGROUP_PIDS | EAS_LAYER_CGROUP_CPU;
  return c->n_groups > 0 ? c->use : c->use & ~groups;
}

static int apply(const eas_zygote_policy *z, const eas_child_policy *c, const char **what)
{
  int rc = join_groups(c, what);
  if (rc < 0) return rc;
  *what = c->scratch;
  if (chdir(c->scratch) < 0) return -errno; /* before the uid changes: folders above may be closed to it */
  if (c->use & EAS_LAYER_RLIMITS) rc = eas_limits_apply(&c->limits, layers_of(c), what);
  if (rc == 0 && (c->use & EAS_LAYER_UID)) rc = eas_uid_enter(eas_slot_uid(c->slot), what);
  if (rc == 0) rc = eas_caps_drop(what);
  if (rc == 0 && (c->use & EAS_LAYER_LANDLOCK))
    rc = eas_landlock_apply(z->probe->landlock_abi, c->slot, c->scratch, c->inputs, what);
  return rc;
}

void eas_sandbox_prepare_child(const eas_zygote_policy *z, int slot, const char *scratch)
{
  eas_landlock_keep(z->probe->landlock_abi, slot, scratch);
}

int eas_sandbox_enter_child(const eas_zygote_policy *z, const eas_child_policy *c, const int *keep, int n_keep,
                            unsigned *got, eas_err *err)
{
  const char *what = "";
  int rc = apply(z, c, &what);
  if (rc == 0) rc = close_others(keep, n_keep, &what);
  if (rc < 0) return eas_fail(err, EAS_EREFUSED, "sandbox: %s: %s", what, strerror(-rc));
  *got = layers_of(c);
  return 0;
}
