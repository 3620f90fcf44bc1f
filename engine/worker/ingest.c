/* ingest.c: the store thread: products of ended tasks are taken, hashed and synced beside the loop. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/path.h"
#include "worker/inner.h"

static void take_products(eas_running *r)
{
  char *out = eas_path_join(r->scratch, "out");
  int dir = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  for (int i = 0; i < r->n_made; i++) {
    eas_made *m = &r->made[i];
    eas_err err = { 0 };
    if (m->problem) continue;
    if (dir < 0) {
      m->problem = eas_format("the folder for outputs is gone: %s", strerror(errno));
      continue;
    }
    int rc = eas_store_take(r->w->o.store, dir, m->file, r->limits.file_bytes, &m->digest, &m->size, &err);
    if (rc < 0)
      m->problem = eas_strdup(err.text);
    else
      m->stored = 1, eas_running_pin(r, &m->digest);
    if (rc == EAS_ENOSPC && !r->ingest_error) r->ingest_error = eas_strdup(err.text);
  }
  if (dir >= 0) close(dir);
  free(out);
}

/* Packs pieces of logs; attempts whose log is whole in the store join the group. */
static eas_running *store_logs(eas_log_piece *pieces, eas_running *group)
{
  for (eas_log_piece *p = pieces, *next; p; p = next) {
    eas_running *r = eas_log_store(p, &next);
    if (!r) continue;
    r->next = group;
    group = r;
  }
  return group;
}

static void *store_thread(void *arg)
{
  eas_worker *w = arg;
  pthread_mutex_lock(&w->lock);
  for (;;) {
    while (!w->ingest && !w->log_sink.first && !w->thread_stop) pthread_cond_wait(&w->wake, &w->lock);
    if (!w->ingest && !w->log_sink.first) break;
    eas_running *group = w->ingest;
    w->ingest = NULL;
    w->ingest_tail = &w->ingest;
    eas_log_piece *pieces = eas_log_sink_take(&w->log_sink);
    pthread_mutex_unlock(&w->lock);

    eas_err err = { 0 };
    for (eas_running *r = group; r; r = r->next) take_products(r);
    group = store_logs(pieces, group);
    int rc = group && !w->lanes ? eas_store_flush(w->o.store, &err) : 0; /* one sync of folders for the group */

    pthread_mutex_lock(&w->lock);
    for (eas_running *r = group, *next; r; r = next) {
      next = r->next;
      if (rc < 0 && !r->ingest_error) r->ingest_error = eas_strdup(err.text);
      r->next = w->ingested;
      w->ingested = r;
    }
    uint64_t one = 1;
    if (group && write(w->ingest_fd, &one, sizeof one) < 0) continue; /* full counter: the loop is awake anyway */
  }
  pthread_mutex_unlock(&w->lock);
  return NULL;
}

static void start_qc(eas_running *r)
{
  eas_err err = { 0 };
  if (r->ingest_error && strcmp(r->ending, "ok") == 0) {
    r->ending = "disk";
    free(r->error);
    r->error = eas_strdup(r->ingest_error);
  }
  if (r->dropped || r->w->replayed) {
    eas_worker_finished(r);
    return;
  }
  if (eas_running_spawn(r, 1, &err) < 0) {
    r->reason = eas_format("QC did not start: %s", err.text);
    r->qc_broke = 1;
    eas_worker_finished(r);
  }
}

static void on_ingested(void *arg, int fd, uint32_t events)
{
  eas_worker *w = arg;
  uint64_t count;
  (void)events;
  if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN) return;
  pthread_mutex_lock(&w->lock);
  eas_running *list = w->ingested;
  w->ingested = NULL;
  pthread_mutex_unlock(&w->lock);
  while (list) {
    eas_running *r = list;
    list = r->next;
    r->next = NULL;
    if (r->log_sealed)
      eas_worker_finished(r);
    else
      start_qc(r);
  }
}

void eas_ingest_give(eas_worker *w, eas_running *r)
{
  if (r->n_made == 0) { /* nothing to store: no need to wait for the thread */
    start_qc(r);
    return;
  }
  pthread_mutex_lock(&w->lock);
  r->next = NULL;
  *w->ingest_tail = r;
  w->ingest_tail = &r->next;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->lock);
}

int eas_ingest_log(eas_running *r)
{
  if (r->dropped || !eas_logbuf_seal(&r->log, r)) return 0;
  r->log_sealed = 1;
  return 1;
}

int eas_ingest_open(eas_worker *w, eas_err *err)
{
  w->ingest_tail = &w->ingest;
  w->ingest_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (w->ingest_fd < 0) return eas_fail(err, EAS_EIO, "eventfd: %s", strerror(errno));
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->wake, NULL);
  w->log_sink = (eas_log_sink){ .store = w->o.store, .lock = &w->lock, .wake = &w->wake };
  if (pthread_create(&w->thread, NULL, store_thread, w) != 0)
    return eas_fail(err, EAS_ENOMEM, "start the store thread: %s", strerror(errno));
  w->thread_on = 1;
  return eas_loop_watch(w->o.loop, w->ingest_fd, EPOLLIN, on_ingested, w, err);
}

void eas_ingest_close(eas_worker *w)
{
  if (w->thread_on) {
    pthread_mutex_lock(&w->lock);
    w->thread_stop = 1;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->thread_on = 0;
  }
  if (w->ingest_fd >= 0) {
    eas_loop_unwatch(w->o.loop, w->ingest_fd);
    close(w->ingest_fd);
    w->ingest_fd = -1;
  }
}
