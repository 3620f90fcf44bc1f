/* scaler.h: a site's own program that control runs now and then, to start workers where they are missing. */
#ifndef EAS_CLI_SCALER_H
#define EAS_CLI_SCALER_H
#include "cli/session.h"

/* If this session is a control and the key scale_command names a program: runs it at once and then every scale_every, never
 * twice at the same time. What it prints goes to stderr; one that fails is logged. It inherits the environment. */
void eas_scaler_start(eas_session *s);

#endif
