/* conf.c: the table of keys, and the values. */
#include "base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_table.h"
#include "base/json.h"

/* name, environment, type, default, help: config/eas.conf has the same, held by a spec */
static const eas_conf_key keys[] = {
  { "data", "EAS_DATA", "path", "./eas-data", "folder of everything the engine keeps" },
  { "database", "EAS_DATABASE", "string", "", "sqlite:PATH or postgresql://...; empty: sqlite:DATA/eas.db" },
  { "database_password_file", "EAS_DATABASE_PASSWORD_FILE", "path", "", "file with the database's password" },
  { "database_password", "EAS_DATABASE_PASSWORD", "secret", "", "only from its variable or its file" },
  { "queue", "EAS_QUEUE", "string", "sql:", "sql: (bells in the database) or amqp://..." },
  { "queue_password_file", "EAS_QUEUE_PASSWORD_FILE", "path", "", "file with the broker's password" },
  { "queue_password", "EAS_QUEUE_PASSWORD", "secret", "", "only from its variable or its file" },
  { "store", "EAS_STORE", "path", "", "folder of the products, or s3://BUCKET/PREFIX; empty: DATA/store" },
  { "store_cache", "EAS_STORE_CACHE", "path", "",
    "folder of what was fetched from an object store, or waits to go there; empty: DATA/store-cache" },
  { "store_cache_limit", "EAS_STORE_CACHE_LIMIT", "size", "10 GB",
    "what may stay there: the longest unused goes; 0 B: no limit" },
  { "s3_endpoint", "EAS_S3_ENDPOINT", "string", "",
    "https://HOST[:PORT] of the object store; empty: AWS_ENDPOINT_URL, or Amazon's of the region" },
  { "s3_region", "EAS_S3_REGION", "string", "", "its region; empty: AWS_REGION, or us-east-1" },
  { "s3_path_style", "EAS_S3_PATH_STYLE", "choice auto yes no", "auto",
    "bucket in the path, not in the host name; auto: when an endpoint is given" },
  { "s3_credentials_file", "EAS_S3_CREDENTIALS_FILE", "path", "",
    "file with aws_access_key_id and aws_secret_access_key; empty: AWS_ACCESS_KEY_ID ..., or ~/.aws/credentials" },
  { "s3_stall", "EAS_S3_STALL", "duration", "30 s", "a transfer that stands still so long is begun again" },
  { "s3_part", "EAS_S3_PART", "size", "64 MB", "what is larger is sent in parts of so much; at least 5.3 MB" },
  { "scratch", "EAS_SCRATCH", "path", "",
    "folder where attempts work; empty: DATA/scratch; fast when on the store's disk" },
  { "scratch_limit", "EAS_SCRATCH_LIMIT", "size", "16 GB", "what one attempt may write there; 0 B: no limit" },
  { "container", "EAS_CONTAINER", "string", "",
    "container of the registry that this worker is; empty: runs every type" },
  { "slots", "EAS_SLOTS", "int", "0", "attempts at once; 0: one per CPU" },
  { "max_running", "EAS_MAX_RUNNING", "string", "",
    "TYPE=N ...: attempts of a type at once, over all workers; beats the registry" },
  { "task_path", "EAS_TASK_PATH", "list", "", "folders of packs beside the core, divided by ':'" },
  { "input_path", "EAS_INPUT_PATH", "path", ".", "folder that `files:` loops and ingest may read" },
  { "exec_path", "EAS_EXEC_PATH", "list", "",
    "folders beside /usr that task:exec may run programs from, divided by ':'" },
  { "programs", "EAS_PROGRAMS", "string", "",
    "NAME=/PATH ...: programs that task types of the registry run (its element program)" },
  { "require", "EAS_REQUIRE", "string", "rlimits no_new_privs seccomp",
    "isolation layers without which no worker starts" },
  { "isolation_off", "EAS_ISOLATION_OFF", "string", "", "isolation layers to leave out, for tests and comparisons" },
  { "host", "EAS_HOST", "string", "", "name of this machine in records; empty: its host name" },
  { "lease", "EAS_LEASE", "duration", "60 s", "a worker silent for so long is lost, and its attempts with it" },
  { "lease_renew", "EAS_LEASE_RENEW", "duration", "10 s", "how often a worker says that it is there" },
  { "drain_grace", "EAS_DRAIN_GRACE", "duration", "5 s", "what running attempts get when a worker is told to stop" },
  { "gc_every", "EAS_GC_EVERY", "duration", "24 h",
    "how often control removes stored bytes that nothing names; 0 s: never" },
  { "gc_grace", "EAS_GC_GRACE", "duration", "24 h", "how long such bytes are left alone after they were last stored" },
  { "metrics", "EAS_METRICS", "string", "",
    "HOST:PORT where worker and control answer /metrics and /healthz; empty: nowhere" },
  { "scale_command", "EAS_SCALE_COMMAND", "path", "",
    "program that control runs every scale_every, to start workers that are missing; empty: none" },
  { "scale_every", "EAS_SCALE_EVERY", "duration", "30 s", "how often control runs scale_command" },
  { "hook_command", "EAS_HOOK_COMMAND", "path", "",
    "program that control and run start when a job is done; empty: none" },
  { "hook_url_file", "EAS_HOOK_URL_FILE", "path", "", "file with the address that hears by POST when a job is done" },
  { "hook_url", "EAS_HOOK_URL", "secret", "", "only from its variable or its file" },
  { "hook_on", "EAS_HOOK_ON", "choice done failed", "done", "failed: only jobs that failed" },
  { "hook_timeout", "EAS_HOOK_TIMEOUT", "duration", "10 s", "what a hook gets; it is tried three times" },
  { "web_listen", "EAS_WEB_LISTEN", "string", "127.0.0.1:5000", "HOST:PORT of eas web" },
  { "web_actions", "EAS_WEB_ACTIONS", "bool", "off",
    "on: eas web retries, pauses, resumes, cancels for who has the token" },
  { "web_token_file", "EAS_WEB_TOKEN_FILE", "path", "", "file with the token of web_actions" },
  { "web_token", "EAS_WEB_TOKEN", "secret", "", "only from its variable or its file" },
  { "log_format", "EAS_LOG_FORMAT", "choice auto human logfmt json", "auto",
    "of the process's own log; auto: human on a terminal, else logfmt" },
  { "log_level", "EAS_LOG_LEVEL", "choice debug info warn error", "info", "least level that is logged" },
  { "color", "EAS_COLOR", "choice auto always never", "auto", "colour on a terminal; --color beats NO_COLOR" },
};
enum { N_KEYS = sizeof keys / sizeof *keys };
_Static_assert((int)N_KEYS <= (int)EAS_CONF_KEYS, "EAS_CONF_KEYS is too small");

