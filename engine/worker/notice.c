/* notice.c: see notice.h. */
#include "worker/notice.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/path.h"

struct eas_notice {
  eas_loop *loop;
  int fd;
  eas_loop_fn *fn;
  void *arg;
};

static void on_change(void *arg, int fd, uint32_t events)
{
  eas_notice *n = arg;
  char bytes[4096] __attribute__((aligned(8)));
  (void)events;
  int any = 0;
  while (read(fd, bytes, sizeof bytes) > 0) any = 1;
  if (any) n->fn(n->arg);
}

static void watch_folder(const eas_notice *n, const char *path)
{
  const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CREATE;
  if (eas_path_exists(path) && inotify_add_watch(n->fd, path, mask) < 0)
    eas_log(EAS_WARN, "watch '%s' for changed code: no inotify watch is free; send SIGHUP after an edit", path);
}

eas_notice *eas_notice_open(eas_loop *loop, const char *const *packs, eas_loop_fn *fn, void *arg)
{
  static const char *const folders[] = { "tasks_lua", "tasks_lua/lib", "qc_lua", "qc_lua/lib", "native" };
  int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return NULL;
  eas_notice *n = eas_alloc(sizeof *n);
  *n = (eas_notice){ .loop = loop, .fd = fd, .fn = fn, .arg = arg };
  for (int i = 0; packs[i]; i++)
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
      char *path = eas_path_join(packs[i], folders[k]);
      watch_folder(n, path);
      free(path);
    }
  watch_folder(n, eas_home_native());
  if (eas_loop_watch(loop, fd, EPOLLIN, on_change, n, NULL) < 0) {
    close(fd);
    free(n);
    return NULL;
  }
  return n;
}

void eas_notice_close(eas_notice *n)
{
  if (!n) return;
  eas_loop_unwatch(n->loop, n->fd);
  close(n->fd);
  free(n);
}
