/* store_private.h: what the files of store/ share. */
#ifndef EAS_STORE_STORE_PRIVATE_H
#define EAS_STORE_STORE_PRIVATE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"
#include "store/store_seam.h"

typedef struct eas_remote eas_remote;

struct eas_store {
  char *root;         /* the folder; of an object store, that of its cache */
  eas_remote *remote; /* the object store, or NULL */
  int root_fd, objects_fd, tmp_fd, products_fd;
  atomic_uint_fast64_t serial; /* of names in tmp/ */
  pthread_mutex_t dirty_lock;
  pthread_mutex_t flush_lock; /* who flushes second waits for the first: its work may be in there */
  unsigned char dirty[256];   /* objects/xx holds names that are not synced */
  unsigned char known[256];   /* objects/xx itself is synced: this process saw to it */
  int dirty_top;              /* objects/ is to be synced too */
};

enum { EAS_OBJECT_NAME = 68 }; /* "ab/" + 64 + zero */

void eas_store_name(const eas_digest *d, char out[EAS_OBJECT_NAME]);
void eas_store_tmp_name(eas_store *s, char out[64]);
/* The next flush has to sync the folder of this object. */
void eas_store_touched(eas_store *s, const eas_digest *d);
/* If the object is there (in the folder): touches it, so that gc leaves it alone. 1; 0 if it is not there; or EAS_E. */
int eas_store_touch(eas_store *s, const eas_digest *d, int64_t size, eas_err *err);
/* Gives the file from_dir/from, hashed and synced, its name for ever. 1: the source is gone; 0: it is on
 * another disk; or EAS_E. */
int eas_store_install(eas_store *s, int from_dir, const char *from, const eas_digest *d, int64_t size, eas_err *err);
int eas_store_walk_folder(eas_store *s, const eas_digest *after, eas_store_walk_fn *fn, void *arg,
                          eas_err *err); /* objects in the folder */
int eas_store_sync(eas_store *s, int fd, const char *what, eas_err *err);
/* Copies fd (all of it), or n bytes of data if fd is -1, into tmp/ and from there to its name. */
int eas_store_copy_in(eas_store *s, int fd, const void *data, size_t n, const char *what, eas_digest *digest,
                      int64_t *size, eas_err *err);
/* "permission denied": strerror as it reads inside a sentence. */
const char *eas_store_why(int error);

#endif
