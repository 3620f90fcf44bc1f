/* conf_table.h: what the parts of the configuration share; private to base/conf*.c. */
#ifndef EAS_BASE_CONF_TABLE_H
#define EAS_BASE_CONF_TABLE_H
#include <stdint.h>
#include "base/conf.h"

enum { EAS_CONF_KEYS = 56 };

struct eas_conf {
  struct {
    char *text, *source;
  } value[EAS_CONF_KEYS]; /* in the order of eas_conf_keys */
};

/* Position of a key in the table, -1 if there is none. */
int eas_conf_find(const char *key);
/* Checks text against a key's type. */
int eas_conf_check(const eas_conf_key *key, const char *text, eas_err *err);
int eas_conf_parse_size(const char *text, int64_t *bytes);
void eas_conf_put(eas_conf *c, int at, const char *value, const char *source);
/* The URL with the password of its user replaced by `with`, which is encoded; *had: it had one. Caller frees. */
char *eas_conf_url_password(const char *url, const char *with, int *had);

#endif
