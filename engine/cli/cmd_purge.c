/* cmd_purge.c: eas purge: forgets jobs; their bytes are left to gc. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "model/job.h"
#include "model/purge.h"
#include "model/view.h"

enum { SLICE = 2000 };

/* People's links to what is gone lead to an older job's file of that name, if there is one. */
static int mend_links(eas_cli *c, const json_t *files, eas_err *err)
{
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)files, i, v)
  {
    eas_digest d;
    const char *directory = eas_json_str(v, "directory"), *name = eas_json_str(v, "filename");
    int rc = eas_product_newest(c->db, directory, name, &d, err);
    if (rc > 0)
      eas_store_link(c->store, directory, name, &d, NULL); /* fsck mends what cannot be linked now */
    else if (rc == 0)
      eas_store_unlink(c->store, directory, name, NULL);
    if (rc < 0) return rc;
  }
  return 0;
}

int eas_purge_job(eas_cli *c, int64_t job, eas_err *err)
{
  eas_view_filter f = { .job = job };
  json_t *files = NULL;
  int n, rc = eas_view_files(c->db, &f, &files, err);
  if (rc >= 0) rc = eas_cli_open_store(c, err);
  if (rc >= 0) do {
      n = eas_purge_some(c->db, job, SLICE, err);
      if (n < 0) rc = n;
    } while (n > 0);
  if (rc >= 0) rc = mend_links(c, files, err);
  json_decref(files);
  return rc;
}

static void tell(eas_cli *c, const eas_purge *p, int done)
{
  char size[32], id[32];
  eas_size_text(p->bytes, size);
  snprintf(id, sizeof id, "j%" PRId64, p->job);
  if (c->json)
    eas_print_json(json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:b}", "job", id, "name", p->name, "tasks", (json_int_t)p->tasks,
                             "products", (json_int_t)p->products, "versions", (json_int_t)p->versions, "bytes",
                             (json_int_t)p->bytes, "purged", done));
  else if (done)
    printf("%s %s: %" PRId64 " tasks and %" PRId64 " products forgotten; eas gc frees up to %s\n", id, p->name,
           p->tasks, p->products, size);
  else
    printf("%s %s: %" PRId64 " tasks, %" PRId64 " products in %" PRId64 " versions (%s) would be forgotten, with their "
           "logs and results\n   --yes does it\n",
           id, p->name, p->tasks, p->products, p->versions, size);
}

static int cmd_purge(eas_cli *c)
{
  eas_err err = { 0 };
  eas_purge p;
  int64_t job = 0;
  int yes = eas_cli_has(c, "--yes"), rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0 && yes) {
    eas_db_close(c->db);
    c->db = NULL;
    rc = eas_cli_open_db(c, 0, &err);
  }
  if (rc >= 0) rc = eas_job_find(c->db, c->args[0], &job, &err);
  if (rc >= 0) rc = eas_purge_look(c->db, job, &p, &err);
  if (rc >= 0 && yes) rc = eas_purge_job(c, job, &err);
  if (rc == EAS_EBUSY) err.code = EAS_EINVAL; /* the request is at fault, no service */
  if (rc < 0) return eas_cli_fail(c, &err);
  tell(c, &p, yes);
  return EAS_EXIT_OK;
}

const eas_command eas_cmd_purge = {
  .name = "purge",
  .args = "JOB",
  .summary = "forgets a job that is done or cancelled: tasks, results, logs; --yes does it",
  .detail =
      "JOB: id or unambiguous name. Refused while it is under way, and while a task of another job reads what it "
      "made.\n"
      "Results that later jobs reused stay with them, but their lineage ends here. Bytes that nothing names any more "
      "are freed by eas gc.",
  .examples = "  eas purge j3\n  eas purge j3 --yes && eas gc --yes",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_YES,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_purge
};
