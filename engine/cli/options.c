/* options.c: from argv to an eas_cli, by the table of the command. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/inner.h"

enum { OPTIONS_MAX = 64 };

static const eas_option DATA[] = { { "--data", "DIR", "data",
                                     "folder of everything the engine keeps (default ./eas-data)" },
                                   { "--database", "URL", "database", "sqlite:PATH or postgresql://..." },
                                   { "--store", "DIR", "store", "folder of the products, or s3://BUCKET/PREFIX" },
                                   { "--queue", "URL", "queue", "sql: or amqp://..." },
                                   { 0 } };
static const eas_option JSON[] = { { "--json", NULL, NULL, "machine-readable output on stdout, and nothing else" },
                                   { 0 } };
static const eas_option CSV[] = { { "--csv", NULL, NULL, "comma-separated table on stdout" }, { 0 } };
static const eas_option JOB[] = { { "--job", "JOB", NULL, "this job: id or unambiguous name; default the newest" },
                                  { 0 } };
static const eas_option TYPE[] = { { "--type", "TYPE", NULL, "only tasks of this type" }, { 0 } };
static const eas_option STATE[] = {
  { "--state", "STATE", NULL, "waiting, queued, running, passed, reused, failed, skipped or cancelled" }, { 0 }
};
static const eas_option SINCE[] = { { "--since", "TIME", NULL, "only what is younger: 10m, 2h, 3d" }, { 0 } };
static const eas_option ROWS[] = { { "--where", "EXPR", NULL,
                                     "only rows for which the expression holds, as \"size >= 2\"" },
                                   { "--sort", "COLUMN", NULL, "order by a column; -COLUMN: downwards" },
                                   { "--limit", "N", NULL, "at most N rows; 0: all" },
                                   { 0 } };
static const eas_option WORK[] = { { "--slots", "N", "slots", "attempts at once (default: one per CPU)" },
                                   { "--task-path", "DIRS", "task_path", "packs beside the core, divided by ':'" },
                                   { "--input-path", "DIR", "input_path", "folder that `files:` loops may read" },
                                   { 0 } };
static const eas_option LOOK[] = { { "--config", "FILE", NULL, "configuration file, read after the installed one" },
                                   { "--color", "WHEN", "color", "auto, always or never" },
                                   { "--quiet", NULL, NULL, "no progress, only warnings and the result" },
                                   { "--verbose", NULL, NULL, "say more (log level debug)" },
                                   { "--no-progress", NULL, NULL, "no progress block" },
                                   { "--help", NULL, NULL, "show this" },
                                   { 0 } };
static const eas_option YES[] = { { "--yes", NULL, NULL, "do it; without it the command only lists what it would do" },
                                  { 0 } };

static int append(const eas_option *from, const eas_option **list, int n, int max)
{
  for (; from && from->name && n < max; from++) list[n++] = from;
  return n;
}

int eas_command_options(const eas_command *cmd, const eas_option **list, int max)
{
  static const struct {
    unsigned group;
    const eas_option *options;
  } groups[] = { { EAS_O_DATA, DATA },   { EAS_O_WORK, WORK },   { EAS_O_JOB, JOB },   { EAS_O_TYPE, TYPE },
                 { EAS_O_STATE, STATE }, { EAS_O_SINCE, SINCE }, { EAS_O_ROWS, ROWS }, { EAS_O_JSON, JSON },
                 { EAS_O_CSV, CSV },     { EAS_O_YES, YES } };
  int n = append(cmd->options, list, 0, max);
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    if (cmd->groups & groups[i].group) n = append(groups[i].options, list, n, max);
  return append(LOOK, list, n, max);
}

static const eas_option *find_option(const eas_option *const *list, int n, const char *name, size_t len)
{
  for (int i = 0; i < n; i++)
    if (strlen(list[i]->name) == len && strncmp(list[i]->name, name, len) == 0) return list[i];
  return NULL;
}

static int unknown_option(const eas_cli *c, const eas_option *const *list, int n, const char *name, eas_err *err)
{
  const char *names[OPTIONS_MAX];
  for (int i = 0; i < n; i++) names[i] = list[i]->name;
  const char *near = eas_nearest(name, names, (size_t)n);
  eas_fail(err, EAS_EINVAL, "eas %s: unknown option '%s'", c->command->name, name);
  if (near) return eas_hint(err, "use %s; all options: eas %s --help", near, c->command->name);
  return eas_hint(err, "all options: eas %s --help", c->command->name);
}

static int take_option(eas_cli *c, const eas_option *const *list, int n, int argc, char **argv, int *i, eas_err *err)
{
  const char *word = strcmp(argv[*i], "-o") == 0 ? "--output" : argv[*i], *eq = strchr(word, '=');
  size_t len = eq ? (size_t)(eq - word) : strlen(word);
  const eas_option *o = find_option(list, n, word, len);
  if (!o) return unknown_option(c, list, n, word, err);
  const char *value = NULL;
  if (o->value) {
    if (eq)
      value = eq + 1;
    else if (*i + 1 < argc)
      value = argv[++*i];
    else
      return eas_fail(err, EAS_EINVAL, "eas %s: option %s needs %s", c->command->name, o->name, o->value);
  } else if (eq) {
    return eas_fail(err, EAS_EINVAL, "eas %s: option %s takes no value", c->command->name, o->name);
  }
  if (c->n_given == (int)(sizeof c->given / sizeof *c->given))
    return eas_fail(err, EAS_EINVAL, "eas %s: too many options", c->command->name);
  c->given[c->n_given].option = o;
  c->given[c->n_given++].value = value;
  return 0;
}

int eas_cli_parse(eas_cli *c, int argc, char **argv, eas_err *err)
{
  const eas_option *list[OPTIONS_MAX];
  int n = eas_command_options(c->command, list, OPTIONS_MAX), only_args = 0;
  c->args = eas_alloc((size_t)(argc + 1) * sizeof *c->args);
  for (int i = 0; i < argc; i++) {
    if (!only_args && strcmp(argv[i], "--") == 0) {
      only_args = 1;
      continue;
    }
    if (!only_args && argv[i][0] == '-' && argv[i][1]) {
      int rc = take_option(c, list, n, argc, argv, &i, err);
      if (rc < 0) return rc;
      continue;
    }
    c->args[c->n_args++] = argv[i];
    if (c->command->max_args < 0 && strcmp(c->command->name, "lua") == 0) only_args = 1; /* the rest is the script's */
  }
  if (eas_cli_has(c, "--help")) return 0;
  if (c->n_args < c->command->min_args) {
    eas_fail(err, EAS_EINVAL, "eas %s: %s is missing", c->command->name, c->command->args);
    return eas_hint(err, "usage: eas %s %s", c->command->name, c->command->args);
  }
  if (c->command->max_args >= 0 && c->n_args > c->command->max_args) {
    eas_fail(err, EAS_EINVAL, "eas %s: one argument too many: '%s'", c->command->name, c->args[c->command->max_args]);
    return eas_hint(err, "usage: eas %s %s", c->command->name, c->command->args);
  }
  return 0;
}

int eas_cli_has(const eas_cli *c, const char *name)
{
  for (int i = 0; i < c->n_given; i++)
    if (strcmp(c->given[i].option->name, name) == 0) return 1;
  return 0;
}

const char *eas_cli_get(const eas_cli *c, const char *name)
{
  for (int i = c->n_given - 1; i >= 0; i--)
    if (strcmp(c->given[i].option->name, name) == 0) return c->given[i].value;
  return NULL;
}

const char *eas_cli_nth(const eas_cli *c, const char *name, int n)
{
  for (int i = 0; i < c->n_given; i++)
    if (strcmp(c->given[i].option->name, name) == 0 && n-- == 0) return c->given[i].value;
  return NULL;
}

int eas_cli_int(const eas_cli *c, const char *name, int64_t otherwise, int64_t *out, eas_err *err)
{
  const char *text = eas_cli_get(c, name);
  char *end = NULL;
  *out = otherwise;
  if (!text) return 0;
  errno = 0;
  int64_t v = strtoll(text, &end, 10);
  if (errno || end == text || *end)
    return eas_fail(err, EAS_EINVAL, "eas %s: %s takes a whole number, not '%s'", c->command->name, name, text);
  *out = v;
  return 0;
}
