/* layers.c: names of the layers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sandbox/own.h"

static const char *const NAMES[EAS_LAYER_COUNT] = {
  "rlimits", "no_new_privs", "seccomp", "landlock",      "uid",         "user_ns",    "mount_ns",
  "pid_ns",  "net_ns",       "ipc_ns",  "cgroup_memory", "cgroup_pids", "cgroup_cpu",
};

const char *eas_layer_name(int bit)
{
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if (bit == 1 << i) return NAMES[i];
  return "?";
}

static int find(const char *word)
{
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if (strcmp(word, NAMES[i]) == 0) return i;
  return -1;
}

int eas_layer_parse(const char *list, unsigned *bits, eas_err *err)
{
  unsigned all = 0;
  while (*list) {
    size_t n = strcspn(list, " ,\t\n");
    if (n > 0) {
      char word[64];
      snprintf(word, sizeof word, "%.*s", (int)(n < 63 ? n : 63), list);
      int i = find(word);
      if (i < 0) {
        const char *near = eas_nearest(word, NAMES, EAS_LAYER_COUNT);
        int rc = eas_fail(err, EAS_EINVAL, "no isolation layer is called '%s'", word);
        if (near)
          eas_hint(err, "did you mean '%s'?", near);
        else
          eas_hint(err, "layers: rlimits no_new_privs seccomp landlock uid user_ns mount_ns pid_ns net_ns ipc_ns "
                        "cgroup_memory cgroup_pids cgroup_cpu");
        return rc;
      }
      all |= 1u << i;
    }
    list += n + (list[n] != 0);
  }
  *bits = all;
  return 0;
}

void eas_layer_reason(eas_probe *p, unsigned bit, const char *format, ...)
{
  va_list ap;
  va_start(ap, format);
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if (bit == 1u << i) vsnprintf(p->reason[i], sizeof p->reason[i], format, ap);
  va_end(ap);
}

uid_t eas_slot_uid(int slot)
{
  return 61000u + (uid_t)slot;
}
