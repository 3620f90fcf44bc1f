/* err.c: filling in an eas_err. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Fatal signals are ours: a child tells its Lua stack first. Leaks cannot be looked for within the sandbox. Stands here
 * because every program of ours links this file; the environment still has the last word. */
#if defined __SANITIZE_ADDRESS__
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
  return "detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:allocator_may_"
         "return_null=1";
}
#endif

/* A message cut short says so; newlines would break "one line for a person". */
static void tidy(char *text, size_t size, int wanted)
{
  if (wanted >= (int)size) memcpy(text + size - 4, "...", 4);
  for (char *p = text; *p; p++)
    if (*p == '\n' || *p == '\r') *p = ' ';
}

int eas_fail(eas_err *err, int code, const char *format, ...)
{
  if (!err) return code;
  va_list ap;
  va_start(ap, format);
  char text[sizeof err->text]; /* arguments may point into err itself */
  int n = vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (n < 0) text[0] = 0;
  tidy(text, sizeof text, n);
  memcpy(err->text, text, sizeof text);
  err->hint[0] = 0;
  err->code = code;
  return code;
}

int eas_hint(eas_err *err, const char *format, ...)
{
  if (!err) return EAS_EINVAL; /* what failed is not told; that it failed is */
  va_list ap;
  va_start(ap, format);
  char hint[sizeof err->hint];
  int n = vsnprintf(hint, sizeof hint, format, ap);
  va_end(ap);
  if (n < 0) hint[0] = 0;
  tidy(hint, sizeof hint, n);
  memcpy(err->hint, hint, sizeof hint);
  return err->code;
}

int eas_err_prefix(eas_err *err, const char *format, ...)
{
  if (!err) return EAS_EINVAL;
  if (!err->code) return 0;
  char text[sizeof err->text + 3];
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(text, sizeof err->text, format, ap);
  va_end(ap);
  if (n < 0) return err->code;
  if (n > (int)sizeof err->text - 4) n = (int)sizeof err->text - 4;
  size_t room = sizeof err->text - (size_t)n - 2;
  size_t len = strlen(err->text);
  memcpy(text + n, ": ", 2);
  memcpy(text + n + 2, err->text, len < room ? len + 1 : room);
  text[sizeof err->text - 1] = 0;
  tidy(text, sizeof err->text, n + 2 + (int)len);
  memcpy(err->text, text, sizeof err->text);
  return err->code;
}

const char *eas_why(int error, char *out, size_t cap)
{
  char text[256];
  const char *s = strerror_r(error, text, sizeof text);
  size_t n = strlen(s);
  n = n < cap ? n : cap - 1;
  memcpy(out, s, n);
  out[n] = 0;
  if (n > 1 && out[0] >= 'A' && out[0] <= 'Z' && !(out[1] >= 'A' && out[1] <= 'Z')) out[0] = (char)(out[0] + 32);
  return out;
}

int eas_io_code(int error)
{
  return error == ENOSPC || error == EDQUOT ? EAS_ENOSPC : EAS_EIO;
}

int eas_err_exit(int code)
{
  switch (code) {
  case 0: return 0;
  case EAS_EIO: /* a file of the user's; what cannot be had of ours is EAS_ECONNECT */
  case EAS_EINVAL:
  case EAS_EFORMAT:
  case EAS_EURL:
  case EAS_ENOENT:
  case EAS_EEXIST:
  case EAS_ELIMIT: return 2;
  case EAS_ECONNECT:
  case EAS_EDB:
  case EAS_EBUSY:
  case EAS_ENOSPC:
  case EAS_EREFUSED: return 3;
  case EAS_EINTR: return 130;
  default: return 1;
  }
}
