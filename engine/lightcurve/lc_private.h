/* lc_private.h: what the files of lightcurve/ share. */
#ifndef EAS_LIGHTCURVE_LC_PRIVATE_H
#define EAS_LIGHTCURVE_LC_PRIVATE_H
#include "lightcurve/lc.h"
#include "lightcurve/lc_bytes.h"

/* Room for cap rows; n stays. 0 or EAS_ENOMEM. */
int eas_lc_resize(eas_lc *lc, size_t cap);
/* After n rows were read: flags what is not finite, sorts, drops equal times, counts. */
int eas_lc_settle(eas_lc *lc, eas_err *err);

int eas_lc_text_bytes(eas_lc **out, eas_bytes *bytes, const eas_lc_options *options, eas_err *err);
/* path is what cfitsio opens if the bytes are not gzip. */
int eas_lc_fits_bytes(eas_lc **out, eas_bytes *bytes, const char *path, const eas_lc_options *options, eas_err *err);

int eas_lc_write_text(const eas_lc *lc, const char *path, int gzip, eas_err *err);
int eas_lc_write_fits(const eas_lc *lc, const char *path, eas_err *err);

#endif
