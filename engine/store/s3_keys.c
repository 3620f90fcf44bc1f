/* s3_keys.c: credentials, from where people have them. */
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "store/s3.h"

typedef struct {
  const char *section;
  eas_s3_keys *keys;
} reading;

static int keep(char *to, size_t size, const char *value)
{
  return snprintf(to, size, "%s", value) < (int)size;
}

static int on_line(void *arg, const char *section, const char *name, const char *value)
{
  const reading *r = arg;
  if (strcmp(section, r->section) != 0) return 1;
  if (strcmp(name, "aws_access_key_id") == 0) return keep(r->keys->id, sizeof r->keys->id, value);
  if (strcmp(name, "aws_secret_access_key") == 0) return keep(r->keys->secret, sizeof r->keys->secret, value);
  if (strcmp(name, "aws_session_token") == 0) return keep(r->keys->token, sizeof r->keys->token, value);
  return 1;
}

static int read_file(const char *path, eas_s3_keys *out, eas_err *err)
{
  const char *profile = getenv("AWS_PROFILE");
  reading r = { profile && *profile ? profile : "default", out };
  int bad = ini_parse(path, on_line, &r);
  if (bad < 0) return eas_fail(err, EAS_EINVAL, "credentials: '%s' cannot be read", path);
  if (bad > 0) return eas_fail(err, EAS_EINVAL, "credentials: %s:%d: not 'name = value'", path, bad);
  if (!*out->id || !*out->secret)
    return eas_fail(err, EAS_EINVAL,
                    "credentials: '%s' has no aws_access_key_id and aws_secret_access_key in its section [%s]", path,
                    r.section);
  return 0;
}

int eas_s3_keys_find(const char *file, eas_s3_keys *out, eas_err *err)
{
  const char *id = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY"),
             *token = getenv("AWS_SESSION_TOKEN"), *home = getenv("HOME"),
             *shared = getenv("AWS_SHARED_CREDENTIALS_FILE");
  memset(out, 0, sizeof *out);
  if (file && *file) return read_file(file, out, err);
  if (id && *id && secret && *secret) {
    if (keep(out->id, sizeof out->id, id) && keep(out->secret, sizeof out->secret, secret) &&
        keep(out->token, sizeof out->token, token ? token : ""))
      return 0;
    return eas_fail(err, EAS_EINVAL, "credentials: AWS_ACCESS_KEY_ID and its companions: too long");
  }
  if (shared && *shared) return read_file(shared, out, err);
  char *own = eas_format("%s/.aws/credentials", home ? home : "");
  int rc = eas_path_exists(own) ? read_file(own, out, err)
                                : eas_fail(err, EAS_EINVAL, "credentials: none found for the object store");
  if (rc < 0)
    eas_hint(err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3_credentials_file in the configuration");
  free(own);
  return rc;
}
