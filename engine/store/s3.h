/* s3.h: requests to an S3-compatible object store (libcurl, which signs them: AWS Signature Version 4).
 *
 * Several go at once over connections that are kept; what is the server's or the network's passing fault is tried
 * again, ever later. Thread-safe. Private to store/. */
#ifndef EAS_STORE_S3_H
#define EAS_STORE_S3_H
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/store.h"

typedef struct eas_s3 eas_s3;

enum { EAS_S3_KEY = 1200 }; /* bytes of a key with its zero; S3's own limit is 1024 */

/* One request, and what became of it. Descriptors are borrowed. */
typedef struct {
  const char *method;   /* GET HEAD PUT POST DELETE */
  char key[EAS_S3_KEY]; /* below the bucket; "" for the bucket itself; unreserved characters and '/' only */
  const char *query;    /* NULL, or sorted and encoded */
  int body;             /* PUT, POST: file to send; -1: none */
  int64_t body_from, body_size;
  const eas_digest *digest; /* of the body: signed, so the server compares; of what GET shall give. NULL: not known */
  int only_new;             /* PUT: not over an object that is there (If-None-Match); 412 is its answer then */
  int into;                 /* GET: file that the bytes go to, from its start; -1: to text, at most 8 MB */
  eas_buf text;             /* GET without a file; the answer of a failure; eas_buf_done is the caller's */
  int status;               /* last HTTP status, 0: none came */
  int64_t size, mtime_us;   /* HEAD, GET: of the object; -1: not said */
  char etag[128];           /* as it came; "": none did */
  int64_t date_us;          /* when it was answered, by the server's clock; -1: not said */
  int rc;                   /* 0, EAS_ENOENT, EAS_EFORMAT (other bytes than digest), EAS_ECONNECT, EAS_E... */
  eas_err err;
} eas_s3_request;

/* url: s3://bucket/prefix; the settings' texts are copied. Connects to nothing. */
int eas_s3_open(eas_s3 **out, const char *url, const eas_store_settings *set, eas_err *err);
void eas_s3_close(eas_s3 *c);
const char *eas_s3_url(const eas_s3 *c);      /* s3://bucket/prefix, without a '/' at its end */
const char *eas_s3_endpoint(const eas_s3 *c); /* https://host */
const char *eas_s3_prefix(const eas_s3 *c);   /* "" or "name/" */
/* Lets all requests, now and later, end at once with EAS_EINTR. */
void eas_s3_stop(eas_s3 *c);

void eas_s3_request_init(eas_s3_request *r, const char *method);
/* Runs them all; each has its own rc. Returns the first that is not 0, its text in err. */
int eas_s3_run(eas_s3 *c, eas_s3_request *list, int n, eas_err *err);

/* A PUT in parts of eas_s3_part_bytes, whatever its only_new says; put->rc, err and status are filled. What was sent of one
 * that fails is taken away again. */
int eas_s3_put_parts(eas_s3 *c, eas_s3_request *put);
int64_t eas_s3_part_bytes(const eas_s3 *c);

/* Calls fn(arg, key without prefix, size, mtime_us) for each key below prefix + folder, in their order; max: 0 for all;
 * after: NULL, or a key (without prefix) that they come after. */
typedef int eas_s3_list_fn(void *arg, const char *key, int64_t size, int64_t mtime_us);
int eas_s3_list(eas_s3 *c, const char *folder, const char *after, int max, eas_s3_list_fn *fn, void *arg, eas_err *err);

/* <Code> or another element of an answer in XML, without its children; "" if there is none. */
void eas_s3_element(const eas_buf *xml, const char *name, char *out, size_t size);

/* Keys to sign with. */
typedef struct {
  char id[256], secret[512], token[4096]; /* token: "" for none */
} eas_s3_keys;
/* From AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else from the file, else from
 * AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials, section AWS_PROFILE or default. EAS_EINVAL: where was looked. */
int eas_s3_keys_find(const char *file, eas_s3_keys *out, eas_err *err);

#endif
