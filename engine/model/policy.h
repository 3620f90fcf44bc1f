/* policy.h: which attempts are tried again, how often and when: the type's rules (registry) overlaid by the job's ("retry"). */
#ifndef EAS_MODEL_POLICY_H
#define EAS_MODEL_POLICY_H
#ifndef EAS_CDEF
#include <jansson.h>
#include <stdint.h>
#include "registry/registry.h"
#endif

typedef struct {
  int max_attempts; /* that ended by themselves; lost and cancelled ones are not counted */
  int max_losses;   /* so many workers may a task take along, then it is quarantined */
  unsigned kinds;   /* EAS_RETRY_... of registry.h */
  int64_t delay_us; /* before the second try; doubles with each */
} eas_policy;

/* type NULL: the defaults, but one attempt. retry: the job's object or NULL; what is wrong in it was told at submit and is
 * passed over. */
void eas_policy_of(const eas_task_type *type, const json_t *retry, eas_policy *out);
/* The back-off before try n + 1, n >= 1: exponential, at most 10 min (or what was asked for), up to half as much added by
 * chance, so that those who failed together do not come together. */
int64_t eas_policy_delay(const eas_policy *p, int n);
/* What an attempt that ended so is called in a policy; "qc": it ended well and its QC failed it. 0: never tried again. */
unsigned eas_policy_kind(const char *ending, int qc);

/* Looks through a job's "retry". NULL: fine; else what is wrong (caller frees), *field the name below it or "". */
char *eas_policy_check(const json_t *retry, const char **field);

#endif
