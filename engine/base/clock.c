/* clock.c: the two clocks. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t shift;

int64_t eas_now_us(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 + shift;
}

int64_t eas_tick_us(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void eas_clock_shift(int64_t us)
{
  shift = us;
}

char *eas_time_format(int64_t us, int digits, char *out)
{
  int64_t second = us / 1000000, rest = us % 1000000;
  if (rest < 0) {
    rest += 1000000;
    second -= 1;
  }
  time_t t = (time_t)second;
  struct tm tm;
  int year = 9999; /* four digits always; what lies outside is no stamp */
  if (gmtime_r(&t, &tm) && tm.tm_year + 1900 >= 0 && tm.tm_year + 1900 <= 9999)
    year = tm.tm_year + 1900;
  else
    tm = (struct tm){ .tm_mon = 11, .tm_mday = 31, .tm_hour = 23, .tm_min = 59, .tm_sec = 59 };
  char fraction[12] = "";
  if (digits == 3)
    snprintf(fraction, sizeof fraction, ".%03d", (int)(rest / 1000));
  else if (digits == 6)
    snprintf(fraction, sizeof fraction, ".%06d", (int)rest);
  char text[96];
  snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
           tm.tm_min, tm.tm_sec, fraction);
  snprintf(out, 32, "%.31s", text);
  return out;
}
