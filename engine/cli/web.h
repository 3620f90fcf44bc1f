/* web.h: what the parts of `eas web` share: what pages may ask for, and what they may do. Private to engine/cli. */
#ifndef EAS_CLI_WEB_H
#define EAS_CLI_WEB_H
#include "cli/cli.h"
#include "cli/web_bulk.h"
#include "cli/web_places.h"

/* What answers the pages: a command with open database (for reading) and registry. */
typedef struct {
  eas_cli *c;
  eas_bulks *bulks;
  eas_web_places *places;
} eas_web_desk;

/* What pages ask for by name, {"value"} or {"error"}; runner.h: eas_ask_fn. arg: eas_web_desk. */
json_t *eas_web_ask(void *arg, const char *name, const json_t *args);

/* {"do": "pause" | "resume" | "cancel" | "retry", "target": "j3" | "t4"} on a connection of its own, that may write: {"done": sentence}. */
int eas_web_act(eas_cli *c, const json_t *request, json_t **out, eas_err *err);

/* The first 10 000 results of {"job", "type" or null, "format": "fits" | "votable"} as an open file. */
int eas_web_export(eas_cli *c, const json_t *what, int *fd, eas_err *err);

#endif
