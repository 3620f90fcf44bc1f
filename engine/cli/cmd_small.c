/* cmd_small.c: eas registry, lua, search, version: thin faces of other parts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/ids.h"
#include "cli/table.h"

static int cmd_version(eas_cli *c)
{
  if (c->json)
    printf("{\"version\":\"%s\"}\n", EAS_VERSION);
  else
    printf("eas %s\n", EAS_VERSION);
  return EAS_EXIT_OK;
}

const eas_command eas_cmd_version = { .name = "version",
                                      .args = "",
                                      .summary = "prints the version",
                                      .detail = "",
                                      .examples = "",
                                      .groups = EAS_O_JSON,
                                      .max_args = 0,
                                      .run = cmd_version };

static int registry_check(eas_cli *c)
{
  int n = 0, bad = 0;
  eas_err err = { 0 };
  const eas_task_type *t = eas_registry_types(c->registry, &n);
  for (int i = 0; i < n; i++) {
    err = (eas_err){ 0 };
    if (eas_registry_usable(c->registry, &t[i], &err) >= 0) continue;
    fprintf(stderr, "%s\n", err.text);
    if (*err.hint) fprintf(stderr, "   %s\n", err.hint);
    bad++;
  }
  if (!c->json) printf("%d task types, %d cannot be used\n", n, bad);
  return bad ? EAS_EXIT_FAILED : EAS_EXIT_OK;
}

static json_t *type_json(const eas_task_type *t)
{
  json_t *containers = json_array();
  for (int i = 0; t->containers[i]; i++) json_array_append_new(containers, json_string(t->containers[i]));
  json_t *retry = json_array();
  char *words = eas_strdup(eas_retry_kinds()), *save = NULL;
  for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
    if (t->retry & eas_retry_kind(w)) json_array_append_new(retry, json_string(w));
  free(words);
  return json_pack("{s:s,s:s,s:o,s:f,s:i,s:i,s:o,s:f,s:i,s:f,s:f,s:b,s:b,s:b,s:s?,s:s?}", "name", t->name,
                   "description", t->description, "containers", containers, "timeout_seconds",
                   (double)t->timeout_ms / 1000, "max_attempts", t->max_attempts, "max_losses", t->max_losses, "retry",
                   retry, "retry_delay_seconds", (double)t->retry_delay_ms / 1000, "max_running", t->max_running,
                   "memory_gb", t->memory_gb, "cpu", t->cpu, "random", t->random, "reuse", t->reuse, "flow", t->flow,
                   "script", t->script, "qc", t->qc);
}

json_t *eas_registry_json(const eas_registry *r)
{
  int n = 0;
  const eas_task_type *types = eas_registry_types(r, &n);
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, type_json(&types[i]));
  return list;
}

static int registry_list(eas_cli *c)
{
  static const struct {
    const char *name;
    int flags;
  } columns[] = { { "type", 0 },
                  { "cpu", EAS_RIGHT },
                  { "memory_gb", EAS_RIGHT | EAS_MINOR },
                  { "timeout", EAS_RIGHT | EAS_MINOR },
                  { "description", 0 } };
  int n = 0;
  const eas_task_type *types = eas_registry_types(c->registry, &n);
  if (c->json) return eas_print_json(eas_registry_json(c->registry));
  eas_table *t = eas_table_new(c);
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) eas_table_column(t, columns[i].name, columns[i].flags);
  for (int i = 0; i < n; i++) {
    char limit[32];
    eas_duration_text(types[i].timeout_ms * 1000, limit);
    if (c->csv) snprintf(limit, sizeof limit, "%.3f", (double)types[i].timeout_ms / 1000);
    eas_table_cell(t, EAS_PLAIN, types[i].name);
    eas_table_cellf(t, EAS_PLAIN, "%g", types[i].cpu);
    eas_table_cellf(t, EAS_PLAIN, "%g", types[i].memory_gb);
    eas_table_cell(t, EAS_PLAIN, types[i].flow ? (c->csv ? "" : "-") : limit);
    eas_table_cell(t, EAS_PLAIN, types[i].description);
  }
  eas_table_print(t, "no task type is registered");
  return EAS_EXIT_OK;
}

static int cmd_registry(eas_cli *c)
{
  eas_err err = { 0 };
  int check = strcmp(c->args[0], "check") == 0;
  if (!check && strcmp(c->args[0], "list") != 0) return eas_cli_usage(c, "'%s' is neither check nor list", c->args[0]);
  if (eas_cli_open_registry(c, &err) < 0) {
    eas_cli_fail(c, &err);
    return EAS_EXIT_FAILED;
  }
  return check ? registry_check(c) : registry_list(c);
}

static const eas_option PACKS[] = { { "--task-path", "DIRS", "task_path", "packs beside the core, divided by ':'" },
                                    { 0 } };

const eas_command eas_cmd_registry = {
  .name = "registry",
  .args = "check|list",
  .summary = "checks or lists the task types and their limits",
  .detail = "check: exit 1 when a type lacks its task script or its QC script, or a file is wrong.",
  .examples = "",
  .groups = EAS_O_JSON | EAS_O_CSV,
  .options = PACKS,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_registry
};

static int cmd_lua(eas_cli *c)
{
  if (!c->runner->script) return eas_cli_usage(c, "this program was built without scripts");
  eas_err err = { 0 };
  if (eas_cli_readable(c->args, 1, &err) < 0) return eas_cli_fail(c, &err);
  return c->runner->script(c->runner->arg, eas_home_share(), (const char *const *)c->packs, c->n_args, c->args);
}

const eas_command eas_cmd_lua = { .name = "lua",
                                  .args = "FILE [ARG...]",
                                  .summary = "runs a Lua file with eas.* at hand, as you, not isolated",
                                  .detail = "",
                                  .examples = "  eas lua plot_folds.lua 2.2",
                                  .groups = 0,
                                  .options = PACKS,
                                  .min_args = 1,
                                  .max_args = -1,
                                  .run = cmd_lua };

static const eas_option SEARCH[] = {
  { "--method", "NAME", NULL,
    "bls, bls_kovacs, fbls, tls, qats, dst_v26, dst_v29, exotrans, or a pack's; default bls" },
  { "--settings", "JSON", NULL, "search settings as a JSON object" },
  { "--set", "NAME=VALUE", NULL, "one setting; may be repeated, wins over --settings" },
  { "--periodogram", "FILE", NULL, "write the periodogram (.fits, .txt, .txt.gz)" },
  { "--plot", "FILE", NULL, "write the folded light curve (.svg)" },
  { "--flux", "COLUMN", NULL, "pdcsap, sap or a column's name" },
  { "--quality", "MASK", NULL, "default, hard or none: which flagged samples are left out" },
  { "--columns", "LIST", NULL, "time,flux,flux_err: names (FITS) or numbers (text)" },
  { "--threads", "N", NULL, "threads (default: one per CPU)" },
  { "--task-path", "DIRS", "task_path", "packs beside the core, divided by ':'" },
  { 0 }
};

/* NAME=VALUE: a.b=V makes {"a": {"b": V}}; V is JSON if it parses, else a string. */
static int set_path(json_t *root, const char *text, eas_err *err)
{
  const char *eq = strchr(text, '=');
  if (!eq || eq == text) {
    eas_fail(err, EAS_EINVAL, "eas search: --set takes NAME=VALUE, not '%s'", text);
    return EAS_EINVAL;
  }
  char *path = eas_strdup(text), *save = NULL;
  path[eq - text] = 0;
  json_t *at = root, *value = json_loads(eq + 1, JSON_DECODE_ANY, NULL);
  if (!value) value = json_string(eq + 1);
  char *part = strtok_r(path, ".", &save);
  for (char *next = strtok_r(NULL, ".", &save); part && next; part = next, next = strtok_r(NULL, ".", &save)) {
    if (!json_is_object(json_object_get(at, part))) json_object_set_new(at, part, json_object());
    at = json_object_get(at, part);
  }
  if (part) json_object_set_new(at, part, value);
  free(path);
  return 0;
}

