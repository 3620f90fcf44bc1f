/* progress.h: the live block of `eas run`: redrawn at most ten times a second on a terminal, a line every 10 s when piped. */
#ifndef EAS_CLI_PROGRESS_H
#define EAS_CLI_PROGRESS_H
#include "cli/session.h"
#include "model/view.h"

typedef struct eas_progress eas_progress;

eas_progress *eas_progress_new(eas_session *s, int64_t job);
void eas_progress_changed(eas_progress *p);                /* cheap: only notes it */
void eas_progress_note(eas_progress *p, const char *line); /* a line above the block */
void eas_progress_end(eas_progress *p, int keep);          /* draws the last state if keep, frees */

#endif
