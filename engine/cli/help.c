/* help.c: --help and man pages, from the same table. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "cli/inner.h"

void eas_help_overview(FILE *out)
{
  fprintf(out, "eas %s: runs science pipelines over many light curves\n\n", EAS_VERSION);
  for (int i = 0; eas_commands[i]; i++) {
    char left[80];
    snprintf(left, sizeof left, "%s %s", eas_commands[i]->name, eas_commands[i]->args);
    fprintf(out, "  eas %-34s %s\n", left, eas_commands[i]->summary);
  }
  fputs("\neas COMMAND --help shows one command; man eas-COMMAND the same.\n", out);
}

void eas_help_command(const eas_command *cmd, FILE *out)
{
  const eas_option *list[64];
  int n = eas_command_options(cmd, list, 64);
  fprintf(out, "eas %s %s\n%s\n", cmd->name, cmd->args, cmd->summary);
  if (*cmd->detail) fprintf(out, "\n%s\n", cmd->detail);
  fputs("\noptions\n", out);
  for (int i = 0; i < n; i++) {
    char left[64];
    snprintf(left, sizeof left, "%s%s%s", list[i]->name, list[i]->value ? " " : "",
             list[i]->value ? list[i]->value : "");
    fprintf(out, "  %-22s %s\n", left, list[i]->help);
  }
  if (*cmd->examples) fprintf(out, "\nexamples\n%s\n", cmd->examples);
}

/* A leading dot or quote would be a roff request; a dash is a minus sign. */
static void roff(eas_buf *b, const char *text)
{
  int line_start = 1;
  for (const char *p = text; *p; p++) {
    if (line_start && (*p == '.' || *p == '\'')) eas_buf_str(b, "\\&");
    if (*p == '\\')
      eas_buf_str(b, "\\e");
    else if (*p == '-')
      eas_buf_str(b, "\\-");
    else
      eas_buf_char(b, *p);
    line_start = *p == '\n';
  }
}

static void man_head(eas_buf *b, const char *title, const char *name, const char *summary)
{
  eas_buf_printf(b, ".TH %s 1 \"\" \"eas %s\" \"EAS engine\"\n.SH NAME\n%s \\- ", title, EAS_VERSION, name);
  roff(b, summary);
  eas_buf_str(b, "\n");
}

static void man_command(const eas_command *cmd, eas_buf *b)
{
  const eas_option *list[64];
  int n = eas_command_options(cmd, list, 64);
  char title[64], name[64];
  snprintf(title, sizeof title, "EAS-%s", cmd->name);
  snprintf(name, sizeof name, "eas-%s", cmd->name);
  man_head(b, title, name, cmd->summary);
  eas_buf_printf(b, ".SH SYNOPSIS\n.B eas %s\n", cmd->name);
  roff(b, cmd->args);
  eas_buf_str(b, "\n[options]\n");
  if (*cmd->detail) {
    eas_buf_str(b, ".SH DESCRIPTION\n.nf\n");
    roff(b, cmd->detail);
    eas_buf_str(b, "\n.fi\n");
  }
  eas_buf_str(b, ".SH OPTIONS\n");
  for (int i = 0; i < n; i++) {
    eas_buf_str(b, ".TP\n.B ");
    roff(b, list[i]->name);
    if (list[i]->value) eas_buf_printf(b, " \\fI%s\\fR", list[i]->value);
    eas_buf_str(b, "\n");
    roff(b, list[i]->help);
    eas_buf_str(b, "\n");
  }
  if (*cmd->examples) {
    eas_buf_str(b, ".SH EXAMPLES\n.nf\n");
    roff(b, cmd->examples);
    eas_buf_str(b, "\n.fi\n");
  }
  eas_buf_str(b, ".SH EXIT STATUS\n0 done, all passed; 1 a task failed or a check found something; 2 the request was "
                 "wrong, nothing was changed;\n"
                 "3 a service or a required isolation layer is missing; 130 interrupted.\n.SH SEE ALSO\n.BR eas (1)\n");
}

int eas_help_man(const char *folder, eas_err *err)
{
  eas_buf all, one;
  eas_buf_init(&all);
  eas_buf_init(&one);
  man_head(&all, "EAS", "eas", "runs science pipelines over many light curves");
  eas_buf_str(&all, ".SH SYNOPSIS\n.B eas\n.I COMMAND\n[arguments] [options]\n.SH COMMANDS\n");
  int rc = eas_path_mkdirs(folder, 0755, err);
  for (int i = 0; rc >= 0 && eas_commands[i]; i++) {
    eas_buf_printf(&all, ".TP\n.BR eas\\-%s (1)\n", eas_commands[i]->name);
    roff(&all, eas_commands[i]->summary);
    eas_buf_str(&all, "\n");
    eas_buf_clear(&one);
    man_command(eas_commands[i], &one);
    char *path = eas_format("%s/eas-%s.1", folder, eas_commands[i]->name);
    rc = eas_file_write(path, one.data, one.len, 0644, err);
    free(path);
  }
  char *path = eas_path_join(folder, "eas.1");
  if (rc >= 0) rc = eas_file_write(path, all.data, all.len, 0644, err);
  free(path);
  eas_buf_done(&all);
  eas_buf_done(&one);
  return rc;
}
