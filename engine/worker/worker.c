/* worker.c: the supervisor's own life: opening, lease, bells, code changes, draining. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "worker/inner.h"
#include "worker/notice.h"
#include "worker/scratch.h"

enum { OVERDUE_US = 5 * 1000 * 1000 };
enum { SECOND_US = 1000 * 1000, IDLE_LOOK_US = 30 * 1000 * 1000 };

static void on_fill(void *arg)
{
  eas_worker_fill(arg);
}

void eas_worker_look(eas_worker *w)
{
  if (w->look_queued || w->killed) return;
  w->look_queued = 1;
  eas_loop_defer(w->o.loop, on_fill, w);
}

static void on_look_timer(void *arg)
{
  eas_worker *w = arg;
  w->look_timer = 0;
  eas_worker_look(w);
  eas_worker_look_in(w, IDLE_LOOK_US);
}

void eas_worker_look_in(eas_worker *w, int64_t us)
{
  eas_loop_cancel(w->o.loop, w->look_timer);
  if (us < 1000) us = 1000;
  w->look_timer = eas_loop_after(w->o.loop, us < IDLE_LOOK_US ? us : IDLE_LOOK_US, on_look_timer, w);
}

int eas_worker_watch_zygote(eas_worker *w, eas_err *err)
{
  return eas_loop_watch(w->o.loop, eas_zygote_fd(w->zygote), EPOLLIN | EPOLLHUP, eas_worker_on_zygote, w, err);
}

void eas_worker_reload(eas_worker *w)
{
  w->zygote_dirty = 1;
  json_object_clear(w->code);
}

static void on_code_changed(void *arg)
{
  eas_worker_reload(arg);
}

static int register_worker(eas_worker *w, eas_err *err)
{
  char host[256] = "";
  const char *named = eas_conf_str(w->o.conf, "host");
  gethostname(host, sizeof host - 1);
  eas_worker_info info = { .host = named && *named ? named : host,
                           .pid = getpid(),
                           .container = w->o.container,
                           .slots = w->o.slots,
                           .version = EAS_VERSION,
                           .lease_us = w->lease_us };
  return eas_worker_register(w->o.db, &info, &w->id, err);
}

/* The lease is over: others may run our attempts already. Nothing of ours counts any more. */
void eas_worker_start_over(eas_worker *w)
{
  eas_err err = { 0 };
  if (!w->nameless)
    eas_log(EAS_WARN, "worker w%lld: its lease is over; children are killed and it registers anew", (long long)w->id);
  while (w->finished.n > 0) eas_running_free(w->finished.list[--w->finished.n]);
  while (w->waiting) {
    eas_running *r = w->waiting;
    w->waiting = r->next;
    eas_running_free(r);
  }
  w->waiting_tail = &w->waiting;
  w->n_waiting = 0;
  for (int i = 0; i < eas_lanes_fetching(w)->n; i++) eas_lanes_fetching(w)->list[i]->dropped = 1;
  for (int i = 0; i < w->running.n; i++) {
    w->running.list[i]->dropped = 1;
    eas_process_kill(w->running.list[i], "cancelled");
  }
  w->nameless = register_worker(w, &err) < 0;
  if (w->nameless) {
    eas_worker_warn(w, "register", &err, "; trying again");
    eas_worker_look_in(w, SECOND_US);
    return;
  }
  eas_log(EAS_INFO, "worker w%lld is up", (long long)w->id);
  eas_worker_look(w);
}

static void on_renew(void *arg)
{
  eas_worker *w = arg;
  eas_err err = { 0 };
  int rc = eas_worker_renew(w->o.db, w->id, w->lease_us, &err);
  if (rc == EAS_ESTALE)
    eas_worker_start_over(w);
  else if (rc < 0)
    eas_worker_warn(w, "lease", &err, "");
  else
    w->tally.renewed_us = eas_tick_us();
  w->renew_timer = eas_loop_after(w->o.loop, w->renew_us, on_renew, w);
}

