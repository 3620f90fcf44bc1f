/* cmd_show.c: eas show: one attempt, task or product on one screen; the next command last. */
#include "cli/card.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/places.h"
#include "model/view.h"

static void field(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void field(const char *name, const char *format, ...)
{
  va_list ap;
  printf("%-8s", name);
  va_start(ap, format);
  vprintf(format, ap);
  va_end(ap);
  putchar('\n');
}

static void stamp(int64_t us, char out[40])
{
  eas_time_format(us, 0, out);
  out[10] = ' ';
  out[19] = 0;
}

/* Said elsewhere on the card, or too long for a line. */
static int is_left_out(const char *path, const json_t *v)
{
  static const char *const names[] = { "task", "name", "inputs", "outputs", "job_name", "working_directory" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(path, names[i]) == 0) return 1;
  return json_is_array(v) && json_array_size(v) > 8;
}

static void put_value(const char *path, const json_t *v, int *column)
{
  char *text = json_is_null(v)     ? eas_strdup("-")
               : json_is_string(v) ? eas_strdup(json_string_value(v))
                                   : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
  if (strlen(text) > 60) strcpy(text + 56, " ...");
  int w = (int)(strlen(path) + strlen(text) + 4);
  if (*column && *column + w > 100) {
    printf("\n%-8s", "");
    *column = 0;
  }
  printf("%s%s %s", *column ? "   " : "", path, text);
  *column += w;
  free(text);
}

/* Nested objects become dotted names. */
static void put_object(const char *label, const char *prefix, const json_t *object, int *column)
{
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)(uintptr_t)object, key, v)
  {
    char *path = *prefix ? eas_format("%s.%s", prefix, key) : eas_strdup(key);
    if (json_is_object(v)) {
      if (!is_left_out(path, v)) put_object(label, path, v, column);
    } else if (!is_left_out(path, v)) {
      if (*column < 0) {
        printf("%-8s", label);
        *column = 0;
      }
      put_value(path, v, column);
    }
    free(path);
  }
}

void eas_card_values(const char *name, const json_t *object)
{
  int column = -1;
  put_object(name, "", object, &column);
  if (column >= 0) putchar('\n');
}

static const char *shown_state(const json_t *a)
{
  if (strcmp(eas_json_str(a, "state"), "ended") != 0) return eas_json_str(a, "state");
  if (strcmp(eas_json_str(a, "verdict"), "pass") == 0)
    return strcmp(eas_json_str(a, "ending"), "reused") == 0 ? "reused" : "passed";
  return "failed";
}

static void ran_line(const json_t *a)
{
  char from[40] = "-", wall[32], cpu[32], peak[32];
  if (!eas_json_int(a, "started_at", 0)) {
    field("ran", "not yet");
    return;
  }
  stamp(eas_json_int(a, "started_at", 0), from);
  eas_duration_text(eas_json_int(a, "wall_us", 0), wall);
  eas_duration_text(eas_json_int(a, "cpu_us", 0), cpu);
  eas_size_text(eas_json_int(a, "peak_kb", 0) * 1024, peak);
  field("ran", "%s %s, %s UTC, %s wall, %s CPU, peak %s", eas_json_str(a, "host") ? eas_json_str(a, "host") : "-",
        eas_json_str(a, "worker") ? eas_json_str(a, "worker") : "", from, wall, cpu, peak);
}

static const char *slash_after(const json_t *file)
{
  const char *directory = eas_json_str(file, "directory");
  return directory && *directory ? "/" : "";
}

static void files_lines(eas_cli *c, const char *name, const json_t *list)
{
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)(uintptr_t)list, i, v)
  {
    char size[32] = "";
    const char *verdict = eas_json_str(v, "verdict");
    if (json_object_get(v, "size")) eas_size_text(eas_json_int(v, "size", 0), size);
    const char *state = verdict && strcmp(verdict, "fail") == 0 ? "failed" : "passed";
    printf("%-8s%s  %s%s%s  %s%s%s", name, eas_json_str(v, "kind"), eas_json_str(v, "directory"), slash_after(v),
           eas_json_str(v, "filename"), eas_json_str(v, "version") ? eas_json_str(v, "version") : "not made yet",
           *size ? "  " : "", size);
    if (verdict) printf("  %s%s%s", eas_ink(c, eas_state_ink(state)), eas_state_symbol(c, state), eas_ink_off(c));
    if (eas_json_str(v, "reason")) printf(" %s", eas_json_str(v, "reason"));
    putchar('\n');
  }
}

