/* check.h: what the files of the check share. Private to engine/model/check*.c. */
#ifndef EAS_MODEL_CHECK_H
#define EAS_MODEL_CHECK_H
#include "model/expand_map.h"
#include "model/expand_plan.h"

/* Where a list stands in loops and branches: two outputs may have one name only in branches that exclude each other. */
typedef struct eas_place {
  const struct eas_place *up;
  const json_t *owner;   /* the loop or condition */
  char *variable;        /* of a loop: what tells its turns apart */
  char *loop;            /* of a loop: its name */
  int64_t index;         /* value, turn or branch */
  struct eas_place *all; /* to be freed */
} eas_place;

typedef struct {
  char *item, *suffix; /* place of the task; of its output below it */
  char *filename, *directory;
  const json_t *value; /* as the job has it */
  const eas_place *place;
} eas_made;

typedef struct {
  char *item, *suffix, *filename, *directory;
} eas_wanted;
/* An output as the document has it: its names so far have this beginning and end in common. cut: of a loop that was not
 * looked at whole, so that there are others. */
typedef struct {
  char *directory, *name;
  size_t head, tail;
  int cut;
} eas_pattern;

typedef struct {
  const eas_jobfile *f;
  const eas_check_options *o;
  eas_plan plan;
  json_t *none; /* an empty object */
  eas_place *places;
  eas_map made_at; /* "directory/filename" -> made[] */
  eas_made *made;
  int n_made, cap_made;
  eas_wanted *wanted;
  int n_wanted, cap_wanted;
  eas_map pattern_at; /* place in the document -> patterns[] */
  eas_pattern *patterns;
  int n_patterns, cap_patterns;
  eas_map seen;    /* flow-control objects whose fields were looked at */
  eas_map settled; /* work tasks whose settings were evaluated */
  int n_tasks;
  int unknown_outputs; /* some names depend on results */
  int no_files;        /* > 0: in a branch that is not taken, or with values not known yet */
  int cut;             /* > 0: in a loop that is not looked at whole */
} eas_check;

/* Files of one task, evaluated in `directory`. */
void eas_check_inputs(eas_check *c, const eas_plan_item *item, const char *path, const char *directory);
void eas_check_outputs(eas_check *c, const eas_plan_item *item, const char *path, const char *directory,
                       const eas_place *place);
/* When all was seen: inputs that nobody makes. */
int eas_check_settle(eas_check *c, eas_err *err);
void eas_check_files_done(eas_check *c);

/* Expressions in a work task's settings, with the scope that is in use; once per place of the document is enough. */
void eas_check_settings(eas_check *c, const json_t *entry, const char *path);

#endif
