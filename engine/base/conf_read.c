/* conf_read.c: where values come from: files, the environment, and what follows from others. */
#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf_table.h"
#include "base/json.h"
#include "base/path.h"

static char *trim(char *s)
{
  while (*s == ' ' || *s == '\t') s++;
  size_t n = strlen(s);
  while (n > 0 && isspace((unsigned char)s[n - 1])) s[--n] = 0;
  return s;
}

/* One line, which is changed. seen: keys that this file has set. */
static int read_line(eas_conf *c, char *line, const char *source, int *seen, eas_err *err)
{
  line = trim(line);
  if (!*line || *line == '#') return 0;
  size_t n = strcspn(line, ":=");
  if (!line[n]) return eas_fail(err, EAS_EFORMAT, "%s: expected 'key: value', found '%.100s'", source, line);
  char *value = line + n + 1;
  line[n] = 0;
  for (char *p = value; *p; p++)
    if (*p == '#' && (p == value || p[-1] == ' ' || p[-1] == '\t')) { /* else it belongs to the value */
      *p = 0;
      break;
    }
  char *key = trim(line);
  int at = eas_conf_find(key);
  if (at >= 0 && seen[at]++) return eas_fail(err, EAS_EFORMAT, "%s: '%s' is set twice in this file", source, key);
  return eas_conf_set(c, key, trim(value), source, err);
}

int eas_conf_read(eas_conf *c, const char *path, eas_err *err)
{
  eas_buf text;
  eas_buf_init(&text);
  int rc = eas_file_read(path, 1 << 20, &text, err);
  int seen[EAS_CONF_KEYS] = { 0 }, number = 0;
  for (char *line = text.data, *next; rc == 0 && line && *line; line = next) {
    size_t n = strcspn(line, "\n");
    next = line + n + (line[n] == '\n');
    line[n] = 0;
    char *source = eas_format("%s:%d", path, ++number);
    rc = read_line(c, line, source, seen, err);
    free(source);
  }
  eas_buf_done(&text);
  return rc;
}

/* Others own names that start with EAS_ too (a cluster names its services so): only what is nearly one of ours and
 * none of the variables that are no keys is a slip. */
static int check_stray(const char *name, eas_err *err)
{
  static const char *const known[] = { "EAS_REFERENCE", "EAS_SIMD", "EAS_CONFIG" };
  int n;
  const eas_conf_key *keys = eas_conf_keys(&n);
  const char *names[EAS_CONF_KEYS];
  for (int i = 0; i < n; i++) names[i] = keys[i].env;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i], name) == 0) return 0;
  const char *near = eas_nearest(name, names, (size_t)n);
  if (!near) return 0;
  eas_fail(err, EAS_EINVAL, "environment: unknown variable '%.100s'", name);
  eas_hint(err, "use %s", near);
  return EAS_EINVAL;
}

int eas_conf_read_env(eas_conf *c, char *const *environ_, eas_err *err)
{
  int n;
  const eas_conf_key *keys = eas_conf_keys(&n);
  for (; environ_ && *environ_; environ_++) {
    if (strncmp(*environ_, "EAS_", 4) != 0) continue;
    size_t len = strcspn(*environ_, "=");
    const char *value = *environ_ + len + ((*environ_)[len] == '=');
    char *name = eas_format("%.*s", (int)len, *environ_);
    int i = 0, rc = 0;
    while (i < n && strcmp(keys[i].env, name) != 0) i++;
    if (i == n)
      rc = check_stray(name, err);
    else if (*value) /* set to nothing is not set */
      rc = eas_conf_set(c, keys[i].name, value, name, err);
    free(name);
    if (rc < 0) return rc;
  }
  return 0;
}

char *eas_conf_default_file(void)
{
  char *prefix_share = eas_path_join(EAS_PREFIX, "share/eas");
  int installed = strcmp(prefix_share, eas_home_share()) == 0;
  free(prefix_share);
  if (installed && eas_path_exists(EAS_SYSCONFDIR "/eas/eas.conf")) return eas_strdup(EAS_SYSCONFDIR "/eas/eas.conf");
  char *file = eas_path_join(eas_home_share(), "config/eas.conf");
  if (eas_path_exists(file)) return file;
  free(file);
  return NULL;
}

