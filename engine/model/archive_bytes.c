/* archive_bytes.c: products and logs in the file of an archive. */
#include "model/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/path.h"

enum { PART = 4 << 20, GROUP = 64 };

typedef struct {
  eas_db *file;
  eas_archive_open_fn *open;
  void *arg;
  eas_archived *did;
  char *buf; /* [PART] */
  eas_err *err;
} filling;

static int put_object(filling *f, int fd, const eas_digest *d)
{
  eas_hasher *h = eas_hasher_new();
  eas_digest is;
  int64_t size = 0;
  int rc = 0;
  for (int part = 0; rc >= 0; part++) {
    ssize_t n = read(fd, f->buf, PART);
    if (n < 0) rc = eas_fail(f->err, eas_io_code(errno), "read an object: %s", strerror(errno));
    if (n <= 0) break;
    eas_hasher_add(h, f->buf, (size_t)n);
    size += n;
    rc = eas_db_exec(f->file, "INSERT INTO archive_bytes (digest, part, bytes) VALUES ($1, $2, $3)",
                     EAS_ARGS(eas_v_blob(d->b, sizeof d->b), eas_v_int(part), eas_v_blob(f->buf, (size_t)n)), f->err);
  }
  eas_hasher_end(h, &is);
  if (rc >= 0)
    rc = eas_db_exec(f->file, "INSERT INTO archive_object (digest, size) VALUES ($1, $2)",
                     EAS_ARGS(eas_v_blob(d->b, sizeof d->b), eas_v_int(size)), f->err);
  char hex[65];
  eas_digest_hex(d, hex);
  if (rc >= 0 && !eas_digest_equal(&is, d)) {
    rc = eas_fail(f->err, EAS_EFORMAT, "object %s of the store is damaged: nothing was archived", hex);
    eas_hint(f->err, "eas fsck --verify says what else is");
  }
  f->did->objects++;
  f->did->object_bytes += size;
  return rc < 0 ? rc : 0;
}

static int on_object(void *arg, const eas_digest *d)
{
  filling *f = arg;
  int fd = -1, rc = f->open(f->arg, d, &fd, f->err);
  if (rc < 0) return rc;
  rc = put_object(f, fd, d);
  close(fd);
  if (rc == 0 && f->did->objects % GROUP == 0) { /* a transaction does not grow with the job */
    rc = eas_db_commit(f->file, f->err);
    if (rc >= 0) rc = eas_db_begin(f->file, f->err);
  }
  return rc < 0 ? rc : 0;
}

int eas_archive_fill(eas_db *file, eas_archive_open_fn *open_, void *arg, eas_archived *did, eas_err *err)
{
  filling f = { .file = file, .open = open_, .arg = arg, .did = did, .buf = eas_alloc(PART), .err = err };
  int rc = eas_db_begin(file, err);
  if (rc >= 0)
    rc = eas_db_exec(file, "CREATE TABLE archive_object (digest BLOB PRIMARY KEY, size INTEGER NOT NULL)", EAS_NOARGS,
                     err);
  if (rc >= 0)
    rc = eas_db_exec(file,
                     "CREATE TABLE archive_bytes (digest BLOB NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,"
                     " PRIMARY KEY (digest, part))",
                     EAS_NOARGS, err);
  if (rc >= 0) rc = eas_archive_objects(file, on_object, &f, err);
  if (rc >= 0) rc = eas_db_commit(file, err);
  eas_db_rollback(file);
  free(f.buf);
  return rc < 0 ? rc : 0;
}

