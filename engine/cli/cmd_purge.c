/* cmd_purge.c: eas purge: forgets jobs; their bytes are left to gc. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/meter.h"
#include "model/job.h"
#include "model/purge.h"
#include "model/view.h"

enum { SLICE = 1000 }; /* half a second of a busy server */

/* People's links to what is gone lead to another job's file of that name, if there is one. */
static void mend_link(void *arg, const char *directory, const char *filename, const eas_digest *left)
{
  eas_cli *c = arg;
  if (left)
    eas_store_link(c->store, directory, filename, left, NULL); /* fsck mends what cannot be linked now */
  else
    eas_store_unlink(c->store, directory, filename, NULL);
}

int eas_purge_job(eas_cli *c, const eas_purge *p, eas_err *err)
{
  eas_meter m = eas_meter_new(c, "tasks forgotten", p->tasks);
  int64_t done = 0;
  int n, rc = eas_cli_open_store(c, err);
  if (rc >= 0) do {
      n = eas_purge_some(c->db, p->job, SLICE, mend_link, c, err);
      if (n < 0) rc = n;
      done += n > 0 ? n : 0;
      eas_meter_at(&m, done < p->tasks ? done : p->tasks);
    } while (n > 0);
  eas_meter_end(&m);
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

/* For reading, so that no database is made where there is none; then c->db is one to write with. */
int eas_purge_open(eas_cli *c, eas_purge *p, int to_write, eas_err *err)
{
  int64_t job = 0;
  int rc = eas_cli_job(c, c->args[0], &job, err);
  if (rc >= 0) rc = eas_purge_look(c->db, job, p, err);
  if (rc == EAS_EBUSY) err->code = rc = EAS_EINVAL; /* the request is at fault, no service */
  if (rc < 0 || !to_write) return rc;
  eas_db_close(c->db);
  c->db = NULL;
  return eas_cli_open_db(c, 0, err);
}

static int cmd_purge(eas_cli *c)
{
  eas_err err = { 0 };
  eas_purge p;
  int yes = eas_cli_has(c, "--yes"), rc = eas_purge_open(c, &p, yes, &err);
  if (rc >= 0 && yes) rc = eas_purge_job(c, &p, &err);
  if (rc == EAS_EBUSY) err.code = EAS_EINVAL;
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
      "Some tasks at a time: others work on meanwhile, and stopped half-way the same command goes on.\n"
      "Results that later jobs reused stay with them, but their lineage ends here. Bytes that nothing names any more "
      "are freed by eas gc.",
  .examples = "  eas purge j3\n  eas purge j3 --yes && eas gc --yes",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_YES,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_purge
};