const eas_conf_key *eas_conf_keys(int *n)
{
  *n = N_KEYS;
  return keys;
}

int eas_conf_find(const char *key)
{
  for (int i = 0; i < N_KEYS; i++)
    if (strcmp(keys[i].name, key) == 0) return i;
  return -1;
}

void eas_conf_put(eas_conf *c, int at, const char *value, const char *source)
{
  char *text = eas_strdup(value), *from = eas_strdup(source); /* either may point into what is freed */
  free(c->value[at].text);
  free(c->value[at].source);
  c->value[at].text = text;
  c->value[at].source = from;
}

eas_conf *eas_conf_new(void)
{
  eas_conf *c = eas_alloc(sizeof *c);
  for (int i = 0; i < N_KEYS; i++) eas_conf_put(c, i, keys[i].initial, "default");
  return c;
}

void eas_conf_free(eas_conf *c)
{
  if (!c) return;
  for (int i = 0; i < N_KEYS; i++) {
    if (strcmp(keys[i].type, "secret") == 0 || strstr(c->value[i].text, "://"))
      explicit_bzero(c->value[i].text, strlen(c->value[i].text));
    free(c->value[i].text);
    free(c->value[i].source);
  }
  free(c);
}

int eas_conf_set(eas_conf *c, const char *key, const char *value, const char *source, eas_err *err)
{
  int at = eas_conf_find(key);
  if (at < 0) {
    const char *names[N_KEYS];
    for (int i = 0; i < N_KEYS; i++) names[i] = keys[i].name;
    const char *near = eas_nearest(key, names, N_KEYS);
    eas_fail(err, EAS_EINVAL, "%s: unknown key '%.100s'", source, key);
    return near ? eas_hint(err, "use %s", near) : eas_hint(err, "all keys are in config/eas.conf"), EAS_EINVAL;
  }
  if (strcmp(keys[at].type, "secret") == 0 && strcmp(source, keys[at].env) != 0) {
    eas_fail(err, EAS_EINVAL, "%s: %s may not stand here, where others can read it", source, key);
    eas_hint(err, "use %s_file: FILE, or the variable %s", key, keys[at].env);
    return EAS_EINVAL;
  }
  int rc = eas_conf_check(&keys[at], value, err);
  if (rc < 0) {
    eas_err_prefix(err, "%s", source);
    return rc;
  }
  eas_conf_put(c, at, value, source);
  return 0;
}

/* A key that is not in the table is a mistake in our own code. */
static int must_find(const char *key)
{
  int at = eas_conf_find(key);
  if (at >= 0) return at;
  fprintf(stderr, "eas: bug: the configuration has no key '%s'\n", key);
  abort();
}

const char *eas_conf_str(const eas_conf *c, const char *key)
{
  return c->value[must_find(key)].text;
}

int64_t eas_conf_int(const eas_conf *c, const char *key)
{
  const char *text = eas_conf_str(c, key);
  if (strcmp(text, "on") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "true") == 0) return 1;
  return strtoll(text, NULL, 10); /* off, no, false: 0 */
}

int64_t eas_conf_duration_us(const eas_conf *c, const char *key)
{
  int64_t us = 0;
  eas_conf_parse_duration(eas_conf_str(c, key), &us);
  return us;
}

int64_t eas_conf_bytes(const eas_conf *c, const char *key)
{
  int64_t bytes = 0;
  eas_conf_parse_size(eas_conf_str(c, key), &bytes);
  return bytes;
}

const char *eas_conf_source(const eas_conf *c, const char *key)
{
  return c->value[must_find(key)].source;
}

char *eas_conf_shown(const eas_conf *c, const char *key)
{
  int at = must_find(key);
  const char *text = c->value[at].text;
  if (strcmp(keys[at].type, "secret") == 0) return eas_strdup(*text ? "***" : "");
  if (strstr(text, "://") || strstr(text, "password")) {
    int had;
    return eas_conf_url_password(text, "***", &had);
  }
  return eas_strdup(text);
}
