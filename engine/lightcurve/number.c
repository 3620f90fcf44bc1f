#include "lightcurve/number.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double eas_number_slow(const char *p, const char *end)
{
  char small[512];
  size_t n = (size_t)(end - p);
  char *text = n < sizeof small ? small : eas_alloc(n + 1);
  memcpy(text, p, n);
  text[n] = 0;
  pthread_once(&c_locale_once, make_c_locale);
  double v = strtod_l(text, NULL, c_locale);
  if (text != small) free(text);
  return v;
}

const char *eas_number_word(const char *p, double *out)
{
  int neg = *p == '-';
  p += *p == '-' || *p == '+';
  if (strncasecmp(p, "nan", 3) == 0) {
    *out = NAN;
    return p + 3;
  }
  if (strncasecmp(p, "inf", 3) == 0) {
    *out = neg ? -INFINITY : INFINITY;
    return p + (strncasecmp(p, "infinity", 8) == 0 ? 8 : 3);
  }
  return NULL;
}

int eas_number_parse(const char *text, size_t n, double *out)
{
  char small[256];
  char *copy = n + EAS_NUMBER_PAD < sizeof small ? small : eas_alloc(n + EAS_NUMBER_PAD);
  memcpy(copy, text, n);
  memset(copy + n, 0, EAS_NUMBER_PAD);

  eas_decimal d;
  double v = 0;
  const char *end = eas_decimal_scan(copy, &d);
  if (end)
    v = eas_decimal_double(&d, copy, end);
  else
    end = eas_number_word(copy, &v);
  int whole = end == copy + n && n > 0;
  if (copy != small) free(copy);
  if (!whole) return EAS_EFORMAT;
  *out = v;
  return 0;
}
