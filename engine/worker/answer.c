/* answer.c: the zygote's answers: in the order of asking, one child each. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "worker/fate.h"
#include "worker/inner.h"

enum { TRIES = 2 };

static eas_running *first(eas_run_list *l)
{
  eas_running *r = l->list[0];
  memmove(l->list, l->list + 1, (size_t)--l->n * sizeof *l->list);
  return r;
}

static void not_spawned(eas_running *r, const char *why)
{
  if (!r->is_qc) {
    eas_running_fail(r, eas_ending_of(why, "crashed"), why); /* not its script's fault, as far as one can tell */
    return;
  }
  if (!r->reason) r->reason = eas_format("QC did not start: %s", why);
  r->qc_broke = 1;
  r->verdict_pass = 0;
  eas_worker_finished(r);
}

/* The zygote died: whoever waits for its answer asks the next one. */
static void lost(eas_worker *w, eas_running *r)
{
  w->zygote_dirty = 1;
  eas_list_add(&w->again, r);
  while (w->asked.n > 0) {
    r = first(&w->asked);
    if (r->p.child.page_fd >= 0) eas_child_done(&r->p.child);
    eas_list_add(&w->again, r);
  }
}

void eas_worker_answer(eas_worker *w)
{
  eas_err err = { 0 };
  eas_running *r = first(&w->asked);
  int rc = eas_zygote_answer(w->zygote, &r->p.child, &err);
  if (rc == EAS_ECONNECT) {
    lost(w, r);
  } else if (rc < 0) {
    not_spawned(r, err.text);
  } else if (eas_process_watch(r, &err) < 0) {
    eas_running_log(r, EAS_WARN, "%s", err.text);
  } else if (r->dropped) {
    eas_process_kill(r, "cancelled");
  } else {
    eas_running_log(r, EAS_DEBUG, "try %d started, pid %d", r->claim.number, (int)r->p.child.pid);
  }
}

void eas_worker_ask_again(eas_worker *w)
{
  eas_run_list list = w->again;
  w->again = (eas_run_list){ 0 };
  for (int i = 0; i < list.n; i++) {
    eas_running *r = list.list[i];
    eas_err err = { 0 };
    if (r->dropped)
      eas_worker_finished(r);
    else if (++r->tries >= TRIES)
      not_spawned(r, "the zygote dies of it");
    else if (eas_running_spawn(r, r->is_qc, &err) < 0)
      not_spawned(r, err.text);
  }
  free(list.list);
}

/* Readable: an answer, or, when none is owed, its end. */
void eas_worker_on_zygote(void *arg, int fd, uint32_t events)
{
  eas_worker *w = arg;
  (void)events;
  if (w->asked.n > 0) {
    eas_worker_answer(w);
    if (!w->zygote_dirty) return;
  }
  eas_loop_unwatch(w->o.loop, fd);
  w->zygote_dirty = 1;
  eas_err err = { 0 };
  if (w->again.n > 0 && eas_worker_zygote(w, &err) < 0) {
    eas_log(EAS_ERROR, "zygote: %s", err.text);
    eas_run_list list = w->again;
    w->again = (eas_run_list){ 0 };
    for (int i = 0; i < list.n; i++) not_spawned(list.list[i], err.text);
    free(list.list);
  }
}
