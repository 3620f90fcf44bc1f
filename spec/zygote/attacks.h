/* attacks.h: what a hostile or broken script might do, each as a function that runs in a child. */
#ifndef EAS_SPEC_ZYGOTE_ATTACKS_H
#define EAS_SPEC_ZYGOTE_ATTACKS_H
#include "worker/runner.h"

enum { ATTACK_SHM = 0x0ea00000 }; /* key of a System V segment, with the supervisor's pid added */

typedef struct {
  const eas_run *run;
  const char *data;    /* data folder: secret (file), store/, scratch/, victim (file outside of scratch) */
  const char *input;   /* an object of the store that is the attempt's */
  const char *foreign; /* one that is not */
  int supervisor;      /* pid, as the supervisor sees it */
} attack_given;

/* A question gives 1 when it went through, or -errno when it was denied. */
typedef struct {
  const char *name;
  int (*ask)(const attack_given *);
} attack_question;
/* An act ends as it ends; what it returns is the runner's return value. */
typedef struct {
  const char *name;
  int (*act)(const attack_given *);
} attack_act;

extern const attack_question attack_questions[];
extern const attack_act attack_acts[];
extern volatile int attack_interrupted;

void attack_say(const eas_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
