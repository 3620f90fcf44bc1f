/* cmd_fsck.c: eas fsck, gc: do database and store agree; bytes that nothing names any more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/meter.h"
#include "control/gc.h"
#include "model/fsck.h"

typedef struct {
  eas_cli *c;
  json_t *bad;
  int64_t versions, links, wanted_links, logs;
  int verify;
  eas_meter meter;
  eas_err fatal; /* the store cannot say */
} fsck;

static void complain(fsck *f, const char *check, const char *where, const char *found, const char *expected)
{
  json_array_append_new(
      f->bad, json_pack("{s:s,s:s,s:s,s:s}", "check", check, "where", where, "found", found, "expected", expected));
}

/* Are the bytes there, and those that were stored? -1: the store cannot be asked. */
static int has_bytes(fsck *f, const char *what, const char *where, const eas_digest *d)
{
  eas_err err = { 0 };
  char check[64];
  int rc = f->verify ? eas_store_verify(f->c->store, d, &err) : eas_store_has(f->c->store, d);
  if (rc == EAS_ECONNECT || rc == EAS_EINTR) {
    if (!*err.text) eas_store_probe(f->c->store, &err);
    f->fatal = err;
    return -1;
  }
  if (f->verify ? rc == EAS_ENOENT : rc == 0) {
    snprintf(check, sizeof check, "%s without bytes", what);
    complain(f, check, where, "no object in the store", "its bytes");
    return 0;
  }
  if (rc < 0) complain(f, "changed bytes", where, err.text, "the stored SHA-256");
  return 1;
}

static int on_log(void *arg, int64_t attempt, const eas_digest *d)
{
  fsck *f = arg;
  char where[40];
  snprintf(where, sizeof where, "a%" PRId64, attempt);
  eas_meter_at(&f->meter, f->logs++);
  return has_bytes(f, "log", where, d) < 0;
}

static int on_version(void *arg, int64_t version, const char *directory, const char *filename, const eas_digest *d,
                      int is_newest)
{
  fsck *f = arg;
  char where[600];
  eas_err err = { 0 };
  snprintf(where, sizeof where, "v%" PRId64 " %.250s/%.250s", version, directory, filename);
  eas_meter_at(&f->meter, f->versions++);
  int there = has_bytes(f, "product", where, d);
  if (there < 0) return 1;
  if (!there || !is_newest || eas_store_is_remote(f->c->store)) return 0;
  f->wanted_links++;
  if (eas_store_link(f->c->store, directory, filename, d, &err) < 0)
    complain(f, "link", where, err.text, "a link to the newest passed version");
  else
    f->links++;
  return 0;
}

/* One statement each, and on a large database each takes its time: which one it is, is said before it. */
static void on_check(void *arg, int i, int n, const char *name)
{
  fsck *f = arg;
  char what[80];
  snprintf(what, sizeof what, "checks of the database: %s", name);
  f->meter.what = what;
  eas_meter_now(&f->meter, i, n);
  f->meter.what = "";
}

static int check_all(fsck *f, eas_err *err)
{
  eas_cli *c = f->c;
  f->meter = eas_meter_new(c, "", 0);
  int rc = eas_fsck_db(c->db, on_check, f, &f->bad, err);
  eas_meter_end(&f->meter);
  f->meter = eas_meter_new(c, f->verify ? "versions read again" : "versions looked at", 0);
  if (rc >= 0) rc = eas_fsck_versions(c->db, on_version, f, err);
  eas_meter_end(&f->meter);
  f->meter = eas_meter_new(c, "long logs looked at", 0);
  if (rc >= 0 && !*f->fatal.text) rc = eas_fsck_logs(c->db, on_log, f, err);
  eas_meter_end(&f->meter);
  return rc;
}

