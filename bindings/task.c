/* task.c: eas.core, the part that talks to the supervisor: events, the shared page, files and digests. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/path.h"
#include "bindings/host.h"

/* JSON of a type of event that is too large: by the name under which its script knows it. */
static int too_large(lua_State *L, int type, size_t n)
{
  const char *what = type == EAS_EV_METADATA ? "task:set: the metadata take"
                     : type == EAS_EV_OUTPUT ? "task:output: the metadata take"
                     : type == EAS_EV_SPAWN  ? "task:spawn: the tasks take"
                     : type == EAS_EV_CHECK  ? "attempt:check: it takes"
                                             : "one event takes";
  char size[32];
  snprintf(size, sizeof size, "%.1f MB", (double)n / (1 << 20)); /* Lua's own format knows no digits */
  return luaL_error(L, "%s %s, at most 1 MB may be kept; give what is large as an output (task:output)", what, size);
}

/* event(type, level, text) */
static int event(lua_State *L)
{
  int type = (int)luaL_checkinteger(L, 1), level = (int)luaL_checkinteger(L, 2);
  size_t n;
  const char *text = luaL_checklstring(L, 3, &n);
  if (eas_the_host.run == NULL) return luaL_error(L, "no attempt is running");
  if (type != EAS_EV_LOG && n > EAS_EV_MAX) /* a log line may be cut, JSON may not */
    return too_large(L, type, n);
  int rc = eas_event_write(eas_the_host.run->fd, type, level, text, n);
  if (rc < 0) return luaL_error(L, "the supervisor does not listen: %s", strerror(-rc));
  return 0;
}

/* progress(done, total): into the shared page; raises when the attempt is to stop. */
static int progress(lua_State *L)
{
  double done = luaL_checknumber(L, 1), total = luaL_checknumber(L, 2);
  luaL_argcheck(L, done >= 0 && done < 1e18, 1, "a count expected");
  luaL_argcheck(L, total >= 0 && total < 1e18, 2, "a count expected");
  const eas_run *run = eas_the_host.run;
  if (run == NULL || run->page == NULL) return 0;
  run->page->done = (uint64_t)done;
  run->page->total = (uint64_t)total;
  if (run->page->cancel) return luaL_error(L, "cancelled");
  return 0;
}

/* progress_check(): raises when the attempt was cancelled. */
static int progress_check(lua_State *L)
{
  return eas_host_cancelled() ? luaL_error(L, "cancelled") : 0;
}

static int stage(lua_State *L)
{
  const eas_run *run = eas_the_host.run;
  if (run != NULL && run->page != NULL) run->page->stage = (uint32_t)luaL_checkinteger(L, 1);
  return 0;
}

/* stopped(): why the attempt was asked to stop: "timeout", "cancelled" or nil. */
static int stopped(lua_State *L)
{
  if (eas_the_host.stop)
    lua_pushliteral(L, "timeout");
  else if (eas_host_cancelled())
    lua_pushliteral(L, "cancelled");
  else
    lua_pushnil(L);
  return 1;
}

static int push_digest(lua_State *L, const eas_digest *digest)
{
  char hex[65];
  eas_digest_hex(digest, hex);
  lua_pushstring(L, hex);
  return 1;
}

static int sha256(lua_State *L)
{
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  eas_digest digest;
  eas_hash(text, n, &digest);
  return push_digest(L, &digest);
}

static int sha256_file(lua_State *L)
{
  eas_digest digest;
  eas_err err = { 0 };
  if (eas_hash_file(luaL_checkstring(L, 1), &digest, NULL, &err) < 0) return luaL_error(L, "%s", err.text);
  return push_digest(L, &digest);
}

static int exists(lua_State *L)
{
  lua_pushboolean(L, eas_path_exists(luaL_checkstring(L, 1)));
  return 1;
}

/* Each folder above it can be walked through, and the file be read, by any user. */
static int is_open_to_all(const char *path)
{
  char part[PATH_MAX];
  struct stat st;
  if (path[0] != '/' || strlen(path) >= sizeof part || stat(path, &st) != 0 || !(st.st_mode & S_IROTH)) return 0;
  strcpy(part, path);
  for (char *p = strrchr(part, '/'); p > part; p = strrchr(part, '/')) {
    *p = 0;
    if (stat(part, &st) != 0 || !(st.st_mode & S_IXOTH)) return 0;
  }
  return 1;
}

