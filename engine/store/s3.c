/* s3.c: an object store: where it is, and many requests at once, with tries. */
#include "store/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/s3_private.h"

enum { LONGEST_PAUSE_US = 5 * 1000 * 1000, POLL_MS = 200, PART = 64 * 1000 * 1000, LEAST_PART = 5 << 20 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Bucket and prefix go into URLs as they are, and are signed so. */
static int check_name(const char *url, const char *name, const char *more, eas_err *err)
{
  for (const char *p = name; *p; p++)
    if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.ABCDEFGHIJKLMNOPQRSTUVWXYZ_", *p) && !strchr(more, *p))
      return eas_fail(err, EAS_EURL, "store '%s': '%c' in a name; letters, digits and - . _ are fine", url, *p);
  return 0;
}

static int parse_url(eas_s3 *c, const char *url, eas_err *err)
{
  const char *rest = url + strlen("s3://");
  size_t n = strcspn(rest, "/"), k = strlen(rest + n);
  while (k > 0 && rest[n + k - 1] == '/') k--;
  c->bucket = eas_format("%.*s", (int)n, rest);
  c->prefix = k > 1 ? eas_format("%.*s/", (int)k - 1, rest + n + 1) : eas_strdup("");
  c->url = k > 1 ? eas_format("s3://%s/%.*s", c->bucket, (int)k - 1, rest + n + 1) : eas_format("s3://%s", c->bucket);
  if (n < 3 || n > 63 || strlen(c->prefix) > 900)
    return eas_fail(err, EAS_EURL, "store '%s': s3://BUCKET/PREFIX is expected, the bucket of 3 to 63 characters", url);
  int rc = check_name(url, c->bucket, "", err);
  return rc < 0 ? rc : check_name(url, c->prefix, "/", err);
}

static const char *first_of(const char *given, const char *env1, const char *env2, const char *initial)
{
  const char *v = given && *given ? given : getenv(env1);
  if (!v || !*v) v = getenv(env2);
  return v && *v ? v : initial;
}

static int find_server(eas_s3 *c, const eas_store_settings *set, eas_err *err)
{
  const char *region = first_of(set->region, "AWS_REGION", "AWS_DEFAULT_REGION", "us-east-1");
  const char *end = first_of(set->endpoint, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "");
  const char *ca = getenv("AWS_CA_BUNDLE");
  int rc = check_name(c->url, region, "", err);
  if (rc < 0) return eas_err_prefix(err, "region '%s'", region);
  c->endpoint = *end ? eas_strdup(end) : eas_format("https://s3.%s.amazonaws.com", region);
  for (size_t n = strlen(c->endpoint); n > 0 && c->endpoint[n - 1] == '/';) c->endpoint[--n] = 0;
  const char *host = strstr(c->endpoint, "://");
  if (!host || strpbrk(host + 3, "/@?#") ||
      (strncmp(c->endpoint, "https://", 8) != 0 && strncmp(c->endpoint, "http://", 7) != 0))
    return eas_fail(err, EAS_EURL, "s3_endpoint '%s': https://HOST[:PORT] is expected", end);
  int path_style = set->path_style < 0 ? *end != 0 : set->path_style;
  c->base = path_style ? eas_format("%s/%s/", c->endpoint, c->bucket)
                       : eas_format("%.*s://%s.%s/", (int)(host - c->endpoint), c->endpoint, c->bucket, host + 3);
  c->sign = eas_format("aws:amz:%s:s3", region);
  c->ca = ca && *ca ? eas_strdup(ca) : NULL;
  return 0;
}

int eas_s3_open(eas_s3 **out, const char *url, const eas_store_settings *set, eas_err *err)
{
  pthread_once(&once, init_curl);
  eas_s3 *c = eas_alloc(sizeof *c);
  pthread_mutex_init(&c->lock, NULL);
  c->tries = set->tries > 0 ? set->tries : 5;
  c->pause_us = (set->pause_ms > 0 ? set->pause_ms : 100) * 1000;
  c->stall_ms = set->stall_ms > 0 ? set->stall_ms : 30000;
  c->part_bytes = set->part_bytes > 0 ? set->part_bytes : PART;
  int rc = parse_url(c, url, err);
  if (rc == 0 && c->part_bytes < LEAST_PART)
    rc = eas_fail(err, EAS_EINVAL, "s3_part: at least 5.3 MB is wanted, which is what S3 takes, found %lld bytes",
                  (long long)c->part_bytes);
  if (rc == 0) rc = find_server(c, set, err);
  if (rc == 0) rc = eas_s3_keys_find(set->credentials_file, &c->keys, err);
  if (rc < 0) {
    eas_s3_close(c);
    return rc;
  }
  *out = c;
  return 0;
}

void eas_s3_close(eas_s3 *c)
{
  if (!c) return;
  while (c->n_idle > 0) curl_multi_cleanup(c->idle[--c->n_idle]);
  pthread_mutex_destroy(&c->lock);
  explicit_bzero(&c->keys, sizeof c->keys);
  char *texts[] = { c->url, c->bucket, c->prefix, c->endpoint, c->base, c->sign, c->ca };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free(texts[i]);
  free(c);
}

const char *eas_s3_url(const eas_s3 *c)
{
  return c->url;
}

const char *eas_s3_endpoint(const eas_s3 *c)
{
  return c->endpoint;
}

const char *eas_s3_prefix(const eas_s3 *c)
{
  return c->prefix;
}

void eas_s3_stop(eas_s3 *c)
{
  atomic_store(&c->stop, 1);
}

void eas_s3_request_init(eas_s3_request *r, const char *method)
{
  memset(r, 0, sizeof *r);
  r->method = method;
  r->body = r->into = -1;
  eas_buf_init(&r->text);
}

static CURLM *take_multi(eas_s3 *c)
{
  pthread_mutex_lock(&c->lock);
  CURLM *m = c->n_idle > 0 ? c->idle[--c->n_idle] : NULL;
  pthread_mutex_unlock(&c->lock);
  return m ? m : curl_multi_init();
}

static void give_multi(eas_s3 *c, CURLM *m)
{
  pthread_mutex_lock(&c->lock);
  if (c->n_idle < EAS_S3_IDLE_HANDLES)
    c->idle[c->n_idle++] = m;
  else
    curl_multi_cleanup(m);
  pthread_mutex_unlock(&c->lock);
}

/* Ever longer, and never all at the same moment. */
static int64_t pause_us(const eas_s3 *c, int tries)
{
  uint64_t random;
  int64_t pause = c->pause_us;
  for (int i = 1; i < tries && pause < LONGEST_PAUSE_US; i++) pause *= 3;
  if (pause > LONGEST_PAUSE_US) pause = LONGEST_PAUSE_US;
  eas_random_bytes(&random, sizeof random);
  return pause / 2 + (int64_t)(random % (uint64_t)pause);
}

typedef struct {
  eas_s3 *c;
  CURLM *multi;
  eas_s3_request *list;
  int n, next, active, done;
  eas_s3_transfer t[EAS_S3_AT_ONCE]; /* r NULL: free */
} batch;

static void finish(batch *b, eas_s3_transfer *t)
{
  t->r = NULL;
  b->active--;
  b->done++;
}

static void begin(batch *b, eas_s3_transfer *t)
{
  if (eas_s3_prepare(t, &t->r->err) < 0) {
    t->r->rc = t->r->err.code;
    finish(b, t);
    return;
  }
  t->tries++;
  curl_multi_add_handle(b->multi, t->easy);
}

static void fill(batch *b)
{
  int64_t now = eas_tick_us();
  for (int i = 0; i < EAS_S3_AT_ONCE; i++) {
    eas_s3_transfer *t = &b->t[i];
    if (!t->r && b->next < b->n) {
      *t = (eas_s3_transfer){ .client = b->c, .r = &b->list[b->next++] };
      b->active++;
    }
    if (!t->r || t->easy) continue;
    if (atomic_load(&b->c->stop)) {
      t->r->rc = eas_fail(&t->r->err, EAS_EINTR, "store '%s': stopped", b->c->url);
      finish(b, t);
    } else if (t->not_before_us <= now) {
      begin(b, t);
    }
  }
}

static void reap(batch *b)
{
  CURLMsg *m;
  int left;
  while ((m = curl_multi_info_read(b->multi, &left))) {
    eas_s3_transfer *t;
    if (m->msg != CURLMSG_DONE) continue;
    CURLcode code = m->data.result;
    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
    curl_multi_remove_handle(b->multi, t->easy);
    if (eas_s3_judge(t, code) && t->tries < b->c->tries) {
      t->not_before_us = eas_tick_us() + pause_us(b->c, t->tries);
      continue;
    }
    if (t->r->rc == EAS_ECONNECT && t->tries > 1) eas_err_prefix(&t->r->err, "after %d tries", t->tries);
    finish(b, t);
  }
}

static int poll_ms(const batch *b)
{
  int64_t now = eas_tick_us(), soonest = POLL_MS * 1000;
  for (int i = 0; i < EAS_S3_AT_ONCE; i++)
    if (b->t[i].r && !b->t[i].easy && b->t[i].not_before_us - now < soonest) soonest = b->t[i].not_before_us - now;
  return soonest < 0 ? 0 : (int)(soonest / 1000) + 1;
}

int eas_s3_run(eas_s3 *c, eas_s3_request *list, int n, eas_err *err)
{
  batch b = { .c = c, .multi = take_multi(c), .list = list, .n = n };
  if (!b.multi) return eas_fail(err, EAS_ENOMEM, "store '%s': curl: out of memory", c->url);
  while (b.done < n) {
    int running = 0;
    fill(&b);
    curl_multi_perform(b.multi, &running);
    reap(&b);
    if (b.done < n) curl_multi_poll(b.multi, NULL, 0, poll_ms(&b), NULL);
  }
  give_multi(c, b.multi);
  for (int i = 0; i < n; i++)
    if (list[i].rc < 0) {
      if (err) *err = list[i].err;
      return list[i].rc;
    }
  return 0;
}