/* The parts of an object, hashed, and written to fd unless it is -1. */
static int take_out(eas_db *file, const eas_digest *d, int fd, eas_err *err)
{
  eas_hasher *h = eas_hasher_new();
  eas_digest is;
  int n = 1, bad = 0;
  for (int part = 0; n > 0 && bad == 0; part++) {
    eas_rows *r = NULL;
    size_t size = 0;
    n = eas_db_query(file, "SELECT bytes FROM archive_bytes WHERE digest = $1 AND part = $2",
                     EAS_ARGS(eas_v_blob(d->b, sizeof d->b), eas_v_int(part)), &r, err);
    const void *bytes = n > 0 ? eas_rows_blob(r, 0, 0, &size) : NULL;
    if (size > 0) eas_hasher_add(h, bytes, size);
    if (size > 0 && fd >= 0) bad = eas_write_all(fd, bytes, size);
    eas_rows_free(r);
  }
  eas_hasher_end(h, &is);
  if (n < 0) return n;
  if (bad < 0) return eas_fail(err, eas_io_code(-bad), "write: %s", strerror(-bad));
  char hex[65];
  eas_digest_hex(d, hex);
  return eas_digest_equal(&is, d) ? 0 : eas_fail(err, EAS_EFORMAT, "archive: object %s is damaged or not there", hex);
}

typedef struct {
  eas_db *file;
  int64_t n;
  eas_err *err;
} checking;

static int on_check(void *arg, const eas_digest *d)
{
  checking *k = arg;
  k->n++;
  return take_out(k->file, d, -1, k->err);
}

int eas_archive_check(eas_db *file, const eas_archived *did, eas_err *err)
{
  checking k = { file, 0, err };
  eas_rows *r = NULL;
  int rc = eas_db_query(file, "PRAGMA journal_mode = DELETE", EAS_NOARGS, &r, err);
  eas_rows_free(r);
  r = NULL;
  if (rc >= 0) rc = eas_db_query(file, "PRAGMA integrity_check", EAS_NOARGS, &r, err);
  if (rc > 0 && strcmp(eas_rows_text(r, 0, 0), "ok") != 0)
    rc = eas_fail(err, EAS_EFORMAT, "archive: %s", eas_rows_text(r, 0, 0));
  eas_rows_free(r);
  if (rc >= 0) rc = eas_archive_objects(file, on_check, &k, err);
  if (rc == 0 && k.n != did->objects) rc = eas_fail(err, EAS_EFORMAT, "archive: objects are missing");
  return rc < 0 ? rc : 0;
}

static int save(eas_db *file, const char *folder, const char *directory, const char *filename, const eas_digest *d,
                eas_err *err)
{
  int rc = *directory ? eas_path_check_relative(directory, err) : 0; /* the file may come from anywhere */
  if (rc >= 0) rc = eas_path_check_relative(filename, err);
  if (rc < 0) return EAS_EFORMAT;
  char *dir = *directory ? eas_path_join(folder, directory) : eas_strdup(folder), *path = eas_path_join(dir, filename);
  rc = eas_path_mkdirs(dir, 0755, err);
  int fd = rc < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (rc >= 0 && fd < 0) rc = eas_fail(err, eas_io_code(errno), "write '%s': %s", path, strerror(errno));
  if (rc >= 0) rc = take_out(file, d, fd, err);
  if (fd >= 0 && close(fd) != 0 && rc >= 0)
    rc = eas_fail(err, eas_io_code(errno), "write '%s': %s", path, strerror(errno));
  free(path);
  free(dir);
  return rc;
}

int eas_archive_extract(eas_db *file, const char *folder, int64_t *n, eas_err *err)
{
  int rc = 0, got = 1;
  for (int64_t last = 0; got > 0 && rc >= 0;) {
    eas_rows *r = NULL;
    got = eas_db_query(
        file,
        "SELECT p.id, w.text, p.filename, v.digest FROM product p JOIN word w ON w.id = p.directory JOIN version v"
        " ON v.id = p.passed JOIN archive_object o ON o.digest = v.digest WHERE p.id > $1 ORDER BY p.id LIMIT 500",
        EAS_ARGS(eas_v_int(last)), &r, err);
    rc = got;
    for (int i = 0; i < got && rc >= 0; i++) {
      eas_digest d;
      size_t size = 0;
      const void *bytes = eas_rows_blob(r, i, 3, &size);
      last = eas_rows_int(r, i, 0);
      if (size != sizeof d.b) continue;
      memcpy(d.b, bytes, size);
      rc = save(file, folder, eas_rows_text(r, i, 1), eas_rows_text(r, i, 2), &d, err);
      *n += rc >= 0;
    }
    eas_rows_free(r);
  }
  return rc < 0 ? rc : 0;
}
