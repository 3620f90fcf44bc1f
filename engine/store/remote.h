/* remote.h: the far side of a store that keeps its objects elsewhere (s3.h). Private to store/.
 *
 * The store's folder is then a cache: what is put in is there first, waits for eas_store_flush to bring it away, and stays
 * until room is wanted. What is in use is pinned by a shared lock on the file, which ends with the process that holds it:
 * several processes may share a cache. */
#ifndef EAS_STORE_REMOTE_H
#define EAS_STORE_REMOTE_H
#include "store/s3.h"
#include "store/store_private.h"

/* s: with its folder open. */
int eas_remote_open(eas_store *s, const char *url, const eas_store_settings *set, eas_err *err);
void eas_remote_close(eas_remote *r);
eas_s3 *eas_remote_server(const eas_remote *r);
void eas_remote_key(const eas_s3 *s3, const eas_digest *d, char key[EAS_S3_KEY]);

/* An object is in the folder and has to be brought away; fresh: its bytes were just hashed. 1; 0: it is not there, or was
 * damaged. */
int eas_remote_add(eas_store *s, const eas_digest *d, int fresh);
int eas_remote_flush(eas_store *s, eas_err *err);

/* cache.c */
typedef struct eas_cache eas_cache; /* which files were hashed by this process, and how many bytes there are */
eas_cache *eas_cache_open(eas_store *s, int64_t limit);
void eas_cache_close(eas_cache *c);
/* The bytes of a file in the folder were found to be its digest's; is_new: the file was not there before. */
void eas_cache_good(eas_cache *c, const eas_digest *d, int64_t size, int is_new);
/* Descriptor of a file in the folder, locked against removal, its bytes checked once; -1: not there (a damaged one is
 * removed). */
int eas_cache_pin(eas_store *s, eas_cache *c, const eas_digest *d);
void eas_cache_lock(int fd); /* a file that is being made */
/* Removes what was used longest ago until there is room again; what is locked stays. */
void eas_cache_trim(eas_store *s, eas_cache *c);
eas_cache *eas_remote_cache(const eas_remote *r);

/* store.h's functions on the far side. */
int eas_remote_fetch(eas_store *s, const eas_digest *list, int n, int *pins, eas_err *err);
int eas_remote_has(const eas_store *s, const eas_digest *d);
int eas_remote_verify(const eas_store *s, const eas_digest *d, eas_err *err);
int eas_remote_remove(eas_store *s, const eas_digest *d, int64_t untouched_since_us, eas_err *err);
int64_t eas_remote_now_us(eas_store *s);
int eas_remote_join(eas_store *s, const char *mark, eas_err *err);
int eas_remote_users(eas_store *s, const char *mark, eas_err *err);
int eas_remote_walk(eas_store *s, const eas_digest *after, eas_store_walk_fn *fn, void *arg, eas_err *err);

#endif
