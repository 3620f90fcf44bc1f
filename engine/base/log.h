/* log.h: the process's own log, to stderr: for people on a terminal, else logfmt or JSON.
 *
 * Fields come from a thread-local context (job, task, attempt, type). Secrets never come here. */
#ifndef EAS_BASE_LOG_H
#define EAS_BASE_LOG_H
#ifndef EAS_CDEF
#include <stdint.h>
#endif

enum { EAS_DEBUG = 10, EAS_INFO = 20, EAS_WARN = 30, EAS_ERROR = 40 };
enum { EAS_LOG_HUMAN, EAS_LOG_LOGFMT, EAS_LOG_JSON };

void eas_log_setup(int format, int level); /* EAS_LOG_..., and the least level that is written */
int eas_log_level(const char *name);       /* "debug" "info" "warn" "error"; -1 unknown */
const char *eas_log_level_name(int level); /* "warn"; borrowed */

/* Sets what every line carries; a zero id or NULL leaves the field out. */
void eas_log_context(int64_t job, int64_t task, int64_t attempt, const char *type);
/* Beside that, of a job: base/trace.h; NULL leaves it out. */
void eas_log_trace(const char *trace_id);
int eas_log_wanted(int level); /* 1: a line of this level is written */
void eas_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Called before and after a line is written (a progress block hides itself); NULL: none. */
void eas_log_hooks(void (*before)(void *), void (*after)(void *), void *arg);

#endif