static int cmd_fsck(eas_cli *c)
{
  fsck f = { .c = c, .verify = eas_cli_has(c, "--verify") };
  eas_err err = { 0 };
  int rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0) rc = eas_cli_open_store(c, &err);
  if (rc >= 0) rc = check_all(&f, &err);
  if (rc >= 0 && *f.fatal.text) {
    err = f.fatal;
    rc = EAS_ECONNECT;
  }
  if (rc < 0) {
    json_decref(f.bad);
    return eas_cli_fail(c, &err);
  }
  size_t n = json_array_size(f.bad), i;
  json_t *v;
  if (c->json) {
    eas_print_json(json_pack("{s:b,s:I,s:I,s:I,s:O}", "ok", n == 0, "versions", (json_int_t)f.versions, "links",
                             (json_int_t)f.links, "logs", (json_int_t)f.logs, "problems", f.bad));
  } else {
    json_array_foreach(f.bad, i, v)
    {
      char *found = json_dumps(json_object_get(v, "found"), JSON_ENCODE_ANY),
           *expected = json_dumps(json_object_get(v, "expected"), JSON_ENCODE_ANY);
      printf("%s: %s: found %s, expected %s\n", eas_json_str(v, "where"), eas_json_str(v, "check"), found, expected);
      free(found);
      free(expected);
    }
    printf("%" PRId64 " versions%s, %" PRId64 " links, %" PRId64 " long logs, %zu problem%s\n", f.versions,
           f.verify ? " read again" : "", f.links, f.logs, n, n == 1 ? "" : "s");
  }
  json_decref(f.bad);
  return n ? EAS_EXIT_FAILED : EAS_EXIT_OK;
}

static const eas_option FSCK[] = { { "--verify", NULL, NULL, "read every object again and compare its SHA-256" },
                                   { 0 } };

const eas_command eas_cmd_fsck = { .name = "fsck",
                                   .args = "",
                                   .summary = "checks that database and store agree; rebuilds the links",
                                   .detail = "Exit 1 when something is wrong.",
                                   .examples = "",
                                   .groups = EAS_O_DATA | EAS_O_JSON,
                                   .options = FSCK,
                                   .max_args = 0,
                                   .run = cmd_fsck };

static int cmd_gc(eas_cli *c)
{
  eas_err err = { 0 };
  const int64_t hour = 3600 * INT64_C(1000000);
  int64_t grace = 24 * hour;
  const char *given = eas_cli_get(c, "--grace");
  int rc = given && strcmp(given, "0") == 0 ? (grace = 0, 0) : given ? eas_since_parse(given, &grace, &err) : 0;
  eas_gc_options o = { .remove = eas_cli_has(c, "--yes") };
  eas_gc_found f = { 0 };
  eas_meter m = eas_meter_new(c, "objects looked at", 0);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0) rc = eas_cli_open_store(c, &err);
  if (rc >= 0) o.untouched_since_us = eas_store_now_us(c->store) - grace;
  do {
    if (rc >= 0) rc = eas_gc_some(c->db, c->store, &o, &f, &err);
    eas_meter_at(&m, f.looked);
  } while (rc >= 0 && f.more);
  eas_meter_end(&m);
  if (rc >= 0 && o.remove) rc = eas_store_sweep_tmp(c->store, grace < hour ? grace : hour, &err);
  if (rc < 0) return eas_cli_fail(c, &err);
  char size[32];
  eas_size_text(f.bytes, size);
  if (c->json)
    return eas_print_json(json_pack("{s:I,s:I,s:I}", "objects", (json_int_t)f.unnamed, "bytes", (json_int_t)f.bytes,
                                    "removed", (json_int_t)f.removed));
  if (o.remove)
    printf("%" PRId64 " objects removed, %s\n", f.removed, size);
  else
    printf("%" PRId64 " objects that no version or log names, %s%s\n", f.unnamed, size,
           f.unnamed ? "; --yes removes them" : "");
  return EAS_EXIT_OK;
}

static const eas_option GC[] = {
  { "--grace", "TIME", NULL, "leave what was touched within this time (default 24h; 0: none)" }, { 0 }
};

const eas_command eas_cmd_gc = { .name = "gc",
                                 .args = "",
                                 .summary =
                                     "finds stored bytes that no product version or log names; --yes removes them",
                                 .detail = "control does it too, by the keys gc_every and gc_grace.",
                                 .examples = "  eas gc --grace 2h --yes",
                                 .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_YES,
                                 .options = GC,
                                 .max_args = 0,
                                 .run = cmd_gc };
