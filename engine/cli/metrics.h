/* metrics.h: /metrics (Prometheus text) and /healthz of a session, where the configuration says. */
#ifndef EAS_CLI_METRICS_H
#define EAS_CLI_METRICS_H
#include "cli/session.h"

int eas_metrics_open(eas_session *s, eas_err *err); /* nothing if `metrics` is empty */
void eas_metrics_close(eas_session *s);

#endif
