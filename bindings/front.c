/* front.c: the command line's ways into Lua: eas lua, Lua job files, eas search, pages and pictures. As the user, unsandboxed (but job files). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/path.h"
#include "bindings/host.h"

static int complain(const char *text)
{
  fprintf(stderr, "eas: %s\n", text);
  return 2;
}

/* Calls the function below n arguments; its result is an exit status. */
static int call_status(int n)
{
  lua_State *L = eas_the_host.L;
  int status = 1;
  if (lua_pcall(L, n, 1, 0) != 0)
    complain(eas_host_error(L));
  else
    status = lua_isnumber(L, -1) ? (int)lua_tointeger(L, -1) : 0;
  lua_pop(L, 1);
  fflush(stdout);
  return status;
}

static int open_front(const char *share, const char *const *packs, const char *name, eas_err *err)
{
  int rc = eas_lua_runner.load(NULL, share, packs, err);
  return rc < 0 ? rc : eas_host_push(name, err);
}

int eas_host_script(void *arg, const char *share, const char *const *packs, int argc, char **argv)
{
  (void)arg;
  eas_err err = { 0 };
  if (argc < 1) return complain("lua: which file? eas lua FILE [arguments]");
  if (open_front(share, packs, "script", &err) < 0) return complain(err.text);
  lua_newtable(eas_the_host.L);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(eas_the_host.L, argv[i]);
    lua_rawseti(eas_the_host.L, -2, i);
  }
  return call_status(1);
}

int eas_host_search(void *arg, const char *share, const char *const *packs, const char *request_json)
{
  (void)arg;
  eas_err err = { 0 };
  if (open_front(share, packs, "search", &err) < 0) return complain(err.text);
  lua_pushstring(eas_the_host.L, request_json);
  return call_status(1);
}

char *eas_host_job(void *arg, const char *path, eas_err *err)
{
  (void)arg;
  int rc = eas_host_open(eas_home_share(), err);
  if (rc < 0) return NULL;
  lua_State *L = eas_the_host.L;
  if (eas_host_push("job", err) < 0) return NULL;
  lua_pushstring(L, path);
  if (lua_pcall(L, 1, 1, 0) != 0 || lua_type(L, -1) != LUA_TSTRING) {
    eas_fail(err, EAS_EFORMAT, "%s", eas_host_error(L));
    lua_pop(L, 1);
    return NULL;
  }
  char *text = eas_strdup(lua_tostring(L, -1));
  lua_pop(L, 1);
  return text;
}

char *eas_host_view(void *arg, const char *name, const char *request_json, size_t *n, eas_err *err)
{
  (void)arg;
  if (eas_host_open(eas_home_share(), err) < 0 || eas_host_push("view", err) < 0) return NULL;
  lua_State *L = eas_the_host.L;
  lua_pushstring(L, name);
  lua_pushstring(L, request_json);
  char *text = NULL;
  if (lua_pcall(L, 2, 1, 0) != 0 || lua_type(L, -1) != LUA_TSTRING) {
    eas_fail(err, EAS_EFORMAT, "view %s: %s", name, eas_host_error(L));
  } else {
    const char *made = lua_tolstring(L, -1, n);
    text = eas_alloc(*n + 1);
    memcpy(text, made, *n);
  }
  lua_pop(L, 1);
  return text;
}