static int search_settings(const eas_cli *c, json_t **out, eas_err *err)
{
  const char *text = eas_cli_get(c, "--settings");
  *out = text ? eas_json_parse(text, strlen(text), "--settings", err) : json_object();
  if (!*out) return err->code;
  if (!json_is_object(*out)) return eas_fail(err, EAS_EINVAL, "eas search: --settings takes a JSON object");
  const char *one;
  int rc = 0;
  for (int i = 0; rc >= 0 && (one = eas_cli_nth(c, "--set", i)); i++) rc = set_path(*out, one, err);
  return rc;
}

static int cmd_search(eas_cli *c)
{
  eas_err err = { 0 };
  json_t *settings = NULL, *files = json_array();
  int64_t threads = 0;
  int rc = search_settings(c, &settings, &err);
  if (rc >= 0) rc = eas_cli_int(c, "--threads", eas_conf_int(c->conf, "slots"), &threads, &err);
  if (rc < 0) {
    json_decref(settings);
    json_decref(files);
    return eas_cli_fail(c, &err);
  }
  for (int i = 0; i < c->n_args; i++) json_array_append_new(files, json_string(c->args[i]));
  const char *method = eas_cli_get(c, "--method");
  json_t *q = json_pack("{s:o,s:s,s:o,s:b,s:b,s:b,s:b,s:i,s:I}", "files", files, "method", method ? method : "bls",
                        "settings", settings, "json", c->json, "color", c->color, "utf8", c->utf8, "progress",
                        c->progress && !c->json, "width", c->width, "threads", (json_int_t)threads);
  static const char *const names[] = { "periodogram", "plot", "flux", "quality", "columns" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char flag[32];
    snprintf(flag, sizeof flag, "--%s", names[i]);
    if (eas_cli_get(c, flag)) json_object_set_new(q, names[i], json_string(eas_cli_get(c, flag)));
  }
  char *text = json_dumps(q, JSON_COMPACT);
  int status = c->runner->search(c->runner->arg, eas_home_share(), (const char *const *)c->packs, text);
  free(text);
  json_decref(q);
  return status;
}

const eas_command eas_cmd_search = {
  .name = "search",
  .args = "LIGHTCURVE...",
  .summary = "searches light curves for transits, and says what it found",
  .detail = "Reads FITS (TESS, Kepler, K2, generic tables) and text. A weak peak is shown as not credible, exit 0.\n"
            "--json prints one line per light curve.",
  .examples =
      "  eas search kplr010666592-2009131110544_slc.fits --method bls\n  eas search *.fits --set period_min=1 --json",
  .groups = EAS_O_JSON,
  .options = SEARCH,
  .min_args = 1,
  .max_args = -1,
  .run = cmd_search
};
