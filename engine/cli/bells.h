/* bells.h: what a session does with its queue beside looking: it acknowledges after the claim, publishes after the commit,
 * stands aside while all its slots are taken, and (control) rings again for what nobody heard of. With the queue sql: the
 * database's bell does all of this, and nothing here happens. */
#ifndef EAS_CLI_BELLS_H
#define EAS_CLI_BELLS_H
#include "cli/session.h"

int eas_bells_open(eas_session *s, int roles, eas_err *err);
void eas_bells_published(
    eas_session *s); /* something was committed: publish soon what this process did not take itself */
void eas_bells_close(eas_session *s);

/* For a command that queued something and ends: publishes it, waits up to 2 s. What fails is told, not returned:
 * control rings again. */
void eas_bells_once(eas_cli *c);

#endif
