/* pool.c: threads over a kernel's half-open range, in chunks of about 10 ms; cancel and progress.
 *
 * With one thread the caller's own runs the chunks, so that most attempts never start another. Results do
 * not depend on how the range was cut: every kernel promises that. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "bindings/host.h"

enum { CHUNK_US = 10000, STEP_US = 50000, THREADS_MAX = 256 };
typedef int kernel_run(const void *job, size_t i0, size_t i1, void *work);

typedef struct {
  kernel_run *run;
  const void *job;
  size_t n, work_size;
  int threads, started; /* threads > 1: how many run */
  pthread_t *thread;
  void *work;   /* of the caller's thread */
  size_t chunk; /* its size of chunk */
  atomic_size_t next, done;
  atomic_int stop, code; /* code: the first negative one */
  pthread_mutex_t lock;
  pthread_cond_t wake;
  int left;     /* threads that have not ended; under lock */
  int reported; /* the last step was given */
} pool;

static void *aligned_work(size_t size)
{
  size_t bytes = (size + 63) / 64 * 64;
  return aligned_alloc(64, bytes ? bytes : 64);
}

/* Chunks become shorter towards the end, so that no thread waits long for another's last one; not below a sixteenth: what a
 * kernel does once a call must not weigh. */
static size_t size_of(pool *p, size_t chunk)
{
  if (p->threads < 2) return chunk;
  size_t next = atomic_load(&p->next), share = (next < p->n ? p->n - next : 0) / (2 * (size_t)p->threads);
  size_t least = chunk / 16 > 1 ? chunk / 16 : 1;
  return share > chunk ? chunk : share < least ? least : share;
}

/* Takes and runs one chunk; 0 when there is none left. Keeps chunks near CHUNK_US long. */
static int run_chunk(pool *p, size_t *chunk, void *work)
{
  size_t size = size_of(p, *chunk), i0 = atomic_fetch_add(&p->next, size);
  if (i0 >= p->n || atomic_load(&p->stop)) return 0;
  size_t i1 = p->n - i0 < size ? p->n : i0 + size;

  int64_t begin = eas_tick_us();
  int code = p->run(p->job, i0, i1, work);
  int64_t took = eas_tick_us() - begin;
  if (code < 0) {
    int none = 0;
    atomic_compare_exchange_strong(&p->code, &none, code);
    atomic_store(&p->stop, 1);
    return 0;
  }
  atomic_fetch_add(&p->done, i1 - i0);
  if (took < CHUNK_US / 2 && size == *chunk && *chunk < p->n) *chunk *= 2;
  if (took > CHUNK_US * 2 && *chunk > 1) *chunk /= 2;
  return 1;
}

