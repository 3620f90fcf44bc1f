/* clock.h: the two clocks, behind a seam that tests may move. */
#ifndef EAS_BASE_CLOCK_H
#define EAS_BASE_CLOCK_H
#ifndef EAS_CDEF
#include <stddef.h>
#include <stdint.h>
#endif

int64_t eas_now_us(void);  /* UTC, microseconds since 1970; for stamps that people read */
int64_t eas_tick_us(void); /* monotonic microseconds; for run times and time-outs */
/* "2026-03-02T12:04:31.482Z" into out (>= 32 bytes); digits: 0, 3 or 6 of the second. */
char *eas_time_format(int64_t us, int digits, char *out);
/* Test seam: added to eas_now_us (not the monotonic clock). */
void eas_clock_shift(int64_t us);

#endif
