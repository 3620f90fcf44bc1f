/* cli.c: finds the command, reads the configuration, opens what commands need. */
#include "cli/cli.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "model/born.h"
#include "cli/inner.h"

extern char **environ;

static const eas_command *find_command(const char *name)
{
  for (int i = 0; eas_commands[i]; i++)
    if (strcmp(eas_commands[i]->name, name) == 0) return eas_commands[i];
  return NULL;
}

static int unknown_command(const char *name)
{
  const char *names[128];
  size_t n = 0;
  for (; eas_commands[n] && n < 128; n++) names[n] = eas_commands[n]->name;
  const char *near = eas_nearest(name, names, n);
  fprintf(stderr, "eas: unknown command '%s'\n", name);
  fprintf(stderr, near ? "   use eas %s; all commands: eas --help\n" : "   all commands: eas --help\n", near);
  return EAS_EXIT_USAGE;
}

static int read_conf(const eas_cli *c, eas_conf **out, eas_err *err)
{
  eas_conf *conf = *out = eas_conf_new();
  char *file = eas_conf_default_file();
  int rc = file ? eas_conf_read(conf, file, err) : 0;
  free(file);
  const char *given = eas_cli_get(c, "--config");
  int is_cfg = strcmp(c->command->name, "task") == 0; /* there --config names the task */
  if (rc >= 0 && given && !is_cfg) rc = eas_conf_read(conf, given, err);
  if (rc >= 0) rc = eas_conf_read_env(conf, environ, err);
  for (int i = 0; rc >= 0 && i < c->n_given; i++)
    if (c->given[i].option->conf)
      rc = eas_conf_set(conf, c->given[i].option->conf, c->given[i].value, c->given[i].option->name, err);
  return rc < 0 ? rc : eas_conf_finish(conf, err);
}

/* --color beats NO_COLOR (set, not empty) beats CLICOLOR_FORCE beats "a terminal, TERM not dumb". */
static int wants_color(const eas_cli *c)
{
  const char *when = eas_conf_str(c->conf, "color"), *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"),
             *term = getenv("TERM");
  if (strcmp(when, "always") == 0) return 1;
  if (strcmp(when, "never") == 0) return 0;
  if (no && *no) return 0;
  if (force && *force && strcmp(force, "0") != 0) return 1;
  return c->tty && (!term || strcmp(term, "dumb") != 0);
}

static void look(eas_cli *c)
{
  struct winsize size;
  c->tty = isatty(STDOUT_FILENO);
  c->json = eas_cli_has(c, "--json");
  c->csv = eas_cli_has(c, "--csv");
  c->quiet = eas_cli_has(c, "--quiet");
  c->verbose = eas_cli_has(c, "--verbose");
  c->color = !c->json && !c->csv && wants_color(c);
  c->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  c->progress = isatty(STDERR_FILENO) && !c->quiet && !eas_cli_has(c, "--no-progress");
  c->width = 0;
  if (c->tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) c->width = size.ws_col;
  const char *format = eas_conf_str(c->conf, "log_format");
  int f = isatty(STDERR_FILENO) ? EAS_LOG_HUMAN : EAS_LOG_LOGFMT;
  if (strcmp(format, "human") == 0) f = EAS_LOG_HUMAN;
  if (strcmp(format, "logfmt") == 0) f = EAS_LOG_LOGFMT;
  if (strcmp(format, "json") == 0) f = EAS_LOG_JSON;
  int level = eas_log_level(eas_conf_str(c->conf, "log_level"));
  if (c->verbose) level = EAS_DEBUG;
  if (c->quiet && level < EAS_WARN) level = EAS_WARN;
  eas_log_setup(f, level);
}

