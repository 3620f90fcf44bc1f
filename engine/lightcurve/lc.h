/* lc.h: light curves in memory and in files.
 *
 * Columns are contiguous: time in days, flux relative (as found), flux_err, flag bits. Reading never
 * drops rows silently: non-finite samples keep their place and get EAS_LC_BAD; kernels get
 * what eas_lc_clean leaves. Metadata is one JSON object (settings of a synthesis, mission, object,
 * time system "BTJD" "BKJD" "BJD", time_offset, flux column chosen, ...). Owns its memory. */
#ifndef EAS_LIGHTCURVE_LC_H
#define EAS_LIGHTCURVE_LC_H
#ifndef EAS_CDEF
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#endif

enum { EAS_LC_MAX_ROWS = 50000000 }; /* more is refused: 28 bytes a row */
enum { EAS_LC_BAD = 1, EAS_LC_MASK_UPDATE = 2, EAS_LC_GAP = 4, EAS_LC_OUTLIER = 8, EAS_LC_EDGE = 16 };

typedef struct {
  size_t n;
  double *time;       /* [n] day, finite where not EAS_LC_BAD; not decreasing */
  double *flux;       /* [n] may be NaN where EAS_LC_BAD */
  double *flux_err;   /* [n] NaN where unknown */
  uint32_t *flag;     /* [n] EAS_LC_* bits */
  size_t n_rows;      /* rows in the file, before duplicates were dropped */
  size_t n_duplicate; /* equal times dropped (first kept) */
} eas_lc_columns;

#ifndef EAS_CDEF
typedef struct {
  eas_lc_columns c;
  json_t *metadata; /* object, never NULL */
} eas_lc;

typedef struct {
  const char *flux;    /* "pdcsap" "sap" or a column's name; NULL: the best there is */
  const char *quality; /* "default" "hard" "none"; NULL: default */
  const char *columns; /* "time,flux,flux_err": names (FITS) or 1-based numbers (text); NULL: found */
} eas_lc_options;

int eas_lc_new(eas_lc **out, size_t n, eas_err *err); /* zeroed columns, flux_err NaN */
void eas_lc_free(eas_lc *lc);                         /* NULL is fine */

/* Metadata of what was read, where the file tells: format ("fits" "prototype" "lcsg" "text"), mission, object, targetid,
 * obsmode, quarter/campaign/sector, ra, dec, teff, logg, radius, flux_column, quality_mask, time_system, time_offset
 * (added to time gives the Julian date), time_sorted, flags_repaired. A FITS file that eas_lc_write made gives back
 * the metadata it was given, nothing else.
 *
 * quality is "none" (no mask), "lightkurve" (its default mask), "default" (that, cosmic rays and impulsive
 * outliers), "hard" (also lightkurve's hard mask) or a number, the mask itself; masked samples get EAS_LC_BAD. Where the
 * mission is not known any flag but 0 does, unless "none". Text: flux is ignored; columns count in days unless the
 * header says [s].
 *
 * Equal times: the first is kept. Decreasing times: refused in text, sorted in FITS.
 *
 * Large gzip text is inflated by a thread that lives for the call, if one is to be had.
 *
 * Reads by content, not by name: FITS (TESS, Kepler/K2, generic tables), gzip or plain text: the
 * prototype's four columns in seconds, the stitching group's "time[d],flux,flag" with "# #key=value", or
 * two or three plain columns. options may be NULL. Errors name file, HDU or line, and the remedy. */
int eas_lc_read(eas_lc **out, const char *path, const eas_lc_options *options, eas_err *err);
int eas_lc_read_fits(eas_lc **out, const char *path, const eas_lc_options *options, eas_err *err);
int eas_lc_read_text(eas_lc **out, const char *path, const eas_lc_options *options, eas_err *err);
/* The same from bytes in memory (fuzzing, pipes). */
int eas_lc_parse_text(eas_lc **out, const char *bytes, size_t n, const char *name, const eas_lc_options *options,
                      eas_err *err);
int eas_lc_parse_fits(eas_lc **out, const char *bytes, size_t n, const char *name, const eas_lc_options *options,
                      eas_err *err);

/* [metadata] of PATH.metadata.cfg, the prototype's description of an input, as one JSON object (an empty one
 * when there is no such file). Whole numbers become integers, other numbers reals, all else strings. */
int eas_lc_read_sidecar(const char *path, json_t **out, eas_err *err);

/* The ending picks the format: .gz .txt .txt.gz the prototype's text, else a FITS binary table. Not atomic: scratch only.
 * Both give back the same doubles and flags; FITS the same metadata too, text none but the columns. */
int eas_lc_write(const eas_lc *lc, const char *path, eas_err *err);

/* Keeps t0 <= t < t0 + duration, t0 the first time. New light curve, metadata shared by copy. */
int eas_lc_truncate(eas_lc **out, const eas_lc *lc, double duration, eas_err *err);
/* Copy without samples that are flagged EAS_LC_BAD, non-finite or duplicate. */
int eas_lc_clean(eas_lc **out, const eas_lc *lc, eas_err *err);
#endif

#endif
