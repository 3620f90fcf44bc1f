/* replay.c: see replay.h. A worker of one slot without database: finish.c hands its attempt to us. */
#include "worker/replay_own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"

enum { FIRST_SLOT = 500, SLOTS = 400, LOOK_US = 500 * 1000 };
#define NO_TIME ((int64_t)365 * 86400 * 1000)

/* The one replay of this process: what finish.c calls knows only its attempt. */
static eas_replay *the_replay;

static void on_replayed(eas_running *r)
{
  if (the_replay && the_replay->r == r) the_replay->over = 1;
  eas_list_remove(&r->w->running, r);
}

int eas_replay_pipe(const eas_running *r, eas_err *err)
{
  char *path = eas_path_join(r->scratch, eas_json_str(r->debug, "pipe"));
  int rc = 0;
  if (mkfifo(path, 0600) != 0 || ((r->w->use & EAS_LAYER_UID) && chown(path, eas_slot_uid(r->slot), (gid_t)-1) != 0))
    rc = eas_fail(err, EAS_EIO, "make '%s': %s", path, strerror(errno));
  if (rc == 0 && the_replay) {
    if (the_replay->debug_fd >= 0) close(the_replay->debug_fd);
    the_replay->debug_fd =
        open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* both, so that neither side waits for the other */
    if (the_replay->debug_fd < 0) rc = eas_fail(err, EAS_EIO, "open '%s': %s", path, strerror(errno));
  }
  free(path);
  return rc;
}

/* FOLDER/inside/name -> object, for people. */
static void link_file(const eas_replay *p, const char *inside, const char *name, const eas_digest *d)
{
  char *dir = eas_path_join(p->folder, inside), *path = eas_path_join(dir, eas_path_base(name)),
       *object = eas_store_path(p->w->o.store, d);
  if (eas_path_mkdirs(dir, 0711, NULL) >= 0) {
    unlink(path);
    if (symlink(object, path) != 0) errno = 0; /* a name that cannot be made is missed by nobody but people */
  }
  free(dir);
  free(path);
  free(object);
}

int eas_replay_copy(eas_replay *p, const eas_store *from, const eas_digest *wanted, eas_err *err)
{
  eas_digest got;
  int64_t size;
  if (eas_store_has(p->w->o.store, wanted)) return 0;
  char *path = eas_store_path(from, wanted);
  int rc = eas_store_have(from, wanted, err);
  if (rc == 0) rc = eas_store_copy(p->w->o.store, path, &got, &size, err);
  if (rc >= 0 && !eas_digest_equal(&got, wanted)) {
    eas_fail(err, EAS_EFORMAT, "'%s': its bytes are not what was stored", path);
    rc = eas_hint(err, "eas fsck --verify says what else is damaged");
  }
  free(path);
  return rc;
}

static int copy_inputs(eas_replay *p, const eas_store *from, eas_err *err)
{
  const eas_claim *c = &p->r->claim;
  for (int i = 0; i < c->n_inputs; i++) {
    int rc = eas_replay_copy(p, from, &c->inputs[i].digest, err);
    if (rc < 0) return eas_err_prefix(err, "input %s v%lld", c->inputs[i].kind, (long long)c->inputs[i].version);
    link_file(p, "inputs", c->inputs[i].filename, &c->inputs[i].digest);
  }
  return 0;
}

/* A worker of which only one slot is used, with a number that no worker's has: its uid is nobody else's. */
static int open_worker(eas_replay *p, const eas_replay_options *o, eas_err *err)
{
  eas_worker *w = p->w = eas_alloc(sizeof *w);
  int slot = FIRST_SLOT + (int)(getpid() % SLOTS);
  w->o = (eas_worker_options){ .registry = o->registry, .conf = o->conf, .packs = o->packs, .slots = slot + 1 };
  w->waiting_tail = &w->waiting;
  w->ingest_fd = -1;
  w->code = json_object();
  w->replayed = on_replayed;
  w->slots = eas_alloc((size_t)w->o.slots * sizeof *w->slots);
  w->marks = eas_alloc((size_t)w->o.slots * sizeof *w->marks);
  w->groups = eas_alloc((size_t)w->o.slots * sizeof *w->groups);
  char *scratch = eas_path_join(p->folder, "scratch"), *store = eas_path_join(p->folder, "store");
  int rc = eas_loop_new(&w->o.loop, err);
  if (rc >= 0) rc = eas_store_open(&w->o.store, store, err);
  if (rc >= 0) rc = eas_worker_machine(w, scratch, err);
  if (rc >= 0) rc = eas_ingest_open(w, err);
  unsigned grouped = EAS_LAYER_CGROUP_MEMORY | EAS_LAYER_CGROUP_PIDS | EAS_LAYER_CGROUP_CPU;
  if (rc >= 0 && (w->use & grouped)) eas_slot_group_open(&w->groups[slot], &w->probe, slot, NULL);
  free(scratch);
  free(store);
  return rc;
}

