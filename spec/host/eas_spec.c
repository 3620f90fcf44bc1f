/* eas_spec.c: runs a busted spec in LuaJIT, with all of the engine's functions in this process for the FFI.
 *
 *   eas-spec FILE_spec.lua [options of busted]
 * Debian's busted runs plain Lua, which has no ffi. Exit: 0 if every test passed. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int traceback(lua_State *L)
{
  if (!lua_isstring(L, 1)) return 1;
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* Leaks are looked for in the programs that specs run, where the machine allows it (run-tests asks). Not here: specs drop much. */
static void seek_leaks(void)
{
  const char *asked = getenv("SPEC_LEAKS"), *old = getenv("ASAN_OPTIONS");
  char text[1024];
  if (!EAS_SPEC_ASAN || !asked || strcmp(asked, "1") != 0) return;
  snprintf(text, sizeof text, "%s:detect_leaks=1", old ? old : "");
  setenv("ASAN_OPTIONS", text, 1);
  /* Lua's own heap: what a table alone holds is hidden in a tagged pointer */
  setenv("LSAN_OPTIONS", "suppressions=" EAS_SPEC_ROOT "/spec/host/leaks.supp:print_suppressions=0", 1);
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fputs("eas-spec: no spec named; use eas-spec FILE_spec.lua\n", stderr);
    return 2;
  }
  seek_leaks();
  lua_State *L = luaL_newstate();
  if (!L) {
    fputs("eas-spec: out of memory\n", stderr);
    return 1;
  }
  luaL_openlibs(L);
  lua_newtable(L); /* what spec/host/start.lua is told: root, build, arguments */
  lua_pushstring(L, EAS_SPEC_ROOT);
  lua_setfield(L, -2, "root");
  lua_pushstring(L, EAS_SPEC_BUILD);
  lua_setfield(L, -2, "build");
  lua_pushstring(L, EAS_SPEC_CC);
  lua_setfield(L, -2, "cc");
  lua_pushboolean(L, EAS_SPEC_ASAN);
  lua_setfield(L, -2, "asan");
  lua_pushstring(L, EAS_SPEC_NATIVE);
  lua_setfield(L, -2, "native");
  for (int i = 1; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_setglobal(L, "eas_spec_host");
  lua_pushcfunction(L, traceback);
  int failed = luaL_loadfile(L, EAS_SPEC_ROOT "/spec/host/start.lua") || lua_pcall(L, 0, 0, -2);
  if (failed) fprintf(stderr, "eas-spec: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed;
}
