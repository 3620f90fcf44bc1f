/* store_remote.c: a store whose objects are in an object store: what is put in waits in the folder until a flush. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/remote.h"
#include "store/s3.h"

enum { GROUP = 32 };
static const int64_t YOUNG_US = INT64_C(12) * 3600 * 1000000; /* gc spares what is under a day old */

typedef struct {
  eas_digest d;
  int pin; /* the file in the folder */
} waiting;

struct eas_remote {
  eas_s3 *s3;
  eas_cache *cache;
  pthread_mutex_t lock;
  waiting *list; /* to be brought away */
  int n, cap;
};

/* Each pin is a descriptor. */
static void more_descriptors(void)
{
  struct rlimit l;
  if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= l.rlim_max) return;
  l.rlim_cur = l.rlim_max;
  setrlimit(RLIMIT_NOFILE, &l);
}

int eas_remote_open(eas_store *s, const char *url, const eas_store_settings *set, eas_err *err)
{
  eas_s3 *s3 = NULL;
  int rc = eas_s3_open(&s3, url, set, err);
  if (rc < 0) return rc;
  eas_remote *r = s->remote = eas_alloc(sizeof *r);
  pthread_mutex_init(&r->lock, NULL);
  r->s3 = s3;
  r->cache = eas_cache_open(s, set->cache_bytes);
  more_descriptors();
  return 0;
}

void eas_remote_close(eas_remote *r)
{
  if (!r) return;
  for (int i = 0; i < r->n; i++) close(r->list[i].pin);
  free(r->list);
  pthread_mutex_destroy(&r->lock);
  eas_cache_close(r->cache);
  eas_s3_close(r->s3);
  free(r);
}

eas_s3 *eas_remote_server(const eas_remote *r)
{
  return r->s3;
}

eas_cache *eas_remote_cache(const eas_remote *r)
{
  return r->cache;
}

static void push(eas_remote *r, const waiting *w)
{
  pthread_mutex_lock(&r->lock);
  if (r->n == r->cap) {
    r->cap = r->cap ? 2 * r->cap : 64;
    r->list = eas_realloc(r->list, (size_t)r->cap * sizeof *r->list);
  }
  r->list[r->n++] = *w;
  pthread_mutex_unlock(&r->lock);
}

