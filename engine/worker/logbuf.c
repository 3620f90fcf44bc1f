/* logbuf.c: see logbuf.h. */
#include "worker/logbuf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

static char *clean_line(const char *text, size_t n)
{
  if (n > EAS_LOG_LINE_MAX) n = EAS_LOG_LINE_MAX;
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

static void drop_first_tail(eas_logbuf *l)
{
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

void eas_logbuf_add(eas_logbuf *l, int level, const char *text, size_t n)
{
  eas_log_entry e = { .at_us = eas_now_us(), .level = level, .text = clean_line(text, n) };
  size_t size = strlen(e.text);
  if (l->n_tail == 0 && l->head_bytes + size <= EAS_LOG_HEAD_BYTES) {
    push(&l->head, &l->n_head, &l->cap_head, e);
    l->head_bytes += size + 16; /* short lines count too */
    return;
  }
  push(&l->tail, &l->n_tail, &l->cap_tail, e);
  l->tail_bytes += size;
  while (l->tail_bytes + 16 * (size_t)(l->n_tail - l->first_tail) > EAS_LOG_TAIL_BYTES) drop_first_tail(l);
}

const eas_log_entry *eas_logbuf_unsent(const eas_logbuf *l, int *n, int *first_seq)
{
  *n = l->n_head - l->sent;
  *first_seq = l->sent;
  return l->head + l->sent;
}

void eas_logbuf_mark(eas_logbuf *l, int n)
{
  l->sent += n;
}

eas_log_entry *eas_logbuf_rest(eas_logbuf *l, int *n, int *first_seq)
{
  if (l->left_out > 0) {
    char *s =
        eas_format("... %lld lines (%lld bytes) left out ...", (long long)l->left_out, (long long)l->left_out_bytes);
    eas_log_entry e = { .at_us = l->n_head ? l->head[l->n_head - 1].at_us : eas_now_us(), .level = 20, .text = s };
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

void eas_logbuf_done(eas_logbuf *l)
{
  for (int i = 0; i < l->n_head; i++) free((void *)(uintptr_t)l->head[i].text);
  for (int i = l->first_tail; i < l->n_tail; i++) free((void *)(uintptr_t)l->tail[i].text);
  free(l->head);
  free(l->tail);
  memset(l, 0, sizeof *l);
}