/* A check's value or limit: text as it is, numbers to five digits, "-" where there is none. */
static char *short_text(const json_t *v)
{
  if (!v || json_is_null(v)) return eas_strdup("-");
  return json_is_string(v) ? eas_strdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(5));
}

static int verdict_ink(const char *verdict)
{
  if (strcmp(verdict, "fail") == 0) return EAS_RED;
  return strcmp(verdict, "warn") == 0 ? EAS_YELLOW : EAS_GREEN;
}

static void check_lines(eas_cli *c, const json_t *checks)
{
  for (size_t i = 0; i < json_array_size(checks); i++) {
    const json_t *v = json_array_get(checks, i);
    const char *verdict = eas_json_str(v, "verdict") ? eas_json_str(v, "verdict") : "-";
    char *value = short_text(json_object_get(v, "value")), *limit = short_text(json_object_get(v, "limit"));
    printf("%-8s%s%-5s%s %-24s %s", i ? "" : "checks", eas_ink(c, verdict_ink(verdict)), verdict, eas_ink_off(c),
           eas_json_str(v, "name") ? eas_json_str(v, "name") : "-", value);
    if (strcmp(limit, "-") != 0) printf("  (limit %s)", limit);
    putchar('\n');
    free(value);
    free(limit);
  }
}

static void later_line(const json_t *a)
{
  size_t i;
  json_t *v;
  const json_t *later = json_object_get(a, "later");
  if (json_array_size(later) == 0) return;
  printf("%-8s", "later");
  json_array_foreach((json_t *)(uintptr_t)later, i, v)
      printf("%s%s %s", i ? ", " : "", eas_json_str(v, "attempt"),
             eas_json_str(v, "ending") ? eas_json_str(v, "ending") : eas_json_str(v, "state"));
  putchar('\n');
}

static void indent(const char *text)
{
  for (const char *p = text; *p;) {
    size_t n = strcspn(p, "\n");
    printf("        %.*s\n", (int)n, p);
    p += n + (p[n] == '\n');
  }
}

static void attempt_card(eas_cli *c, const json_t *a)
{
  const char *state = shown_state(a), *ending = eas_json_str(a, "ending");
  printf("%s  attempt %" PRId64 " of %" PRId64 " of %s %s, %s %s   %s%s %s%s%s%s\n", eas_json_str(a, "attempt"),
         eas_json_int(a, "number", 0), eas_json_int(a, "last_number", 0), eas_json_str(a, "task"),
         eas_json_str(a, "type"), eas_json_str(a, "job"), eas_json_str(a, "job_name"), eas_ink(c, eas_state_ink(state)),
         eas_state_symbol(c, state), state, ending && strcmp(state, "failed") == 0 ? " " : "",
         ending && strcmp(state, "failed") == 0 ? (strcmp(ending, "ok") == 0 ? "qc" : ending) : "", eas_ink_off(c));
  ran_line(a);
  files_lines(c, "input", json_object_get(a, "inputs"));
  files_lines(c, "output", json_object_get(a, "outputs"));
  eas_card_values("set", json_object_get(a, "description"));
  eas_card_values("result", json_object_get(a, "metadata"));
  check_lines(c, json_object_get(a, "checks"));
  int64_t ended = eas_json_int(a, "ended_at", 0);
  if (eas_json_str(a, "error")) {
    char *text = eas_places_text(c, eas_json_str(a, "error"), ended);
    field("error", "%s%s%s", eas_ink(c, EAS_RED), text, eas_ink_off(c));
    free(text);
  }
  if (eas_json_str(a, "reason") &&
      !(eas_json_str(a, "error") && strcmp(eas_json_str(a, "error"), eas_json_str(a, "reason")) == 0))
    field("reason", "%s", eas_json_str(a, "reason"));
  if (eas_json_str(a, "reused"))
    field("reused", "the results of %s, which had the same provenance key", eas_json_str(a, "reused"));
  if (eas_json_str(a, "trace")) {
    char *text = eas_places_text(c, eas_json_str(a, "trace"), ended);
    puts("trace");
    indent(text);
    free(text);
  }
  later_line(a);
  if (eas_json_str(a, "trace_id")) field("traced", "%s", eas_json_str(a, "trace_id"));
  const char *id = eas_json_str(a, "attempt"), *type = eas_json_str(a, "type"), *verdict = eas_json_str(a, "verdict");
  int failed = verdict && strcmp(verdict, "fail") == 0 && !(type && strncmp(type, "execution_", 10) == 0);
  field("more", "eas logs %s%s     eas show %s%s%s", id, eas_json_str(a, "log") ? " --full" : "",
        eas_json_str(a, "task"), failed ? "     eas shell --attempt " : "", failed ? id : "");
}

