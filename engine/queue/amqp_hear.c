/* amqp_hear.c: what the broker sends: messages, confirmations, its own ends. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/amqp.h"

enum { STAGE_NONE, STAGE_HEAD, STAGE_BODY };
enum { TELL_US = 60 * 1000 * 1000 };

static void nack(amqp_queue *q, uint64_t tag, int requeue)
{
  amqp_basic_nack_t m = { .delivery_tag = tag, .requeue = (amqp_boolean_t)requeue };
  int status = amqp_send_method(q->conn, EAS_AMQP_CHANNEL, AMQP_BASIC_NACK_METHOD, &m);
  if (status != AMQP_STATUS_OK) eas_amqp_lost(q, amqp_error_string2(status));
}

/* What is no attempt id was not written by us: told (at most once a minute, whoever sends it) and dropped. */
static void drop_garbage(amqp_queue *q)
{
  char shown[sizeof q->body];
  size_t n = 0;
  for (; n < q->body_n && n < sizeof shown - 1; n++) shown[n] = isprint((unsigned char)q->body[n]) ? q->body[n] : '?';
  shown[n] = 0;
  q->garbage++;
  int64_t now = eas_tick_us();
  if (q->garbage == 1 || now - q->garbage_told_us > TELL_US) {
    eas_log(EAS_WARN, "queue %s: a message is no attempt id, found '%s'; dropped (%lld so far)", q->place.shown, shown,
            (long long)q->garbage);
    q->garbage_told_us = now;
  }
  nack(q, q->tag, 0);
}

/* Digits and nothing else. */
static int64_t attempt_of(const amqp_queue *q)
{
  int64_t id = 0;
  if (q->body_n == 0 || q->body_n > 18) return 0;
  for (size_t i = 0; i < q->body_n; i++) {
    if (!isdigit((unsigned char)q->body[i])) return 0;
    id = id * 10 + (q->body[i] - '0');
  }
  return id;
}

static void message_over(amqp_queue *q)
{
  q->stage = STAGE_NONE;
  int64_t attempt = attempt_of(q);
  if (q->paused) {
    nack(q, q->tag, 1);
    return;
  }
  if (attempt <= 0) {
    drop_garbage(q);
    return;
  }
  if (q->n_inbox == q->cap_inbox) {
    q->cap_inbox = q->cap_inbox ? 2 * q->cap_inbox : 64;
    q->inbox = eas_realloc(q->inbox, (size_t)q->cap_inbox * sizeof *q->inbox);
  }
  q->inbox[q->n_inbox++] = (eas_message){ attempt, q->age << EAS_AMQP_AGE_SHIFT | q->tag };
}

static void on_close(amqp_queue *q, amqp_bytes_t text)
{
  char why[300];
  snprintf(why, sizeof why, "the broker closes: %.*s", (int)(text.len < 250 ? text.len : 250), (char *)text.bytes);
  eas_amqp_lost(q, why);
}

static void on_method(amqp_queue *q, const amqp_method_t *m)
{
  switch (m->id) {
  case AMQP_BASIC_DELIVER_METHOD:
    q->tag = ((const amqp_basic_deliver_t *)m->decoded)->delivery_tag;
    q->stage = STAGE_HEAD;
    q->body_n = 0;
    break;
  case AMQP_BASIC_ACK_METHOD: {
    const amqp_basic_ack_t *a = m->decoded;
    eas_amqp_post_confirmed(q, a->delivery_tag, a->multiple);
    break;
  }
  case AMQP_BASIC_NACK_METHOD: /* the broker could not keep it: control rings again */
    eas_amqp_post_confirmed(q, ((const amqp_basic_nack_t *)m->decoded)->delivery_tag,
                            ((const amqp_basic_nack_t *)m->decoded)->multiple);
    break;
  case AMQP_BASIC_CANCEL_METHOD: /* somebody deleted the queue: a new login makes it anew */
    eas_amqp_lost(q, "a queue was deleted");
    break;
  case AMQP_CHANNEL_CLOSE_METHOD: on_close(q, ((const amqp_channel_close_t *)m->decoded)->reply_text); break;
  case AMQP_CONNECTION_CLOSE_METHOD: on_close(q, ((const amqp_connection_close_t *)m->decoded)->reply_text); break;
  default: /* answers to what was sent without waiting */ break;
  }
}

static void on_frame(amqp_queue *q, const amqp_frame_t *f)
{
  if (f->frame_type == AMQP_FRAME_METHOD) {
    on_method(q, &f->payload.method);
  } else if (f->frame_type == AMQP_FRAME_HEADER && q->stage == STAGE_HEAD) {
    q->body_left = f->payload.properties.body_size;
    q->stage = STAGE_BODY;
    if (q->body_left == 0) message_over(q);
  } else if (f->frame_type == AMQP_FRAME_BODY && q->stage == STAGE_BODY) {
    amqp_bytes_t part = f->payload.body_fragment;
    size_t room = sizeof q->body - q->body_n, n = part.len < room ? part.len : room;
    memcpy(q->body + q->body_n, part.bytes, n);
    q->body_n += n;
    q->body_left -= part.len < q->body_left ? part.len : q->body_left;
    if (q->body_left == 0) message_over(q);
  }
}

void eas_amqp_hear(amqp_queue *q)
{
  struct timeval now = { 0 };
  while (q->conn) {
    amqp_frame_t f;
    amqp_maybe_release_buffers(q->conn);
    int status = amqp_simple_wait_frame_noblock(q->conn, &f, &now);
    if (status == AMQP_STATUS_TIMEOUT) return;
    if (status != AMQP_STATUS_OK) {
      eas_amqp_lost(q, amqp_error_string2(status));
      return;
    }
    on_frame(q, &f);
  }
}
