/* amqp.h: the parts of the RabbitMQ queue: queue_amqp.c (what others call), amqp_post.c (messages out), amqp_hear.c (frames in),
 * amqp_line.c (losing and finding the broker), amqp_link.c (login), amqp_place.c (its address). Private to engine/queue. */
#ifndef EAS_QUEUE_AMQP_H
#define EAS_QUEUE_AMQP_H
#include <amqp.h>
#include <amqp_framing.h>
#include <pthread.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/hash.h"
#include "queue/queue_ops.h"

enum {
  EAS_AMQP_CHANNEL = 1,
  EAS_AMQP_AGE_SHIFT = 48 /* of a receipt: age, then tag */,
  EAS_AMQP_LOGIN_US = 5000 * 1000,
  EAS_AMQP_RPC_US = 1000 * 1000
};

typedef struct {
  char *host, *user, *password, *vhost;
  int port, tls, verify, heartbeat_s;
  char *cacert, *cert, *key; /* PEM files; cert and key may be NULL */
  char *prefix;              /* of queue names */
  char *shown;               /* without the password */
} eas_amqp_place;

/* amqp[s]://[USER[:PASSWORD]@]HOST[:PORT][/VHOST][?cacertfile=&certfile=&keyfile=&verify=&heartbeat=&prefix=]. EAS_EURL. */
int eas_amqp_place_parse(eas_amqp_place *p, const char *url, eas_err *err);
void eas_amqp_place_done(eas_amqp_place *p);

/* What a connection has to have when it is up. */
typedef struct {
  const eas_amqp_place *place;
  char **types; /* heard, ends with NULL; NULL: none */
  int prefetch;
} eas_amqp_wish;

/* Connects, logs in, opens the channel, declares and subscribes, all within EAS_AMQP_LOGIN_US. EAS_ECONNECT. */
int eas_amqp_link_open(const eas_amqp_wish *wish, amqp_connection_state_t *out, eas_err *err);
/* Of a connection that is up: queues made, messages wanted. */
int eas_amqp_link_subscribe(const eas_amqp_wish *wish, amqp_connection_state_t conn, int64_t deadline, eas_err *err);
void eas_amqp_link_limit(amqp_connection_state_t conn, int64_t us); /* of what is asked and waited for */
/* Sent without waiting: status of librabbitmq. */
int eas_amqp_declare(amqp_connection_state_t conn, const char *prefix, const char *type);
int eas_amqp_consume(amqp_connection_state_t conn, const char *prefix, const char *type);
int eas_amqp_cancel(amqp_connection_state_t conn, const char *type);
/* Messages that wait in the queue of a type; negative: the connection is of no use any more. */
int64_t eas_amqp_depth(amqp_connection_state_t conn, const char *prefix, const char *type);

typedef struct {
  const char *type; /* of amqp_queue.known */
  int64_t attempt;  /* 0: confirmed, but not those before it */
} eas_amqp_post;

typedef struct {
  eas_queue queue;
  eas_amqp_place place;
  eas_amqp_wish wish;
  amqp_connection_state_t conn; /* NULL: not connected */
  int sock;                     /* conn's, in epoll; -1 */
  int epoll, tick, dialled;     /* the queue's descriptor; a timer; a finished thread */
  int paused;

  pthread_t thread; /* the login, when it is not the first: the loop has others to serve */
  int dialling;
  amqp_connection_state_t found;
  eas_err found_err;
  int64_t next_dial, backoff_us;
  int said; /* the loss was told */

  char **known; /* types published to; declared[i]: on this connection */
  int *declared;
  int n_known;
  eas_amqp_post *posts; /* [0, sent): unconfirmed; [sent, n): to be sent */
  int n_posts, n_sent, cap_posts;
  uint64_t first_tag; /* the broker's number of posts[0] */
  int64_t dropped;

  int stage; /* what the next frame of a message must be */
  uint64_t tag, body_left;
  char body[32];
  size_t body_n;
  uint64_t age; /* of receipts: + 1 when the broker forgets them */
  uint64_t acked;
  eas_message *inbox;
  int n_inbox, cap_inbox;
  int64_t garbage, garbage_told_us;
} amqp_queue;

/* amqp_line.c */
void eas_amqp_adopt(amqp_queue *q, amqp_connection_state_t conn);
void eas_amqp_lost(amqp_queue *q, const char *why);
int eas_amqp_look_after(amqp_queue *q); /* of a queue that is not connected: 1 when its owner should look by itself */
void eas_amqp_arm(amqp_queue *q);       /* when something is due though no frame comes */
void eas_amqp_join(amqp_queue *q);
/* amqp_post.c */
int eas_amqp_post_add(amqp_queue *q, const char *type, int64_t attempt);
void eas_amqp_post_send(amqp_queue *q); /* what can be sent without waiting */
void eas_amqp_post_confirmed(amqp_queue *q, uint64_t tag, int multiple);
void eas_amqp_post_again(amqp_queue *q); /* nothing of it was confirmed by a broker that is gone */
void eas_amqp_post_done(amqp_queue *q);
/* amqp_hear.c */
void eas_amqp_hear(amqp_queue *q); /* takes all frames that are there; messages go to inbox */

#endif
