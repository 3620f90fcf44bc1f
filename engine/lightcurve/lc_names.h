/* lc_names.h: which column is what, by its name. Private to lightcurve/. */
#ifndef EAS_LIGHTCURVE_LC_NAMES_H
#define EAS_LIGHTCURVE_LC_NAMES_H
#include "base/err.h"
#include "lightcurve/lc.h"

enum { EAS_ROLE_SKIP, EAS_ROLE_TIME, EAS_ROLE_FLUX, EAS_ROLE_ERR, EAS_ROLE_FLAG, EAS_ROLES };

/* Sets at[role] to an index into names[n], -1 where there is none. Returns 0, or the role that was asked for (by
 * options, NULL allowed) or is needed and missing, with its name in *wanted (borrowed, "time" "flux" if none
 * of the known names is there). */
int eas_lc_pick(const char *const *names, int n, const eas_lc_options *options, int at[EAS_ROLES], char wanted[80]);

/* Unit of time, a word as "d" "BJD - 2454833" "[s]": days in one of it; 0: not a unit of time. */
double eas_lc_time_unit(const char *unit);

#endif