void eas_replay_begin(eas_replay *p)
{
  eas_running *old = p->r;
  eas_running *r = p->r = eas_running_new(p->w, &old->claim);
  r->type = &p->type;
  r->description = old->description;
  r->provenance = old->provenance;
  r->scratch = old->scratch;
  r->slot = p->w->o.slots - 1;
  r->group = p->w->groups[r->slot];
  old->description = old->provenance = NULL;
  old->scratch = NULL;
  old->slot = -1;
  r->cpus = p->cpus;
  r->limits = p->limits;
  eas_running_free(old);
}

static char *edited(const eas_replay *p, const char *kind, const char *otherwise)
{
  char *path = eas_format("%s/pack/%s/%s.lua", p->folder, kind, p->type.name);
  if (eas_path_exists(path)) return path;
  free(path);
  return eas_strdup(otherwise);
}

/* Scripts may have been edited since; the zygote is to see all code as it is now. */
static void look_at_code(eas_replay *p)
{
  const eas_task_type *t = eas_registry_type(p->w->o.registry, p->r->claim.type);
  free(p->task_script);
  free(p->qc_script);
  p->type.script = p->task_script = edited(p, "tasks_lua", t->script);
  p->type.qc = p->qc_script = edited(p, "qc_lua", t->qc);
  json_object_clear(p->w->code);
  p->w->zygote_dirty = 1;
}

static int prepare(eas_replay *p, eas_err *err)
{
  eas_running *r = p->r;
  r->type = &p->type;
  json_decref(r->description);
  json_decref(r->provenance);
  r->description = r->provenance = NULL;
  int rc = eas_running_prepare(r, err);
  if (rc < 0) return rc;
  int64_t most = eas_conf_int(p->w->o.conf, "slots");
  if (most > 0 && r->cpus > most) r->limits.cpus = r->cpus = (int)most;
  r->limits.wall_ms = NO_TIME;
  p->cpus = r->cpus;
  p->limits = r->limits;
  return 0;
}

/* Packs with the folder of edited scripts behind them: children read what is in a pack. */
static const char **packs_with(const char *const *packs, char *own)
{
  int n = 0;
  while (packs[n]) n++;
  const char **list = eas_alloc((size_t)(n + 2) * sizeof *list);
  memcpy(list, packs, (size_t)n * sizeof *list);
  list[n] = own;
  return list;
}

int eas_replay_open(eas_replay **out, const eas_replay_options *o, eas_claim *claim, eas_err *err)
{
  eas_replay *p = the_replay = eas_alloc(sizeof *p);
  p->debug_fd = -1;
  p->folder = eas_strdup(o->folder);
  const eas_task_type *t = eas_registry_type(o->registry, claim->type);
  int rc = 0;
  if (!t || !t->script || !t->qc) {
    eas_fail(err, EAS_EINVAL, "task type '%s' has no scripts here", claim->type);
    rc = eas_hint(err, "name the packs that have them with --task-path or EAS_TASK_PATH");
  }
  char *pack = eas_path_join(p->folder, "pack");
  if (rc >= 0) rc = eas_path_mkdirs(pack, 0755, err);
  eas_replay_options own = *o;
  if (rc >= 0) {
    own.packs = packs_with(o->packs, pack);
    rc = open_worker(p, &own, err);
  } else {
    free(pack);
  }
  if (rc >= 0) {
    p->type = *t;
    p->r = eas_running_new(p->w, claim);
    look_at_code(p);
    rc = prepare(p, err);
  } else {
    eas_claims one = { .list = eas_alloc(sizeof *claim), .n = 1 };
    one.list[0] = *claim;
    eas_claims_done(&one);
  }
  if (rc >= 0) rc = copy_inputs(p, o->store, err);
  if (rc < 0) {
    eas_replay_close(p);
    return rc;
  }
  *out = p;
  return 0;
}

