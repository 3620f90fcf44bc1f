/* signal_text.h: a bounded text that signal handlers may write: no allocation, no locks, what does not fit is left out. */
#ifndef EAS_WORKER_SIGNAL_TEXT_H
#define EAS_WORKER_SIGNAL_TEXT_H
#include <stddef.h>
#include <stdint.h>

enum { EAS_SIGNAL_TEXT = 48 * 1024 };
typedef struct {
  size_t len;
  char data[EAS_SIGNAL_TEXT];
} eas_signal_text; /* zero-terminated */

void eas_signal_text_clear(eas_signal_text *t);
void eas_signal_text_add(eas_signal_text *t, const char *bytes, size_t n);
void eas_signal_text_str(eas_signal_text *t, const char *s);
void eas_signal_text_hex(eas_signal_text *t, uintptr_t v); /* 0x1a2b */
/* As a JSON string; bytes that are no UTF-8 become '?'. Leaves room for what closes an object. */
void eas_signal_text_quoted(eas_signal_text *t, const char *s, size_t n);
/* BEFORE NUMBER AFTER into a small buffer; number >= 0. */
void eas_signal_text_limit(char *out, size_t size, const char *before, int64_t number, const char *after);

#endif
