/* usage.h: memory and CPU time of a running attempt over its time: a point a second, and each time there are EAS_USAGE_MAX of
 * them two become one, so that any length has 60 to 120. What ends within a second costs nothing. Includes: base/ only. */
#ifndef EAS_WORKER_USAGE_H
#define EAS_WORKER_USAGE_H
#ifndef EAS_CDEF
#include <stdint.h>
#include <sys/types.h>
#endif

enum { EAS_USAGE_MAX = 120 };

typedef struct {
  int64_t ms;     /* since the attempt began */
  int64_t cpu_ms; /* used until then, by its process and all that this one started */
  int64_t rss_kb; /* the most memory seen since the point before */
} eas_usage_point;

typedef struct { /* all 0 to begin with */
  eas_usage_point *points;
  int n, stride; /* stride: looks per point */
  int looks;     /* since the last point */
  int64_t rss_kb;
  int64_t sent_ms; /* what eas_usage_due gave out last */
  char *text;
} eas_usage;

/* A point, taken by whoever looks. Exposed for specs; eas_usage_look is what a worker calls once a second. */
void eas_usage_add(eas_usage *u, int64_t ms, int64_t cpu_ms, int64_t rss_kb);
/* Looks at a process and its descendants, ms after their attempt began. A process that is gone gives no point. */
void eas_usage_look(eas_usage *u, pid_t pid, int64_t ms);
/* As attempt_usage.points; NULL: no point. Borrowed, until the next call. */
const char *eas_usage_text(eas_usage *u);
/* The same, if it is time that others see it: every 2 s, of what runs for long every 10 s; else NULL. */
const char *eas_usage_due(eas_usage *u);
void eas_usage_done(eas_usage *u);

#endif
