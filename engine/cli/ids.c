/* ids.c: see ids.h. */
#include "cli/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int eas_cli_job(eas_cli *c, const char *name, int64_t *job, eas_err *err)
{
  int rc = eas_cli_open_db(c, EAS_DB_READ, err);
  if (rc >= 0) rc = eas_job_find(c->db, name, job, err);
  if (rc == EAS_ENOENT) err->code = rc = EAS_EINVAL; /* a wrong request: nothing was changed */
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
