/* session.c: see session.h. */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "cli/bells.h"
#include "cli/metrics.h"
#include "cli/notify.h"
#include "control/gc.h"

int eas_session_lock(eas_session *s, eas_err *err)
{
  const char *data = eas_conf_str(s->c->conf, "data");
  int rc = eas_cli_data_folder(s->c, err);
  if (rc < 0) return rc;
  char *path = eas_path_join(data, "lock");
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    eas_fail(err, eas_io_code(errno), "open '%s': %s", path, strerror(errno));
    rc = eas_cli_no_data(s->c, err);
  } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char who[128] = "";
    ssize_t n = pread(fd, who, sizeof who - 1, 0);
    if (n > 0) who[strcspn(who, "\n")] = 0;
    eas_fail(err, EAS_EBUSY, "%s: in use by %s", data, *who ? who : "another process");
    rc = eas_hint(err, "wait for it or stop it; eas status --data %s watches it", data);
    close(fd);
  } else {
    char who[300], host[200] = "";
    gethostname(host, sizeof host - 1);
    int n = snprintf(who, sizeof who, "eas %s, process %d on %s\n", s->c->command->name, (int)getpid(), host);
    if (ftruncate(fd, 0) == 0 && pwrite(fd, who, (size_t)n, 0) != n && errno != ENOSPC)
      eas_log(EAS_WARN, "write '%s': %s", path, strerror(errno));
    s->lock_fd = fd;
    rc = 0;
  }
  free(path);
  return rc;
}

/* Only after the lock: whoever worked here before is gone, and what it left in scratch is nobody's. */
void eas_session_tidy(eas_session *s)
{
  eas_err err = { 0 };
  const char *scratch = eas_conf_str(s->c->conf, "scratch");
  if (eas_path_exists(scratch) && eas_path_remove_tree(scratch, &err) < 0) eas_log(EAS_WARN, "scratch: %s", err.text);
}

/* Types this worker can run: those of its container, or all that have scripts and the program they need. */
static const char **worker_types(const eas_cli *c)
{
  const char *container = eas_conf_str(c->conf, "container");
  int n = 0, k = 0;
  const eas_task_type *types = eas_registry_types(c->registry, &n);
  const char **list = eas_alloc((size_t)(n + 1) * sizeof *list);
  for (int i = 0; i < n; i++) {
    int here = !container || !*container;
    for (int j = 0; !here && types[i].containers[j]; j++) here = strcmp(types[i].containers[j], container) == 0;
    if (here && !types[i].flow && eas_registry_runnable(c->registry, &types[i], NULL) == 0) list[k++] = types[i].name;
  }
  return list;
}

static void on_commit(void *arg, int n_ended, int n_ready, int n_other)
{
  eas_session *s = arg;
  (void)n_ended;
  if (n_ready > 0 && s->worker) eas_worker_look(s->worker);
  if (s->control && (n_ready > 0 || n_other > 0))
    eas_control_look(s->control); /* else there is nothing to expand or skip */
  eas_bells_published(s);
  if (s->on_change) s->on_change(s->arg);
}

static void on_ready(void *arg, int n_ready)
{
  eas_session *s = arg;
  if (n_ready > 0 && s->worker) eas_worker_look(s->worker);
  eas_bells_published(s);
  if (s->on_change) s->on_change(s->arg);
}

static void on_signal(void *arg, int signo)
{
  eas_session *s = arg;
  if (signo == SIGHUP) {
    eas_err err = { 0 };
    if (eas_cli_reload(s->c, &err) < 0) eas_log(EAS_ERROR, "reload: %s; the configuration stays as it was", err.text);
    if (s->worker) eas_worker_reload(s->worker);
    return;
  }
  s->interrupts++;
  eas_worker_status st = { 0 };
  if (s->worker) eas_worker_status_get(s->worker, &st);
  if (s->interrupts == 1) {
    s->stopping = 1;
    if (s->on_stop) s->on_stop(s->arg, st.busy);
    if (s->worker) eas_worker_drain(s->worker, eas_conf_duration_us(s->c->conf, "drain_grace"));
  } else if (s->worker) {
    eas_worker_kill(s->worker);
  }
}

static int open_roles(eas_session *s, int roles, eas_err *err)
{
  eas_cli *c = s->c;
  s->types = worker_types(c);
  int rc = eas_bells_open(s, roles, err);
  if (rc >= 0 && (roles & EAS_ROLE_WORKER)) {
    eas_worker_options w = { .loop = s->loop,
                             .db = c->db,
                             .queue = s->queue,
                             .store = c->store,
                             .registry = c->registry,
                             .conf = c->conf,
                             .packs = (const char *const *)c->packs,
                             .slots = (int)eas_conf_int(c->conf, "slots"),
                             .types = s->types,
                             .container = eas_conf_str(c->conf, "container"),
                             .on_commit = on_commit,
                             .arg = s };
    if (w.container && !*w.container) w.container = NULL;
    rc = eas_worker_open(&s->worker, &w, err);
  }
  if (rc >= 0 && (roles & EAS_ROLE_CONTROL)) {
    eas_control_options k = { .loop = s->loop,
                              .db = c->db,
                              .queue = s->queue,
                              .registry = c->registry,
                              .conf = c->conf,
                              .store = c->store,
                              .once = eas_cli_has(c, "--once"),
                              .worker = s->worker ? eas_worker_id(s->worker) : 0,
                              .embedded = s->lock_fd >= 0 && eas_db_kind(c->db) == EAS_DB_SQLITE,
                              .on_ready = on_ready,
                              .arg = s };
    rc = eas_control_open(&s->control, &k, err);
  }
  return rc;
}

int eas_session_open(eas_session *s, eas_cli *c, int roles, eas_err *err)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
  s->c = c;
  int rc = eas_loop_new(&s->loop, err);
  if (rc >= 0) rc = eas_loop_signals(s->loop, signals, 3, on_signal, s, err);
  if (rc >= 0) rc = eas_cli_open_registry(c, err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_CREATE, err);
  if (rc >= 0) rc = eas_cli_open_store(c, err);
  if (rc >= 0) rc = eas_gc_join(c->db, c->store, err);
  if (rc >= 0) rc = open_roles(s, roles, err);
  if (rc >= 0 && roles != (EAS_ROLE_WORKER | EAS_ROLE_CONTROL))
    rc = eas_metrics_open(s, err); /* a run has its progress */
  if (rc < 0) eas_session_close(s);
  return rc;
}

void eas_session_close(eas_session *s)
{
  eas_notify_close(s);
  eas_metrics_close(s);
  eas_control_close(s->control);
  eas_worker_close(s->worker);
  eas_bells_close(s);
  eas_loop_free(s->loop);
  free((void *)(uintptr_t)s->types);
  s->control = NULL;
  s->worker = NULL;
  s->loop = NULL;
  s->types = NULL;
  if (s->lock_fd >= 0) close(s->lock_fd);
  s->lock_fd = -1;
}
