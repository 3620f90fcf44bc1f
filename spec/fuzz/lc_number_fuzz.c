/* lc_number_fuzz.c: the number parser against any text: it and strtod agree to the bit, or it refuses. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lightcurve/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);
  if (!text) abort();
  memcpy(text, data, size);
  text[size] = 0;
  double got = 0;
  if (eas_number_parse(text, size, &got) == 0) {
    char *end;
    double want = strtod(text, &end);
    if (end != text + size) abort();
    if (isnan(want) ? !isnan(got) : memcmp(&want, &got, sizeof got) != 0) abort();
  }
  free(text);
  return 0;
}