/* mark(path): a text that differs when the file does, or nil; and whether a process of any user may read it. */
static int mark(lua_State *L)
{
  struct stat st;
  const char *path = luaL_checkstring(L, 1);
  char text[128];
  if (stat(path, &st) != 0) return 0;
  snprintf(text, sizeof text, "%llu %llu %lld %lld.%09ld %lld.%09ld", (unsigned long long)st.st_dev,
           (unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
           (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
  lua_pushstring(L, text);
  lua_pushboolean(L, is_open_to_all(path));
  return 2;
}

/* size(path): bytes of a regular file, or nil. */
static int size(lua_State *L)
{
  struct stat st;
  if (stat(luaL_checkstring(L, 1), &st) != 0 || !S_ISREG(st.st_mode)) return 0;
  lua_pushnumber(L, (double)st.st_size);
  return 1;
}

static int make_folder(lua_State *L)
{
  eas_err err = { 0 };
  if (eas_path_mkdirs(luaL_checkstring(L, 1), 0700, &err) < 0) return luaL_error(L, "%s", err.text);
  return 0;
}

/* list(folder): names in it, sorted; nil when it cannot be read. */
static int list(lua_State *L)
{
  struct dirent **names;
  int n = scandir(luaL_checkstring(L, 1), &names, NULL, alphasort);
  if (n < 0) return 0;
  lua_newtable(L);
  int k = 0;
  for (int i = 0; i < n; i++) {
    if (names[i]->d_name[0] != '.') {
      lua_pushstring(L, names[i]->d_name);
      lua_rawseti(L, -2, ++k);
    }
    free(names[i]);
  }
  free(names);
  return 1;
}

/* write_file(path, bytes, gzip): true, or nil and why. */
static int write_file(lua_State *L)
{
  size_t n;
  const char *path = luaL_checkstring(L, 1), *bytes = luaL_checklstring(L, 2, &n);
  luaL_argcheck(L, n < 1u << 31, 2, "under 2 GB expected");
  gzFile file = gzopen(path, lua_toboolean(L, 3) ? "wb6" : "wbT"); /* T: as it is */
  int ok = file != NULL && (n == 0 || gzwrite(file, bytes, (unsigned)n) == (int)n);
  int code = errno;
  if (file != NULL && gzclose(file) != Z_OK && ok) {
    ok = 0;
    code = errno;
  }
  if (ok) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "write '%s': %s", path, strerror(code));
  return 2;
}

static int native_folder(lua_State *L)
{
  lua_pushstring(L, eas_home_native());
  return 1;
}

static int scratch(lua_State *L)
{
  if (eas_the_host.run == NULL) return 0;
  lua_pushstring(L, eas_the_host.run->scratch);
  return 1;
}

/* clocks(): wall and CPU seconds of this process, for timing. */
static int clocks(lua_State *L)
{
  struct timespec cpu;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  lua_pushnumber(L, (double)eas_tick_us() * 1e-6);
  lua_pushnumber(L, (double)cpu.tv_sec + (double)cpu.tv_nsec * 1e-9);
  return 2;
}

static int sleep_seconds(lua_State *L)
{
  double left = luaL_checknumber(L, 1);
  luaL_argcheck(L, left >= 0 && left < 1e9, 1, "seconds expected");
  if (eas_the_host.stop || eas_host_cancelled()) return 0;
  struct timespec t = { .tv_sec = (time_t)left, .tv_nsec = (long)((left - (double)(time_t)left) * 1e9) };
  nanosleep(&t, NULL); /* a signal ends it: the hook then raises */
  return 0;
}

/* traceable(): a debugger of this user may attach to this process, whatever became of its ids since it was started. */
static int traceable(lua_State *L)
{
  (void)L;
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* refused where Yama is not: nothing is needed then */
  return 0;
}

/* nearest(word, {names}): a name at edit distance <= 2, or nil. */
static int nearest(lua_State *L)
{
  const char *word = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  const char *names[256];
  size_t n = 0;
  for (size_t i = 1; i <= lua_objlen(L, 2) && n < sizeof names / sizeof *names; i++) {
    lua_rawgeti(L, 2, (int)i);
    if (lua_type(L, -1) == LUA_TSTRING) names[n++] = lua_tostring(L, -1); /* the table keeps it alive */
    lua_pop(L, 1);
  }
  const char *found = eas_nearest(word, names, n);
  if (found == NULL) return 0;
  lua_pushstring(L, found);
  return 1;
}

static int is_terminal(lua_State *L)
{
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

void eas_open_task(lua_State *L)
{
  static const luaL_Reg functions[] = { { "event", event },
                                        { "progress", progress },
                                        { "progress_check", progress_check },
                                        { "stage", stage },
                                        { "stopped", stopped },
                                        { "sha256", sha256 },
                                        { "sha256_file", sha256_file },
                                        { "exists", exists },
                                        { "mark", mark },
                                        { "size", size },
                                        { "list", list },
                                        { "write_file", write_file },
                                        { "make_folder", make_folder },
                                        { "native_folder", native_folder },
                                        { "scratch", scratch },
                                        { "clocks", clocks },
                                        { "sleep", sleep_seconds },
                                        { "traceable", traceable },
                                        { "nearest", nearest },
                                        { "is_terminal", is_terminal },
                                        { NULL, NULL } };
  luaL_register(L, NULL, functions);
#if defined(__SANITIZE_ADDRESS__)
  lua_pushboolean(L, 1); /* kernels of packs are taken from native/asan, where they are */
  lua_setfield(L, -2, "sanitized");
#endif
  lua_pushliteral(L, EAS_VERSION);
  lua_setfield(L, -2, "version");
}