/* The limit of a file is the kernel's; that of all files together is looked after here. */
void eas_worker_check_disk(eas_worker *w)
{
  for (int i = 0; i < w->running.n; i++) {
    eas_running *r = w->running.list[i];
    if (r->p.alive && !r->p.asked && r->limits.disk_bytes > 0 && r->scratch &&
        eas_tick_us() - r->p.started_us > SECOND_US / 2 && eas_scratch_bytes(r->scratch) > r->limits.disk_bytes)
      eas_process_kill(r, "disk");
  }
}

/* Log lines, progress and use of resources of what runs, once a second and only if something runs. */
static void on_second(void *arg)
{
  eas_worker *w = arg;
  w->second_timer = 0;
  int n = 0;
  eas_live *live = eas_alloc((size_t)(w->running.n + 1) * sizeof *live);
  for (int i = 0; i < w->running.n; i++) {
    eas_running *r = w->running.list[i];
    eas_live v = { .attempt = r->claim.attempt, .token = r->claim.token };
    if (r->p.child.page) {
      v.done = (int64_t)r->p.child.page->done;
      v.total = (int64_t)r->p.child.page->total;
    }
    v.log = eas_logbuf_unsent(&r->log, &v.n_log, &v.first_seq);
    if (eas_tick_us() - r->started_us <= SECOND_US) continue;
    if (r->p.alive && !r->is_qc) eas_usage_look(&r->usage, r->p.child.pid, (eas_tick_us() - r->started_us) / 1000);
    v.usage = eas_usage_due(&r->usage);
    if (v.n_log || v.total || v.usage) live[n++] = v;
  }
  eas_err err = { 0 };
  if (n > 0 && eas_attempt_live(w->o.db, live, n, &err) < 0)
    eas_log(EAS_DEBUG, "live log: %s", err.text);
  else
    for (int i = 0, k = 0; i < w->running.n && k < n; i++)
      if (live[k].token == w->running.list[i]->claim.token && live[k].attempt == w->running.list[i]->claim.attempt)
        eas_logbuf_mark(&w->running.list[i]->log, live[k++].n_log);
  free(live);
  eas_worker_cancel_check(w);
  eas_worker_check_disk(w);
  if (w->asked.n > 0 && eas_tick_us() - w->asked.list[0]->asked_us > OVERDUE_US)
    eas_worker_answer(w); /* it hangs: ends it */
  if (w->running.n > 0) w->second_timer = eas_loop_after(w->o.loop, SECOND_US, on_second, w);
}

void eas_worker_tick(eas_worker *w)
{
  if (!w->second_timer && !w->replayed) w->second_timer = eas_loop_after(w->o.loop, SECOND_US, on_second, w);
}

void eas_worker_cancel_check(eas_worker *w)
{
  int n = w->running.n;
  if (n == 0) return;
  eas_held *held = eas_alloc((size_t)n * sizeof *held);
  int *stop = eas_alloc((size_t)n * sizeof *stop);
  for (int i = 0; i < n; i++)
    held[i] = (eas_held){ w->running.list[i]->claim.attempt, w->running.list[i]->claim.token };
  if (eas_attempt_wanted(w->o.db, held, n, stop, NULL) >= 0)
    for (int i = n - 1; i >= 0; i--)
      if (stop[i]) eas_process_stop(w->running.list[i], "cancelled");
  free(held);
  free(stop);
}

static char **split_list(const char *text)
{
  char **list = eas_alloc((strlen(text) + 2) * sizeof *list);
  char *copy = eas_strdup(text), *save = NULL;
  int n = 0;
  for (char *p = strtok_r(copy, " ,:", &save); p; p = strtok_r(NULL, " ,:", &save)) list[n++] = eas_strdup(p);
  free(copy);
  return list;
}

