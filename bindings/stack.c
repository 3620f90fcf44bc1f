/* stack.c: what is called from signal handlers: the Lua stack as text, and the hook of a soft time-out. */
#include <stdio.h>
#include <string.h>
#include "base/path.h"
#include "bindings/host.h"

enum { DEPTH = 40 };

/* The engine's own way in: what is below it says nothing to a script's author. */
static int is_host(const char *source)
{
  static const char name[] = "eas/host.lua";
  size_t n = strlen(source);
  return n >= sizeof name - 1 && strcmp(source + n - (sizeof name - 1), name) == 0;
}

/* Only walks: no Lua allocation, no metamethods. */
void eas_host_stack(void *arg, int fd)
{
  (void)arg;
  lua_State *L = eas_the_host.L;
  lua_Debug frame;
  for (int level = 0; L != NULL && level < DEPTH && lua_getstack(L, level, &frame); level++) {
    if (lua_getinfo(L, "Sl", &frame) == 0) break;
    if (strcmp(frame.what, "C") == 0) continue;
    if (is_host(frame.source)) break;
    char line[256];
    int n = strcmp(frame.what, "main") == 0
                ? snprintf(line, sizeof line, "%s:%d: in main chunk\n", frame.short_src, frame.currentline)
                : snprintf(line, sizeof line, "%s:%d: in the function at line %d\n", frame.short_src, frame.currentline,
                           frame.linedefined);
    if (n > 0 && eas_write_all(fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0) break;
  }
}

static void hook(lua_State *L, lua_Debug *at)
{
  (void)at;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "%s", eas_the_host.why);
}

/* A count hook of 1 fires at the next instruction that is interpreted; compiled loops are the hard time-out's. */
void eas_host_interrupt(void *arg, const char *why)
{
  (void)arg;
  lua_State *L = eas_the_host.L;
  if (L == NULL) return;
  size_t n = strnlen(why, sizeof eas_the_host.why - 1);
  memcpy(eas_the_host.why, why, n);
  eas_the_host.why[n] = 0;
  eas_the_host.stop = 1;
  lua_sethook(L, hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}
