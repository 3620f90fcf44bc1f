/* web_export.c: results as a file of another program's format, for a download. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/results.h"
#include "cli/results_file.h"
#include "cli/web.h"
#include "model/view.h"

enum { PAGE = 1000, MOST = 10000 };

static int gather(eas_cli *c, int64_t job, const char *type, json_t *all, eas_err *err)
{
  int64_t after = 0;
  int n = PAGE;
  while (n == PAGE && json_array_size(all) < MOST) {
    json_t *rows = NULL, *row;
    size_t i;
    n = eas_view_results(c->db, job, type, after, PAGE, &rows, err);
    if (n < 0) return n;
    json_array_foreach(rows, i, row)
    {
      json_array_append_new(all, eas_results_flat(row));
      after = strtoll(eas_json_str(row, "task") + 1, NULL, 10);
    }
    json_decref(rows);
  }
  return 0;
}

/* In a folder that nobody else can enter, gone again when the file is open. */
static int written(const json_t *all, int is_fits, const char *about, int *fd, eas_err *err)
{
  const char *tmp = getenv("TMPDIR");
  char *folder = eas_format("%s/eas-web-XXXXXX", tmp && *tmp ? tmp : "/tmp");
  if (!mkdtemp(folder)) {
    int rc = eas_fail(err, EAS_EIO, "'%s': %s", folder, strerror(errno));
    free(folder);
    return rc;
  }
  char *path = eas_format("%s/results.%s", folder, is_fits ? "fits" : "vot");
  int rc = is_fits ? eas_results_fits(all, about, path, err) : eas_results_votable(all, about, path, err);
  if (rc >= 0) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) rc = eas_fail(err, EAS_EIO, "'%s': %s", path, strerror(errno));
  }
  unlink(path);
  rmdir(folder);
  free(path);
  free(folder);
  return rc < 0 ? rc : 0;
}

int eas_web_export(eas_cli *c, const json_t *what, int *fd, eas_err *err)
{
  const char *job = eas_json_str(what, "job"), *type = eas_json_str(what, "type"),
             *format = eas_json_str(what, "format");
  json_t *all = json_array();
  int rc = gather(c, strtoll(job + 1, NULL, 10), type, all, err);
  if (rc >= 0 && json_array_size(all) == 0) rc = eas_fail(err, EAS_ENOENT, "%s has no results of this kind yet", job);
  if (rc >= 0) rc = written(all, strcmp(format, "fits") == 0, job, fd, err);
  json_decref(all);
  return rc;
}
