/* s3_request.c: one request: its headers, its bytes in both directions, what its answer means. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/s3_private.h"
#include "store/store_private.h"

enum { TEXT_MAX = 8 << 20 };

static const char EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; /* SHA-256 of nothing */

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
  eas_s3_transfer *t = arg;
  int64_t left = t->r->body_size - t->sent;
  size_t want = size * count;
  if ((int64_t)want > left) want = (size_t)left;
  ssize_t n = want ? pread(t->r->body, to, want, t->r->body_from + t->sent) : 0;
  if (n < 0 || (want > 0 && n == 0)) return CURL_READFUNC_ABORT;
  t->sent += n;
  return (size_t)n;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
  eas_s3_transfer *t = arg;
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  t->sent = offset;
  return CURL_SEEKFUNC_OK;
}

static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
  eas_s3_transfer *t = arg;
  size_t n = size * count;
  long status = 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  if (t->r->into < 0 || status >= 300) {
    if (t->r->text.len + n > TEXT_MAX) return 0;
    eas_buf_add(&t->r->text, data, n);
    return n;
  }
  eas_hasher_add(t->hasher, data, n);
  for (size_t done = 0; done < n;) {
    ssize_t k = pwrite(t->r->into, data + done, n - done, t->got + (int64_t)done);
    if (k < 0 && errno == EINTR) continue;
    if (k < 0) {
      t->write_error = errno;
      return 0;
    }
    done += (size_t)k;
  }
  t->got += (int64_t)n;
  return n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  const eas_s3_transfer *t = arg;
  (void)a, (void)b, (void)c, (void)d;
  return atomic_load(&t->client->stop);
}

static void add_headers(eas_s3_transfer *t)
{
  const eas_s3_request *r = t->r;
  char line[sizeof t->client->keys.token + 64], hex[65];
  if (r->body >= 0 && r->digest) eas_digest_hex(r->digest, hex);
  snprintf(line, sizeof line, "x-amz-content-sha256: %s", r->body >= 0 && r->digest ? hex : EMPTY);
  t->headers = curl_slist_append(NULL, line);
  if (*t->client->keys.token) {
    snprintf(line, sizeof line, "x-amz-security-token: %s", t->client->keys.token);
    t->headers = curl_slist_append(t->headers, line);
  }
  if (r->only_new && !atomic_load(&t->client->no_conditions))
    t->headers = curl_slist_append(t->headers, "If-None-Match: *");
  if (r->body >= 0) t->headers = curl_slist_append(t->headers, "Content-Type: application/octet-stream");
}

static void set_body(const eas_s3_transfer *t)
{
  const eas_s3_request *r = t->r;
  CURL *e = t->easy;
  if (strcmp(r->method, "HEAD") == 0) {
    curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
  } else if (strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0) {
    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_size);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(e, CURLOPT_READDATA, t);
    curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
  } else if (strcmp(r->method, "GET") != 0) {
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
  }
}

int eas_s3_prepare(eas_s3_transfer *t, eas_err *err)
{
  const eas_s3 *c = t->client;
  CURL *e = t->easy = curl_easy_init();
  if (!e) return eas_fail(err, EAS_ENOMEM, "store '%s': curl: out of memory", c->url);
  char *url = eas_format("%s%s%s%s", c->base, t->r->key, t->r->query ? "?" : "", t->r->query ? t->r->query : "");
  t->sent = t->got = t->write_error = 0;
  *t->problem = 0;
  eas_buf_clear(&t->r->text);
  t->hasher = t->r->into >= 0 ? eas_hasher_new() : NULL;
  add_headers(t);
  curl_easy_setopt(e, CURLOPT_URL, url);
  free(url);
  curl_easy_setopt(e, CURLOPT_PRIVATE, t);
  curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
  curl_easy_setopt(e, CURLOPT_AWS_SIGV4, c->sign);
  curl_easy_setopt(e, CURLOPT_USERNAME, c->keys.id);
  curl_easy_setopt(e, CURLOPT_PASSWORD, c->keys.secret);
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->problem);
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
  curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L); /* threads */
  curl_easy_setopt(e, CURLOPT_FILETIME, 1L);
  curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, c->stall_ms < 5000 ? c->stall_ms : 5000L);
  curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (c->stall_ms + 999) / 1000);
  if (c->ca) curl_easy_setopt(e, CURLOPT_CAINFO, c->ca);
  set_body(t);
  return 0;
}

