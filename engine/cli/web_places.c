/* web_places.c: see web_places.h. */
#include "cli/web_places.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/places.h"

enum { MOST = 256, AT_ONCE = 4, LOOK_US = 100 * 1000, GIVE_UP_US = 10 * 1000 * 1000 };

typedef struct {
  char *file;
  uint64_t offset;
  int64_t changed; /* the file, as it was asked about */
  char *line;      /* NULL: not known, or not yet */
  pid_t pid;       /* that is asked; 0: it has answered */
  int fd;
  int64_t since;
} place;

struct eas_web_places {
  place list[MOST];
  int n, next;   /* the oldest makes room */
  int64_t until; /* of this look */
};

eas_web_places *eas_web_places_new(void)
{
  return eas_alloc(sizeof(eas_web_places));
}

/* The asked one ends, whether it has answered or not. */
static void end(place *x, int kill_it)
{
  if (!x->pid) return;
  if (kill_it) kill(x->pid, SIGKILL);
  close(x->fd);
  while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR) {}
  x->pid = 0;
}

static void forget(place *x)
{
  end(x, 1);
  free(x->file);
  free(x->line);
  *x = (place){ 0 };
}

void eas_web_places_free(eas_web_places *p)
{
  if (!p) return;
  for (int i = 0; i < p->n; i++) forget(&p->list[i]);
  free(p);
}

/* Waits for an answer until then. */
static void hear(place *x, int64_t until)
{
  char line[1024] = "";
  struct pollfd w = { .fd = x->fd, .events = POLLIN };
  int64_t left = until - eas_tick_us();
  int ready = poll(&w, 1, left > 0 ? (int)((left + 999) / 1000) : 0);
  if (ready <= 0) {
    if (eas_tick_us() - x->since > GIVE_UP_US) end(x, 1);
    return;
  }
  ssize_t n = read(x->fd, line, sizeof line - 1); /* one short line: written at once */
  if (n > 0) x->line = eas_place_answer(line);
  end(x, 1); /* it has said all: its end is not waited for */
}

static place *find(eas_web_places *p, const char *file, uint64_t offset, int64_t changed)
{
  for (int i = 0; i < p->n; i++) {
    place *x = &p->list[i];
    if (x->offset == offset && x->changed == changed && strcmp(x->file, file) == 0) return x;
  }
  return NULL;
}

static int under_way(const eas_web_places *p)
{
  int n = 0;
  for (int i = 0; i < p->n; i++) n += p->list[i].pid != 0;
  return n;
}

static place *add(eas_web_places *p, const char *file, uint64_t offset, int64_t changed)
{
  pid_t pid = 0;
  if (eas_tick_us() > p->until || under_way(p) >= AT_ONCE) return NULL; /* a later look asks */
  int fd = eas_place_spawn(file, offset, &pid);
  place *x = &p->list[p->n < MOST ? p->n++ : p->next++ % MOST];
  forget(x);
  *x = (place){ .file = eas_strdup(file), .offset = offset, .changed = changed, .since = eas_tick_us() };
  if (fd < 0) return x; /* no addr2line here: it is not asked for again */
  x->pid = pid;
  x->fd = fd;
  return x;
}

static char *ask(void *arg, const char *file, uint64_t offset)
{
  eas_web_places *p = arg;
  struct stat st;
  if (stat(file, &st) != 0) return NULL;
  int64_t changed = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
  place *x = find(p, file, offset, changed);
  if (!x) x = add(p, file, offset, changed);
  if (x && x->pid) hear(x, p->until);
  return x && x->line ? eas_strdup(x->line) : NULL;
}

char *eas_web_places_text(eas_web_places *p, const eas_cli *c, const char *text, int64_t at_us)
{
  for (int i = 0; i < p->n; i++) /* those that were left behind */
    if (p->list[i].pid) hear(&p->list[i], 0);
  p->until = eas_tick_us() + LOOK_US;
  return eas_places_by(c, text, at_us, ask, p);
}
