/* s3_private.h: what the files of the S3 client share. */
#ifndef EAS_STORE_S3_PRIVATE_H
#define EAS_STORE_S3_PRIVATE_H
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "store/s3.h"

enum { EAS_S3_AT_ONCE = 8 };      /* requests of one call */
enum { EAS_S3_IDLE_HANDLES = 4 }; /* sets of connections kept between calls */

struct eas_s3 {
  char *url, *bucket, *prefix, *endpoint, *base; /* base: of request URLs, up to the key */
  char *sign, *ca;                               /* CURLOPT_AWS_SIGV4; file of certificates or NULL */
  eas_s3_keys keys;
  int tries;
  long stall_ms;
  int64_t pause_us, part_bytes; /* pause before the second try */
  atomic_int stop;
  atomic_int no_conditions; /* the server does not know If-None-Match */
  pthread_mutex_t lock;
  CURLM *idle[EAS_S3_IDLE_HANDLES];
  int n_idle;
};

/* A request on its way. */
typedef struct {
  eas_s3 *client;
  eas_s3_request *r;
  CURL *easy; /* NULL: waits until not_before_us */
  struct curl_slist *headers;
  eas_hasher *hasher; /* of what comes */
  int64_t sent, got;
  int tries, write_error;
  int64_t not_before_us;
  char problem[CURL_ERROR_SIZE];
} eas_s3_transfer;

void eas_s3_encode(eas_buf *out, const char *text); /* for a query */

/* Makes t->easy for its request. EAS_ENOMEM, or 0. */
int eas_s3_prepare(eas_s3_transfer *t, eas_err *err);
/* The request has ended so: fills r->rc and r->err. 1: it is worth another try. Takes t->easy apart. */
int eas_s3_judge(eas_s3_transfer *t, CURLcode code);

#endif
