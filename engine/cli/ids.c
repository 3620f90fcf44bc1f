/* ids.c: see ids.h. */
#include "cli/ids.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/job.h"

int eas_id_parse(const char *text, char *letter, int64_t *id, eas_err *err)
{
  const char *digits = text;
  *letter = 't';
  if (*text && strchr("jtapv", *text)) {
    *letter = *text;
    digits++;
  }
  char *end = NULL;
  errno = 0;
  *id = strtoll(digits, &end, 10);
  if (errno || end == digits || *end || *id <= 0)
    return eas_fail(err, EAS_EINVAL, "'%s' is no id: expected j, t, a, p or v and a number, as t418", text);
  return 0;
}

/* A job that is not here any more may lie in the archive: j3-survey.eas, by its id or its name. */
static void archived(const eas_cli *c, const char *name, eas_err *err)
{
  char letter, *folder = eas_format("%s/archive", eas_conf_str(c->conf, "data"));
  int64_t id, in_file;
  int by_id = name && eas_id_parse(name, &letter, &id, NULL) == 0;
  DIR *d = name ? opendir(folder) : NULL;
  for (struct dirent *e; d && (e = readdir(d));) {
    char *dash = NULL;
    size_t n = strlen(e->d_name);
    if (e->d_name[0] != 'j' || n < 8 || strcmp(e->d_name + n - 4, ".eas") != 0) continue;
    in_file = strtoll(e->d_name + 1, &dash, 10);
    if (*dash != '-') continue;
    int is = by_id ? in_file == id
                   : strlen(name) == n - 5 - (size_t)(dash - e->d_name) && strncmp(dash + 1, name, strlen(name)) == 0;
    if (is) eas_hint(err, "it was archived: --database sqlite:%s/%s", folder, e->d_name);
  }
  if (d) closedir(d);
  free(folder);
}

int eas_cli_job(eas_cli *c, const char *name, int64_t *job, eas_err *err)
{
  int rc = eas_cli_open_db(c, EAS_DB_READ, err);
  return rc < 0 ? rc : eas_cli_find_job(c, name, job, err);
}

int eas_cli_find_job(eas_cli *c, const char *name, int64_t *job, eas_err *err)
{
  int rc = eas_job_find(c->db, name, job, err);
  if (rc == EAS_ENOENT) {
    archived(c, name, err);
    err->code = rc = EAS_EINVAL; /* a wrong request: nothing was changed */
  }
  return rc;
}

int eas_since_parse(const char *text, int64_t *us, eas_err *err)
{
  static const struct {
    char unit;
    int64_t s;
  } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
  char *end = NULL;
  double v = strtod(text, &end);
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (end != text && *end == units[i].unit && !end[1] && v >= 0) {
      *us = (int64_t)(v * (double)units[i].s * 1e6);
      return 0;
    }
  return eas_fail(err, EAS_EINVAL, "--since takes a number and s, m, h or d, as 10m; not '%s'", text);
}

int eas_print_json(json_t *v)
{
  json_dumpf(v, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
  fputc('\n', stdout);
  json_decref(v);
  return EAS_EXIT_OK;
}
