/* lc_text.h: what the lines of a text light curve mean. Private to lightcurve/. */
#ifndef EAS_LIGHTCURVE_LC_TEXT_H
#define EAS_LIGHTCURVE_LC_TEXT_H
#include "lightcurve/lc.h"
#include "lightcurve/lc_names.h"

/* First line of our own files: flags are real, times exact. */
#define EAS_TEXT_MARK "# eas light curve: time[s] flux flag flux_err"

enum { EAS_TEXT_COLUMNS = 64 };
enum { EAS_TEXT_OWN = 1, EAS_TEXT_PROTOTYPE, EAS_TEXT_LCSG, EAS_TEXT_PLAIN };

typedef struct {
  int kind; /* EAS_TEXT_..., 0: not known yet */
  int n_columns;
  int comma;
  int seconds;
  double unit; /* days in one of time, if not seconds */
  int third;   /* role of a nameless third column after commas is settled at the end */
  unsigned char role[EAS_TEXT_COLUMNS];
} eas_text_format;

typedef struct {    /* what stands above the first row */
  const char *name; /* of the file, for errors */
  const eas_lc_options *options;
  json_t *metadata; /* borrowed: lines "# #key=value" go there */
  int own;
  int has_pairs;
  int has_names;   /* names[] come from a line of names that is no comment */
  char line[1024]; /* last comment, or the line of names */
} eas_text_head;

/* A comment line [p, end), '#' first. */
void eas_text_comment(eas_text_head *h, const char *p, const char *end);
/* Decides from the first row [p, end), which is number line_no. */
int eas_text_decide(const eas_text_head *h, const char *p, const char *end, size_t line_no, eas_text_format *out,
                    eas_err *err);
/* 1 if a line is names of columns, not numbers: it is then kept in h. */
int eas_text_names(eas_text_head *h, const char *p, const char *end);

#endif
