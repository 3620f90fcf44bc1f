/* s3_parts.c: a large object is sent in parts, several at once, each signed with its own hash and tried again by itself. An
 * upload that fails is given up on the server too, so that nothing of it stays there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/path.h"
#include "store/s3_private.h"
#include "store/store_private.h"

enum { MOST_PARTS = 10000, PIECE = 1 << 16 };

typedef struct {
  eas_s3 *c;
  eas_s3_request *put; /* of the whole */
  int64_t part;        /* bytes of each but the last */
  int n;
  char id[1024]; /* of the upload, encoded */
  eas_buf list;  /* what the parts became, for the server */
} upload;

int64_t eas_s3_part_bytes(const eas_s3 *c)
{
  return c->part_bytes;
}

static int hash_part(const upload *u, int64_t from, int64_t size, eas_digest *out, eas_err *err)
{
  char *piece = eas_alloc(PIECE);
  eas_hasher *h = eas_hasher_new();
  int rc = 0;
  for (int64_t done = 0; done < size && rc == 0;) {
    size_t want = size - done < PIECE ? (size_t)(size - done) : PIECE;
    ssize_t n = pread(u->put->body, piece, want, from + done);
    if (n > 0) {
      eas_hasher_add(h, piece, (size_t)n);
      done += n;
    } else if (n == 0 || errno != EINTR) {
      rc = eas_fail(err, EAS_EIO, "store '%s': read %s: %s", u->c->url, u->put->key,
                    n == 0 ? "it has become shorter" : eas_store_why(errno));
    }
  }
  eas_hasher_end(h, out);
  free(piece);
  return rc;
}

static void request(const upload *u, eas_s3_request *r, const char *method)
{
  eas_s3_request_init(r, method);
  memcpy(r->key, u->put->key, sizeof r->key);
}

static int begin(upload *u, eas_err *err)
{
  char id[300];
  eas_s3_request r;
  request(u, &r, "POST");
  r.query = "uploads=";
  int rc = eas_s3_run(u->c, &r, 1, err);
  if (rc == 0) {
    eas_s3_element(&r.text, "UploadId", id, sizeof id);
    if (!*id)
      rc = eas_fail(err, EAS_ECONNECT, "store '%s': %s names no upload for %s", u->c->url, u->c->endpoint, r.key);
  }
  eas_buf_done(&r.text);
  if (rc < 0) return rc;
  eas_buf encoded;
  eas_buf_init(&encoded);
  eas_s3_encode(&encoded, id);
  snprintf(u->id, sizeof u->id, "%s", encoded.data);
  eas_buf_done(&encoded);
  return 0;
}

/* Parts first to first + n - 1, counted from 0, at once. */
static int send_some(upload *u, int first, int n, eas_err *err)
{
  eas_s3_request r[EAS_S3_AT_ONCE];
  eas_digest digest[EAS_S3_AT_ONCE];
  char query[EAS_S3_AT_ONCE][1100];
  int rc = 0;
  for (int i = 0; i < n; i++) {
    int64_t from = (first + i) * u->part, left = u->put->body_size - from;
    request(u, &r[i], "PUT");
    snprintf(query[i], sizeof query[i], "partNumber=%d&uploadId=%s", first + i + 1, u->id);
    r[i].query = query[i];
    r[i].body = u->put->body;
    r[i].body_from = from;
    r[i].body_size = left < u->part ? left : u->part;
    r[i].digest = &digest[i];
    if (rc == 0) rc = hash_part(u, from, r[i].body_size, &digest[i], err);
  }
  if (rc == 0) rc = eas_s3_run(u->c, r, n, err);
  for (int i = 0; i < n; i++) {
    if (rc == 0 && !*r[i].etag)
      rc = eas_fail(err, EAS_ECONNECT, "store '%s': %s gives no ETag for a part", u->c->url, u->c->endpoint);
    if (rc == 0)
      eas_buf_printf(&u->list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", first + i + 1, r[i].etag);
    eas_buf_done(&r[i].text);
  }
  return rc;
}

/* The server may say 200 and put an error into its answer; or not know an upload that an earlier try has ended. */
static int judge_end(const upload *u, const eas_s3_request *r, eas_err *err)
{
  char code[64], message[300];
  if (r->rc == EAS_ENOENT) {
    eas_s3_request head;
    request(u, &head, "HEAD");
    int rc = eas_s3_run(u->c, &head, 1, NULL);
    eas_buf_done(&head.text);
    if (rc == 0 && head.size == u->put->body_size) return 0;
  }
  if (r->rc < 0) {
    *err = r->err;
    if (r->rc == EAS_ENOENT) err->code = EAS_ECONNECT; /* the upload is gone: begun anew by the next flush */
    return err->code;
  }
  eas_s3_element(&r->text, "Code", code, sizeof code);
  eas_s3_element(&r->text, "Message", message, sizeof message);
  return *code ? eas_fail(err, EAS_ECONNECT, "store '%s': POST %s: %s: %s", u->c->url, r->key, code, message) : 0;
}

static int end(upload *u, eas_err *err)
{
  char query[1100];
  eas_digest digest;
  eas_s3_request r;
  eas_buf_str(&u->list, "</CompleteMultipartUpload>");
  request(u, &r, "POST");
  snprintf(query, sizeof query, "uploadId=%s", u->id);
  r.query = query;
  r.body = memfd_create("eas-parts", MFD_CLOEXEC);
  if (r.body < 0 || eas_write_all(r.body, u->list.data, u->list.len) < 0) {
    int code = errno;
    if (r.body >= 0) close(r.body);
    return eas_fail(err, EAS_ENOMEM, "store '%s': list of parts: %s", u->c->url, strerror(code));
  }
  r.body_size = (int64_t)u->list.len;
  eas_hash(u->list.data, u->list.len, &digest);
  r.digest = &digest;
  eas_s3_run(u->c, &r, 1, NULL);
  u->put->status = r.status;
  int rc = judge_end(u, &r, err);
  close(r.body);
  eas_buf_done(&r.text);
  return rc;
}

static void give_up(const upload *u)
{
  char query[1100];
  eas_s3_request r;
  request(u, &r, "DELETE");
  snprintf(query, sizeof query, "uploadId=%s", u->id);
  r.query = query;
  eas_s3_run(u->c, &r, 1, NULL);
  eas_buf_done(&r.text);
}

int eas_s3_put_parts(eas_s3 *c, eas_s3_request *put)
{
  upload u = { .c = c, .put = put, .part = c->part_bytes };
  if (put->body_size > u.part * MOST_PARTS) u.part = (put->body_size + MOST_PARTS - 1) / MOST_PARTS;
  u.n = (int)((put->body_size + u.part - 1) / u.part);
  eas_buf_init(&u.list);
  eas_buf_str(&u.list, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
  put->err = (eas_err){ 0 };
  int rc = begin(&u, &put->err);
  int begun = rc == 0;
  for (int i = 0; i < u.n && rc == 0; i += EAS_S3_AT_ONCE)
    rc = send_some(&u, i, u.n - i < EAS_S3_AT_ONCE ? u.n - i : EAS_S3_AT_ONCE, &put->err);
  if (rc == 0) rc = end(&u, &put->err);
  if (rc < 0 && begun) give_up(&u);
  eas_buf_done(&u.list);
  return put->rc = rc;
}
