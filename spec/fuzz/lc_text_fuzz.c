/* lc_text_fuzz.c: the text reader (plain and gzip) against any bytes.
 *
 * Holds: no access outside (the sanitizers); what is read has finite, increasing times where it is not flagged, counts that
 * add up and plain NaNs; what is refused has a message that names the file. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lightcurve/lc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
  if (!ok) abort();
}

static void check(const eas_lc *lc)
{
  const eas_lc_columns *c = &lc->c;
  must(c->n_rows == c->n + c->n_duplicate && json_is_object(lc->metadata));
  double last = -INFINITY;
  for (size_t i = 0; i < c->n; i++) {
    if (!isfinite(c->time[i]) || !isfinite(c->flux[i])) must(c->flag[i] & EAS_LC_BAD);
    if (!isfinite(c->time[i])) continue;
    must(c->time[i] > last);
    last = c->time[i];
  }
  eas_lc *clean;
  must(eas_lc_clean(&clean, lc, NULL) == 0 && clean->c.n <= c->n);
  eas_lc_free(clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const eas_lc_options options[] = { { NULL, NULL, NULL },
                                            { NULL, "none", "2,1" },
                                            { NULL, NULL, "time,flux,flux_err" } };
  /* not zero-terminated: a read past the end shows */
  char *text = malloc(size ? size : 1);
  must(text != NULL);
  if (size) memcpy(text, data, size);
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    eas_err err = { 0 };
    eas_lc *lc = NULL;
    int rc = eas_lc_parse_text(&lc, text, size, "f", &options[i], &err);
    if (rc == 0) {
      check(lc);
      eas_lc_free(lc);
    } else {
      must(rc < 0 && rc == err.code && strncmp(err.text, "f:", 2) == 0 && lc == NULL);
    }
  }
  free(text);
  return 0;
}
