/* cmd_archive.c: eas archive: a job as one file that lasts: its rows, and the bytes of its products and logs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/meter.h"
#include "model/archive.h"
#include "model/purge.h"

/* DATA/archive/j3-survey.eas; what is odd in a name becomes '_'. */
static char *default_path(const eas_cli *c, const eas_purge *p)
{
  char name[128];
  snprintf(name, sizeof name, "%s", p->name);
  for (char *s = name; *s; s++)
    if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", *s)) *s = '_';
  const char *data = eas_conf_str(c->conf, "data");
  if (strncmp(data, "./", 2) == 0 && data[2]) data += 2;
  return eas_format("%s/archive/j%" PRId64 "-%s.eas", data, p->job, name);
}

static int settle(const char *part, const char *path, eas_err *err)
{
  int fd = open(part, O_RDONLY | O_CLOEXEC);
  int bad = fd < 0 || fsync(fd) < 0 || chmod(part, 0444) < 0 || rename(part, path) < 0;
  if (bad) eas_fail(err, eas_io_code(errno), "write '%s': %s", path, strerror(errno));
  if (fd >= 0) close(fd);
  return bad ? err->code : 0;
}

typedef struct {
  eas_cli *c;
  eas_meter rows, files;
  int64_t n_files;
} writing;

static void on_rows(void *arg, int64_t n)
{
  eas_meter_at(&((writing *)arg)->rows, n);
}

static int open_object(void *arg, const eas_digest *d, int *fd, eas_err *err)
{
  writing *w = arg;
  eas_meter_at(&w->files, ++w->n_files);
  return eas_store_open_object(w->c->store, d, fd, err);
}

/* All of it is in the file, and was read back, before it has its name. */
static int write_file(eas_cli *c, const eas_purge *p, const char *path, eas_archived *did, eas_err *err)
{
  eas_db *file = NULL;
  char *part = eas_format("%s.part", path), *url = eas_format("sqlite:%s", part), *folder = eas_strdup(path);
  folder[eas_path_base(path) - path] = 0;
  eas_db_unlink(part);
  int rc = access(path, F_OK) == 0 ? eas_fail(err, EAS_EEXIST, "%s: is there already", path) : 0;
  if (rc < 0) eas_hint(err, "name another with --into; nothing is overwritten");
  if (rc >= 0 && *folder) rc = eas_path_mkdirs(folder, 0755, err);
  if (rc >= 0) rc = eas_db_open(&file, url, EAS_DB_CREATE, err);
  if (rc >= 0) rc = eas_db_migrate(file, err);
  writing w = { .c = c, .rows = eas_meter_new(c, "rows written", 0) };
  if (rc >= 0) rc = eas_archive_rows(c->db, p->job, file, on_rows, &w, &did->rows, err);
  eas_meter_end(&w.rows);
  w.files = eas_meter_new(c, "files and logs written", 0);
  if (rc >= 0) rc = eas_archive_fill(file, open_object, &w, did, err);
  eas_meter_end(&w.files);
  if (rc >= 0) rc = eas_archive_check(file, did, err);
  eas_db_close(file);
  if (rc >= 0) rc = settle(part, path, err);
  struct stat st;
  if (rc >= 0 && stat(path, &st) == 0) did->file_bytes = st.st_size;
  if (rc < 0) eas_db_unlink(part);
  free(folder);
  free(url);
  free(part);
  return rc;
}

static void tell(eas_cli *c, const eas_purge *p, const char *path, const eas_archived *did, int removed)
{
  char size[32], id[32];
  eas_size_text(did->file_bytes, size);
  snprintf(id, sizeof id, "j%" PRId64, p->job);
  if (c->json) {
    eas_print_json(json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:b}", "job", id, "name", p->name, "file", path, "rows",
                             (json_int_t)did->rows, "objects", (json_int_t)did->objects, "bytes",
                             (json_int_t)did->file_bytes, "tasks", (json_int_t)p->tasks, "removed", removed));
    return;
  }
  printf("%s %s: %" PRId64 " rows and %" PRId64 " files (%s) in %s, read back\n", id, p->name, did->rows, did->objects,
         size, path);
  if (removed)
    printf("   its %" PRId64 " tasks are out of the database; eas gc frees the bytes\n", p->tasks);
  else
    printf("   nothing was removed: eas archive %s --remove does that after writing, eas purge %s --yes now\n", id, id);
  printf("   look   eas status --database sqlite:%s\n   files  eas archive %s --into FOLDER\n", path, path);
}

