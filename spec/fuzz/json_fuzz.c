/* json_fuzz.c: the JSON reader against any bytes.
 *
 * Holds: what parses has a canonical text that parses to the same text; what does not has a message with a place inside
 * the text; every value that eas_json_at finds, eas_json_where finds too. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
  if (!ok) abort();
}

/* The places of an array's items and an object's values, one level down. */
static void check_places(json_t *v, const char *text, size_t size)
{
  int line, column;
  char path[64];
  must(eas_json_where(text, size, "$", 0, &line, &column) == 0);
  for (size_t i = 0; i < json_array_size(v) && i < 8; i++) {
    snprintf(path, sizeof path, "$[%zu]", i);
    must(eas_json_at(v, path) == json_array_get(v, i));
    must(eas_json_where(text, size, path, 0, &line, &column) == 0 && line > 0 && column > 0);
  }
  for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
    json_t *key = json_string(json_object_iter_key(it));
    char *quoted = json_dumps(key, JSON_ENCODE_ANY), *full = eas_format("$[%s]", quoted);
    must(eas_json_at(v, full) == json_object_iter_value(it));
    must(eas_json_where(text, size, full, 1, &line, &column) == 0 && line > 0 && column > 0);
    free(full);
    free(quoted);
    json_decref(key);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  /* not zero-terminated: a read past the end shows */
  char *text = malloc(size ? size : 1);
  must(text != NULL);
  if (size) memcpy(text, data, size);
  eas_err err = { 0 };
  json_t *v = eas_json_parse(text, size, "f", &err);
  if (v) {
    char *once = eas_json_canonical(v);
    json_t *again = eas_json_parse(once, strlen(once), "canonical", &err);
    must(again != NULL);
    char *twice = eas_json_canonical(again);
    must(strcmp(once, twice) == 0);
    if (size < 3 || memcmp(text, "\xef\xbb\xbf", 3) != 0) check_places(v, text, size);
    free(twice);
    free(once);
    json_decref(again);
    json_decref(v);
  } else {
    must(err.code == EAS_EFORMAT && strncmp(err.text, "f:", 2) == 0);
  }
  free(text);
  return 0;
}
