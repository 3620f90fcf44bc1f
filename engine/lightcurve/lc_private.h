/* lc_private.h: what the files of lightcurve/ share. */
#ifndef EAS_LIGHTCURVE_LC_PRIVATE_H
#define EAS_LIGHTCURVE_LC_PRIVATE_H
#include <math.h>

#include "lightcurve/lc.h"
#include "lightcurve/lc_bytes.h"

/* Room for cap rows; n stays. 0 or EAS_ENOMEM. */
int eas_lc_resize(eas_lc *lc, size_t cap);
typedef struct {
  double last;   /* latest time so far */
  int backwards; /* a time was before the latest */
  int equal;     /* or the same */
} eas_lc_order;
#define EAS_LC_ORDER                                                                                                   \
  {                                                                                                                    \
    -INFINITY, 0, 0                                                                                                    \
  }

/* Rows [from, to), just read and still in the cache: flags what is not finite, makes all NaNs one, notes the order. */
void eas_lc_look(eas_lc_columns *c, size_t from, size_t to, eas_lc_order *order);
/* After all rows were looked at: sorts, drops equal times, counts. */
int eas_lc_settle(eas_lc *lc, const eas_lc_order *order, eas_err *err);

/* The prototype's seconds are days * 86400, rounded: times within 1e-9 d of a whole number of steps become that. */
void eas_lc_snap(eas_lc_columns *c);

int eas_lc_text_bytes(eas_lc **out, eas_bytes *bytes, const eas_lc_options *options, eas_err *err);
/* path is what cfitsio opens if the bytes are not gzip. */
int eas_lc_fits_bytes(eas_lc **out, eas_bytes *bytes, const char *path, const eas_lc_options *options, eas_err *err);

int eas_lc_write_text(const eas_lc *lc, const char *path, int gzip, eas_err *err);
int eas_lc_write_fits(const eas_lc *lc, const char *path, eas_err *err);

#endif
