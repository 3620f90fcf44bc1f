#include "lightcurve/lc_blocks.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* One is parsed, one is filled, one waits. */
enum { SLOTS = 3, THREAD_BYTES = 1 << 20, STACK = 256 << 10 };

typedef struct {
  char *room;  /* EAS_BLOCK_REST, EAS_BLOCK, EAS_BLOCK_PAD */
  ptrdiff_t n; /* bytes, 0 at the end, or an EAS_E code */
} slot;

struct eas_blocks {
  eas_bytes *bytes;
  slot slots[SLOTS];
  int threaded;
  pthread_t thread;
  pthread_mutex_t lock; /* what follows is under it */
  pthread_cond_t changed;
  size_t filled, taken; /* slots that the thread has filled, and that the reader has done with */
  int stop;
  eas_err err; /* of the thread, valid once its slot is filled */
};

static char *block_of(const slot *s)
{
  return s->room + EAS_BLOCK_REST;
}

static void *fill(void *arg)
{
  eas_blocks *b = arg;
  ptrdiff_t n = 1;
  while (n > 0) {
    pthread_mutex_lock(&b->lock);
    while (b->filled - b->taken == SLOTS && !b->stop) pthread_cond_wait(&b->changed, &b->lock);
    slot *s = &b->slots[b->filled % SLOTS];
    int stop = b->stop;
    pthread_mutex_unlock(&b->lock);
    if (stop) break;

    s->n = n = eas_bytes_read(b->bytes, block_of(s), EAS_BLOCK, &b->err);

    pthread_mutex_lock(&b->lock);
    b->filled++;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
  }
  return NULL;
}

/* A thread pays from about a megabyte of text on; with one processor it never does. */
static int wants_thread(const eas_bytes *bytes)
{
  cpu_set_t cpus;
  return eas_bytes_is_gzip(bytes) && eas_bytes_size(bytes) >= THREAD_BYTES &&
         sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

static int start_thread(eas_blocks *b)
{
  sigset_t all, kept;
  pthread_attr_t attr;
  if (pthread_attr_init(&attr) != 0) return 0;
  pthread_attr_setstacksize(&attr, STACK);
  sigfillset(&all); /* signals are for the caller's thread */
  pthread_sigmask(SIG_SETMASK, &all, &kept);
  int rc = pthread_create(&b->thread, &attr, fill, b);
  pthread_sigmask(SIG_SETMASK, &kept, NULL);
  pthread_attr_destroy(&attr);
  return rc == 0; /* a limit of processes may be reached: then without */
}

eas_blocks *eas_blocks_open(eas_bytes *bytes)
{
  eas_blocks *b = eas_alloc(sizeof *b);
  b->bytes = bytes;
  pthread_mutex_init(&b->lock, NULL);
  pthread_cond_init(&b->changed, NULL);
  int n = wants_thread(bytes) ? SLOTS : 1;
  for (int i = 0; i < n; i++) b->slots[i].room = eas_alloc(EAS_BLOCK_REST + EAS_BLOCK + EAS_BLOCK_PAD);
  b->threaded = n > 1 && start_thread(b);
  return b;
}

void eas_blocks_close(eas_blocks *b)
{
  if (!b) return;
  if (b->threaded) {
    pthread_mutex_lock(&b->lock);
    b->stop = 1;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
  }
  pthread_cond_destroy(&b->changed);
  pthread_mutex_destroy(&b->lock);
  for (int i = 0; i < SLOTS; i++) free(b->slots[i].room);
  free(b);
}

/* Waits for the slot after the one in hand. */
static slot *wait_slot(eas_blocks *b, size_t index)
{
  pthread_mutex_lock(&b->lock);
  while (b->filled <= index) pthread_cond_wait(&b->changed, &b->lock);
  pthread_mutex_unlock(&b->lock);
  return &b->slots[index % SLOTS];
}

int eas_blocks_next(eas_blocks *b, const char *rest, size_t n_rest, char **data, size_t *n, eas_err *err)
{
  slot *s = &b->slots[0];
  ptrdiff_t got;
  if (b->threaded) {
    /* the slot in hand is given back only when its rest has been copied: slot k is in hand while taken == k */
    size_t index = rest ? b->taken + 1 : 0;
    s = wait_slot(b, index);
    if (n_rest > 0) memmove(block_of(s) - n_rest, rest, n_rest);
    pthread_mutex_lock(&b->lock);
    b->taken = index;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
    got = s->n;
    if (got < 0 && err) *err = b->err;
  } else {
    if (n_rest > 0) memmove(block_of(s) - n_rest, rest, n_rest);
    got = eas_bytes_read(b->bytes, block_of(s), EAS_BLOCK, err);
  }
  if (got < 0) return (int)got;
  *data = block_of(s) - n_rest;
  *n = n_rest + (size_t)got;
  return got > 0;
}
