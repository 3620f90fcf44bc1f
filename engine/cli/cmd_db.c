/* cmd_db.c: eas db save, restore, migrate. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/db_shell.h"
#include "cli/session.h"

/* The database, whatever version its schema has; made when there is none and create is set. */
static int open_any(eas_cli *c, int create, eas_err *err)
{
  int rc = eas_db_open(&c->db, eas_conf_str(c->conf, "database"), create ? EAS_DB_CREATE : 0, err);
  if (rc == EAS_ENOENT) eas_hint(err, "run a job (eas run JOB), or name its folder with --data DIR");
  return rc;
}

static int is_file(const eas_cli *c)
{
  return strncmp(eas_conf_str(c->conf, "database"), "sqlite:", 7) == 0;
}

static void tell(const eas_cli *c, const char *what, const char *file, int schema)
{
  char *url = eas_conf_shown(c->conf, "database");
  struct stat st = { 0 };
  char size[32] = "";
  if (file && stat(file, &st) == 0) eas_size_text(st.st_size, size);
  if (c->json) {
    json_t *v = json_pack("{s:s, s:s, s:s?, s:I, s:i}", "did", what, "database", url, "file", file, "bytes",
                          (json_int_t)st.st_size, "schema", schema);
    json_dumpf(v, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(v);
  } else if (file) {
    printf("%s %s %s: %s, schema %d\n", what, strcmp(what, "saved") == 0 ? "to" : "from", file, size, schema);
  } else {
    printf("%s: schema %d, %s\n", url, schema, what);
  }
  free(url);
}

static int save(eas_cli *c, const char *file, eas_err *err)
{
  int schema = 0;
  int rc = open_any(c, 0, err);
  if (rc >= 0) rc = eas_db_save(c->db, file, err);
  if (rc >= 0) rc = eas_db_schema(c->db, &schema, NULL, err);
  if (rc >= 0) tell(c, "saved", file, schema);
  return rc;
}

/* A data folder is locked meanwhile: nobody may run jobs in it. */
static int restore(eas_cli *c, const char *file, eas_err *err)
{
  eas_session s = { .c = c, .lock_fd = -1 };
  int schema = 0, rc = is_file(c) ? eas_session_lock(&s, err) : 0;
  if (rc >= 0) rc = open_any(c, 1, err);
  if (rc >= 0 && is_file(c)) rc = eas_db_migrate(c->db, err); /* a server's schema is its owner's to make */
  if (rc >= 0) rc = eas_db_restore(c->db, file, err);
  if (rc >= 0) rc = eas_db_schema(c->db, &schema, NULL, err);
  if (rc >= 0) tell(c, "restored", file, schema);
  if (s.lock_fd >= 0) close(s.lock_fd);
  return rc;
}

static int migrate(eas_cli *c, eas_err *err)
{
  eas_session s = { .c = c, .lock_fd = -1 };
  int found = 0, newest = 0, rc = is_file(c) ? eas_session_lock(&s, err) : 0;
  if (rc >= 0) rc = open_any(c, 0, err);
  if (rc >= 0) rc = eas_db_schema(c->db, &found, &newest, err);
  if (rc >= 0 && found == 0) {
    eas_fail(err, EAS_EINVAL, "database: it has no schema yet");
    rc = eas_hint(err, "eas init makes it");
  }
  if (rc >= 0 && is_file(c) && found < newest) rc = eas_cli_copy_before(c, found, err);
  if (rc >= 0) rc = eas_db_migrate(c->db, err);
  char what[64];
  snprintf(what, sizeof what, "migrated from %d", found);
  if (rc >= 0) tell(c, found == newest ? "up to date" : what, NULL, newest);
  if (s.lock_fd >= 0) close(s.lock_fd);
  return rc;
}

static int cmd_db(eas_cli *c)
{
  eas_err err = { 0 };
  const char *what = c->args[0];
  if (strcmp(what, "shell") == 0) {
    int is_queue = c->n_args == 2 && strcmp(c->args[1], "queue") == 0;
    if (c->n_args == 2 && !is_queue) return eas_cli_usage(c, "shell: '%s' is not queue", c->args[1]);
    eas_db_shell(c, is_queue, &err);
    return eas_cli_fail(c, &err);
  }
  int wants_file = strcmp(what, "migrate") != 0, rc;
  if (strcmp(what, "save") != 0 && strcmp(what, "restore") != 0 && wants_file)
    return eas_cli_usage(c, "%s: save, restore, migrate or shell is wanted", what);
  if (c->n_args != 1 + wants_file)
    return eas_cli_usage(c, wants_file ? "%s: one file is wanted" : "%s: no more is wanted", what);
  if (!wants_file)
    rc = migrate(c, &err);
  else
    rc = *what == 's' ? save(c, c->args[1], &err) : restore(c, c->args[1], &err);
  return rc < 0 ? eas_cli_fail(c, &err) : EAS_EXIT_OK;
}

const eas_command eas_cmd_db = {
  .name = "db",
  .args = "save FILE | restore FILE | migrate | shell [queue]",
  .summary = "saves, restores, updates the database, or opens its client",
  .detail =
      "save writes the whole database, as it stands at one moment, to one new file (SQLite), while others work on. "
      "restore fills an empty database from such a file; of the same kind or not: a job begun on one machine can go "
      "on on a server. A file of an older schema is brought up to date on the way, one of a newer schema is refused. "
      "migrate brings the schema up to date; an SQLite database is copied first (eas run does that by itself). "
      "shell becomes sqlite3 or psql with this configuration's credentials, for reading only; shell queue is a shell "
      "with the "
      "broker's in AMQP_URL. "
      "Products are not in the database: copy the store's folder too.",
  .examples = "  eas db save backup.db\n  eas db restore backup.db --database postgresql://eas_owner@db/eas",
  .groups = EAS_O_DATA | EAS_O_JSON,
  .min_args = 1,
  .max_args = 2,
  .run = cmd_db
};
