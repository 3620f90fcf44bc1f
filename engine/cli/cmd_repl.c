/* cmd_repl.c: eas repl: a LuaJIT prompt with eas.*, the kernels and the database's views at hand. */
#include <stdlib.h>

#include "base/path.h"
#include "cli/commands.h"
#include "cli/front.h"

static int cmd_repl(eas_cli *c)
{
  if (!c->runner->repl) return eas_cli_usage(c, "this program was built without scripts");
  eas_err err = { 0 };
  if (eas_cli_readable(c->args, c->n_args, &err) < 0) return eas_cli_fail(c, &err);
  json_t *files = json_array();
  for (int i = 0; i < c->n_args; i++) json_array_append_new(files, json_string(c->args[i]));
  char *request = eas_front_request(c, "repl", json_pack("{s:o}", "files", files));
  eas_front front = { .request = request, .arg = c, .ask = eas_front_ask };
  int status = c->runner->repl(c->runner->arg, eas_home_share(), (const char *const *)c->packs, &front);
  free(request);
  return status;
}

static const eas_option REPL[] = { { "--task-path", "DIRS", "task_path", "packs beside the core, divided by ':'" },
                                   { "--slots", "N", "slots", "threads of search() (default: one per CPU)" },
                                   { 0 } };

const eas_command eas_cmd_repl = {
  .name = "repl",
  .args = "[FILE...]",
  .summary = "a Lua prompt: light curves, searches, plots, and the database to read",
  .detail =
      "Runs the files first, then reads lines; without a terminal, standard input: exit 1 if something failed.\n"
      "help() lists what is there. As you, not isolated; the database is only read. docs/debugging.md shows more.",
  .examples = "  eas repl --data first_planets\n  echo '=#db.tasks { state = \"failed\" }' | eas repl",
  .groups = EAS_O_DATA,
  .options = REPL,
  .max_args = -1,
  .run = cmd_repl
};
