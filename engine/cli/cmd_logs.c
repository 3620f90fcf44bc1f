/* cmd_logs.c: eas logs: what attempts said. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/inner.h"
#include "cli/select.h"
#include "cli/table.h"
#include "model/view.h"

static int which_logs(eas_cli *c, eas_view_filter *f, eas_err *err)
{
  char letter = 'j';
  int64_t id = 0;
  const char *name = c->n_args ? c->args[0] : eas_cli_get(c, "--job");
  f->trace_id = eas_cli_get(c, "--trace");
  if (f->trace_id) {
    if (name || eas_cli_has(c, "--full"))
      return eas_fail(err, EAS_EINVAL, "eas logs: --trace names the jobs; no JOB, TASK, ATTEMPT or --full beside it");
    if (!eas_trace_is_id(f->trace_id)) {
      eas_fail(err, EAS_EINVAL, "eas logs: --trace takes 32 hex digits in lower case, not '%s'", f->trace_id);
      return eas_hint(err, "eas status --json shows the trace_id of a job");
    }
    return eas_cli_open_db(c, EAS_DB_READ, err);
  }
  if (name && eas_id_parse(name, &letter, &id, NULL) == 0 && (letter == 'a' || name[0] == 't')) {
    if (letter == 'a')
      f->attempt = id;
    else
      f->task = id;
    return eas_cli_open_db(c, EAS_DB_READ, err);
  }
  return eas_cli_job(c, name, &f->job, err);
}

static int level_ink(int64_t level)
{
  return level >= EAS_ERROR ? EAS_RED : level >= EAS_WARN ? EAS_YELLOW : level <= EAS_DEBUG ? EAS_DIM : EAS_PLAIN;
}

static void print_line(const eas_cli *c, const json_t *v)
{
  char when[40];
  int64_t level = eas_json_int(v, "level", EAS_INFO);
  eas_time_format(eas_json_int(v, "at", 0), 0, when);
  when[19] = 0;
  const char *ink = eas_ink(c, level_ink(level)), *off = *ink ? eas_ink_off(c) : "";
  printf("%s %s%-5s%s %s %s  %s%s%s\n", c->tty ? when + 11 : when, ink, eas_log_level_name((int)level), off,
         eas_json_str(v, "attempt"), eas_json_str(v, "type"), level >= EAS_WARN ? ink : "", eas_json_str(v, "text"),
         level >= EAS_WARN ? off : "");
}

static void print_csv(eas_cli *c, const json_t *lines)
{
  static const char *const names[] = { "at", "level", "attempt", "task", "type", "text" };
  eas_table *t = eas_table_new(c);
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) eas_table_column(t, names[k], EAS_LEFT);
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)lines, i, v)
  {
    char when[40];
    eas_table_cell(t, EAS_PLAIN, eas_time_format(eas_json_int(v, "at", 0), 6, when));
    eas_table_cell(t, EAS_PLAIN, eas_log_level_name((int)eas_json_int(v, "level", EAS_INFO)));
    for (size_t k = 2; k < sizeof names / sizeof *names; k++) eas_table_cell(t, EAS_PLAIN, eas_json_str(v, names[k]));
  }
  eas_table_print(t, "");
}

/* --- the whole log, from the store --- */

typedef struct {
  eas_cli *c;
  json_t *line; /* {at, level, attempt, task, type, text} */
  int level;    /* at least */
  int64_t since_us, limit, shown;
  eas_buf rest; /* of a line whose end is in the next piece */
} whole;

/* "2026-03-02T12:04:31.482000Z warn text" */
static int take_line(whole *w, const char *text, size_t n)
{
  struct tm tm = { 0 };
  int micro = 0, used = 0;
  char level[16] = "";
  if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ %15[a-z]%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
             &tm.tm_min, &tm.tm_sec, &micro, level, &used) != 8 ||
      (size_t)used >= n)
    return EAS_EINVAL;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  int64_t at = (int64_t)timegm(&tm) * 1000000 + micro;
  int rank = eas_log_level(level);
  if (rank < w->level || at < w->since_us) return 0;
  if (w->limit && w->shown >= w->limit) return 1;
  json_object_set_new(w->line, "at", json_integer(at));
  json_object_set_new(w->line, "level", json_integer(rank));
  json_object_set_new(w->line, "text", json_stringn(text + used + 1, n - (size_t)used - 1));
  if (w->c->json) {
    fputs(w->shown ? "," : "", stdout);
    json_dumpf(w->line, stdout, JSON_COMPACT);
  } else {
    print_line(w->c, w->line);
  }
  w->shown++;
  return ferror(stdout) ? 1 : 0;
}

static int take_piece(void *arg, const char *data, size_t n)
{
  whole *w = arg;
  int rc = 0;
  eas_buf_add(&w->rest, data, n);
  char *p = w->rest.data, *end = p + w->rest.len, *nl;
  while (rc == 0 && (nl = memchr(p, '\n', (size_t)(end - p)))) {
    *nl = 0;
    rc = take_line(w, p, (size_t)(nl - p));
    p = nl + 1;
  }
  size_t left = (size_t)(end - p);
  memmove(w->rest.data, p, left);
  w->rest.len = left;
  return rc;
}