/* Others' faults that pass by themselves. */
static int passes_by(CURLcode code, long status)
{
  if (code == CURLE_OK)
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_OPERATION_TIMEDOUT:
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
  case CURLE_UPLOAD_FAILED: return 1;
  default: return 0;
  }
}

static int fail_transport(const eas_s3_transfer *t, CURLcode code)
{
  eas_s3_request *r = t->r;
  const eas_s3 *c = t->client;
  if (code == CURLE_ABORTED_BY_CALLBACK && atomic_load(&c->stop))
    return eas_fail(&r->err, EAS_EINTR, "store '%s': stopped", c->url);
  if (t->write_error)
    return eas_fail(&r->err, eas_io_code(t->write_error), "store '%s': write: %s", c->url,
                    eas_store_why(t->write_error));
  return eas_fail(&r->err, EAS_ECONNECT, "store '%s': %s %s at %s: %s", c->url, r->method,
                  *r->key ? r->key : "of a listing", c->endpoint, *t->problem ? t->problem : curl_easy_strerror(code));
}

static int fail_status(const eas_s3_transfer *t, long status)
{
  eas_s3_request *r = t->r;
  const eas_s3 *c = t->client;
  char code[64], message[300];
  eas_s3_element(&r->text, "Code", code, sizeof code);
  eas_s3_element(&r->text, "Message", message, sizeof message);
  int gone = status == 404 && strcmp(code, "NoSuchBucket") != 0;
  int rc = eas_fail(&r->err, gone ? EAS_ENOENT : EAS_ECONNECT, "store '%s': %s %s: %ld%s%s%s%s", c->url, r->method,
                    *r->key ? r->key : "of a listing", status, *code ? " " : "", code, *message ? ": " : "", message);
  if (status == 403) eas_hint(&r->err, "look at the credentials (AWS_ACCESS_KEY_ID) and at what they may do there");
  if (status == 301 || status == 307) eas_hint(&r->err, "the bucket is in another region: s3_region");
  if (strcmp(code, "NoSuchBucket") == 0) eas_hint(&r->err, "make the bucket first; eas makes none");
  return rc;
}

/* What came is what was asked for, and whole. */
static int check_bytes(const eas_s3_transfer *t, const eas_digest *is)
{
  eas_s3_request *r = t->r;
  char hex[65], want[65];
  if (r->into < 0 || !r->digest || eas_digest_equal(is, r->digest)) return 0;
  eas_digest_hex(is, hex);
  eas_digest_hex(r->digest, want);
  return eas_fail(&r->err, EAS_EFORMAT, "store '%s': object %s is damaged: its bytes hash to %s", t->client->url, want,
                  hex);
}

int eas_s3_judge(eas_s3_transfer *t, CURLcode code)
{
  eas_s3_request *r = t->r;
  long status = 0;
  curl_off_t size = -1, mtime = -1;
  struct curl_header *date = NULL;
  eas_digest is;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
  curl_easy_getinfo(t->easy, CURLINFO_FILETIME_T, &mtime);
  if (t->hasher) eas_hasher_end(t->hasher, &is);
  r->status = (int)status;
  r->size = r->into >= 0 ? t->got : size;
  r->mtime_us = mtime < 0 ? -1 : mtime * 1000000;
  r->date_us = curl_easy_header(t->easy, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK
                   ? (int64_t)curl_getdate(date->value, NULL) * 1000000
                   : -1;
  if (curl_easy_header(t->easy, "ETag", 0, CURLH_HEADER, -1, &date) == CURLHE_OK)
    snprintf(r->etag, sizeof r->etag, "%s", date->value);
  r->err = (eas_err){ 0 };
  int again = 0;
  if (code != CURLE_OK) {
    r->rc = fail_transport(t, code);
    again = r->rc == EAS_ECONNECT && passes_by(code, 0);
  } else if (status == 501 && r->only_new && !atomic_load(&t->client->no_conditions)) {
    r->rc = fail_status(t, status);
    atomic_store(&t->client->no_conditions, 1); /* an older server: the key is the hash, so nothing else can be there */
    again = 1;
  } else if (status >= 300) {
    r->rc = fail_status(t, status);
    again = passes_by(CURLE_OK, status) || (status == 409 && r->only_new); /* 409: another puts the same just now */
  } else {
    r->rc = check_bytes(t, &is);
    again = r->rc < 0 && t->tries < 2; /* on the way, or there? once more tells */
  }
  curl_easy_cleanup(t->easy);
  curl_slist_free_all(t->headers);
  t->easy = NULL;
  t->headers = NULL;
  t->hasher = NULL;
  return again;
}
