/* host.c: the Lua state: allocator with a cap, libraries, eas.core, and the calls by which the core runs scripts.
 *
 * What happens inside of an attempt is written in lua/eas/host.lua; here is what must hold when
 * Lua itself fails: memory, the end marker, a call that is always protected. */
#include "bindings/host.h"
#include <jansson.h>
#include <luajit.h>
#include <lualib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/path.h"

eas_host eas_the_host;

enum { ARENA = 512 << 10, ARENA_READY = 16 << 10, ARENA_BLOCK = 4096 };

#if defined(__SANITIZE_ADDRESS__)
enum { WITH_ARENA = 0 }; /* arrays come from malloc, which knows where each ends */
#else
enum { WITH_ARENA = 1 };
#endif

/* In a child: the free blocks of the prepared heap are strewn over pages that would be copied one by one when they are
 * used. Fresh pages, the first of them mapped at once, are cheaper. Without them all goes on by malloc. */
static void open_arena(eas_host *h)
{
  char *p = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return;
  madvise(p, ARENA_READY, MADV_POPULATE_WRITE); /* a hint: an old kernel refuses it */
  h->arena = h->arena_at = p;
  h->arena_end = p + ARENA;
}

static int in_arena(const eas_host *h, const char *p)
{
  return p >= h->arena && p < h->arena_end;
}

static size_t rounded(size_t size)
{
  return (size + 15) & ~(size_t)15;
}

/* Blocks are taken in order and not used again, but the last. NULL: malloc is to do it. */
static void *arena_alloc(eas_host *h, char *p, size_t old, size_t size)
{
  if (p != NULL && size <= rounded(old)) return p;
  if (p != NULL && p + rounded(old) == h->arena_at && rounded(size) <= (size_t)(h->arena_end - p)) {
    h->arena_at = p + rounded(size);
    return p;
  }
  char *q = h->arena_at;
  if (size <= ARENA_BLOCK && rounded(size) <= (size_t)(h->arena_end - q))
    h->arena_at += rounded(size);
  else
    q = p != NULL ? malloc(size) : NULL;
  if (q != NULL && p != NULL) memcpy(q, p, old);
  return q;
}

static void arena_free(eas_host *h, char *p, size_t old)
{
  if (p + rounded(old) == h->arena_at) h->arena_at = p;
}

/* Sees what Lua and ffi.new allocate; malloc by libraries is the process limit's. */
static void *host_alloc(void *arg, void *p, size_t old, size_t size)
{
  eas_host *h = arg;
  if (p == NULL) old = 0;
  int ours = p != NULL && in_arena(h, p);
  if (size == 0) {
    if (ours)
      arena_free(h, p, old);
    else
      free(p);
    h->used -= old;
    return NULL;
  }
  if (h->limit != 0 && size > old && h->used - old + size > h->limit) return NULL;
  void *q = ours || (p == NULL && h->arena != NULL) ? arena_alloc(h, p, old, size) : NULL;
  if (q == NULL && !ours) q = realloc(p, size);
  if (q != NULL) h->used += size - old;
  return q;
}

const char *eas_host_error(lua_State *L)
{
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  return text ? text : "an error that is no text";
}

/* heap_limit(bytes): of this attempt, on top of what the prepared state holds; 0: none. */
static int heap_limit(lua_State *L)
{
  double bytes = luaL_checknumber(L, 1);
  eas_the_host.limit = bytes > 0 && bytes < 9e18 ? (size_t)bytes + eas_the_host.used : 0;
  return 0;
}

static void open_core(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_newtable(L);
  static const luaL_Reg functions[] = { { "heap_limit", heap_limit }, { NULL, NULL } };
  luaL_register(L, NULL, functions);
  eas_open_task(L);
  eas_open_request(L);
  eas_open_exec(L);
  eas_open_lc(L);
  eas_open_pool(L);
  lua_setfield(L, -2, "eas.core");
  lua_pop(L, 2);
}

/* Runs under pcall: argument 1 is share/eas. Loads cjson from the place found at build time, and nothing else by name. */
static int open_protected(lua_State *L)
{
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_pushliteral(L, EAS_CJSON);
  lua_setfield(L, -2, "cpath");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cjson");
  lua_call(L, 1, 0);

  lua_getglobal(L, "package");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  const char *share = lua_tostring(L, 1);
  lua_pushfstring(L, "%s/lua/?.lua;%s/lua/?/init.lua", share, share);
  lua_setfield(L, -2, "path");
  open_core(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "eas.host");
  lua_call(L, 1, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "eas.host");
  return 0;
}

