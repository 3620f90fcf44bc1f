/* pipes.c: the pipes of a slot, for one child after the other: making them anew for each costs a tenth of an attempt.
 *
 * Only where a pid namespace sees to it that nobody who had an end is left when the child is gone. What was lent and did not
 * come back, since something went wrong, is closed and made anew. */
#include <stdlib.h>

#include "worker/inner.h"

static void discard(eas_worker *w, eas_slot_pipes *s)
{
  for (int i = 0; s->open && i < 3; i++) eas_loop_unwatch(w->o.loop, s->pipes.read[i]);
  if (s->open) eas_pipes_close(&s->pipes);
  s->open = s->lent = 0;
}

const eas_pipes *eas_pipes_lend(eas_worker *w, int slot)
{
  if (!(eas_zygote_layers(w->zygote) & EAS_LAYER_PID_NS)) return NULL;
  if (!w->pipes) w->pipes = eas_alloc((size_t)w->o.slots * sizeof *w->pipes);
  eas_slot_pipes *s = &w->pipes[slot];
  if (s->lent) discard(w, s);
  if (!s->open && eas_pipes_open(&s->pipes) < 0) return NULL;
  s->open = s->lent = 1;
  return &s->pipes;
}

void eas_pipes_return(eas_worker *w, int slot)
{
  eas_slot_pipes *s = &w->pipes[slot];
  for (int i = 0; i < 3; i++) eas_loop_rest(w->o.loop, s->pipes.read[i]);
  s->lent = 0;
}

void eas_pipes_done(eas_worker *w)
{
  for (int i = 0; w->pipes && i < w->o.slots; i++) discard(w, &w->pipes[i]);
  free(w->pipes);
}
