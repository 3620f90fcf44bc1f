/* cli.h: sub-commands: one table says name, arguments, options and help; parsing, --help and man pages come from it. */
#ifndef EAS_CLI_CLI_H
#define EAS_CLI_CLI_H
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include "base/conf.h"
#include "base/err.h"
#include "db/db.h"
#include "registry/registry.h"
#include "store/store.h"
#include "worker/runner.h"

enum { EAS_EXIT_OK = 0, EAS_EXIT_FAILED = 1, EAS_EXIT_USAGE = 2, EAS_EXIT_SERVICE = 3, EAS_EXIT_INTERRUPTED = 130 };

typedef struct {
  const char *name;  /* "--data" */
  const char *value; /* "DIR"; NULL: a switch */
  const char *conf;  /* configuration key that it sets, or NULL */
  const char *help;  /* one line */
} eas_option;

/* Groups of options that several commands share. */
enum {
  EAS_O_DATA = 1,  /* --data --database --store --config */
  EAS_O_JSON = 2,  /* --json */
  EAS_O_CSV = 4,   /* --csv */
  EAS_O_JOB = 8,   /* --job */
  EAS_O_WORK = 16, /* --slots --task-path --input-path */
  EAS_O_LOOK = 32, /* --color --quiet --verbose --no-progress; every command has these */
  EAS_O_YES = 64,  /* --yes */
  EAS_O_TYPE = 128,
  EAS_O_STATE = 256,
  EAS_O_SINCE = 512,
  EAS_O_ROWS = 1024 /* --where --sort --limit */
};

typedef struct eas_cli eas_cli;

typedef struct {
  const char *name;          /* "run", "registry" */
  const char *args;          /* "JOB", "" */
  const char *summary;       /* one line, lower case, no full stop */
  const char *detail;        /* paragraphs, may be "" */
  const char *examples;      /* lines, may be "" */
  unsigned groups;           /* EAS_O_... */
  const eas_option *options; /* own, ends with a NULL name; may be NULL */
  int min_args, max_args;    /* positional; max -1: any */
  int (*run)(eas_cli *c);    /* exit status */
} eas_command;

extern const eas_command *const eas_commands[]; /* ends with NULL; order of the overview */

struct eas_cli {
  const eas_runner *runner;
  const eas_command *command;
  eas_conf *conf;
  int n_args;
  char **args; /* positional */
  struct {
    const eas_option *option;
    const char *value;
  } given[64];
  int n_given;
  int json, csv, color, utf8, width, quiet, verbose, tty, progress;
  eas_db *db;
  eas_registry *registry;
  eas_store *store;
  char **packs; /* NULL-terminated, core first */
};

/* Reads the configuration again and takes over what may change while a role runs (docs/operations.md); says what else
 * changed, which counts after a restart. An error leaves everything as it was. */
int eas_cli_reload(eas_cli *c, eas_err *err);

/* The program: reads the command line, runs the command with the runner of its scripts. Returns the exit status. */
int eas_cli_main(int argc, char **argv, const eas_runner *runner);

/* Options. */
int eas_cli_has(const eas_cli *c, const char *name);
const char *eas_cli_get(const eas_cli *c, const char *name);        /* the last one given; NULL */
const char *eas_cli_nth(const eas_cli *c, const char *name, int n); /* repeated ones; NULL past the end */
int eas_cli_int(const eas_cli *c, const char *name, int64_t otherwise, int64_t *out, eas_err *err);

/* Opening what a command needs; each prints nothing and fills err. */
int eas_cli_open_registry(eas_cli *c, eas_err *err);
int eas_cli_readable(char *const *files, int n, eas_err *err); /* says which of them cannot be opened */
int eas_cli_open_db(
    eas_cli *c, int flags,
    eas_err *err); /* EAS_DB_READ: fails with a hint if there is no database yet; else migrates SQLite */
int eas_cli_copy_before(eas_cli *c, int schema, eas_err *err); /* of SQLite, as PATH.schema-N, before it is migrated */
int eas_cli_open_store(eas_cli *c, eas_err *err);

json_t *eas_registry_json(const eas_registry *r); /* a list of all task types: what eas registry list --json prints */

/* Makes the data folder. Where it cannot be had nothing of the request is wrong: EAS_ECONNECT or EAS_ENOSPC, with a hint. */
int eas_cli_data_folder(const eas_cli *c, eas_err *err);
int eas_cli_no_data(const eas_cli *c, eas_err *err); /* makes such an error of the one in err */

/* Prints "eas: WHERE: WHAT" and the hint to stderr (JSON: {"error":{code,message,hint}} on stdout); returns the exit status. */
int eas_cli_fail(eas_cli *c, const eas_err *err);
int eas_cli_usage(eas_cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* help.c */
void eas_help_overview(FILE *out);
void eas_help_command(const eas_command *cmd, FILE *out);
int eas_help_man(const char *folder, eas_err *err);                                /* eas.1, eas-NAME.1 */
int eas_command_options(const eas_command *cmd, const eas_option **list, int max); /* own and shared ones */

/* term.c: "\033[..m" or "" by c->color. */
enum { EAS_PLAIN, EAS_RED, EAS_GREEN, EAS_YELLOW, EAS_CYAN, EAS_MAGENTA, EAS_DIM, EAS_BOLD };
const char *eas_ink(const eas_cli *c, int ink);
const char *eas_ink_off(const eas_cli *c);
/* Symbol and ink of a task state: waiting queued running passed reused failed skipped cancelled paused (UX.md section 4). */
const char *eas_state_symbol(const eas_cli *c, const char *state);
int eas_state_ink(const char *state);
void eas_duration_text(int64_t us, char out[32]); /* 41 ms, 2.1 s, 1:12:40 */
void eas_size_text(int64_t bytes, char out[32]);
void eas_count_text(const eas_cli *c, int64_t n, char out[32]);       /* grouped from 10 000 on a terminal */
int eas_text_columns(const char *utf8);                               /* columns a text takes */
void eas_text_fit(const char *utf8, int max, char *out, size_t size); /* in max columns: without its middle */

#endif
