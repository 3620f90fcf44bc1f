/* http_reply.c: what a request says, and an answer as it goes out: whole, or a range of a file. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/http_own.h"

const char *eas_http_method(const eas_http_request *q)
{
  return q->method;
}

const char *eas_http_path(const eas_http_request *q)
{
  return q->path;
}

/* The first of several values of a name counts. */
static enum MHD_Result add_value(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
  json_t *o = arg;
  char name[128];
  size_t n = strlen(key);
  if (n >= sizeof name) return MHD_YES;
  for (size_t i = 0; i <= n; i++) name[i] = kind == MHD_HEADER_KIND ? (char)tolower((unsigned char)key[i]) : key[i];
  if (json_object_get(o, name)) return MHD_YES;
  json_t *v = json_string(value ? value : "");
  if (v) json_object_set_new(o, name, v); /* a name that is no UTF-8 is refused by itself */
  return MHD_YES;
}

json_t *eas_http_json(const eas_http_request *q)
{
  json_t *query = json_object(), *headers = json_object(), *path = json_string(q->path);
  MHD_get_connection_values(q->c, MHD_GET_ARGUMENT_KIND, add_value, query);
  MHD_get_connection_values(q->c, MHD_HEADER_KIND, add_value, headers);
  json_t *v = json_pack("{s:s,s:o,s:o,s:o}", "method", q->method, "path", path ? path : json_string("/?"), "query",
                        query, "headers", headers);
  json_t *body = q->body.len ? json_stringn(q->body.data, q->body.len) : NULL;
  if (v && body) json_object_set_new(v, "body", body);
  return v;
}

/* One range of "bytes=A-B", "bytes=A-", "bytes=-N". 1: *from and *n are it, 0: all is wanted, -1: there is no such part. */
static int range_of(const char *text, uint64_t size, uint64_t *from, uint64_t *n)
{
  char *end = NULL;
  if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ',')) return 0;
  text += 6;
  if (*text == '-') {
    uint64_t last = strtoull(text + 1, &end, 10);
    if (!isdigit((unsigned char)text[1]) || *end) return 0;
    if (last == 0) return -1;
    *n = last < size ? last : size;
    *from = size - *n;
    return size ? 1 : -1;
  }
  if (!isdigit((unsigned char)*text)) return 0;
  *from = strtoull(text, &end, 10);
  if (*end != '-') return 0;
  const char *rest = end + 1;
  uint64_t to = *rest ? strtoull(rest, &end, 10) : UINT64_MAX;
  if (*rest && (!isdigit((unsigned char)*rest) || *end || to < *from)) return 0;
  if (*from >= size) return -1;
  *n = (to < size ? to + 1 : size) - *from;
  return 1;
}

static struct MHD_Response *file_response(struct MHD_Connection *c, eas_http_answer *a)
{
  struct stat st;
  char text[96];
  uint64_t from = 0, n = 0;
  if (fstat(a->fd, &st) < 0 || !S_ISREG(st.st_mode)) return NULL;
  uint64_t size = (uint64_t)st.st_size;
  int part = range_of(MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE), size, &from, &n);
  struct MHD_Response *r;
  if (part < 0) {
    r = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    close(a->fd);
    a->status = 416;
    snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
  } else {
    if (part == 0) n = size;
    r = MHD_create_response_from_fd_at_offset64(n, a->fd, from);
    if (part == 1) a->status = 206;
    snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)from, (unsigned long long)(from + n - 1),
             (unsigned long long)size);
  }
  if (r && part) MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_RANGE, text);
  if (r) MHD_add_response_header(r, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
  if (r) a->fd = -1;
  return r;
}

static struct MHD_Response *body_response(eas_buf *body)
{
  size_t len = body->len;
  char *text = len ? eas_buf_take(body) : NULL;
  struct MHD_Response *r = text ? MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE)
                                : MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
  if (!r) free(text);
  return r;
}

enum MHD_Result eas_http_reply(struct MHD_Connection *c, eas_http_answer *a)
{
  const char *key;
  json_t *v;
  enum MHD_Result sent = MHD_NO;
  struct MHD_Response *r = a->fd >= 0 ? file_response(c, a) : body_response(&a->body);
  if (r) {
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type ? a->type : "text/plain; charset=utf-8");
    if (!json_object_get(a->headers, MHD_HTTP_HEADER_CACHE_CONTROL))
      MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    json_object_foreach(a->headers, key, v) if (json_is_string(v))
        MHD_add_response_header(r, key, json_string_value(v)); /* refuses line breaks */
    sent = MHD_queue_response(c, (unsigned)a->status, r);
    MHD_destroy_response(r);
  }
  if (a->fd >= 0) close(a->fd);
  json_decref(a->headers);
  eas_buf_done(&a->body);
  return sent;
}