static int64_t machine_memory(void)
{
  struct sysinfo si;
  return sysinfo(&si) == 0 ? (int64_t)si.totalram * si.mem_unit : (int64_t)8 << 30;
}

int eas_worker_sandbox(eas_worker *w, eas_err *err)
{
  unsigned off = 0;
  int rc = eas_layer_parse(eas_conf_str(w->o.conf, "require"), &w->require, err);
  if (rc >= 0) rc = eas_layer_parse(eas_conf_str(w->o.conf, "isolation_off"), &off, err);
  if (rc < 0) return rc;
  eas_sandbox_probe(&w->probe);
  w->use = w->probe.layers & ~off;
  if ((w->require & w->use) != w->require) {
    for (int i = 0; i < EAS_LAYER_COUNT; i++) {
      unsigned bit = 1u << i;
      if ((w->require & bit) && !(w->use & bit))
        return eas_fail(err, EAS_EREFUSED, "isolation layer '%s' is required and cannot be had: %s",
                        eas_layer_name((int)bit),
                        off & bit ? "it is switched off by isolation_off" : w->probe.reason[i]);
    }
  }
  return 0;
}

static int open_groups(eas_worker *w)
{
  w->slots = eas_alloc((size_t)w->o.slots * sizeof *w->slots);
  w->marks = eas_alloc((size_t)w->o.slots * sizeof *w->marks);
  w->groups = eas_alloc((size_t)w->o.slots * sizeof *w->groups);
  if (!(w->use & (EAS_LAYER_CGROUP_MEMORY | EAS_LAYER_CGROUP_PIDS | EAS_LAYER_CGROUP_CPU))) return 0;
  for (int i = 0; i < w->o.slots; i++) {
    eas_err why = { 0 };
    if (eas_slot_group_open(&w->groups[i], &w->probe, i, &why) < 0)
      eas_log(EAS_WARN, "cgroup of slot %d: %s", i, why.text);
  }
  return 0;
}

/* Children start in another folder: what they are told must not depend on ours. */
static int absolute_folder(const char *path, char **out, eas_err *err)
{
  int rc = eas_path_mkdirs(path, 0711, err);
  if (rc < 0) return rc;
  *out = realpath(path, NULL);
  return *out ? 0 : eas_fail(err, EAS_EIO, "open '%s': %s", path, strerror(errno));
}

int eas_worker_machine(eas_worker *w, const char *scratch, eas_err *err)
{
  const eas_conf *conf = w->o.conf;
  w->memory_cap = machine_memory();
  const eas_container *container = w->o.container ? eas_registry_container(w->o.registry, w->o.container) : NULL;
  if (container && container->memory_gb > 0 && container->memory_gb * 1073741824.0 < (double)w->memory_cap)
    w->memory_cap = (int64_t)(container->memory_gb * 1073741824.0);
  w->exec_path = split_list(eas_conf_str(conf, "exec_path"));
  int rc = absolute_folder(scratch, &w->scratch_root, err);
  if (rc >= 0) rc = absolute_folder(eas_conf_str(conf, "data"), &w->data_root, err);
  return rc < 0 ? rc : eas_worker_sandbox(w, err);
}

static int open_parts(eas_worker *w, eas_err *err)
{
  w->lease_us = eas_conf_duration_us(w->o.conf, "lease");
  w->renew_us = eas_conf_duration_us(w->o.conf, "lease_renew");
  int rc = eas_worker_machine(w, eas_conf_str(w->o.conf, "scratch"), err);
  if (rc >= 0) rc = open_groups(w);
  if (rc >= 0) eas_scratch_sweep(w->scratch_root);
  if (rc >= 0) rc = register_worker(w, err);
  w->first_id = w->id;
  if (rc >= 0) rc = eas_ingest_open(w, err);
  if (rc >= 0) rc = eas_lanes_open(w, err);
  if (rc >= 0) rc = eas_worker_zygote(w, err);
  if (rc >= 0) w->notice = eas_notice_open(w->o.loop, w->o.packs, on_code_changed, w);
  return rc;
}

