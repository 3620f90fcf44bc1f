/* web_export.c: results as a file of another program's format, for a download. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/path.h"
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

static int written(const json_t *all, eas_table_form form, const char *about, int *fd, eas_err *err)
{
  eas_buf table;
  eas_buf_init(&table);
  int rc = eas_results_table(all, about, form, &table, err);
  if (rc >= 0) {
    int wrong = (*fd = memfd_create("results", MFD_CLOEXEC)) < 0 ? -errno : eas_write_all(*fd, table.data, table.len);
    if (wrong < 0) rc = eas_fail(err, EAS_EIO, "results: %s", strerror(-wrong));
    if (wrong < 0 && *fd >= 0) close(*fd);
    if (wrong >= 0) lseek(*fd, 0, SEEK_SET);
  }
  eas_buf_done(&table);
  return rc < 0 ? rc : 0;
}

int eas_web_export(eas_cli *c, const json_t *what, int *fd, eas_err *err)
{
  const char *job = eas_json_str(what, "job"), *type = eas_json_str(what, "type"),
             *format = eas_json_str(what, "format");
  json_t *all = json_array();
  int rc = gather(c, strtoll(job + 1, NULL, 10), type, all, err);
  if (rc >= 0 && json_array_size(all) == 0) rc = eas_fail(err, EAS_ENOENT, "%s has no results of this kind yet", job);
  if (rc >= 0) rc = written(all, strcmp(format, "fits") == 0 ? EAS_TABLE_FITS : EAS_TABLE_VOTABLE, job, fd, err);
  json_decref(all);
  return rc;
}
