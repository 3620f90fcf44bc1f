/* fate.h: from how a process ended to one of the endings of docs/state_machine.md. */
#ifndef EAS_WORKER_FATE_H
#define EAS_WORKER_FATE_H
#include "worker/inner.h"

typedef struct {
  const char *ending; /* static */
  char *message;      /* one line, or NULL; the caller's */
} eas_fate;

/* The static word for an ending's name; "error" for an unknown one (a child may say anything). */
const char *eas_ending_word(const char *name);

/* Of a failure that has a message only: "disk" if it tells of a full one, "processes" of a refused fork. */
const char *eas_ending_of(const char *message, const char *otherwise);

/* said: ending and message that the child itself reported, or NULL. */
void eas_fate_of(const eas_process *p, eas_slot_group *group, const eas_limits *limits, const char *said,
                 const char *message, eas_fate *out);

#endif
