/* trace.c: see trace.h. */
#include "base/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

enum { ID = 32, SPAN = 16, ID_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

static int is_hex(const char *text, size_t n)
{
  return strspn(text, "0123456789abcdef") >= n;
}

static int is_zero(const char *text, size_t n)
{
  return strspn(text, "0") >= n;
}

int eas_trace_is_id(const char *text)
{
  return strlen(text) == ID && is_hex(text, ID) && !is_zero(text, ID);
}

void eas_trace_copy(char out[EAS_TRACE_ID], const char *text)
{
  *out = 0;
  if (text && eas_trace_is_id(text)) memcpy(out, text, EAS_TRACE_ID);
}

/* A later version may have more fields after the flags; ff is none. */
static int is_traceparent(const char *t)
{
  if (strlen(t) < LENGTH || !is_hex(t, 2) || strncmp(t, "ff", 2) == 0) return 0;
  if (t[2] != '-' || t[SPAN_AT - 1] != '-' || t[FLAGS_AT - 1] != '-' || !is_hex(t + FLAGS_AT, 2)) return 0;
  if (t[LENGTH] && (strncmp(t, "00", 2) == 0 || t[LENGTH] != '-')) return 0;
  return is_hex(t + ID_AT, ID) && !is_zero(t + ID_AT, ID) && is_hex(t + SPAN_AT, SPAN) && !is_zero(t + SPAN_AT, SPAN);
}

void eas_trace_begin(const char *traceparent, char id[EAS_TRACE_ID])
{
  unsigned char bytes[ID / 2];
  if (traceparent && is_traceparent(traceparent)) {
    memcpy(id, traceparent + ID_AT, ID);
    id[ID] = 0;
    return;
  }
  do {
    eas_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
  } while (is_zero(id, ID));
}

void eas_traceparent(const char *id, int64_t span, char out[EAS_TRACEPARENT])
{
  snprintf(out, EAS_TRACEPARENT, "00-%s-%016llx-01", id, (unsigned long long)span);
}
