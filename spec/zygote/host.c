/* host.c: a supervisor for specs, whose zygote's "scripts" are the attacks of attacks.h.
 *
 * eas-zygote-host MODE WHAT...   MODE: full userns basic control (root without any layer but rlimits), and "-" and layers to leave out
 *   layers                       names of the layers that its zygote has
 *   questions                    one line per attack: NAME denied|through ERRNO
 *   NAME                         one act; a report as JSON: status, signal, seconds, events, bytes of output, processes left, ...
 * Exit 3: this machine cannot have the mode. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacks.h"
#include "base/buf.h"
#include "base/path.h"
#include "scene.h"
#include "worker/zygote.h"

static int run_script(void *arg, const eas_run *run)
{
  (void)arg;
  json_t *request = json_loadb(run->request, run->request_len, 0, NULL);
  attack_given g = { .run = run };
  const char *name = NULL;
  if (!request || json_unpack(request, "{s:s, s:s, s:s, s:s, s:i}", "script", &name, "data", &g.data, "input", &g.input,
                              "foreign", &g.foreign, "supervisor", &g.supervisor) < 0)
    return -1;
  for (const attack_act *a = attack_acts; a->name; a++)
    if (strcmp(a->name, name) == 0) return a->act(&g);
  for (const attack_question *q = attack_questions; q->name; q++) {
    int rc = q->ask(&g);
    attack_say(run, "%s %s %s", q->name, rc > 0 ? "through" : "denied", rc > 0 ? "0" : strerrorname_np(-rc));
  }
  return eas_event_write(run->fd, EAS_EV_END, 0, "", 0);
}

static int load_nothing(void *arg, const char *share, const char *const *packs, eas_err *err)
{
  (void)arg;
  (void)share;
  (void)packs;
  (void)err;
  return 0;
}

static void write_stack(void *arg, int fd)
{
  (void)arg;
  static const char text[] = "stack traceback:\n\tscript.lua:12: in function 'search'\n";
  if (write(fd, text, sizeof text - 1) < 0) errno = 0;
}

static void interrupt_script(void *arg, const char *why)
{
  (void)arg;
  (void)why;
  attack_interrupted = 1;
}

static const eas_runner runner = {
  .load = load_nothing, .run = run_script, .stack = write_stack, .interrupt = interrupt_script
};

static void print_layers(unsigned layers)
{
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if (layers >> i & 1) printf("%s ", eas_layer_name(1 << i));
  printf("\n");
}

static void print_report(const scene *s, const act *a)
{
  json_t *v =
      json_pack("{s:i, s:i, s:f, s:I, s:i, s:i, s:b, s:b, s:i, s:b, s:b, s:o, s:I}", "status", a->status, "signal",
                a->signo, "seconds", a->seconds, "output", (json_int_t)a->output, "left", a->left, "left_before",
                a->left_before, "ended", a->ended, "garbage", a->garbage, "layers", (int)a->layers, "oom", a->oom,
                "refused", a->refused, "events", a->events, "peak", (json_int_t)a->peak);
  json_dumpf(v, stdout, JSON_COMPACT | JSON_SORT_KEYS);
  printf("\n");
  json_decref(v);
  (void)s;
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--zygote") == 0) return eas_zygote_main(atoi(argv[2]), &runner);
  if (argc < 3) {
    fprintf(stderr, "usage: eas-zygote-host MODE[-LAYER...] layers|questions|NAME...\n");
    return 2;
  }
  scene s;
  int rc = scene_open(&s, argv[1]);
  if (rc != 0) return rc;
  for (int i = 2; rc == 0 && i < argc; i++) {
    act a;
    if (strcmp(argv[i], "layers") == 0) {
      print_layers(eas_zygote_layers(s.zygote));
      continue;
    }
    if (scene_special(&s, argv[i], &rc)) continue;
    rc = scene_act(&s, argv[i], &a);
    if (rc != 0) break;
    if (strcmp(argv[i], "questions") == 0) {
      for (size_t k = 0; k < json_array_size(a.events); k++)
        if (json_integer_value(json_array_get(json_array_get(a.events, k), 0)) == EAS_EV_LOG)
          printf("%s\n", json_string_value(json_array_get(json_array_get(a.events, k), 1)));
      json_decref(a.events);
    } else {
      print_report(&s, &a);
    }
  }
  scene_close(&s);
  return rc;
}