int eas_remote_add(eas_store *s, const eas_digest *d, int fresh)
{
  eas_remote *r = s->remote;
  char name[EAS_OBJECT_NAME];
  struct stat st = { 0 };
  eas_store_name(d, name);
  if (fresh && fstatat(s->objects_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) eas_cache_good(r->cache, d, st.st_size, 1);
  waiting w = { *d, eas_cache_pin(s, r->cache, d) };
  if (w.pin < 0) return 0;
  push(r, &w);
  return 1;
}

void eas_remote_key(const eas_s3 *s3, const eas_digest *d, char key[EAS_S3_KEY])
{
  char name[EAS_OBJECT_NAME];
  eas_store_name(d, name);
  snprintf(key, EAS_S3_KEY, "%sobjects/%s", eas_s3_prefix(s3), name);
}

static int head(eas_s3 *s3, const eas_digest *d, eas_s3_request *q)
{
  eas_s3_request_init(q, "HEAD");
  eas_remote_key(s3, d, q->key);
  int rc = eas_s3_run(s3, q, 1, NULL);
  eas_buf_done(&q->text);
  return rc;
}

/* It was there already. Young and of its size: that will do. Else it is put again: gc goes by its age. */
static int renew(eas_s3 *s3, eas_s3_request *put)
{
  eas_s3_request q;
  int rc = head(s3, put->digest, &q);
  if (rc < 0 && rc != EAS_ENOENT) {
    put->err = q.err;
    return put->rc = rc;
  }
  if (rc == 0 && q.size == put->body_size && q.mtime_us > eas_now_us() - YOUNG_US) return put->rc = 0;
  put->only_new = 0;
  return put->rc = eas_s3_run(s3, put, 1, NULL);
}

/* Those that go in parts come last; returns how many do not. */
static int large_last(const eas_s3 *s3, eas_s3_request *q, waiting *list, int n)
{
  int small = 0;
  for (int i = 0; i < n; i++) {
    if (q[i].body_size > eas_s3_part_bytes(s3)) continue;
    eas_s3_request r = q[small];
    waiting w = list[small];
    q[small] = q[i];
    list[small] = list[i];
    q[i] = r;
    list[i] = w;
    small++;
  }
  for (int i = 0; i < n; i++) q[i].digest = &list[i].d; /* it has moved */
  return small;
}

/* So much is not sent only to hear that it is there. */
static int put_large(eas_s3 *s3, eas_s3_request *put)
{
  eas_s3_request q;
  int rc = head(s3, put->digest, &q);
  if (rc == 0 && q.size == put->body_size && q.mtime_us > eas_now_us() - YOUNG_US) return put->rc = 0;
  if (rc == 0 || rc == EAS_ENOENT) return eas_s3_put_parts(s3, put);
  put->err = q.err;
  return put->rc = rc;
}

/* Brings n <= GROUP away; each that could not be goes back to the list. */
static int bring(eas_store *s, waiting *list, int n, eas_err *err)
{
  eas_remote *r = s->remote;
  eas_s3_request *q = eas_alloc((size_t)n * sizeof *q);
  int rc = 0;
  for (int i = 0; i < n; i++) {
    struct stat st = { 0 };
    eas_s3_request_init(&q[i], "PUT");
    eas_remote_key(r->s3, &list[i].d, q[i].key);
    q[i].body = list[i].pin;
    q[i].digest = &list[i].d;
    q[i].only_new = 1;
    if (fstat(list[i].pin, &st) == 0) q[i].body_size = st.st_size;
  }
  int small = large_last(r->s3, q, list, n);
  eas_s3_run(r->s3, q, small, NULL);
  for (int i = 0; i < n; i++) {
    if (i >= small) put_large(r->s3, &q[i]);
    if (q[i].rc < 0 && q[i].status == 412) renew(r->s3, &q[i]);
    if (q[i].rc < 0) {
      push(r, &list[i]);
      if (rc == 0 && err) *err = q[i].err;
      if (rc == 0) rc = q[i].rc;
    } else {
      close(list[i].pin);
    }
    eas_buf_done(&q[i].text);
  }
  free(q);
  return rc;
}

static int by_digest(const void *a, const void *b)
{
  return memcmp(((const waiting *)a)->d.b, ((const waiting *)b)->d.b, sizeof((const waiting *)a)->d.b);
}

static int one_of_each(waiting *list, int n)
{
  int kept = 0;
  if (n > 1) qsort(list, (size_t)n, sizeof *list, by_digest);
  for (int i = 0; i < n; i++)
    if (kept > 0 && by_digest(&list[kept - 1], &list[i]) == 0)
      close(list[i].pin);
    else
      list[kept++] = list[i];
  return kept;
}

int eas_remote_flush(eas_store *s, eas_err *err)
{
  eas_remote *r = s->remote;
  pthread_mutex_lock(&s->flush_lock);
  pthread_mutex_lock(&r->lock);
  waiting *list = r->list;
  int n = r->n, rc = 0;
  r->list = NULL;
  r->n = r->cap = 0;
  pthread_mutex_unlock(&r->lock);

  n = one_of_each(list, n);
  for (int i = 0; i < n; i += GROUP) {
    int k = n - i < GROUP ? n - i : GROUP;
    if (rc == EAS_ECONNECT || rc == EAS_EINTR) { /* the server is away: the rest waits too */
      for (int j = i; j < i + k; j++) push(r, &list[j]);
      continue;
    }
    int bad = bring(s, list + i, k, rc == 0 ? err : NULL);
    if (rc == 0) rc = bad;
  }
  free(list);
  eas_cache_trim(s, r->cache);
  pthread_mutex_unlock(&s->flush_lock);
  return rc;
}

int eas_remote_has(const eas_store *s, const eas_digest *d)
{
  eas_s3_request q;
  int rc = head(s->remote->s3, d, &q);
  return rc == 0 ? 1 : rc == EAS_ENOENT ? 0 : rc;
}

int eas_remote_verify(const eas_store *s, const eas_digest *d, eas_err *err)
{
  eas_s3_request q;
  eas_s3_request_init(&q, "GET");
  eas_remote_key(s->remote->s3, d, q.key);
  q.digest = d;
  q.into = open("/dev/null", O_WRONLY | O_CLOEXEC); /* hashed on the way, kept nowhere */
  if (q.into < 0) return eas_fail(err, EAS_EIO, "open /dev/null");
  int rc = eas_s3_run(s->remote->s3, &q, 1, err);
  close(q.into);
  eas_buf_done(&q.text);
  return rc;
}

int64_t eas_remote_now_us(eas_store *s)
{
  eas_s3_request q;
  eas_digest none = { 0 };
  head(s->remote->s3, &none, &q); /* whatever it says of that, it says when */
  return q.date_us > 0 ? q.date_us : eas_now_us();
}

/* Who stores the same bytes sees them older than YOUNG_US, and puts them again: only between these two requests could that
 * be in vain. */
int eas_remote_remove(eas_store *s, const eas_digest *d, int64_t untouched_since_us, eas_err *err)
{
  char name[EAS_OBJECT_NAME];
  eas_s3_request q;
  int rc = head(s->remote->s3, d, &q);
  if (rc < 0 && err) *err = q.err;
  if (rc < 0) return rc;
  if (q.mtime_us > untouched_since_us) return 0;
  eas_s3_request_init(&q, "DELETE");
  eas_remote_key(s->remote->s3, d, q.key);
  rc = eas_s3_run(s->remote->s3, &q, 1, err);
  eas_buf_done(&q.text);
  eas_store_name(d, name);
  if (rc < 0) return rc;
  unlinkat(s->objects_fd, name, 0);
  return 1;
}

int eas_remote_join(eas_store *s, const char *mark, eas_err *err)
{
  eas_s3_request q;
  eas_s3_request_init(&q, "PUT");
  snprintf(q.key, sizeof q.key, "%susers/%s", eas_s3_prefix(s->remote->s3), mark);
  int rc = eas_s3_run(s->remote->s3, &q, 1, err);
  eas_buf_done(&q.text);
  return rc;
}

typedef struct {
  const char *mark;
  int n;
} counting;

static int on_user(void *arg, const char *key, int64_t size, int64_t mtime_us)
{
  counting *c = arg;
  (void)size, (void)mtime_us;
  c->n += strcmp(key + strlen("users/"), c->mark) != 0;
  return 0;
}

int eas_remote_users(eas_store *s, const char *mark, eas_err *err)
{
  counting c = { mark, 0 };
  int rc = eas_s3_list(s->remote->s3, "users/", NULL, 0, on_user, &c, err);
  return rc < 0 ? rc : c.n;
}

typedef struct {
  eas_store_walk_fn *fn;
  void *arg;
} walking;

static int on_key(void *arg, const char *key, int64_t size, int64_t mtime_us)
{
  const walking *w = arg;
  eas_digest d;
  char name[EAS_OBJECT_NAME];
  if (strlen(key) != strlen("objects/") + EAS_OBJECT_NAME - 1 || eas_digest_parse(key + strlen("objects/ab/"), &d) < 0)
    return 0;
  eas_store_name(&d, name);
  return strcmp(key + strlen("objects/"), name) == 0 ? w->fn(w->arg, &d, size, mtime_us) : 0;
}

int eas_remote_walk(eas_store *s, const eas_digest *after, eas_store_walk_fn *fn, void *arg, eas_err *err)
{
  walking w = { fn, arg };
  char name[EAS_OBJECT_NAME], key[EAS_OBJECT_NAME + 8];
  if (after) eas_store_name(after, name);
  if (after) snprintf(key, sizeof key, "objects/%s", name);
  return eas_s3_list(s->remote->s3, "objects/", after ? key : NULL, 0, on_key, &w, err);
}
