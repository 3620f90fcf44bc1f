/* own.h: what the files of sandbox/ share; nobody else includes it.
 *
 * Functions here return 0 or a negative errno, and may leave the step that failed in *what (static text). */
#ifndef EAS_SANDBOX_OWN_H
#define EAS_SANDBOX_OWN_H
#include "sandbox/sandbox.h"

enum {                  /* what a child may do with a tree */
       EAS_TREE_READ,   /* read, execute */
       EAS_TREE_LINK,   /* a link to what another tree shows: /lib -> usr/lib */
       EAS_TREE_DEVICE, /* read, write */
       EAS_TREE_HIDDEN, /* nothing: the data folder, when another tree would show it */
       EAS_TREE_STORE,  /* visible, but Landlock leaves only the attempt's inputs */
       EAS_TREE_SCRATCH /* write; Landlock leaves only the attempt's own */
};
typedef struct {
  char *path;
  int kind;
} eas_tree;
typedef struct {
  eas_tree *list;
  int n, cap;
} eas_trees;

/* Everything that a policy shows or hides: existing absolute paths, as given and also resolved, parents before what is in them. */
void eas_trees_of(const eas_zygote_policy *p, eas_trees *out);
void eas_trees_done(eas_trees *t);
int eas_path_below(const char *path, const char *dir); /* 1: path is dir or in it */

int eas_ns_user(const char **what); /* new user namespace, this uid and gid mapped to themselves */
int eas_ns_root(const eas_zygote_policy *p, const eas_trees *trees, int with_proc,
                const char **what); /* new mount namespace and root */

int eas_seccomp_load(const char **what); /* no_new_privs must be on */

int eas_landlock_version(void); /* ABI, or a negative errno */
void eas_landlock_names_missing(int abi, char *out, size_t size);
/* Zygote: opens what the rules name. own_root: after eas_ns_root, so that nothing else is there. */
int eas_landlock_prepare(const eas_trees *trees, int own_root, int with_proc);
/* Zygote: makes the rules of a slot that has no inputs, if it has none yet for that scratch. */
void eas_landlock_keep(int abi, int slot, const char *scratch);
int eas_landlock_apply(int abi, int slot, const char *scratch, const char *const *inputs, const char **what);

int eas_limits_apply(const eas_limits *l, unsigned use, const char **what);
void eas_limits_prepare(
    int with_uids); /* zygote: its own limits, CPUs; unless slots have uids, this user's processes */
int eas_caps_keep_few(const char **what); /* zygote: those that it needs for its children */
int eas_caps_drop(const char **what);     /* all sets empty, no way back by exec */
int eas_groups_drop(const char **what);   /* zygote, if children take a uid each: no supplementary groups */
int eas_uid_enter(uid_t uid, const char **what);

void eas_cgroup_find(eas_probe *out);
int eas_cgroup_try(const char *folder, const char *file, const char *value); /* makes a group, sets, removes it */
void eas_layer_reason(eas_probe *p, unsigned bit, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
