/* card.h: what show and why share. */
#ifndef EAS_CLI_CARD_H
#define EAS_CLI_CARD_H
#include "cli/cli.h"

/* Loads what an id names, opening the database for reading. */
int eas_card_load(eas_cli *c, const char *text, char *letter, json_t **out, eas_err *err);
/* "name    key value   key value", folded at 100 columns; nothing for an empty object. */
void eas_card_values(const char *name, const json_t *object);

#endif
