/* acts.c: scripts that break, run wild, or leave something behind. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacks.h"

volatile int attack_interrupted;

void attack_say(const eas_run *run, const char *format, ...)
{
  char text[512];
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  eas_event_write(run->fd, EAS_EV_LOG, 20, text, (size_t)n);
}

static int end(const attack_given *g)
{
  return eas_event_write(g->run->fd, EAS_EV_END, 0, "", 0);
}

/* A name that this host alone counts in /proc afterwards: specs run side by side. */
static void mark(const attack_given *g)
{
  char name[16];
  snprintf(name, sizeof name, "eas-of-%d", g->supervisor % 10000000);
  prctl(PR_SET_NAME, name, 0, 0, 0);
}

static int well(const attack_given *g)
{
  return end(g);
}

static volatile uintptr_t nowhere = 16;

static int segv(const attack_given *g)
{
  (void)g;
  *(volatile int *)nowhere = 1;
  return 0;
}

__attribute__((no_sanitize("undefined"))) static int fpe(const attack_given *g)
{
  volatile int zero = 0;
  return g->supervisor / zero;
}

static int ill(const attack_given *g)
{
  (void)g;
  __builtin_trap();
}
static int aborts(const attack_given *g)
{
  (void)g;
  abort();
}

static int double_free(const attack_given *g)
{
  (void)g;
  void *volatile p = malloc(64);
  free(p);
  free(p);
  return 0;
}

static int bus(const attack_given *g)
{
  (void)g;
  int fd = open("short", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (ftruncate(fd, 4096) < 0) return -1;
  volatile char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0);
  return p[4096];
}

static int overflow_by(volatile char *up, int depth)
{
  volatile char here[4096];
  here[0] = up[0];
  return depth > 1000000 ? here[0] : overflow_by(here, depth + 1) + here[0];
}

static int stack_overflow(const attack_given *g)
{
  (void)g;
  volatile char top[1] = { 1 };
  return overflow_by(top, 0);
}

static void *crash_in_thread(void *arg)
{
  *(volatile int *)arg = 1;
  return NULL;
}

static int thread_segv(const attack_given *g)
{
  (void)g;
  pthread_t t;
  if (pthread_create(&t, NULL, crash_in_thread, (void *)(uintptr_t)32) != 0) return -1;
  pthread_join(t, NULL);
  return 0;
}

static int run_threads(const attack_given *g)
{
  pthread_t t[4];
  int value = 0;
  for (int i = 0; i < 4; i++)
    if (pthread_create(&t[i], NULL, crash_in_thread, &value) != 0) return -1;
  for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
  attack_say(g->run, "threads %d", value);
  return end(g);
}

static int loop(const attack_given *g)
{
  g->run->page->stage = 3;
  for (;;) continue;
  return 0;
}

static int loop_on_cpu(const attack_given *g) /* nobody asks it to stop but its own limit */
{
  (void)g;
  for (;;) continue;
  return 0;
}

static int polite_loop(const attack_given *g)
{
  g->run->page->stage = 3;
  while (!attack_interrupted) usleep(1000);
  static const char error[] = "{\"message\":\"interrupted\",\"trace\":\"Lua stack\"}";
  eas_event_write(g->run->fd, EAS_EV_ERROR, 0, error, sizeof error - 1);
  return -1;
}

static int ignore_term(const attack_given *g)
{
  signal(SIGTERM, SIG_IGN);
  g->run->page->stage = 3;
  for (;;) pause();
  return 0;
}

static int memory_bomb(const attack_given *g)
{
  for (int mb = 0;; mb += 16) {
    char *p = malloc(16 << 20);
    if (!p) {
      attack_say(g->run, "malloc: no more after %d MB", mb);
      return end(g);
    }
    memset(p, 1, 16 << 20);
    if (mb > 4096) return end(g);
  }
}

static int big_file(const attack_given *g)
{
  static char block[1 << 20];
  int fd = open("out/big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  for (int mb = 0; mb < 64; mb++)
    if (write(fd, block, sizeof block) < 0) {
      attack_say(g->run, "write: %s", strerror(errno));
      return end(g);
    }
  attack_say(g->run, "wrote 64 MB");
  return end(g);
}

static int fork_bomb(const attack_given *g)
{
  int n = 0;
  mark(g);
  for (; n < 5000; n++) {
    pid_t pid = fork();
    if (pid < 0) break;
    if (pid == 0)
      for (;;) pause();
  }
  attack_say(g->run, "forks %d", n);
  return end(g);
}

static int tree_bomb(const attack_given *g)
{
  mark(g);
  for (int i = 0; i < 2000; i++)
    if (fork() < 0) break;
  g->run->page->stage = 3;
  for (;;) pause();
  return 0;
}

static int daemonize(const attack_given *g)
{
  mark(g);
  if (fork() == 0) {
    setsid();
    if (fork() == 0)
      for (;;) pause();
    _exit(0);
  }
  wait(NULL);
  attack_say(g->run, "daemon started");
  return end(g);
}

static int exit_early(const attack_given *g)
{
  (void)g;
  exit(0);
}

static int close_pipes(const attack_given *g)
{
  close(1);
  close(2);
  close(g->run->fd);
  usleep(200000);
  return 0;
}

static int flood(const attack_given *g)
{
  static char block[1 << 16];
  memset(block, 'x', sizeof block);
  block[sizeof block - 1] = '\n';
  for (int i = 0; i < 320; i++) /* 20 MB */
    if (write(1, block, sizeof block) < 0) return -1;
  return end(g);
}

static int garbage(const attack_given *g)
{
  char bytes[5000];
  memset(bytes, 0xa5, sizeof bytes);
  if (write(g->run->fd, bytes, sizeof bytes) < 0) return -1;
  return end(g);
}

static int checksum(const attack_given *g)
{
  unsigned long sum = 0;
  for (size_t i = 0; i < g->run->request_len; i++) sum = sum * 31 + (unsigned char)g->run->request[i];
  attack_say(g->run, "request %zu %lu", g->run->request_len, sum);
  return end(g);
}

static int shrink_page(const attack_given *g) /* the supervisor reads the page: it must stay */
{
  g->run->page->done = 7;
  g->run->page->cancel = 9;
  return end(g);
}

static int hold(const attack_given *g) /* for a look from outside */
{
  g->run->page->stage = 3;
  while (!g->run->page->cancel) usleep(1000);
  return end(g);
}

static int fail(const attack_given *g)
{
  static const char error[] = "{\"message\":\"no such period\",\"trace\":\"t.lua:3\"}";
  eas_event_write(g->run->fd, EAS_EV_ERROR, 0, error, sizeof error - 1);
  return -1;
}

const attack_act attack_acts[] = {
  { "well", well },
  { "segv", segv },
  { "fpe", fpe },
  { "ill", ill },
  { "abort", aborts },
  { "double_free", double_free },
  { "bus", bus },
  { "stack_overflow", stack_overflow },
  { "thread_segv", thread_segv },
  { "threads", run_threads },
  { "loop", loop },
  { "loop_on_cpu", loop_on_cpu },
  { "polite_loop", polite_loop },
  { "ignore_term", ignore_term },
  { "memory_bomb", memory_bomb },
  { "big_file", big_file },
  { "fork_bomb", fork_bomb },
  { "tree_bomb", tree_bomb },
  { "daemon", daemonize },
  { "exit_early", exit_early },
  { "close_pipes", close_pipes },
  { "flood", flood },
  { "garbage", garbage },
  { "checksum", checksum },
  { "shrink_page", shrink_page },
  { "hold", hold },
  { "fail", fail },
  { NULL, NULL },
};
