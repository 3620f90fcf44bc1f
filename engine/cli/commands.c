/* commands.c: all sub-commands, in the order of the overview. */
#include "cli/commands.h"

/* A line each, so that two who add one do not meet. */
/* clang-format off */
const eas_command *const eas_commands[] = {
  &eas_cmd_run,
  &eas_cmd_task,
  &eas_cmd_search,
  &eas_cmd_init,
  &eas_cmd_submit,
  &eas_cmd_control,
  &eas_cmd_worker,
  &eas_cmd_status,
  &eas_cmd_tree,
  &eas_cmd_show,
  &eas_cmd_why,
  &eas_cmd_errors,
  &eas_cmd_logs,
  &eas_cmd_results,
  &eas_cmd_files,
  &eas_cmd_timings,
  &eas_cmd_queues,
  &eas_cmd_provenance,
  &eas_cmd_report,
  &eas_cmd_pause,
  &eas_cmd_resume,
  &eas_cmd_cancel,
  &eas_cmd_retry,
  &eas_cmd_rerun,
  &eas_cmd_web, &eas_cmd_top,
  &eas_cmd_fsck,
  &eas_cmd_gc,
  &eas_cmd_db,
  &eas_cmd_deploy,
  &eas_cmd_registry,
  &eas_cmd_repl,
  &eas_cmd_shell,
  &eas_cmd_lua,
  &eas_cmd_doctor,
  &eas_cmd_completion,
  &eas_cmd_version,
  0
};
