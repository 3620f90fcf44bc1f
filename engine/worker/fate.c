/* fate.c: see fate.h. In a pid namespace a fatal signal reads as exit 128 + signal; both are one here. */
#include "worker/fate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ENDINGS[] = { "ok",     "error", "crashed",   "timeout",  "cpu",
                                       "memory", "disk",  "processes", "cancelled" };

const char *eas_ending_word(const char *name)
{
  for (size_t i = 1; i < sizeof ENDINGS / sizeof *ENDINGS; i++) /* nobody says ok of itself */
    if (strcmp(name, ENDINGS[i]) == 0) return ENDINGS[i];
  return "error";
}

/* Cause and message may come from C, from Lua or from a program that a script ran: the system's words are what they share. */
const char *eas_ending_of(const char *message, const char *otherwise)
{
  if (!message) return otherwise;
  if (strcasestr(message, strerror(ENOSPC)) || strcasestr(message, strerror(EDQUOT))) return "disk";
  return strcasestr(message, strerror(EAGAIN)) ? "processes" : otherwise; /* what a refused fork or thread gives */
}

static int signal_of(const eas_process *p)
{
  if (p->info.si_code == CLD_KILLED || p->info.si_code == CLD_DUMPED) return p->info.si_status;
  if (p->info.si_code == CLD_EXITED && p->info.si_status > 128 && p->info.si_status < 128 + 65)
    return p->info.si_status - 128;
  return 0;
}

static char *duration_text(int64_t ms)
{
  if (ms % 1000) return eas_format("%.1f s", (double)ms / 1000);
  return eas_format("%lld s", (long long)(ms / 1000));
}

static void set(eas_fate *f, const char *ending, char *message)
{
  f->ending = ending;
  f->message = message;
}

static void stopped(const eas_process *p, const eas_limits *limits, eas_fate *out)
{
  if (strcmp(p->stop_cause, "timeout") == 0) {
    char *limit = duration_text(limits->wall_ms);
    set(out, "timeout", eas_format("ran longer than its time limit of %s", limit));
    free(limit);
  } else if (strcmp(p->stop_cause, "disk") == 0) {
    set(out, "disk", eas_format("wrote more than its limit of %lld MB", (long long)(limits->disk_bytes / 1000000)));
  } else {
    set(out, eas_ending_word(p->stop_cause), NULL);
  }
}

static void killed(int signo, eas_slot_group *group, const eas_limits *limits, eas_fate *out)
{
  if (signo == SIGKILL && group && eas_slot_group_oom(group))
    set(out, "memory",
        eas_format("used more than its memory limit of %.1f GB", (double)limits->memory_bytes / 1073741824.0));
  else if (signo == SIGXCPU)
    set(out, "cpu", eas_format("used more than its CPU limit of %lld s", (long long)limits->cpu_s));
  else if (signo == SIGXFSZ)
    set(out, "disk", eas_format("wrote a file over its limit of %lld MB", (long long)(limits->file_bytes / 1000000)));
  else if (signo == SIGKILL)
    set(out, "crashed", eas_strdup("was killed by SIGKILL from outside"));
  else
    set(out, "crashed", eas_format("SIG%s", sigabbrev_np(signo) ? sigabbrev_np(signo) : "?"));
}

static char *too_many(const eas_limits *limits)
{
  return eas_format("started more than its limit of %d processes", limits->processes);
}

void eas_fate_of(const eas_process *p, eas_slot_group *group, const eas_limits *limits, const char *said,
                 const char *message, eas_fate *out)
{
  int signo = signal_of(p);
  int status = p->info.si_code == CLD_EXITED ? p->info.si_status : -1;
  set(out, "ok", NULL);
  if (p->stop_cause) {
    stopped(p, limits, out);
  } else if (said) { /* what it reported before it died is more precise than the signal */
    set(out, eas_ending_word(said), message ? NULL : eas_format("ended with %s", said));
    if (strcmp(said, "memory") == 0 && !message) return;
    if (strcmp(said, "processes") == 0) {
      free(out->message);
      out->message = too_many(limits);
      return;
    }
  } else if (signo) {
    killed(signo, group, limits, out);
  } else if (p->events.garbage) {
    set(out, "error", eas_strdup("sent something that is no event"));
  } else if (!p->ended) {
    set(out, "error", eas_format("exited with status %d before its script returned", status));
  } else if (status != 0) {
    set(out, "error", eas_format("exited with status %d", status));
  }
  if (strcmp(out->ending, "ok") != 0 && !p->stop_cause && group && eas_slot_group_forks_refused(group)) {
    free(out->message);
    set(out, "processes", too_many(limits));
  }
}