static void make_packs(eas_cli *c)
{
  const char *list = eas_conf_str(c->conf, "task_path");
  char *copy = eas_strdup(list ? list : ""), *save = NULL;
  c->packs = eas_alloc((strlen(copy) + 3) * sizeof *c->packs);
  int n = 0;
  c->packs[n++] = eas_strdup(eas_home_share());
  for (char *p = strtok_r(copy, ":", &save); p; p = strtok_r(NULL, ":", &save)) {
    char *full = realpath(p, NULL);
    c->packs[n++] = full ? full : eas_strdup(p);
  }
  free(copy);
}

static void close_all(eas_cli *c)
{
  eas_registry_close(c->registry);
  eas_store_close(c->store);
  eas_db_close(c->db);
  eas_conf_free(c->conf);
  for (int i = 0; c->packs && c->packs[i]; i++) free(c->packs[i]);
  free(c->packs);
  free(c->args);
}

int eas_cli_main(int argc, char **argv, const eas_runner *runner)
{
  setlocale(LC_CTYPE, "");
  signal(SIGPIPE, SIG_IGN);
  if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
    eas_help_overview(argc < 2 ? stderr : stdout);
    return argc < 2 ? EAS_EXIT_USAGE : EAS_EXIT_OK;
  }
  const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
  eas_err err = { 0 };
  if (strcmp(name, "--make-man") == 0 && argc == 3)
    return eas_help_man(argv[2], &err) < 0 ? EAS_EXIT_FAILED : EAS_EXIT_OK;
  eas_cli c = { .runner = runner, .command = find_command(name) };
  if (!c.command) return unknown_command(name);
  int rc = eas_cli_parse(&c, argc - 2, argv + 2, &err), status;
  if (rc >= 0 && eas_cli_has(&c, "--help")) {
    eas_help_command(c.command, stdout);
    free(c.args);
    return EAS_EXIT_OK;
  }
  c.json = eas_cli_has(&c, "--json");
  if (rc >= 0) rc = read_conf(&c, &c.conf, &err);
  if (rc < 0) {
    status = eas_cli_fail(&c, &err);
  } else {
    look(&c);
    make_packs(&c);
    status = c.command->run(&c);
  }
  close_all(&c);
  if (fflush(stdout) != 0 && status == 0) status = EAS_EXIT_FAILED;
  return status;
}

int eas_cli_fail(eas_cli *c, const eas_err *err)
{
  if (c->json) {
    json_t *v = json_pack("{s:{s:i,s:s,s:s}}", "error", "code", err->code, "message", err->text, "hint", err->hint);
    json_dumpf(v, stdout, JSON_COMPACT);
    fputc('\n', stdout);
    json_decref(v);
  }
  fprintf(stderr, "%s%s\n", strncmp(err->text, "eas", 3) == 0 ? "" : "eas: ", err->text);
  if (*err->hint) fprintf(stderr, "   %s\n", err->hint);
  return eas_err_exit(err->code);
}

int eas_cli_usage(eas_cli *c, const char *format, ...)
{
  va_list ap;
  eas_buf b;
  eas_err err = { 0 };
  eas_buf_init(&b);
  va_start(ap, format);
  eas_buf_vprintf(&b, format, ap);
  va_end(ap);
  eas_fail(&err, EAS_EINVAL, "eas %s: %s", c->command->name, b.data ? b.data : "");
  eas_hint(&err, "usage: eas %s %s", c->command->name, c->command->args);
  eas_buf_done(&b);
  return eas_cli_fail(c, &err);
}

/* max_running of the configuration: "TYPE=N TYPE=N". */
static int limit_types(eas_cli *c, eas_err *err)
{
  char *copy = eas_strdup(eas_conf_str(c->conf, "max_running")), *save = NULL;
  int rc = 0;
  for (char *p = strtok_r(copy, " ,", &save); p && rc >= 0; p = strtok_r(NULL, " ,", &save)) {
    char *eq = strchr(p, '='), *end = NULL;
    long n = eq ? strtol(eq + 1, &end, 10) : -1;
    if (!eq || end == eq + 1 || *end || n < 0 || n > 1000000) {
      eas_fail(err, EAS_EINVAL, "max_running: TYPE=N is wanted, found '%s'", p);
      rc = eas_hint(err, "as max_running: transit_search_tls=8");
      break;
    }
    *eq = 0;
    rc = eas_registry_set_max_running(c->registry, p, (int)n, err);
    if (rc < 0) eas_err_prefix(err, "max_running");
  }
  free(copy);
  return rc;
}

