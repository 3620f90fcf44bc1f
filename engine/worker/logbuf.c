/* logbuf.c: see logbuf.h. */
#include "worker/logbuf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

static char *clean_line(const char *text, size_t n)
{
  char *s = eas_alloc(n + 1);
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    s[i] = (c < 32 && c != '\t') || c == 127 ? ' ' : (char)c;
  }
  json_t *check = json_stringn(s, n); /* a database takes UTF-8 only */
  if (!check)
    for (size_t i = 0; i < n; i++)
      if ((unsigned char)s[i] > 127) s[i] = '?';
  json_decref(check);
  return s;
}

static void push(eas_log_entry **list, int *n, int *cap, eas_log_entry e)
{
  if (*n == *cap) {
    *cap = *cap ? 2 * *cap : 16;
    *list = eas_realloc(*list, (size_t)*cap * sizeof **list);
  }
  (*list)[(*n)++] = e;
}

static void stream_entry(eas_logbuf *l, const eas_log_entry *e)
{
  eas_log_stream_add(l->stream, e->at_us, e->level, e->text);
}

static void drop_first_tail(eas_logbuf *l)
{
  if (!l->stream && l->sink) {
    l->stream = eas_log_stream_new(l->sink);
    for (int i = 0; i < l->n_head; i++) stream_entry(l, &l->head[i]);
    for (int i = l->first_tail; i < l->n_tail; i++) stream_entry(l, &l->tail[i]);
  }
  eas_log_entry *e = &l->tail[l->first_tail++];
  size_t n = strlen(e->text);
  l->tail_bytes -= n;
  l->left_out++;
  l->left_out_bytes += (int64_t)n;
  free((void *)(uintptr_t)e->text);
  e->text = NULL;
  if (l->first_tail > 1024 && l->first_tail * 2 > l->n_tail) {
    l->n_tail -= l->first_tail;
    memmove(l->tail, l->tail + l->first_tail, (size_t)l->n_tail * sizeof *l->tail);
    l->first_tail = 0;
  }
}

static void add_line(eas_logbuf *l, int level, const char *text, size_t n)
{
  eas_log_entry e = { .at_us = eas_now_us(), .level = level, .text = clean_line(text, n) };
  size_t size = strlen(e.text);
  if (l->n_tail == 0 && l->head_bytes + size <= EAS_LOG_HEAD_BYTES) {
    push(&l->head, &l->n_head, &l->cap_head, e);
    l->head_bytes += size + 16; /* short lines count too */
    return;
  }
  if (l->stream) stream_entry(l, &e);
  push(&l->tail, &l->n_tail, &l->cap_tail, e);
  l->tail_bytes += size;
  while (l->tail_bytes + 16 * (size_t)(l->n_tail - l->first_tail) > EAS_LOG_TAIL_BYTES) drop_first_tail(l);
}

/* Where a text of n bytes may be cut: not inside a character. */
static size_t cut(const char *text, size_t n)
{
  if (n <= EAS_LOG_LINE_MAX) return n;
  size_t at = EAS_LOG_LINE_MAX;
  while (at > EAS_LOG_LINE_MAX - 4 && ((unsigned char)text[at] & 0xc0) == 0x80) at--;
  return at;
}

void eas_logbuf_add(eas_logbuf *l, int level, const char *text, size_t n)
{
  do {
    size_t piece = cut(text, n);
    add_line(l, level, text, piece);
    text += piece;
    n -= piece;
  } while (n > 0);
}

int eas_logbuf_seal(eas_logbuf *l, void *owner)
{
  if (!l->stream || eas_log_stream_is_sealed(l->stream)) return 0;
  eas_log_stream_seal(l->stream, owner);
  return 1;
}

const eas_result_log *eas_logbuf_stored(eas_logbuf *l)
{
  const eas_log_stored *s = l->stream ? eas_log_stream_stored(l->stream) : NULL;
  if (!s || *s->problem) return NULL;
  l->stored = (eas_result_log){
    .digest = s->digest, .size = s->size, .bytes = s->bytes, .lines = s->lines, .left_out = s->left_out
  };
  return &l->stored;
}

static char *left_out_text(const eas_logbuf *l)
{
  const eas_log_stored *s = l->stream ? eas_log_stream_stored(l->stream) : NULL;
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_printf(&b, "... %lld lines (%lld bytes) left out here", (long long)l->left_out, (long long)l->left_out_bytes);
  if (s && *s->problem)
    eas_buf_printf(&b, "; they could not be stored: %s", s->problem);
  else if (s)
    eas_buf_printf(&b, "; %s: eas logs a%lld --full", s->left_out ? "the first 64 MB of the log" : "the whole log",
                   (long long)l->attempt);
  return eas_buf_take(&b);
}

const eas_log_entry *eas_logbuf_unsent(const eas_logbuf *l, int *n, int *first_seq)
{
  *n = l->n_head - l->sent;
  *first_seq = l->sent;
  return l->head ? l->head + l->sent : NULL;
}

void eas_logbuf_mark(eas_logbuf *l, int n)
{
  l->sent += n;
}

eas_log_entry *eas_logbuf_rest(eas_logbuf *l, int *n, int *first_seq)
{
  if (l->left_out > 0) {
    int64_t at_us = l->n_head ? l->head[l->n_head - 1].at_us : eas_now_us();
    eas_log_entry e = { .at_us = at_us, .level = EAS_INFO, .text = left_out_text(l) };
    push(&l->head, &l->n_head, &l->cap_head, e);
    l->left_out = 0;
  }
  int heads = l->n_head - l->sent, tails = l->n_tail - l->first_tail;
  eas_log_entry *list = eas_alloc((size_t)(heads + tails + 1) * sizeof *list);
  if (heads > 0) memcpy(list, l->head + l->sent, (size_t)heads * sizeof *list);
  if (tails > 0) memcpy(list + heads, l->tail + l->first_tail, (size_t)tails * sizeof *list);
  *n = heads + tails;
  *first_seq = l->sent;
  return list;
}

int eas_logbuf_last(const eas_logbuf *l, int n, eas_log_entry *out)
{
  int tails = l->n_tail - l->first_tail, k = 0;
  int from_tail = tails < n ? tails : n, from_head = n - from_tail;
  if (from_head > l->n_head) from_head = l->n_head;
  for (int i = l->n_head - from_head; i < l->n_head; i++) out[k++] = l->head[i];
  for (int i = l->n_tail - from_tail; i < l->n_tail; i++) out[k++] = l->tail[i];
  return k;
}

void eas_logbuf_init(eas_logbuf *l, int64_t attempt, eas_log_sink *sink)
{
  *l = (eas_logbuf){ .attempt = attempt, .sink = sink };
}

void eas_logbuf_done(eas_logbuf *l)
{
  eas_log_stream_free(l->stream);
  for (int i = 0; i < l->n_head; i++) free((void *)(uintptr_t)l->head[i].text);
  for (int i = l->first_tail; i < l->n_tail; i++) free((void *)(uintptr_t)l->tail[i].text);
  free(l->head);
  free(l->tail);
  memset(l, 0, sizeof *l);
}
