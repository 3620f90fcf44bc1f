/* signal_text.c: see signal_text.h. */
#include "worker/signal_text.h"

#include <string.h>

enum { CLOSING = 64 };

void eas_signal_text_clear(eas_signal_text *t)
{
  t->len = 0;
  t->data[0] = 0;
}

void eas_signal_text_add(eas_signal_text *t, const char *bytes, size_t n)
{
  size_t room = sizeof t->data - 1 - t->len;
  if (n > room) n = room;
  memcpy(t->data + t->len, bytes, n);
  t->len += n;
  t->data[t->len] = 0;
}

void eas_signal_text_str(eas_signal_text *t, const char *s)
{
  eas_signal_text_add(t, s, strlen(s));
}

void eas_signal_text_hex(eas_signal_text *t, uintptr_t v)
{
  char digits[2 * sizeof v + 3];
  size_t at = sizeof digits;
  do {
    digits[--at] = "0123456789abcdef"[v & 15];
    v >>= 4;
  } while (v);
  digits[--at] = 'x';
  digits[--at] = '0';
  eas_signal_text_add(t, digits + at, sizeof digits - at);
}

void eas_signal_text_limit(char *out, size_t size, const char *before, int64_t number, const char *after)
{
  char digits[24];
  size_t at = sizeof digits, n = 0;
  digits[--at] = 0;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  const char *const parts[] = { before, digits + at, after };
  for (size_t i = 0; i < 3; i++)
    for (const char *p = parts[i]; *p && n + 1 < size; p++) out[n++] = *p;
  out[n] = 0;
}

/* Bytes of the UTF-8 character at s, 0 if there is none. */
static size_t character(const unsigned char *s, size_t n)
{
  size_t len = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
  if (len == 0 || len > n) return 0;
  for (size_t i = 1; i < len; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0)) return 0;
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90)) return 0;
  return len;
}

void eas_signal_text_quoted(eas_signal_text *t, const char *s, size_t n)
{
  eas_signal_text_str(t, "\"");
  for (size_t i = 0; i < n && t->len + CLOSING < sizeof t->data; i++) {
    unsigned char c = (unsigned char)s[i];
    if (c == '"' || c == '\\') {
      char two[2] = { '\\', (char)c };
      eas_signal_text_add(t, two, 2);
    } else if (c == '\n') {
      eas_signal_text_str(t, "\\n");
    } else if (c == '\t') {
      eas_signal_text_str(t, "  ");
    } else if (c < 0x80) {
      char one = c < 0x20 || c == 0x7f ? '?' : (char)c;
      eas_signal_text_add(t, &one, 1);
    } else {
      size_t len = character((const unsigned char *)s + i, n - i);
      eas_signal_text_add(t, len ? s + i : "?", len ? len : 1);
      i += len ? len - 1 : 0;
    }
  }
  eas_signal_text_str(t, "\"");
}