static void task_card(eas_cli *c, const json_t *t)
{
  size_t i;
  json_t *v;
  const char *state = eas_json_str(t, "state"), *name = eas_json_str(t, "name");
  printf("%s %s%s%s, %s %s   %s%s %s%s\n", eas_json_str(t, "task"), eas_json_str(t, "type"), name ? " " : "",
         name ? name : "", eas_json_str(t, "job"), eas_json_str(t, "job_name"), eas_ink(c, eas_state_ink(state)),
         eas_state_symbol(c, state), state, eas_ink_off(c));
  eas_card_values("with", json_object_get(t, "parameters"));
  files_lines(c, "input", json_object_get(t, "inputs"));
  json_array_foreach(json_object_get(t, "needs"), i, v)
      field("needs", "metadata of %s %s (%s)", eas_json_str(v, "maker"), eas_json_str(v, "maker_type"),
            eas_json_str(v, "name"));
  files_lines(c, "output", json_object_get(t, "outputs"));
  json_array_foreach(json_object_get(t, "attempts"), i, v)
  {
    char wall[32] = "";
    const char *s = shown_state(v), *ending = eas_json_str(v, "ending"),
               *why = eas_json_str(v, "error") ? eas_json_str(v, "error") : eas_json_str(v, "reason");
    if (eas_json_int(v, "wall_us", 0)) eas_duration_text(eas_json_int(v, "wall_us", 0), wall);
    printf("%-8s%s  %s%s %s%s  %s  %s\n", i ? "" : "attempt", eas_json_str(v, "attempt"), eas_ink(c, eas_state_ink(s)),
           eas_state_symbol(c, s), ending ? ending : s, eas_ink_off(c), wall, why ? why : "");
  }
  field("at", "%s of the job file", eas_json_str(t, "node"));
  if (eas_json_str(t, "trace_id")) field("traced", "%s", eas_json_str(t, "trace_id"));
  json_t *last = json_array_get(json_object_get(t, "attempts"), json_array_size(json_object_get(t, "attempts")) - 1);
  field("more", "eas why %s%s%s", eas_json_str(t, "task"), last ? "     eas show " : "",
        last ? eas_json_str(last, "attempt") : "");
}

