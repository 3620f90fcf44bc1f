/* lc_fits_fuzz.c: the FITS reader against any bytes; the last byte of the input chooses the options.
 *
 * Holds: no access outside (the sanitizers); what is read is in order; what is refused has a message. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lightcurve/lc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* cfitsio asks for what a header claims, and copes when it is not given. */
const char *__asan_default_options(void)
{
  return "allocator_may_return_null=1";
}

static void must(int ok)
{
  if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const eas_lc_options options[] = { { NULL, NULL, NULL },
                                            { "sap", "none", NULL },
                                            { NULL, "hard", "TIME,FLUX" } };
  if (size == 0) return 0;
  size_t n = size - 1;
  char *bytes = malloc(n ? n : 1);
  must(bytes != NULL);
  memcpy(bytes, data, n);
  eas_err err = { 0 };
  eas_lc *lc = NULL;
  int rc = eas_lc_parse_fits(&lc, bytes, n, "f", &options[data[n] % 3], &err);
  if (rc == 0) {
    const eas_lc_columns *c = &lc->c;
    double last = -INFINITY;
    must(c->n_rows == c->n + c->n_duplicate && json_is_object(lc->metadata));
    for (size_t i = 0; i < c->n; i++) {
      if (!isfinite(c->time[i]) || !isfinite(c->flux[i])) must(c->flag[i] & EAS_LC_BAD);
      if (!isfinite(c->time[i])) continue;
      must(c->time[i] > last);
      last = c->time[i];
    }
    eas_lc_free(lc);
  } else {
    must(rc < 0 && rc == err.code && err.text[0] && lc == NULL);
  }
  free(bytes);
  return 0;
}
