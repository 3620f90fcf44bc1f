/* expr_fuzz.c: expressions against any text; the first byte chooses the scope.
 *
 * Holds: an error has a message of one line and a column in the text; a value can be written and its text is bounded;
 * the same text in the same scope gives the same, and draws as many random numbers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DRY = 1, PROTOTYPE = 2, REQUESTED = 4, NO_INFO = 8 };

static const char METADATA[] =
    "{\"size\": 1.5, \"size_index\": 3, \"name\": \"n\xc3\xa9\", \"list\": [1, [2.5, \"x\"], {\"k\": null}], \"yes\": "
    "true,"
    " \"later\": null, \"big\": 9223372036854775807, \"low\": -9223372036854775808, \"tiny\": 5e-324}";
static const char RESULTS[] = "{\"detect\": {\"outcome\": \"PASS\", \"sde\": 9.25}, \"none\": null}";

static void must(int ok)
{
  if (!ok) abort();
}

static json_t *parsed(const char *text)
{
  eas_err err;
  json_t *v = eas_json_parse(text, strlen(text), "fuzz", &err);
  must(v != NULL);
  return v;
}

static json_t *evaluate(const char *text, unsigned flags, uint64_t *draws, eas_expr_info *info, eas_err *err)
{
  static json_t *metadata, *results;
  if (!metadata) {
    metadata = parsed(METADATA);
    results = parsed(RESULTS);
  }
  eas_expr_scope scope = { .metadata = metadata, .seed = 7 };
  scope.requested_metadata = flags & REQUESTED ? results : NULL;
  scope.dry = (flags & DRY) != 0;
  scope.prototype_names = (flags & PROTOTYPE) != 0;
  json_t *out = NULL;
  int rc = eas_expr_eval(text, &scope, &out, flags & NO_INFO ? NULL : info, err);
  *draws = scope.draws;
  must((rc < 0) == (out == NULL));
  must(rc == 0 || (rc == err->code && rc != EAS_EBUG));
  return out;
}

static void check_error(const char *text, unsigned flags, const eas_expr_info *info, const eas_err *err)
{
  must(err->text[0] && !strchr(err->text, '\n'));
  if (flags & NO_INFO) return;
  must(info->column >= 1 && (size_t)info->column <= strlen(text) + 1 && info->length >= 1);
}

static void check_value(const json_t *v)
{
  char *text = eas_expr_text(v, 1), *canonical = eas_json_canonical(v);
  must(canonical[0] != 0);
  (void)eas_expr_truth(v);
  free(text);
  free(canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1) return 0;
  unsigned flags = data[0];
  char *text = malloc(size);
  must(text != NULL);
  memcpy(text, data + 1, size - 1);
  text[size - 1] = 0;
  uint64_t draws, again;
  eas_err err = { 0 };
  eas_expr_info info = { 0 };
  json_t *v = evaluate(text, flags, &draws, &info, &err), *second = evaluate(text, flags, &again, &info, &err);
  must((v == NULL) == (second == NULL) && draws == again);
  if (v) {
    must(json_equal(v, second));
    check_value(v);
  } else {
    check_error(text, flags, &info, &err);
  }
  json_decref(v);
  json_decref(second);
  free(text);
  return 0;
}
