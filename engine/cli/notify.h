/* notify.h: hooks: a program, or an address, that hears when a job is done or has failed.
 *
 * One control at a time tells, job after job in the order they were done; it never waits for a hook but by looking again. A job is
 * told at least once: when a control dies over a hook, the next one tells it again. What was done before hooks were
 * configured for the first time is not told. */
#ifndef EAS_CLI_NOTIFY_H
#define EAS_CLI_NOTIFY_H
#include "cli/session.h"

/* If this session is a control and hook_command or hook_url is set: looks each second. */
void eas_notify_start(eas_session *s);
/* The session is about to end, its job is done: gives the hook its time. */
void eas_notify_end(eas_session *s);
void eas_notify_close(eas_session *s);

#endif
