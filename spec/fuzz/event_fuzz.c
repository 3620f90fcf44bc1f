/* event_fuzz.c: the frame reader against any bytes, fed in pieces whose sizes the input chooses.
 *
 * Holds: no access outside (the sanitizers), frames that do not depend on where the pieces were cut, silence after garbage. */
#include <stdlib.h>
#include <string.h>

#include "worker/event.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

typedef struct {
  uint64_t digest, frames, bytes, garbage;
} seen; /* no padding: compared as bytes */

static void take(eas_event_reader *r, seen *s)
{
  eas_event_head head;
  const char *payload;
  while (eas_event_next(r, &head, &payload) == 1) {
    if (payload[head.length] != 0 || head.length > EAS_EV_MAX) abort();
    s->frames++;
    s->bytes += head.length;
    s->digest = s->digest * 1099511628211u + head.type + 31u * head.level;
    for (uint32_t i = 0; i < head.length; i++) s->digest = s->digest * 1099511628211u + (unsigned char)payload[i];
  }
  s->garbage = (uint64_t)r->garbage;
}

static seen read_all(const unsigned char *data, size_t size, size_t step)
{
  seen s = { 14695981039346656037u, 0, 0, 0 };
  eas_event_reader r;
  eas_event_reader_init(&r);
  for (size_t at = 0; at < size;) {
    size_t n = step ? step : (size_t)data[at] + 1;
    if (n > size - at) n = size - at;
    eas_event_feed(&r, data + at, n);
    take(&r, &s);
    at += n;
  }
  eas_event_reader_done(&r);
  return s;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  seen whole = read_all(data, size, size ? size : 1);
  seen pieces = read_all(data, size, 0);
  seen bytes = read_all(data, size, 1);
  if (memcmp(&whole, &pieces, sizeof whole) != 0 || memcmp(&whole, &bytes, sizeof whole) != 0) abort();
  return 0;
}