static void *worker(void *arg)
{
  pool *p = arg;
  void *work = aligned_work(p->work_size);
  size_t chunk = 1;
  if (work == NULL) {
    int none = 0;
    atomic_compare_exchange_strong(&p->code, &none, EAS_ENOMEM);
    atomic_store(&p->stop, 1);
  }
  while (work != NULL && run_chunk(p, &chunk, work)) continue;
  free(work);
  pthread_mutex_lock(&p->lock);
  if (--p->left == 0) pthread_cond_signal(&p->wake);
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

/* Signals stay with the first thread: its handlers know the Lua state. */
static void start_threads(pool *p)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  p->left = p->threads;
  for (int i = 0; i < p->threads; i++) {
    if (pthread_create(&p->thread[p->started], NULL, worker, p) == 0) {
      p->started++;
    } else {
      pthread_mutex_lock(&p->lock);
      p->left--;
      pthread_mutex_unlock(&p->lock);
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void join_threads(pool *p)
{
  for (int i = 0; i < p->started; i++) pthread_join(p->thread[i], NULL);
  p->started = 0;
}

static int pool_gc(lua_State *L)
{
  pool *p = luaL_checkudata(L, 1, "eas.pool");
  if (p->run == NULL) return 0;
  atomic_store(&p->stop, 1);
  join_threads(p);
  free(p->thread);
  free(p->work);
  pthread_cond_destroy(&p->wake);
  pthread_mutex_destroy(&p->lock);
  p->run = NULL;
  return 0;
}

/* The pointer inside of a pointer cdata. */
static void *check_pointer(lua_State *L, int i)
{
  const void *p = lua_topointer(L, i);
  luaL_argcheck(L, p != NULL && lua_type(L, i) == 10, i, "pointer cdata expected");
  void *value;
  memcpy(&value, p, sizeof value);
  return value;
}

static size_t check_size(lua_State *L, int i)
{
  double x = luaL_checknumber(L, i);
  luaL_argcheck(L, x >= 0 && x <= 9007199254740992.0 && x == (double)(uint64_t)x, i, "a size expected");
  return (size_t)x;
}

/* pool_new(run, job, n, work_size, threads, keep) */
static int pool_new(lua_State *L)
{
  void *run = check_pointer(L, 1), *job = check_pointer(L, 2);
  size_t n = check_size(L, 3), work_size = check_size(L, 4);
  int threads = (int)luaL_checkinteger(L, 5);
  luaL_argcheck(L, threads >= 1 && threads <= THREADS_MAX, 5, "1 to 256 threads");
  luaL_checktype(L, 6, LUA_TTABLE);

  pool *p = lua_newuserdata(L, sizeof *p);
  memset(p, 0, sizeof *p);
  memcpy(&p->run, &run, sizeof run);
  p->job = job;
  p->n = n;
  p->work_size = work_size;
  p->threads = threads > 1 && (size_t)threads > n ? (int)(n ? n : 1) : threads;
  p->chunk = 1;
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  luaL_getmetatable(L, "eas.pool");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, 6);
  lua_setfenv(L, -2);

  if (p->threads > 1) {
    p->thread = calloc((size_t)p->threads, sizeof *p->thread);
    if (p->thread == NULL) return luaL_error(L, "not enough memory");
    start_threads(p);
  }
  if (p->started == 0) {
    p->threads = 1;
    p->work = aligned_work(work_size);
    if (p->work == NULL) return luaL_error(L, "no memory for %f bytes of scratch", (double)work_size);
  }
  return 1;
}

static int finished(pool *p)
{
  return atomic_load(&p->done) >= p->n || atomic_load(&p->code) != 0;
}

static void wait_threads(pool *p)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += STEP_US * 1000L;
  until.tv_sec += until.tv_nsec / 1000000000L;
  until.tv_nsec %= 1000000000L;
  pthread_mutex_lock(&p->lock);
  while (p->left > 0)
    if (pthread_cond_timedwait(&p->wake, &p->lock, &until) == ETIMEDOUT) break;
  pthread_mutex_unlock(&p->lock);
}

/* pool_step(pool): done, total; nil after the last; nil, nil, code when a chunk failed. */
static int pool_step(lua_State *L)
{
  pool *p = luaL_checkudata(L, 1, "eas.pool");
  if (p->run == NULL || p->reported) return 0;
  int64_t until = eas_tick_us() + STEP_US;
  int quit = 0;
  if (p->threads > 1)
    wait_threads(p);
  else
    while (!(quit = eas_the_host.stop || eas_host_cancelled()) && run_chunk(p, &p->chunk, p->work) &&
           eas_tick_us() < until)
      continue;

  if (finished(p) || quit || eas_the_host.stop || eas_host_cancelled()) {
    atomic_store(&p->stop, 1);
    join_threads(p);
    p->reported = 1;
  }
  int code = atomic_load(&p->code);
  if (code != 0) {
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushinteger(L, code);
    return 3;
  }
  if (eas_host_cancelled()) return luaL_error(L, "cancelled");
  lua_pushnumber(L, (double)atomic_load(&p->done));
  lua_pushnumber(L, (double)p->n);
  return 2;
}

void eas_open_pool(lua_State *L)
{
  static const luaL_Reg functions[] = { { "pool_new", pool_new }, { "pool_step", pool_step }, { NULL, NULL } };
  luaL_newmetatable(L, "eas.pool");
  lua_pushcfunction(L, pool_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_register(L, NULL, functions);
}
