/* store_seam.h: the system calls of the store, where tests let the disk fail and the process die. */
#ifndef EAS_STORE_STORE_SEAM_H
#define EAS_STORE_STORE_SEAM_H
#include <stddef.h>

/* System calls that may be replaced, all before threads start; each as its namesake. */
typedef struct {
  int (*fdatasync)(int fd);
  int (*fsync)(int fd);
  int (*rename)(int from_dir, const char *from, int to_dir, const char *to); /* never replaces: EEXIST */
  int (*write_all)(int fd, const void *data, size_t n);                      /* 0 or -errno */
  long (*open_beneath)(int dirfd, const char *name, int flags);              /* openat2; -1 and errno */
} eas_store_seams;
extern eas_store_seams eas_store_seam;

#endif
