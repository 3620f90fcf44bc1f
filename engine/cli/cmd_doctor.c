/* cmd_doctor.c: eas doctor: what is configured, what the machine allows, versions. */
#include <fitsio.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/commands.h"
#include "sandbox/sandbox.h"
#include "queue/queue.h"

typedef struct {
  eas_cli *c;
  json_t *out;
  int bad;
} doctor;

static void mark(const doctor *d, int ok, const char *text)
{
  const char *symbol = d->c->utf8 ? (ok ? "✓" : "✗") : ok ? "+" : "x";
  printf("%s%s%s %s", eas_ink(d->c, ok ? EAS_GREEN : EAS_RED), symbol, eas_ink_off(d->c), text);
}

static void check_service(doctor *d, json_t *list, const char *name, const char *text, int ok, const char *problem)
{
  json_array_append_new(list,
                        json_pack("{s:s,s:s,s:b,s:s?}", "name", name, "what", text, "ok", ok, "problem", problem));
  if (!ok) d->bad = 1;
}

/* A broker is one that answers. */
static void check_queue(doctor *d, json_t *list)
{
  eas_cli *c = d->c;
  eas_err err = { 0 };
  eas_queue *q = NULL;
  char *url = eas_conf_shown(c->conf, "queue"), *text = eas_format("queue %s", url);
  const char *whole = eas_conf_str(c->conf, "queue");
  int rc = strcmp(whole, "sql:") == 0 ? 0 : eas_queue_open(&q, whole, c->db, &err);
  check_service(d, list, "queue", text, rc >= 0, rc < 0 ? err.text : NULL);
  eas_queue_close(q);
  free(text);
  free(url);
}

/* An object store is one that answers to our keys; a folder has room. */
static void check_store(doctor *d, json_t *list)
{
  eas_cli *c = d->c;
  eas_err err = { 0 };
  const char *store = eas_conf_str(c->conf, "store");
  char *text = NULL, size[32];
  int is_url = eas_store_is_url(store), rc = 0;
  if (!is_url && !eas_path_exists(store)) {
    text = eas_format("store %s (none yet)", store);
  } else {
    rc = eas_cli_open_store(c, &err);
    if (rc >= 0) rc = eas_store_probe(c->store, &err);
    if (rc >= 0) eas_size_text(eas_store_free_bytes(c->store), size);
    text = rc < 0   ? eas_format("store %s", store)
           : is_url ? eas_format("store %s, cache %s free", eas_store_where(c->store), size)
                    : eas_format("store %s free", size);
  }
  check_service(d, list, "store", text, rc >= 0, rc < 0 ? err.text : NULL);
  free(text);
}

static void services(doctor *d)
{
  eas_cli *c = d->c;
  json_t *list = json_array();
  eas_err err = { 0 };
  char text[700];
  char *url = eas_conf_shown(c->conf, "database");
  int found = 0, newest = 0, exists = 1;
  if (strncmp(url, "sqlite:", 7) == 0 && !eas_path_exists(url + 7)) exists = 0;
  int rc = exists ? eas_cli_open_db(c, EAS_DB_READ, &err) : 0;
  if (exists && rc >= 0) rc = eas_db_schema(c->db, &found, &newest, &err);
  if (!exists)
    snprintf(text, sizeof text, "%s (none yet)", url);
  else
    snprintf(text, sizeof text, "%s schema %d", url, found);
  check_service(d, list, "database", text, rc >= 0, rc < 0 ? err.text : NULL);
  free(url);
  check_queue(d, list);
  check_store(d, list);
  json_object_set_new(d->out, "services", list);
}

static void isolation(doctor *d)
{
  eas_probe p;
  unsigned require = 0;
  eas_err err = { 0 };
  eas_sandbox_probe(&p);
  if (eas_layer_parse(eas_conf_str(d->c->conf, "require"), &require, &err) < 0) d->bad = 1;
  json_t *list = json_array();
  for (int i = 0; i < EAS_LAYER_COUNT; i++) {
    unsigned bit = 1u << i;
    int on = (p.layers & bit) != 0;
    if ((require & bit) && !on) d->bad = 1;
    json_array_append_new(list, json_pack("{s:s,s:b,s:b,s:s?}", "name", eas_layer_name((int)bit), "on", on, "required",
                                          (require & bit) != 0, "reason", on ? NULL : p.reason[i]));
  }
  json_object_set_new(d->out, "isolation", list);
  json_object_set_new(d->out, "landlock_abi", json_integer(p.landlock_abi));
}

static void registry(doctor *d)
{
  eas_err err = { 0 };
  int n = 0, bad = 0;
  if (eas_cli_open_registry(d->c, &err) < 0) {
    json_object_set_new(d->out, "registry", json_pack("{s:b,s:s}", "ok", 0, "problem", err.text));
    d->bad = 1;
    return;
  }
  const eas_task_type *t = eas_registry_types(d->c->registry, &n);
  for (int i = 0; i < n; i++) bad += eas_registry_usable(d->c->registry, &t[i], NULL) < 0;
  if (bad) d->bad = 1;
  json_object_set_new(d->out, "registry", json_pack("{s:b,s:i,s:i}", "ok", bad == 0, "types", n, "unusable", bad));
}

