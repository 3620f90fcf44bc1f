/* conf.h: the configuration of DESIGN.md section 4.
 *
 * Lowest to highest: built-in default, config/eas.conf (installed: /etc/eas/eas.conf), --config FILE, environment
 * EAS_*, flags. One table of keys (conf.c) gives name, environment name, type, default and help;
 * config/eas.conf lists all of them. An unknown key is an error that names the nearest. */
#ifndef EAS_BASE_CONF_H
#define EAS_BASE_CONF_H
#ifndef EAS_CDEF
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#endif

typedef struct eas_conf eas_conf;

typedef struct {
  const char *name;    /* "database" */
  const char *env;     /* "EAS_DATABASE" */
  const char *type;    /* string int bool duration size list path secret, or "choice a b c" */
  const char *initial; /* text of the default, may be "" */
  const char *help;    /* one line */
} eas_conf_key;

/* A secret comes from the environment or from the file that KEY_file names, never from a line or a flag. */

eas_conf *eas_conf_new(void);    /* defaults only */
void eas_conf_free(eas_conf *c); /* NULL is fine */
/* Reads FILE ("key: value" or "key = value" lines, # comments; values may hold ':'). */
int eas_conf_read(eas_conf *c, const char *path, eas_err *err);
int eas_conf_read_env(eas_conf *c, char *const *environ_, eas_err *err);
int eas_conf_set(eas_conf *c, const char *key, const char *value, const char *source, eas_err *err);
/* The file read first when there is one: /etc/eas/eas.conf of an installed engine, config/eas.conf of a build
 * tree. NULL if there is none; the caller frees. */
char *eas_conf_default_file(void);
/* After all sources: what is empty and lies below data, slots 0 to the number of CPUs this process may use, secrets'
 * files, and passwords put into the URLs (so that eas_conf_str gives a whole one; eas_conf_shown hides it). */
int eas_conf_finish(eas_conf *c, eas_err *err);

const char *eas_conf_str(const eas_conf *c, const char *key);     /* borrowed */
int64_t eas_conf_int(const eas_conf *c, const char *key);         /* int, bool */
int64_t eas_conf_duration_us(const eas_conf *c, const char *key); /* "60 s", "10 min", "24 h" */
int eas_conf_parse_duration(const char *text, int64_t *us);       /* such a text: 0 or EAS_EFORMAT */
int64_t eas_conf_bytes(const eas_conf *c, const char *key);       /* "64 MB" */
const char *eas_conf_source(const eas_conf *c, const char *key);  /* "default", a file:line, the variable, a flag */
const eas_conf_key *eas_conf_keys(int *n);                        /* all there are; borrowed */
/* Value fit to be shown: passwords in URLs and secrets are replaced by "***". Caller frees. */
char *eas_conf_shown(const eas_conf *c, const char *key);

#endif