void eas_replay_close(eas_replay *p)
{
  if (!p) return;
  eas_worker *w = p->w;
  if (p->running && p->r) eas_process_kill(p->r, "cancelled");
  for (int i = 0; p->running && !p->over && i < 50; i++) eas_loop_turn(w->o.loop, 100000, NULL);
  if (p->r) {
    p->r->slot = -1;
    eas_running_free(p->r);
  }
  if (w) {
    eas_store *store = w->o.store;
    eas_loop *loop = w->o.loop;
    const char *const *packs = w->o.packs;
    for (int i = 0; packs[i]; i++)
      if (!packs[i + 1]) free((void *)(uintptr_t)packs[i]);
    eas_worker_close(w);
    eas_store_close(store);
    eas_loop_free(loop);
    free((void *)(uintptr_t)packs);
  }
  if (p->debug_fd >= 0) close(p->debug_fd);
  free(p->folder);
  free(p->task_script);
  free(p->qc_script);
  free(p);
  the_replay = NULL;
}

int eas_replay_start(eas_replay *p, const eas_replay_start_options *o, eas_err *err)
{
  if (p->running) return eas_fail(err, EAS_EBUSY, "it runs already");
  look_at_code(p);
  if (!o->is_qc) eas_replay_begin(p);
  eas_running *r = p->r;
  r->type = &p->type;
  if (o->threads > 0) r->limits.cpus = r->cpus = o->threads;
  r->limits.wall_ms = NO_TIME;
  json_decref(r->debug);
  if (o->gdb) r->limits.cpu_s = 0;
  r->debug = o->debug || o->gdb ? json_pack("{s:s,s:i,s:b}", "pipe", ".debug", "line", o->line, "gdb", o->gdb) : NULL;
  json_decref(r->debug_said);
  r->debug_said = json_array();
  if (o->is_qc && !r->ending) return eas_fail(err, EAS_EINVAL, "there is nothing to judge: run() comes first");
  if (o->is_qc) {
    json_array_clear(r->checks);
    free(r->reason);
    r->reason = NULL;
    r->verdict_seen = r->verdict_pass = 0;
  }
  p->over = p->stops = 0;
  r->started_us = eas_tick_us();
  eas_list_add(&p->w->running, r);
  int rc = eas_running_spawn(r, o->is_qc, err);
  if (rc < 0) eas_list_remove(&p->w->running, r);
  p->running = rc >= 0;
  return rc < 0 ? rc : 0;
}

static json_t *new_lines(eas_running *r)
{
  int n = 0, first = 0;
  const eas_log_entry *e = eas_logbuf_unsent(&r->log, &n, &first);
  json_t *list = json_array();
  for (int i = 0; i < n; i++)
    json_array_append_new(list, json_pack("{s:i,s:s}", "level", e[i].level, "text", e[i].text));
  eas_logbuf_mark(&r->log, n);
  return list;
}

int eas_replay_step(eas_replay *p, int64_t timeout_us, json_t **out, eas_err *err)
{
  eas_running *r = p->r;
  if (p->running && !p->over) {
    int rc = eas_loop_turn(p->w->o.loop, timeout_us, err);
    if (rc < 0) return rc;
    if (eas_tick_us() - p->disk_us > LOOK_US) {
      eas_worker_check_disk(p->w);
      p->disk_us = eas_tick_us();
    }
  }
  if (p->over && p->running) {
    p->running = 0;
    for (int i = 0; i < r->n_made; i++)
      if (r->made[i].stored) link_file(p, "outputs", r->made[i].planned->filename, &r->made[i].digest);
  }
  json_t *said = r->debug_said;
  r->debug_said = json_array();
  const eas_shared_page *page = r->p.child.page;
  *out =
      json_pack("{s:b,s:o,s:o,s:I,s:I}", "over", !p->running, "log", new_lines(r), "debug", said ? said : json_array(),
                "done", (json_int_t)(page ? page->done : 0), "total", (json_int_t)(page ? page->total : 0));
  return 0;
}

int eas_replay_say(eas_replay *p, const char *line, eas_err *err)
{
  char *text = eas_format("%s\n", line);
  size_t n = strlen(text);
  ssize_t wrote = p->debug_fd < 0 ? -1 : write(p->debug_fd, text, n);
  free(text);
  return wrote == (ssize_t)n ? 0 : eas_fail(err, EAS_EBUSY, "the debugger does not read");
}

pid_t eas_replay_pid(const eas_replay *p)
{
  return p->running && p->r->p.alive ? p->r->p.child.pid : 0;
}

void eas_replay_stop(eas_replay *p)
{
  if (!p->running) return;
  if (p->stops++ == 0)
    eas_process_stop(p->r, "cancelled");
  else
    eas_process_kill(p->r, "cancelled");
}