/* programs of the configuration: "NAME=PATH NAME=PATH". */
static int find_programs(eas_cli *c, eas_err *err)
{
  char *copy = eas_strdup(eas_conf_str(c->conf, "programs")), *save = NULL;
  int rc = 0;
  for (char *p = strtok_r(copy, " ,", &save); p && rc >= 0; p = strtok_r(NULL, " ,", &save)) {
    char *eq = strchr(p, '=');
    if (!eq || eq == p || eq[1] != '/') {
      eas_fail(err, EAS_EINVAL, "programs: NAME=/PATH is wanted, found '%s'", p);
      rc = eas_hint(err, "as programs: platosim=/opt/platosim/bin/platosim");
      break;
    }
    *eq = 0;
    rc = eas_registry_set_program(c->registry, p, eq + 1, err);
    if (rc < 0) eas_err_prefix(err, "programs");
  }
  free(copy);
  return rc;
}

static int may_change(const char *key)
{
  static const char *const keys[] = { "log_level", "log_format", "drain_grace", "max_running" };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (strcmp(keys[i], key) == 0) return 1;
  return 0;
}

int eas_cli_reload(eas_cli *c, eas_err *err)
{
  int n = 0;
  eas_conf *conf = NULL;
  const eas_conf_key *keys = eas_conf_keys(&n);
  int rc = read_conf(c, &conf, err);
  for (int i = 0; i < n && rc >= 0; i++) {
    const char *old = eas_conf_str(c->conf, keys[i].name), *now = eas_conf_str(conf, keys[i].name);
    if (strcmp(old, now) == 0) continue;
    char *shown = eas_conf_shown(conf, keys[i].name);
    if (may_change(keys[i].name)) {
      eas_log(EAS_INFO, "%s is now '%s'", keys[i].name, shown);
      rc = eas_conf_set(c->conf, keys[i].name, now, eas_conf_source(conf, keys[i].name), err);
    } else {
      eas_log(EAS_WARN, "%s has changed to '%s': that counts after a restart", keys[i].name, shown);
    }
    free(shown);
  }
  eas_conf_free(conf);
  if (rc >= 0) look(c);
  return rc < 0 || !c->registry ? rc : limit_types(c, err);
}

int eas_cli_open_registry(eas_cli *c, eas_err *err)
{
  if (c->registry) return 0;
  int rc = eas_registry_open(&c->registry, (const char *const *)c->packs, err);
  if (rc >= 0) rc = limit_types(c, err);
  return rc < 0 ? rc : find_programs(c, err);
}

int eas_cli_no_data(const eas_cli *c, eas_err *err)
{
  if (err->code != EAS_ENOSPC) err->code = EAS_ECONNECT;
  eas_err_prefix(err, "data folder '%s'", eas_conf_str(c->conf, "data"));
  return eas_hint(err, err->code == EAS_ENOSPC ? "free some space there, or choose another folder with --data"
                                               : "name a folder that may be written: --data DIR, or EAS_DATA");
}

int eas_cli_data_folder(const eas_cli *c, eas_err *err)
{
  int rc = eas_path_mkdirs(eas_conf_str(c->conf, "data"), 0755, err);
  return rc < 0 ? eas_cli_no_data(c, err) : 0;
}

int eas_cli_readable(char *const *files, int n, eas_err *err)
{
  for (int i = 0; i < n; i++)
    if (access(files[i], R_OK) != 0) return eas_open_failed(files[i], errno, err);
  return 0;
}

