#include "lightcurve/lc_names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Best first. Kepler, K2, TESS; then KSPSAP and DET (QLP), FCOR (K2SFF, EVEREST), CORFLUXS and the plain ones. */
static const char *const time_names[] = { "TIME", "T",  "BJD", "BTJD",     "BKJD", "BJD_TDB", "TIME_BJD",
                                          "HJD",  "JD", "MJD", "TMID_BJD", "DATE", "TIMES",   NULL };
static const char *const flux_names[] = { "PDCSAP_FLUX", "KSPSAP_FLUX", "DET_FLUX", "FCOR",      "CORR_FLUX",
                                          "FLUX_CORR",   "FLUX",        "SAP_FLUX", "FLUX_NORM", "NORM_FLUX",
                                          "REL_FLUX",    "RELFLUX",     "FLUXES",   "F",         NULL };
static const char *const err_names[] = { "FLUX_ERR", "FLUXERR", "FLUX_ERROR",  "E_FLUX", "FLUX_UNC", "ERR",
                                         "ERROR",    "SIGMA",   "UNCERTAINTY", "UNC",    NULL };
static const char *const flag_names[] = { "QUALITY", "SAP_QUALITY", "FLAG", "FLAGS", NULL };

static int find(const char *const *names, int n, const char *name)
{
  for (int i = 0; i < n; i++)
    if (strcasecmp(names[i], name) == 0) return i;
  return -1;
}

static int find_any(const char *const *names, int n, const char *const *known)
{
  for (; *known; known++) {
    int i = find(names, n, *known);
    if (i >= 0) return i;
  }
  return -1;
}

static int find_err(const char *const *names, int n, const char *flux)
{
  static const char *const endings[] = { "_ERR", "ERR", "_ERROR", NULL };
  for (int k = 0; endings[k]; k++) {
    char name[96];
    snprintf(name, sizeof name, "%.70s%s", flux, endings[k]);
    int i = find(names, n, name);
    if (i >= 0) return i;
  }
  /* the error of another flux is not this one's */
  return strcasecmp(flux, "SAP_FLUX") == 0 || strcasecmp(flux, "PDCSAP_FLUX") == 0 ? -1 : find_any(names, n, err_names);
}

/* "time,flux,flux_err" into at[]; the name that is missing into wanted. */
static int pick_listed(const char *const *names, int n, const char *list, int at[EAS_ROLES], char wanted[80])
{
  for (int role = EAS_ROLE_TIME; role <= EAS_ROLE_ERR && list; role++) {
    size_t len = strcspn(list, ",");
    snprintf(wanted, 80, "%.*s", (int)(len < 79 ? len : 79), list);
    at[role] = find(names, n, wanted);
    if (at[role] < 0) return role;
    list = list[len] ? list + len + 1 : NULL;
  }
  return 0;
}

int eas_lc_pick(const char *const *names, int n, const eas_lc_options *options, int at[EAS_ROLES], char wanted[80])
{
  for (int i = 0; i < EAS_ROLES; i++) at[i] = -1;
  at[EAS_ROLE_FLAG] = find_any(names, n, flag_names);
  if (options && options->columns) {
    int missing = pick_listed(names, n, options->columns, at, wanted);
    if (missing) return missing;
  }
  if (at[EAS_ROLE_TIME] < 0) at[EAS_ROLE_TIME] = find_any(names, n, time_names);
  if (at[EAS_ROLE_TIME] < 0) {
    snprintf(wanted, 80, "TIME");
    return EAS_ROLE_TIME;
  }
  if (at[EAS_ROLE_FLUX] < 0 && options && options->flux) {
    const char *flux = options->flux;
    if (strcasecmp(flux, "pdcsap") == 0 || strcasecmp(flux, "sap") == 0)
      snprintf(wanted, 80, "%s_FLUX", strcasecmp(flux, "sap") == 0 ? "SAP" : "PDCSAP");
    else
      snprintf(wanted, 80, "%s", flux);
    at[EAS_ROLE_FLUX] = find(names, n, wanted);
    if (at[EAS_ROLE_FLUX] < 0) return EAS_ROLE_FLUX;
  }
  if (at[EAS_ROLE_FLUX] < 0) at[EAS_ROLE_FLUX] = find_any(names, n, flux_names);
  if (at[EAS_ROLE_FLUX] < 0) {
    snprintf(wanted, 80, "FLUX");
    return EAS_ROLE_FLUX;
  }
  if (at[EAS_ROLE_ERR] < 0) at[EAS_ROLE_ERR] = find_err(names, n, names[at[EAS_ROLE_FLUX]]);
  return 0;
}

double eas_lc_time_unit(const char *unit)
{
  static const struct {
    const char *word;
    double days;
  } units[] = { { "", 1 },
                { "d", 1 },
                { "day", 1 },
                { "days", 1 },
                { "jd", 1 },
                { "s", 1 / 86400.0 },
                { "sec", 1 / 86400.0 },
                { "second", 1 / 86400.0 },
                { "seconds", 1 / 86400.0 },
                { "h", 1 / 24.0 },
                { "hr", 1 / 24.0 },
                { "hour", 1 / 24.0 },
                { "hours", 1 / 24.0 },
                { "min", 1 / 1440.0 },
                { "minute", 1 / 1440.0 },
                { "minutes", 1 / 1440.0 },
                { "ms", 1 / 86400e3 } };
  size_t len = strlen(unit);
  while (len > 0 && (unit[len - 1] == ' ' || unit[len - 1] == ']' || unit[len - 1] == ')')) len--;
  while (len > 0 && (*unit == ' ' || *unit == '[' || *unit == '(')) {
    unit++;
    len--;
  }
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strlen(units[i].word) == len && strncasecmp(unit, units[i].word, len) == 0) return units[i].days;
  /* "BJD - 2454833", "BTJD", "BJD - 2457000, days", "HJD", "MJD" count days */
  static const char *const dates[] = { "BJD", "BKJD", "BTJD", "HJD", "MJD", "JD", "TJD" };
  for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
    if (len >= strlen(dates[i]) && strncasecmp(unit, dates[i], strlen(dates[i])) == 0) return 1;
  return 0;
}
