/* store.h: bytes under their hash: immutable, atomic, verified. Knows no database.
 *
 * Folder: objects/ab/<sha256 hex> (mode 0444), tmp/ (same disk), products/<directory>/<filename> links
 * for people, users/ (see eas_store_join). An object is never overwritten; storing it again touches it. Functions are
 * thread-safe.
 *
 * Object store (S3): the same objects/ab/<sha256 hex> below the prefix of a bucket, no links. What is put in waits in a
 * local folder until eas_store_flush brings it away; what is read is fetched into that folder first, which is a cache of
 * bounded size. "The folder" below is the store's, or the cache's. Errors of the server: EAS_ECONNECT. */
#ifndef EAS_STORE_STORE_H
#define EAS_STORE_STORE_H
#ifndef EAS_CDEF
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#endif
#include "base/hash.h"

typedef struct eas_store eas_store;

/* Of an object store; what is NULL, empty or 0 is found in AWS_... variables or has the default said. */
typedef struct {
  const char *cache;    /* folder of copies */
  int64_t cache_bytes;  /* 0: no limit */
  const char *endpoint; /* https://HOST[:PORT]; default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, Amazon's of the region */
  const char *region;   /* default AWS_REGION, AWS_DEFAULT_REGION, us-east-1 */
  const char *credentials_file; /* default AWS_ACCESS_KEY_ID ..., AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials */
  int path_style;     /* 1: https://HOST/BUCKET/KEY, 0: https://BUCKET.HOST/KEY, -1: 1 if an endpoint was given */
  int tries;          /* default 5 */
  int64_t pause_ms;   /* before the second; three times as long before each further one, to 5 s; default 100 */
  int64_t part_bytes; /* what is larger is sent in parts of so many; at least 5 MiB, default 64 MB */
  int64_t stall_ms;   /* a transfer that stands still so long is begun again; default 30 s */
} eas_store_settings;

int eas_store_open(eas_store **out, const char *url_or_path, eas_err *err); /* makes the folders; a directory store */
/* The same, or s3://BUCKET/PREFIX, which connects to nothing yet. EAS_EURL; EAS_EINVAL: no credentials. */
int eas_store_open_with(eas_store **out, const char *url_or_path, const eas_store_settings *set, eas_err *err);
int eas_store_is_url(const char *url_or_path); /* 1: of an object store */
int eas_store_is_remote(const eas_store *s);
const char *eas_store_where(const eas_store *s); /* s3://BUCKET/PREFIX, or the folder */
int eas_store_probe(eas_store *s, eas_err *err); /* can it be reached, and read? */
void eas_store_stop(eas_store *s);               /* nobody waits for a server any more: EAS_EINTR, now and later */
void eas_store_close(eas_store *s);

/* Takes a file that a child made: opened as name beneath the folder dirfd (openat2 RESOLVE_BENEATH |
 * NO_SYMLINKS), must be regular with one link and at most max_bytes (0: no limit); made read-only and the
 * caller's, hashed, synced, renamed (copied first if on another disk). On an error it stays where it was.
 * EAS_EFORMAT: a link, a device, a name that leaves the folder; EAS_ENOENT; EAS_ELIMIT. */
int eas_store_take(eas_store *s, int dirfd, const char *name, int64_t max_bytes, eas_digest *digest, int64_t *size,
                   eas_err *err);
int eas_store_put(eas_store *s, const void *data, size_t n, eas_digest *digest, eas_err *err);
/* As eas_store_take, but a plain path that is copied, never moved (inputs of `eas task`, ingest). */
int eas_store_copy(eas_store *s, const char *path, eas_digest *digest, int64_t *size, eas_err *err);
/* Waits until everything stored by this process so far is on disk: one sync of each folder touched. (The
 * bytes are there when take, put and copy return; their names only after this.) Of an object store: until all of it was
 * brought there; what could not be is tried again by the next flush. */
int eas_store_flush(eas_store *s, eas_err *err);

/* An object that grows by pieces and is packed (zstd) on the way: the log of an attempt. Until it has its name it is a
 * file without one: a process that dies leaves nothing. One thread at a time; close also after end. */
