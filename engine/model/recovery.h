/* recovery.h: trials of searches whose light curve holds a known signal, one by one. Private to model/view_recovery*.c.
 *
 * A trial is a search's task: its loop variables as numbers, and what came of it. */
#ifndef EAS_MODEL_RECOVERY_H
#define EAS_MODEL_RECOVERY_H
#include <jansson.h>
#include "base/err.h"
#include "db/db.h"
#include "model/expand_map.h"

enum { EAS_PARAMETERS_MAX = 8 };

typedef struct {
  char *name;
  int is_text;
  eas_map texts;  /* text -> place in names */
  json_t *names;  /* list; NULL: numbers */
  double *values; /* distinct ones, in order; after eas_trials_order */
  int n_values;
} eas_parameter;

/* How a trial ended. */
enum { EAS_TRIAL_FOUND = 1, EAS_TRIAL_MISSED, EAS_TRIAL_NO_TRUTH, EAS_TRIAL_OPEN, EAS_TRIAL_FAILED };

typedef struct {
  int type;                      /* place in types */
  int result;                    /* EAS_TRIAL_... */
  int alias;                     /* missed, at a multiple of the true period */
  int credible;                  /* vetting did not fail it */
  double at[EAS_PARAMETERS_MAX]; /* by parameter; NaN: it has none; a text: its place in names */
} eas_trial;

typedef struct {
  eas_parameter parameters[EAS_PARAMETERS_MAX];
  int n_parameters;
  char **types;
  int n_types;
  eas_trial *list;
  size_t n, cap;
} eas_trials;

/* All trials of a job; a type none of whose tasks has a truth or is a search is left out. */
int eas_trials_read(eas_db *db, int64_t job, eas_trials *out, eas_err *err);
void eas_trials_done(eas_trials *t);

#endif
