/* amqp_place.c: the address of a broker. librabbitmq reads its plain part; parameters are ours. */
#include <stdlib.h>
#include <string.h>

#include "queue/amqp.h"

static int bad(eas_err *err, const char *what, const char *text)
{
  eas_fail(err, EAS_EURL, "queue: %s '%.100s'", what, text);
  return eas_hint(err, "amqp://USER@HOST:PORT/VHOST?heartbeat=10&prefix=eas.   amqps://...?cacertfile=FILE");
}

static int number(const char *text, int least, int most, int *out)
{
  char *end;
  long v = strtol(text, &end, 10);
  if (end == text || *end || v < least || v > most) return EAS_EURL;
  *out = (int)v;
  return 0;
}

static void put(char **where, const char *text)
{
  free(*where);
  *where = eas_strdup(text);
}

static int parameter(eas_amqp_place *p, char *word, eas_err *err)
{
  char *value = strchr(word, '=');
  if (!value) return bad(err, "a parameter is NAME=VALUE, not", word);
  *value++ = 0;
  if (strcmp(word, "heartbeat") == 0)
    return number(value, 1, 3600, &p->heartbeat_s) < 0 ? bad(err, "heartbeat is 1 to 3600 seconds, not", value) : 0;
  if (strcmp(word, "prefix") == 0) {
    if (strlen(value) > 100) return bad(err, "prefix has at most 100 bytes, not", value);
    put(&p->prefix, value);
  } else if (strcmp(word, "cacertfile") == 0) {
    put(&p->cacert, value);
  } else if (strcmp(word, "certfile") == 0) {
    put(&p->cert, value);
  } else if (strcmp(word, "keyfile") == 0) {
    put(&p->key, value);
  } else if (strcmp(word, "verify") == 0) {
    if (strcmp(value, "verify_none") != 0 && strcmp(value, "verify_peer") != 0)
      return bad(err, "verify is verify_peer or verify_none, not", value);
    p->verify = strcmp(value, "verify_peer") == 0;
  } else {
    return bad(err, "unknown parameter", word);
  }
  return 0;
}

static int parameters(eas_amqp_place *p, char *text, eas_err *err)
{
  char *save = NULL;
  for (char *word = strtok_r(text, "&", &save); word; word = strtok_r(NULL, "&", &save)) {
    int rc = parameter(p, word, err);
    if (rc < 0) return rc;
  }
  if (!p->cert != !p->key)
    return bad(err, "certfile and keyfile come together, here is only", p->cert ? p->cert : p->key);
  return 0;
}

int eas_amqp_place_parse(eas_amqp_place *p, const char *url, eas_err *err)
{
  *p = (eas_amqp_place){ .verify = 1, .heartbeat_s = 10, .prefix = eas_strdup("eas.") };
  put(&p->cacert, "/etc/ssl/certs/ca-certificates.crt");
  char *copy = eas_strdup(url), *query = strchr(copy, '?');
  if (query) *query++ = 0;
  size_t len = strlen(copy);
  struct amqp_connection_info info;
  amqp_default_connection_info(&info);
  const char *host = strstr(copy, "://") + 3;
  int rc = !*host || *host == '/' || amqp_parse_url(copy, &info) != AMQP_STATUS_OK || !*info.host
               ? bad(err, "not an address of a broker:", "amqp://...") /* it may hold a password */
               : 0;
  if (rc == 0) {
    p->host = eas_strdup(info.host);
    p->user = eas_strdup(info.user);
    p->password = eas_strdup(info.password);
    p->vhost = eas_strdup(*info.vhost ? info.vhost : "/");
    p->port = info.port;
    p->tls = info.ssl;
    p->shown = eas_format("%s://%s:%d%s%s", p->tls ? "amqps" : "amqp", p->host, p->port, *p->vhost == '/' ? "" : "/",
                          p->vhost);
    if (query) rc = parameters(p, query, err);
  }
  explicit_bzero(copy, len);
  free(copy);
  if (rc < 0) eas_amqp_place_done(p);
  return rc;
}

void eas_amqp_place_done(eas_amqp_place *p)
{
  if (p->password) explicit_bzero(p->password, strlen(p->password));
  char *all[] = { p->host, p->user, p->password, p->vhost, p->cacert, p->cert, p->key, p->prefix, p->shown };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  *p = (eas_amqp_place){ 0 };
}