/* KEY_file into KEY, unless the environment gave it. */
static int read_secret(eas_conf *c, const char *key, eas_err *err)
{
  char *file_key = eas_format("%s_file", key);
  const char *path = eas_conf_str(c, file_key);
  int rc = 0;
  if (*path && !*eas_conf_str(c, key)) {
    eas_buf text;
    eas_buf_init(&text);
    rc = eas_file_read(path, 4096, &text, err);
    if (rc == 0 && text.data) text.data[strcspn(text.data, "\r\n")] = 0;
    if (rc == 0 && (!text.data || !*text.data))
      rc = eas_fail(err, EAS_EFORMAT, "'%s' holds no password in its first line", path);
    if (rc == 0) eas_conf_put(c, eas_conf_find(key), text.data, path);
    if (rc < 0) eas_err_prefix(err, "%s", file_key);
    if (text.data) explicit_bzero(text.data, text.cap);
    eas_buf_done(&text);
  }
  free(file_key);
  return rc;
}

/* Puts a secret into the URL that it is for. */
static int join_secret(eas_conf *c, const char *key, const char *secret_key, eas_err *err)
{
  const char *url = eas_conf_str(c, key), *secret = eas_conf_str(c, secret_key);
  const char *authority = strstr(url, "://");
  if (!*secret || !authority) return 0;
  int had;
  free(eas_conf_url_password(url, "", &had));
  if (had) return eas_fail(err, EAS_EINVAL, "%s: the URL has a password and so has %s; leave one out", key, secret_key);
  authority += 3;
  size_t n = strcspn(authority, "/?");
  const char *at = memrchr(authority, '@', n);
  if (!at) {
    eas_fail(err, EAS_EURL, "%s: the URL names no user for its password", key);
    return eas_hint(err, "write %.*sUSER@%.*s...", (int)(authority - url), url, (int)n, authority), EAS_EURL;
  }
  char *open =
      eas_format("%.*s:%s", (int)(at - url), url, at); /* user:@host, so that the one place that encodes does it */
  char *full = eas_conf_url_password(open, secret, &had);
  eas_conf_put(c, eas_conf_find(key), full, eas_conf_source(c, key));
  explicit_bzero(full, strlen(full));
  free(full);
  free(open);
  return 0;
}

static void below_data(eas_conf *c, const char *key, const char *scheme, const char *name)
{
  if (*eas_conf_str(c, key)) return;
  const char *data = eas_conf_str(c, "data");
  if (strncmp(data, "./", 2) == 0 && data[2]) data += 2;
  char *path = eas_path_join(data, name);
  char *value = eas_format("%s%s", scheme, path);
  eas_conf_put(c, eas_conf_find(key), value, eas_conf_source(c, "data"));
  free(value);
  free(path);
}

int eas_conf_finish(eas_conf *c, eas_err *err)
{
  below_data(c, "database", "sqlite:", "eas.db");
  below_data(c, "store", "", "store");
  below_data(c, "store_cache", "", "store-cache");
  below_data(c, "scratch", "", "scratch");
  if (eas_conf_int(c, "slots") == 0) {
    cpu_set_t cpus;
    char number[16];
    int n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(number, sizeof number, "%d", n > 0 ? n : 1);
    eas_conf_put(c, eas_conf_find("slots"), number, eas_conf_source(c, "slots"));
  }
  if (eas_conf_duration_us(c, "lease") < 3 * eas_conf_duration_us(c, "lease_renew"))
    return eas_fail(err, EAS_EINVAL,
                    "lease: %s is under three times lease_renew (%s); one late renewal would lose the worker",
                    eas_conf_str(c, "lease"), eas_conf_str(c, "lease_renew"));
  if (eas_conf_duration_us(c, "lease_renew") <= 0) return eas_fail(err, EAS_EINVAL, "lease_renew: must be over 0");
  int rc = read_secret(c, "database_password", err);
  if (rc == 0) rc = read_secret(c, "queue_password", err);
  if (rc == 0) rc = read_secret(c, "web_token", err);
  if (rc == 0) rc = read_secret(c, "hook_url", err);
  if (rc == 0) rc = join_secret(c, "database", "database_password", err);
  if (rc == 0) rc = join_secret(c, "queue", "queue_password", err);
  return rc;
}
