/* spawn_bench.c: what isolation costs: one attempt's process, from the request to its end, with all layers, with rlimits alone,
 * and a bare fork and exit of a process of the same size; interleaved, so that a busy machine hits all alike.
 *
 * spawn_bench [ROUNDS]      prints median and best wall time and mean CPU time (supervisor, zygote and child) in microseconds, and
 *                           the ratios that are promised: all layers / rlimits <= 1.3, all layers / fork <= 2.2 (best).
 * On a busy machine medians say little; CPU time and the best still do. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"
#include "base/buf.h"
#include "base/path.h"
#include "worker/zygote.h"

enum { FORK, RLIMITS, ISOLATED, ISOLATED_CGROUP, N_KINDS, SLICE = 20, HEAP = 2 << 20 };
static const char *const names[N_KINDS] = { "bare fork, exit, wait", "zygote child, rlimits only",
                                            "zygote child, all layers", "the same in a cgroup" };

typedef struct {
  eas_probe probe;
  eas_zygote *zygote[N_KINDS];
  eas_slot_group *group;
  char root[64], scratch_root[80], scratch[96], input[96];
  clockid_t clock[N_KINDS]; /* CPU time of the zygote */
  double *us[N_KINDS], cpu_us[N_KINDS];
} bench;

/* A heap such as a Lua state with its scripts has. */
static int load_some(void *arg, const char *share, const char *const *packs, eas_err *err)
{
  (void)arg;
  (void)share;
  (void)packs;
  char *heap = malloc(HEAP);
  if (!heap) return eas_fail(err, EAS_ENOMEM, "no memory");
  memset(heap, 1, HEAP);
  return 0;
}

static const eas_runner runner = { .load = load_some, .run = bare_run };

static double now_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double clock_us(clockid_t which)
{
  struct timespec t;
  return clock_gettime(which, &t) == 0 ? (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3 : 0;
}

/* The zygote's CPU clock, by the number behind its pidfd. */
static void find_clock(bench *b, int kind)
{
  char path[64], line[128];
  int pid = 0;
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", eas_zygote_pidfd(b->zygote[kind]));
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "Pid: %d", &pid) == 1) break;
  if (f) fclose(f);
  if (clock_getcpuclockid(pid, &b->clock[kind]) != 0) b->clock[kind] = CLOCK_PROCESS_CPUTIME_ID;
}

