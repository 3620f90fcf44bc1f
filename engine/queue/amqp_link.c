/* amqp_link.c: a connection that is logged in, with one channel in confirm mode; and the methods that are sent on it. */
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "queue/amqp.h"

static struct timeval left_of(int64_t deadline)
{
  int64_t us = deadline - eas_tick_us();
  if (us < 1000) us = 1000;
  return (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
}

void eas_amqp_link_limit(amqp_connection_state_t conn, int64_t us)
{
  struct timeval t = left_of(eas_tick_us() + us);
  amqp_set_rpc_timeout(conn, &t);
}

static int refuse(const eas_amqp_place *p, const char *why, eas_err *err)
{
  return eas_fail(err, EAS_ECONNECT, "queue %s: %s", p->shown, why);
}

/* What a broker said when it closed: its words after the code. */
static int reply(const eas_amqp_place *p, const amqp_rpc_reply_t *r, eas_err *err)
{
  char said[300] = "";
  if (r->reply_type == AMQP_RESPONSE_NORMAL) return 0;
  if (r->reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
    if (r->library_error == AMQP_STATUS_TIMEOUT) return refuse(p, "no answer within 5 s", err);
    return refuse(p, amqp_error_string2(r->library_error), err);
  }
  if (r->reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) return refuse(p, "the broker closed the connection", err);
  int code = 0;
  amqp_bytes_t text = amqp_empty_bytes;
  if (r->reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const amqp_connection_close_t *m = r->reply.decoded;
    code = m->reply_code;
    text = m->reply_text;
  } else if (r->reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const amqp_channel_close_t *m = r->reply.decoded;
    code = m->reply_code;
    text = m->reply_text;
  }
  if (code == AMQP_ACCESS_REFUSED)
    return eas_fail(err, EAS_ECONNECT, "queue %s: user '%s' is refused: wrong user or password, or no rights", p->shown,
                    p->user);
  snprintf(said, sizeof said, "the broker refuses: %.*s", (int)(text.len < 250 ? text.len : 250), (char *)text.bytes);
  return refuse(p, said, err);
}

static int ssl_socket(const eas_amqp_place *p, amqp_connection_state_t conn, amqp_socket_t **out, eas_err *err)
{
  amqp_socket_t *s = *out = amqp_ssl_socket_new(conn);
  if (!s) return refuse(p, "no TLS in this build of librabbitmq", err);
  amqp_ssl_socket_set_verify_peer(s, p->verify);
  amqp_ssl_socket_set_verify_hostname(s, p->verify);
  amqp_ssl_socket_set_ssl_versions(s, AMQP_TLSv1_2, AMQP_TLSvLATEST);
  if (p->verify && amqp_ssl_socket_set_cacert(s, p->cacert) != AMQP_STATUS_OK)
    return eas_fail(err, EAS_EURL, "queue %s: cacertfile '%s' cannot be read as certificates", p->shown, p->cacert);
  if (p->cert && amqp_ssl_socket_set_key(s, p->cert, p->key) != AMQP_STATUS_OK)
    return eas_fail(err, EAS_EURL, "queue %s: certfile '%s' and keyfile '%s' are no pair that can be read", p->shown,
                    p->cert, p->key);
  return 0;
}

static int open_socket(const eas_amqp_place *p, amqp_connection_state_t conn, int64_t deadline, eas_err *err)
{
  amqp_socket_t *s = NULL;
  int rc = 0;
  if (p->tls)
    rc = ssl_socket(p, conn, &s, err);
  else
    s = amqp_tcp_socket_new(conn);
  if (rc < 0) return rc;
  if (!s) return refuse(p, "out of memory", err);
  struct timeval left = left_of(deadline);
  errno = 0;
  int status = amqp_socket_open_noblock(s, p->host, p->port, &left);
  if (status == AMQP_STATUS_OK) return 0;
  if (status == AMQP_STATUS_TIMEOUT) return refuse(p, "no answer within 5 s", err);
  if (status == AMQP_STATUS_SOCKET_ERROR)
    return refuse(p, errno && errno != EINPROGRESS ? strerror(errno) : "nobody listens there", err);
  return refuse(p, amqp_error_string2(status), err);
}

static int login(const eas_amqp_place *p, amqp_connection_state_t conn, int64_t deadline, eas_err *err)
{
  struct timeval left = left_of(deadline);
  amqp_set_handshake_timeout(conn, &left);
  amqp_rpc_reply_t r = amqp_login(conn, p->vhost, 0, AMQP_DEFAULT_FRAME_SIZE, p->heartbeat_s, AMQP_SASL_METHOD_PLAIN,
                                  p->user, p->password);
  int rc = reply(p, &r, err);
  if (rc < 0) return rc;
  left = left_of(deadline);
  amqp_set_rpc_timeout(conn, &left);
  amqp_channel_open(conn, EAS_AMQP_CHANNEL);
  r = amqp_get_rpc_reply(conn);
  if ((rc = reply(p, &r, err)) < 0) return rc;
  amqp_confirm_select(conn, EAS_AMQP_CHANNEL);
  r = amqp_get_rpc_reply(conn);
  return reply(p, &r, err);
}

static amqp_bytes_t name_of(char *out, size_t size, const char *prefix, const char *type)
{
  snprintf(out, size, "%s%s", prefix, type);
  return amqp_cstring_bytes(out);
}

int eas_amqp_declare(amqp_connection_state_t conn, const char *prefix, const char *type)
{
  char name[256];
  amqp_queue_declare_t m = { .queue = name_of(name, sizeof name, prefix, type), .durable = 1, .nowait = 1 };
  return amqp_send_method(conn, EAS_AMQP_CHANNEL, AMQP_QUEUE_DECLARE_METHOD, &m);
}

/* A consumer's name is its type. */
int eas_amqp_consume(amqp_connection_state_t conn, const char *prefix, const char *type)
{
  char name[256];
  amqp_basic_consume_t m = { .queue = name_of(name, sizeof name, prefix, type),
                             .consumer_tag = amqp_cstring_bytes(type),
                             .nowait = 1 };
  return amqp_send_method(conn, EAS_AMQP_CHANNEL, AMQP_BASIC_CONSUME_METHOD, &m);
}

int eas_amqp_cancel(amqp_connection_state_t conn, const char *type)
{
  amqp_basic_cancel_t m = { .consumer_tag = amqp_cstring_bytes(type), .nowait = 1 };
  return amqp_send_method(conn, EAS_AMQP_CHANNEL, AMQP_BASIC_CANCEL_METHOD, &m);
}

int64_t eas_amqp_depth(amqp_connection_state_t conn, const char *prefix, const char *type)
{
  char name[256];
  const amqp_queue_declare_ok_t *ok = amqp_queue_declare(
      conn, EAS_AMQP_CHANNEL, name_of(name, sizeof name, prefix, type), 0, 1, 0, 0, amqp_empty_table);
  return ok ? (int64_t)ok->message_count : -1;
}

int eas_amqp_link_subscribe(const eas_amqp_wish *w, amqp_connection_state_t conn, int64_t deadline, eas_err *err)
{
  const eas_amqp_place *p = w->place;
  if (!w->types) return 0;
  struct timeval left = left_of(deadline);
  amqp_set_rpc_timeout(conn, &left);
  amqp_basic_qos(conn, EAS_AMQP_CHANNEL, 0, (uint16_t)w->prefetch, 1); /* of all types together */
  amqp_rpc_reply_t r = amqp_get_rpc_reply(conn);
  int rc = reply(p, &r, err);
  for (int i = 0; w->types[i] && rc == 0; i++) {
    char name[256];
    left = left_of(deadline);
    amqp_set_rpc_timeout(conn, &left);
    amqp_queue_declare(conn, EAS_AMQP_CHANNEL, name_of(name, sizeof name, p->prefix, w->types[i]), 0, 1, 0, 0,
                       amqp_empty_table);
    r = amqp_get_rpc_reply(conn);
    rc = reply(p, &r, err);
    if (rc == 0 && eas_amqp_consume(conn, p->prefix, w->types[i]) != AMQP_STATUS_OK)
      rc = refuse(p, "the connection broke", err);
  }
  return rc;
}

int eas_amqp_link_open(const eas_amqp_wish *wish, amqp_connection_state_t *out, eas_err *err)
{
  int64_t deadline = eas_tick_us() + EAS_AMQP_LOGIN_US;
  amqp_connection_state_t conn = amqp_new_connection();
  if (!conn) return refuse(wish->place, "out of memory", err);
  int rc = open_socket(wish->place, conn, deadline, err);
  if (rc == 0) rc = login(wish->place, conn, deadline, err);
  if (rc == 0) rc = eas_amqp_link_subscribe(wish, conn, deadline, err);
  if (rc < 0) {
    amqp_destroy_connection(conn);
    return rc;
  }
  eas_amqp_link_limit(conn, EAS_AMQP_RPC_US);
  *out = conn;
  return 0;
}