static void versions(doctor *d)
{
  float fits = 0;
  char fits_text[16];
  fits_get_version(&fits);
  snprintf(fits_text, sizeof fits_text, "%.2f", (double)fits);
  json_object_set_new(d->out, "versions",
                      json_pack("{s:s,s:s,s:s,s:s}", "eas", EAS_VERSION, "LuaJIT",
                                d->c->runner->version ? d->c->runner->version : "-", "SQLite", sqlite3_libversion(),
                                "cfitsio", fits_text));
}

static void configuration(doctor *d)
{
  int n = 0;
  const eas_conf_key *keys = eas_conf_keys(&n);
  json_t *list = json_array();
  for (int i = 0; i < n; i++) {
    if (strcmp(keys[i].type, "secret") == 0) continue;
    char *shown = eas_conf_shown(d->c->conf, keys[i].name);
    json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "key", keys[i].name, "value", shown, "source",
                                          eas_conf_source(d->c->conf, keys[i].name)));
    free(shown);
  }
  json_object_set_new(d->out, "configuration", list);
}

static void print_services(const doctor *d)
{
  size_t i;
  json_t *v;
  printf("services  ");
  json_array_foreach(json_object_get(d->out, "services"), i, v)
  {
    if (i) printf("  ");
    mark(d, json_is_true(json_object_get(v, "ok")), eas_json_str(v, "what"));
  }
  printf("\n");
  json_array_foreach(json_object_get(d->out, "services"), i, v) if (eas_json_str(v, "problem"))
      printf("          %s\n", eas_json_str(v, "problem"));
}

static void print_isolation(const doctor *d)
{
  size_t i, column = 10;
  json_t *v;
  printf("isolation ");
  json_array_foreach(json_object_get(d->out, "isolation"), i, v)
  {
    const char *name = eas_json_str(v, "name");
    if (column + strlen(name) + 4 > 100) {
      printf("\n          ");
      column = 10;
    }
    mark(d, json_is_true(json_object_get(v, "on")), name);
    printf("  ");
    column += strlen(name) + 4;
  }
  printf("\n");
  int missing = 0;
  json_array_foreach(json_object_get(d->out, "isolation"), i, v)
  {
    if (json_is_true(json_object_get(v, "on"))) continue;
    printf("          %s: %s%s\n", eas_json_str(v, "name"), eas_json_str(v, "reason"),
           json_is_true(json_object_get(v, "required")) ? " (required: no worker starts)" : "");
    missing |= json_is_true(json_object_get(v, "required"));
  }
  printf("          `require` (%s): %s\n", eas_conf_str(d->c->conf, "require"),
         missing ? "not all there" : "all there");
}

static void print_rest(const doctor *d)
{
  json_t *v = json_object_get(d->out, "versions"), *r = json_object_get(d->out, "registry");
  printf("versions  eas %s  LuaJIT %s  SQLite %s  cfitsio %s    ", eas_json_str(v, "eas"), eas_json_str(v, "LuaJIT"),
         eas_json_str(v, "SQLite"), eas_json_str(v, "cfitsio"));
  char text[200];
  if (eas_json_str(r, "problem"))
    snprintf(text, sizeof text, "registry: %s", eas_json_str(r, "problem"));
  else
    snprintf(text, sizeof text, "registry %d types%s", (int)eas_json_int(r, "types", 0),
             eas_json_int(r, "unusable", 0) ? ": eas registry check" : "");
  mark(d, json_is_true(json_object_get(r, "ok")), text);
  printf("\n");
  size_t i;
  json_array_foreach(json_object_get(d->out, "configuration"), i, v)
  {
    int set = strcmp(eas_json_str(v, "source"), "default") != 0;
    if (set || d->c->verbose)
      printf("%s  %-24s %s   (%s)\n", "config  ", eas_json_str(v, "key"), eas_json_str(v, "value"),
             eas_json_str(v, "source"));
  }
}

static int cmd_doctor(eas_cli *c)
{
  doctor d = { .c = c, .out = json_object() };
  services(&d);
  isolation(&d);
  registry(&d);
  versions(&d);
  configuration(&d);
  json_object_set_new(d.out, "ok", json_boolean(!d.bad));
  if (c->json) {
    json_dumpf(d.out, stdout, JSON_COMPACT);
    fputc('\n', stdout);
  } else {
    print_services(&d);
    print_isolation(&d);
    print_rest(&d);
  }
  json_decref(d.out);
  return d.bad ? EAS_EXIT_FAILED : EAS_EXIT_OK;
}

const eas_command eas_cmd_doctor = { .name = "doctor",
                                     .args = "",
                                     .summary = "says what is configured, what this machine allows, and versions",
                                     .detail = "Tries each isolation layer, and says why one is missing. --verbose "
                                               "lists every configuration key.\nExit 1 when something is wrong.",
                                     .examples = "",
                                     .groups = EAS_O_DATA | EAS_O_WORK | EAS_O_JSON,
                                     .max_args = 0,
                                     .run = cmd_doctor };