typedef struct eas_store_stream eas_store_stream;
int eas_store_stream_open(eas_store_stream **out, eas_store *s, eas_err *err);
int eas_store_stream_add(eas_store_stream *t, const void *data, size_t n, eas_err *err);
/* The last piece is in: digest and size of the packed object, which needs eas_store_flush as any. */
int eas_store_stream_end(eas_store_stream *t, eas_digest *digest, int64_t *size, eas_err *err);
void eas_store_stream_close(eas_store_stream *t);
/* Calls fn with piece after piece of what was packed; fn returns 0 to go on, else its value is returned.
 * EAS_ENOENT: no such object; EAS_EFORMAT: damaged, or not packed. */
typedef int eas_store_unpack_fn(void *arg, const char *data, size_t n);
int eas_store_unpack(const eas_store *s, const eas_digest *d, eas_store_unpack_fn *fn, void *arg, eas_err *err);

/* Has n objects in the folder, for eas_store_path: fetched, hashed, and pinned there until eas_store_unpin (a directory
 * store has nothing to do). pins [n], all -1 on an error. EAS_ENOENT, EAS_EFORMAT (damaged), EAS_ECONNECT, EAS_ENOSPC. */
int eas_store_fetch(eas_store *s, const eas_digest *list, int n, int *pins, eas_err *err);
void eas_store_unpin(int *pins, int n);
/* Has one there without a pin, for who reads it at once. EAS_ENOENT and as eas_store_fetch. */
int eas_store_have(const eas_store *s, const eas_digest *d, eas_err *err);

char *eas_store_path(const eas_store *s, const eas_digest *d);                             /* absolute, caller frees */
int eas_store_open_object(const eas_store *s, const eas_digest *d, int *fd, eas_err *err); /* O_RDONLY */
int eas_store_has(const eas_store *s, const eas_digest *d); /* 1, 0, or EAS_E of a server that does not say */
/* As eas_store_has, but never a round trip: what a row names is believed to be in an object store. */
int eas_store_expects(const eas_store *s, const eas_digest *d);
int eas_store_verify(const eas_store *s, const eas_digest *d, eas_err *err); /* rehash; EAS_EFORMAT when it differs */

/* products/<directory>/<filename> -> object, replaced atomically. In an object store there are none: nothing is done. */
int eas_store_link(eas_store *s, const char *directory, const char *filename, const eas_digest *d, eas_err *err);
int eas_store_unlink(eas_store *s, const char *directory, const char *filename, eas_err *err);

/* Calls fn for each object (in the order of digests, from the first above `after` if that is given); fn returns 0 to go on,
 * else its value is returned. The same for links (any order); what is no link of the store's is passed over. */
typedef int eas_store_walk_fn(void *arg, const eas_digest *d, int64_t size, int64_t mtime_us);
int eas_store_walk(eas_store *s, const eas_digest *after, eas_store_walk_fn *fn, void *arg, eas_err *err);
typedef int eas_store_links_fn(void *arg, const char *directory, const char *filename, const eas_digest *d);
int eas_store_links(eas_store *s, eas_store_links_fn *fn, void *arg, eas_err *err);
/* gc only. 1; 0: it was stored again after untouched_since_us, and stays; EAS_ENOENT. */
int eas_store_remove(eas_store *s, const eas_digest *d, int64_t untouched_since_us, eas_err *err);
int64_t eas_store_now_us(eas_store *s); /* by the clock that stamps its objects */
/* Removes what was left in tmp/ longer ago than that; returns how many files. */
int eas_store_sweep_tmp(eas_store *s, int64_t older_than_us, eas_err *err);
/* users/MARK: who writes into this store; mark is a plain word. And how many others do. */
int eas_store_join(eas_store *s, const char *mark, eas_err *err);
int eas_store_users(eas_store *s, const char *mark, eas_err *err);
int64_t eas_store_free_bytes(const eas_store *s); /* on the disk of the folder */
const char *eas_store_root(const eas_store *s);   /* the folder, absolute */

#endif
