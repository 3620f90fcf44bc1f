/* http.h: a small HTTP server within an event loop: no thread, GET and HEAD only, answers made whole.
 *
 * Many slow or silent clients cost nothing but their sockets: 64 connections at a time, 10 s each. Includes: base/ only. */
#ifndef EAS_WEB_HTTP_H
#define EAS_WEB_HTTP_H
#ifndef EAS_CDEF
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#endif

typedef struct eas_http eas_http;

/* Appends the answer of a path (without its query) to body; returns the status: 200, 404, 503. *type: its content type,
 * "text/plain; charset=utf-8" if left alone. */
typedef int eas_http_fn(void *arg, const char *path, eas_buf *body, const char **type);

/* listen: "HOST:PORT", "[::1]:PORT", ":PORT" (all addresses); port 0: any. EAS_EINVAL, EAS_ECONNECT. */
int eas_http_open(eas_http **out, eas_loop *loop, const char *listen, eas_http_fn *fn, void *arg, eas_err *err);
int eas_http_port(const eas_http *h);
void eas_http_close(eas_http *h);

#endif