int eas_cli_open_db(eas_cli *c, int flags, eas_err *err)
{
  if (c->db) return 0;
  const char *url = eas_conf_str(c->conf, "database");
  int is_file = strncmp(url, "sqlite:", 7) == 0;
  if (is_file && (flags & EAS_DB_READ) && !eas_path_exists(url + 7)) {
    eas_open_failed(url + 7, ENOENT, err);
    char near[sizeof err->hint];
    snprintf(near, sizeof near, "%s", err->hint);
    eas_fail(err, EAS_ENOENT, "%s: there is no database here yet", url + 7);
    if (eas_cli_get(c, "--database") && strncmp(near, "use ", 4) == 0)
      eas_hint(err, "use sqlite:%s", near + 4);
    else
      eas_hint(err, "run a job (eas run JOB), or name its folder with --data DIR");
    err->code = EAS_EINVAL;
    return err->code;
  }
  int rc = is_file && !(flags & EAS_DB_READ) ? eas_cli_data_folder(c, err) : 0;
  if (rc >= 0) rc = eas_db_open(&c->db, url, flags, err);
  if (rc >= 0 && strcmp(eas_conf_str(c->conf, "queue"), "sql:") != 0) eas_born_watch(c->db);
  int found = 0, newest = 0;
  if (rc >= 0) rc = eas_db_schema(c->db, &found, &newest, err);
  if (rc < 0) return rc;
  if (found == newest) return 0;
  if (found < newest && strcmp(c->command->name, "init") == 0) return 0; /* that is what it is for */
  if (found == newest + 1 && !is_file) {                                 /* a rolling upgrade: docs/operations.md */
    eas_log(EAS_WARN, "the database has schema %d, this program knows %d: it works with the next one, and no later",
            found, newest);
    return 0;
  }
  if (found > newest || (flags & EAS_DB_READ) || !is_file) {
    eas_fail(err, EAS_EFORMAT, "%s: schema %d, this program knows %d", is_file ? url + 7 : "database", found, newest);
    return eas_hint(err, found > newest ? "use a newer eas"
                         : is_file      ? "start eas run on it once: it brings it up to date"
                                        : "eas init makes the schema, eas db migrate brings it up to date");
  }
  rc = found ? eas_cli_copy_before(c, found, err) : 0;
  return rc < 0 ? rc : eas_db_migrate(c->db, err);
}

int eas_cli_copy_before(eas_cli *c, int schema, eas_err *err)
{
  char *path = eas_format("%s.schema-%d", eas_conf_str(c->conf, "database") + 7, schema);
  unlink(path); /* of a migration that did not end */
  int rc = eas_db_copy(c->db, path, err);
  free(path);
  return rc;
}

int eas_cli_open_store(eas_cli *c, eas_err *err)
{
  const char *style = eas_conf_str(c->conf, "s3_path_style");
  eas_store_settings set = { .cache = eas_conf_str(c->conf, "store_cache"),
                             .cache_bytes = eas_conf_bytes(c->conf, "store_cache_limit"),
                             .endpoint = eas_conf_str(c->conf, "s3_endpoint"),
                             .region = eas_conf_str(c->conf, "s3_region"),
                             .credentials_file = eas_conf_str(c->conf, "s3_credentials_file"),
                             .path_style = strcmp(style, "auto") == 0 ? -1 : strcmp(style, "yes") == 0,
                             .part_bytes = eas_conf_bytes(c->conf, "s3_part"),
                             .stall_ms = eas_conf_duration_us(c->conf, "s3_stall") / 1000 };
  int rc = c->store ? 0 : eas_store_open_with(&c->store, eas_conf_str(c->conf, "store"), &set, err);
  if (rc == EAS_EIO) err->code = rc = EAS_ECONNECT; /* a store that cannot be had is no fault of the request */
  return rc;
}
