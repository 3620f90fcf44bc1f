/* lc_fits_meta.c: what the headers of missions say, and which quality flags make a sample bad. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "lightcurve/lc_fits.h"
#include "lightcurve/number.h"

/* lightkurve's masks (its KeplerQualityFlags and TessQualityFlags; Kepler Archive Manual table 2-3,
 * TESS Science Data Products Description table 28): default = attitude tweak, safe mode, coarse point, Earth
 * point, desaturation, manual exclude (Kepler: detector anomaly, no data, thruster firing too); hard adds
 * sensitivity dropout, cosmic rays, possible thruster firing (TESS: cosmic rays, stray light).
 * Ours adds to both cosmic rays and impulsive outliers, single samples that look like events. */
enum {
  KEPLER_LIGHTKURVE = 1130799,
  KEPLER_SINGLE = 128 | 2048 | 8192,
  KEPLER_HARD = 1664431,
  TESS_LIGHTKURVE = 175,
  TESS_SINGLE = 64 | 512 | 1024,
  TESS_HARD = 7407
};

int eas_fits_mask(const eas_fits_table *t, const eas_lc_options *options, int64_t *mask, eas_err *err)
{
  static const int64_t masks[3][3] = { { -1, -1, -1 },
                                       { KEPLER_LIGHTKURVE, KEPLER_LIGHTKURVE | KEPLER_SINGLE,
                                         KEPLER_HARD | KEPLER_SINGLE },
                                       { TESS_LIGHTKURVE, TESS_LIGHTKURVE | TESS_SINGLE, TESS_HARD | TESS_SINGLE } };
  static const char *const names[] = { "lightkurve", "default", "hard" };
  const char *quality = options && options->quality ? options->quality : "default";
  if (strcmp(quality, "none") == 0) {
    *mask = 0;
    return 0;
  }
  for (int i = 0; i < 3; i++) {
    if (strcmp(quality, names[i]) == 0) {
      *mask = masks[t->mission][i];
      return 0;
    }
  }
  char *end;
  long long v = strtoll(quality, &end, 0);
  if (!eas_digit(*quality) || *end || v < 0) {
    int rc = eas_fail(err, EAS_EINVAL, "quality '%.40s': no such mask", quality);
    eas_hint(err, "use default, hard, none, lightkurve or a number");
    return rc;
  }
  *mask = v;
  return 0;
}

/* Header card to metadata, keeping its type; unset and absent cards leave nothing. */
static void copy_card(fitsfile *f, const char *card, const char *key, json_t *metadata)
{
  char value[FLEN_VALUE], text[FLEN_VALUE];
  int status = 0, bad = 0;
  char type = 0;
  if (fits_read_keyword(f, card, value, NULL, &status) || !value[0]) return;
  fits_get_keytype(value, &type, &status);
  if (status) return;
  if (type == 'C') {
    fits_read_key(f, TSTRING, card, text, NULL, &bad);
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == ' ') text[--n] = 0;
    if (!bad && n > 0) json_object_set_new(metadata, key, json_string(text));
  } else if (type == 'I') {
    LONGLONG whole = 0;
    fits_read_key(f, TLONGLONG, card, &whole, NULL, &bad);
    if (!bad) json_object_set_new(metadata, key, json_integer(whole));
  } else if (type == 'F') {
    double real = 0;
    fits_read_key(f, TDOUBLE, card, &real, NULL, &bad);
    if (!bad) json_object_set_new(metadata, key, json_real(real));
  }
}

static void copy_cards(fitsfile *f, json_t *metadata)
{
  static const char *const cards[][2] = {
    { "TELESCOP", "mission" }, { "MISSION", "mission" }, { "OBJECT", "object" },   { "KEPLERID", "targetid" },
    { "TICID", "targetid" },   { "OBSMODE", "obsmode" }, { "QUARTER", "quarter" }, { "CAMPAIGN", "campaign" },
    { "SECTOR", "sector" },    { "RA_OBJ", "ra" },       { "DEC_OBJ", "dec" },     { "TEFF", "teff" },
    { "LOGG", "logg" },        { "RADIUS", "radius" }
  };
  for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) copy_card(f, cards[i][0], cards[i][1], metadata);
}

/* The day that TIME counts from: BJDREFI + BJDREFF, else the number in a unit as "BJD - 2454833". */
static void time_system(const eas_fits_table *t, json_t *metadata)
{
  int status = 0;
  double whole = 0, part = 0;
  if (fits_read_key(t->f, TDOUBLE, "BJDREFI", &whole, NULL, &status)) {
    char key[FLEN_KEYWORD], unit[FLEN_VALUE] = "";
    status = 0;
    snprintf(key, sizeof key, "TUNIT%d", t->at[EAS_ROLE_TIME]);
    fits_read_key(t->f, TSTRING, key, unit, NULL, &status);
    const char *minus = strchr(unit, '-');
    if (status || strncasecmp(unit, "BJD", 3) != 0 || !minus) return;
    whole = strtod(minus + 1, NULL);
    if (!(whole > 0)) return;
  } else {
    fits_read_key(t->f, TDOUBLE, "BJDREFF", &part, NULL, &status);
  }
  double offset = whole + part;
  const char *name = offset == 2454833 ? "BKJD" : offset == 2457000 ? "BTJD" : "BJD";
  json_object_set_new(metadata, "time_system", json_string(name));
  json_object_set_new(metadata, "time_offset", json_real(offset));
}

/* Our own card, if there: the metadata are what it says and nothing else. */
static int own_metadata(eas_fits_table *t, json_t *metadata, eas_err *err)
{
  char *text = NULL;
  int status = 0;
  fits_read_key_longstr(t->f, EAS_FITS_META, &text, NULL, &status);
  if (status || !text) {
    fits_clear_errmsg();
    return 0;
  }
  eas_err why = { 0 };
  json_t *own = eas_json_parse(text, strlen(text), EAS_FITS_META, &why);
  fits_free_memory(text, &status);
  if (!json_is_object(own)) {
    json_decref(own);
    return eas_fail(err, EAS_EFORMAT, "%s: HDU %d: card " EAS_FITS_META " holds no JSON object%s%s", t->name, t->hdu,
                    why.text[0] ? ": " : "", why.text);
  }
  json_object_update(metadata, own);
  json_decref(own);
  t->own = 1;
  return 1;
}

int eas_fits_metadata(eas_fits_table *t, json_t *metadata, eas_err *err)
{
  int own = own_metadata(t, metadata, err);
  if (own != 0) return own < 0 ? own : 0;
  int status = 0;
  fits_movabs_hdu(t->f, 1, NULL, &status);
  copy_cards(t->f, metadata);
  fits_movabs_hdu(t->f, t->hdu + 1, NULL, &status);
  if (status) return eas_fits_fail(t, status, "header", err);
  json_t *table = json_object();
  copy_cards(t->f, table);
  json_object_update_missing(metadata, table);
  json_decref(table);
  fits_clear_errmsg();

  const char *mission = eas_json_str(metadata, "mission");
  if (mission && (strcasecmp(mission, "Kepler") == 0 || strcasecmp(mission, "K2") == 0))
    t->mission = EAS_MISSION_KEPLER;
  else if (mission && strcasecmp(mission, "TESS") == 0)
    t->mission = EAS_MISSION_TESS;
  time_system(t, metadata);
  json_object_set_new(metadata, "flux_column", json_string(t->flux_name));
  json_object_set_new(metadata, "format", json_string("fits"));
  return 0;
}
