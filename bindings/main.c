/* main.c: the only file that sees both sides: hands the Lua runner to the command line and to the zygote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/path.h"
#include "bindings/repl.h"
#include "cli/cli.h"
#include "worker/zygote.h"

/* The small program beside this one, if it is installed: a clone costs by what is mapped. */
static int zygote(char **argv)
{
  char *small = eas_format("%s/../../libexec/eas-zygote", eas_home_share());
  execv(small, argv);
  free(small);
  return eas_zygote_main(atoi(argv[2]), &eas_lua_runner);
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--zygote") == 0) return zygote(argv);
  eas_runner runner = eas_lua_runner;
  runner.repl = eas_host_repl;
  return eas_cli_main(argc, argv, &runner);
}
