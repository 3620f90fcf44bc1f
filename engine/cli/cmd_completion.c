/* cmd_completion.c: eas completion: what shells complete, from the same table as --help. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/commands.h"

enum { OPTIONS_MAX = 64 };

/* Values that an option takes, or NULL. */
static const char *choices(const eas_option *o)
{
  if (strcmp(o->name, "--color") == 0) return "auto always never";
  if (strcmp(o->name, "--state") == 0) return "waiting queued running passed reused failed skipped cancelled";
  if (strcmp(o->name, "--level") == 0) return "debug info warn error";
  if (strcmp(o->name, "--method") == 0) return "bls bls_kovacs fbls tls qats dst_v26 dst_v29 exotrans";
  return NULL;
}

static int is_folder(const eas_option *o)
{
  return o->value && strncmp(o->value, "DIR", 3) == 0;
}

static int is_file(const eas_option *o)
{
  return o->value && strncmp(o->value, "FILE", 4) == 0;
}

static int takes_files(const eas_command *cmd)
{
  static const char *const names[] = { "run", "submit", "search", "lua", "db" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], cmd->name) == 0) return 1;
  return 0;
}

/* Words of "check|list" or "save FILE | migrate" that are typed as they stand. */
static void add_words(eas_buf *b, const char *args)
{
  for (const char *p = args; *p;) {
    size_t n = strcspn(p, " |[]");
    int word = n > 1;
    for (size_t i = 0; i < n; i++) word &= islower((unsigned char)p[i]) != 0;
    if (word) eas_buf_printf(b, "%s%.*s", b->len ? " " : "", (int)n, p);
    p += n + strspn(p + n, " |[]");
  }
}

static char *words_of(const eas_command *cmd)
{
  eas_buf b;
  eas_buf_init(&b);
  add_words(&b, cmd->args);
  return eas_buf_take(&b);
}

/* In single quotes; more: characters to put a backslash before. */
static void quoted(const char *text, const char *more)
{
  for (; *text; text++) {
    if (*text == '\'')
      fputs("'\\''", stdout);
    else if (strchr(more, *text))
      printf("\\%c", *text);
    else
      putchar(*text);
  }
}

/* --- bash --- */

static void bash_option_values(void)
{
  puts("  case $prev in");
  const char *done[256];
  int n_done = 0;
  for (int i = 0; eas_commands[i]; i++) {
    const eas_option *list[OPTIONS_MAX];
    int n = eas_command_options(eas_commands[i], list, OPTIONS_MAX);
    for (int k = 0; k < n; k++) {
      int known = !list[k]->value;
      for (int j = 0; j < n_done; j++) known |= strcmp(done[j], list[k]->name) == 0;
      if (known || n_done == 256) continue;
      done[n_done++] = list[k]->name;
      printf("    %s) ", list[k]->name);
      if (choices(list[k]))
        printf("COMPREPLY=($(compgen -W '%s' -- \"$cur\")); ", choices(list[k]));
      else if (is_folder(list[k]))
        printf("COMPREPLY=($(compgen -d -- \"$cur\")); ");
      else if (is_file(list[k]))
        printf("COMPREPLY=($(compgen -f -- \"$cur\")); ");
      puts("return ;;");
    }
  }
  puts("  esac");
}

static void bash(void)
{
  puts("# bash completion of eas; made by: eas completion bash\n_eas() {\n  local cur=${COMP_WORDS[COMP_CWORD]} "
       "prev=${COMP_WORDS[COMP_CWORD-1]} words= files=\n  COMPREPLY=()\n  if [ \"$COMP_CWORD\" = 1 ]; then");
  printf("    COMPREPLY=($(compgen -W '");
  for (int i = 0; eas_commands[i]; i++) printf("%s ", eas_commands[i]->name);
  puts("--help --version' -- \"$cur\"))\n    return\n  fi");
  bash_option_values();
  puts("  case ${COMP_WORDS[1]} in");
  for (int i = 0; eas_commands[i]; i++) {
    const eas_option *list[OPTIONS_MAX];
    int n = eas_command_options(eas_commands[i], list, OPTIONS_MAX);
    char *words = words_of(eas_commands[i]);
    printf("    %s) words='%s", eas_commands[i]->name, words);
    for (int k = 0; k < n; k++) printf(" %s", list[k]->name);
    printf("'%s ;;\n", takes_files(eas_commands[i]) ? " files=1" : "");
    free(words);
  }
  puts("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n  [ -z \"$files\" ] || [[ $cur == -* ]] || "
       "COMPREPLY+=($(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F _eas eas");
}

