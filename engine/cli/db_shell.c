/* db_shell.c: see db_shell.h. */
#include "cli/db_shell.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"

static char *word(const char *text)
{
  return (char *)(uintptr_t)text;
}

static char *decoded(const char *text, size_t n)
{
  eas_buf b;
  eas_buf_init(&b);
  for (size_t i = 0; i < n; i++) {
    char hex[3] = { 0 };
    if (text[i] == '%' && i + 2 < n && isxdigit((unsigned char)text[i + 1]) && isxdigit((unsigned char)text[i + 2])) {
      memcpy(hex, text + i + 1, 2);
      eas_buf_char(&b, (char)strtol(hex, NULL, 16));
      i += 2;
    } else {
      eas_buf_char(&b, text[i]);
    }
  }
  return eas_buf_take(&b);
}

/* "scheme://user:PASSWORD@host/..." without its password, which goes to *password (or NULL). */
static char *without_password(const char *url, char **password)
{
  const char *user = strstr(url, "://"), *end, *at, *colon;
  *password = NULL;
  if (!user) return eas_strdup(url);
  user += 3;
  end = user + strcspn(user, "/?");
  at = memchr(user, '@', (size_t)(end - user));
  colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
  if (!colon) return eas_strdup(url);
  *password = decoded(colon + 1, (size_t)(at - colon - 1));
  return eas_format("%.*s%s", (int)(colon - url), url, at);
}

static int become(char *const *argv, const char *package, eas_err *err)
{
  fflush(stdout);
  execvp(argv[0], argv);
  eas_fail(err, EAS_ECONNECT, "start '%s': %s", argv[0], strerror(errno));
  return eas_hint(err, "Debian has it in %s", package);
}

static int sqlite_shell(const char *path, eas_err *err)
{
  if (!eas_path_exists(path)) {
    eas_fail(err, EAS_EINVAL, "%s: there is no database here yet", path);
    return eas_hint(err, "run a job (eas run JOB), or name its folder with --data DIR");
  }
  char *argv[] = { word("sqlite3"), word("-readonly"), word(path), NULL };
  return become(argv, "sqlite3", err);
}

static int psql_shell(const char *url, eas_err *err)
{
  char *password = NULL, *shown = without_password(url, &password);
  if (password) setenv("PGPASSWORD", password, 1);
  setenv("PGOPTIONS", "-c default_transaction_read_only=on", 1);
  char *argv[] = { word("psql"), shown, NULL };
  int rc = become(argv, "postgresql-client", err);
  free(password);
  free(shown);
  return rc;
}

static int queue_shell(const char *url, eas_err *err)
{
  const char *shell = getenv("SHELL") && *getenv("SHELL") ? getenv("SHELL") : "/bin/sh";
  const char *prefix = strstr(url, "prefix=");
  char *plain = eas_strdup(url);
  plain[strcspn(plain, "?")] = 0; /* our own parameters: other clients refuse them */
  setenv("AMQP_URL", plain, 1);
  free(plain);
  char *argv[] = { word(shell), NULL };
  prefix = prefix ? prefix + strlen("prefix=") : "eas.";
  printf("AMQP_URL is the broker's, with its password; as amqp-get --url \"$AMQP_URL\" -q QUEUE (Debian: amqp-tools)\n"
         "queues are named %.*sTYPE; what is taken out by hand is rung for again\n",
         (int)strcspn(prefix, "&"), prefix);
  return become(argv, "its own package", err);
}

int eas_db_shell(eas_cli *c, int is_queue, eas_err *err)
{
  const char *url = eas_conf_str(c->conf, "database"), *queue = eas_conf_str(c->conf, "queue");
  if (is_queue && strncmp(queue, "sql:", 4) != 0) return queue_shell(queue, err);
  if (is_queue) fputs("the queue is the table attempt, where state = 'queued'\n", stderr);
  return strncmp(url, "sqlite:", 7) == 0 ? sqlite_shell(url + 7, err) : psql_shell(url, err);
}
