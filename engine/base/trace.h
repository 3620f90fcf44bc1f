/* trace.h: one id from submit to commit, as W3C Trace Context has it (traceparent: version, trace id, span id, flags).
 *
 * A job has a trace id, kept in its row; an attempt's id is its span. */
#ifndef EAS_BASE_TRACE_H
#define EAS_BASE_TRACE_H
#ifndef EAS_CDEF
#include <stdint.h>
#endif

enum { EAS_TRACE_ID = 33, EAS_TRACEPARENT = 56 }; /* bytes, with their zero */

/* 1: text is a trace id: 32 hex digits in lower case, not all zero. */
int eas_trace_is_id(const char *text);
/* That of a traceparent ("00-<trace id>-<span id>-<flags>"); of one that is none, or NULL, a new one at random. */
void eas_trace_begin(const char *traceparent, char id[EAS_TRACE_ID]);
void eas_trace_copy(char out[EAS_TRACE_ID], const char *text); /* "" of what is no trace id, or NULL */
/* What a program is given that runs in this span. */
void eas_traceparent(const char *id, int64_t span, char out[EAS_TRACEPARENT]);

#endif