/* --- zsh --- */

static void zsh_option(const eas_option *o)
{
  printf("        '%s[", o->name);
  quoted(o->help, "[]");
  printf("]");
  if (o->value) {
    printf(":");
    quoted(o->value, ":[]");
    printf(":");
    if (choices(o))
      printf("(%s)", choices(o));
    else if (is_folder(o))
      printf("_files -/");
    else if (is_file(o))
      printf("_files");
    else
      printf(" ");
  }
  puts("' \\");
}

static void zsh(void)
{
  puts("#compdef eas\n# zsh completion of eas; made by: eas completion zsh\n_eas() {\n  local -a commands=(");
  for (int i = 0; eas_commands[i]; i++) {
    printf("    '%s:", eas_commands[i]->name);
    quoted(eas_commands[i]->summary, ":");
    puts("'");
  }
  puts("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n  local "
       "command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in");
  for (int i = 0; eas_commands[i]; i++) {
    const eas_option *list[OPTIONS_MAX];
    int n = eas_command_options(eas_commands[i], list, OPTIONS_MAX);
    char *words = words_of(eas_commands[i]);
    printf("    %s)\n      _arguments \\\n", eas_commands[i]->name);
    for (int k = 0; k < n; k++) zsh_option(list[k]);
    if (*words)
      printf("        '*: :(%s)' ;;\n", words);
    else
      printf("        '*: :%s' ;;\n", takes_files(eas_commands[i]) ? "_files" : " ");
    free(words);
  }
  puts("  esac\n}\nif [ \"$funcstack[1]\" = \"_eas\" ]; then _eas \"$@\"; else compdef _eas eas; fi");
}

/* --- fish --- */

static void fish(void)
{
  puts("# fish completion of eas; made by: eas completion fish\ncomplete -c eas -f");
  for (int i = 0; eas_commands[i]; i++) {
    const eas_option *list[OPTIONS_MAX];
    int n = eas_command_options(eas_commands[i], list, OPTIONS_MAX);
    char *words = words_of(eas_commands[i]);
    printf("complete -c eas -n __fish_use_subcommand -a %s -d '", eas_commands[i]->name);
    for (const char *p = eas_commands[i]->summary; *p; p++) printf(*p == '\'' ? "\\%c" : "%c", *p);
    puts("'");
    if (*words) printf("complete -c eas -n '__fish_seen_subcommand_from %s' -a '%s'\n", eas_commands[i]->name, words);
    if (takes_files(eas_commands[i]))
      printf("complete -c eas -n '__fish_seen_subcommand_from %s' -F\n", eas_commands[i]->name);
    for (int k = 0; k < n; k++) {
      printf("complete -c eas -n '__fish_seen_subcommand_from %s' -l %s", eas_commands[i]->name, list[k]->name + 2);
      if (choices(list[k]))
        printf(" -x -a '%s'", choices(list[k]));
      else if (list[k]->value)
        printf(is_file(list[k]) || is_folder(list[k]) ? " -r -F" : " -x");
      printf(" -d '");
      for (const char *p = list[k]->help; *p; p++) printf(*p == '\'' || *p == '\\' ? "\\%c" : "%c", *p);
      puts("'");
    }
    free(words);
  }
}

static int cmd_completion(eas_cli *c)
{
  const char *shell = c->args[0];
  if (strcmp(shell, "bash") == 0)
    bash();
  else if (strcmp(shell, "zsh") == 0)
    zsh();
  else if (strcmp(shell, "fish") == 0)
    fish();
  else
    return eas_cli_usage(c, "'%s' is neither bash, zsh nor fish", shell);
  return EAS_EXIT_OK;
}

const eas_command eas_cmd_completion = { .name = "completion",
                                         .args = "bash|zsh|fish",
                                         .summary = "prints what makes a shell complete commands and options",
                                         .detail = "An installed eas has these files where the shells look for them.",
                                         .examples = "  source <(eas completion bash)\n  eas completion fish | source",
                                         .groups = 0,
                                         .min_args = 1,
                                         .max_args = 1,
                                         .run = cmd_completion };
