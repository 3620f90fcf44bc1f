/* amqp_post.c: messages to the broker, kept until it confirmed them. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "queue/amqp.h"

enum { MOST_POSTS = 8192, MOST_UNCONFIRMED = 2048, BETWEEN_LOOKS = 16 };

static const char *known(amqp_queue *q, const char *type)
{
  for (int i = 0; i < q->n_known; i++)
    if (strcmp(q->known[i], type) == 0) return q->known[i];
  q->known = eas_realloc(q->known, (size_t)(q->n_known + 1) * sizeof *q->known);
  q->declared = eas_realloc(q->declared, (size_t)(q->n_known + 1) * sizeof *q->declared);
  q->declared[q->n_known] = 0;
  return q->known[q->n_known++] = eas_strdup(type);
}

/* 0: there is no room, and the message is lost: it only rings. */
int eas_amqp_post_add(amqp_queue *q, const char *type, int64_t attempt)
{
  if (q->n_posts == MOST_POSTS) {
    q->dropped++;
    return 0;
  }
  if (q->n_posts == q->cap_posts) {
    q->cap_posts = q->cap_posts ? 2 * q->cap_posts : 64;
    q->posts = eas_realloc(q->posts, (size_t)q->cap_posts * sizeof *q->posts);
  }
  q->posts[q->n_posts++] = (eas_amqp_post){ known(q, type), attempt };
  return 1;
}

/* A broker that reads no more (out of memory or disk) must not stop the loop. */
static int has_room(const amqp_queue *q)
{
  struct pollfd p = { .fd = q->sock, .events = POLLOUT };
  return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static int declare(amqp_queue *q, const char *type)
{
  int i = 0;
  while (q->known[i] != type) i++;
  if (q->declared[i]) return AMQP_STATUS_OK;
  q->declared[i] = 1;
  return eas_amqp_declare(q->conn, q->place.prefix, type);
}

static int send_one(amqp_queue *q, const eas_amqp_post *m)
{
  char name[256], text[24];
  int status = declare(q, m->type);
  if (status != AMQP_STATUS_OK) return status;
  snprintf(name, sizeof name, "%s%s", q->place.prefix, m->type);
  snprintf(text, sizeof text, "%lld", (long long)m->attempt);
  amqp_basic_properties_t lasting = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                      .delivery_mode = AMQP_DELIVERY_PERSISTENT };
  return amqp_basic_publish(q->conn, EAS_AMQP_CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(name), 0, 0, &lasting,
                            amqp_cstring_bytes(text));
}

void eas_amqp_post_send(amqp_queue *q)
{
  for (int i = 0; q->conn && q->n_sent < q->n_posts && q->n_sent < MOST_UNCONFIRMED; i++) {
    if (i % BETWEEN_LOOKS == 0 && !has_room(q)) return;
    int status = send_one(q, &q->posts[q->n_sent]);
    if (status != AMQP_STATUS_OK) {
      eas_amqp_lost(q, amqp_error_string2(status));
      return;
    }
    q->n_sent++;
  }
}

void eas_amqp_post_confirmed(amqp_queue *q, uint64_t tag, int multiple)
{
  if (tag < q->first_tag || tag - q->first_tag >= (uint64_t)q->n_sent) return;
  int at = (int)(tag - q->first_tag), gone = 0;
  for (int i = multiple ? 0 : at; i <= at; i++) q->posts[i].attempt = 0;
  while (gone < q->n_sent && q->posts[gone].attempt == 0) gone++;
  q->n_posts -= gone;
  q->n_sent -= gone;
  q->first_tag += (uint64_t)gone;
  memmove(q->posts, q->posts + gone, (size_t)q->n_posts * sizeof *q->posts);
}

void eas_amqp_post_again(amqp_queue *q)
{
  int n = 0;
  for (int i = 0; i < q->n_posts; i++)
    if (q->posts[i].attempt) q->posts[n++] = q->posts[i];
  q->n_posts = n;
  q->n_sent = 0;
  q->first_tag = 1;
}

void eas_amqp_post_done(amqp_queue *q)
{
  for (int i = 0; i < q->n_known; i++) free(q->known[i]);
  free(q->known);
  free(q->declared);
  free(q->posts);
}
