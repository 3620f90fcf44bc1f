/* usage.c: see usage.h. */
#include "worker/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

enum { MOST_PROCESSES = 64, FIRST_MS = 2000, OFTEN_MS = 2000, SELDOM_MS = 10000 };

static int64_t most(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* Two points become one: as late as the second, with the most memory of both. */
static void halve(eas_usage *u)
{
  u->n /= 2;
  for (int i = 0; i < u->n; i++) {
    const eas_usage_point *a = &u->points[2 * i], *b = a + 1;
    u->points[i] = (eas_usage_point){ b->ms, b->cpu_ms, most(a->rss_kb, b->rss_kb) };
  }
  u->stride *= 2;
}

void eas_usage_add(eas_usage *u, int64_t ms, int64_t cpu_ms, int64_t rss_kb)
{
  if (!u->points) {
    u->points = eas_alloc(EAS_USAGE_MAX * sizeof *u->points);
    u->stride = 1;
  }
  u->rss_kb = most(u->rss_kb, rss_kb);
  if (++u->looks < u->stride) return;
  if (u->n == EAS_USAGE_MAX) halve(u);
  u->points[u->n++] = (eas_usage_point){ ms, cpu_ms, u->rss_kb };
  u->looks = 0;
  u->rss_kb = 0;
}

/* A short file of /proc, as text. 0: it cannot be read. */
static int slurp(const char *path, char *out, size_t room)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, out, room - 1);
  close(fd);
  out[n > 0 ? n : 0] = 0;
  return n > 0;
}

/* Fields after the name, which may hold anything but ends with the last ')': 14 to 17 are ticks of CPU time (of the process, in
 * and out of the kernel, and of those it waited for), 24 is pages of memory. 0: it is gone. */
static int look_at(pid_t pid, int64_t *ticks, int64_t *pages)
{
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  char *p = slurp(path, text, sizeof text) ? strrchr(text, ')') : NULL;
  if (!p) return 0;
  for (int field = 2; field < 24; field++) {
    p = strchr(p, ' ');
    if (!p) return 0;
    int64_t v = strtoll(++p, NULL, 10);
    if (field + 1 >= 14 && field + 1 <= 17) *ticks += v;
    if (field + 1 == 24) *pages += v;
  }
  return 1;
}

void eas_usage_look(eas_usage *u, pid_t pid, int64_t ms)
{
  pid_t list[MOST_PROCESSES] = { pid };
  int n = 1;
  int64_t ticks = 0, pages = 0;
  for (int i = 0; i < n; i++) {
    char path[64], text[2048];
    if (!look_at(list[i], &ticks, &pages) && i == 0) return;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)list[i], (int)list[i]);
    if (!slurp(path, text, sizeof text)) continue; /* nobody, or the kernel does not tell */
    char *p = text, *end = NULL;
    for (long child; n < MOST_PROCESSES && (child = strtol(p, &end, 10)) > 0 && end != p; p = end)
      list[n++] = (pid_t)child;
  }
  eas_usage_add(u, ms, ticks * 1000 / sysconf(_SC_CLK_TCK), pages * (sysconf(_SC_PAGESIZE) / 1024));
}

static void add_list(eas_buf *b, const char *name, const eas_usage *u, size_t offset)
{
  eas_buf_printf(b, "\"%s\":[", name);
  for (int i = 0; i < u->n; i++) {
    int64_t v;
    memcpy(&v, (const char *)&u->points[i] + offset, sizeof v);
    eas_buf_printf(b, "%s%lld", i ? "," : "", (long long)v);
  }
  eas_buf_str(b, "]");
}

const char *eas_usage_text(eas_usage *u)
{
  if (u->n == 0) return NULL;
  eas_buf b;
  eas_buf_init(&b);
  eas_buf_str(&b, "{");
  add_list(&b, "ms", u, offsetof(eas_usage_point, ms));
  eas_buf_str(&b, ",");
  add_list(&b, "cpu_ms", u, offsetof(eas_usage_point, cpu_ms));
  eas_buf_str(&b, ",");
  add_list(&b, "rss_kb", u, offsetof(eas_usage_point, rss_kb));
  eas_buf_str(&b, "}");
  free(u->text);
  return u->text = eas_buf_take(&b);
}

const char *eas_usage_due(eas_usage *u)
{
  int64_t now = u->n ? u->points[u->n - 1].ms : 0, step = now / 30;
  step = step < OFTEN_MS ? OFTEN_MS : step > SELDOM_MS ? SELDOM_MS : step;
  if (now < FIRST_MS || now - u->sent_ms < step) return NULL;
  u->sent_ms = now;
  return eas_usage_text(u);
}

void eas_usage_done(eas_usage *u)
{
  free(u->points);
  free(u->text);
}
