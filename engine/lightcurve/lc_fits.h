/* lc_fits.h: the parts of the FITS reader. Private to lightcurve/. */
#ifndef EAS_LIGHTCURVE_LC_FITS_H
#define EAS_LIGHTCURVE_LC_FITS_H
#include <fitsio.h>
#include "base/buf.h"
#include "lightcurve/lc.h"
#include "lightcurve/lc_names.h"
#include "lightcurve/lc_private.h"

#define EAS_FITS_META "EASMETA" /* long string card: the metadata as JSON */

enum { EAS_MISSION_NONE, EAS_MISSION_KEPLER, EAS_MISSION_TESS };

typedef struct {
  const char *mem; /* NULL: fd */
  int fd;
  int64_t size;
} eas_fits_source;

typedef struct {
  fitsfile *f;
  const char *name; /* of the file, for errors */
  int hdu;          /* of the table; the primary is 0, as astropy counts */
  int mission;
  int own;    /* made by eas_lc_write: QUALITY holds our flags */
  int binary; /* a BINTABLE */
  int64_t rows;
  double unit;       /* days in one of TIME */
  int at[EAS_ROLES]; /* column numbers from 1; 0: none */
  char flux_name[72];
  int n_hdu;     /* HDUs at the start of the file that are well-formed and whole */
  char why[160]; /* what is wrong with the next one; empty if there is none */
} eas_fits_table;

/* Sets t->n_hdu > 0 and t->why. EAS_EFORMAT if not even the first HDU is good. */
int eas_fits_check(eas_fits_table *t, const eas_fits_source *src, eas_err *err);

/* "NAME: HDU 1: WHAT: cfitsio's words" */
int eas_fits_fail(const eas_fits_table *t, int status, const char *what, eas_err *err);
/* Into metadata: what the primary header and the table's tell; sets mission and own. */
int eas_fits_metadata(eas_fits_table *t, json_t *metadata, eas_err *err);
/* Mask of options->quality for the mission; 0: none, -1: any flag. */
int eas_fits_mask(const eas_fits_table *t, const eas_lc_options *options, int64_t *mask, eas_err *err);

/* All rows into the columns of lc, which have room; looked at (eas_lc_look). */
int eas_fits_rows(eas_fits_table *t, eas_lc *lc, int64_t mask, eas_lc_order *order, eas_err *err);

#endif
