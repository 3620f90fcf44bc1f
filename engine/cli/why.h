/* why.h: what eas why is put together from. */
#ifndef EAS_CLI_WHY_H
#define EAS_CLI_WHY_H
#include <jansson.h>

void eas_why_line(json_t *lines, const char *label, char *text); /* takes text */
/* Why an attempt (with its provenance) ran although an earlier job did (eas_view_origin). */
void eas_why_ran(const json_t *origin, const json_t *attempt, json_t *lines);

#endif
