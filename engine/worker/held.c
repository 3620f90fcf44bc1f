/* held.c: attempts under this worker's name that have no child: what is given back, and what is not known. */
#include <stdlib.h>

#include "worker/inner.h"

/* Everything that stands under this worker's name and that it does not hold. */
void eas_worker_hand_back_unknown(eas_worker *w)
{
  const eas_run_list *fetching = eas_lanes_fetching(w);
  int n = 0, cap = w->running.n + w->finished.n + w->n_waiting + fetching->n + 1;
  eas_held *known = eas_alloc((size_t)cap * sizeof *known);
  for (int i = 0; i < w->running.n; i++)
    known[n++] = (eas_held){ w->running.list[i]->claim.attempt, w->running.list[i]->claim.token };
  for (int i = 0; i < w->finished.n; i++)
    known[n++] = (eas_held){ w->finished.list[i]->claim.attempt, w->finished.list[i]->claim.token };
  for (eas_running *r = w->waiting; r; r = r->next) known[n++] = (eas_held){ r->claim.attempt, r->claim.token };
  for (int i = 0; i < fetching->n; i++)
    known[n++] = (eas_held){ fetching->list[i]->claim.attempt, fetching->list[i]->claim.token };
  eas_attempt_hand_back_unknown(w->o.db, w->id, known, n, NULL);
  free(known);
}

void eas_worker_hand_back_waiting(eas_worker *w)
{
  const eas_run_list *fetching = eas_lanes_fetching(w);
  eas_held *held = eas_alloc((size_t)(w->n_waiting + fetching->n + 1) * sizeof *held);
  int n = 0;
  for (eas_running *r = w->waiting; r; r = r->next) held[n++] = (eas_held){ r->claim.attempt, r->claim.token };
  for (int i = 0; i < fetching->n; i++) {
    eas_running *r = fetching->list[i];
    if (!r->dropped) held[n++] = (eas_held){ r->claim.attempt, r->claim.token };
    r->dropped = 1; /* it is freed when it comes back */
  }
  if (n > 0) eas_attempt_hand_back(w->o.db, w->id, held, n, NULL);
  free(held);
  while (w->waiting) {
    eas_running *r = w->waiting;
    w->waiting = r->next;
    eas_running_free(r);
  }
  w->waiting_tail = &w->waiting;
  w->n_waiting = 0;
}