static int print_whole(eas_cli *c, const eas_view_filter *f, const json_t *attempt, eas_err *err)
{
  eas_digest d;
  whole w = { .c = c, .level = f->level, .since_us = f->since_us, .limit = f->limit };
  int rc = eas_digest_parse(eas_json_str(attempt, "log"), &d);
  if (eas_select_wanted(c) || c->csv)
    rc = eas_fail(err, EAS_EINVAL, "eas logs: --full goes with --level, --since, --limit and --json only");
  if (rc >= 0) rc = eas_cli_open_store(c, err);
  if (rc < 0) return rc;
  w.line = json_pack("{s:i,s:i,s:O,s:O,s:O}", "at", 0, "level", 0, "attempt", json_object_get(attempt, "attempt"),
                     "task", json_object_get(attempt, "task"), "type", json_object_get(attempt, "type"));
  eas_buf_init(&w.rest);
  if (c->json) putchar('[');
  rc = eas_store_unpack(c->store, &d, take_piece, &w, err);
  if (c->json) puts("]");
  int64_t left_out = eas_json_int(attempt, "log_left_out", 0);
  if (rc == 0 && left_out && !c->quiet) {
    fflush(stdout);
    fprintf(stderr, "%" PRId64 " more lines were not kept: a log is kept up to 64 MB; its last lines: eas logs %s\n",
            left_out, eas_json_str(attempt, "attempt"));
  }
  if (rc == EAS_EINVAL)
    eas_fail(err, EAS_EFORMAT, "log of %s: its object holds something else", eas_json_str(attempt, "attempt"));
  eas_buf_done(&w.rest);
  json_decref(w.line);
  return rc < 0 ? rc : 0;
}

/* 1: it was printed; 0: the database has all of it. */
static int whole_log(eas_cli *c, const eas_view_filter *f, eas_err *err)
{
  json_t *attempt = NULL;
  if (!f->attempt) {
    eas_fail(err, EAS_EINVAL, "eas logs: --full is for one attempt");
    return eas_hint(err, "name it: eas logs a533 --full; the attempts of a task: eas show t418");
  }
  int rc = eas_view_attempt(c->db, f->attempt, &attempt, err);
  if (rc < 0) return rc;
  if (eas_json_str(attempt, "log")) {
    rc = print_whole(c, f, attempt, err);
    if (rc >= 0) rc = 1;
  }
  json_decref(attempt);
  return rc;
}

static int cmd_logs(eas_cli *c)
{
  eas_view_filter f = { .level = EAS_DEBUG };
  eas_err err = { 0 };
  json_t *lines = NULL, *v;
  size_t i;
  const char *level = eas_cli_get(c, "--level");
  int rc = eas_cli_filter(c, &f, &err);
  if (rc >= 0 && level && (f.level = eas_log_level(level)) < 0)
    rc = eas_fail(&err, EAS_EINVAL, "eas logs: --level is debug, info, warn or error, not '%s'", level);
  if (rc >= 0) rc = which_logs(c, &f, &err);
  if (rc >= 0 && !eas_cli_get(c, "--limit")) f.limit = f.attempt || f.task ? 0 : 1000;
  int limit = f.limit;
  if (eas_select_wanted(c) && !eas_cli_has(c, "--full")) f.limit = 0;
  int printed = rc >= 0 && eas_cli_has(c, "--full") ? rc = whole_log(c, &f, &err) : 0;
  if (rc >= 0 && !printed) rc = eas_view_logs(c->db, &f, &lines, &err);
  if (rc >= 0 && !printed) rc = eas_select_rows(c, &lines, eas_select_wanted(c) ? limit : 0, &err);
  if (rc >= 0 && printed) return EAS_EXIT_OK;
  if (rc < 0) return eas_cli_fail(c, &err);
  if (c->json) return eas_print_json(lines);
  if (c->csv) {
    print_csv(c, lines);
    json_decref(lines);
    return EAS_EXIT_OK;
  }
  json_array_foreach(lines, i, v) print_line(c, v);
  if (json_array_size(lines) == 0)
    printf("no log line%s\n", f.since_us ? " in that time; try a longer --since" : level ? " of that level" : "");
  json_decref(lines);
  return EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = {
  { "--level", "LEVEL", NULL, "least level of the lines: debug, info, warn, error" },
  { "--trace", "ID", NULL, "of all jobs of a trace (trace_id of eas status --json)" },
  { "--full", NULL, NULL, "of an attempt: all lines, also those that only the store has" },
  { 0 }
};

const eas_command eas_cmd_logs = {
  .name = "logs",
  .args = "[JOB|TASK|ATTEMPT]",
  .summary = "what attempts logged, printed and wrote to stderr",
  .detail = "Of a job the newest 1000 lines (--limit 0: all); of a task or an attempt all that the\n"
            "database has: the first 64 KB and the last 192 KB of each attempt. --full: up to 64 MB.",
  .examples = "  eas logs j3 --level warn --since 10m\n  eas logs a533 --full",
  .groups = EAS_O_DATA | EAS_O_JSON | EAS_O_CSV | EAS_O_JOB | EAS_O_TYPE | EAS_O_SINCE | EAS_O_ROWS,
  .options = OPTIONS,
  .max_args = 1,
  .run = cmd_logs
};
