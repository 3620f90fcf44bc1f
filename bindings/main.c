/* main.c: the only file that sees both sides: hands the Lua runner to the command line and to the zygote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bindings/host.h"
#include "cli/cli.h"
#include "worker/zygote.h"

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--zygote") == 0) return eas_zygote_main(atoi(argv[2]), &eas_lua_runner);
  return eas_cli_main(argc, argv, &eas_lua_runner);
}