int eas_worker_open(eas_worker **out, const eas_worker_options *o, eas_err *err)
{
  eas_worker *w = eas_alloc(sizeof *w);
  w->o = *o;
  w->waiting_tail = &w->waiting;
  w->ingest_fd = -1;
  w->code = json_object();
  int rc = open_parts(w, err);
  if (rc < 0) {
    eas_worker_close(w);
    return rc;
  }
  w->tally.renewed_us = eas_tick_us();
  w->renew_timer = eas_loop_after(o->loop, w->renew_us, on_renew, w);
  eas_worker_look_in(w, IDLE_LOOK_US);
  eas_worker_look(w);
  *out = w;
  return 0;
}

static void on_grace(void *arg)
{
  eas_worker_kill(arg);
}

void eas_worker_drain(eas_worker *w, int64_t grace_us)
{
  if (w->draining) return;
  w->draining = 1;
  eas_worker_hand_back_waiting(w);
  if (w->running.n + w->finished.n + eas_lanes_fetching(w)->n > 0) eas_loop_after(w->o.loop, grace_us, on_grace, w);
}

/* What still runs is killed and queued again: no child of ours will report on it. */
void eas_worker_kill(eas_worker *w)
{
  w->draining = w->killed = 1;
  if (w->lanes) eas_store_stop(w->o.store);
  eas_worker_hand_back_waiting(w);
  int n = w->running.n;
  eas_held *held = eas_alloc((size_t)(n + 1) * sizeof *held);
  for (int i = 0; i < n; i++) {
    eas_running *r = w->running.list[i];
    held[i] = (eas_held){ r->claim.attempt, r->claim.token };
    r->dropped = 1;
    eas_process_kill(r, "cancelled");
  }
  if (n > 0) eas_attempt_hand_back(w->o.db, w->id, held, n, NULL);
  free(held);
}

int eas_worker_idle(const eas_worker *w)
{
  return w->running.n == 0 && w->finished.n == 0 && w->n_waiting == 0 && eas_lanes_fetching(w)->n == 0 &&
         !w->look_queued;
}

int64_t eas_worker_id(const eas_worker *w)
{
  return w->id;
}

static void close_scratch(const eas_worker *w)
{
  for (int i = 0; w->first_id && i < w->o.slots; i++) {
    char *path = eas_scratch_path(w->scratch_root, w->first_id, i);
    eas_scratch_forget(&w->marks[i]);
    if (eas_path_exists(path)) eas_path_remove_tree(path, NULL);
    free(path);
  }
}

static void close_groups(eas_worker *w)
{
  for (int i = 0; w->groups && i < w->o.slots; i++) eas_slot_group_close(w->groups[i]);
  free(w->groups);
  free(w->slots);
  free(w->marks);
}

void eas_worker_close(eas_worker *w)
{
  if (!w) return;
  int64_t timers[] = { w->commit_timer, w->look_timer, w->second_timer, w->renew_timer };
  for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) eas_loop_cancel(w->o.loop, timers[i]);
  eas_ingest_close(w);
  eas_lanes_close(w);
  eas_notice_close(w->notice);
  if (w->zygote) {
    eas_loop_unwatch(w->o.loop, eas_zygote_fd(w->zygote));
    eas_zygote_stop(w->zygote);
  }
  if (w->id) eas_worker_end(w->o.db, w->id, NULL);
  eas_pipes_done(w);
  close_scratch(w);
  close_groups(w);
  for (int i = 0; w->exec_path && w->exec_path[i]; i++) free(w->exec_path[i]);
  free(w->exec_path);
  free(w->scratch_root);
  free(w->data_root);
  eas_run_list *lists[] = { &w->running, &w->finished, &w->asked, &w->again };
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->list);
  json_decref(w->code);
  free(w);
}
