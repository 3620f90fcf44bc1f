/* web.c: pages of the dashboard: requests go to eas.web, what it asks for comes from the engine. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/json.h"
#include "bindings/host.h"

static struct {
  eas_ask_fn *fn;
  void *arg;
} asked;

/* A value as Lua has it: null is nil, lists are marked as eas.json does it. */
static void push(lua_State *L, const json_t *v)
{
  const char *key;
  json_t *item;
  size_t i;
  luaL_checkstack(L, 6, "a value is nested too deeply");
  switch (v ? json_typeof(v) : JSON_NULL) {
  case JSON_OBJECT:
    lua_createtable(L, 0, (int)json_object_size(v));
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
    {
      push(L, item);
      lua_setfield(L, -2, key);
    }
    break;
  case JSON_ARRAY:
    lua_createtable(L, (int)json_array_size(v), 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "eas.web.list");
    lua_setmetatable(L, -2);
    json_array_foreach(v, i, item)
    {
      push(L, item);
      lua_rawseti(L, -2, (int)i + 1);
    }
    break;
  case JSON_STRING: lua_pushlstring(L, json_string_value(v), json_string_length(v)); break;
  case JSON_INTEGER: lua_pushnumber(L, (lua_Number)json_integer_value(v)); break;
  case JSON_REAL: lua_pushnumber(L, json_real_value(v)); break;
  case JSON_TRUE: lua_pushboolean(L, 1); break;
  case JSON_FALSE: lua_pushboolean(L, 0); break;
  default: lua_pushnil(L);
  }
}

/* core.ask(name, arguments as JSON): {value = ...} or {error = ...} */
static int ask(lua_State *L)
{
  size_t n;
  const char *name = luaL_checkstring(L, 1), *json = luaL_checklstring(L, 2, &n);
  eas_err err = { 0 };
  json_t *args = eas_json_parse(json, n, "arguments", &err);
  if (!args) return luaL_error(L, "%s", err.text);
  json_t *answer = asked.fn(asked.arg, name, args);
  json_decref(args);
  push(L, answer);
  json_decref(answer);
  return 1;
}

/* Message handler: the error with where it came from. */
static int with_trace(lua_State *L)
{
  luaL_traceback(L, L, eas_host_error(L), 1);
  return 1;
}

/* Runs under pcall: eas.web, and core.ask that it needs. */
static int open_protected(lua_State *L)
{
  lua_getglobal(L, "require");
  lua_pushliteral(L, "eas.core");
  lua_call(L, 1, 1);
  lua_pushcfunction(L, ask);
  lua_setfield(L, -2, "ask");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "eas.json");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "list");
  lua_call(L, 0, 1);
  lua_getmetatable(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "eas.web.list");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "eas.web");
  lua_call(L, 1, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "eas.web");
  return 0;
}

int eas_host_web_open(void *arg, const char *share, eas_ask_fn *fn, void *ask_arg, eas_err *err)
{
  (void)arg;
  int rc = eas_host_open(share, err);
  if (rc < 0) return rc;
  lua_State *L = eas_the_host.L;
  asked.fn = fn;
  asked.arg = ask_arg;
  lua_pushcfunction(L, open_protected);
  if (lua_pcall(L, 0, 0, 0) == 0) return 0;
  rc = eas_fail(err, EAS_EBUG, "%s", eas_host_error(L));
  lua_pop(L, 1);
  return rc;
}

/* head (JSON), body: both are copied out of the state. */
static int take_page(lua_State *L, eas_page *out, eas_err *err)
{
  size_t n = 0, size = 0;
  const char *head = lua_tolstring(L, -2, &n), *body = lua_tolstring(L, -1, &size);
  if (!head || !body) return eas_fail(err, EAS_EBUG, "eas.web gave no page");
  json_t *v = eas_json_parse(head, n, "head of a page", err);
  if (!v) return EAS_EBUG;
  out->head = v;
  out->body = eas_alloc(size + 1);
  memcpy(out->body, body, size);
  out->size = size;
  return 0;
}

int eas_host_web(void *arg, const json_t *request, eas_page *out, eas_err *err)
{
  (void)arg;
  lua_State *L = eas_the_host.L;
  lua_pushcfunction(L, with_trace);
  lua_getfield(L, LUA_REGISTRYINDEX, "eas.web");
  lua_getfield(L, -1, "handle");
  lua_remove(L, -2);
  push(L, request);
  int rc = lua_pcall(L, 1, 2, -3) != 0 ? eas_fail(err, EAS_EBUG, "%s", eas_host_error(L)) : take_page(L, out, err);
  lua_settop(L, 0);
  return rc;
}