int eas_host_open(const char *share, eas_err *err)
{
  if (eas_the_host.L != NULL) return 0;
  lua_State *L = lua_newstate(host_alloc, &eas_the_host);
  if (L == NULL) return eas_fail(err, EAS_ENOMEM, "no memory for a Lua state");
  lua_pushcfunction(L, open_protected);
  lua_pushstring(L, share);
  if (lua_pcall(L, 1, 0, 0) != 0) {
    eas_fail(err, EAS_EIO, "%s", eas_host_error(L));
    lua_close(L);
    return EAS_EIO;
  }
  eas_the_host.L = L;
  return 0;
}

void eas_host_close(void)
{
  if (eas_the_host.L != NULL) lua_close(eas_the_host.L);
  eas_the_host.L = NULL;
}

int eas_host_push(const char *name, eas_err *err)
{
  lua_State *L = eas_the_host.L;
  lua_getfield(L, LUA_REGISTRYINDEX, "eas.host");
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  if (lua_isfunction(L, -1)) return 0;
  lua_pop(L, 1);
  return eas_fail(err, EAS_EBUG, "eas.host has no function '%s'", name);
}

void eas_host_push_packs(const char *const *packs)
{
  lua_State *L = eas_the_host.L;
  lua_newtable(L);
  for (int i = 0; packs != NULL && packs[i] != NULL; i++) {
    lua_pushstring(L, packs[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

int eas_host_cancelled(void)
{
  const eas_run *run = eas_the_host.run;
  return run != NULL && run->page != NULL && run->page->cancel != 0;
}

static int load(void *arg, const char *share, const char *const *packs, eas_err *err)
{
  (void)arg;
  int rc = eas_host_open(share, err);
  if (rc < 0) return rc;
  lua_State *L = eas_the_host.L;
  rc = eas_host_push("load", err);
  if (rc < 0) return rc;
  lua_pushstring(L, share);
  eas_host_push_packs(packs);
  if (lua_pcall(L, 2, 0, 0) != 0) {
    rc = eas_fail(err, EAS_EINVAL, "%s", eas_host_error(L));
    lua_pop(L, 1);
    return rc;
  }
  lua_gc(L, LUA_GCCOLLECT, 0); /* twice: what finalizers let go of; children copy what stays */
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

/* What eas.host could not report itself: no memory was left, or the host has a defect. */
static void report(const eas_run *run, int rc, const char *text)
{
  json_t *event = rc == LUA_ERRMEM
                      ? json_pack("{s:s,s:s,s:s}", "ending", "memory", "message", "not enough memory", "trace", "")
                      : json_pack("{s:s,s:s}", "message", text, "trace", "");
  char *json = event ? json_dumps(event, JSON_COMPACT) : NULL;
  if (json != NULL) eas_event_write(run->fd, EAS_EV_ERROR, 0, json, strlen(json));
  free(json);
  json_decref(event);
}

/* The last frames: a verdict, what code was loaded, and the end if all went well. Each may be nil. */
static int send_last(lua_State *L, const eas_run *run, int ok)
{
  static const int types[] = { EAS_EV_VERDICT, EAS_EV_CODE };
  static eas_event_batch last;
  int rc = 0;
  for (int i = 0; i < 2 && rc == 0; i++) {
    size_t n;
    const char *text = lua_tolstring(L, i - 2, &n);
    if (text != NULL) rc = eas_event_hold(run->fd, &last, types[i], text, n);
  }
  if (rc == 0 && ok) rc = eas_event_hold(run->fd, &last, EAS_EV_END, "", 0);
  if (rc == 0) rc = eas_event_send(run->fd, &last);
  return rc < 0 ? EAS_EIO : 0;
}

static int run_request(void *arg, const eas_run *run)
{
  (void)arg;
  lua_State *L = eas_the_host.L;
  eas_err err = { 0 };
  eas_the_host.run = run;
  if (WITH_ARENA) open_arena(&eas_the_host);
  if (L == NULL || eas_host_push("run", &err) < 0) {
    report(run, 0, L ? err.text : "no Lua state: load was not called");
    return EAS_EBUG;
  }
  int rc = lua_pcall(L, 0, 3, 0); /* ok, verdict, code */
  eas_the_host.limit = 0;
  if (rc != 0) {
    report(run, rc, eas_host_error(L));
    lua_pop(L, 1);
    return rc == LUA_ERRMEM ? EAS_ENOMEM : EAS_EBUG;
  }
  int ok = lua_toboolean(L, -3);
  rc = send_last(L, run, ok);
  lua_pop(L, 3);
  return rc < 0 ? rc : ok ? 0 : EAS_EINVAL;
}

const eas_runner eas_lua_runner = {
  .version = &LUAJIT_VERSION[sizeof "LuaJIT"], /* without that word */
  .load = load,
  .run = run_request,
  .stack = eas_host_stack,
  .interrupt = eas_host_interrupt,
  .script = eas_host_script,
  .job = eas_host_job,
  .search = eas_host_search,
  .view = eas_host_view,
  .web_open = eas_host_web_open,
  .web = eas_host_web,
};
