/* commands.h: one line per sub-command; each is defined in cmd_NAME.c. */
#ifndef EAS_CLI_COMMANDS_H
#define EAS_CLI_COMMANDS_H
#include "cli/cli.h"
#include "model/purge.h"

extern const eas_command eas_cmd_run, eas_cmd_task, eas_cmd_search;
extern const eas_command eas_cmd_init, eas_cmd_submit, eas_cmd_control, eas_cmd_worker;
extern const eas_command eas_cmd_status, eas_cmd_tree, eas_cmd_show, eas_cmd_why, eas_cmd_errors, eas_cmd_logs,
    eas_cmd_results, eas_cmd_files, eas_cmd_timings, eas_cmd_queues, eas_cmd_report, eas_cmd_provenance;
extern const eas_command eas_cmd_completion, eas_cmd_new, eas_cmd_purge;
extern const eas_command eas_cmd_pause, eas_cmd_resume, eas_cmd_cancel, eas_cmd_retry, eas_cmd_rerun;
extern const eas_command eas_cmd_fsck, eas_cmd_gc, eas_cmd_db, eas_cmd_archive;
extern const eas_command eas_cmd_web, eas_cmd_top;
extern const eas_command eas_cmd_deploy, eas_cmd_registry, eas_cmd_repl, eas_cmd_lua, eas_cmd_doctor, eas_cmd_version;
extern const eas_command eas_cmd_shell, eas_cmd_diff;

/* A job that may go (model/purge.h): its rows, and the links of people. */
int eas_purge_open(eas_cli *c, eas_purge *p, int to_write, eas_err *err); /* what args[0] names, and what would go */
int eas_purge_job(eas_cli *c, const eas_purge *p, eas_err *err);

#endif