static int archive_job(eas_cli *c, eas_err *err)
{
  eas_purge p;
  eas_archived did = { 0 };
  int remove = eas_cli_has(c, "--remove"), rc = eas_purge_open(c, &p, remove, err);
  if (rc >= 0) rc = eas_cli_open_store(c, err);
  if (rc < 0) return rc;
  const char *given = eas_cli_get(c, "--into");
  char *path = given ? eas_strdup(given) : default_path(c, &p);
  rc = write_file(c, &p, path, &did, err);
  if (rc >= 0 && remove) rc = eas_purge_job(c, &p, err);
  if (rc >= 0) tell(c, &p, path, &did, remove);
  free(path);
  return rc;
}

static int extract(eas_cli *c, eas_err *err)
{
  const char *folder = eas_cli_get(c, "--into");
  eas_db *file = NULL;
  int64_t n = 0;
  if (!folder) {
    eas_fail(err, EAS_EINVAL, "%s is an archive", c->args[0]);
    return eas_hint(err, "its files: --into FOLDER; its rows: eas status --database sqlite:%s", c->args[0]);
  }
  char *url = eas_format("sqlite:%s", c->args[0]);
  int rc = eas_db_open(&file, url, EAS_DB_READ, err);
  if (rc >= 0) rc = eas_archive_extract(file, folder, &n, err);
  if (rc >= 0 && c->json)
    eas_print_json(json_pack("{s:s,s:I}", "folder", folder, "files", (json_int_t)n));
  else if (rc >= 0)
    printf("%" PRId64 " files in %s\n", n, folder);
  eas_db_close(file);
  free(url);
  return rc;
}

static int cmd_archive(eas_cli *c)
{
  eas_err err = { 0 };
  struct stat st;
  int is_file = stat(c->args[0], &st) == 0 && S_ISREG(st.st_mode);
  size_t n = strlen(c->args[0]);
  int like_file = strchr(c->args[0], '/') || (n > 4 && strcmp(c->args[0] + n - 4, ".eas") == 0);
  int rc = is_file ? extract(c, &err) : like_file ? eas_open_failed(c->args[0], ENOENT, &err) : archive_job(c, &err);
  if (rc == EAS_EBUSY) err.code = EAS_EINVAL; /* the request is at fault, no service */
  return rc < 0 ? eas_cli_fail(c, &err) : EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = {
  { "--into", "PATH", NULL,
    "the file to write (default DATA/archive/JOB-NAME.eas); of an archive: the folder for its files" },
  { "--remove", NULL, NULL, "then take the job out of the database, some tasks at a time" },
  { 0 }
};

const eas_command eas_cmd_archive = {
  .name = "archive",
  .args = "JOB|FILE",
  .summary = "a job that is done or cancelled as one file: rows, products, logs",
  .detail =
      "The file is an SQLite database like the engine's own, with the bytes of products and logs in it; every query "
      "takes it "
      "by --database sqlite:FILE. It is written whole, read back and compared before it has its name, and nothing is "
      "removed before that.\n"
      "FILE: copies what passed out of an archive, as WORKING-DIRECTORY/FILENAME, each compared with its SHA-256.",
  .examples = "  eas archive j3\n  eas archive j3 --remove && eas gc --yes\n  eas results --database "
              "sqlite:eas-data/archive/j3-survey.eas\n"
              "  eas archive eas-data/archive/j3-survey.eas --into survey",
  .groups = EAS_O_DATA | EAS_O_JSON,
  .options = OPTIONS,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_archive
};
