/* registry_fuzz.c: registry files against any bytes.
 *
 * Holds: no access outside, nothing leaks; an error has a message of one line that names the file; what is read has
 * names, limits and containers that are in their bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "registry/raw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char FILE_NAME[] = "r.xml", PACK[] = "/nonexistent";

static void must(int ok)
{
  if (!ok) abort();
}

static void check_types(const eas_registry *r)
{
  int n, n_container;
  const eas_task_type *types = eas_registry_types(r, &n);
  eas_registry_containers(r, &n_container);
  for (int i = 0; i < n; i++) {
    const eas_task_type *t = &types[i];
    must(eas_registry_type(r, t->name) == t);
    must(i == 0 || strcmp(types[i - 1].name, t->name) < 0);
    must(strlen(t->name) >= 1 && strlen(t->name) <= 64 && !strchr(t->name, '/'));
    must(t->timeout_ms > 0 && t->max_attempts >= 1 && t->cpu > 0 && t->memory_gb > 0 && t->line >= 1);
    for (int k = 0; t->containers[k]; k++) must(k < n_container && eas_registry_container(r, t->containers[k]) != NULL);
    must(eas_registry_usable(r, t, NULL) == (t->flow ? 0 : EAS_ENOENT));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static eas_registry_schema *schema;
  static const char *const packs[] = { PACK, NULL };
  if (!schema) must(eas_registry_schema_new(&schema, NULL) == 0);
  eas_err err = { 0 };
  eas_registry *r = eas_alloc(sizeof *r);
  int rc = eas_registry_add(r, schema, FILE_NAME, PACK, (const char *)data, size, &err);
  if (rc == 0) rc = eas_registry_resolve(r, packs, &err);
  if (rc == 0)
    check_types(r);
  else
    must(rc == err.code && rc != EAS_EBUG && strncmp(err.text, "r.xml:", 6) == 0 && !strchr(err.text, '\n'));
  eas_registry_close(r);
  return 0;
}
