/* places.h: from module and offset to file and line, where addr2line is installed and the module still is what it was. */
#ifndef EAS_CLI_PLACES_H
#define EAS_CLI_PLACES_H
#include <stdint.h>
#include <sys/types.h>
#include "cli/cli.h"

/* A copy of text in which "(tls.so+0x1a2b)" reads "(tls.so+0x1a2b, tls.c:211)". The first such place of a text is taken as
 * the one at fault, later ones as places that are returned to. Modules that changed after at_us (0: text is of now), or that
 * have no lines, stay as they are. Caller frees. */
char *eas_places_text(const eas_cli *c, const char *text, int64_t at_us);

/* The same, by another who answers: "tls.c:211" of an offset into a file, or NULL; caller frees. */
typedef char *eas_place_fn(void *arg, const char *file, uint64_t offset);
char *eas_places_by(const eas_cli *c, const char *text, int64_t at_us, eas_place_fn *ask, void *arg);

/* For those who ask by themselves: addr2line about one place, as a process and what it writes; -1: there is none. */
int eas_place_spawn(const char *file, uint64_t offset, pid_t *pid);
/* Its answer; NULL: it knows no line. Caller frees. */
char *eas_place_answer(char *line);

#endif
