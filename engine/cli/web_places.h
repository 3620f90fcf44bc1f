/* web_places.h: files and lines of a traceback, for the dashboard: asked for once, kept, and never waited for long. */
#ifndef EAS_CLI_WEB_PLACES_H
#define EAS_CLI_WEB_PLACES_H
#include <stdint.h>
#include "cli/cli.h"

typedef struct eas_web_places eas_web_places;
eas_web_places *eas_web_places_new(void);
void eas_web_places_free(eas_web_places *p); /* NULL is fine */

/* As eas_places_text, in 100 ms at most: what addr2line has not told by then stays as it is, and is there at a later look. */
char *eas_web_places_text(eas_web_places *p, const eas_cli *c, const char *text, int64_t at_us);

#endif
