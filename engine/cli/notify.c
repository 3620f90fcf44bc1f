/* notify.c: see notify.h. */
#include "cli/notify.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/hook.h"
#include "model/chore.h"
#include "model/pages.h"

enum {
  LOOK_US = 1000 * 1000,
  SOON_US = 50 * 1000,
  TRIES = 3,
  PAUSE_US = 1000 * 1000,
  LAG_US = 2 * 1000 * 1000,
  MARGIN_US = 30 * 1000 * 1000
};
enum { COMMAND, URL, KINDS };
static const char NAME[] = "hooks";
static const char *const WHAT[KINDS] = { "hook_command", "hook_url" };

struct eas_notify {
  json_t *job; /* that is being told; NULL: none */
  eas_chore turn;
  int kind, tries;
  pid_t pid;
  int64_t since_us, again_us; /* of this try; of the next one */
};

static int is_set(const eas_session *s, int kind)
{
  return *eas_conf_str(s->c->conf, WHAT[kind]) != 0;
}

static int wanted(const eas_session *s, const json_t *job)
{
  return strcmp(eas_conf_str(s->c->conf, "hook_on"), "done") == 0 || strcmp(eas_json_str(job, "state"), "failed") == 0;
}

static void place_of(const json_t *job, char out[65])
{
  snprintf(out, 65, "%" PRId64 " %s", eas_json_int(job, "done_at", 0), eas_json_str(job, "job"));
}

/* Takes the next job that is to be told, if it is this control's turn. */
static int next_job(eas_session *s, eas_err *err)
{
  struct eas_notify *n = s->notify;
  eas_chore c = { 0 };
  char place[65];
  int64_t done_at = 0, job = 0, hold = 2 * KINDS * TRIES * eas_conf_duration_us(s->c->conf, "hook_timeout") + MARGIN_US;
  int rc = eas_chore_read(s->c->db, NAME, &c, err);
  if (rc == 0) {
    snprintf(place, sizeof place, "%" PRId64 " j0", eas_now_us());
    return eas_chore_make(s->c->db, NAME, place, err);
  }
  if (rc < 0 || c.due_in_us > 0) return rc;
  sscanf(c.place, "%" SCNd64 " j%" SCNd64, &done_at, &job);
  int alone = s->lock_fd >= 0; /* nobody else commits: no job can turn up behind one that was told */
  rc = eas_page_done_after(s->c->db, done_at, job, alone ? 0 : LAG_US, &n->job, err);
  if (rc < 0 || !n->job) return rc;
  rc = eas_chore_move(s->c->db, NAME, &c, hold, c.place, err);
  if (rc > 0) rc = eas_chore_read(s->c->db, NAME, &n->turn, err);
  if (rc > 0) {
    n->kind = wanted(s, n->job) ? 0 : KINDS;
    n->tries = 0;
    return 1;
  }
  json_decref(n->job);
  n->job = NULL;
  return rc;
}

static int told(eas_session *s, eas_err *err)
{
  struct eas_notify *n = s->notify;
  char place[65];
  place_of(n->job, place);
  json_decref(n->job);
  n->job = NULL;
  return eas_chore_move(s->c->db, NAME, &n->turn, 0, place, err);
}

static void next_kind(struct eas_notify *n)
{
  n->kind++;
  n->tries = 0;
  n->again_us = 0;
}

static void failed(struct eas_notify *n, const char *why)
{
  const char *job = eas_json_str(n->job, "job");
  n->tries++;
  n->again_us = eas_tick_us() + n->tries * n->tries * PAUSE_US;
  eas_log(n->tries < TRIES ? EAS_WARN : EAS_ERROR, "%s of %s: %s%s", WHAT[n->kind], job, why,
          n->tries < TRIES ? ", will be tried again" : ", given up");
  if (n->tries == TRIES) next_kind(n);
}

static void start(eas_session *s)
{
  struct eas_notify *n = s->notify;
  eas_err err = { 0 };
  int rc = n->kind == COMMAND ? eas_hook_command(eas_conf_str(s->c->conf, "hook_command"), n->job, &n->pid, &err)
                              : eas_hook_url(eas_conf_str(s->c->conf, "hook_url"), n->job,
                                             eas_conf_duration_us(s->c->conf, "hook_timeout"), &n->pid, &err);
  n->since_us = eas_tick_us();
  if (rc < 0) {
    n->pid = 0;
    failed(n, err.text);
  }
}

static void look_at_child(eas_session *s)
{
  struct eas_notify *n = s->notify;
  int status = 0;
  char why[64];
  if (waitpid(n->pid, &status, WNOHANG) == 0) {
    if (eas_tick_us() - n->since_us < eas_conf_duration_us(s->c->conf, "hook_timeout")) return;
    kill(-n->pid, SIGKILL); /* all of its group */
    waitpid(n->pid, &status, 0);
    n->pid = 0;
    failed(n, "over its time");
    return;
  }
  n->pid = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    eas_log(EAS_INFO, "%s was told of %s", WHAT[n->kind], eas_json_str(n->job, "job"));
    next_kind(n);
    return;
  }
  snprintf(why, sizeof why, "%s %d", WIFEXITED(status) ? "exit" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  failed(n, why);
}

/* One step; 1 while there is something to do. */
static int step(eas_session *s)
{
  struct eas_notify *n = s->notify;
  eas_err err = { 0 };
  int rc = 1;
  if (n->pid) {
    look_at_child(s);
  } else if (!n->job) {
    rc = next_job(s, &err);
  } else if (n->kind >= KINDS) {
    rc = told(s, &err);
  } else if (!is_set(s, n->kind)) {
    next_kind(n);
  } else if (eas_tick_us() >= n->again_us) {
    start(s);
  }
  if (rc < 0) eas_log(EAS_DEBUG, "hooks: %s", err.text); /* a database that is away is waited for */
  return rc > 0;
}

static void on_time(void *arg)
{
  eas_session *s = arg;
  if (!s->notify) return;
  int busy = step(s);
  eas_loop_after(s->loop, busy ? SOON_US : LOOK_US, on_time, s);
}

void eas_notify_start(eas_session *s)
{
  if (!s->control || (!is_set(s, COMMAND) && !is_set(s, URL))) return;
  s->notify = eas_alloc(sizeof *s->notify);
  on_time(s);
}

void eas_notify_end(eas_session *s)
{
  if (!s->notify) return;
  int64_t until = eas_tick_us() + KINDS * eas_conf_duration_us(s->c->conf, "hook_timeout") + 3 * PAUSE_US;
  while (eas_tick_us() < until && (step(s) || s->notify->job)) usleep(SOON_US);
}

void eas_notify_close(eas_session *s)
{
  if (!s->notify) return;
  if (s->notify->pid) kill(-s->notify->pid, SIGKILL);
  json_decref(s->notify->job);
  free(s->notify);
  s->notify = NULL;
}
