/* sandbox.h: isolation layers: what the machine has, and putting them on.
 *
 * Three ways of life: *full* (root: namespaces, a uid per slot, perhaps cgroups), *userns* (a plain user, namespaces through a
 * user namespace) and *basic* (neither: limits, Landlock, seccomp). What a child sees of the disk when the mount layer is on:
 * the system folders of eas_system_paths, the policy's read_only, the store and the input folder (read) and scratch (write, no execute), at their
 * usual places; an empty read-only /tmp and /dev/shm (TMPDIR and HOME are scratch); plain devices; for root also a /proc
 * with nothing but its own processes. Landlock repeats that, and of the store leaves only the attempt's own inputs.
 *
 * A layer that cannot be had is left out and named with the reason; `require` names those without which a worker
 * refuses to start. Order in a child: limits, uid, Landlock; seccomp and namespaces (but pid) are the zygote's. Includes: base/ only. */
#ifndef EAS_SANDBOX_SANDBOX_H
#define EAS_SANDBOX_SANDBOX_H
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"

enum { /* bits of attempt.layers */
       EAS_LAYER_RLIMITS = 1,
       EAS_LAYER_NO_NEW_PRIVS = 2,
       EAS_LAYER_SECCOMP = 4,
       EAS_LAYER_LANDLOCK = 8,
       EAS_LAYER_UID = 16,
       EAS_LAYER_USER_NS = 32,
       EAS_LAYER_MOUNT_NS = 64,
       EAS_LAYER_PID_NS = 128,
       EAS_LAYER_NET_NS = 256,
       EAS_LAYER_IPC_NS = 512,
       EAS_LAYER_CGROUP_MEMORY = 1024,
       EAS_LAYER_CGROUP_PIDS = 2048,
       EAS_LAYER_CGROUP_CPU = 4096,
       EAS_LAYER_COUNT = 13
};

const char *eas_layer_name(int bit);                                 /* "rlimits" "no_new_privs" ... */
int eas_layer_parse(const char *list, unsigned *bits, eas_err *err); /* "rlimits seccomp landlock"; unknown: nearest */

typedef struct {
  unsigned layers;                   /* what works, each tried in a forked child */
  char reason[EAS_LAYER_COUNT][160]; /* why one is missing; "" if it is there */
  int landlock_abi;
  char landlock_missing[96]; /* rights that this kernel's Landlock does not know: "tcp, ioctl, scopes"; "" none */
  int is_root, in_chroot;
  char cgroup[256];                       /* folder where slots' groups go, "" if none; v1: of the memory controller */
  char cgroup_pids[256], cgroup_cpu[256]; /* v2: the same folder */
  int cgroup_version;                     /* 1, 2; 0 none */
} eas_probe;

void eas_sandbox_probe(eas_probe *out); /* a few ms; forks */

typedef struct {
  int64_t wall_ms;      /* supervisor's: soft, then hard + 0.5 s */
  int64_t cpu_s;        /* RLIMIT_CPU; 0: none */
  int64_t memory_bytes; /* cgroup, else RLIMIT_AS with 1 GB slack (off under ASan); Lua allocator capped at it */
  int64_t file_bytes;   /* RLIMIT_FSIZE, 16 GB */
  int64_t disk_bytes;   /* all of scratch; 0: none */
  int processes;        /* 64 + threads */
  int files;            /* descriptors, 256 */
  int cpus;             /* cgroup: CPUs at once; 0: no quota */
} eas_limits;

typedef struct {
  const eas_probe *probe;
  unsigned use;                 /* layers to put on: probe.layers less what is switched off */
  const char *const *read_only; /* system and packs, read and execute; NULL-terminated */
  const char *data_dir;         /* data folder (database, store, credentials): hidden from children */
  const char *scratch_root;     /* folder of all attempts' scratch */
  const char *store_root;       /* objects: must be searchable and readable by the slots' uids; NULL: none */
  const char *input_root;       /* people's files: children read those that they are given (inputs); NULL: none */
} eas_zygote_policy;

/* Folders of the system that children read and execute: /usr, /lib*, /bin, /sbin; and what of /etc. NULL-terminated. */
extern const char *const eas_system_paths[];

/* In the zygote, once, single-threaded: user/mount/net/ipc namespaces, mounts, no_new_privs, seccomp. *got: layers that are on,
 * with those that a child will add (limits, uid, Landlock, pid). A layer of p->use that fails is left out, and why is in
 * reason[] (may be NULL): never an error. Fails only when the process is left in no usable state. */
int eas_sandbox_enter_zygote(const eas_zygote_policy *p, unsigned *got, char reason[EAS_LAYER_COUNT][160],
                             eas_err *err);

typedef struct {
  int slot;                  /* 0..; uid = base + slot when root */
  const char *scratch;       /* writable, exists, owned by the slot's uid */
  const char *const *inputs; /* readable files (objects of the store), NULL-terminated */
  eas_limits limits;
  unsigned use;      /* what eas_sandbox_enter_zygote gave */
  const int *groups; /* cgroup.procs descriptors of the slot (eas_slot_group_fds), may be NULL */
  int n_groups;
} eas_child_policy;

/* In the zygote, before a clone; spares the child's own work when it has the same slot and scratch as one before. */
void eas_sandbox_prepare_child(const eas_zygote_policy *z, int slot, const char *scratch);

/* In the child, first thing, after a clone with CLONE_NEWPID if that layer is used: cgroups, scratch as current folder, limits,
 * uid, no capabilities, Landlock; all descriptors above 2 but keep[] (ascending) closed. *got: layers that are on. A layer of
 * c->use that cannot be put on is an error here: the zygote could. */
int eas_sandbox_enter_child(const eas_zygote_policy *z, const eas_child_policy *c, const int *keep, int n_keep,
                            unsigned *got, eas_err *err);

/* Supervisor: a slot's cgroup (made once per slot, reused) and uid. */
typedef struct eas_slot_group eas_slot_group;
int eas_slot_group_open(eas_slot_group **out, const eas_probe *p, int slot, eas_err *err);
int eas_slot_group_set(eas_slot_group *g, const eas_limits *l, eas_err *err);
int eas_slot_group_add(eas_slot_group *g, pid_t pid, eas_err *err);
int eas_slot_group_fds(const eas_slot_group *g,
                       int fds[3]);                  /* cgroup.procs, for a child to write "0" into; returns how many */
int eas_slot_group_kill(eas_slot_group *g);          /* all that is left in it */
int eas_slot_group_oom(eas_slot_group *g);           /* 1: the kernel killed for memory since set */
int eas_slot_group_forks_refused(eas_slot_group *g); /* 1: a fork was refused since set */
int64_t eas_slot_group_peak(eas_slot_group *g);      /* bytes; 0 unknown */
void eas_slot_group_close(eas_slot_group *g);        /* removes it */
uid_t eas_slot_uid(int slot);                        /* 61000 + slot; only when root */

#endif