static void file_card(eas_cli *c, const json_t *p)
{
  printf("%s %s%s%s  %s of %s %s, %s\n", eas_json_str(p, "product"), eas_json_str(p, "directory"), slash_after(p),
         eas_json_str(p, "filename"), eas_json_str(p, "kind"), eas_json_str(p, "task"), eas_json_str(p, "type"),
         eas_json_str(p, "job"));
  size_t i;
  json_t *v;
  json_array_foreach(json_object_get(p, "versions"), i, v)
  {
    char size[32], when[40];
    const char *state = strcmp(eas_json_str(v, "verdict"), "pass") == 0 ? "passed" : "failed";
    eas_size_text(eas_json_int(v, "size", 0), size);
    stamp(eas_json_int(v, "created_at", 0), when);
    printf("%-8s%s  %s%s%s  %s  %s  by %s\n", i ? "" : "version", eas_json_str(v, "version"),
           eas_ink(c, eas_state_ink(state)), eas_state_symbol(c, state), eas_ink_off(c), size, when,
           eas_json_str(v, "attempt"));
    printf("%-8s%s\n", "sha256", eas_json_str(v, "sha256"));
    if (eas_json_str(v, "reason")) printf("%-8s%s\n", "", eas_json_str(v, "reason"));
    if (i == 0) eas_card_values("meta", json_object_get(v, "metadata"));
  }
  if (json_array_size(json_object_get(p, "versions")) == 0)
    field("version", "not made yet: eas why %s", eas_json_str(p, "task"));
  json_array_foreach(json_object_get(p, "used_by"), i, v)
      field(i ? "" : "used by", "%s %s", eas_json_str(v, "task"), eas_json_str(v, "type"));
}

int eas_card_load(eas_cli *c, const char *text, char *letter, json_t **out, eas_err *err)
{
  int64_t id = 0;
  int rc = eas_id_parse(text, letter, &id, err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_READ, err);
  if (rc < 0) return rc;
  if (*letter == 'a')
    rc = eas_view_attempt(c->db, id, out, err);
  else if (*letter == 't')
    rc = eas_view_task(c->db, id, out, err);
  else if (*letter == 'p' || *letter == 'v')
    rc = eas_view_file(c->db, id, *letter == 'v', out, err);
  else
    rc = eas_fail(err, EAS_EINVAL, "'%s' is a job: eas status %s", text, text);
  if (rc == EAS_ENOENT) err->code = rc = EAS_EINVAL;
  return rc;
}

/* --trace: what failed and where, and nothing else. */
static int show_trace(eas_cli *c, char letter, const json_t *a)
{
  const char *id = c->args[0], *error = eas_json_str(a, "error"), *trace = eas_json_str(a, "trace");
  if (letter != 'a') {
    eas_err err = { 0 };
    eas_fail(&err, EAS_EINVAL, "eas show --trace: an attempt is wanted, not '%s'", id);
    eas_hint(&err, "eas show %s names the attempts", id);
    return eas_cli_fail(c, &err);
  }
  if (c->json)
    return eas_print_json(
        json_pack("{s:s,s:s?,s:s?}", "attempt", eas_json_str(a, "attempt"), "error", error, "trace", trace));
  if (error) puts(error);
  if (trace) {
    char *text = eas_places_text(c, trace, eas_json_int(a, "ended_at", 0));
    puts(text);
    free(text);
  }
  if (!error && !trace)
    printf("%s has no traceback: %s\n", id, eas_json_str(a, "ending") ? "nothing raised an error" : "it has not ended");
  return EAS_EXIT_OK;
}

static int cmd_show(eas_cli *c)
{
  eas_err err = { 0 };
  char letter = 0;
  json_t *v = NULL;
  if (eas_card_load(c, c->args[0], &letter, &v, &err) < 0) return eas_cli_fail(c, &err);
  if (eas_cli_has(c, "--trace")) {
    int status = show_trace(c, letter, v);
    json_decref(v);
    return status;
  }
  if (c->json) return eas_print_json(v);
  if (letter == 'a')
    attempt_card(c, v);
  else if (letter == 't')
    task_card(c, v);
  else
    file_card(c, v);
  json_decref(v);
  return EAS_EXIT_OK;
}

static const eas_option OPTIONS[] = { { "--trace", NULL, NULL, "of an attempt only the error and its traceback" },
                                      { 0 } };

const eas_command eas_cmd_show = { .name = "show",
                                   .args = "ID",
                                   .summary =
                                       "all about an attempt (a533), task (t418), product (p77) or version (v91)",
                                   .detail = "",
                                   .examples = "  eas show a533\n  eas show a533 --trace",
                                   .groups = EAS_O_DATA | EAS_O_JSON,
                                   .options = OPTIONS,
                                   .min_args = 1,
                                   .max_args = 1,
                                   .run = cmd_show };
