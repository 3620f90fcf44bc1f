/* term.c: colour, symbols and numbers as people read them. */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"

const char *eas_ink(const eas_cli *c, int ink)
{
  static const char *const codes[] = { "",         "\033[31m", "\033[32m", "\033[33m",
                                       "\033[36m", "\033[35m", "\033[2m",  "\033[1m" };
  return c->color ? codes[ink] : "";
}

const char *eas_ink_off(const eas_cli *c)
{
  return c->color ? "\033[0m" : "";
}

static const struct {
  const char *state, *symbol, *ascii;
  int ink;
} STATES[] = {
  { "waiting", "·", ".", EAS_DIM },     { "queued", "○", "o", EAS_YELLOW }, { "ready", "○", "o", EAS_YELLOW },
  { "running", "▶", ">", EAS_CYAN },    { "passed", "✓", "+", EAS_GREEN },  { "failed", "✗", "x", EAS_RED },
  { "skipped", "⊘", "!", EAS_MAGENTA }, { "reused", "=", "=", EAS_GREEN },  { "cancelled", "-", "-", EAS_YELLOW },
  { "paused", "p", "p", EAS_YELLOW },
};

const char *eas_state_symbol(const eas_cli *c, const char *state)
{
  for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
    if (strcmp(STATES[i].state, state) == 0) return c->utf8 ? STATES[i].symbol : STATES[i].ascii;
  return "?";
}

int eas_state_ink(const char *state)
{
  for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
    if (strcmp(STATES[i].state, state) == 0) return STATES[i].ink;
  return EAS_PLAIN;
}

void eas_duration_text(int64_t us, char out[32])
{
  double s = (double)us / 1e6;
  int64_t whole = us / 1000000;
  if (us < 0)
    snprintf(out, 32, "-");
  else if (us < 1000)
    snprintf(out, 32, "%" PRId64 " us", us);
  else if (us < 1000000)
    snprintf(out, 32, "%.0f ms", (double)us / 1e3);
  else if (s < 99.95)
    snprintf(out, 32, "%.1f s", s);
  else if (s < 600)
    snprintf(out, 32, "%.0f s", s);
  else
    snprintf(out, 32, "%" PRId64 ":%02d:%02d", whole / 3600, (int)(whole / 60 % 60), (int)(whole % 60));
}

void eas_size_text(int64_t bytes, char out[32])
{
  static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
  double v = (double)bytes;
  int u = 0;
  while (v >= 999.5 && u < 4) {
    v /= 1000;
    u++;
  }
  if (u == 0)
    snprintf(out, 32, "%" PRId64 " B", bytes);
  else
    snprintf(out, 32, v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

void eas_count_text(const eas_cli *c, int64_t n, char out[32])
{
  char digits[24];
  int len = snprintf(digits, sizeof digits, "%" PRId64, n);
  if (!c->tty || n < 10000) {
    memcpy(out, digits, (size_t)len + 1);
    return;
  }
  int k = 0;
  for (int i = 0; i < len; i++) {
    if (i > 0 && (len - i) % 3 == 0) out[k++] = ' ';
    out[k++] = digits[i];
  }
  out[k] = 0;
}

int eas_text_columns(const char *s)
{
  int n = 0;
  for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
  return n;
}

/* Offset in text of its k-th character. */
static size_t offset_of(const char *text, int k)
{
  size_t i = 0;
  for (; text[i] && k > 0; k--) do
      i++;
    while (((unsigned char)text[i] & 0xC0) == 0x80);
  return i;
}

void eas_text_fit(const char *text, int max, char *out, size_t size)
{
  int n = eas_text_columns(text), head = (max - 2) / 2;
  if (n <= max || max < 4) {
    snprintf(out, size, "%.*s", (int)offset_of(text, n <= max ? n : max), text);
    return;
  }
  snprintf(out, size, "%.*s..%s", (int)offset_of(text, head), text, text + offset_of(text, n - (max - 2 - head)));
}