static double of_children(void)
{
  struct rusage u;
  getrusage(RUSAGE_CHILDREN, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* All that was used so far on behalf of a kind. */
static double cpu_us(bench *b, int kind)
{
  double own = clock_us(CLOCK_PROCESS_CPUTIME_ID) + of_children();
  return kind == FORK ? own : own + clock_us(b->clock[kind]);
}

static int open_all(bench *b, eas_err *err)
{
  int rc = bare_folders(b->root, b->scratch_root, err);
  if (rc < 0) return rc;
  snprintf(b->scratch, sizeof b->scratch, "%s/a1", b->scratch_root);
  snprintf(b->input, sizeof b->input, "%s/input", b->root);
  if (mkdir(b->scratch, 0700) < 0) return eas_fail(err, EAS_EIO, "make '%s': %s", b->scratch, strerror(errno));
  rc = eas_file_write(b->input, "x", 1, 0444, err);
  if (rc < 0) return rc;
  eas_sandbox_probe(&b->probe);
  if ((b->probe.layers & EAS_LAYER_UID) && chown(b->scratch, eas_slot_uid(0), (gid_t)-1) < 0)
    return eas_fail(err, EAS_EIO, "chown '%s': %s", b->scratch, strerror(errno));
  const unsigned groups = EAS_LAYER_CGROUP_MEMORY | EAS_LAYER_CGROUP_PIDS | EAS_LAYER_CGROUP_CPU;
  for (int kind = RLIMITS; rc == 0 && kind < N_KINDS; kind++) {
    unsigned use = kind == RLIMITS    ? (unsigned)EAS_LAYER_RLIMITS
                   : kind == ISOLATED ? b->probe.layers & ~groups
                                      : b->probe.layers;
    if (kind == ISOLATED_CGROUP &&
        (!(b->probe.layers & groups) || eas_slot_group_open(&b->group, &b->probe, 0, err) < 0))
      return 0;
    rc = bare_zygote(&b->zygote[kind], &b->probe, use, b->root, b->scratch_root, err);
    if (rc == 0) find_clock(b, kind);
  }
  return rc;
}

static void close_all(bench *b)
{
  for (int kind = RLIMITS; kind < N_KINDS; kind++) {
    eas_zygote_stop(b->zygote[kind]);
    free(b->us[kind]);
  }
  free(b->us[FORK]);
  eas_slot_group_close(b->group);
  eas_path_remove_tree(b->root, NULL);
}

static int attempt(bench *b, int kind, eas_err *err)
{
  const char *readable[] = { b->input, NULL };
  eas_spawn s = bare_spawn();
  eas_child c;
  s.scratch = b->scratch;
  s.readable = readable;
  if (kind == ISOLATED_CGROUP) {
    s.group = b->group;
    if (eas_slot_group_set(b->group, &s.limits, err) < 0) return err->code;
  }
  int rc = eas_zygote_spawn(b->zygote[kind], &s, &c, err);
  if (rc < 0) return rc;
  struct pollfd p = { .fd = c.pidfd, .events = POLLIN };
  while (poll(&p, 1, -1) < 0 && errno == EINTR) continue;
  return bare_reap(&c, err);
}

static int bare(eas_err *err)
{
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : eas_fail(err, EAS_EIO, "fork: %s", strerror(errno));
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int measure(bench *b, int rounds, eas_err *err)
{
  for (int kind = 0; kind < N_KINDS; kind++) b->us[kind] = eas_alloc((size_t)(rounds * SLICE) * sizeof(double));
  for (int round = 0; round < rounds; round++)
    for (int kind = 0; kind < N_KINDS; kind++) {
      if (kind != FORK && !b->zygote[kind]) continue;
      double before = cpu_us(b, kind);
      for (int i = 0; i < SLICE; i++) {
        double start = now_us();
        int rc = kind == FORK ? bare(err) : attempt(b, kind, err);
        if (rc < 0) return rc;
        b->us[kind][round * SLICE + i] = now_us() - start;
      }
      b->cpu_us[kind] += cpu_us(b, kind) - before;
    }
  return 0;
}

static void report(bench *b, int rounds)
{
  int n = rounds * SLICE;
  double median[N_KINDS] = { 0 };
  for (int kind = 0; kind < N_KINDS; kind++) {
    if (kind != FORK && !b->zygote[kind]) continue;
    qsort(b->us[kind], (size_t)n, sizeof(double), by_value);
    median[kind] = b->us[kind][n / 2];
    printf("%-28s median %7.1f us   best %7.1f us   CPU %7.1f us\n", names[kind], median[kind], b->us[kind][0],
           b->cpu_us[kind] / n);
  }
  static const int against[] = { RLIMITS, FORK };
  for (int i = 0; i < 2; i++) {
    int k = against[i];
    printf("all layers / %-15s median %7.2f      best %7.2f      CPU %7.2f\n", k == FORK ? "bare fork" : "rlimits only",
           median[ISOLATED] / median[k], b->us[ISOLATED][0] / b->us[k][0], b->cpu_us[ISOLATED] / b->cpu_us[k]);
  }
  printf("layers:");
  for (int i = 0; i < EAS_LAYER_COUNT; i++)
    if (eas_zygote_layers(b->zygote[ISOLATED]) >> i & 1) printf(" %s", eas_layer_name(1 << i));
  printf("\n");
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--zygote") == 0) return eas_zygote_main(atoi(argv[2]), &runner);
  int rounds = argc > 1 ? atoi(argv[1]) : 50;
  static bench b;
  eas_err err = { 0 };
  if (rounds < 1) {
    fprintf(stderr, "usage: spawn_bench [ROUNDS]\n");
    return 2;
  }
  if (load_some(NULL, NULL, NULL, &err) < 0) return 1; /* as big as the zygotes */
  int rc = open_all(&b, &err);
  if (rc == 0) rc = measure(&b, rounds, &err);
  if (rc == 0)
    report(&b, rounds);
  else
    fprintf(stderr, "spawn_bench: %s\n", err.text);
  close_all(&b);
  return rc < 0;
}
