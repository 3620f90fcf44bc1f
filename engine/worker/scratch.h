/* scratch.h: the folders attempts work in: one per slot, emptied between attempts.
 *
 * Making and removing a folder for each attempt costs more than the attempt: a journalling file system is slow to
 * use a deleted inode again. */
#ifndef EAS_WORKER_SCRATCH_H
#define EAS_WORKER_SCRATCH_H
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "base/err.h"

/* root/w<worker>.<pid>.s<slot>; the caller frees. */
char *eas_scratch_path(const char *root, int64_t worker, int slot);
/* When a folder and its "out" were last seen clean: their times of change, which their owner cannot set. */
typedef struct {
  int valid;
  int fd; /* of the folder, while valid */
  struct timespec root, out;
} eas_scratch_mark;

/* Makes it an empty folder (an empty "out" may stay) of this owner; (uid_t)-1: ours. mark: of this folder, zeroed at first. */
int eas_scratch_fresh(const char *path, uid_t owner, eas_scratch_mark *mark, eas_err *err);
void eas_scratch_forget(eas_scratch_mark *mark);
/* Removes what supervisors of this machine that live no more have left in root. */
void eas_scratch_sweep(const char *root);
/* Bytes on disk below a folder; links are not followed, other disks not entered, at most 200 000 entries looked at. */
int64_t eas_scratch_bytes(const char *path);

#endif
